"""Schedules as values that know their occurrences: fields (`Cron`) and a fixed interval (`Interval`).

croniter finds the occurrences, from explicit lists of values only: its own reading of ranges, names and steps
differs from Azure's. All times are UTC; `local_schedules` has those by the clocks of a zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from croniter import croniter

if TYPE_CHECKING:
    from shared_code.local_schedules import LocalCron

# fmt: off
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# 29 February falls on the same weekday again after at most 40 years, across a century that is no leap year.
_LONGEST_PAUSE_YEARS = 40


class Field(NamedTuple):
    """One field of a schedule: its words, its range, and the better value for the usual mistakes."""

    name: str
    plural: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    instead: Mapping[int, str] = MappingProxyType({})


FIELDS = (
    Field("second", "seconds", 0, 59, instead={60: "0"}),
    Field("minute", "minutes", 0, 59, instead={60: "0"}),
    Field("hour", "hours", 0, 23, instead={24: "0 for midnight"}),
    Field("day of the month", "days of the month", 1, 31, instead={0: "1 for the first"}),
    Field("month", "months", 1, 12, _MONTHS, instead={0: "1 or JAN", 13: "1 or JAN"}),
    Field("day of the week", "days of the week", 0, 6, _WEEKDAYS, instead={7: "0 or SUN for Sunday"}),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule of fields; every field holds its values in ascending order, Sunday is 0."""

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    has_seconds: bool
    """False for five fields; the second is 0 then."""

    def __str__(self) -> str:
        return self.text

    @property
    def expanded(self) -> str:
        """The host's own form: numbers only, ranges in ascending order, `*` for a full field."""
        fields = list(map(_format, FIELDS, self._values()))
        return " ".join(fields if self.has_seconds else fields[1:])

    @property
    def fires(self) -> bool:
        """Whether any date of the calendar matches; 31 February never does, and the host does not say so."""
        return any(min(self.days) <= _LONGEST[month - 1] for month in self.months)

    def next_after(self, when: datetime) -> datetime | None:
        """Give the first occurrence strictly after `when` (aware), in UTC, or None if there is none."""
        return self._search(_utc(when), back=False)

    def latest_at(self, when: datetime) -> datetime | None:
        """Give the last occurrence at or before `when` (aware), in UTC, or None if there is none."""
        return self._search(_utc(when), back=True)

    def _search(self, start: datetime, *, back: bool) -> datetime | None:
        if not self.fires:
            return None
        search = croniter(
            " ".join(map(_list, FIELDS, self._values())),
            # croniter looks strictly before its start; half a second is exact in its floats.
            start.replace(microsecond=500_000 if back else 0),
            ret_type=datetime,
            day_or=False,
            second_at_beginning=True,
            max_years_between_matches=_LONGEST_PAUSE_YEARS,
            is_prev=back,
        )
        try:
            found: datetime = search.next()
        except (ValueError, OverflowError):  # it left the calendar: before year 1 or after 9999
            return None
        return found.replace(tzinfo=UTC)

    def _values(self) -> tuple[tuple[int, ...], ...]:
        return self.seconds, self.minutes, self.hours, self.days, self.months, self.weekdays


type Occurrences = Cron | LocalCron
"""What finds moments, in UTC, at which a schedule of fields fires."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A TimeSpan: the host waits `seconds` after the start of each call."""

    text: str
    seconds: float

    def __str__(self) -> str:
        return self.text

    def next_after(self, when: datetime) -> datetime | None:
        """Give `when` (aware) plus the interval, in UTC, or None beyond the year 9999.

        For zero and negative intervals the host clamps its timer to one tick and calls without pause
        (`TimerListener.cs`): the next occurrence is then a microsecond away.
        """
        try:
            return _utc(when).replace(tzinfo=UTC) + max(timedelta(seconds=self.seconds), timedelta.resolution)
        except OverflowError:
            return None


def _format(field: Field, values: tuple[int, ...]) -> str:
    if len(values) == field.high - field.low + 1:
        return "*"
    spans = consecutive(values)
    return ",".join(f"{span[0]}-{span[-1]}" if len(span) > 1 else f"{span[0]}" for span in spans)


def consecutive(values: tuple[int, ...]) -> list[list[int]]:
    """Group ascending numbers into spans without a gap."""
    spans: list[list[int]] = []
    for value in values:
        if spans and spans[-1][-1] == value - 1:
            spans[-1].append(value)
        else:
            spans.append([value])
    return spans


def _list(field: Field, values: tuple[int, ...]) -> str:
    return "*" if len(values) == field.high - field.low + 1 else ",".join(map(str, values))


def _utc(when: datetime) -> datetime:
    """Drop the zone after converting: without one croniter counts plain days of 24 hours."""
    if when.tzinfo is None:
        raise ValueError(f"The time {when.isoformat()} has no time zone; give one, as in datetime.now(UTC).")
    return when.astimezone(UTC).replace(tzinfo=None)
