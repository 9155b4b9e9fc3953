"""Owners: a tag on the thing, else on its group, read only where somebody asks."""

from shared_code.errors import AzureError
from shared_code.model import Kind, Subscription
from shared_code.notices.owners import Owners
from shared_code.plan import PlanItem
from shared_code.resource_ids import key
from shared_code.tag_rules import RuleMode
from tests.fakes import FakeEstate, resource, resource_group, resource_id, subscription

ONE = subscription(1)
GROUP = resource_group(ONE, "rg-a", {"Owner": "group@example.com"})
BARE = resource_group(ONE, "rg-b")
OWN, PLAIN, NONE = resource_id(GROUP, "own"), resource_id(GROUP, "plain"), resource_id(BARE, "none")


def estate(**more: object) -> FakeEstate:
    tagged = resource(OWN.upper(), tags={"OWNER": "own@example.com"})
    return FakeEstate([ONE], {ONE.id: [[GROUP], [BARE]]}, {ONE.id: [[tagged, PLAIN], [NONE]]}, **more)  # type: ignore[arg-type]


def read(reader: FakeEstate, *wanted: str, out_of_time: bool = False) -> Owners:
    owners = Owners("owner")
    owners.read(reader, [(ONE.id, each) for each in wanted], {key(ONE.id): ONE}, lambda: out_of_time)
    return owners


def test_the_nearest_tag_counts() -> None:
    """Keys and ids are compared without case."""
    owners = read(estate(), OWN, PLAIN, NONE)

    assert [owners.of(each) for each in (OWN, PLAIN, NONE)] == ["own@example.com", "group@example.com", None]
    assert owners.unread == {}


def test_for_groups_no_resource_is_read() -> None:
    reader = estate()

    assert read(reader, GROUP.id).of(GROUP.id) == "group@example.com"
    assert [name for name, _ in reader.reads] == ["resource_groups"]


def test_a_subscription_has_an_owner_too() -> None:
    tagged = Subscription(ONE.id, ONE.name, "Enabled", {"owner": "whole@example.com"})
    reader = FakeEstate([tagged])
    own = f"/subscriptions/{ONE.id}"

    assert read(reader, own).of(own) == "whole@example.com"
    assert [name for name, _ in reader.reads] == ["subscriptions"]


def test_what_a_plan_has_seen_is_not_read_again() -> None:
    """And what it was made about may be gone by now."""
    reader, owners = estate(), Owners("owner")
    item = PlanItem(
        resource_id=OWN,
        subscription_id=ONE.id,
        kind=Kind.RESOURCE,
        rule="r",
        mode=RuleMode.APPROVE,
        reason="",
        seen={"owner": "seen@example.com"},
    )
    owners.take([item])
    owners.read(reader, [(ONE.id, OWN)], {}, lambda: False)

    assert owners.of(OWN) == "seen@example.com"
    assert reader.reads == []


def test_what_cannot_be_read_is_unread_and_not_without_an_owner() -> None:
    for place in (("resource_groups", ONE.id, 1), ("resources", ONE.id, 2), ("subscriptions", "", 1)):
        owners = read(estate(fail_on={place: AzureError("403")}), NONE, f"/subscriptions/{ONE.id}")
        assert owners.unread == {key(ONE.id): "403"}


def test_where_there_is_no_time_left_nobody_knows() -> None:
    assert "no time left" in read(estate(), OWN, out_of_time=True).unread[key(ONE.id)]
