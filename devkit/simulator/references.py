"""Which resource refers to which: what is named in properties, turned round."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

_PLACED = re.compile(r"(?i)(/subscriptions/[^/]+/resourcegroups/[^/]+/providers/([^/]+)/([^/]+)/[^/]+)(/.*)?")


class References:
    """Who uses what, by id in any case; a user may be a part of a resource, such as an IP configuration."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._users: defaultdict[str, list[str]] = defaultdict(list)
        for user, used in pairs:
            known = self._users[folded(used)]
            if user not in known:
                known.append(user)

    def users(self, resource_id: str) -> list[str]:
        """The ids of all that name this one, as they are spelled."""
        return list(self._users.get(folded(resource_id), ()))

    def users_below(self, resource_id: str) -> Iterator[tuple[str, str]]:
        """Parts of this one that are named, folded, each with its user."""
        above = folded(resource_id) + "/"
        for used, users in self._users.items():
            if used.startswith(above):
                yield from ((used, user) for user in users)


def named(own: str, node: Any, part: str = "") -> Iterator[tuple[str, str]]:
    """Each id that a resource's properties name, after the resource or its innermost part that names it."""
    user = part or own
    if isinstance(node, list):
        for each in node:
            yield from named(own, each, user)
    if not isinstance(node, dict):
        return
    given = node.get("id")
    if isinstance(given, str):
        if folded(given).startswith(folded(own) + "/"):
            user = given
        elif _PLACED.fullmatch(given):
            yield user, given
    for key, value in node.items():
        if key.endswith("Id") and isinstance(value, str) and _PLACED.fullmatch(value):
            yield user, value
        elif key != "id":
            yield from named(own, value, user)


def folded(resource_id: str) -> str:
    """An id as ids are compared: decoded, and without case."""
    return unquote(resource_id).casefold().rstrip("/")


def type_of(resource_id: str) -> str:
    """The folded type of the resource that an id, or the id of a part of it, is about; "" where it is about none."""
    found = _PLACED.fullmatch(resource_id)
    return f"{found[2]}/{found[3]}".casefold() if found else ""


def whole(resource_id: str) -> str:
    """The id of the resource that the id of a part of it is about."""
    found = _PLACED.fullmatch(resource_id)
    return found[1] if found else resource_id
