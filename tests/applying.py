"""What tests of applying share: a plan over an Azure in process, and the means of one attempt."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from shared_code.apply import Applied, Means, apply
from shared_code.model import Kind, TagChange
from shared_code.outcomes import Outcome
from shared_code.permission import Terms
from shared_code.plan import Plan, PlanItem, Plans, make_plan
from shared_code.ports import TagWriter
from shared_code.resource_ids import key
from shared_code.retagging import retag
from shared_code.runs import Mode, Order, Run, TriggeredBy
from shared_code.stop import Stop
from shared_code.store import Store
from shared_code.tag_rules import RuleMode
from tests.fakes import NOW, Clock
from tests.tag_model import Plain

PLANNED = "20261122T060000Z-tag-audit-00000001"
APPLYING = "20261122T070000Z-tag-audit-00000002"
AGAIN = "20261122T080000Z-tag-audit-00000003"
SUBSCRIPTIONS = ("5e000000-0000-4000-8000-000000000001", "5e000000-0000-4000-8000-000000000002")


def group_id(subscription: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


def planned(scope: str, change: TagChange, seen: Plain, rule: str = "r", mode: RuleMode = RuleMode.APPROVE) -> PlanItem:
    """The item of a plan for one resource group."""
    return PlanItem(
        resource_id=scope,
        subscription_id=scope.split("/")[2],
        kind=Kind.RESOURCE_GROUP,
        rule=rule,
        mode=mode,
        reason="so",
        seen=dict(seen),
        change=change,
    )


def save(store: Store, items: Iterable[PlanItem], run: str = PLANNED, read: int = 1000) -> Plan:
    """Put a plan of these items into the store."""
    record = Run(id=run, job="tag-audit", mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=NOW)
    counts = {subscription: {Kind.RESOURCE_GROUP: read} for subscription in SUBSCRIPTIONS}
    return Plans(store).save(make_plan(record, items, counts, NOW))


def means(store: Store, run: str = APPLYING, **given: object) -> Means:
    """The means of one attempt: nothing is in its way unless given; one thread, so that failures repeat."""
    clock = Clock()
    fields: dict[str, object] = {
        "sleep": lambda _: None,
        "check_stop": Stop(store, clock).check,
        "may_write": lambda: None,
        "checkpoint": lambda: None,
        "progress": lambda _: None,
        "writers": 1,
        "clock": clock,
    }
    return Means(run=run, store=store, **(fields | given))  # type: ignore[arg-type]  # checked when used


def perform(approved: Plan, azure: TagWriter, means: Means, terms: Terms | None = None, **order: object) -> Applied:
    """Apply a plan as approved, with all subscriptions armed and no limits, unless told otherwise."""
    wanted: dict[str, object] = {"plan": approved.id, "digest": approved.digest} | order
    act: Callable[..., object] = partial(retag, writer=azure)
    return apply(Order(**wanted), terms or Terms(SUBSCRIPTIONS, 1000, 1.0), means, act)  # type: ignore[arg-type]


def by_scope(outcomes: Iterable[Outcome]) -> Mapping[str, Outcome]:
    """The outcomes by the key of the resource they are about."""
    return {key(each.resource_id): each for each in outcomes}
