"""Runs through the whole app: however they are started, one at a time, and always with an end."""

import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devkit.local_host.process import HostProcess
from devkit.simulator import Estate, Fault, ResourceGroup, Subscription, load_estate
from shared_code.runs import run_id
from tests.app.conftest import (
    JOB,
    ROOT,
    RUNS,
    UNCHANGED,
    YEARLY,
    Json,
    World,
    start_run,
    subscription_id,
    wait_ended,
    wait_until,
    world_of,
)

EVERY_TWO_SECONDS = '[jobs.list-resource-groups]\nschedule = "*/2 * * * * *"\n'


@pytest.fixture(scope="module")
def key_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, HostProcess]]:
    """A host for the tests of Idempotency-Key."""
    with world_of(tmp_path_factory.mktemp("keys"), load_estate("demo")) as world, world.host() as host:
        yield world, host


def slow(world: World, seconds: float) -> None:
    """Let every list of resource groups take a while."""
    world.simulator.faults.add(Fault(route="resource-groups", kind="delay", delay=seconds, times=None))


def expected_groups(estate: Estate) -> list[Json]:
    """Give what a listing of an estate must find, in id order, worked out from the estate alone."""
    found = [
        {
            "id": group.id,
            "name": group.name,
            "subscription_id": subscription.id,
            "subscription_name": subscription.name,
            "location": group.location,
            "tags": group.tags or {},
            "managed_by": group.managed_by or None,
            "provisioning_state": group.provisioning_state,
            "created": f"{str(group.created_time)[:26]}Z",
            "resources": len(group.resources),
            "resource_types": types_in(group),
            "locks": locks_for(group, subscription),
        }
        for subscription in estate.subscriptions
        if subscription.state == "Enabled"
        for group in subscription.resource_groups
    ]
    return sorted(found, key=lambda group: str(group["id"]).casefold())


def types_in(group: ResourceGroup) -> dict[str, int]:
    """Count the resources by type; of the spellings of one type the first in the alphabet stands."""
    spelled: dict[str, list[str]] = {}
    for resource in group.resources:
        spelled.setdefault(resource.type.lower(), []).append(resource.type)
    return {min(names): len(names) for names in spelled.values()}


def locks_for(group: ResourceGroup, subscription: Subscription) -> list[Json]:
    """Give the locks at a group, above it and below it, in the order of their ids."""
    own = group.id.lower().split("/")
    return [
        {"id": lock.id, "name": lock.name, "level": lock.level, "scope": lock.scope, "notes": lock.notes or None}
        for lock in sorted(subscription.locks, key=lambda lock: lock.id.lower())
        if all(one == other for one, other in zip(own, lock.scope.lower().split("/"), strict=False))
    ]


def runs_by(world: World, trigger: str) -> list[str]:
    """Give the ids of the runs that were started so."""
    return [run for run in world.run_ids() if world.record(run)["trigger"] == trigger]


