"""What was told: every audience hears of each sighting and stage once, whatever fails and whoever looks."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.errors import Changed, Damaged
from shared_code.notices.memory import Entry, Memory, owed, remembered, side_by_side, word
from shared_code.notices.things import Place, Stage, Thing
from shared_code.tag_rules import RuleMode
from tests.memory_store import MemoryStore

BEGIN = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
AUDIENCES = ("json://ops.example.com", "owner")


def thing(number: int, first_seen: datetime, stage: Stage | None) -> Thing:
    return Thing(
        rule=f"rule-{number % 2}",
        resource_id=f"/subscriptions/s/resourceGroups/rg-{number // 2}",
        subscription_id="s",
        first_seen=first_seen,
        stage=stage,
        mode=RuleMode.NOTIFY,
    )


class Round(NamedTuple):
    """What one run sees: of each thing its stage, "silent" or None if it is gone; what is complete, who answers."""

    stages: tuple[str | None, ...]
    complete: bool
    answers: tuple[bool, bool]


def _never(_: str) -> bool:
    return False


def _always(_: str) -> bool:
    return True


rounds = some.lists(
    some.builds(
        Round,
        some.tuples(*[some.sampled_from([None, "found", "found", "planned", "silent"])] * 4),
        some.booleans(),
        some.tuples(some.booleans(), some.booleans()),
    ),
    max_size=8,
)


@given(rounds)
def test_each_sighting_is_told_once_at_each_stage(looks: list[Round]) -> None:
    """A model that keeps sets says the same of what is owed as the memory does."""
    store = MemoryStore()
    seen_since: dict[int, datetime] = {}
    knows: dict[tuple[int, datetime, str], set[str]] = {}
    told: Counter[tuple[int, datetime, str, Stage]] = Counter()
    for number, look in enumerate(looks):
        now = BEGIN + number * timedelta(days=1)
        things = []
        for place, stage in enumerate(look.stages):
            if stage is None and look.complete:
                seen_since.pop(place, None)
            elif stage is not None:
                seen_since.setdefault(place, now)
                things.append(thing(place, seen_since[place], None if stage == "silent" else Stage(stage)))
        memory = Memory(store, "tag-audit")
        words: dict[Place, list[str]] = {}
        for entry, each in side_by_side(memory.entries(), things):
            if each is None:
                continue
            place = next(name for name in range(4) if thing(name, now, None).place == each.place)
            for audience, answers in zip(AUDIENCES, look.answers, strict=True):
                mine = knows.setdefault((place, seen_since[place], audience), set())
                stages = owed(entry, each, audience)
                wanted = {"found": {"found"}, "planned": {"found", "planned"}, "None": set()}[str(each.stage)]
                assert set(map(str, stages)) == (set() if "planned" in mine else wanted - mine)
                if answers:
                    mine.update(map(str, stages))
                    told.update((place, seen_since[place], audience, stage) for stage in stages)
                    words.setdefault(each.place, []).extend(word(audience, stage) for stage in stages)
        lasts = _never if look.complete else _always
        kept = (
            remembered(entry, each, words.get(each.place, ()) if each else (), lasts)
            for entry, each in side_by_side(memory.entries(), things)
        )
        memory.keep(f"run-{number}", [entry for entry in kept if entry is not None])

    assert all(times == 1 for times in told.values())


def test_who_knows_of_the_plan_need_not_hear_that_it_was_found() -> None:
    """As where something around it could not be read for a day, and it waits anew."""
    entry = Entry(rule="rule-0", resource_id=thing(0, BEGIN, None).resource_id, first_seen=BEGIN, told=("a planned",))

    assert owed(entry, thing(0, BEGIN, Stage.FOUND), "a") == ()
    assert owed(entry, thing(0, BEGIN, Stage.FOUND), "b") == (Stage.FOUND,)


def test_things_out_of_order_are_an_error() -> None:
    """Otherwise some would be told again, and others never."""
    things = [thing(2, BEGIN, Stage.FOUND), thing(0, BEGIN, Stage.FOUND)]

    with pytest.raises(Damaged, match="not in the order"):
        list(side_by_side([], things))


def test_two_processes_do_not_overwrite_each_other() -> None:
    store = MemoryStore()
    mine, theirs = Memory(store, "cleanup"), Memory(store, "cleanup")
    entry = Entry(rule="r", resource_id="/subscriptions/s", first_seen=None, told=("owner found",))
    theirs.keep("run-2", [entry])

    with pytest.raises(Changed):
        mine.keep("run-1", [])

    assert list(Memory(store, "cleanup").entries()) == [entry]


def test_only_one_version_is_kept() -> None:
    store = MemoryStore()
    for number in range(3):
        Memory(store, "cleanup").keep(f"run-{number}", [])

    assert [*store.keys("notified")] == ["notified/cleanup.json", "notified/cleanup/run-2.ndjson"]


@pytest.mark.parametrize("key", ["notified/cleanup.json", "notified/cleanup/run-1.ndjson"])
def test_a_damaged_memory_is_named(key: str) -> None:
    store = MemoryStore()
    Memory(store, "cleanup").keep("run-1", [])
    store.write(key, b"{\n")

    with pytest.raises(Damaged, match=key):
        list(Memory(store, "cleanup").entries())
