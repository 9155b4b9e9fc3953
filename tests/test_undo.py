"""Undo: a plan that gives back what a run changed, and words for what it leaves."""

from datetime import timedelta

import pytest

from shared_code.errors import Fenced
from shared_code.model import TagChange
from shared_code.outcomes import Mark, Marks
from shared_code.plan import PlanItem
from shared_code.stop import Stop
from shared_code.tag_rules import RuleMode
from shared_code.undo import Left, Undo, undo
from tests.applying import AGAIN, APPLYING, PLANNED, SUBSCRIPTIONS, group_id, means, perform, planned, save
from tests.fakes import NOW, Clock
from tests.memory_store import MemoryStore
from tests.tag_model import ModelTags, Trouble

A = group_id(SUBSCRIPTIONS[0], "a")
RENAME = TagChange(set={"env": "prod"}, remove=("Environment",))
RECASE = TagChange(set={"Env": "prod"}, remove=("env",))


def undone(store: MemoryStore, azure: ModelTags, item: PlanItem) -> Undo:
    marks = [(number, each.mark) for number, each in Marks(store, PLANNED).all().items()]
    return undo(save(store, [item]), marks, azure, lambda: None)


def test_a_rename_is_taken_back() -> None:
    store, azure = MemoryStore(), ModelTags({A: {"Environment": "prod", "x": "y"}})
    item = planned(A, RENAME, azure.now[A])
    perform(save(store, [item]), azure, means(store))

    found = undone(store, azure, item)

    assert found.left == ()
    assert found.items[0].change == TagChange(set={"Environment": "prod"}, remove=("env",))
    assert found.items[0].seen == {"env": "prod", "x": "y"}
    assert found.items[0].mode is RuleMode.APPROVE
    assert found.items[0].evidence == {"undoes": APPLYING}
    perform(save(store, found.items, run=AGAIN), azure, means(store, AGAIN))
    assert azure.now[A] == {"Environment": "prod", "x": "y"}


def test_a_value_that_was_stopped_under_its_copy_comes_back() -> None:
    store, azure, clock = MemoryStore(), ModelTags({A: {"env": "prod"}}), Clock()
    item = planned(A, RECASE, azure.now[A])

    def stop() -> None:
        if len(azure.sent) == 2 and Stop(store, clock).read() is None:
            Stop(store, clock).set("ops@example.com", "")
            clock.move(timedelta(seconds=5))

    azure.before_call = stop
    given = means(store, clock=clock, check_stop=Stop(store, clock).check)
    applied = perform(save(store, [item]), azure, given)
    assert azure.now[A] == {"steward-renaming-Env": "prod"} == applied.outcomes[0].after
    assert applied.outcomes[0].outcome == "failed"
    azure.before_call = lambda: None
    Stop(store, clock).clear()

    found = undone(store, azure, item)
    perform(save(store, found.items, run=AGAIN), azure, means(store, AGAIN))

    assert azure.now[A] == {"env": "prod"}


@pytest.mark.parametrize(
    ("trouble", "reason", "unread"),
    [
        (Trouble(other={"env": "test"}), "the tag 'env' has the value 'test' by now", False),
        (Trouble("forbidden"), "it cannot be read: no role", True),
        (Trouble("gone"), "it cannot be read: gone", False),
    ],
)
def test_what_does_not_make_sense_any_more_is_left_and_said(trouble: Trouble, reason: str, unread: bool) -> None:
    store, azure = MemoryStore(), ModelTags({A: {"Environment": "prod"}})
    item = planned(A, RENAME, azure.now[A])
    perform(save(store, [item]), azure, means(store))
    azure.script[A, azure.calls[A]] = trouble

    assert undone(store, azure, item) == Undo((), (Left(A, SUBSCRIPTIONS[0], "r", reason, unread),))


def test_a_run_that_died_is_undone_from_its_marks() -> None:
    """Nobody noted what it left; what is there tells."""
    store, azure = MemoryStore(), ModelTags({A: {"Environment": "prod", "env": "prod"}})
    item = planned(A, RENAME, {"Environment": "prod"})
    mark = Mark(run=APPLYING, begun=NOW, before={"Environment": "prod"})

    found = undo(save(store, [item]), [(0, mark)], azure, lambda: None)

    assert [each.change for each in found.items] == [TagChange(remove=("env",))]


def test_it_stops_where_the_run_has_to() -> None:
    store, azure = MemoryStore(), ModelTags({A: {}})
    item = planned(A, RENAME, {})

    def checkpoint() -> None:
        raise Fenced("taken over")

    with pytest.raises(Fenced):
        undo(save(store, [item]), [(0, Mark(run=APPLYING, begun=NOW, before={}))], azure, checkpoint)
