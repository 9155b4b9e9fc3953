"""Local schedules: every local occurrence makes exactly one run, and nothing else does, by the clock of every minute.

STEWARD_CLOCKS=2000 in the environment tries so many random schedules, and the ten years of every schedule day by day.
"""

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared_code import timezones
from shared_code.local_schedules import LocalCron, calls_beside, covering, registered
from shared_code.ncrontab import Cron, parse
from shared_code.schedules import Schedule
from shared_code.ticks import EARLY, FRESH, tick_at
from tests.clocks import DAY, Spec, expected, shown_at, spec_of

MORE = int(os.environ.get("STEWARD_CLOCKS", "0"))
pytestmark = [pytest.mark.timeout(0)] if MORE else []

FIRST, END = datetime(2026, 11, 23, tzinfo=UTC), datetime(2036, 11, 23, tzinfo=UTC)
ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kolkata",
    "Pacific/Apia",
    "UTC",
)
SCHEDULES = {
    "point-in-time": "0 30 2 * * *",
    "point-at-midnight": "0 15 0 * * *",
    "points": "0 10,40 1,2,23 * * *",
    "points-in-one-hour": "0 20,40 2 * * *",
    "interval": "0 */20 * * * *",
    "interval-of-hours": "59 45 0-3 * * *",
    "day": "0 30 1 1,15,31 * *",
    "weekday": "0 45 23 * * 1-5",
    "sunday": "0 0 2 * * 0",
    "month": "0 0 0 * 3,4,10,11 *",
    "day-of-month": "59 59 23 31 3,10 *",
}
WHOLE = {("Europe/Berlin", "point-in-time"), ("America/Santiago", "day"), ("Pacific/Apia", "day-of-month")}
"""What the tests try on every day of the ten years, not only around the changes."""
TALLY: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _tally() -> Iterator[None]:
    """Say what was tried, to whoever tries more."""
    yield
    if MORE:
        print(dict(TALLY))


def cron(text: str) -> Cron:
    parsed = parse(text)
    assert isinstance(parsed, Cron)
    return parsed


def local(text: str, zone: str) -> LocalCron:
    return LocalCron(cron(text), zone)


def calls(timer: Cron, first: datetime, end: datetime) -> Iterator[datetime]:
    """Every call of a timer in UTC, as the host makes them."""
    day = first
    while day < end:
        if day.day in timer.days and day.month in timer.months and day.isoweekday() % 7 in timer.weekdays:
            for hour in timer.hours:
                for minute in timer.minutes:
                    for second in timer.seconds:
                        yield day.replace(hour=hour, minute=minute, second=second)
        day += DAY


def check(spec: Spec, zone: str, first: datetime, end: datetime) -> None:
    """Drive every call of the registered timer through the decision, and compare its runs with the clock's."""
    schedule = Schedule(spec.text, spec.text, cron(spec.text), zone)
    found = schedule.local
    assert found is not None
    runs: list[datetime] = []
    last: datetime | None = None
    for number, call in enumerate(calls(schedule.registered, first, end)):
        now = call + timedelta(milliseconds=(300, -4000, 90_000)[number % 3] if len(spec.minutes) == 1 else 300)
        tick = tick_at(schedule, now, past_due=False, last=last)
        TALLY["calls"] += 1
        if tick.scheduled_for is None:
            assert not tick.ours, f"{call} is taken for a call by hand"
            continue
        if tick.again:
            # Within two minutes of an occurrence it is taken for a second delivery, and finds the run.
            assert tick.scheduled_for == runs[-1] < call
            continue
        assert tick.scheduled_for == call
        assert not tick.past_due
        runs.append(tick.scheduled_for)
        last = as_recorded(found, tick.scheduled_for)
    TALLY["runs"] += len(runs)
    assert runs == expected(spec, zone, first, end)


def as_recorded(found: LocalCron, at: datetime) -> datetime:
    """The local time as a record has it: with an offset, and without the rules."""
    shown = found.local(at)
    offset = shown.utcoffset()
    assert offset is not None
    return shown.replace(tzinfo=timezone(offset))


def midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0)