class TestSameGroups:
    """The timer, the POST and the terminal find the same."""

    def test_timer_post_and_terminal(self, demo: World) -> None:
        """All three leave the same lines, and these are the estate's; a tick's id is derived from its occurrence."""
        demo.config.write_text(EVERY_TWO_SECONDS)
        with demo.host():
            ticked = wait_until(lambda: demo.run_ids()[:1], "a tick")[0]
            by_timer = demo.ended(ticked)
        demo.config.write_text(YEARLY)
        with demo.host() as host:
            by_post = wait_ended(host, start_run(host))
            assert host.trigger("list_resource_groups").status == 202
            by_hand = wait_until(
                lambda: [run for run in demo.run_ids() if demo.record(run)["trigger"] == "admin"], "it"
            )
            by_admin = demo.ended(by_hand[0])
        in_terminal = demo.steward("run", JOB, "--json").json()

        occurrence = datetime.fromisoformat(by_timer["scheduled_for"])
        assert by_timer["id"] == run_id(JOB, occurrence, occurrence=True)
        assert occurrence.second % 2 == 0
        assert by_timer["past_due"] is False
        runs = [by_timer, by_post, by_admin, in_terminal]
        assert [run["trigger"] for run in runs] == ["timer", "http", "admin", "cli"]
        assert [run["scheduled_for"] is None for run in runs] == [False, True, True, True]
        assert [run["status"] for run in runs] == ["succeeded"] * 4
        for run in runs:
            assert demo.groups(run["id"]) == expected_groups(demo.simulator.estate)
            assert run["counts"] == by_timer["counts"] | ({} if run is by_timer else UNCHANGED)

    def test_one_run_for_each_tick(self, demo: World) -> None:
        """The same occurrence is never run twice, also over a restart, and consecutive ticks are consecutive runs."""
        demo.config.write_text(EVERY_TWO_SECONDS)
        with demo.host():
            wait_until(lambda: len(demo.run_ids()) >= 2, "two ticks")
        with demo.host():
            wait_until(lambda: len(demo.run_ids()) >= 3, "one more tick")

        occurrences = [demo.record(run)["scheduled_for"] for run in demo.run_ids() if demo.record(run)["scheduled_for"]]
        times = [datetime.fromisoformat(occurrence) for occurrence in occurrences]
        assert len(set(times)) == len(times) == len(demo.run_ids())
        assert times[1] - times[0] == timedelta(seconds=2)

    def test_calls_by_hand(self, demo: World) -> None:
        """Two calls by hand make two runs: neither stands for an occurrence."""
        with demo.host() as host:
            host.trigger("list_resource_groups")
            host.trigger("list_resource_groups")
            wait_until(lambda: len(demo.run_ids()) == 2, "two runs")
            records = [demo.ended(run) for run in demo.run_ids()]

        assert [record["trigger"] for record in records] == ["admin", "admin"]


class TestOneAtATime:
    """One run of a job at a time; the others wait and lose nothing."""

    def test_the_second_waits(self, small: World) -> None:
        """While the first run reads, the second one is queued; it runs when the first has ended."""
        slow(small, 0.7)
        with small.host() as host:
            first, second = start_run(host), start_run(host)
            wait_until(lambda: small.record(first)["status"] == "running", "the first run")
            waiting = small.record(second)["status"]
            records = [wait_ended(host, first), wait_ended(host, second)]

        assert waiting == "queued"
        assert [record["status"] for record in records] == ["succeeded"] * 2
        assert [record["attempt"] for record in records] == [1, 1]
        earlier, later = sorted(records, key=lambda record: str(record["started"]))
        assert earlier["ended"] <= later["started"]
        assert small.reads(subscription_id(1)) == 2

    def test_a_terminal_does_not_wait(self, small: World) -> None:
        """`steward run` says which run is under way and ends with 4; its own run is refused, and never runs later."""
        slow(small, 1.5)
        with small.host() as host:
            first = start_run(host)
            wait_until(lambda: small.record(first)["status"] == "running", "the first run")
            done = small.steward("run", JOB, "--json")
            wait_ended(host, first)
            time.sleep(0.3)

        refused = small.record(done.json()["id"])
        assert done.code == 4
        assert refused["status"] == "refused"
        assert refused["error"] == (
            f"Run {first} of this job is under way; wait for it, or cancel it with 'steward cancel {first}'."
        )
        assert small.reads(subscription_id(1)) == 1

    def test_another_job_runs_meanwhile(self, small: World) -> None:
        """The lock is the job's: a run in a terminal does not keep the watchdog of the app waiting."""
        slow(small, 2.0)
        with small.host() as host, small.start_steward("run", JOB, "--json") as process:
            wait_until(small.run_ids, "the run of the terminal")
            watchdog = host.call("POST", "/api/jobs/watchdog/runs").json()["id"]
            ended = wait_ended(host, watchdog, patience=1.5)
            still_going = process.poll() is None
            process.communicate()

        assert (ended["status"], still_going, process.returncode) == ("succeeded", True, 0)


