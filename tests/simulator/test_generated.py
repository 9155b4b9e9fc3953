"""Generated estates: of the size that was asked for, the same every time, and as mixed as real ones."""

import re
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec import UNSET

from devkit.simulator import Estate, Simulator, load_estate
from devkit.simulator.exchange import json_reply
from tests.simulator.client import Client

ESTATE = load_estate("generated", subscriptions=8, groups=300, resources=12_000, seed=1)
RESOURCES = [each for subscription in ESTATE.subscriptions for each in subscription.resources]
GROUPS = list(ESTATE.resource_groups)
EXPANDED = "?api-version=2022-09-01&$expand=createdTime,changedTime,provisioningState"


def totals(estate: Estate) -> tuple[int, int, int]:
    subscriptions = estate.subscriptions
    groups = sum(each.group_count for each in subscriptions)
    return len(subscriptions), groups, sum(each.resource_count for each in subscriptions)


@settings(max_examples=40, deadline=None)
@given(
    subscriptions=some.integers(1, 12),
    groups=some.integers(1, 60),
    resources=some.integers(0, 300),
    seed=some.integers(0, 5),
)
def test_the_numbers_are_met_exactly(subscriptions: int, groups: int, resources: int, seed: int) -> None:
    """Groups and resources are totals over the estate; every id is there once."""
    estate = load_estate("generated", subscriptions=subscriptions, groups=groups, resources=resources, seed=seed)

    assert totals(estate) == (subscriptions, groups, resources)
    ids = [each.id.casefold() for subscription in estate.subscriptions for each in subscription.resources]
    assert len(set(ids)) == len(ids)
    assert len({each.id.casefold() for each in estate.resource_groups}) == groups


def test_as_many_groups_as_azure_allows() -> None:
    """Every subscription is full, then."""
    estate = load_estate("generated", subscriptions=3, groups=3 * 980, resources=0)

    assert [each.group_count for each in estate.subscriptions] == [980, 980, 980]


def test_the_usual_size() -> None:
    """What is not said is this."""
    assert totals(load_estate("generated")) == (20, 400, 10_000)


def test_the_seed_alone_decides() -> None:
    """The same for the same numbers, another for another seed."""
    size = {"subscriptions": 2, "groups": 9, "resources": 80}
    texts = [json_reply(load_estate("generated", **size, seed=seed)).body for seed in (4, 4, 5)]

    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ({"subscriptions": 0}, "0 subscriptions are too few; an estate has 1 or more"),
        ({"groups": -1}, "groups, resources and seed are not negative"),
        ({"resources": -1}, "groups, resources and seed are not negative"),
        ({"subscriptions": 1, "groups": 981}, "981 resource groups do not fit into 1 subscriptions; each holds 980"),
        ({"groups": 0, "resources": 1}, "1 resources need a resource group to be in"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_impossible_numbers_are_refused(size: dict[str, int], sentence: str) -> None:
    """With the number and what it may be."""
    with pytest.raises(ValueError, match=sentence):
        load_estate("generated", **size)


def test_other_estates_have_no_size() -> None:
    """They are what they are."""
    with pytest.raises(ValueError, match=r"estate 'odd' .* groups, seed can be given for 'generated' only"):
        load_estate("odd", groups=1, seed=2)


def test_types_are_mixed_as_in_real_estates() -> None:
    """Many types, the usual ones most, some nested, some spelled in lower case."""
    types = Counter(each.type for each in RESOURCES)

    assert len(types) >= 40
    assert types.most_common(1)[0][1] < len(RESOURCES) / 8
    assert types["Microsoft.Storage/storageAccounts"] > 10 * types["Microsoft.Portal/dashboards"]
    assert all(each.name.count("/") == each.type.count("/") - 1 for each in RESOURCES)
    assert any(each.type.startswith("microsoft.") for each in RESOURCES)


def test_an_item_is_as_large_as_a_real_one() -> None:
    """About 640 bytes of JSON with all that can be expanded."""
    average = sum(len(msgspec.json.encode(each)) for each in RESOURCES) / len(RESOURCES)

    assert 580 < average < 700


def test_tags_are_as_mixed_as_real_ones() -> None:
    """Absent, null and empty; up to twelve; keys in several spellings, and values that are empty."""
    tags = [each.tags for each in RESOURCES]
    sizes = {len(each) for each in tags if isinstance(each, dict)}
    keys = Counter(key for each in tags if isinstance(each, dict) for key in each)

    assert UNSET in tags
    assert None in tags
    assert {0, 12} <= sizes <= set(range(13))
    assert {"owner", "Owner", "OWNER", "environment", "Environment", "env", "cost-center", "CostCenter"} <= keys.keys()
    assert keys["owner"] > keys["OWNER"]
    assert any("" in each.values() for each in tags if isinstance(each, dict))


def test_owners_are_mailboxes_of_teams() -> None:
    """Under example.com, and nobody's name."""
    found = set(re.findall(r"[\w.-]+@[\w.-]+", json_reply(GROUPS).body.decode()))

    assert found
    assert all(re.fullmatch(r"[a-z]+-team@example\.com", each) for each in found)


def test_ids_are_spelled_in_several_ways() -> None:
    """Groups in capitals and in lower case paths, as lists of whole subscriptions show them."""
    ids = [each.id for each in RESOURCES]

    assert any("/resourceGroups/RG-" in each for each in ids)
    assert any("/resourcegroups/rg-" in each for each in ids)


def test_what_else_real_resources_have() -> None:
    """Sku, kind, identity, owner, zones and plan, each on some."""
    for field in ("sku", "kind", "identity", "managed_by", "zones", "plan"):
        having = sum(getattr(each, field) is not UNSET for each in RESOURCES)
        assert 0 < having < len(RESOURCES), field


def test_times_are_spread_over_three_years() -> None:
    """In Azure's form, and nothing is changed before it is made."""
    created = [each.created_time for each in RESOURCES if isinstance(each.created_time, str)]

    assert {each[:4] for each in created} == {"2023", "2024", "2025", "2026"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", each) for each in created)
    assert all(each.created_time <= each.changed_time for each in RESOURCES)  # type: ignore[operator]


def test_some_groups_are_empty_managed_or_locked() -> None:
    """A few of each."""
    locks = [lock for each in ESTATE.subscriptions for lock in each.locks]

    assert 0 < sum(not group.resources for group in GROUPS) < 30
    assert 0 < sum(group.name.startswith("MC_") and group.managed_by is not UNSET for group in GROUPS) < 30
    assert 0 < len(locks) < 30


def test_it_is_served_like_any_other() -> None:
    """Every page, every item, and single things found by their ids."""
    estate = load_estate("generated", subscriptions=2, groups=40, resources=2_300, seed=2)
    with Simulator(estate) as simulator, Client(simulator) as client:
        for subscription in estate.subscriptions:
            listed = client.items(f"/subscriptions/{subscription.id}/resources{EXPANDED}")
            assert [each["id"] for each in listed] == [each.id for each in subscription.resources]
            for each in subscription.resources[::97]:
                assert client.get(each.id).status_code == 200
        below = client.items("/providers/Microsoft.Management/managementGroups/mg-root/descendants")
        assert {each["name"] for each in below} > {each.id for each in estate.subscriptions}
