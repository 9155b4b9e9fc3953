"""A store as an earlier version has left it: `python -m tests.upgrading FILE.zip` writes one with the version at hand.

What is in tests/data was written once and stays as it is; a version that changes what it stores adds a file.
"""

import logging
import sys
import zipfile
from typing import NamedTuple

from shared_code.change_requests import ChangeRequests
from shared_code.plan import Plans
from shared_code.run_requests import Wanted
from shared_code.runs import Mode, Order, Run, TriggeredBy
from shared_code.snoozes import Snoozes
from tests.azure_model import AzureModel
from tests.cleaning import ONE, TWO, cleaning, toml
from tests.stores import DeadAfter, Killed
from tests.world import World

DISK = "unattached-disk"
RULES = b"""
[jobs.list-resource-groups]
[jobs.tag-audit]
[[jobs.tag-audit.rules]]
name = "owner"
tag = "owner"
required = true
default = "team@example.com"
mode = "approve"
[jobs.watchdog]
"""
BY = "operator@example.com"
DEATH = 14
"""The call of the store at which the process of the last run died: it has read one subscription of two by then."""


class Estate(NamedTuple):
    """A world and its Azure, with what was put there."""

    world: World
    model: AzureModel
    disks: list[str]


def estate() -> Estate:
    """Two subscriptions; in the first three disks that nothing uses."""
    world, model = cleaning(toml(ONE, TWO, rules={DISK: {"mode": "approve"}}) + RULES)
    group = model.new_group("rg-a")
    disks = [model.put(group, "disk", name) for name in ("deleted", "planned", "snoozed")]
    model.put(group, "vm", "used")
    model.new_group("rg-b", subscription=2)
    return Estate(world, model, disks)


def run_of(own: Estate, job: str) -> Run:
    """Have a job performed."""
    own.world.pass_time(seconds=1)
    asked = own.world.requests().by_hand(job, Wanted(mode=Mode.PLAN), TriggeredBy.HTTP, BY)
    return perform(own, asked)


def perform(own: Estate, run: Run) -> Run:
    """Perform a run, and give its record."""
    own.model.run = run.id
    own.world.worker().perform(run.id)
    return own.world.records().get(run.id).run


def approve(own: Estate, plan_id: str, resource_id: str) -> Run:
    """Have one item of a plan applied."""
    plan = Plans(own.world.store).get(plan_id)
    order = Order(plan=plan.id, digest=plan.digest, only=(resource_id,))
    requests = ChangeRequests(own.world.requests(), own.world.stop())
    own.world.pass_time(seconds=1)
    return perform(own, requests.apply(order, TriggeredBy.HTTP, BY, None))


def live(own: Estate) -> None:
    """Do everything that leaves something in the store; the last run dies on its way, and changes are stopped."""
    run_of(own, "list-resource-groups")
    run_of(own, "tag-audit")
    run_of(own, "cleanup")
    own.world.pass_time(days=1)
    run_of(own, "list-resource-groups")
    run_of(own, "tag-audit")
    planned = run_of(own, "cleanup")
    assert planned.plan, planned.error
    deleted, _, snoozed = own.disks
    assert approve(own, planned.plan, deleted).counts["deleted"] == 1
    until = (own.world.now.replace(month=12)).date().isoformat()
    Snoozes(own.world.store).set(DISK, snoozed, until=until, by=BY, reason="not yet", now=own.world.now)
    run_of(own, "watchdog")
    own.world.stop().set(BY, "an upgrade")
    own.world.pass_time(seconds=1)
    dying = own.world.requests().by_hand("list-resource-groups", Wanted(mode=Mode.PLAN), TriggeredBy.HTTP, BY)
    try:
        own.world.worker("dead", store=DeadAfter(own.world.store, DEATH, after=True)).perform(dying.id)
    except Killed:
        own.world.dead.add("dead")


def main() -> int:
    """Write a store."""
    logging.disable(logging.CRITICAL)
    own = estate()
    live(own)
    with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as file:
        for key in sorted(own.world.store.keys("")):
            file.writestr(zipfile.ZipInfo(key), b"".join(own.world.store.chunks(key)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
