"""Local schedules: NCRONTAB by the clocks of a time zone, kept by a timer that knows UTC alone.

The timer is registered with a schedule in UTC that covers the local one under all offsets of the zone, so that some of
its calls are for no occurrence. At a change of the clocks an occurrence is where the Functions host has it in a local
zone (`CronSchedule.cs` of Azure/azure-webjobs-sdk-extensions): a time that is skipped is shifted by the length of the
gap; a time that comes twice counts the first time alone if the schedule names points in time, and both times if it is
an interval.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

from shared_code import timezones
from shared_code.occurrences import FIELDS, Cron

_SECOND = timedelta(seconds=1)
_MARGIN = timedelta(days=2)
"""More than any clock is away from UTC, or is ever put forward."""
_EVERY = {field.name: tuple(range(field.low, field.high + 1)) for field in FIELDS}
_COUNTED_YEARS = range(2025, 2053)
"""A whole round of the calendar: every date comes on every weekday equally often."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A time, from `start` until before `end` (UTC), in which the clocks go without a change."""

    start: datetime
    end: datetime
    offset: timedelta
    before: timedelta
    """The offset just before the start."""

    @property
    def shift(self) -> timedelta:
        """How far the clocks were put forward at the start."""
        return self.offset - self.before

    @property
    def opens(self) -> datetime:
        """What the clocks show at the start."""
        return self.start + self.offset

    @property
    def settled(self) -> datetime:
        """What the clocks show when the change at the start no longer matters."""
        return self.opens + abs(self.shift)

    @property
    def last(self) -> datetime:
        """What the clocks show in the last second."""
        return self.end - _SECOND + self.offset


