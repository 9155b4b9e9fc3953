"""Changes of resource groups since the last complete reading of their subscription: new, gone, changed."""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from shared_code.model import ResourceGroup
from shared_code.resource_ids import key
from shared_code.scope import Scope


class Change(StrEnum):
    """What happened to a resource group."""

    NEW = "new"
    """It was not there."""
    GONE = "gone"
    """It was there, and every page of the list was read without it."""
    CHANGED = "changed"
    """It is there with other values; another time of creation means that it was deleted and made again."""


class GroupChange(msgspec.Struct, frozen=True):
    """One change, a line of `changes.ndjson`; `since` is when the last complete reading began, UTC.

    `fields` holds, for a changed group, what each field was before and is now.
    """

    change: Change
    id: str
    name: str
    subscription_id: str
    subscription_name: str
    since: datetime
    fields: dict[str, tuple[object, object]] = {}


class Snapshot(msgspec.Struct, frozen=True):
    """The resource groups of one subscription as the last complete reading found them, and under which scope."""

    run: str
    taken: datetime
    scope: Scope
    groups: tuple[ResourceGroup, ...]


def changes(before: Snapshot, after: Iterable[ResourceGroup], scope: Scope) -> list[GroupChange]:
    """Compare a complete reading with the one before, in the order of the groups' ids.

    Args:
        before: the last complete reading.
        after: the groups of a complete reading; of an incomplete one nothing can be said.
        scope: what `after` was read under. A group that only one of the two scopes includes did not come or go.
    """
    old = {key(group.id): group for group in before.groups if scope.includes_group(group.name)}
    new = {key(group.id): group for group in after}
    found: list[GroupChange] = []
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        if now is None and was is not None:
            found.append(_change(Change.GONE, was, before.taken))
        elif was is None and now is not None:
            if before.scope.includes_group(now.name):
                found.append(_change(Change.NEW, now, before.taken))
        elif was is not None and now is not None and (fields := _differences(was, now)):
            found.append(_change(Change.CHANGED, now, before.taken, fields))
    return found


def _change(
    change: Change, group: ResourceGroup, since: datetime, fields: dict[str, tuple[object, object]] | None = None
) -> GroupChange:
    return GroupChange(
        change, group.id, group.name, group.subscription_id, group.subscription_name, since, fields or {}
    )


# What makes two values of a field the same, where it is not equality: Azure changes the case of all but tags' values.
_SAME: dict[str, Callable[..., object]] = {
    "location": lambda text: text.replace(" ", "").casefold(),
    "tags": lambda tags: {tag.casefold(): value for tag, value in tags.items()},
    "managed_by": lambda owner: key(owner or ""),
    "provisioning_state": lambda state: (state or "").casefold(),
    "created": lambda moment: moment,
    "resource_types": lambda types: {name.casefold(): number for name, number in types.items()},
    "locks": lambda locks: {(key(lock.id), lock.level.casefold(), lock.notes) for lock in locks},
}
_UNKNOWN_IS_NONE = ("created", "resource_types", "locks")


def _differences(was: ResourceGroup, now: ResourceGroup) -> dict[str, tuple[object, object]]:
    found: dict[str, tuple[object, object]] = {}
    for field, same in _SAME.items():
        before, after = getattr(was, field), getattr(now, field)
        if field in _UNKNOWN_IS_NONE and (before is None or after is None):
            continue
        if same(before) != same(after):
            found[field] = (before, after)
    return found