class TestCancel:
    """`POST runs/{run}/cancel` and `steward cancel`."""

    def test_queued_running_and_ended(self, small: World) -> None:
        """A queued run ends at once (200), a running one at a checkpoint (202), an ended one not at all (409)."""
        slow(small, 1.0)
        with small.host() as host:
            first, second = start_run(host), start_run(host)
            wait_until(lambda: small.record(first)["status"] == "running", "the first run")
            queued = host.call("POST", f"/api/runs/{second}/cancel")
            running = host.call("POST", f"/api/runs/{first}/cancel")
            record = wait_ended(host, first)
            again = host.call("POST", f"/api/runs/{first}/cancel")

        assert (queued.status, queued.json()["status"]) == (200, "cancelled")
        assert queued.json()["error"] == "Cancelled before it started."
        assert running.status == 202
        assert (record["status"], record["error"], record["outputs"]) == ("cancelled", "Cancelled while it ran.", [])
        assert (again.status, again.json()["detail"]) == (
            409,
            f"Run '{first}' has ended (cancelled), so there is nothing to cancel.",
        )
        assert small.record(second)["started"] is None

    def test_from_a_terminal(self, small: World) -> None:
        """`steward cancel` stops a run of the app, and the report of a run that goes on is refused."""
        slow(small, 1.0)
        with small.host() as host:
            run = start_run(host)
            wait_until(lambda: small.record(run)["status"] == "running", "the run")
            report = host.call("GET", f"/api/runs/{run}/report")
            done = small.steward("cancel", run)
            record = wait_ended(host, run)

        assert (report.status, report.json()["detail"]) == (
            409,
            f"Run '{run}' is running; its report is there when it has ended.",
        )
        assert done == (0, f"{run} stops at its next checkpoint; 'steward show {run}' tells when it has.\n", "")
        assert record["status"] == "cancelled"


class TestShow:
    """`steward show` of a run that somebody else performs."""

    def test_how_far_it_is(self, small: World) -> None:
        """How much is done, for how long it is at it, and about how much longer; nothing of that when it has ended."""
        slow(small, 2.0)
        with small.host() as host:
            run = start_run(host)
            wait_until(lambda: small.record(run)["progress"], "progress")
            under_way = small.steward("show", run)
            wait_ended(host, run)
            ended = small.steward("show", run)

        left = r"(, about \d+(\.\d)? s left)?"
        found = re.search(
            rf"^  progress +\d of 6 subscriptions \(\d+ %\), for \d+(\.\d)? s{left}$", under_way.out, re.MULTILINE
        )
        assert (under_way.code, under_way.err) == (0, "")
        assert under_way.out.startswith(f"{run}  running\n")
        assert found, under_way.out
        assert "progress" not in ended.out


