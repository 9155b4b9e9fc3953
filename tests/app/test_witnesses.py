"""The watchdog's second witness: the host notes its calls, and the watchdog asks for them in KQL over TLS."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devkit.local_host.process import HostProcess
from devkit.simulator import RequestRow, TraceRow
from devkit.simulator.logs import APP
from tests.app.conftest import Json, World, small_estate, start_run, wait_ended, wait_until, world_of

LISTED, AUDITED = "list-resource-groups", "tag-audit"


class Scene:
    """A host on a world where two jobs were due: one whose timer is called, and one whose timer never was."""

    def __init__(self, world: World, host: HostProcess, now: datetime) -> None:
        self.world = world
        self.host = host
        self.now = now

    def call(self, function: str) -> None:
        """Let the host call a function, and wait until its call is noted."""
        before = len(self.noted(function))
        assert self.host.trigger(function).status == 202
        wait_until(lambda: len(self.noted(function)) > before, f"the call of {function} in the request log")

    def noted(self, function: str) -> list[RequestRow]:
        """The calls of a function that the host has noted."""
        return [each for each in self.world.simulator.telemetry.requests if each.name == function]

    def lines(self, text: str) -> list[TraceRow]:
        """The lines of the log with a text that the host has passed on."""
        return [each for each in self.world.simulator.telemetry.traces if text in each.message]

    def report(self) -> Json:
        """Let the watchdog look now; its report."""
        run = start_run(self.host, job="watchdog")
        assert wait_ended(self.host, run)["status"] == "succeeded"
        report: Json = self.host.call("GET", f"/api/runs/{run}/report?format=json").json()
        return report

    def details(self) -> dict[str, str]:
        """What it says now of each job whose run is missed."""
        found = self.report()["findings"]
        assert {each["rule"] for each in found} <= {"missed-run"}
        return {each["resource_id"].removeprefix("jobs/"): each["detail"] for each in found}


@pytest.fixture(scope="module", name="scene")
def _scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    now = datetime.now(UTC).replace(microsecond=0)
    due, long_due = now - timedelta(seconds=10), now - timedelta(minutes=30)
    config = f"""
[jobs.{LISTED}]
schedule = "{_daily(due)}"
expect_within = "1s"
[jobs.{AUDITED}]
schedule = "{_daily(long_due)}"
expect_within = "1s"
[jobs.watchdog]
schedule = "0 0 5 1 1 *"
"""
    with world_of(tmp_path_factory.mktemp("witnesses"), small_estate(), config) as world:
        for job, moment in ((LISTED, due), (AUDITED, long_due)):
            _seen(world.store, job, _daily(moment), now - timedelta(days=3))
        with world.host() as host:
            yield Scene(world, host, now)


def _daily(moment: datetime) -> str:
    return f"{moment.second} {moment.minute} {moment.hour} * * *"


def _seen(store: Path, job: str, schedule: str, since: datetime) -> None:
    """Let the watchdog have seen a schedule before."""
    file = store / "schedules" / f"{job}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"schedule": schedule, "first_seen": since.isoformat()}))


def test_a_timer_that_was_called_and_left_no_record(scene: Scene) -> None:
    """The store has lost it, or is not the one the app wrote to: the platform did its part."""
    scene.call("list_resource_groups")
    (run,) = wait_until(scene.world.run_ids, "the record of the call")
    assert scene.world.ended(run)["trigger"] == "timer"
    assert LISTED not in scene.details()

    shutil.rmtree(scene.world.store / "runs" / run)

    told = scene.details()[LISTED]
    assert "there is no run for it; the request log has that list_resource_groups was called once, first at" in told
    assert told.endswith("and succeeded; the platform called, and the app left no record")


def test_a_timer_that_was_never_called(scene: Scene) -> None:
    """That nothing is noted counts only where the log holds what was before and after; other apps' calls do not."""
    due = scene.now - timedelta(minutes=30)
    scene.world.simulator.telemetry.add(RequestRow(time=due, name="tag_audit", app="func-other"))
    told = scene.details()[AUDITED]
    assert "there is no run for it; the request log has no call of tag_audit, which proves nothing: it holds" in told

    scene.world.simulator.telemetry.add(RequestRow(time=due - timedelta(minutes=20), name="watchdog", app=APP))

    assert scene.details()[AUDITED].endswith(
        "the request log has calls of the app, but none of tag_audit: the platform did not call it"
    )


def test_what_was_known_is_in_the_report_and_in_the_log(scene: Scene) -> None:
    """Of each job, whether anything is missed or not."""
    scene.world.simulator.telemetry.add(RequestRow(time=scene.now, name="watchdog", app=APP))
    report = scene.report()

    assert {each["job"]: each["witness"] for each in report["witnesses"]}.keys() == {LISTED, AUDITED}
    run = report["run"]["id"]
    (line,) = wait_until(lambda: scene.lines(f"run={run} job=watchdog evidence: "), "the line in the log")
    assert "2 occurrences judged by record and request log" in line.message
    assert (line.app, line.name, line.severity) == (APP, "run_worker", 1)
