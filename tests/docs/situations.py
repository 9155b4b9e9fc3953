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
from typing import Any

import msgspec

from __app__.queue import POISON, Message
from devkit.local_host.queue import Queues
from devkit.simulator.estates import GENERATED, load_estate
from devkit.simulator.estates import cleanup as cleanup_estate
from shared_code.ledger import Entry
from shared_code.run_records import RunRecords
from shared_code.runs import Mode, Run, RunScope, RunStatus, TriggeredBy, run_id
from shared_code.sightings import Sighting
from shared_code.snapshots import Snapshots
from shared_code.store_local import LocalStore
from tests.docs.checkout import PATIENCE, Checkout, environment
from tests.notices import receiving

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

UNARMED = "armed_subscriptions = []"
CHANGES_EVERYTHING = """
[jobs.list-resource-groups]

[jobs.tag-audit]
armed_subscriptions = ["{}"]
max_share = 1

[[jobs.tag-audit.rules]]
name = "reviewed"
tag = "reviewed"
required = true
default = "no"
mode = "approve"

[jobs.watchdog]
"""
"""A configuration that plans to change each resource of one subscription, and may."""

DELETED = ("/rg-expired", "/orphan-disk-1")
"""How the ids end of what somebody approves to delete."""
DISKS = 4
"""How many disks are planned to go in the subscription that is armed."""

TAKES_OVER = """
import sys
from shared_code.wiring import steward
steward().worker(time_limit=None).writer.merge(sys.argv[1], {"owner": "team@example.com"})
"""
"""What somebody else does to a tag."""

WORKLOADS, SANDBOX = cleanup_estate.WORKLOADS, cleanup_estate.SANDBOX
"""The two subscriptions of the estate `cleanup`."""

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
        _knew(checkout, "demo", "tag-audit", "5a000000-0000-4000-8000-000000000005", "Shop Staging")
        assert checkout.dev("steward", "run", "tag-audit").returncode == 3
        yield


