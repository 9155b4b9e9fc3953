"""A simulated Azure for a measurement: the estate `generated`, served by a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def generated(subscriptions: int, groups: int, resources: int, latency: float = 0.0) -> Iterator[dict[str, str]]:
    """Serve an estate of that size; gives the environment that points Steward there.

    Args:
        subscriptions: how many.
        groups: over all of them.
        resources: over all of them.
        latency: milliseconds each answer waits.
    """
    size = {"subscriptions": subscriptions, "groups": groups, "resources": resources}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "environment.json"
        command = [sys.executable, "-m", "devkit.simulator", "--estate", "generated", "--environment", str(file)]
        command += [text for name, number in size.items() for text in (f"--{name}", str(number))]
        simulator = subprocess.Popen(  # noqa: S603  # our own code
            [*command, "--latency", str(latency)], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        try:
            while not file.exists():
                if simulator.poll() is not None:
                    raise SystemExit(f"the simulator ended with exit code {simulator.returncode}")
                time.sleep(0.05)
            yield json.loads(file.read_text())
        finally:
            simulator.terminate()
            simulator.wait()


def measured(arguments: list[str], environment: dict[str, str]) -> tuple[str, float, float, float]:
    """Run a Python module to its end: `python -m …`.

    Returns:
        What it printed, wall seconds, CPU seconds, and the most memory it had, in MB.
    """
    known = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", ""), "PYTHONPATH": str(ROOT)}
    begun = time.perf_counter()
    with subprocess.Popen(  # noqa: S603  # our own code
        [sys.executable, "-m", *arguments], cwd=ROOT, env=known | environment, stdout=subprocess.PIPE, text=True
    ) as process:
        printed = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with exit code {process.returncode}: {printed[-300:]}")
    return printed, took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
