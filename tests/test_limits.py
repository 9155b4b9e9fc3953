"""Limits on one application of a plan: over one of them, nothing is written."""

import msgspec
import pytest

from shared_code.limits import excess
from shared_code.model import Kind, TagChange
from shared_code.plan import Action, PlanItem
from shared_code.tag_rules import RuleMode


def items(count: int, kind: Kind = Kind.RESOURCE, subscription: str = "s", rule: str = "r") -> list[PlanItem]:
    return [
        PlanItem(
            resource_id=f"/subscriptions/{subscription}/resourceGroups/g/providers/a.b/c/{number}",
            subscription_id=subscription,
            kind=kind,
            rule=rule,
            mode=RuleMode.APPROVE,
            reason="so",
            seen={},
            change=TagChange(set={"a": "b"}),
        )
        for number in range(count)
    ]


READ: dict[str, dict[str, int]] = {"s": {Kind.RESOURCE: 100, Kind.RESOURCE_GROUP: 3}}


def test_up_to_the_count_is_allowed_and_one_more_is_not() -> None:
    assert excess(items(20), READ, 20, 1) is None
    assert excess(items(21), READ, 20, 1) == "21 changes are more than the limit of 20 (max_changes)"


@pytest.mark.parametrize(("share", "allowed"), [(0.2, 20), (0.29, 29), (0.07, 7), (1.0, 100), (0.001, 1), (0.0, 1)])
def test_the_share_is_exact(share: float, allowed: int) -> None:
    assert excess(items(allowed), READ, 1000, share) is None
    assert excess(items(allowed + 1), READ, 1000, share) is not None


def test_the_numbers_are_said() -> None:
    assert excess(items(30), READ, 500, 0.2) == (
        "changes to 30 resources of 100 read in subscription 's' are more than the limit of 20 (max_share 0.2)"
    )


def test_each_kind_counts_by_itself() -> None:
    found = excess([*items(5), *items(2, Kind.RESOURCE_GROUP)], READ, 500, 0.3)

    assert found is not None
    assert "2 resource groups of 3" in found


def test_two_rules_about_one_resource_touch_it_once() -> None:
    assert excess([*items(20), *items(20, rule="other")], READ, 500, 0.2) is None


def test_one_of_a_kind_may_always_be_touched() -> None:
    assert excess(items(1, Kind.RESOURCE_GROUP), READ, 500, 0.2) is None


def test_what_was_not_counted_is_not_touched() -> None:
    found = excess(items(1, subscription="other"), READ, 500, 1)

    assert found is not None
    assert "of 0 read" in found


def test_what_goes_along_with_a_group_counts_too() -> None:
    """One group with a hundred disks is more than a hundred deletions."""
    group = PlanItem(
        resource_id="/subscriptions/s/resourceGroups/g",
        subscription_id="s",
        kind=Kind.RESOURCE_GROUP,
        type="Microsoft.Resources/resourceGroups",
        rule="expired",
        mode=RuleMode.APPROVE,
        reason="so",
        action=Action.DELETE,
        seen={},
        members=tuple(f"/subscriptions/s/resourceGroups/g/providers/A.B/c/{number}" for number in range(100)),
    )
    read = {"s": {"microsoft.resources/resourcegroups": 50, "a.b/c": 400}}

    assert excess([group], read, 101, 0.25) is None
    assert excess([group], read, 100, 0.25) == "101 deletions are more than the limit of 100 (max_deletions)"
    assert excess([group], read, 101, 0.2) == (
        "deletions of 100 A.B/c of 400 read in subscription 's' are more than the limit of 80 (max_share 0.2)"
    )


def group_of(*members: str, subscription: str = "s", name: str = "g") -> PlanItem:
    """A resource group that would be deleted with what is in it."""
    return PlanItem(
        resource_id=f"/subscriptions/{subscription}/resourceGroups/{name}",
        subscription_id=subscription,
        kind=Kind.RESOURCE_GROUP,
        type="Microsoft.Resources/resourceGroups",
        rule="expired",
        mode=RuleMode.APPROVE,
        reason="so",
        action=Action.DELETE,
        seen={},
        members=members,
    )


def test_a_type_is_said_as_azure_spells_it() -> None:
    """That of an item, and that of what goes along with one; the first that comes, as they count as one."""
    own = "/subscriptions/s/resourceGroups/g/providers/A.B/c/"
    disks = [
        msgspec.structs.replace(each, type=type_) for each, type_ in zip(items(2), ("A.B/C", "a.b/c"), strict=True)
    ]
    read = {"s": {"microsoft.resources/resourcegroups": 50, "a.b/c": 10}}

    assert "of 2 A.B/c of 10 read" in (excess([group_of(f"{own}1", f"{own}2".upper())], read, 500, 0.1) or "")
    assert "to 2 A.B/C of 10 read" in (excess(disks, read, 500, 0.1) or "")


def test_the_spelling_of_a_subscription_is_no_way_around_its_share() -> None:
    """Ten here and eleven there are twenty-one in one subscription."""
    mixed = [*items(21, subscription="s")[:10], *items(21, subscription="S")[10:]]

    assert excess(mixed[:20], READ, 500, 0.2) is None
    assert "21 resources of 100" in (excess(mixed, READ, 500, 0.2) or "")


def test_the_spelling_of_an_id_does_not_make_it_two() -> None:
    """Whether it is an item itself or goes along with its group."""
    own = "/subscriptions/s/resourceGroups/g/providers/A.B/c/1"
    read = {"s": {"microsoft.resources/resourcegroups": 50, "a.b/c": 10}}
    spelled = msgspec.structs.replace(items(1)[0], resource_id=items(1)[0].resource_id.upper())

    assert excess([*items(1), spelled], READ, 500, 0.01) is None
    assert excess([group_of(own), group_of(own.upper(), subscription="S", name="h")], read, 500, 0.1) is None


def test_of_several_limits_the_same_one_is_always_said() -> None:
    """A person who asks twice is told the same."""
    read = {"s": {"microsoft.resources/resourcegroups": 50, **{f"a.b/c{number}": 10 for number in range(9)}}}
    members = [f"/subscriptions/s/resourceGroups/g/providers/a.b/c{kind}/{one}" for kind in range(9) for one in "xy"]

    found = excess([group_of(*members)], read, 500, 0.1)

    assert found == "deletions of 2 a.b/c0 of 10 read in subscription 's' are more than the limit of 1 (max_share 0.1)"


@pytest.mark.parametrize(
    ("kind", "named"),
    [(Kind.SUBSCRIPTION, "subscriptions"), (Kind.RESOURCE_GROUP, "resource groups"), (Kind.RESOURCE, "resources")],
)
def test_kinds_have_names(kind: Kind, named: str) -> None:
    found = excess(items(2, kind), {"s": {kind: 5}}, 500, 0.2)

    assert found == f"changes to 2 {named} of 5 read in subscription 's' are more than the limit of 1 (max_share 0.2)"
