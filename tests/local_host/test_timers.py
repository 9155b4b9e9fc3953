from datetime import UTC, datetime, timedelta

import pytest

from devkit.local_host.functions import TimerTrigger
from devkit.local_host.schedule_status import ScheduleStatus
from devkit.local_host.timers import Start, after_run, check_at_start, is_monitored, pause_until, payload
from shared_code.ncrontab import parse

DAILY = parse("0 0 6 * * *")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def status(last: str | None, following: str | None, updated: str | None = None) -> ScheduleStatus:
    return ScheduleStatus(
        last=at(last) if last else None,
        next=at(following) if following else None,
        last_updated=at(updated or last or "2026-11-20T00:00:00"),
    )


# At the start


def test_a_new_timer_is_not_due() -> None:
    """Nothing is caught up for a time before the host first saw the schedule."""
    start = check_at_start(DAILY, None, at("2026-11-22T07:00:00"))

    assert start == Start(status(None, "2026-11-23T06:00:00", "2026-11-22T07:00:00"), past_due=False)


def test_a_missed_occurrence_is_past_due() -> None:
    """Once, however many were missed."""
    stored = status("2026-11-19T06:00:00", "2026-11-20T06:00:00")

    assert check_at_start(DAILY, stored, at("2026-11-22T07:00:00")) == Start(stored, past_due=True)


def test_a_timer_that_never_ran_can_be_past_due() -> None:
    """Its next occurrence follows from when it was first seen."""
    stored = status(None, "2026-11-21T06:00:00", "2026-11-20T09:00:00")

    assert check_at_start(DAILY, stored, at("2026-11-21T06:00:01")).past_due


@pytest.mark.parametrize("now", ["2026-11-20T05:59:59", "2026-11-20T06:00:00"])
def test_an_occurrence_to_come_is_not_past_due(now: str) -> None:
    """Past due is later than the occurrence, not at it."""
    stored = status("2026-11-19T06:00:00", "2026-11-20T06:00:00")

    assert check_at_start(DAILY, stored, at(now)) == Start(stored, past_due=False)


def test_a_changed_schedule_is_never_past_due() -> None:
    """The status of another schedule is recomputed: from the last run if that lies ahead, else from now."""
    stored = status("2026-11-19T06:00:00", "2026-11-20T06:00:00")

    assert check_at_start(parse("0 0 8 * * *"), stored, at("2026-11-19T07:00:00")) == Start(
        status(None, "2026-11-19T08:00:00", "2026-11-19T06:00:00"), past_due=False
    )
    assert check_at_start(parse("0 0 8 * * *"), stored, at("2026-11-22T07:00:00")) == Start(
        status(None, "2026-11-22T08:00:00", "2026-11-22T07:00:00"), past_due=False
    )


def test_a_schedule_that_never_comes_is_never_due() -> None:
    """31 February has no next occurrence; the host accepts it and stays silent."""
    never = parse("0 0 0 31 2 *")
    start = check_at_start(never, None, at("2026-11-22T07:00:00"))

    assert start.status.next is None
    assert not check_at_start(never, start.status, at("2036-11-22T07:00:00")).past_due


# After a run


def test_the_next_occurrence_follows_the_start_of_the_run() -> None:
    """A run that outlasts its interval has a next occurrence in the past: it is followed at once, by exactly one."""
    every_minute = parse("0 * * * * *")
    overrun = after_run(every_minute, status(None, "2026-11-22T06:00:00"), at("2026-11-22T06:00:00.2"), scheduled=True)
    assert overrun == status("2026-11-22T06:00:00.2", "2026-11-22T06:01:00")

    # The first took until 06:03:30; the one that follows at once starts then, and 06:02 and 06:03 are dropped.
    following = after_run(every_minute, overrun, at("2026-11-22T06:03:30"), scheduled=True)
    assert following.next == at("2026-11-22T06:04:00")


def test_an_early_call_counts_as_on_time() -> None:
    """Otherwise the same occurrence would come twice."""
    early = after_run(DAILY, status(None, "2026-11-22T06:00:00"), at("2026-11-22T05:59:59.990"), scheduled=True)

    assert early == status("2026-11-22T06:00:00", "2026-11-23T06:00:00")


def test_a_catch_up_call_counts_from_when_it_was_made() -> None:
    """It may be made long before the occurrence after it."""
    caught_up = after_run(
        DAILY, status("2026-11-19T06:00:00", "2026-11-20T06:00:00"), at("2026-11-22T05:00:00"), scheduled=False
    )

    assert caught_up == status("2026-11-22T05:00:00", "2026-11-22T06:00:00")


def test_an_interval_counts_from_the_start_of_the_run() -> None:
    """It drifts, as the host's does."""
    after = after_run(parse("00:05:00"), status(None, "2026-11-22T06:00:00"), at("2026-11-22T06:00:01"), scheduled=True)

    assert after.next == at("2026-11-22T06:05:01")


@pytest.mark.parametrize(
    ("schedule", "monitored"),
    [
        ("0 0 6 * * *", True),
        ("0 * * * * *", True),
        ("* 30 * * * *", True),
        ("*/10 * * * * *", False),
        ("0,30 * * * * *", False),
        ("* * * * *", True),
        ("00:00:59", False),
        ("00:01:00", True),
    ],
)
def test_frequent_timers_are_not_monitored(schedule: str, monitored: bool) -> None:
    """More often than once a minute: no status, so never past due."""
    assert is_monitored(TimerTrigger("timer", parse(schedule))) is monitored
    assert not is_monitored(TimerTrigger("timer", parse(schedule), use_monitor=False))


# What the function sees


def test_the_payload_is_the_hosts() -> None:
    """Unknown times are .NET's default, never is its greatest."""
    trigger = TimerTrigger("timer", DAILY)

    assert payload(trigger, status(None, None, "2026-11-22T07:00:00"), past_due=True) == {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": {
            "Last": "0001-01-01T00:00:00+00:00",
            "Next": "9999-12-31T23:59:59+00:00",
            "LastUpdated": "2026-11-22T07:00:00+00:00",
        },
        "IsPastDue": True,
    }
    assert payload(TimerTrigger("timer", parse("00:00:30")), None, past_due=False) == {
        "Schedule": {"AdjustForDST": False},
        "ScheduleStatus": None,
        "IsPastDue": False,
    }


@pytest.mark.parametrize(
    ("occurrence", "seconds"),
    [("2026-11-22T06:00:05", 5.0), ("2026-11-22T05:00:00", 0.0), ("2026-11-23T06:00:00", 30.0), (None, 30.0)],
    ids=["soon", "past", "far", "never"],
)
def test_the_clock_is_looked_at_again(occurrence: str | None, seconds: float) -> None:
    """A machine may sleep, or have its clock set."""
    moment = at(occurrence) if occurrence else None

    assert pause_until(moment, at("2026-11-22T06:00:00"), timedelta(seconds=30)) == seconds
