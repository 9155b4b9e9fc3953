"""Time zones: the rules of the pinned tzdata, the same on every machine, and where the clocks change by them."""

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import tzdata  # type: ignore[import-untyped]  # it holds nothing but data and its own version

from shared_code.foreign_text import one_line

YEARS = 20
"""Years, from that of the rules on, whose offsets a timer covers: the ten to come for the first ten of them."""
FIRST_YEAR, LAST_YEAR = 2, 9998
"""Years in which every moment has a local time that a datetime can hold."""
EXAMPLE = "an IANA name such as Europe/Berlin"

_SHOWN = 80
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_NO_ZONES = frozenset({"Factory"})


class Change(NamedTuple):
    """The moment (UTC) at which the clocks of a zone are put from one offset to another."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def shift(self) -> timedelta:
        """How far the clocks go forward; backward where it is negative."""
        return self.after - self.before


@cache
def names() -> frozenset[str]:
    """Return the name of every zone there is."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split()) - _NO_ZONES


def problem_of(name: str) -> str | None:
    """Return why that is no time zone, and what to write; None if it is one."""
    if name in names():
        return None
    folded = {known.casefold(): known for known in sorted(names())}
    wanted = name.strip()[:_SHOWN].replace(" ", "_").casefold()
    city = {known.rpartition("/")[2]: known for known in folded}
    near = difflib.get_close_matches(wanted, folded, 1, 0.75) or [
        city[found] for found in difflib.get_close_matches(wanted.rpartition("/")[2], city, 1, 0.75)
    ]
    hint = f"did you mean '{folded[near[0]]}'" if near else f"write {EXAMPLE}"
    return f"'{one_line(name, _SHOWN)}' is no time zone; {hint}"


@cache
def zone_of(name: str) -> ZoneInfo:
    """Return the zone of a name in `names()`, from the pinned rules and never from the machine's."""
    if name not in names():
        raise ValueError(f"there is no time zone {name!r}")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def offset_at(name: str, at: datetime) -> timedelta:
    """Return how far the clocks of a zone are ahead of UTC at a moment, aware."""
    return at.astimezone(zone_of(name)).utcoffset() or timedelta()


@cache
def changes(name: str, year: int) -> tuple[Change, ...]:
    """Return the changes of a zone's clocks in a year of UTC; no zone has two within a day."""
    first = datetime(year, 1, 1, tzinfo=UTC) - _SECOND
    days = [first + number * _DAY for number in range(366)] + [datetime(year + 1, 1, 1, tzinfo=UTC) - _SECOND]
    return tuple(_between(name, days))


def next_change(name: str, after: datetime) -> Change | None:
    """Return the next change of a zone's clocks after a moment, aware, within two years; None if there is none."""
    years = range(max(after.year, FIRST_YEAR), min(after.year + 2, LAST_YEAR) + 1)
    return next((change for year in years for change in changes(name, year) if change.at > after), None)


@cache
def offsets_ahead(name: str) -> frozenset[timedelta]:
    """Return the offsets that the zone has in the YEARS from that of the pinned rules on.

    They depend on the rules alone and not on the clock, so that every process reckons with the same timer.
    """
    first = int(tzdata.IANA_VERSION[:4])
    found = {offset_at(name, datetime(first, 1, 1, tzinfo=UTC))}
    return frozenset(found | {each.after for year in range(first, first + YEARS) for each in changes(name, year)})


def _between(name: str, moments: list[datetime]) -> Iterator[Change]:
    """Find each change strictly after one moment and not after the next."""
    for (low, before), (high, after) in pairwise((each, offset_at(name, each)) for each in moments):
        if before == after:
            continue
        same, other = low, high
        while other - same > _SECOND:
            middle = same + (other - same) // _SECOND // 2 * _SECOND
            if offset_at(name, middle) == before:
                same = middle
            else:
                other = middle
        yield Change(other, before, after)
