"""Clocks: when the Functions host would run a schedule in a local zone, found by looking at the clock every minute.

This is written from the host's rules alone, and shares nothing with the code that it judges: a time that the clocks
skip runs later by the length of the gap, and what follows is looked for from there on; a time that comes twice runs the
first time, that of an interval both times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import product
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spec:
    """A schedule as sets of numbers; Sunday is 0. A minute has one occurrence at most."""

    second: int
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] = frozenset(range(1, 32))
    months: frozenset[int] = frozenset(range(1, 13))
    weekdays: frozenset[int] = frozenset(range(7))

    @property
    def text(self) -> str:
        """The six fields, as lists of numbers."""
        fields = (
            (frozenset({self.second}), 60),
            (self.minutes, 60),
            (self.hours, 24),
            (self.days, 31),
            (self.months, 12),
        )
        return " ".join(map(_field, [*fields, (self.weekdays, 7)]))

    @property
    def is_interval(self) -> bool:
        """The host's rule: `*` or `-` in the time of day, once neighbours are joined."""
        return any(_neighbours(values, size) for values, size in ((self.minutes, 60), (self.hours, 24)))

    def names(self, shown: datetime) -> bool:
        """Whether the schedule names what a clock shows, to the minute."""
        return (
            shown.minute in self.minutes
            and shown.hour in self.hours
            and shown.day in self.days
            and shown.month in self.months
            and shown.isoweekday() % 7 in self.weekdays
        )


def _neighbours(values: frozenset[int], size: int) -> bool:
    return len(values) == size or any(value + 1 in values for value in values)


def _field(part: tuple[frozenset[int], int]) -> str:
    values, size = part
    return "*" if len(values) == size else ",".join(map(str, sorted(values)))


def spec_of(text: str) -> Spec:
    """Read six fields of numbers, lists, ranges and steps of `*`."""
    lows = (0, 0, 0, 1, 1, 0)
    sizes = (60, 60, 24, 31, 12, 7)
    second, *others = (
        frozenset(value for part in field.split(",") for value in _values(part, low, size))
        for field, low, size in zip(text.split(" "), lows, sizes, strict=True)
    )
    (only,) = second
    return Spec(only, *others)


def _values(part: str, low: int, size: int) -> range:
    body, _, step = part.partition("/")
    first, _, last = body.partition("-")
    if body == "*":
        return range(low, low + size, int(step or 1))
    return range(int(first), int(last or first) + 1, int(step or 1))


@cache
def zone(name: str) -> ZoneInfo:
    """The rules of the pinned package."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def shown_at(name: str, at: datetime) -> datetime:
    """What the clocks of a zone show, without a zone."""
    return at.astimezone(zone(name)).replace(tzinfo=None)


def expected(spec: Spec, name: str, first: datetime, end: datetime) -> list[datetime]:
    """Every moment, from `first` until before `end` (UTC, whole days), at which the host would run the schedule."""
    second = timedelta(seconds=spec.second)
    return [at + second for at in _minutes(spec, name, first, end)]


def _minutes(spec: Spec, name: str, first: datetime, end: datetime) -> Iterator[datetime]:
    latest = before = shown_at(name, first - MINUTE)
    shifted: datetime | None = None
    at = first
    while at < end:
        if shifted is None and latest == before and _is_quiet(name, at):
            # Nothing happens to the clocks on this day: they show every time once.
            offset = shown_at(name, at) - at.replace(tzinfo=None)
            yield from _of_quiet_day(spec, at, offset)
            at += DAY
            latest = before = shown_at(name, at - MINUTE)
            continue
        for _ in range(24 * 60):
            shown = shown_at(name, at)
            skipped = [before + number * MINUTE for number in range(1, (shown - before) // MINUTE)]
            missing = next((each for each in skipped if spec.names(each)), None)
            if missing is not None:
                shifted = missing + len(skipped) * MINUTE
            if shifted is not None:
                runs = shown == shifted
                shifted = None if runs else shifted
            else:
                runs = spec.names(shown) and (spec.is_interval or shown > latest)
            if runs:
                yield at
            latest, before = max(latest, shown), shown
            at += MINUTE


def _is_quiet(name: str, day: datetime) -> bool:
    hours = (day - MINUTE, *(day + timedelta(hours=number) for number in range(25)))
    return len({at.astimezone(zone(name)).utcoffset() for at in hours}) == 1


def _of_quiet_day(spec: Spec, day: datetime, offset: timedelta) -> Iterator[datetime]:
    opens = day.replace(tzinfo=None) + offset
    midnight = opens.replace(hour=0, minute=0, second=0)
    for date in (midnight, midnight + DAY):
        for hour, minute in product(sorted(spec.hours), sorted(spec.minutes)):
            shown = date.replace(hour=hour, minute=minute)
            if opens <= shown < opens + DAY and spec.names(shown):
                yield (shown - offset).replace(tzinfo=UTC)
