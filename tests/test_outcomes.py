"""Marks: an item is claimed once, and its first outcome counts."""

import msgspec
import pytest

from shared_code.errors import Damaged, Fenced
from shared_code.model import TagChange
from shared_code.outcomes import Mark, Marks, Outcome, Result, as_lines, tally
from shared_code.plan import Action, Plans, make_plan
from shared_code.runs import Mode, Run, TriggeredBy
from tests.applying import AGAIN, APPLYING, PLANNED, group_id, planned
from tests.fakes import NOW
from tests.memory_store import MemoryStore
from tests.stores import Lossy

MINE = Mark(run=APPLYING, begun=NOW, before={"a": None})


def outcome(item: int = 7, result: Result = Result.CHANGED) -> Outcome:
    return Outcome(
        plan=PLANNED,
        item=item,
        resource_id="/subscriptions/s",
        subscription_id="s",
        rule="r",
        action=Action.CHANGE_TAGS,
        outcome=result,
        change=TagChange(),
        at=NOW,
    )


def test_the_first_to_claim_has_it() -> None:
    marks = Marks(MemoryStore(), PLANNED)

    assert marks.begin(7, MINE).mark == MINE
    assert marks.begin(7, Mark(run=AGAIN, begun=NOW, before={})).mark == MINE
    assert {number: each.mark for number, each in marks.all().items()} == {7: MINE}


def test_the_first_outcome_counts() -> None:
    marks = Marks(MemoryStore(), PLANNED)
    begun = marks.begin(7, MINE)

    assert marks.finish(7, begun, outcome()) == outcome()
    assert marks.finish(7, begun, outcome(result=Result.FAILED)) == outcome()
    assert marks.all()[7].mark.outcome == outcome()


def test_lost_answers_change_nothing() -> None:
    marks = Marks(Lossy(MemoryStore(), "applied/"), PLANNED)
    begun = marks.begin(7, MINE)

    assert begun.mark == MINE
    assert marks.finish(7, begun, outcome()) == outcome()


def test_a_mark_in_other_hands_is_not_written() -> None:
    store = MemoryStore()
    marks = Marks(store, PLANNED)
    begun = marks.begin(7, MINE)
    store.write(f"applied/{PLANNED}/000007.json", store.objects[f"applied/{PLANNED}/000007.json"].data)

    with pytest.raises(Fenced, match="is in other hands"):
        marks.finish(7, begun, outcome())


@pytest.mark.parametrize(
    ("name", "content"),
    [("000001.json", b"{"), ("000001.json", b""), ("000001.json", b"\xff"), ("000001.json", b'{"run": "\xff"}')],
)
def test_a_damaged_mark_is_never_taken_for_none(name: str, content: bytes) -> None:
    store = MemoryStore()
    store.write(f"applied/{PLANNED}/{name}", content)

    with pytest.raises(Damaged):
        Marks(store, PLANNED).all()


@pytest.mark.parametrize("name", ["x", "-1", "1x", "0/1", ""])
def test_a_mark_of_no_item_is_damage(name: str) -> None:
    """However well it reads: nobody knows of what it is."""
    store = MemoryStore()
    store.write(f"applied/{PLANNED}/{name}.json", msgspec.json.encode(MINE))

    with pytest.raises(Damaged, match=f"'applied/{PLANNED}/{name}.json' is no mark of an item; remove it."):
        Marks(store, PLANNED).all()


def test_lines_are_in_the_order_of_the_items() -> None:
    lines = list(as_lines([outcome(2), outcome(1)]))

    assert [line[-1:] for line in lines] == [b"\n", b"\n"]
    assert [b'"item":1' in line for line in lines] == [True, False]


def test_what_is_no_mark_is_none() -> None:
    """A file that a write has left half done beside them is not one, and says nothing."""
    store = MemoryStore()
    store.write(f"applied/{PLANNED}/000007.json.part", b"{")
    marks = Marks(store, PLANNED)
    marks.begin(7, MINE)

    assert {number: each.mark for number, each in marks.all().items()} == {7: MINE}


def test_what_another_run_ended_is_not_told_as_ones_own() -> None:
    """However its mark came to stand there."""
    store = MemoryStore()
    marks = Marks(store, PLANNED)
    begun = marks.begin(7, MINE)
    other = Mark(run=AGAIN, begun=NOW, before={}, outcome=outcome())
    store.write(f"applied/{PLANNED}/000007.json", msgspec.json.encode(other))

    with pytest.raises(Fenced, match=f"item 7 of the plan in 'applied/{PLANNED}' is in other hands"):
        marks.finish(7, begun, outcome())
    assert marks.all()[7].mark == other


def test_what_a_line_does_not_say_is_not_so() -> None:
    """A line says only what matters; nothing was sent, and nothing is in doubt, unless it says so."""
    said = {"plan": PLANNED, "item": 1, "resource_id": "/x", "subscription_id": "s", "rule": "r", "action": "delete"}
    line = msgspec.json.encode({**said, "outcome": "skipped", "at": NOW})

    read = msgspec.json.decode(line, type=Outcome)

    assert (read.unread, read.unsure, read.writes) == (False, False, 0)
    assert (read.reason, read.change, read.before, read.after, read.tombstone) == (None, None, None, None, None)


def test_what_was_to_be_done_is_said_in_words() -> None:
    change = TagChange(set={"owner": "team@example.com"})
    changed = msgspec.structs.replace(outcome(), change=change)
    deleted = msgspec.structs.replace(outcome(result=Result.DELETED), action=Action.DELETE, change=None)

    assert (changed.words, deleted.words) == (change.words, "delete it")


@pytest.mark.parametrize(
    ("actions", "counted"),
    [
        ((Action.CHANGE_TAGS,), ["changed", "skipped", "failed"]),
        ((Action.DELETE,), ["deleted", "deleting", "skipped", "failed"]),
        ((Action.CHANGE_TAGS, Action.DELETE), ["changed", "deleted", "deleting", "skipped", "failed"]),
    ],
)
def test_counts_are_of_the_ways_in_which_the_plan_can_end(actions: tuple[Action, ...], counted: list[str]) -> None:
    """Those that did not happen are 0, and those that cannot are not there."""
    items = [msgspec.structs.replace(planned(group_id("s", "g"), TagChange(), {}), action=each) for each in actions]
    store = MemoryStore()
    run = Run(id=PLANNED, job="cleanup", mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=NOW)
    plan = Plans(store).save(make_plan(run, items, {}, NOW))

    assert tally([], plan) == dict.fromkeys(counted, 0)
    ends = [outcome(number, Result(each)) for number, each in enumerate([*counted, *counted[:1]])]
    assert tally(ends, plan) == dict.fromkeys(counted, 1) | {counted[0]: 2}
