"""The estates of our own: `demo` can be read and shown, `odd` has every irregularity and says where."""

import json
import re

import pytest
import requests
from msgspec import UNSET

from devkit.simulator import Subscription, load_estate
from devkit.simulator.exchange import json_reply
from devkit.simulator.model import Estate
from tests.simulator.client import Client

DEMO = load_estate("demo")
ODD = load_estate("odd")
CLEANUP = load_estate("cleanup")
READABLE = [each for each in ODD.subscriptions if not each.trouble]
UNREADABLE = [each for each in ODD.subscriptions if each.trouble]
EXPANDED = "?api-version=2022-09-01&$expand=createdTime,changedTime,provisioningState"


def test_an_unknown_estate_is_refused() -> None:
    """The sentence names the ones there are."""
    with pytest.raises(ValueError, match="there is no estate 'huge'; there are 'demo', 'cleanup', 'odd', 'generated'"):
        load_estate("huge")


@pytest.mark.parametrize("estate", [DEMO, CLEANUP, ODD], ids=lambda estate: estate.name)
def test_subscriptions_and_groups_are_unique(estate: Estate) -> None:
    """No subscription id twice, and within a subscription no group name twice, whatever the case."""
    ids = [each.id for each in estate.subscriptions]
    assert len(set(ids)) == len(ids)
    for subscription in estate.subscriptions:
        names = [group.name.casefold() for group in subscription.resource_groups]
        assert len(set(names)) == len(names)


def test_demo_is_worth_showing() -> None:
    """Three enabled subscriptions and a disabled one, about 16 groups and 60 resources, no trouble at all."""
    assert [each.state for each in DEMO.subscriptions] == ["Enabled", "Enabled", "Enabled", "Disabled"]
    assert len(list(DEMO.resource_groups)) == 16
    assert 50 <= sum(each.resource_count for each in DEMO.subscriptions) <= 70
    assert not any(each.trouble or each.faults for each in DEMO.subscriptions)


def test_demo_has_what_the_jobs_look_for() -> None:
    """Missing and empty tags, a date to delete after, a protected group, managed and system groups."""
    groups = {group.name: group for group in DEMO.resource_groups}

    assert groups["rg-spike-recommendations"].tags is UNSET
    assert groups["rg-load-test"].tags == {"environment": "test", "cost-center": ""}
    preview = groups["rg-shop-preview-1482"].tags
    assert isinstance(preview, dict)
    assert preview["delete-after"] == "2026-06-30"
    managed = [group for group in groups.values() if group.managed_by is not UNSET]
    assert [group.name[:3] for group in managed] == ["MC_"]
    assert groups["NetworkWatcherRG"].managed_by is UNSET


def test_demo_names_no_person() -> None:
    """Owners are mailboxes of teams under example.com."""
    text = json_reply([each.resource_groups for each in DEMO.subscriptions]).body.decode()

    assert set(re.findall(r"[\w.-]+@[\w.-]+", text)) == {
        "shop-team@example.com",
        "data-team@example.com",
        "platform-team@example.com",
    }


@pytest.mark.parametrize("subscription", READABLE, ids=lambda each: each.name[:12])
def test_odd_subscriptions_are_read_completely_by_a_careful_client(odd: Client, subscription: Subscription) -> None:
    """Following every nextLink as it is finds everything, however odd the pages are."""

    def all_items(path: str) -> list[str]:
        for _ in range(3):
            try:
                return [each["id"] for each in odd.items(f"/subscriptions/{subscription.id}/{path}")]
            except AssertionError as error:  # a hiccup that passes: Azure says so in the answer
                assert "error" in json.loads(str(error).partition("\n")[0])  # noqa: PT017
        pytest.fail("the hiccup did not pass")

    assert all_items("resourcegroups") == [each.id for each in subscription.resource_groups]
    assert all_items(f"resources{EXPANDED}") == [each.id for each in subscription.resources]