def around_changes(zone: str) -> list[tuple[datetime, datetime]]:
    """The days around each change; of a zone without any, around the turn of each year."""
    changes = [change.at for year in range(FIRST.year, END.year + 1) for change in timezones.changes(zone, year)]
    moments = [at for at in changes if FIRST < at < END] or [
        datetime(year, 1, 1, tzinfo=UTC) for year in range(FIRST.year + 1, END.year + 1)
    ]
    return [(midnight(at) - DAY, midnight(at) + 2 * DAY) for at in moments]


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("zone", ZONES)
def test_every_local_occurrence_makes_one_run_and_nothing_else_does(zone: str, kind: str) -> None:
    """For ten years, against a clock that is looked at every minute."""
    spec = spec_of(SCHEDULES[kind])
    if MORE or (zone, kind) in WHOLE:
        check(spec, zone, FIRST, END)
    else:
        for first, end in around_changes(zone):
            check(spec, zone, first, end)


some_numbers = st.one_of(
    st.sets(st.integers(0, 59), min_size=1, max_size=3),
    st.sampled_from([2, 5, 7, 15, 20]).map(lambda step: set(range(0, 60, step))),
)
some_hours = st.one_of(
    st.sets(st.integers(0, 23), min_size=1, max_size=3),
    st.sets(st.sampled_from([0, 1, 2, 3, 22, 23]), min_size=1, max_size=4),
    st.just(set(range(24))),
)
some_specs = st.builds(
    Spec,
    second=st.sampled_from([0, 1, 30, 59]),
    minutes=some_numbers.map(frozenset),
    hours=some_hours.map(frozenset),
    days=st.one_of(st.just(frozenset(range(1, 32))), st.frozensets(st.integers(1, 28), min_size=1)),
    months=st.one_of(st.just(frozenset(range(1, 13))), st.frozensets(st.integers(1, 12), min_size=6)),
    weekdays=st.one_of(st.just(frozenset(range(7))), st.frozensets(st.integers(0, 6), min_size=1)),
)
MOVING = [zone for zone in sorted(timezones.names()) if timezones.next_change(zone, FIRST) and "/" in zone]


