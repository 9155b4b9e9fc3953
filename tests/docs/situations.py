"""The situations that runbooks describe, made real before their commands are executed."""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from __app__.queue import POISON, Message
from devkit.local_host.queue import Queues
from shared_code.run_records import RunRecords
from shared_code.runs import Mode, Run, RunScope, RunStatus, TriggeredBy, run_id
from shared_code.sightings import Sighting
from shared_code.snapshots import Snapshots
from shared_code.store_local import LocalStore
from tests.docs.checkout import PATIENCE, Checkout, environment

JOB = "list-resource-groups"
EVERYTHING = RunScope()
FEW = ("0dd00000-0000-4000-8000-000000000001", "0dd00000-0000-4000-8000-000000000011")
"""A subscription of the estate `odd` that can be read and one that cannot, since some of the others take their time."""

RULE = """
[[jobs.tag-audit.rules]]
name = "owner-of-resources"
tag = "owner"
required = true
inherit_from = "resource-group"
mode = "approve"
"""

type Situation = Callable[[Checkout], AbstractContextManager[Callable[[], None] | None]]


@contextmanager
def all_is_well(checkout: Checkout) -> Iterator[None]:
    """`./dev up`."""
    with checkout.up():
        yield


@contextmanager
def tags_were_audited(checkout: Checkout) -> Iterator[None]:
    """`./dev up`, with two audits: before the second a rule was added, and a subscription is no longer visible."""
    config = checkout.folder / "steward.toml"
    with checkout.up():
        assert checkout.dev("steward", "run", "tag-audit").returncode == 0
        config.write_text(config.read_text() + RULE)
        snapshots = Snapshots(LocalStore(checkout.folder / ".steward" / "up" / "demo" / "store"), "tag-audit")
        known = snapshots.subscriptions()
        gone = msgspec.structs.replace(known[0], id="5a000000-0000-4000-8000-000000000005", name="Shop Staging")
        snapshots.save_subscriptions((*known, gone))
        assert checkout.dev("steward", "run", "tag-audit").returncode == 3
        yield


@contextmanager
def runs_have_failed(checkout: Checkout) -> Iterator[None]:
    """`./dev up --estate odd`, with a run that lost its message, a poisoned one, and one that reached nothing."""
    state = checkout.folder / ".steward" / "up" / "odd"
    queue = state / "local_host"
    queue.mkdir(parents=True)
    records = RunRecords(LocalStore(state / "store"))
    poisoned = _request(records, timedelta(minutes=1))
    queues = Queues(queue / "queues.sqlite", lambda: datetime.now(UTC))
    queues.put([(POISON, msgspec.json.encode(Message(poisoned)))])
    queues.close()
    with checkout.up("--estate", "odd"):
        _request(records, timedelta(minutes=20), scope=RunScope(FEW))
        settings = json.loads((checkout.folder / ".steward" / "up" / "environment.json").read_bytes())
        unreachable = {**environment(), **settings, "STEWARD_ARM_ENDPOINT": "https://127.0.0.1:9"}
        command = [sys.executable, "-m", "shared_code", "run", JOB]
        subprocess.run(command, cwd=checkout.folder, env=unreachable, capture_output=True, check=False, timeout=60)
        yield


@contextmanager
def all_is_well_and_is_deployed_again(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up`, which can be started again."""
    with ExitStack() as running:
        running.enter_context(checkout.up())

        def restart() -> None:
            running.close()
            running.enter_context(checkout.up("--port", checkout.port))

        yield restart


@contextmanager
def the_configuration_is_wrong(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up` with five fields in one schedule and a misspelt key in the other table."""
    config = checkout.folder / "steward.toml"
    listing, watchdog = config.read_text().split("[jobs.watchdog]")
    config.write_text(
        f"{listing.replace('"0 0 5 * * *"', '"0 5 * * *"')}[jobs.watchdog]{watchdog.replace('schedule', 'shedule')}"
    )
    with all_is_well_and_is_deployed_again(checkout) as restart:
        yield restart


@contextmanager
def a_job_has_no_timer(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up` with a schedule in an app setting that is not there, and with a function that is switched off."""
    config = checkout.folder / "steward.toml"
    config.write_text(config.read_text().replace('"0 0 5 * * *"', '"%LIST_SCHEDULE%"'))
    settings = {"Values": {"AzureWebJobs.watchdog.Disabled": "true"}}
    (checkout.folder / "local.settings.json").write_text(json.dumps(settings))
    with all_is_well_and_is_deployed_again(checkout) as restart:
        yield restart


@contextmanager
def a_run_was_missed(checkout: Checkout) -> Iterator[None]:
    """`./dev up` as if the timer had not called for days: the watchdog has just noticed."""
    state = checkout.folder / ".steward" / "up" / "demo"
    store = LocalStore(state / "store")
    records = RunRecords(store)
    with checkout.up():
        _wait_until(lambda: any(records.get(run).run.status.ended for run in records.newest("watchdog")))
        for run in list(records.newest()):
            shutil.rmtree(state / "store" / "runs" / run)
        today = datetime.now(UTC).replace(hour=5, minute=0, second=0, microsecond=0)
        _record_success(records, today - timedelta(days=3))
        sighting = Sighting("0 0 5 * * *", today - timedelta(days=30))
        store.write(f"schedules/{JOB}.json", msgspec.json.encode(sighting))
        key = (state / "local_host" / "operator.key").read_text()
        address = f"http://127.0.0.1:{checkout.port}/api/jobs/watchdog/runs"
        asked = urllib.request.Request(address, method="POST", headers={"x-functions-key": key})
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310  # the address is ours
            run = json.loads(answer.read())["id"]
        _wait_until(lambda: records.get(run).run.status.ended)
        yield


def _record_success(records: RunRecords, occurrence: datetime) -> None:
    """Record a run of an occurrence that went well."""
    run = Run(
        id=run_id(JOB, occurrence, occurrence=True),
        job=JOB,
        mode=Mode.PLAN,
        trigger=TriggeredBy.TIMER,
        requested=occurrence,
        scheduled_for=occurrence,
    )
    records.create(run)
    moment = occurrence + timedelta(seconds=1)
    ended = msgspec.structs.replace(
        run, status=RunStatus.SUCCEEDED, started=moment, ended=moment, counts={"subscriptions_read": 3}
    )
    records.change(ended, records.get(run.id).etag)


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _request(records: RunRecords, ago: timedelta, scope: RunScope = EVERYTHING) -> str:
    """Record a run that waits and has no message."""
    at = datetime.now(UTC) - ago
    run = Run(
        id=run_id(JOB, at, occurrence=False),
        job=JOB,
        mode=Mode.PLAN,
        trigger=TriggeredBy.HTTP,
        requested=at,
        scope=scope,
    )
    records.create(run)
    return run.id


SITUATIONS: dict[str, Situation] = {
    "run-a-job-by-hand": all_is_well,
    "a-run-failed": runs_have_failed,
    "a-job-is-refused": the_configuration_is_wrong,
    "a-schedule-was-missed": a_run_was_missed,
    "change-a-schedule": all_is_well_and_is_deployed_again,
    "a-job-is-missing-after-deployment": a_job_has_no_timer,
    "read-a-tag-audit": tags_were_audited,
    "add-a-tag-rule": all_is_well_and_is_deployed_again,
}
"""By page."""

DEPLOYS = "func azure functionapp publish"
"""Where a page says this, what is up is started again with the configuration as it is by then."""
