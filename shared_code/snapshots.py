"""Snapshots: what the last complete reading found, kept by job and subscription to compare with."""

import logging

import msgspec

from shared_code.errors import UNREADABLE
from shared_code.foreign_text import one_line
from shared_code.group_changes import Snapshot
from shared_code.model import Subscription
from shared_code.store import Store

log = logging.getLogger(__name__)


class Snapshots:
    """The snapshots of one job. One that cannot be read is as good as none, is said in the log, and is replaced."""

    def __init__(self, store: Store, job: str) -> None:
        self._store = store
        self._folder = f"snapshots/{job}"

    def groups(self, subscription: Subscription) -> Snapshot | None:
        """Return the last complete reading of a subscription; None if there is none.

        Raises:
            StoreError: the store cannot be read.
        """
        return self._read(self._key(subscription.id), Snapshot)

    def save_groups(self, subscription: Subscription, snapshot: Snapshot) -> None:
        """Put a complete reading in the place of the one before."""
        self._store.write(self._key(subscription.id), msgspec.json.encode(snapshot))

    def subscriptions(self) -> tuple[Subscription, ...]:
        """Return the subscriptions that were in scope, with the state they were last listed with.

        Raises:
            StoreError: the store cannot be read.
        """
        return self._read(f"{self._folder}/subscriptions.json", tuple[Subscription, ...]) or ()

    def save_subscriptions(self, known: tuple[Subscription, ...]) -> None:
        """Remember them."""
        self._store.write(f"{self._folder}/subscriptions.json", msgspec.json.encode(known))

    def _key(self, subscription_id: str) -> str:
        return f"{self._folder}/resource-groups/{subscription_id.casefold()}.json"

    def _read[Kept](self, key: str, kind: type[Kept]) -> Kept | None:
        stored = self._store.read(key)
        if stored is None:
            return None
        try:
            return msgspec.json.decode(stored.data, type=kind)
        except UNREADABLE as error:
            log.warning("snapshot=%s cannot be read, so nothing is compared with it: %s", key, one_line(str(error)))
            return None
