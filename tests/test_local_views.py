"""Local views: what is said of the next change of the clocks."""

from datetime import UTC, datetime, timedelta

import pytest

from shared_code.local_schedules import LocalCron
from shared_code.local_times import Effect
from shared_code.local_views import clock_change, view_of, warnings_of
from shared_code.ncrontab import Cron, parse
from shared_code.timezones import next_change

AUTUMN, SPRING = datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)


def local(text: str, zone: str) -> LocalCron:
    cron = parse(text)
    assert isinstance(cron, Cron)
    return LocalCron(cron, zone)


@pytest.mark.parametrize(
    ("text", "zone", "now", "effect", "words"),
    [
        (
            "0 30 2 * * *",
            "Europe/Berlin",
            SPRING,
            Effect.SHIFTED,
            "02:30 does not exist on that day, and runs at 03:30",
        ),
        ("0 30 2 * * *", "Europe/Berlin", AUTUMN, Effect.ONCE, "02:30 comes twice, and runs once, the first time"),
        (
            "0 */30 * * * *",
            "Europe/Berlin",
            AUTUMN,
            Effect.BOTH,
            "02:00 comes twice, and runs both times, as the schedule is an interval",
        ),
        (
            "0 0 6 * * *",
            "Europe/Berlin",
            AUTUMN,
            Effect.NONE,
            "no occurrence is touched, and in UTC all come 1 h 0 min later from then on",
        ),
        (
            "0 0 6 * * *",
            "Australia/Lord_Howe",
            AUTUMN,
            Effect.NONE,
            "no occurrence is touched, and in UTC all come 30 min 0 s earlier from then on",
        ),
        (
            "15 30 2 * * SUN",
            "Europe/Berlin",
            SPRING,
            Effect.SHIFTED,
            "02:30:15 does not exist on that day, and runs at 03:30:15",
        ),
        (
            "0 0,30 2 * * *",
            "Europe/Berlin",
            SPRING,
            Effect.SHIFTED,
            "02:00 does not exist on that day, and runs at 03:00, and 02:30 not at all",
        ),
        (
            "0 20,40 2 * * *",
            "Australia/Lord_Howe",
            AUTUMN,
            Effect.SHIFTED,
            "02:20 does not exist on that day, and runs at 02:50, and 02:40 not at all",
        ),
        (
            "0 0 2,3 * * *",
            "Europe/Berlin",
            SPRING,
            Effect.SHIFTED,
            "02:00 does not exist on that day, and runs at 03:00",
        ),
        ("0 30 2 * * MON", "Europe/Berlin", SPRING, Effect.NONE, "no occurrence is touched"),
    ],
)
def test_the_next_change(text: str, zone: str, now: datetime, effect: Effect, words: str) -> None:
    """Whether an occurrence is shifted, runs once or both times, or is lost, as the host does it."""
    found, change = local(text, zone), next_change(zone, now)
    assert change is not None
    said = clock_change(found, change)

    assert (said.at, said.effect) == (change.at, effect)
    assert timedelta(minutes=said.minutes) == change.shift
    before, _, after = said.words.partition("; ")
    assert before.startswith("on 202")
    assert f" the clocks of {zone} go from " in before
    assert after == words or (text.endswith("MON") and after.startswith(words))


def test_no_change_ahead() -> None:
    said = view_of(local("0 0 6 * * *", "Asia/Kolkata"), SPRING, [SPRING])

    assert said.clock_change is None
    assert [at.isoformat() for at in said.next_runs] == ["2027-02-01T05:30:00+05:30"]


@pytest.mark.parametrize(
    ("text", "warned"),
    [("0 0 6 * * *", False), ("0 30 0 1 * *", False), ("0 0 * * * MON", False), ("0 */30 * * * MON", True)],
)
def test_many_calls_for_nothing(text: str, *, warned: bool) -> None:
    """More than one in an hour are worth a warning."""
    assert bool(warnings_of(local(text, "Europe/Berlin"))) is warned