@pytest.mark.parametrize("subscription", UNREADABLE, ids=lambda each: each.trouble)
@pytest.mark.parametrize("lists", ["resourcegroups", "resources"])
def test_odd_subscriptions_that_cannot_be_read(odd: Client, subscription: Subscription, lists: str) -> None:
    """No client that looks at every answer takes what it got for the whole list."""
    target = f"/subscriptions/{subscription.id}/{lists}"
    seen: set[str] = set()
    complete = False
    while target not in seen:
        seen.add(target)
        try:
            answer = odd.get(target)
            page = answer.json()
        except (requests.ConnectionError, requests.exceptions.RequestException):
            break
        if answer.status_code != 200 or "value" not in page:
            break
        if "nextLink" not in page:
            complete = True
            break
        target = page["nextLink"]
        if not target.startswith(odd.simulator.url):
            break

    assert not complete


def test_troubles_are_distinct() -> None:
    """Each subscription that cannot be read has a cause of its own."""
    assert len({each.trouble for each in UNREADABLE}) == len(UNREADABLE) == 14


def test_whoever_follows_a_next_link_to_another_host_is_seen(odd: Client) -> None:
    """The other host is the same server: it hands out an item that belongs nowhere, and the log names the host."""
    elsewhere = next(each for each in UNREADABLE if "another host" in each.trouble)
    link = odd.get(f"/subscriptions/{elsewhere.id}/resources").json()["nextLink"]
    assert link.startswith("https://localhost:")

    bait = odd.get(link).json()["value"]

    assert bait[0]["name"] == "read-from-another-host"
    assert odd.simulator.requests[-1].host.startswith("localhost:")


def test_trouble_waits_for_the_second_page(odd: Client) -> None:
    """Some lists begin well: the first page is no proof."""
    html = next(each for each in UNREADABLE if "HTML on page 2" in each.trouble)

    for _ in range(2):
        first = odd.get(f"/subscriptions/{html.id}/resourcegroups")
        assert first.status_code == 200
        assert odd.get(first.json()["nextLink"]).status_code == 503


def test_tags_come_missing_empty_and_null(odd: Client) -> None:
    """Oddity 19."""
    groups = {each["name"]: each for each in odd.items(f"/subscriptions/{READABLE[1].id}/resourcegroups")}

    assert "tags" not in groups["rg-tags-missing"]
    assert groups["rg-tags-empty"]["tags"] == {}
    assert groups["rg-tags-null"]["tags"] is None


def test_a_resource_is_spelled_differently_in_its_groups_list(odd: Client) -> None:
    """Compute ids are in UPPER CASE in the subscription's list only (oddity 10)."""
    path = f"/subscriptions/{READABLE[0].id}"
    everywhere = {each["name"]: each["id"] for each in odd.items(f"{path}/resources")}
    in_group = {each["name"]: each["id"] for each in odd.items(f"{path}/resourceGroups/RG-casing/resources")}

    assert "/resourceGroups/RG-CASING/" in everywhere["vm-one"]
    assert "/resourceGroups/rg-Casing/" in in_group["vm-one"]


def test_subscriptions_lack_optional_keys(odd: Client) -> None:
    """Tenant, source and spending limit may be absent; states differ (oddity 65)."""
    listed = {each["displayName"]: each for each in odd.items("/subscriptions?api-version=2022-12-01")}

    assert {"tenantId", "authorizationSource", "managedByTenants"}.isdisjoint(listed["Owners, times and states"])
    assert "spendingLimit" not in listed["Owners, times and states"]["subscriptionPolicies"]
    assert {each["state"] for each in listed.values()} == {"Enabled", "Warned", "Disabled"}
    assert len(listed) == len(ODD.subscriptions)


def test_states_and_times(odd: Client) -> None:
    """States in three spellings, null and absent; times in six forms and absent (oddities 60, 61)."""
    found = odd.items(f"/subscriptions/{READABLE[2].id}/resources{EXPANDED}")

    states = [each.get("provisioningState", "absent") for each in found]
    assert {"Succeeded", "succeeded", "SUCCEEDED", None, "absent", "Failed"} <= set(states)
    times = {each["name"]: each.get("createdTime") for each in found}
    assert times["no-times"] is None
    assert times["no-zone"] == "2026-05-12T15:46:05.1234567"
    assert times["us-form"] == "10/19/2019 1:59:57 PM"
