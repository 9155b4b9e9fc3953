"""Findings in the order of `findings.ndjson`, however many there are and in whatever order they come."""

import heapq
from collections.abc import Iterable, Iterator
from operator import itemgetter
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from shared_code.errors import UNREADABLE, Damaged
from shared_code.model import Finding
from shared_code.ndjson import pieces
from shared_code.resource_ids import key
from shared_code.store import Store

type Place = tuple[str, str, str]
"""Where a finding stands: key of the resource id, rule, kind. There is one finding for each place."""


class Placed(NamedTuple):
    """A finding with its place, which takes a moment to work out."""

    place: Place
    finding: Finding


def placed(finding: Finding) -> Placed:
    """Return a finding with its place."""
    return Placed((key(finding.resource_id), finding.rule, finding.kind), finding)


HELD = 2 * 1024 * 1024
"""Bytes of findings held in memory, roughly; about 2,500 findings. Several subscriptions are read at once."""
_MERGED_AT_ONCE = 32
"""Sorted runs, of each of which a piece is in memory while they are merged; when there are so many they become one."""
_OVERHEAD = 400
"""Bytes of a finding in memory besides its texts, roughly."""
_TEXTS = 400
"""Bytes of its evidence besides what that says, roughly."""

_encode = msgspec.json.Encoder().encode
_decode_lines = msgspec.json.Decoder(Finding).decode_lines
_place = itemgetter(0)


class FindingSorter:
    """Takes findings in any order, and gives them by place, each place once.

    What does not fit into memory waits in the store. To be used in a `with` block, whose end removes it from there.

    Args:
        store: where sorted runs wait.
        folder: the prefix of their keys, for nobody else, neither another attempt at the same run, which may not be
            as dead as it looks. What lies in it from earlier is never read.
        held: how many bytes of findings are kept in memory, roughly.
    """

    def __init__(self, store: Store, folder: str, *, held: int = HELD) -> None:
        self._store = store
        self._folder = folder
        self._most = held
        self._held: list[Placed] = []
        self._size = 0
        self._counted: set[int] = set()
        self._runs: list[list[str]] = []
        self._made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what waits in the store; after an error it is left for the end of the run's retention."""
        if kind is None:
            for run in self._runs:
                self._remove(run)
            self._runs = []

    def add(self, finding: Finding) -> None:
        """Take one finding; of several in one place the one whose line sorts first is kept, whatever came first.

        Raises:
            StoreError: the store cannot be written or read.
        """
        self._held.append(placed(finding))
        self._size += _OVERHEAD + 2 * len(finding.resource_id)
        # What breaks a rule alike shares its words, and they are in memory once.
        if id(finding.evidence) not in self._counted:
            self._counted.add(id(finding.evidence))
            self._size += _TEXTS + len(finding.detail) + sum(map(len, finding.evidence.values()))
        if self._size >= self._most:
            self._spill()

    def sorted(self) -> Iterator[Placed]:
        """Give the findings in order; nothing is to be added meanwhile, and it may be asked for again.

        Raises:
            Damaged: what waited in the store is not there any more.
            StoreError: the store cannot be read.
        """
        self._held.sort(key=_place)
        return _distinct(
            heapq.merge(*map(self._read, self._runs), self._held, key=_place) if self._runs else self._held
        )

    def _spill(self) -> None:
        self._held.sort(key=_place)
        self._runs.append(self._write(_distinct(self._held)))
        self._held, self._size = [], 0
        self._counted.clear()
        if len(self._runs) == _MERGED_AT_ONCE:
            before = self._runs
            self._runs = [self._write(_distinct(heapq.merge(*map(self._read, before), key=_place)))]
            for run in before:
                self._remove(run)

    def _write(self, found: Iterable[Placed]) -> list[str]:
        """Write a sorted run and return the keys of its objects in order."""
        keys: list[str] = []
        for piece in pieces(_encode(one.finding) for one in found):
            self._made += 1
            keys.append(f"{self._folder}/{self._made:06}.ndjson")
            self._store.write(keys[-1], piece)
        return keys

    def _read(self, run: list[str]) -> Iterator[Placed]:
        for name in run:
            stored = self._store.read(name)
            if stored is None:
                raise Damaged(f"The findings in '{name}' are not there any more; start the run again.")
            try:
                yield from map(placed, _decode_lines(stored.data))
            except UNREADABLE as error:
                raise Damaged(f"The findings in '{name}' cannot be read: {error}; start the run again.") from error

    def _remove(self, run: list[str]) -> None:
        for name in run:
            self._store.delete(name)


def _distinct(found: Iterable[Placed]) -> Iterator[Placed]:
    """Give one for each place, of several the one whose line sorts first: pages come in any order."""
    last: Placed | None = None
    for one in found:
        if last is None:
            last = one
        elif one.place != last.place:
            yield last
            last = one
        elif _encode(one.finding) < _encode(last.finding):
            last = one
    if last is not None:
        yield last
