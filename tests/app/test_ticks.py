"""Around ticks: hosts that were down, killed or redeployed, and each occurrence still makes one run."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devkit.local_host.process import HostProcess
from devkit.local_host.schedule_status import ScheduleStatus, ScheduleStatuses
from shared_code.runs import run_id
from tests.app.conftest import JOB, World, wait_until

DUE = (datetime.now(UTC) - timedelta(hours=3)).replace(second=0, microsecond=0)
"""Today's occurrence of the schedule below, three hours ago."""
DAILY = f"0 {DUE.minute} {DUE.hour} * * *"
CONFIG = f'[jobs.{JOB}]\nschedule = "{DAILY}"\n[jobs.watchdog]\nschedule = "0 0 5 1 1 *"\n'
LONG_AGO = DUE - timedelta(days=30)


@pytest.fixture
def world(small: World) -> World:
    small.config.write_text(CONFIG)
    return small


def seen_since(world: World, moment: datetime) -> None:
    """Let Steward have seen the schedule since that moment."""
    path = world.store / "schedules" / f"{JOB}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schedule": DAILY, "first_seen": moment.isoformat()}))


def host_was_down(world: World) -> None:
    """Let the host remember that it last called the timer the day before, and was to call it when it was due."""
    folder = world.folder / "state" / "timers"
    folder.mkdir(parents=True, exist_ok=True)
    last = DUE - timedelta(days=1)
    status = ScheduleStatus(last=last, next=DUE, last_updated=last)
    ScheduleStatuses(folder).save("list_resource_groups", status)


def called(host: HostProcess) -> bool:
    """Tell whether the timer was called and has returned."""
    return "[list_resource_groups" in host.log and "Succeeded" in host.log.split("[list_resource_groups", 1)[1]


def test_a_missed_occurrence_is_caught_up_once(world: World) -> None:
    """One run for the latest missed occurrence, marked past due; a second start makes no second one."""
    seen_since(world, LONG_AGO)
    host_was_down(world)
    with world.host() as host:
        run = wait_until(world.run_ids, "the run that was missed")[0]
        record = world.ended(run)
        assert called(host)

    assert run == run_id(JOB, DUE, occurrence=True)
    assert (record["status"], record["trigger"], record["past_due"]) == ("succeeded", "timer", True)
    assert datetime.fromisoformat(record["scheduled_for"]) == DUE

    with world.host() as host:
        wait_until(lambda: "[watchdog" in host.log, "the sweep")
    assert world.run_ids() == [run]


def test_a_host_killed_before_it_noted_its_call_makes_no_second_run(world: World) -> None:
    """It calls again for the same occurrence, whose run is known."""
    seen_since(world, LONG_AGO)
    host_was_down(world)
    with world.host() as host:
        run = wait_until(world.run_ids, "the run that was missed")[0]
        world.ended(run)
        host.kill()
    host_was_down(world)

    with world.host() as host:
        wait_until(lambda: called(host), "the second call")

    assert world.run_ids() == [run]
    assert world.record(run)["attempt"] == 1


def test_nothing_runs_for_a_time_before_the_schedule_was_first_seen(world: World) -> None:
    """A host that says past due for a schedule that is new to Steward starts nothing."""
    host_was_down(world)

    with world.host() as host:
        wait_until(lambda: called(host), "the call")

        assert "past due since before its schedule was first seen; nothing runs for that" in host.log
    assert world.run_ids() == []


def test_the_watchdog_of_a_started_host_finds_what_was_missed(world: World) -> None:
    """Also where the host itself remembers nothing, as after a move to another host id."""
    seen_since(world, LONG_AGO)

    with world.host() as host:
        run = wait_until(lambda: world.run_ids("watchdog"), "the watchdog")[0]
        record = world.ended(run)
        log = host.log

    assert record["counts"]["missed_runs"] == 1
    finding = json.loads((world.store / "runs" / run / "findings.ndjson").read_text())
    assert (finding["rule"], finding["resource_id"]) == ("missed-run", f"jobs/{JOB}")
    due = DUE.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert f"rule=missed-run {JOB} was due at {due} and has not ended within 1 h 0 min" in log
    assert Path(world.store / "ledger" / "watchdog.ndjson").stat().st_size > 0
