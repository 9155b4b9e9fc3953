"""The situations that runbooks describe, made real before their commands are executed."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from __app__.queue import POISON, Message
from devkit.local_host.queue import Queues
from shared_code.run_records import RunRecords
from shared_code.runs import Mode, Run, RunScope, TriggeredBy, run_id
from shared_code.store_local import LocalStore
from tests.docs.checkout import Checkout, environment

JOB = "list-resource-groups"
EVERYTHING = RunScope()
FEW = ("0dd00000-0000-4000-8000-000000000001", "0dd00000-0000-4000-8000-000000000011")
"""A subscription of the estate `odd` that can be read and one that cannot, since some of the others take their time."""

type Situation = Callable[[Checkout], AbstractContextManager[Callable[[], None] | None]]


@contextmanager
def all_is_well(checkout: Checkout) -> Iterator[None]:
    """`./dev up`."""
    with checkout.up():
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
def the_configuration_is_wrong(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up` with five fields in one schedule and a misspelt key in the other table."""
    config = checkout.folder / "steward.toml"
    listing, watchdog = config.read_text().split("[jobs.watchdog]")
    config.write_text(
        f"{listing.replace('"0 0 5 * * *"', '"0 5 * * *"')}[jobs.watchdog]{watchdog.replace('schedule', 'shedule')}"
    )
    with ExitStack() as running:
        running.enter_context(checkout.up())

        def restart() -> None:
            running.close()
            running.enter_context(checkout.up("--port", checkout.port))

        yield restart


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
}
"""By page."""

DEPLOYS = "func azure functionapp publish"
"""Where a page says this, what is up is started again with the configuration as it is by then."""
