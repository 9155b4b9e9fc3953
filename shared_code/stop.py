"""Stop: one object in the store, and one setting, that end every write to Azure."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from shared_code.errors import Damaged, Stopped, StoreError
from shared_code.foreign_text import one_line
from shared_code.ports import Clock
from shared_code.store import Store
from shared_code.times import text_of
from shared_code.versions import Expected, put

KEY = "control/stop.json"
TRUSTED_FOR = timedelta(seconds=5)
"""How long "nobody said stop" is believed without looking again."""


class StopOrder(msgspec.Struct, frozen=True, kw_only=True):
    """`control/stop.json`: who said stop, why, and since when (UTC)."""

    by: str
    reason: str
    since: datetime

    @property
    def sentence(self) -> str:
        """What is said of a write that is not made."""
        why = f": {one_line(self.reason, 200)}" if self.reason else ""
        end = "" if why.endswith((".", "!", "?")) else "."
        return f"Changes are stopped since {text_of(self.since)} by {one_line(self.by, 100)}{why}{end}"


class Found(NamedTuple):
    """An order as it was read, and the etag of that version."""

    order: StopOrder
    etag: str


_decode = msgspec.json.Decoder(StopOrder).decode


class Stop:
    """Says stop, takes it back, and is asked before each write to Azure; safe for many threads."""

    def __init__(self, store: Store, clock: Clock, *, read_only: bool = False) -> None:
        """Prepare.

        Args:
            store: where the order is.
            clock: the present moment.
            read_only: STEWARD_READ_ONLY: stopped whatever the store says.
        """
        self._store = store
        self._clock = clock
        self._read_only = read_only
        self._clear_at: datetime | None = None

    def read(self) -> StopOrder | None:
        """Return the order in force, None if there is certainly none.

        Raises:
            Damaged: an order is there and cannot be understood; it counts.
            StoreError: the store cannot be read.
        """
        found = self.find()
        return found.order if found else None

    def find(self) -> Found | None:
        """Return the order in force and its version, as `read` does."""
        stored = self._store.read(KEY)
        if stored is None:
            return None
        try:
            order = _decode(stored.data)
            if order.since.tzinfo is None:
                raise ValueError("its time has no zone")
            return Found(order, stored.etag)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise Damaged(f"The stop in '{KEY}' cannot be read, so it counts; 'steward resume' removes it.") from error

    def set(self, by: str, reason: str, expected: Expected | None = None) -> StopOrder:
        """Say stop from now on, over any earlier order, or only over what is expected.

        Raises:
            AlreadyExists, Changed: something else is there than expected.
            StoreError: the store cannot be written.
        """
        order = StopOrder(by=by, reason=reason, since=self._clock())
        self._clear_at = None
        put(self._store, KEY, msgspec.json.encode(order), expected)
        return order

    def clear(self) -> None:
        """Allow writes again; there may be no order."""
        self._store.delete(KEY)

    def check(self) -> None:
        """Return if Azure may be written to; what was read less than 5 s ago is believed.

        Raises:
            Stopped: somebody said stop, STEWARD_READ_ONLY is set, or nobody can tell.
        """
        if self._read_only:
            raise Stopped("STEWARD_READ_ONLY is set: nothing is written to Azure until it is removed.")
        now = self._clock()
        # A clock that was set back must not make an old answer last.
        if self._clear_at is not None and timedelta(0) <= now - self._clear_at < TRUSTED_FOR:
            return
        self._clear_at = None
        try:
            order = self.read()
        except Damaged as error:
            raise Stopped(str(error)) from error
        except StoreError as error:
            raise Stopped(f"Nobody can tell whether changes are stopped, so they are: {error}") from error
        if order is not None:
            raise Stopped(f"{order.sentence} 'steward resume' or DELETE /api/stop ends it.")
        self._clear_at = now
