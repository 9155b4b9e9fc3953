"""The ready file: tells whoever started the host that it listens, where, and with which keys."""

from pathlib import Path

import msgspec

from devkit.local_host.host import LocalHost
from devkit.local_host.keys import Keys
from devkit.local_host.private_file import write_private


class Ready(msgspec.Struct, frozen=True):
    """What the file says."""

    url: str
    keys: Keys
    pid: int
    functions: list[str]


def write_ready(path: Path, host: LocalHost, pid: int) -> None:
    """Write the file, mode 0600, whole or not at all."""
    content = Ready(host.url, host.keys, pid, [function.name for function in host.functions])
    write_private(path, msgspec.json.encode(content))


def remove_ready(path: Path) -> None:
    """Remove the file: the host stops listening."""
    path.unlink(missing_ok=True)


def read_ready(path: Path) -> Ready | None:
    """Read the file, or give None while it is not there."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ready)
    except FileNotFoundError:
        return None
