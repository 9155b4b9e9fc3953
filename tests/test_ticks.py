"""Ticks: the occurrence that a timer call is for."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.ncrontab import Cron, parse
from shared_code.schedules import Schedule
from shared_code.ticks import EARLY, FRESH, Tick, tick_at
from tests.fakes import NOW


def cron(text: str) -> Cron:
    parsed = parse(text)
    assert isinstance(parsed, Cron)
    return parsed


def daily() -> Schedule:
    return Schedule("0 0 6 * * *", "0 0 6 * * *", cron("0 0 6 * * *"))


class TestTick:
    """A timer call does not name its occurrence; it is the latest one up to 5 seconds from now."""

    DAILY = daily()

    @pytest.mark.parametrize(
        ("after", "past_due", "expected"),
        [
            (timedelta(), False, Tick(NOW, past_due=False)),
            (timedelta(milliseconds=400), False, Tick(NOW, past_due=False)),
            (-EARLY, False, Tick(NOW, past_due=False)),
            (-EARLY - timedelta(milliseconds=1), False, Tick(None, past_due=False)),
            (FRESH, False, Tick(NOW, past_due=False)),
            (FRESH + timedelta(milliseconds=1), False, Tick(None, past_due=False)),
            (timedelta(hours=7), False, Tick(None, past_due=False)),
            (timedelta(hours=7), True, Tick(NOW, past_due=True)),
            (timedelta(seconds=1), True, Tick(NOW, past_due=True)),
            (timedelta(hours=24) - EARLY, True, Tick(NOW + timedelta(days=1), past_due=True)),
        ],
        ids=[
            "on-time",
            "a-little-late",
            "five-seconds-early",
            "earlier",
            "two-minutes-late",
            "later-is-by-hand",
            "by-hand",
            "past-due",
            "past-due-at-once",
            "past-due-almost-next",
        ],
    )
    def test_is_the_latest_occurrence_or_by_hand(self, after: timedelta, past_due: bool, expected: Tick) -> None:
        assert tick_at(self.DAILY, NOW + after, past_due=past_due) == expected

    def test_two_deliveries_of_one_tick_are_one_occurrence(self) -> None:
        """The second comes a minute later, and is for the same occurrence, not for a run by hand."""
        first = tick_at(self.DAILY, NOW, past_due=False)
        second = tick_at(self.DAILY, NOW + timedelta(minutes=1), past_due=False)

        assert first == second

    @pytest.mark.parametrize("past_due", [False, True])
    def test_before_the_first_occurrence_of_all_is_by_hand(self, past_due: bool) -> None:
        leap = Schedule("0 0 0 29 2 *", "0 0 0 29 2 *", cron("0 0 0 29 2 *"))

        assert tick_at(leap, datetime(1, 1, 1, tzinfo=UTC), past_due=past_due) == Tick(None, past_due=False)

    @given(
        at=some.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=some.just(UTC)),  # noqa: DTZ001
        past_due=some.booleans(),
    )
    def test_names_an_occurrence_of_the_schedule_and_none_of_the_future(self, at: datetime, past_due: bool) -> None:
        tick = tick_at(self.DAILY, at, past_due=past_due)

        if tick.scheduled_for is None:
            assert not tick.past_due
            return
        assert tick.scheduled_for <= at + EARLY
        assert tick.past_due is past_due
        assert self.DAILY.upcoming(tick.scheduled_for - timedelta(seconds=1), 1) == [tick.scheduled_for]
        assert past_due or at - tick.scheduled_for <= FRESH


BERLIN = Schedule("0 0 6 * * *", "0 0 6 * * *", cron("0 0 6 * * *"), "Europe/Berlin")
"""Its timer is `0 0 4-5 * * *`: at 05:00Z in winter, at 04:00Z in summer."""
WINTER = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
SUMMER = datetime(2027, 7, 1, 4, 0, tzinfo=UTC)
CEST = timezone(timedelta(hours=2))
NOT_OURS, BY_HAND = Tick(None, past_due=False, ours=False), Tick(None, past_due=False)


def shown(at: datetime, hours: int) -> datetime:
    """An occurrence as a record has it, with the offset of the rules of that time."""
    return at.astimezone(timezone(timedelta(hours=hours)))


class TestLocalTick:
    """A timer in UTC calls more often than a schedule in local time has occurrences."""

    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            (WINTER, Tick(WINTER, past_due=False)),
            (WINTER - EARLY, Tick(WINTER, past_due=False)),
            (WINTER + FRESH, Tick(WINTER, past_due=False)),
            (WINTER - timedelta(hours=1), NOT_OURS),
            (WINTER - timedelta(hours=1) + FRESH, NOT_OURS),
            (WINTER - timedelta(hours=1) - EARLY, NOT_OURS),
            (SUMMER, Tick(SUMMER, past_due=False)),
            (SUMMER + timedelta(hours=1), NOT_OURS),
            (WINTER + FRESH + timedelta(milliseconds=1), BY_HAND),
            (WINTER - timedelta(hours=1) + FRESH + timedelta(milliseconds=1), BY_HAND),
            (WINTER + timedelta(hours=9), BY_HAND),
        ],
    )
    def test_is_requested_or_not_ours_or_by_hand(self, now: datetime, expected: Tick) -> None:
        assert tick_at(BERLIN, now, past_due=False) == expected

    def test_past_due_is_for_what_is_later_than_the_last_one_seen(self) -> None:
        now = WINTER + timedelta(hours=3)

        assert tick_at(BERLIN, now, past_due=True) == Tick(WINTER, past_due=True)
        yesterday = shown(WINTER - timedelta(days=1), 1)
        assert tick_at(BERLIN, now, past_due=True, last=yesterday) == Tick(WINTER, past_due=True)

    def test_past_due_for_a_call_that_was_not_ours_is_no_call_by_hand(self) -> None:
        """The host was down at 04:00Z only, and says past due when it starts."""
        now = WINTER - timedelta(minutes=20)
        yesterday = WINTER - timedelta(days=1)

        assert tick_at(BERLIN, now, past_due=True, last=shown(yesterday, 1)) == Tick(
            yesterday, past_due=True, again=True
        )

    def test_what_was_asked_for_is_not_asked_for_again(self) -> None:
        """A second delivery names the occurrence, so that its run is found."""
        assert tick_at(BERLIN, WINTER, past_due=False, last=shown(WINTER, 1)) == Tick(
            WINTER, past_due=False, again=True
        )
        assert tick_at(BERLIN, WINTER, past_due=True, last=shown(WINTER, 1)) == Tick(WINTER, past_due=True, again=True)


class TestChangedRules:
    """An update of tzdata moves what is to come, and a time of day that has run does not run again."""

    def test_the_same_time_of_day_comes_later(self) -> None:
        """It ran at 06:00+02:00; by the new rules 06:00 is an hour later."""
        last = datetime(2026, 11, 23, 6, tzinfo=CEST)

        assert tick_at(BERLIN, WINTER, past_due=False, last=last) == NOT_OURS
        assert tick_at(BERLIN, WINTER + timedelta(hours=5), past_due=True, last=last) == NOT_OURS
        tomorrow = WINTER + timedelta(days=1)
        assert tick_at(BERLIN, tomorrow, past_due=False, last=last) == Tick(tomorrow, past_due=False)

    def test_the_same_time_of_day_came_earlier(self) -> None:
        """It ran at 06:00 without an offset; by the new rules 06:00 was an hour before."""
        last = datetime(2026, 11, 23, 6, tzinfo=UTC)

        assert tick_at(BERLIN, last + timedelta(minutes=1), past_due=True, last=last) == NOT_OURS
        tomorrow = WINTER + timedelta(days=1)
        assert tick_at(BERLIN, tomorrow, past_due=False, last=last) == Tick(tomorrow, past_due=False)

    def test_an_interval_waits_for_times_of_day_that_are_new(self) -> None:
        """It ran at 05:40 by the old rules, so 05:00 to 05:40 by the new ones have run."""
        interval = Schedule("", "", cron("0 */20 * * * *"), "Europe/Berlin")
        last = datetime(2026, 11, 23, 5, 40, tzinfo=CEST)  # 03:40Z, and 05:40 is 04:40Z now

        ran = [
            call
            for call in (
                datetime(2026, 11, 23, 3, 40, tzinfo=UTC) + number * timedelta(minutes=20) for number in range(1, 6)
            )
            if tick_at(interval, call, past_due=False, last=last).scheduled_for == call
        ]
        assert ran == [datetime(2026, 11, 23, 5, minute, tzinfo=UTC) for minute in (0, 20)]

    @pytest.mark.parametrize("hours", [1, 2])
    def test_both_passes_of_an_hour_that_comes_twice_are_new(self, hours: int) -> None:
        """The offset tells them apart."""
        interval = Schedule("", "", cron("0 */20 * * * *"), "Europe/Berlin")
        last = datetime(2026, 10, 25, 2, 0, tzinfo=timezone(timedelta(hours=hours)))
        following = last.astimezone(UTC) + timedelta(minutes=20)

        assert tick_at(interval, following, past_due=False, last=last) == Tick(following, past_due=False)
