import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from devkit.local_host.schedule_status import ScheduleStatus, ScheduleStatuses
from tests.local_host.sample_host import run_sample, wait_for_log

EVERY_SECOND = {"SAMPLE_TICK": "*/1 * * * * *"}


def store_status(folder: Path, function: str, *, last: datetime, following: datetime) -> None:
    ScheduleStatuses(folder / "state" / "timers").save(
        function, ScheduleStatus(last=last, next=following, last_updated=last)
    )


def test_a_timer_is_called_at_its_occurrences(tmp_path: Path) -> None:
    """Each second, within the second; so frequent a timer is not monitored and sees no status."""
    with run_sample(tmp_path, settings=EVERY_SECOND) as sample:
        lines = sample.journal.wait("tick", 2)

    assert [line["at"] % 1 < 0.9 for line in lines] == [True] * len(lines)
    assert round(lines[1]["at"] - lines[0]["at"]) == 1
    assert (lines[0]["past_due"], lines[0]["status"]) == (False, {})
    assert not (tmp_path / "state" / "timers" / "tick.json").exists()


def test_calls_of_one_timer_do_not_overlap(tmp_path: Path) -> None:
    """A call that takes longer than the interval is followed at once by one more."""
    with run_sample(tmp_path, settings={**EVERY_SECOND, "SAMPLE_TICK_TAKES": "1.3"}) as sample:
        first, second, third = sample.journal.wait("tick", 3)[:3]

    assert 1.3 <= second["at"] - first["at"] < 1.9
    assert 1.3 <= third["at"] - second["at"] < 1.9


def test_a_missed_occurrence_is_caught_up_once(tmp_path: Path) -> None:
    """However many were missed, it is one call that says so; the status is written after it."""
    today = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0)
    store_status(tmp_path, "tick", last=today - timedelta(days=9), following=today - timedelta(days=8))

    with run_sample(tmp_path) as sample:
        (line,) = sample.journal.wait("tick")
        wait_for_log(sample.host, "one call for all that was missed")
        sample.host.stop()
        status = json.loads((tmp_path / "state" / "timers" / "tick.json").read_text())

    assert line["past_due"] is True
    assert line["status"]["Next"] == (today - timedelta(days=8)).isoformat()
    assert datetime.fromisoformat(status["Last"]) > datetime.now(UTC) - timedelta(minutes=1)
    assert datetime.fromisoformat(status["Next"]) > datetime.now(UTC)

    with run_sample(tmp_path) as sample:
        sample.host.stop()
        assert len(sample.journal.lines("tick")) == 1


def test_a_killed_call_is_made_again(tmp_path: Path) -> None:
    """The status is written after a call, so a timer that was killed during it is past due still."""
    today = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0)
    store_status(tmp_path, "tick", last=today - timedelta(days=2), following=today - timedelta(days=1))

    with run_sample(tmp_path, settings={"SAMPLE_TICK_TAKES": "30"}) as sample:
        sample.journal.wait("tick")
        sample.host.kill()

    with run_sample(tmp_path) as sample:
        lines = sample.journal.wait("tick", 2)

    assert [line["past_due"] for line in lines] == [True, True]


def test_a_changed_schedule_is_not_caught_up(tmp_path: Path) -> None:
    """The status of the old schedule says nothing about the new one."""
    today = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0)
    store_status(tmp_path, "tick", last=today - timedelta(days=9), following=today - timedelta(days=8))

    with run_sample(tmp_path, settings={"SAMPLE_TICK": "0 30 4 * * *"}) as sample:
        sample.host.stop()
        assert sample.journal.lines("tick") == []


def test_a_failing_timer_is_not_called_again(tmp_path: Path) -> None:
    """A call that raised is done; the next is at the next occurrence."""
    today = datetime.now(UTC).replace(hour=5, minute=0, second=0, microsecond=0)
    store_status(tmp_path, "failing_timer", last=today - timedelta(days=2), following=today - timedelta(days=1))

    with run_sample(tmp_path) as sample:
        wait_for_log(sample.host, "the timer failed")
        sample.host.stop()
    with run_sample(tmp_path) as sample:
        sample.host.stop()
        assert len(sample.journal.lines("failing_timer")) == 1


def test_no_timers_means_no_timers(tmp_path: Path) -> None:
    """They can still be called by hand."""
    with run_sample(tmp_path, settings=EVERY_SECOND, arguments=("--no-timers", "--no-sweep")) as sample:
        time.sleep(1.1)
        assert sample.journal.lines("tick") == []
        sample.host.trigger("tick")
        assert len(sample.journal.wait("tick")) == 1


def test_the_watchdog_is_called_at_start(tmp_path: Path) -> None:
    """Once, as if by hand: not past due, and its status stays as it is."""
    with run_sample(tmp_path, arguments=("--sweep",)) as sample:
        (line,) = sample.journal.wait("watchdog")
        assert line["past_due"] is False
        assert line["status"]["Last"].startswith("0001-01-01")
        assert "Called: sweep at start" in sample.host.log


def test_a_past_due_watchdog_is_not_swept_twice(tmp_path: Path) -> None:
    """Its catch-up call is the sweep."""
    today = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0)
    store_status(tmp_path, "watchdog", last=today - timedelta(days=2), following=today - timedelta(days=1))

    with run_sample(tmp_path, arguments=("--sweep",)) as sample:
        sample.journal.wait("watchdog")
        sample.host.stop()
        assert [line["past_due"] for line in sample.journal.lines("watchdog")] == [True]