@dataclass(frozen=True, slots=True)
class LocalCron:
    """A schedule of fields by the clocks of a time zone; its occurrences are moments in UTC, each once."""

    cron: Cron
    timezone: str
    """A name that `timezones.problem_of` finds nothing wrong with."""

    @property
    def is_interval(self) -> bool:
        """Whether the host takes it for an interval: by `*` or `-` in the expanded time of day."""
        time_of_day = self.cron.expanded.split(" ")[:-3]
        return any(sign in part for part in time_of_day for sign in "*-")

    def local(self, moment: datetime) -> datetime:
        """Return a moment, aware, as the clocks show it, with their offset."""
        return moment.astimezone(timezones.zone_of(self.timezone))

    def next_after(self, when: datetime) -> datetime | None:
        """Give the first occurrence strictly after `when` (aware), in UTC, or None if there is none."""
        at = when.astimezone(UTC).replace(microsecond=0)
        piece = _piece_at(self.timezone, at)
        while piece is not None:
            shown = max(at + piece.offset, piece.opens - _SECOND)
            shifted = self._shifted(piece) if shown < piece.settled else None
            if shifted is not None and shown < shifted:
                return shifted - piece.offset
            found = self.cron.next_after(max(shown, self._counts_from(piece, shifted) - _SECOND))
            if found is None:
                return None
            if found <= piece.last:
                return found - piece.offset
            # Nothing until `found`: go on in the piece that it may be in, or that a gap before it ends in.
            at = max(piece.end - _SECOND, found - _MARGIN)
            piece = _piece_at(self.timezone, max(at, piece.end))
        return None

    def latest_at(self, when: datetime) -> datetime | None:
        """Give the last occurrence at or before `when` (aware), in UTC, or None if there is none."""
        at = when.astimezone(UTC).replace(microsecond=0)
        piece = _piece_at(self.timezone, at)
        while piece is not None:
            shown = min(at + piece.offset, piece.last)
            found = self.cron.latest_at(shown)
            if found is None:
                return None
            if found >= piece.settled:
                return found - piece.offset
            shifted = self._shifted(piece)
            if found >= self._counts_from(piece, shifted):
                return found - piece.offset
            if shifted is not None and shifted <= shown:
                return shifted - piece.offset
            at = min(piece.start - _SECOND, found + _MARGIN)
            piece = _piece_at(self.timezone, at)
        return None

    def affected(self, change: timezones.Change) -> datetime | None:
        """Return the first time of day (as if UTC) of the schedule that a change skips or repeats, or None."""
        one, other = change.at + change.before, change.at + change.after
        found = self.cron.next_after(min(one, other) - _SECOND)
        return found if found is not None and found < max(one, other) else None

    def covered_by(self, last: datetime) -> datetime:
        """Return the moment up to which nothing is new after the occurrence `last`.

        Args:
            last: as the clocks showed it, with the offset of that time. Rules that have changed since may have that
                time of day come later or again, and it would still be the same occurrence.
        """
        zone = timezones.zone_of(self.timezone)
        shown = [last.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        moment = last.astimezone(UTC)
        return moment if moment in shown else max(moment, *shown)

    def _shifted(self, piece: Piece) -> datetime | None:
        """Return what the clocks show when the first occurrence of the gap before a piece runs, if there is any.

        The host looks for what follows from there on: more occurrences of the same gap do not come.
        """
        if piece.shift <= timedelta():
            return None
        found = self.cron.next_after(piece.opens - piece.shift - _SECOND)
        return found + piece.shift if found is not None and found < piece.opens else None

    def _counts_from(self, piece: Piece, shifted: datetime | None) -> datetime:
        """Return what the clocks show from when on the schedule's own times count in a piece."""
        if shifted is not None:
            return shifted + _SECOND
        if piece.shift < timedelta() and not self.is_interval:
            return piece.opens - piece.shift
        return piece.opens


@cache
def registered(local: LocalCron) -> Cron:
    """Return the schedule in UTC that covers a local one under all offsets that its zone has in the coming years."""
    return covering(local.cron, timezones.offsets_ahead(local.timezone))


def covering(cron: Cron, offsets: Iterable[timedelta]) -> Cron:
    """Return the schedule in UTC whose occurrences include those by clocks that are ahead by any of these offsets."""
    seconds: set[int] = set()
    minutes: set[int] = set()
    hours: set[int] = set()
    same_day = True
    for offset in offsets:
        whole, rest = divmod(offset // _SECOND, 60)
        moved = [divmod(second - rest, 60) for second in cron.seconds]
        seconds.update(second for _, second in moved)
        for carry in {carry for carry, _ in moved}:
            for hour in cron.hours:
                for minute in cron.minutes:
                    day, time = divmod(hour * 60 + minute - whole + carry, 24 * 60)
                    same_day = same_day and day == 0
                    hours.add(time // 60)
                    minutes.add(time % 60)
    wide = Cron(
        text="",
        seconds=tuple(sorted(seconds)),
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=cron.days if same_day else _EVERY["day of the month"],
        months=cron.months if same_day else _EVERY["month"],
        weekdays=cron.weekdays if same_day else _EVERY["day of the week"],
        has_seconds=True,
    )
    return replace(wide, text=wide.expanded)


def calls_beside(local: LocalCron) -> float:
    """Return how many calls of the registered timer on an average day are for no occurrence."""
    return round(_calls(registered(local)) - _calls(local.cron), 2)


def _calls(cron: Cron) -> float:
    """Return how many times on an average day a schedule fires."""
    days = _days_by_kind()
    matching = sum(
        number
        for (month, day, weekday), number in days.items()
        if month in cron.months and day in cron.days and weekday in cron.weekdays
    )
    return len(cron.seconds) * len(cron.minutes) * len(cron.hours) * matching / sum(days.values())


@cache
def _days_by_kind() -> dict[tuple[int, int, int], int]:
    kinds: dict[tuple[int, int, int], int] = {}
    day, end = datetime(_COUNTED_YEARS[0], 1, 1, tzinfo=UTC), datetime(_COUNTED_YEARS[-1] + 1, 1, 1, tzinfo=UTC)
    while day < end:
        kind = day.month, day.day, day.isoweekday() % 7
        kinds[kind] = kinds.get(kind, 0) + 1
        day += timedelta(days=1)
    return kinds


def _piece_at(timezone: str, at: datetime) -> Piece | None:
    """Return the piece that a moment (UTC) is in, or None near the ends of the calendar."""
    if not timezones.FIRST_YEAR <= at.year <= timezones.LAST_YEAR:
        return None
    return next((piece for piece in reversed(_pieces(timezone, at.year)) if piece.start <= at), None)


@cache
def _pieces(timezone: str, year: int) -> tuple[Piece, ...]:
    """Return the pieces of a year; the turn of the year divides too, so that no search for a change is endless."""
    return tuple(_cut(timezone, year))


def _cut(timezone: str, year: int) -> Iterator[Piece]:
    first, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    offset = timezones.offset_at(timezone, first - _SECOND)
    edges = [timezones.Change(first, offset, offset), *timezones.changes(timezone, year)]
    if len(edges) > 1 and edges[1].at == first:
        del edges[0]
    edges.append(timezones.Change(end, edges[-1].after, edges[-1].after))
    for edge, following in pairwise(edges):
        yield Piece(edge.at, following.at, edge.after, edge.before)
