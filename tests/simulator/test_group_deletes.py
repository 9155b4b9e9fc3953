"""DELETE of a resource group: accepted, polled at a Location alone, and ended one way or another."""

import json
from typing import Any

import pytest

from devkit.simulator import load_estate
from devkit.simulator.estates.cleanup import WORKLOADS
from tests.simulator.in_process import Azure

GROUPS = f"/subscriptions/{WORKLOADS}/resourceGroups"
EXPIRED = f"{GROUPS}/rg-expired"


@pytest.fixture(name="azure")
def _azure() -> Azure:
    return Azure(load_estate("cleanup"))


def test_a_group_goes_with_all_that_is_in_it(azure: Azure) -> None:
    """Nothing but a Location, signed and another one each time (oddity 39)."""
    reply = azure.delete(EXPIRED)
    location = reply.headers["Location"]
    poll = azure.ask(location)

    assert (reply.status, reply.body, poll.status, poll.body) == (202, b"", 202, b"")
    assert "Azure-AsyncOperation" not in reply.headers
    assert "/operationresults/eyJ" in location
    assert poll.headers["Location"] != location
    azure.now += 10
    assert azure.ask(poll.headers["Location"]).status == 200
    assert (azure.ask(EXPIRED).status, azure.ask(EXPIRED, "HEAD").status) == (404, 404)
    assert azure.resource("disk-in-expired") is None
    (deletion,) = azure.deletions
    assert (deletion.outcome, len(deletion.removed), deletion.removed[-1]) == ("deleted", 4, EXPIRED)
    assert len(azure.told(f"/subscriptions/{WORKLOADS}/providers/Microsoft.KeyVault/deletedVaults")["value"]) == 1


def test_meanwhile_it_says_deleting(azure: Azure) -> None:
    """By itself and in the list; what is in it is not deleted one by one (oddity 38)."""
    first = azure.delete(EXPIRED)
    listed = {each["name"]: each for each in azure.told(GROUPS)["value"]}

    assert azure.told(EXPIRED)["properties"]["provisioningState"] == "Deleting"
    assert listed["rg-expired"]["properties"]["provisioningState"] == "Deleting"
    assert azure.delete(EXPIRED).headers == first.headers
    assert azure.code(azure.delete(azure.id("disk-in-expired"))) == "ResourceGroupBeingDeleted"


def test_what_is_missing(azure: Azure) -> None:
    reply = azure.delete(f"{GROUPS}/nothing")

    assert (reply.status, azure.code(reply)) == (404, "ResourceGroupNotFound")


@pytest.mark.parametrize(
    ("name", "status", "named"),
    [
        ("rg-locked", 409, "rg-locked"),
        ("rg-locks-within", 409, "/subnets/AzureFirewallSubnet"),
        ("mrg-marketplace-app", 403, "marketplace-app"),
        ("rg-stack", 403, "the group alone"),
    ],
)
def test_refused(azure: Azure, name: str, status: int, named: str) -> None:
    """For a lock at the group or below it, or for a deny assignment."""
    reply = azure.delete(f"{GROUPS}/{name}")

    assert reply.status == status
    assert named in json.loads(reply.body)["error"]["message"]
    assert azure.told(f"{GROUPS}/{name}")["properties"]["provisioningState"] == "Succeeded"


def test_a_deny_assignment_may_spare_what_is_below(azure: Azure) -> None:
    assert azure.delete(azure.id("kept-disk-of-stack")).status == 202


def ended(azure: Azure, name: str, kind: str = "", **how: Any) -> dict[str, Any]:
    """The error a delete of that group ends with, after 202s."""
    location = azure.delete(f"{GROUPS}/{name}", kind, **how).headers["Location"]
    for _ in range(3):
        poll = azure.ask(location)
        assert poll.status == 202
        location = poll.headers["Location"]
    azure.now += 10
    last = azure.ask(location)
    assert last.status == 409
    error: dict[str, Any] = json.loads(last.body)
    return error


def test_blocked_by_what_is_used_from_outside(azure: Azure) -> None:
    """Part of it is gone, the rest is rolled back; capitals, and JSON inside of a text (oddities 36 and 37)."""
    error = ended(azure, "rg-blocked")["Error"]

    assert error["Code"] == "ResourceGroupDeletionBlocked"
    assert "'Microsoft.Network/networkSecurityGroups/nsg-used-elsewhere'" in error["Message"]
    (detail,) = error["Details"]
    assert json.loads(detail["Message"])["error"]["code"] == "InUseNetworkSecurityGroupCannotBeDeleted"
    assert azure.told(f"{GROUPS}/rg-blocked")["properties"]["provisioningState"] == "Succeeded"
    assert azure.resource("nsg-used-elsewhere")
    assert azure.resource("disk-in-blocked") is None
    (deletion,) = azure.deletions
    assert (deletion.outcome, deletion.code, len(deletion.removed)) == ("failed", "ResourceGroupDeletionBlocked", 1)


@pytest.mark.parametrize(
    ("kind", "code"), [("failed", "ResourceGroupDeletionBlocked"), ("timeout", "ResourceGroupDeletionTimeout")]
)
def test_half_of_it_may_be_gone(azure: Azure, kind: str, code: str) -> None:
    error = ended(azure, "rg-expired", kind)["Error"]

    assert error["Code"] == code
    assert [each["name"] for each in azure.told(f"{EXPIRED}/resources")["value"]] == ["stexpired", "kv-expired"]


def test_a_lock_may_show_only_in_the_poll(azure: Azure) -> None:
    assert ended(azure, "rg-expired", "locked")["error"]["code"] == "ScopeLocked"
    assert len(azure.told(f"{EXPIRED}/resources")["value"]) == 3


def test_what_was_deleted_may_be_there_still(azure: Azure) -> None:
    location = azure.delete(EXPIRED, "kept").headers["Location"]
    azure.now += 10

    assert (azure.ask(location).status, azure.ask(EXPIRED).status) == (200, 200)


def test_deny_assignments_are_listed_in_pages(azure: Azure) -> None:
    """Those above, at and below a scope."""
    target = f"/subscriptions/{WORKLOADS}/providers/Microsoft.Authorization/denyAssignments"
    first = azure.told(target)
    second = azure.told(first["nextLink"])
    of_group = azure.told(f"{GROUPS}/rg-stack/providers/Microsoft.Authorization/denyAssignments")["value"]

    assert [len(first["value"]), len(second["value"]), len(of_group)] == [2, 1, 1]
    assert of_group[0]["properties"]["doNotApplyToChildScopes"] is True


def test_deployment_stacks_are_listed(azure: Azure) -> None:
    target = "providers/Microsoft.Resources/deploymentStacks"
    (stack,) = azure.told(f"/subscriptions/{WORKLOADS}/{target}")["value"]

    assert [each["id"] for each in stack["properties"]["resources"]] == [azure.id("kept-disk-of-stack")]
    assert azure.told(f"{GROUPS}/rg-stack/{target}")["value"] == []
