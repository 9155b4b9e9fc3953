"""A plan: fixed by its digest, and never applied when it is not what was written."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.errors import Damaged, InvalidRequest, Unknown
from shared_code.model import Kind, TagChange
from shared_code.plan import (
    LIFETIME,
    MOST_BYTES,
    MOST_ITEMS,
    Action,
    Plan,
    PlanItem,
    Plans,
    by_type,
    choose,
    digest_of,
    is_in,
    make_plan,
)
from shared_code.runs import Mode, Run, TriggeredBy
from shared_code.tag_rules import RuleMode
from tests.fakes import NOW
from tests.memory_store import MemoryStore

ID = "20261122T060000Z-tag-audit-9c01f2ab"
RUN = Run(id=ID, job="tag-audit", mode=Mode.PLAN, trigger=TriggeredBy.TIMER, requested=NOW)
SUBSCRIPTION = "5e000000-0000-4000-8000-000000000001"
READ = {SUBSCRIPTION: {Kind.RESOURCE: 10}}

texts = st.text(st.characters(codec="utf-8"), max_size=20)
tags = st.dictionaries(texts, texts, max_size=3)
names = st.text(st.sampled_from("abAB-_ é"), min_size=1, max_size=6)


@st.composite
def plan_items(draw: st.DrawFn) -> PlanItem:
    return PlanItem(
        resource_id=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{draw(names)}",
        subscription_id=SUBSCRIPTION,
        kind=draw(st.sampled_from(Kind)),
        rule=draw(names),
        mode=draw(st.sampled_from(RuleMode)),
        reason=draw(texts),
        seen=draw(st.dictionaries(texts, st.none() | texts, max_size=3)),
        change=TagChange(set=draw(tags), remove=tuple(draw(st.lists(texts, max_size=2)))),
        evidence=draw(tags),
    )


def plan_of(*items: PlanItem) -> Plan:
    return make_plan(RUN, items, READ, NOW)


@given(st.lists(plan_items(), max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(items: list[PlanItem], chance: object) -> None:
    shuffled = list(items)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types its Random as an object

    assert plan_of(*items) == plan_of(*shuffled)


@given(st.lists(plan_items(), max_size=3))
def test_what_was_written_is_read(items: list[PlanItem]) -> None:
    plans = Plans(MemoryStore())
    plan = plans.save(plan_of(*items))

    assert plans.get(ID) == plan
    assert plan.digest == digest_of(plan)


def test_the_digest_is_the_same_in_every_version() -> None:
    """Whoever approves a plan may have read it before an upgrade; and no order of tags in memory is part of it."""
    item = msgspec.json.decode(line_of(7), type=PlanItem)
    plans = [plan_of(msgspec.structs.replace(item, seen=seen)) for seen in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})]

    assert {each.digest for each in plans} == {"2d3682510f3c189d1a05e5c611d0e3f60b812f05f675a53925c3dc7e7f86e1b2"}


@settings(max_examples=1000)
@given(st.lists(plan_items(), min_size=1, max_size=2), st.data())
def test_a_changed_byte_is_no_plan_any_more(items: list[PlanItem], data: st.DataObject) -> None:
    """Unless it means nothing."""
    store = MemoryStore()
    plan = Plans(store).save(plan_of(*items))
    content = bytearray(store.objects[f"plans/{ID}.json"].data)
    place = data.draw(st.integers(0, len(content) - 1))
    match data.draw(st.sampled_from(("replace", "insert", "remove"))):
        case "replace":
            content[place] = data.draw(st.integers(0, 255))
        case "insert":
            content.insert(place, data.draw(st.integers(0, 255)))
        case _:
            del content[place]
    store.write(f"plans/{ID}.json", bytes(content))

    try:
        found = Plans(store).get(ID)
    except Damaged:
        return
    assert found == plan


@given(plan_items(), plan_items())
def test_each_field_of_an_item_counts(one: PlanItem, other: PlanItem) -> None:
    for field in PlanItem.__struct_fields__:
        changed = msgspec.structs.replace(one, **{field: getattr(other, field)})
        assert (plan_of(one).digest == plan_of(changed).digest) is (one == changed)


def test_each_field_of_the_plan_counts() -> None:
    plan = plan_of()
    later = NOW + timedelta(microseconds=1)
    others = {
        "id": "20261122T060000Z-tag-audit-00000000",
        "job": "cleanup",
        "run": "other",
        "created": later,
        "expires": later,
        "read": {SUBSCRIPTION: {Kind.RESOURCE: 11}},
        "version": 2,
    }

    digests = {digest_of(msgspec.structs.replace(plan, **{name: value})) for name, value in others.items()}
    assert len(digests | {plan.digest}) == len(others) + 1


def test_it_expires_three_days_after_it_was_made_in_utc() -> None:
    plan = make_plan(RUN, (), {}, datetime(2026, 11, 22, 8, tzinfo=timezone(timedelta(hours=2))))

    assert (plan.created, plan.expires) == (NOW, NOW + LIFETIME)
    assert plan.created.tzinfo is UTC
    assert timedelta(hours=72) == LIFETIME


def test_the_plan_of_an_earlier_attempt_stays() -> None:
    plans = Plans(MemoryStore())
    first = plans.save(plan_of())

    assert plans.save(make_plan(RUN, (), {}, NOW + timedelta(minutes=1))) == first


def test_a_plan_under_another_name_is_none() -> None:
    store, other = MemoryStore(), "20261122T060000Z-tag-audit-00000000"
    Plans(store).save(plan_of())
    store.write(f"plans/{other}.json", store.objects[f"plans/{ID}.json"].data)

    with pytest.raises(Damaged, match="does not have the digest it says: it was changed after it was written"):
        Plans(store).get(other)


@pytest.mark.parametrize("name", ["", "x", "../runs/a", f"{ID}/..", ID])
def test_an_unknown_plan(name: str) -> None:
    with pytest.raises(Unknown, match="There is no plan"):
        Plans(MemoryStore()).get(name)


def test_newest_first() -> None:
    store = MemoryStore()
    for name in (ID, "20261123T060000Z-tag-audit-00000000"):
        store.write(f"plans/{name}.json", b"")

    assert list(Plans(store).newest()) == ["20261123T060000Z-tag-audit-00000000", ID]


@pytest.mark.parametrize(
    "resource_id",
    [
        "/subscriptions/other/resourceGroups/g",
        f"/subscriptions/{SUBSCRIPTION}/../other/resourceGroups/g",
        f"/subscriptions/{SUBSCRIPTION}/%2e%2e/other",
        f"/subscriptions/{SUBSCRIPTION}/%252e%252E/other",
        f"/subscriptions/{SUBSCRIPTION}/a%2F..%2Fb",
        f"/subscriptions/{SUBSCRIPTION}/a\\..\\b",
        f"/subscriptions/{SUBSCRIPTION}/./a",
        f"//host/subscriptions/{SUBSCRIPTION}",
        f"https://host/subscriptions/{SUBSCRIPTION}",
        f"/providers/x/subscriptions/{SUBSCRIPTION}",
        "/subscriptions/",
        "",
    ],
)
def test_an_id_that_might_lead_elsewhere_is_in_no_plan(resource_id: str) -> None:
    item = PlanItem(
        resource_id=resource_id,
        subscription_id=SUBSCRIPTION,
        kind=Kind.RESOURCE,
        rule="r",
        mode=RuleMode.APPROVE,
        reason="",
        seen={},
        change=TagChange(),
    )

    with pytest.raises(InvalidRequest):
        plan_of(item)


@pytest.mark.parametrize(
    "rest", ["", "/resourceGroups/G", "/resourcegroups/a.b/providers/X.Y/z/..n", "/a%20b/c%2fd", "/providers//x"]
)
def test_an_id_in_its_subscription(rest: str) -> None:
    assert is_in(f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}{rest}", SUBSCRIPTION)


def line_of(number: int, padding: int = 0) -> bytes:
    """An item as the part of a run has it."""
    item = PlanItem(
        resource_id=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/disks/{number:05}",
        subscription_id=SUBSCRIPTION,
        kind=Kind.RESOURCE,
        rule="unattached-disk",
        mode=RuleMode.APPROVE,
        reason="no machine uses it",
        seen={},
        definition={"padding": "x" * padding},
    )
    return msgspec.json.encode(item)


def test_items_by_type() -> None:
    """The most frequent first, then by name; spellings of one type are one; without a type the kind counts."""
    one = msgspec.json.decode(line_of(0), type=PlanItem)
    types = ("A/b", "A/c", "a/B", "A/a", "A/B", "A/C", None)

    counted = by_type(msgspec.structs.replace(one, type=each, action=Action.DELETE) for each in types)

    assert list(counted.items()) == [("A/b", 3), ("A/c", 2), ("A/a", 1), (one.kind, 1)]


class TestChoose:
    """A plan has to fit into the memory of who looks at it."""

    def test_all_that_there_is_room_for(self) -> None:
        items, more = choose(line_of(number) for number in (2, 1))

        assert ([each.resource_id[-5:] for each in items], more) == (["00001", "00002"], 0)

    def test_the_first_by_resource_id(self) -> None:
        """So that a later run goes on where this one ended."""
        items, more = choose(line_of(number) for number in reversed(range(MOST_ITEMS + 3)))

        assert (len(items), more) == (MOST_ITEMS, 3)
        assert [each.resource_id[-5:] for each in items] == [f"{number:05}" for number in range(MOST_ITEMS)]

    def test_one_that_just_fits(self) -> None:
        bare = len(line_of(1))

        items, more = choose([line_of(1, MOST_BYTES - bare)])

        assert (len(items), more) == (1, 0)
        assert choose([line_of(1, MOST_BYTES - bare + 1)]) == ([], 1)

    def test_long_ones(self) -> None:
        items, more = choose(line_of(number, 1024 * 1024) for number in range(70))

        assert (len(items), more) == (63, 7)
        assert len(msgspec.json.encode(items)) <= MOST_BYTES

    def test_nothing(self) -> None:
        assert choose([]) == ([], 0)
