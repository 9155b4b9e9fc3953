"""Tombstones: what a thing was, saved before it is deleted; `tombstones/{plan}/{item}.json`."""

from datetime import datetime
from typing import Any

import msgspec

from shared_code.errors import AlreadyExists
from shared_code.model import Lock, Tags
from shared_code.store import Store

FOLDER = "tombstones"
KEPT_DAYS = 365
"""How many days they are kept; what nobody has missed for a year is not missed."""


class Member(msgspec.Struct, frozen=True):
    """Something that went with its resource group."""

    id: str
    type: str
    tags: Tags | None = None


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted, by which item of which plan, and what it takes to make it anew as far as that goes.

    `definition` is the answer of its GET; `template` what Azure exported of a resource group, with the errors it
    reported. `saved` is UTC.
    """

    plan: str
    item: int
    run: str
    rule: str
    reason: str
    resource_id: str
    subscription_id: str
    saved: datetime
    definition: dict[str, Any]
    template: dict[str, Any] | None = None
    members: tuple[Member, ...] = ()
    locks: tuple[Lock, ...] = ()


def tombstone_key(plan: str, item: int) -> str:
    """Return where in the store the tombstone of an item is, if it was written."""
    return f"{FOLDER}/{plan}/{item:06}.json"


class Tombstones:
    """The tombstones in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(self, tombstone: Tombstone) -> str:
        """Write it, unless an earlier attempt has, and return its key.

        Raises:
            StoreError: it could not be written, so nothing may be deleted.
        """
        key = tombstone_key(tombstone.plan, tombstone.item)
        try:
            self._store.create(key, msgspec.json.encode(tombstone))
        except AlreadyExists:
            # That attempt may have died before it deleted anything: what is there now counts.
            self._store.write(key, msgspec.json.encode(tombstone))
        return key
