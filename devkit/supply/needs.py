"""Which package needs which, on the system where the app runs."""

import re
from collections.abc import Iterable, Mapping
from email.message import Message

from packaging.requirements import Requirement

_AZURE = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}


def canonical(name: str) -> str:
    """Give the name of a package as every index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_asked(text: str) -> list[Requirement]:
    """Read what a file such as requirements.in asks for."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def needs(metadata: Mapping[str, Message], asked: Iterable[Requirement]) -> dict[str, set[str]]:
    """Give what each package needs, of those that are there.

    Args:
        metadata: what each package says of itself, by its canonical name.
        asked: what is asked for by name, perhaps with extras.
    """
    extras: dict[str, set[str]] = {name: set() for name in metadata}
    for requirement in asked:
        extras[canonical(requirement.name)] |= requirement.extras
    while True:
        before = sum(map(len, extras.values()))
        found = {name: _needed(metadata[name], extras[name]) for name in metadata}
        for requirement in (each for needed in found.values() for each in needed):
            if (name := canonical(requirement.name)) in extras:
                extras[name] |= requirement.extras
        if sum(map(len, extras.values())) == before:
            return {
                name: {canonical(each.name) for each in needed} & metadata.keys() - {name}
                for name, needed in found.items()
            }


def _needed(told: Message, extras: set[str]) -> list[Requirement]:
    environments = [{**_AZURE, "extra": extra} for extra in ["", *extras]]
    found = [Requirement(str(line)) for line in told.get_all("Requires-Dist", [])]
    return [
        each
        for each in found
        if each.marker is None or any(each.marker.evaluate(environment) for environment in environments)
    ]
