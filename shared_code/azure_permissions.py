"""What an identity may do at a scope, as Azure tells it.

Azure compares actions without case, and `*` stands for anything:
https://learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec

_ALL = ("*", "*/read")


class Permission(msgspec.Struct, frozen=True):
    """What one role allows: all of `actions` that none of `not_actions` takes away."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Tell whether it allows an action."""
        return covers(self.actions, action) and not covers(self.not_actions, action)


def covers(patterns: Iterable[str], action: str) -> bool:
    """Tell whether one of the patterns stands for the action."""
    return any(_pattern(each).fullmatch(action) for each in patterns)


def allows(permissions: Iterable[Permission], action: str) -> bool:
    """Tell whether one of the permissions allows the action; they add up."""
    return any(each.allows(action) for each in permissions)


def sees_all(permissions: Iterable[Permission]) -> bool:
    """Tell whether one of the permissions allows all reading."""
    return any(
        any(pattern.casefold() in _ALL for pattern in each.actions) and not any(map(_hides, each.not_actions))
        for each in permissions
    )


def _hides(pattern: str) -> bool:
    """Tell whether a pattern may stand for reading: a star stands for slashes, too."""
    tail = pattern.casefold().rpartition("*")[2]
    return tail.endswith("/read") or "/read".endswith(tail)


@lru_cache(4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE | re.DOTALL)
