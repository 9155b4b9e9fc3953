"""Marks: an item is claimed once, and its first outcome counts."""

import pytest

from shared_code.errors import Damaged, Fenced
from shared_code.model import TagChange
from shared_code.outcomes import Mark, Marks, Outcome, Result, as_lines
from shared_code.plan import Action
from tests.applying import AGAIN, APPLYING, PLANNED
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


@pytest.mark.parametrize(("name", "content"), [("000001.json", b"{"), ("x.json", b""), ("000001.json", b"\xff")])
def test_a_damaged_mark_is_never_taken_for_none(name: str, content: bytes) -> None:
    store = MemoryStore()
    store.write(f"applied/{PLANNED}/{name}", content)

    with pytest.raises(Damaged):
        Marks(store, PLANNED).all()


def test_lines_are_in_the_order_of_the_items() -> None:
    lines = list(as_lines([outcome(2), outcome(1)]))

    assert [line[-1:] for line in lines] == [b"\n", b"\n"]
    assert [b'"item":1' in line for line in lines] == [True, False]
