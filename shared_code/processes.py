"""Which process holds a lock, and whether it certainly runs no more."""

import os
from pathlib import Path


def this_process() -> str:
    """Return an identity that no other process has, ever: boot, process namespace, process id and its start time.

    Empty where the operating system does not tell; such a holder is never taken for dead.
    """
    try:
        return f"{_machine()} {os.getpid()} {_started(os.getpid())}"
    except (OSError, IndexError):
        return ""


def is_dead(holder: str) -> bool:
    """Tell whether that process certainly runs no more; False when in doubt, as for one on another machine."""
    boot, _, process = holder.partition(" ")
    process_id, _, started = process.partition(" ")
    try:
        if boot != _machine() or not process_id.isdigit():
            return False
        return _started(int(process_id)) != started
    except (FileNotFoundError, ProcessLookupError):
        return Path("/proc/self/stat").exists() and not _answers(int(process_id))
    except (OSError, IndexError):
        return False


def _answers(process_id: int) -> bool:
    """Tell whether there is such a process; /proc may hide those of other users (proc(5), hidepid)."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _machine() -> str:
    """Return boot and process namespace: process ids mean something only within both (pid_namespaces(7))."""
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}/{Path('/proc/self/ns/pid').readlink()}"


def _started(process_id: int) -> str:
    """Return the start time in clock ticks since boot, field 22 of stat, which tells a reused process id (proc(5))."""
    stat = Path(f"/proc/{process_id}/stat").read_text()
    fields = stat.rpartition(")")[2].split()
    return "dead" if fields[0] in ("Z", "X") else fields[19]