class TestIdempotencyKey:
    """The same key with the same wish is one run."""

    def test_twenty_at_once(self, key_host: tuple[World, HostProcess]) -> None:
        """Twenty callers with one key get one run, which is performed once."""
        world, host = key_host
        with ThreadPoolExecutor(20) as pool:
            asked = [
                pool.submit(host.call, "POST", RUNS, {}, headers={"Idempotency-Key": "deploy-42"}) for _ in range(20)
            ]
        replies = [each.result() for each in asked]

        runs = {reply.json()["id"] for reply in replies}
        assert {reply.status for reply in replies} == {202}
        assert len(runs) == 1
        run = runs.pop()
        assert wait_ended(host, run)["attempt"] == 1
        later = host.call("POST", RUNS, {"mode": "plan"}, headers={"Idempotency-Key": "deploy-42"})
        assert (later.status, later.json()["id"], later.json()["status"]) == (202, run, "succeeded")
        assert world.run_ids() == [run]
        assert world.reads(load_estate("demo").subscriptions[0].id) == 1

    def test_another_wish(self, key_host: tuple[World, HostProcess]) -> None:
        """Another body under the same key is 422; the same key for another job is another key."""
        _, host = key_host
        given = {"Idempotency-Key": "deploy-43"}
        body = {"scope": {"subscriptions": [load_estate("demo").subscriptions[1].id]}}
        first = host.call("POST", RUNS, body, headers=given)
        other = host.call("POST", RUNS, {}, headers=given)
        watchdog = host.call("POST", "/api/jobs/watchdog/runs", headers=given)

        wait_ended(host, first.json()["id"])
        assert (other.status, other.headers["content-type"]) == (422, "application/problem+json")
        assert (
            other.json()["detail"]
            == "Idempotency-Key 'deploy-43' was used for another body; use a new key for a new run."
        )
        assert watchdog.status == 202

    @pytest.mark.parametrize("key", ["", " ", "k" * 256, "tab\tbed"], ids=["empty", "blank", "long", "tab"])
    def test_a_wrong_key(self, key_host: tuple[World, HostProcess], key: str) -> None:
        """A key is 1 to 255 printable characters."""
        reply = key_host[1].call("POST", RUNS, {}, headers={"Idempotency-Key": key})

        assert reply.status == 400
        assert reply.json()["detail"] == "Idempotency-Key must be 1 to 255 printable characters."


class TestPoison:
    """A message that cannot be handled ends its run, and nothing else."""

    def test_the_run_fails_with_the_reason(self, demo: World) -> None:
        """A lock that cannot be read fails the run after the last delivery; the log says why; other jobs go on."""
        app = app_folder(demo.folder / "app", visibility_timeout="00:00:00")
        lock = demo.store / "locks" / f"{JOB}.json"
        lock.parent.mkdir(parents=True)
        lock.write_text("}{")
        with demo.host(app=app) as host:
            run = start_run(host)
            record = wait_ended(host, run)
            watchdog = wait_ended(host, host.call("POST", "/api/jobs/watchdog/runs").json()["id"])
            log = host.log

        assert (record["status"], record["attempt"]) == ("failed", 0)
        assert record["error"].startswith(
            "Its message was delivered as often as host.json allows, without success; "
            "the log says why under this run's id. The lock of job 'list-resource-groups' cannot be read: "
        )
        assert watchdog["status"] == "succeeded"
        assert f"The lock of job '{JOB}' cannot be read" in log
        assert "delete locks/list-resource-groups.json if no run of the job is under way" in log

    def test_a_message_that_is_not_ours(self, demo: World) -> None:
        """Text that no Steward wrote is dropped with one ERROR line, and the queue goes on."""
        app = app_folder(demo.folder / "app", visibility_timeout="00:00:00")
        with demo.host(app=app) as host:
            host.trigger("run_worker_poison", "hello")
            wait_until(lambda: "is not ours and is dropped" in host.log, "the message")
            ended = wait_ended(host, start_run(host))

        assert ended["status"] == "succeeded"


def app_folder(folder: Path, visibility_timeout: str) -> Path:
    """Make an app folder that differs from ours in one setting of host.json."""
    folder.mkdir()
    shutil.copy(ROOT / "function_app.py", folder)
    host_json = (ROOT / "host.json").read_text()
    assert '"visibilityTimeout": "00:01:00"' in host_json
    (folder / "host.json").write_text(host_json.replace('"00:01:00"', f'"{visibility_timeout}"'))
    return folder


def test_nothing_runs_for_the_past(demo: World) -> None:
    """A schedule that is new to the host makes no run for occurrences before that."""
    earlier = datetime.now(UTC) - timedelta(minutes=1)
    demo.config.write_text(
        f'[jobs.list-resource-groups]\nschedule = "0 {earlier.minute} {earlier.hour} * * *"\n'
        '[jobs.watchdog]\nschedule = "0 0 5 1 1 *"\n'
    )
    with demo.host() as host:
        wait_until(lambda: demo.run_ids("watchdog"), "the sweep")
        wait_ended(host, demo.run_ids("watchdog")[0])

    assert demo.run_ids() == []
