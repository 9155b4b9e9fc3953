"""The history of a job: a line for each run that read the whole scope, for the trend."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from shared_code.errors import UNREADABLE, AlreadyExists, Changed, Damaged
from shared_code.runs import RunStatus
from shared_code.store import Store


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What one run found. `taken` is when it began to look, UTC; percentages are None where there was nothing to judge.

    `new`, `open` and `fixed` count what the ledgers say; `not_read` counts subscriptions that could not be read;
    `counts` are those of the run, for jobs whose numbers are looked at over time.
    """

    run: str
    taken: datetime
    status: RunStatus
    percent: float | None
    rules: dict[str, float | None] = {}
    new: int = 0
    open: int = 0
    fixed: int = 0
    not_read: int = 0
    counts: dict[str, int] = {}


_decode = msgspec.json.Decoder(HistoryEntry).decode_lines
_ATTEMPTS = 20
TREND = 60
"""Runs in a chart."""


class History:
    """The entries of one job's runs, `history/{job}.ndjson`, in the order of their times; a line for each run."""

    def __init__(self, store: Store, job: str) -> None:
        self._store = store
        self._key = f"history/{job}.ndjson"

    def last(self, number: int) -> list[HistoryEntry]:
        """Return the latest entries, the latest last.

        Raises:
            Damaged: the history cannot be understood.
            StoreError: the store cannot be read.
        """
        entries, _ = self._read()
        return entries[-number:] if number > 0 else []

    def append(self, entry: HistoryEntry) -> None:
        """Add a run's entry, in place of an earlier one of the same run.

        Raises:
            Damaged: the history cannot be understood; it stays.
            StoreError: the store cannot be read or written.
        """
        self._change(lambda entries: [*(each for each in entries if each.run != entry.run), entry])

    def prune(self, before: datetime) -> int:
        """Remove the entries of runs that began before a moment; return how many.

        Raises:
            Damaged: the history cannot be understood; it stays.
            StoreError: the store cannot be read or written.
        """
        entries, _ = self._read()
        old = sum(each.taken < before for each in entries)
        if old:
            self._change(lambda entries: [each for each in entries if each.taken >= before])
        return old

    def _read(self) -> tuple[list[HistoryEntry], str | None]:
        stored = self._store.read(self._key)
        if stored is None:
            return [], None
        try:
            return _decode(stored.data), stored.etag
        except UNREADABLE as error:
            raise Damaged(f"The history '{self._key}' cannot be read: {error}; remove it to start anew.") from error

    def _change(self, change: Callable[[list[HistoryEntry]], list[HistoryEntry]]) -> None:
        for attempt in range(_ATTEMPTS):
            entries, etag = self._read()
            changed = sorted(change(entries), key=lambda each: (each.taken, each.run))
            data = msgspec.json.Encoder().encode_lines(changed)
            try:
                if etag is None:
                    self._store.create(self._key, data)
                else:
                    self._store.replace(self._key, data, etag)
            except (AlreadyExists, Changed):
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return
