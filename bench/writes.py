"""How fast changes of tags are applied: `python -m bench.writes`; a line for each figure, 1 if one is missed.

The engine, the writer and the client are the product's own; Azure is the simulator, in a process of its own. Every item
is read, written once, and read again until it shows. Nothing counts unless all of them are changed, in the outcomes and
in Azure.

free       50 ms latency and no limit: writes per second
throttled  the same with Resource Manager's buckets: what the scarcest permits against the time it took, and refusals
slow       the same for one subscription whose answers take 250 ms
"""

import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from azure.identity import ManagedIdentityCredential

from bench.figures import choose, told
from devkit.simulator import Buckets, Estate, Resource, ResourceGroup, Simulator, Subscription
from devkit.simulator.throttling import DELETES, READS, WRITES
from shared_code.apply import Applied, Means, apply
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.credential import Credential
from shared_code.azure_api.tags import AzureTags
from shared_code.model import Kind, TagChange
from shared_code.outcomes import Result
from shared_code.permission import Terms
from shared_code.plan import Plan, PlanItem, Plans, make_plan
from shared_code.retagging import retag
from shared_code.runs import Mode, Order, Run, TriggeredBy
from shared_code.stop import Stop
from shared_code.store import Store, open_store
from shared_code.tag_rules import RuleMode

FREE = (150,) * 20
"""Items in each subscription where nothing throttles."""
THROTTLED = (800, 50, 800, 50, 50) * 4
"""Items in each where the buckets do: eight have enough to spend them, so that what flows in decides.

All twenty would be granted 200 changes a second, which are 600 requests: more than one process can send, see `free`.
"""
SLOW = (400,)
BEFORE = {"env": "prd", "DoNotDelete": ""}
CHANGE = TagChange(set={"owner": "team@example.com"})


class Seen(NamedTuple):
    """What Azure says in the end: how many things have which tags, and requests by subscription, method and status."""

    tags: dict[str, int]
    requests: dict[tuple[str, str, int], int]


class Took(NamedTuple):
    """What applying did."""

    seconds: float
    cpu: float
    items: int
    lost: int
    seen: Seen

    @property
    def refused(self) -> int:
        """How many requests were answered 429."""
        return sum(count for (_, _, status), count in self.seen.requests.items() if status == 429)

    @property
    def at_best(self) -> float:
        """The seconds that the scarcest bucket takes to grant what was asked and not refused."""
        asked: Counter[tuple[str, str]] = Counter()
        for (subscription, method, status), count in self.seen.requests.items():
            if status != 429:
                asked[subscription, method] += count
        rates = {"GET": READS, "PATCH": WRITES, "DELETE": DELETES}
        return max((count - rates[kind].burst) / rates[kind].per_second for (_, kind), count in asked.items())


def estate(sizes: Sequence[int]) -> Estate:
    """Return subscriptions with so many sites, all tagged alike."""
    return Estate(
        name="writes",
        subscriptions=tuple(
            Subscription(id=f"be000000-0000-4000-8000-{number:012}", name=f"sub-{number}", resource_groups=groups(size))
            for number, size in enumerate(sizes)
        ),
    )


def groups(count: int) -> tuple[ResourceGroup, ...]:
    """Return groups of fifty sites."""
    sites = [Resource(name=f"site-{number}", type="Microsoft.Web/sites", tags=BEFORE) for number in range(count)]
    return tuple(
        ResourceGroup(name=f"rg-{start // 50}", resources=tuple(sites[start : start + 50]))
        for start in range(0, count, 50)
    )


def serve(
    make: Callable[[Sequence[int]], Estate], sizes: Sequence[int], latency: float, throttle: bool, end: Connection
) -> None:
    """Be Azure until told to stop; then say what is there, and what was asked."""
    buckets = Buckets() if throttle else None
    with Simulator(make(sizes), latency=latency, throttle=buckets) as simulator:
        end.send(simulator.environment)
        end.recv()
        tags = Counter(
            json.dumps(one.tags, sort_keys=True)
            for subscription in simulator.estate.subscriptions
            for one in subscription.resources
        )
        arm = [one for one in simulator.requests if one.route != "identity"]
        end.send(Seen(dict(tags), dict(Counter((one.subscription, one.method, one.status) for one in arm))))


