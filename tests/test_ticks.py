"""Ticks: the occurrence that a timer call is for."""

from datetime import UTC, datetime, timedelta

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
