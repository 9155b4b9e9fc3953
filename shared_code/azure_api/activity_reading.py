"""One reading of the activity log: how many queries it takes, and what of their answers counts."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, NamedTuple

from shared_code.activity import Asked, Evidence, Gathering, Span, write_of
from shared_code.azure_api.activity_queries import SUBSCRIPTION, Part, recorded, writers
from shared_code.errors import AzureError, UnreadableAnswer
from shared_code.foreign_text import one_line

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Limits(NamedTuple):
    """What one reading may take; the tests have smaller ones."""

    most_rows: int = 500_000
    """Rows of an answer at most; one with as many may have lost others."""
    some_rows: int = 10_000
    """Rows a query is meant to give, so that memory does not grow with the estate."""
    subscriptions: int = 200
    """Subscriptions a query asks about at most."""
    queries: int = 500
    """Queries of one reading at most, splits included; Azure grants 200 in 30 seconds."""
    time_outs: int = 4
    """Queries of one reading that may take too long and be split; each has cost minutes."""


USUAL = Limits()
"""Those of the service, and what a small process holds."""


class TooMuch(Exception):
    """An answer does not fit, or takes too long; half of the question may."""


class TooSlow(TooMuch):
    """It takes too long."""


class Reading:
    """One reading of some subscriptions, in as many queries as it takes."""

    def __init__(
        self,
        rows: Callable[[str, tuple[str, ...]], Iterator[tuple[Any, ...]]],
        subscriptions: Collection[str],
        span: Span,
        limits: Limits,
    ) -> None:
        self._rows = rows
        self._limits = limits
        self._span = span
        self._gathering = Gathering(subscriptions, span)
        known = dict.fromkeys(each.lower() for each in subscriptions if SUBSCRIPTION.fullmatch(each))
        self._known = sorted(known)
        self._gathering.miss(
            (each for each in subscriptions if not SUBSCRIPTION.fullmatch(each)),
            "an id that is no subscription's was asked for",
        )
        self._expected: dict[str, int] = {}
        self._queries = self._received = self._splits = self._time_outs = 0
        self._end = ""

    def evidence(self) -> Evidence:
        """Read, and judge what was read."""
        self._follow(self._batches(), recorded, ("Subscription", "Since", "Resources"), self._take_recorded)
        there = [each for each in self._known if each in self._gathering.recorded]
        self._follow(
            self._planned(there),
            writers,
            ("Resource", "First", "FirstCaller", "Last", "LastCaller"),
            self._take_writers,
        )
        return self._gathering.evidence(Asked(self._queries, self._received, self._splits))

    def _part(self, subscriptions: Collection[str]) -> Part:
        return Part(tuple(subscriptions), self._span.since, self._span.until)

    def _batches(self) -> list[Part]:
        return [self._part(batch) for batch in batched(self._known, self._limits.subscriptions, strict=False)]

    def _planned(self, subscriptions: list[str]) -> list[Part]:
        """Put as many subscriptions into one question as its rows will fit for."""
        batches: list[list[str]] = []
        room = 0
        for each in subscriptions:
            rows = self._expected.get(each, 0)
            if not batches or rows > room or len(batches[-1]) == self._limits.subscriptions:
                batches.append([])
                room = self._limits.some_rows
            batches[-1].append(each)
            room -= rows
        return [self._part(batch) for batch in batches]

    def _follow(
        self,
        parts: list[Part],
        question: Callable[[Part], str],
        columns: tuple[str, ...],
        take: Callable[[tuple[Any, ...]], None],
    ) -> None:
        """Ask about every part; what does not fit is split, and the first real failure ends all asking."""
        waiting = deque(parts)
        while waiting:
            part = waiting.popleft()
            if self._gathering.unread.issuperset(part.subscriptions):
                continue
            if not self._end and self._queries >= self._limits.queries:
                self._end = (
                    f"the activity log was not read to its end: it takes more than {self._limits.queries:,} queries"
                )
            if self._end:
                self._gathering.miss(part.subscriptions, self._end)
                continue
            self._queries += 1
            try:
                for row in self._rows(question(part), columns):
                    self._received += 1
                    take(row)
            except TooMuch as error:
                self._time_outs += isinstance(error, TooSlow)
                halves = part.halves() if self._time_outs <= self._limits.time_outs else None
                if halves is None:
                    self._gathering.miss(part.subscriptions, f"the activity log was not read to its end: {error}")
                else:
                    self._splits += 1
                    waiting.extendleft(reversed(halves))
            except AzureError as error:
                self._end = str(error)
                self._gathering.miss(part.subscriptions, self._end)

    def _take_recorded(self, row: tuple[Any, ...]) -> None:
        subscription, since, resources = row
        folded = _text(subscription).lower()
        self._gathering.record(folded, _moment(since))
        if not isinstance(resources, int):
            raise _damaged(resources)
        self._expected[folded] = self._expected.get(folded, 0) + resources

    def _take_writers(self, row: tuple[Any, ...]) -> None:
        resource, first, first_caller, last, last_caller = row
        self._gathering.add(
            _text(resource), write_of(_moment(first), _text(first_caller)), write_of(_moment(last), _text(last_caller))
        )


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _damaged(value)
    return value


def _moment(value: object) -> datetime:
    # The SDK leaves a time that it cannot read as text.
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _damaged(value)
    try:
        return _EPOCH + timedelta(microseconds=value)
    except OverflowError:
        raise _damaged(value) from None


def _damaged(value: object) -> UnreadableAnswer:
    return UnreadableAnswer(f"cannot read the activity log: '{one_line(str(value), 80)}' is not what a row may hold")