@contextmanager
def azure(
    make: Callable[[Sequence[int]], Estate], sizes: Sequence[int], latency: float, throttle: bool
) -> Iterator[Connection]:
    """Run `serve` in a process of its own, with the environment pointing there; what it sends last is a `Seen`."""
    spawning = multiprocessing.get_context("spawn")
    end, other = spawning.Pipe()
    process = spawning.Process(target=serve, args=(make, sizes, latency, throttle, other), daemon=True)
    process.start()
    other.close()
    try:
        os.environ.update(end.recv())
        yield end
    finally:
        end.close()
        process.join(10)
        process.kill()


def planned(store: Store, sizes: Sequence[int]) -> Plan:
    """Put a plan that changes everything into the store."""
    run = Run(id=name(6), job="tag-audit", mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=now())
    subscriptions = estate(sizes).subscriptions
    items = (
        PlanItem(
            resource_id=one.id,
            subscription_id=subscription.id,
            kind=Kind.RESOURCE,
            rule="owner",
            mode=RuleMode.APPROVE,
            reason="has no tag 'owner'",
            seen=dict(BEFORE),
            change=CHANGE,
        )
        for subscription in subscriptions
        for one in subscription.resources
    )
    read = {one.id: {Kind.RESOURCE: one.resource_count} for one in subscriptions}
    return Plans(store).save(make_plan(run, items, read, now()))


def performed(store: Store, plan: Plan) -> Applied:
    """Apply it, as the job does."""
    audience = os.environ["STEWARD_ARM_AUDIENCE"]
    # The product keeps one credential for each process, and here each figure has an Azure of its own.
    arm = Arm(os.environ["STEWARD_ARM_ENDPOINT"], audience, lambda: Credential(ManagedIdentityCredential()))
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
    return apply(Order(plan=plan.id, digest=plan.digest), terms, means, partial(retag, writer=AzureTags(arm)))


def measured(sizes: Sequence[int], *, latency: float = 0.05, throttle: bool = True) -> Took:
    """Apply a change to so many things in each subscription, and look in Azure whether it is there."""
    with tempfile.TemporaryDirectory() as folder, azure(estate, sizes, latency, throttle) as end:
        store = open_store(Path(folder).as_uri())
        plan = planned(store, sizes)
        begun, cpu = time.perf_counter(), time.process_time()
        applied = performed(store, plan)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        end.send("tell")
        seen: Seen = end.recv()
    changed = sum(one.outcome is Result.CHANGED for one in applied.outcomes)
    there = seen.tags.get(json.dumps(BEFORE | CHANGE.set, sort_keys=True), 0)
    return Took(seconds, cpu, len(plan.items), len(plan.items) - min(changed, there), seen)


def free() -> bool:
    """Without limits, the latency and our own work decide."""
    return fast("changes", measured(FREE, throttle=False), 120)


def throttled() -> bool:
    """With limits, the scarcest bucket ought to."""
    took = measured(THROTTLED)
    return granted(f"{took.items:,} changes in {len(THROTTLED)} subscriptions, 50 ms, throttled", took, 0.9)


def slow() -> bool:
    """How many items of one subscription are acted upon at a time decides."""
    took = measured(SLOW, latency=0.25)
    return granted(f"{took.items:,} changes in one subscription, 250 ms, throttled", took, None)


def fast(what: str, took: Took, aim: float) -> bool:
    """Tell how many a second there were, and what went wrong."""
    requests = sum(took.seen.requests.values())
    also = {"seconds": took.seconds, "cpu_s": took.cpu, "requests_per_item": requests / took.items, "lost": took.lost}
    subscriptions = len({one for one, _, _ in took.seen.requests if one})
    each = f"{took.items:,} {what} in {subscriptions} subscriptions, 50 ms: a second"
    return told(each, took.items / took.seconds, aim, least=True, **also) and not took.lost


def granted(what: str, took: Took, aim: float | None) -> bool:
    """Tell how near the time was to the best, and what went wrong."""
    also = {"seconds": took.seconds, "at_best_s": took.at_best, "cpu_s": took.cpu}
    kept = [
        told(f"{what}: what the scarcest bucket permits / time", took.at_best / took.seconds, aim, least=True, **also),
        told("the same: requests refused, of 1,000", 1000 * took.refused / sum(took.seen.requests.values()), 1),
        told("the same: items lost", took.lost, 0),
    ]
    return all(kept)


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def name(hour: int) -> str:
    """Return the id of a run."""
    return f"20261122T{hour:02}0000Z-tag-audit-{hour:08x}"


def main() -> int:
    """Measure what is asked for; all, unless a figure is named."""
    return choose("bench.writes", __doc__, {"free": free, "throttled": throttled, "slow": slow})


if __name__ == "__main__":
    sys.exit(main())
