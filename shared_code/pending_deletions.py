"""Pending deletions: what Azure accepted to delete and had not done when its run ended; `deleting/…` in the store."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from shared_code.deletion import Presence, look
from shared_code.errors import AlreadyExists
from shared_code.model import Subscription
from shared_code.outcomes import Result
from shared_code.ports import Remover
from shared_code.store import Store

FOLDER = "deleting"
LONGEST = timedelta(days=1)
"""After so long nobody believes any more that Azure is still at it."""
SOON = timedelta(minutes=30)
"""So long a thing that is there again may still be on its way out: Azure's readings lag."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A deletion that was accepted: which item of which plan, by which run, since when (UTC)."""

    plan: str
    item: int
    run: str
    resource_id: str
    subscription_id: str
    rule: str
    since: datetime
    tombstone: str | None = None


_decode = msgspec.json.Decoder(Pending).decode


class PendingDeletions:
    """The pending deletions in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, pending: Pending) -> None:
        """Note a deletion, unless it is noted since earlier; raises StoreError if that cannot be done."""
        with suppress(AlreadyExists):
            self._store.create(_key(pending.plan, pending.item), msgspec.json.encode(pending))

    def remove(self, pending: Pending) -> None:
        """Forget one whose end is known; raises StoreError if that cannot be done."""
        self.forget(pending.plan, pending.item)

    def forget(self, plan: str, item: int) -> None:
        """Forget that of an item, if there is one; raises StoreError if that cannot be done."""
        self._store.delete(_key(plan, item))

    def all(self) -> Iterator[Pending | str]:
        """Give them in the order of their plans; of one that cannot be understood the sentence that says so.

        Raises:
            StoreError: the store cannot be read.
        """
        for key in list(self._store.keys(FOLDER)):
            stored = self._store.read(key)
            if stored is None:
                continue
            try:
                yield _decode(stored.data)
            except (msgspec.MsgspecError, ValueError) as error:
                yield f"The pending deletion '{key}' cannot be read: {error}; look what became of it, and remove it."


def follow_up(pending: Pending, remover: Remover, now: datetime) -> tuple[Result, str]:
    """Look what became of a deletion; return it in a word and in a sentence.

    Args:
        pending: what was accepted.
        remover: reads.
        now: aware.
    """
    seen = look(pending.resource_id, Subscription(pending.subscription_id, "", "Enabled"), remover)
    waited = now - pending.since
    if seen.presence is Presence.GONE:
        return Result.DELETED, "it is gone"
    if seen.created is not None and seen.created > pending.since:
        return Result.DELETED, "it is gone, and another of its name was made since"
    if waited > LONGEST or (seen.presence is Presence.THERE and waited > SOON):
        return Result.FAILED, f"its deletion was begun, and Azure has not shown that it is done; {seen.reason}"
    return Result.DELETING, seen.reason


class FollowedUp(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `followed-deletions.ndjson`: what became of a deletion that an earlier run began; `at` is UTC."""

    pending: Pending
    outcome: Result
    reason: str
    at: datetime


def _key(plan: str, item: int) -> str:
    return f"{FOLDER}/{plan}-{item:06}.json"
