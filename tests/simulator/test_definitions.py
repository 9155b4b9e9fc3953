"""What a resource's own provider tells: properties, and what uses it."""

from typing import Any

import pytest

from devkit.simulator import load_estate
from devkit.simulator.estates.cleanup import WORKLOADS
from devkit.simulator.model import Estate
from tests.simulator.in_process import Azure

CLEANUP = load_estate("cleanup")
GENERATED = load_estate("generated", subscriptions=3, groups=60, resources=2000)


def told(name: str) -> dict[str, Any]:
    """The properties of a resource of `cleanup`."""
    azure = Azure(CLEANUP)
    properties: dict[str, Any] = azure.told(azure.id(name))["properties"]
    return properties


def last(link: dict[str, str]) -> str:
    """The last segment of what is linked."""
    return link["id"].rpartition("/")[2]


def test_a_disk_says_its_state_and_owner() -> None:
    azure = Azure(CLEANUP)
    attached, shared = azure.told(azure.id("vm-shop_OsDisk")), azure.told(azure.id("kept-disk-shared"))

    assert (attached["properties"]["diskState"], last({"id": attached["managedBy"]})) == ("Attached", "vm-shop")
    assert len(shared["managedByExtended"]) == 1
    assert told("vm-shop_data0")["diskState"] == "Reserved"
    assert {"timeCreated", "LastOwnershipUpdateTime", "diskSizeGB"} <= told("orphan-disk-1").keys()


def test_users_are_told_by_what_is_used() -> None:
    """Each reference is written down once, where it is made; Azure shows both ends."""
    assert last(told("nic-shop")["virtualMachine"]) == "vm-shop"
    assert last(told("kept-nic-of-endpoint")["privateEndpoint"]) == "kept-pe"
    assert last(told("pip-shop")["ipConfiguration"]) == "ipconfig1"
    assert last(told("kept-pip-of-nat")["natGateway"]) == "nat-shop"
    assert [last(each) for each in told("nsg-shop")["networkInterfaces"]] == ["nic-shop"]
    assert [last(each) for each in told("rt-shop")["subnets"]] == ["web", "data"]
    assert [last(each) for each in told("nat-shop")["subnets"]] == ["web", "data"]
    assert [last(each) for each in told("avail-shop")["virtualMachines"]] == ["vm-shop"]
    assert told("plan-shop")["numberOfSites"] == 1


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("orphan-nic", {"virtualMachine", "privateEndpoint"}),
        ("orphan-pip", {"ipConfiguration", "natGateway"}),
        ("orphan-nsg", {"networkInterfaces", "subnets"}),
        ("orphan-rt", {"subnets"}),
        ("orphan-nat", {"subnets"}),
    ],
)
def test_without_users_the_keys_are_absent(name: str, keys: set[str]) -> None:
    """Absent, not empty (oddity 31)."""
    assert not keys & told(name).keys()


def test_a_number_may_be_wrong() -> None:
    """The plan says none; its list has a site and a slot of another group."""
    azure = Azure(CLEANUP)
    plan = azure.id("kept-plan-with-wrong-number")

    assert azure.told(plan)["properties"]["numberOfSites"] == 0
    assert [each["name"] for each in azure.told(f"{plan}/sites")["value"]] == ["app-elsewhere", "staging"]


def test_lists_of_a_server_and_of_a_pool() -> None:
    azure = Azure(CLEANUP)

    def names(name: str) -> list[str]:
        return [each["name"] for each in azure.told(f"{azure.id(name)}/databases")["value"]]

    assert names("sql-leftovers") == ["master", "orders"]
    assert names("sql-leftovers/kept-pool") == ["orders"]
    assert names("sql-leftovers/orphan-pool") == []
    assert azure.ask(f"{azure.id('sql-leftovers')}x/databases").status == 404


def test_lists_show_no_properties() -> None:
    azure = Azure(CLEANUP)
    listed = azure.told(f"/subscriptions/{WORKLOADS}/resources")["value"]

    assert not [each for each in listed if "properties" in each or "managedByExtended" in each]


@pytest.mark.parametrize("estate", [GENERATED, load_estate("demo")], ids=["generated", "demo"])
def test_estates_without_properties_have_some_all_the_same(estate: Estate) -> None:
    """A share of everything is used by nothing, the same one every time."""
    found: dict[str, list[bool]] = {}
    for subscription in estate.subscriptions:
        definitions = Azure(estate).state.present(subscription.id)
        assert definitions is not None
        for group in subscription.resource_groups:
            for each in group.resources:
                properties = definitions.definitions.properties(each, group)
                kind = each.type.casefold()
                if kind == "microsoft.compute/disks":
                    found.setdefault(kind, []).append(properties["diskState"] == "Unattached")
                elif kind == "microsoft.network/networkinterfaces":
                    found.setdefault(kind, []).append("virtualMachine" not in properties)
                elif kind == "microsoft.web/serverfarms":
                    found.setdefault(kind, []).append(properties["numberOfSites"] == 0)

    assert len(found) == 3
    if estate is GENERATED:
        assert all(0 < sum(orphans) < len(orphans) for orphans in found.values())
