"""The ledger: since when, and how often, each resource was seen to break a rule; what heals is forgotten.

It is NDJSON: a line that says which run left it, then an entry a line, sorted by resource id and rule. It is read,
compared and written as a stream, so its length costs no memory.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from shared_code.errors import UNREADABLE, Damaged
from shared_code.findings import Placed
from shared_code.model import Finding
from shared_code.ndjson import pieces
from shared_code.resource_ids import key
from shared_code.store import Store


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of one rule and resource, whatever kinds of findings it has had. Times are UTC.

    `last_seen` is the last sighting that counted among the `times_seen`. `identity` is the resource's own, where its
    provider tells one.
    """

    rule: str
    resource_id: str
    first_seen: datetime
    last_seen: datetime
    times_seen: int
    identity: str | None = None


class Head(msgspec.Struct, frozen=True):
    """Which run left the ledger, and when that began to look, UTC."""

    run: str
    taken: datetime


class State(StrEnum):
    """What an observation makes of an entry."""

    NEW = "new"
    """Seen, and not remembered from any earlier run."""
    OPEN = "open"
    """Seen again."""
    FIXED = "fixed"
    """Looked for and not there: forgotten."""
    UNKNOWN = "unknown"
    """Could not be looked for: stays as it is."""
    DROPPED = "dropped"
    """Not looked for any more, as its rule was taken away: forgotten, and nobody has fixed it."""

    @property
    def remains(self) -> bool:
        """Whether the next ledger has the entry."""
        return self not in (State.FIXED, State.DROPPED)


class Compared(NamedTuple):
    """One rule and resource: what became of its entry, the entry as it is now, and its findings, with `first_seen`."""

    state: State
    entry: Entry
    findings: tuple[Finding, ...] = ()


type Where = tuple[str, str]
"""Where an entry stands: key of the resource id, rule."""

_encode = msgspec.json.Encoder().encode
_decode_head = msgspec.json.Decoder(Head).decode
_decode_entry = msgspec.json.Decoder(Entry).decode


def where(entry: Entry) -> Where:
    """Return where an entry stands."""
    return key(entry.resource_id), entry.rule


def compare(
    entries: Iterable[Entry],
    findings: Iterable[Placed],
    now: datetime,
    unseen: Callable[[Entry], State],
    *,
    apart: timedelta = timedelta(0),
) -> Iterator[Compared]:
    """Compare what is remembered with what is seen now, in order and as a stream; a first date is never moved.

    Args:
        entries: what is remembered, in order.
        findings: what is seen, in the order of their places.
        now: when the run began to look; the same whenever the run is resumed, which then says the same.
        unseen: what to make of an entry without a finding: FIXED, UNKNOWN or DROPPED. In a subscription that was not
            read completely it is UNKNOWN for every entry.
        apart: a sighting counts if it comes at least so long after the last one that did.
    """
    remembered = iter(entries)
    entry = next(remembered, None)
    at = where(entry) if entry else ("", "")
    for seen_at, found in _together(findings):
        while entry and at < seen_at:
            yield _unseen(entry, unseen)
            entry = next(remembered, None)
            at = where(entry) if entry else ("", "")
        if entry and at == seen_at:
            yield _seen(entry, found, now, apart)
            entry = next(remembered, None)
            at = where(entry) if entry else ("", "")
        else:
            first = found[0]
            new = Entry(rule=first.rule, resource_id=first.resource_id, first_seen=now, last_seen=now, times_seen=1)
            yield _seen(new, found, now, apart)
    while entry:
        yield _unseen(entry, unseen)
        entry = next(remembered, None)


def _together(findings: Iterable[Placed]) -> Iterator[tuple[Where, list[Finding]]]:
    """Give the findings of one resource and rule at a time; there are rarely two."""
    at: Where | None = None
    found: list[Finding] = []
    for (name, rule, _), finding in findings:
        if at is not None and rule == at[1] and name == at[0]:
            found.append(finding)
            continue
        if at is not None:
            yield at, found
        at, found = (name, rule), [finding]
    if at is not None:
        yield at, found


def _seen(entry: Entry, found: list[Finding], now: datetime, apart: timedelta) -> Compared:
    # An entry of this very run is there when it died while it kept its ledgers and looks once more under another scope.
    first = entry.first_seen
    state = State.NEW if first >= now else State.OPEN
    if entry.last_seen < now and now - entry.last_seen >= apart:
        entry = msgspec.structs.replace(entry, last_seen=now, times_seen=entry.times_seen + 1)
    return Compared(state, entry, tuple([msgspec.structs.replace(each, first_seen=first) for each in found]))


def _unseen(entry: Entry, unseen: Callable[[Entry], State]) -> Compared:
    state = unseen(entry)
    if state in (State.NEW, State.OPEN):
        raise ValueError(f"an entry that was not seen cannot be '{state}'")
    return Compared(state, entry)


class Ledgers:
    """The ledgers of one job, `ledger/{job}/{name}.ndjson`; without a job, those that stand by themselves."""

    def __init__(self, store: Store, job: str = "") -> None:
        """Find out which there are: what is certainly absent is empty, and nothing else is.

        Raises:
            StoreError: the store cannot be read.
        """
        self._store = store
        self._folder = f"ledger/{job}" if job else "ledger"
        self._there = frozenset(store.keys(self._folder))

    def entries(self, name: str) -> Iterator[Entry]:
        """Give the entries of a ledger in order; none if it was never written.

        Raises:
            Damaged: it cannot be understood; nothing is forgotten for that.
            StoreError: the store cannot be read.
        """
        lines = self._lines(name)
        last: Where | None = None
        if self._head(name, lines) is None:
            return
        for number, line in enumerate(lines, 2):
            try:
                entry = _decode_entry(line)
            except UNREADABLE as error:
                raise self._damaged(name, f"line {number}: {error}") from error
            at = where(entry)
            if last is not None and at <= last:
                raise self._damaged(name, f"line {number} is not in the order of resource ids and rules")
            last = at
            yield entry

    def keep(self, name: str, head: Head, lines: Iterable[bytes]) -> None:
        """Make this the ledger, unless a later run has left one: what that told must not be told again.

        To be called when a run has written all it has to say, by a `Ledgers` made then; once more does no harm.

        Args:
            name: of the ledger.
            head: the run, and the `now` it compared with.
            lines: the entries that remain, encoded, in order.

        Raises:
            Damaged: what is there cannot be understood; it stays.
            StoreError: the store cannot be read or written.
        """
        before = self._head(name, self._lines(name))
        if before is not None and before.taken > head.taken:
            return
        content = pieces(line for part in ((_encode(head),), lines) for line in part)
        with self._store.writer(self._key(name)) as output:
            for piece in content:
                output.write(piece)

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}.ndjson"

    def _lines(self, name: str) -> Iterator[bytes]:
        return self._store.lines(self._key(name)) if self._key(name) in self._there else iter(())

    def _head(self, name: str, lines: Iterator[bytes]) -> Head | None:
        """Read the first line; None only if there is no ledger."""
        if self._key(name) not in self._there:
            return None
        try:
            return _decode_head(next(lines, b""))
        except UNREADABLE as error:
            raise self._damaged(name, f"line 1: {error}") from error

    def _damaged(self, name: str, what: str) -> Damaged:
        return Damaged(f"The ledger '{self._key(name)}' cannot be read: {what}; remove it to start anew.")