@contextmanager
def a_rule_plans_changes(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up` with a rule that plans changes, and no subscription armed."""
    config = checkout.folder / "steward.toml"
    config.write_text(config.read_text() + RULE)
    with all_is_well_and_is_deployed_again(checkout) as restart:
        yield restart


@contextmanager
def tags_were_changed(checkout: Checkout) -> Iterator[None]:
    """`./dev up` after a plan was applied, and one of the tags it set has another value by now."""
    config = checkout.folder / "steward.toml"
    armed = json.dumps([f"5a000000-0000-4000-8000-00000000000{each}" for each in (1, 2, 3)])
    config.write_text(config.read_text().replace(UNARMED, f"armed_subscriptions = {armed}", 1) + RULE)
    with checkout.up():
        plan = _planned(checkout)
        assert checkout.dev("steward", "apply", plan["id"], "--digest", plan["digest"]).returncode == 0
        database = next(each["resource_id"] for each in plan["items"] if "/sql-shop-dev/" in each["resource_id"])
        settings = json.loads((checkout.folder / ".steward" / "up" / "environment.json").read_bytes())
        command = [sys.executable, "-c", TAKES_OVER, database]
        subprocess.run(command, cwd=checkout.folder, env={**environment(), **settings}, check=True, timeout=60)
        yield


@contextmanager
def tags_are_being_changed(checkout: Checkout) -> Iterator[None]:
    """`./dev up` of a larger estate that answers slowly, with a run that is applying a plan of 300 changes."""
    size = {"subscriptions": 1, "groups": 10, "resources": 300}
    subscription = load_estate(GENERATED, **size).subscriptions[0].id
    (checkout.folder / "steward.toml").write_text(CHANGES_EVERYTHING.format(subscription))
    options = [word for name, number in size.items() for word in (f"--{name}", str(number))]
    with checkout.up("--estate", GENERATED, *options, "--latency", "200"):
        plan = _planned(checkout)
        state = next((checkout.folder / ".steward" / "up").glob(f"{GENERATED}*"))
        key = json.loads((state / "local_host" / "keys.json").read_bytes())["approver"]
        body = json.dumps({"digest": plan["digest"]}).encode()
        run = _ask(checkout, f"plans/{plan['id']}/apply", key, body)
        records = RunRecords(LocalStore(state / "store"))
        _wait_until(lambda: bool((made := records.get(run).run.progress) and made.done))
        yield


@contextmanager
def nothing_was_cleaned_up_yet(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up` of the estate for cleanup, as it ships: nothing is armed, and everything was seen on two days."""
    with _up_again(checkout, "--estate", "cleanup") as restart:
        _was_seen(checkout)
        yield restart


@contextmanager
def a_cleanup_is_planned(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """The same with one subscription armed, within the limits that ship."""
    _arm(checkout)
    with nothing_was_cleaned_up_yet(checkout) as restart:
        yield restart


@contextmanager
def something_was_deleted(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """The same, after somebody approved to delete a resource group and a disk."""
    with a_cleanup_is_planned(checkout) as restart:
        plan = _clean_up(checkout)
        wanted = [each["resource_id"] for each in plan["items"] if each["resource_id"].endswith(DELETED)]
        only = [word for each in wanted for word in ("--only", each)]
        applied = checkout.dev("steward", "apply", plan["id"], "--digest", plan["digest"], *only)
        assert (len(wanted), applied.returncode) == (len(DELETED), 0), applied.stdout
        yield restart


@contextmanager
def things_are_being_deleted(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """The same while a run is deleting disks, which takes its time, and has resource groups before it."""
    _arm(checkout, share="0.5")
    with _up_again(checkout, "--estate", "cleanup", "--delete-time", "25") as restart:
        _was_seen(checkout)
        plan = _clean_up(checkout)
        state = checkout.folder / ".steward" / "up" / "cleanup"
        key = json.loads((state / "local_host" / "keys.json").read_bytes())["approver"]
        _ask(checkout, f"plans/{plan['id']}/apply", key, json.dumps({"digest": plan["digest"]}).encode())
        _wait_until(lambda: len(list((state / "store" / "applied").glob("*/*.json"))) == DISKS)
        time.sleep(1)  # the requests themselves follow
        yield restart


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
    with _up_again(checkout) as restart:
        yield restart


@contextmanager
def a_web_hook_listens(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up`, which can be started again, and a receiver whose URL is an app setting."""
    with receiving.hook() as hook:
        values = {"IsEncrypted": False, "Values": {"STEWARD_NOTICE_URL": hook.url}}
        (checkout.folder / "local.settings.json").write_text(json.dumps(values))
        with _up_again(checkout) as restart:
            yield restart
        assert len(hook.posted) == 1


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
def some_subscriptions_were_not_read(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up --estate odd` after a second run; one subscription that the first one saw is no longer visible."""
    with _up_again(checkout, "--estate", "odd") as restart:
        _knew(checkout, "odd", JOB, "0dd00000-0000-4000-8000-000000000031", "Moved away")
        assert checkout.dev("steward", "run", JOB).returncode == 3
        yield restart


@contextmanager
def a_subscription_gives_no_access(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up` of an estate in which the identity has no role on one subscription, until it is started again."""
    estate = checkout.folder / "devkit" / "simulator" / "estates" / "demo.py"
    as_it_is = estate.read_text()
    refused = as_it_is.replace(
        "    id=DEVELOPMENT,\n",
        "    id=DEVELOPMENT,\n"
        '    faults=(Fault(route=f"/subscriptions/{DEVELOPMENT}*", kind="forbidden", times=None),),\n',
        1,
    ).replace("\n\n", "\nfrom devkit.simulator.faults import Fault\n\n", 1)
    assert refused.count("Fault") == 2
    estate.write_text(refused)
    with _up_again(checkout) as restart:

        def granted() -> None:
            estate.write_text(as_it_is)
            restart()

        yield granted


@contextmanager
def one_subscription_is_in_scope(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up` with one subscription named in `[scope]`."""
    config = checkout.folder / "steward.toml"
    named = 'subscriptions = ["5a000000-0000-4000-8000-000000000001"]'
    config.write_text(config.read_text().replace('\nsubscriptions = ["*"]', f"\n{named}", 1))
    with all_is_well_and_is_deployed_again(checkout) as restart:
        yield restart


@contextmanager
def there_is_much_to_show(checkout: Checkout) -> Iterator[None]:
    """`./dev up` of the estate for cleanup: tags were audited, a plan of an armed subscription waits for a decision."""
    with a_cleanup_is_planned(checkout):
        for job in ("tag-audit", "cleanup"):
            assert checkout.dev("steward", "run", job).returncode == 0
        yield


@contextmanager
def a_rule_acts_by_itself(checkout: Checkout) -> Iterator[Callable[[], None]]:
    """`./dev up` of the estate for cleanup: one subscription armed, the timer deletes what one rule plans."""
    config = checkout.folder / "steward.toml"
    _arm(checkout, share="0.5")
    before, table = config.read_text().split("[jobs.cleanup]\n")
    table = table.replace('mode = "plan"', 'mode = "apply"', 1)
    rule = "[jobs.cleanup.rules.unattached-disk]"
    table, disks = table.split(rule, 1)
    disks = disks.replace('mode = "approve"', 'mode = "automatic"', 1)
    config.write_text(f"{before}[jobs.cleanup]\n{table}{rule}{disks}")
    with nothing_was_cleaned_up_yet(checkout) as restart:
        assert checkout.dev("steward", "run", "cleanup").returncode == 0
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
        run = _ask(checkout, "jobs/watchdog/runs", (state / "local_host" / "operator.key").read_text())
        _wait_until(lambda: records.get(run).run.status.ended)
        yield


@contextmanager
def _up_again(checkout: Checkout, *arguments: str) -> Iterator[Callable[[], None]]:
    """Run `./dev up`; give what starts it again."""
    with ExitStack() as running:
        running.enter_context(checkout.up(*arguments))

        def restart() -> None:
            running.close()
            running.enter_context(checkout.up(*arguments, "--port", checkout.port))

        yield restart


def _knew(checkout: Checkout, estate: str, job: str, subscription: str, name: str) -> None:
    """Let the earlier runs of a job have seen one more subscription than there is."""
    snapshots = Snapshots(LocalStore(checkout.folder / ".steward" / "up" / estate / "store"), job)
    known = snapshots.subscriptions()
    snapshots.save_subscriptions((*known, msgspec.structs.replace(known[0], id=subscription, name=name)))


def _arm(checkout: Checkout, share: str = "0.1") -> None:
    """Arm cleanup for one subscription, within this share."""
    config = checkout.folder / "steward.toml"
    before, table = config.read_text().split("[jobs.cleanup]\n")
    table = table.replace(UNARMED, f'armed_subscriptions = ["{WORKLOADS}"]', 1)
    config.write_text(f"{before}[jobs.cleanup]\n{table.replace('max_share = 0.1', f'max_share = {share}', 1)}")


def _was_seen(checkout: Checkout) -> None:
    """Run cleanup, as if that had been yesterday, and another run on the day before."""
    assert checkout.dev("steward", "run", "cleanup").returncode == 0
    for path in (checkout.folder / ".steward" / "up" / "cleanup" / "store" / "ledger" / "cleanup").iterdir():
        head, *lines = path.read_bytes().splitlines()
        seen = [msgspec.json.decode(line, type=Entry) for line in lines]
        day = timedelta(days=1)
        aged = [
            msgspec.structs.replace(
                each, first_seen=each.first_seen - 2 * day, last_seen=each.last_seen - day, times_seen=2
            )
            for each in seen
        ]
        path.write_bytes(b"".join(line + b"\n" for line in (head, *map(msgspec.json.encode, aged))))


def _clean_up(checkout: Checkout) -> dict[str, Any]:
    """Run cleanup over the subscription that is armed, and return the plan."""
    done = checkout.dev("steward", "run", "cleanup", "--subscription", WORKLOADS, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)["plan"]
    plan: dict[str, Any] = json.loads(checkout.dev("steward", "plan", made, "--json").stdout)
    return plan


def _ask(checkout: Checkout, route: str, key: str, body: bytes = b"") -> str:
    """Ask the app for a run, and return its id."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{checkout.port}/api/{route}",
        body,
        {"x-functions-key": key, "X-Requested-By": "operator@example.com"},
        method="POST",
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310  # the address is ours
        return str(json.loads(answer.read())["id"])


def _planned(checkout: Checkout) -> dict[str, Any]:
    """Audit tags, and return the plan."""
    audited = json.loads(checkout.dev("steward", "run", "tag-audit", "--json").stdout)
    plan: dict[str, Any] = json.loads(checkout.dev("steward", "plan", audited["plan"], "--json").stdout)
    return plan


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
    "fix-tags-from-a-plan": a_rule_plans_changes,
    "undo-tag-changes": tags_were_changed,
    "stop-all-changes-now": tags_are_being_changed,
    "arm-cleanup-for-a-subscription": nothing_was_cleaned_up_yet,
    "review-and-approve-a-cleanup-plan": a_cleanup_is_planned,
    "keep-a-resource": a_cleanup_is_planned,
    "recover-after-a-wrong-deletion": something_was_deleted,
    "stop-all-deletions-now": things_are_being_deleted,
    "send-notices": a_web_hook_listens,
    "a-run-is-partial": some_subscriptions_were_not_read,
    "give-access-to-a-subscription": a_subscription_gives_no_access,
    "add-a-subscription": one_subscription_is_in_scope,
    "check-an-installation": a_subscription_gives_no_access,
    "rotate-keys": all_is_well_and_is_deployed_again,
    "deploy-a-new-version": all_is_well_and_is_deployed_again,
    "read-the-dashboard": there_is_much_to_show,
    "what-will-be-deleted-tonight": a_rule_acts_by_itself,
}
"""By page."""

DEPLOYS = "func azure functionapp publish"
"""Where a page says this, what is up is started again with the configuration as it is by then."""
INSTEAD = {
    "check-an-installation": "az role assignment create",
    "give-access-to-a-subscription": "az role assignment create",
    "rotate-keys": "az functionapp function keys set",
}
"""By page: what it is started again at, where nothing is deployed."""