@settings(
    max_examples=MORE or 25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(spec=some_specs, zone=st.sampled_from(MOVING), data=st.data())
def test_any_schedule_in_any_zone(spec: Spec, zone: str, data: st.DataObject) -> None:
    """Around a change of the clocks: the decision, and what is told to come next, agree with the clock."""
    first, end = data.draw(st.sampled_from(around_changes(zone)))
    check(spec, zone, first, end)
    found, coming = local(spec.text, zone), []
    following = found.next_after(first - timedelta(seconds=1))
    while following is not None and following < end:
        coming.append(following)
        following = found.next_after(following)
    assert coming == expected(spec, zone, first, end)
    for number in range(0, 3 * 24 * 60, 97):
        at = first + timedelta(minutes=number, seconds=number % 60)
        place = bisect_right(coming, at)
        assert found.next_after(at) == coming[place] if place < len(coming) else True
        assert found.latest_at(at) == coming[place - 1] if place else True
    TALLY["random schedules"] += 1


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_change_in_the_first_second_of_a_year(kind: str) -> None:
    """The turn of the year is no change of its own beside it; by UTC there was one in 1920."""
    spec, zone, first = spec_of(SCHEDULES[kind]), "America/Cambridge_Bay", datetime(1919, 12, 29, tzinfo=UTC)
    found, end = local(spec.text, zone), first + 6 * DAY
    wanted = expected(spec, zone, first, end)

    coming = []
    following = found.next_after(first - timedelta(seconds=1))
    while following is not None and following < end:
        coming.append(following)
        following = found.next_after(following)

    assert [change.at for change in timezones.changes(zone, 1920)][:1] == [datetime(1920, 1, 1, tzinfo=UTC)]
    assert coming == wanted
    assert [found.latest_at(each) for each in wanted] == wanted


def test_what_is_looked_for_from_within_the_shift() -> None:
    """Between the end of a gap and the shifted occurrence that one comes next; after it, what follows it."""
    found, opens = local("0 20,40 2 * * *", "Australia/Lord_Howe"), datetime(2027, 10, 2, 15, 30, tzinfo=UTC)
    shifted, before = opens + timedelta(minutes=20), opens - timedelta(hours=23, minutes=20)

    for minutes in range(20):
        assert found.next_after(opens + timedelta(minutes=minutes)) == shifted
        assert found.latest_at(opens + timedelta(minutes=minutes)) == before
    assert found.next_after(shifted) == shifted + timedelta(hours=23, minutes=30)
    assert found.latest_at(shifted + timedelta(minutes=1)) == shifted


class TestHostsExpectations:
    """The cases that Microsoft's own tests and a run of its code have settled (K14 to K16 in the facts)."""

    @pytest.mark.parametrize(
        ("text", "day", "runs"),
        [
            ("0 30 2 * * *", datetime(2026, 3, 8), ["03:30-04:00"]),  # noqa: DTZ001
            ("0 30 2,3 * * *", datetime(2026, 3, 8), ["03:30-04:00"]),  # noqa: DTZ001
            ("0 30 1-3 * * *", datetime(2026, 3, 8), ["01:30-05:00", "03:30-04:00"]),  # noqa: DTZ001
            ("0 0,30 2 * * *", datetime(2026, 3, 8), ["03:00-04:00"]),  # noqa: DTZ001
            ("0 30 1 * * *", datetime(2026, 11, 1), ["01:30-04:00"]),  # noqa: DTZ001
            ("0 30 */1 1 11 *", datetime(2026, 11, 1), ["00:30-04:00", "01:30-04:00", "01:30-05:00", "02:30-05:00"]),  # noqa: DTZ001
            ("0 15,45 1 * * *", datetime(2026, 11, 1), ["01:15-04:00", "01:45-04:00"]),  # noqa: DTZ001
            ("0 15,16 1 * * *", datetime(2026, 11, 1), ["01:15-04:00", "01:16-04:00", "01:15-05:00", "01:16-05:00"]),  # noqa: DTZ001
        ],
        ids=[
            "gap",
            "gap-meets-next",
            "gap-interval",
            "gap-two",
            "overlap",
            "overlap-hourly",
            "overlap-points",
            "overlap-range",
        ],
    )
    def test_new_york(self, text: str, day: datetime, runs: list[str]) -> None:
        found = local(text, "America/New_York")
        following = found.next_after(day.replace(hour=5, tzinfo=UTC) - timedelta(hours=1, seconds=1))
        coming: list[str] = []
        while following is not None and len(coming) < len(runs):
            coming.append(found.local(following).isoformat(timespec="minutes")[11:])
            following = found.next_after(following)

        assert coming == runs


class TestRegistered:
    """The timer in UTC: under every offset that the zone has from the year of the rules on."""

    @pytest.mark.parametrize(
        ("text", "zone", "timer", "beside"),
        [
            ("0 0 6 * * *", "Europe/Berlin", "0 0 4-5 * * *", 1),
            ("0 0 6 * * 1-5", "Europe/Berlin", "0 0 4-5 * * 1-5", 0.71),
            ("0 30 1 * * 1-5", "Europe/Berlin", "0 30 0,23 * * *", 1.29),
            ("0 0 6 * * *", "Asia/Kolkata", "0 30 0 * * *", 0),
            ("0 0 5 1 * *", "Asia/Kolkata", "0 30 23 * * *", 0.97),
            ("0 0 6 * * *", "Australia/Lord_Howe", "0 0,30 19 * * *", 1),
            ("0 */30 * * * *", "Australia/Lord_Howe", "0 0,30 * * * *", 0),
            ("0 */20 * * * *", "Australia/Lord_Howe", "0 0,10,20,30,40,50 * * * *", 72),
            ("59 59 23 31 12 *", "UTC", "59 59 23 31 12 *", 0),
            ("59 59 23 31 12 *", "America/New_York", "59 59 3-4 * * *", 2),
            ("0 30 6 * * *", "Antarctica/Troll", "0 30 4,6 * * *", 1),
        ],
    )
    def test_covers_every_offset(self, text: str, zone: str, timer: str, beside: float) -> None:
        """Day, month and weekday are given up only where a shift crosses midnight."""
        found = local(text, zone)

        assert str(registered(found)) == timer
        assert registered(found) == cron(timer)
        assert calls_beside(found) == pytest.approx(beside, abs=0.011)

    def test_covers_offsets_with_seconds(self) -> None:
        """No zone has any ahead, and if one had, no occurrence would be lost."""
        cases = [
            ("59 15 0 * * MON", -timedelta(minutes=44, seconds=30), "29 0 1 * * 1"),
            ("0 15 0 * * MON", timedelta(minutes=14, seconds=59), "1 0 0 * * 1"),
            ("0 15 0 * * MON", timedelta(minutes=15, seconds=1), "59 59 23 * * *"),
        ]
        for text, offset, timer in cases:
            assert covering(cron(text), [offset]) == cron(timer)

    @pytest.mark.parametrize("zone", ["Africa/Monrovia", "Asia/Kathmandu", "Europe/Dublin"])
    def test_offsets_of_the_past_do_not_count(self, zone: str) -> None:
        """Some had seconds."""
        assert all(offset % timedelta(minutes=15) == timedelta() for offset in timezones.offsets_ahead(zone))
        assert registered(local("0 0 12 * * *", zone)).seconds == (0,)


class TestThePast:
    """Offsets with seconds, a date that was left out, and the ends of the calendar."""

    def test_an_offset_with_seconds(self) -> None:
        """Monrovia was 44 minutes and 30 seconds behind until 7 January 1972, and has gone by UTC since."""
        found = local("0 0 6 * * *", "Africa/Monrovia")

        assert found.latest_at(datetime(1971, 12, 31, 12, tzinfo=UTC)) == datetime(1971, 12, 31, 6, 44, 30, tzinfo=UTC)
        assert found.next_after(datetime(1972, 1, 7, 6, tzinfo=UTC)) == datetime(1972, 1, 8, 6, tzinfo=UTC)

    def test_every_minute_over_a_change_by_seconds(self) -> None:
        """Each moment once, in order, and looking back finds what looking ahead has found."""
        found, latest = local("0 * * * * *", "Africa/Monrovia"), datetime(1972, 1, 7, 0, 40, 30, tzinfo=UTC)
        coming = []
        while (following := found.next_after(latest)) is not None and following.minute < 50:
            assert following > latest
            assert found.latest_at(following) == following
            assert found.latest_at(following - timedelta(seconds=1)) == latest
            coming.append(following.replace(tzinfo=None).isoformat()[11:])
            latest = following

        before = [f"00:{minute}:30" for minute in range(41, 45)]
        after = [f"00:{minute}:00" for minute in range(45, 50)]
        assert coming == before + after

    def test_a_date_that_was_left_out(self) -> None:
        """Apia went from 29 to 31 December 2011; what was due on the 30th ran a day later, as one."""
        found = local("0 0 6 * * *", "Pacific/Apia")
        before = datetime(2011, 12, 29, 16, tzinfo=UTC)

        assert shown_at("Pacific/Apia", before) == datetime(2011, 12, 29, 6)  # noqa: DTZ001
        assert found.next_after(before) == before + DAY
        assert shown_at("Pacific/Apia", before + DAY) == datetime(2011, 12, 31, 6)  # noqa: DTZ001

    def test_the_ends_of_the_calendar(self) -> None:
        """Nothing is found there, and nothing raises."""
        found = local("0 0 6 * * *", "America/New_York")

        assert found.latest_at(datetime(1, 1, 1, tzinfo=UTC)) is None
        assert found.next_after(datetime(9999, 12, 31, 23, tzinfo=UTC)) is None
        assert local("0 0 0 31 2 *", "Europe/Berlin").next_after(FIRST) is None
        assert local("0 0 0 31 2 *", "Europe/Berlin").latest_at(FIRST) is None

    def test_a_leap_day(self) -> None:
        """However far away."""
        found = local("0 30 0 29 2 *", "Europe/Berlin")

        assert found.next_after(FIRST) == datetime(2028, 2, 28, 23, 30, tzinfo=UTC)
        assert found.latest_at(FIRST) == datetime(2024, 2, 28, 23, 30, tzinfo=UTC)


class TestLessThanFiveSecondsApart:
    """59 and 0: a call names no occurrence, so of two within five seconds the later one runs, and never both twice."""

    def test_two_occurrences_a_second_apart(self) -> None:
        schedule = Schedule("", "", cron("0,59 0,59 5-6 * * *"), "Europe/Berlin")
        runs = Counter(
            tick_at(schedule, call + timedelta(milliseconds=100), past_due=False).scheduled_for
            for call in calls(schedule.registered, FIRST, FIRST + DAY)
        )
        runs.pop(None)

        shown = Counter({f"{shown_at('Europe/Berlin', at):%H:%M:%S}": number for at, number in runs.items() if at})
        assert set(shown) == {"05:00:00", "05:00:59", "05:59:00", "06:00:00", "06:00:59", "06:59:00", "06:59:59"}
        assert shown["06:00:00"] == 2  # by two calls, which have one id

    def test_the_59th_second(self) -> None:
        """A call that comes a little early, or after the minute has ended, is still for it."""
        schedule = Schedule("", "", cron("59 59 23 * * *"), "Europe/Berlin")
        at = datetime(2027, 6, 1, 21, 59, 59, tzinfo=UTC)

        for now in (at - EARLY, at, at + timedelta(seconds=1), at + FRESH):
            assert tick_at(schedule, now, past_due=False).scheduled_for == at
