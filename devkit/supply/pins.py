"""What requirements.txt and requirements-dev.txt pin: a version of each package, and the files that are it."""

from typing import NamedTuple


class Pin(NamedTuple):
    """A package in one version; `hashes` are of the files that pip may take for it, SHA-256 in hexadecimal."""

    name: str
    version: str
    hashes: frozenset[str]


def read_pins(text: str) -> list[Pin]:
    """Read what `uv pip compile --generate-hashes` has written."""
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        requirement, *options = line.split()
        name, _, version = requirement.partition("==")
        hashes = frozenset(option.removeprefix("--hash=sha256:") for option in options)
        pins.append(Pin(name, version, hashes))
    return pins
