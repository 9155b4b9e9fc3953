"""How fast things are deleted: `python -m bench.deletes`; a line for each figure, 1 if one is missed.

The engine, the deletion and the client are the product's own; Azure is the simulator, in a process of its own. Every
item is read with all that is around it, decided again, saved, deleted, and looked for until it is gone. Nothing counts
unless all of them are deleted, in the outcomes and in Azure.

free       50 ms latency and no limit: deletions per second
throttled  the same with Resource Manager's buckets: what the scarcest permits against the time it took, and refusals
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from azure.identity import ManagedIdentityCredential

from bench.figures import choose
from bench.writes import Took, azure, fast, granted, now
from devkit.simulator import Estate, Resource, ResourceGroup, Subscription
from shared_code import model
from shared_code.activity import no_evidence, span_of
from shared_code.apply import Applied, Means, apply
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.credential import Credential
from shared_code.azure_api.removals import AzureRemover
from shared_code.cleanup_rules import RULES
from shared_code.cleanup_settings import RuleSettings
from shared_code.deletion import Removal, remove
from shared_code.outcomes import Result
from shared_code.permission import Terms
from shared_code.plan import Action, Observed, Plan, PlanItem, Plans, make_plan
from shared_code.protection import Policy
from shared_code.runs import Mode, Order, Run, TriggeredBy
from shared_code.snoozes import Snoozes
from shared_code.stop import Stop
from shared_code.store import Store, open_store
from shared_code.surroundings import GuardReader
from shared_code.tag_rules import RuleMode
from shared_code.tombstones import Tombstones

FREE = (100,) * 20
"""Disks in each subscription where nothing throttles."""
THROTTLED = (400, 50, 50, 50, 50) * 4
"""Disks in each where the buckets do: four have enough to spend them."""
TYPE = "Microsoft.Compute/disks"
LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)
CREATED = "2025-12-01T00:00:00.0000000Z"
RULE = "unattached-disk"


def estate(sizes: Sequence[int]) -> Estate:
    """Return subscriptions with so many disks that nothing uses."""
    return Estate(
        name="deletes",
        subscriptions=tuple(
            Subscription(id=f"de000000-0000-4000-8000-{number:012}", name=f"sub-{number}", resource_groups=groups(size))
            for number, size in enumerate(sizes)
        ),
    )


def groups(count: int) -> tuple[ResourceGroup, ...]:
    """Return groups of fifty disks."""
    properties = {
        "diskState": "Unattached",
        "diskSizeGB": 32,
        "uniqueId": "00000000-0000-0000-0000-000000000000",
        "provisioningState": "Succeeded",
        "timeCreated": "2025-12-01T00:00:00Z",
        "LastOwnershipUpdateTime": "2026-01-02T00:00:00Z",
    }
    disks = [
        Resource(name=f"disk-{number}", type=TYPE, tags={}, properties=properties, created_time=CREATED)
        for number in range(count)
    ]
    return tuple(
        ResourceGroup(name=f"rg-{start // 50}", resources=tuple(disks[start : start + 50]))
        for start in range(0, count, 50)
    )


def name(hour: int) -> str:
    """Return the id of a run."""
    return f"20261122T{hour:02}0000Z-cleanup-{hour:08x}"


def planned(store: Store, sizes: Sequence[int], remover: AzureRemover) -> Plan:
    """Put a plan that deletes everything into the store, each as its GET shows it."""
    run = Run(id=name(6), job="cleanup", mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=now())
    subscriptions = estate(sizes).subscriptions
    observed = Observed(first_seen=LONG_AGO, last_seen=now() - timedelta(days=1), times_seen=9)
    items = []
    for subscription in subscriptions:
        own = model.Subscription(subscription.id, subscription.name, "Enabled")
        # All disks are alike, so one look at Azure tells what the others are, but for name and id.
        first = remover.target(subscription.resources[0].id, own).definition
        items += [
            PlanItem(
                resource_id=one.id,
                subscription_id=subscription.id,
                kind=model.Kind.RESOURCE,
                type=TYPE,
                rule=RULE,
                mode=RuleMode.APPROVE,
                reason="no machine uses it",
                action=Action.DELETE,
                seen={},
                observed=observed,
                definition=first | {"id": one.id, "name": one.name},
            )
            for one in subscription.resources
        ]
    read = {one.id: {TYPE.casefold(): one.resource_count} for one in subscriptions}
    return Plans(store).save(make_plan(run, items, read, now()))


def performed(store: Store, plan: Plan, sizes: Sequence[int], remover: AzureRemover) -> Applied:
    """Apply it, as the job does."""
    subscriptions = {one.id: model.Subscription(one.id, one.name, "Enabled") for one in estate(sizes).subscriptions}
    removal = Removal(
        run=name(7),
        remover=remover,
        guards=GuardReader(remover, now),
        rules={RULE: (RULES[RULE], RuleSettings())},
        policy=Policy(protected_resource_groups=("rg-core-*",), protected_tags=("keep",)),
        snoozes=Snoozes(store),
        tombstones=Tombstones(store),
        subscriptions=subscriptions,
        evidence=lambda _: no_evidence(span_of(LONG_AGO, now()), "nothing is asked here"),
        clock=now,
        includes=lambda *_: True,
    )
    means = Means(
        run=name(7),
        store=store,
        clock=now,
        sleep=time.sleep,
        check_stop=Stop(store, now).check,
        may_write=lambda: None,
        checkpoint=lambda: None,
        progress=lambda _: None,
    )
    terms = Terms(plan.read, len(plan.items), 1.0)
    return apply(Order(plan=plan.id, digest=plan.digest), terms, means, partial(remove, removal=removal))


def measured(sizes: Sequence[int], *, latency: float = 0.05, throttle: bool = True) -> Took:
    """Delete so many disks in each subscription, and look in Azure whether they are gone."""
    with tempfile.TemporaryDirectory() as folder, azure(estate, sizes, latency, throttle) as end:
        store = open_store(Path(folder).as_uri())
        audience = os.environ["STEWARD_ARM_AUDIENCE"]
        arm = Arm(os.environ["STEWARD_ARM_ENDPOINT"], audience, lambda: Credential(ManagedIdentityCredential()))
        remover = AzureRemover(arm)
        plan = planned(store, sizes, remover)
        begun, cpu = time.perf_counter(), time.process_time()
        applied = performed(store, plan, sizes, remover)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        end.send("tell")
        seen = end.recv()
    deleted = sum(one.outcome is Result.DELETED for one in applied.outcomes)
    for one in [each for each in applied.outcomes if each.outcome is not Result.DELETED][:3]:
        print(f"not deleted: {one.resource_id}: {one.outcome}: {one.reason}", file=sys.stderr)
    there = sum(seen.tags.values())
    return Took(seconds, cpu, len(plan.items), max(len(plan.items) - deleted, there), seen)


def free() -> bool:
    """Without limits, the latency and our own work decide."""
    return fast("deletions", measured(FREE, throttle=False), 60)


def throttled() -> bool:
    """With limits, the scarcest bucket ought to."""
    took = measured(THROTTLED)
    return granted(f"{took.items:,} deletions in {len(THROTTLED)} subscriptions, 50 ms, throttled", took, 0.9)


def main() -> int:
    """Measure what is asked for; all, unless a figure is named."""
    return choose("bench.deletes", __doc__, {"free": free, "throttled": throttled})


if __name__ == "__main__":
    sys.exit(main())
