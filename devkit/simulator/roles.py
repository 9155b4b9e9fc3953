"""Role definitions as `az role definition create` takes them, and where they are assigned."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
from msgspec import Struct

EVERYWHERE = "/"
"""The scope above all management groups."""
FOLDER = Path(__file__).resolve().parents[2] / "infra" / "roles"
SHIPPED = ("reader", "tagger", "deleter")


class Role(Struct, frozen=True, rename="pascal"):
    """What may be done; actions are compared without case, `*` stands for anything."""

    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()

    def permits(self, action: str) -> bool:
        """Whether the role has an action."""
        return _among(action, self.actions) and not _among(action, self.not_actions)


class Assignment(Struct, frozen=True):
    """A role at a scope, and at all that is below it: a management group, a subscription, a group, a resource."""

    role: Role
    scope: str = EVERYWHERE


OWNER = (Assignment(Role("Owner", ("*",))),)
"""Everything may be done everywhere."""


def load_role(file: Path) -> Role:
    """The role that a file defines.

    Raises:
        OSError: when it cannot be read.
        ValueError: when it defines none; one sentence.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Role)
    except msgspec.DecodeError as error:
        raise ValueError(f"{file} is no role definition: {error}") from error


def shipped(scope: str = EVERYWHERE, names: Iterable[str] = SHIPPED) -> tuple[Assignment, ...]:
    """The roles of `infra/roles`, as they are, at one scope."""
    return tuple(Assignment(load_role(FOLDER / f"{name}.json"), scope) for name in names)


def _among(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(action.casefold(), pattern.casefold()) for pattern in patterns)
