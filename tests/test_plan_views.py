"""The list of plans: newest first, each with what became of it, and none hidden by another one's damage."""

from datetime import datetime, timedelta

import msgspec
import pytest

from shared_code.model import Kind, TagChange
from shared_code.outcomes import Mark, Marks
from shared_code.plan import LIFETIME, Action, Plan, PlanItem, Plans, make_plan
from shared_code.plan_views import PlanState, newest_plans
from shared_code.runs import Mode, Run, TriggeredBy, run_id
from shared_code.store import Stored
from shared_code.tag_rules import RuleMode
from tests.fakes import NOW
from tests.memory_store import MemoryStore

AUDIT, CLEANUP = "tag-audit", "cleanup"
LATE = NOW + LIFETIME


def saved(store: MemoryStore, hours: int = 0, job: str = AUDIT, items: int = 2, *, deletes: bool = False) -> Plan:
    """A plan that was made so many hours before."""
    made = NOW - timedelta(hours=hours)
    run = Run(id=run_id(job, made, occurrence=True), job=job, mode=Mode.PLAN, trigger=TriggeredBy.TIMER, requested=made)
    wanted = [
        PlanItem(
            resource_id=f"/subscriptions/s/resourceGroups/rg-{number}",
            subscription_id="s",
            kind=Kind.RESOURCE_GROUP,
            rule="owner",
            mode=RuleMode.APPROVE,
            reason="it is missing",
            action=Action.DELETE if deletes else Action.CHANGE_TAGS,
            seen={},
            change=None if deletes else TagChange(set={"owner": "team@example.com"}),
        )
        for number in range(items)
    ]
    return Plans(store).save(make_plan(run, wanted, {}, made))


def begin(store: MemoryStore, plan: Plan, *numbers: int) -> None:
    """Let some run begin these items."""
    for number in numbers:
        Marks(store, plan.id).begin(number, Mark(run=plan.id, begun=NOW, before={}))


@pytest.fixture(name="store")
def _store() -> MemoryStore:
    return MemoryStore()


def test_newest_first(store: MemoryStore) -> None:
    """Of every job, or of one; as many as are asked for."""
    plans = [saved(store, 1), saved(store, 2, CLEANUP), saved(store, 3)]
    ids = [plan.id for plan in plans]

    assert [view.id for view in newest_plans(store, NOW, 20)] == ids
    assert [view.id for view in newest_plans(store, NOW, 2)] == ids[:2]
    assert [view.id for view in newest_plans(store, NOW, 1, CLEANUP)] == ids[1:2]
    assert newest_plans(store, NOW, 20, "watchdog") == []


def test_what_is_told_of_a_plan(store: MemoryStore) -> None:
    """Its items are counted, and not listed."""
    plan = saved(store, 1, CLEANUP, 3, deletes=True)

    [view] = newest_plans(store, NOW, 20)

    assert (view.id, view.job, view.items, view.things) == (plan.id, CLEANUP, 3, "deletions")
    assert (view.created, view.expires, view.problem) == (plan.created, plan.expires, None)


@pytest.mark.parametrize(
    ("begun", "now", "state"),
    [
        ((), NOW, PlanState.OPEN),
        ((), LATE - timedelta(seconds=1), PlanState.OPEN),
        ((), LATE, PlanState.EXPIRED),
        ((0,), NOW, PlanState.APPLIED),
        ((0, 1), LATE, PlanState.APPLIED),
    ],
    ids=["new", "in time", "late", "in part", "whole"],
)
def test_what_became_of_it(store: MemoryStore, begun: tuple[int, ...], now: datetime, state: PlanState) -> None:
    """Applied stays applied when its time is over; what counts is what was begun."""
    begin(store, saved(store), *begun)

    [view] = newest_plans(store, now, 20)

    assert (view.state, view.begun) == (state, len(begun))


@pytest.mark.parametrize("damage", [b"}{", b"", b'{"id": 1}', b"\xff"], ids=["no JSON", "empty", "wrong", "no text"])
def test_a_damaged_plan_hides_no_other(store: MemoryStore, damage: bytes) -> None:
    """It is named, in its place, with what is wrong."""
    newest, damaged, oldest = (saved(store, hours) for hours in (1, 2, 3))
    store.write(f"plans/{damaged.id}.json", damage)

    views = newest_plans(store, NOW, 20)

    assert [view.id for view in views] == [newest.id, damaged.id, oldest.id]
    assert [view.state for view in views] == [PlanState.OPEN, PlanState.DAMAGED, PlanState.OPEN]
    assert (views[1].problem or "").startswith(f"Plan '{damaged.id}' cannot be read: ")
    assert (views[1].job, views[1].items, views[1].expires) == (AUDIT, None, None)


def test_a_changed_plan_is_damaged(store: MemoryStore) -> None:
    """Its digest no longer fits, so it is never applied."""
    plan = saved(store)
    later = msgspec.structs.replace(plan, expires=LATE + LIFETIME)
    store.write(f"plans/{plan.id}.json", msgspec.json.encode(later))

    [view] = newest_plans(store, NOW, 20)

    assert view.state is PlanState.DAMAGED
    assert view.problem is not None
    assert "does not have the digest it says" in view.problem


def test_one_that_is_removed_meanwhile(store: MemoryStore) -> None:
    """The watchdog may be at it."""
    kept, gone = saved(store, 1), saved(store, 2)

    class Swept(MemoryStore):
        def read(self, key: str) -> Stored | None:
            return None if gone.id in key else super().read(key)

    swept = Swept()
    swept.objects = store.objects

    assert [view.id for view in newest_plans(swept, NOW, 20)] == [kept.id]
