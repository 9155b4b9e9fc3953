"""DELETE of a resource: at once, accepted and ended one way or another, or refused."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from devkit.simulator import Estate, Resource, ResourceGroup, Subscription, load_estate
from devkit.simulator.estates.cleanup import WORKLOADS
from devkit.simulator.exchange import Reply
from tests.simulator.in_process import Azure

SUBSCRIPTION = "de000000-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"


def one(kind: str) -> Azure:
    """An estate with one resource, called `it`, of that type."""
    held = Resource(type=kind, name="it", location="West Europe")
    group = ResourceGroup(name="rg", resources=(held,))
    return Azure(Estate(name="one", subscriptions=(Subscription(id=SUBSCRIPTION, name="s", resource_groups=(group,)),)))


def cleanup() -> Azure:
    """The estate `cleanup`."""
    return Azure(load_estate("cleanup"))


def words(azure: Azure, reply: Reply) -> str:
    """What the operation says now."""
    return str(azure.told(reply.headers["Azure-AsyncOperation"])["status"])


@pytest.mark.parametrize(
    "kind", ["Microsoft.Web/serverFarms", "Microsoft.Storage/storageAccounts", "Microsoft.Insights/components"]
)
def test_some_are_deleted_at_once(kind: str) -> None:
    azure = one(kind)
    reply = azure.delete(azure.id("it"))

    assert (reply.status, reply.body, azure.resource("it")) == (200, b"", None)
    assert [each.outcome for each in azure.deletions] == ["deleted"]


@pytest.mark.parametrize(
    ("kind", "asked", "result", "end"),
    [
        ("Microsoft.Compute/disks", "/DiskOperations/", "monitor=true", 200),
        ("Microsoft.Compute/virtualMachines", "/operations/", "monitor=true", 200),
        ("Microsoft.Network/publicIPAddresses", "/operations/", "/operationResults/", 204),
        ("Microsoft.Sql/servers", "/serverAzureAsyncOperation/", "/serverOperationResults/", 200),
        ("Microsoft.DocumentDB/databaseAccounts", "/operationsStatus/", "/operationResults/", 404),
    ],
)
def test_others_are_accepted_and_polled(kind: str, asked: str, result: str, end: int) -> None:
    """Where, differs; meanwhile the thing is there and says Deleting."""
    azure = one(kind)
    own = azure.id("it")
    reply = azure.delete(own)

    assert (reply.status, reply.headers["Retry-After"]) == (202, "10")
    assert asked in reply.headers["Azure-AsyncOperation"]
    assert result in reply.headers["Location"]
    assert azure.ask(reply.headers["Location"]).status == 202
    assert words(azure, reply) in ("InProgress", "Enqueued", "Dequeued")
    assert azure.told(own)["properties"]["provisioningState"] == "Deleting"
    assert [each.outcome for each in azure.deletions] == ["accepted"]
    azure.now += 10
    assert words(azure, reply) == "Succeeded"
    assert azure.ask(reply.headers["Location"]).status == end
    assert azure.code(azure.ask(own)) == "ResourceNotFound"
    assert [(each.outcome, each.removed) for each in azure.deletions] == [("deleted", (own,))]


def test_a_second_delete_is_answered_like_the_first() -> None:
    """202 with the same addresses (oddity 43)."""
    azure = one("Microsoft.Compute/disks")
    first, second = azure.delete(azure.id("it")), azure.delete(azure.id("it").upper())

    assert (second.status, second.headers) == (202, first.headers)
    assert [each.outcome for each in azure.deletions] == ["accepted", "running"]


@pytest.mark.parametrize(
    ("kind", "status"), [("Microsoft.Network/networkInterfaces/x", 204), ("Microsoft.Web/sites/x", 404)]
)
def test_what_is_gone_already(kind: str, status: int) -> None:
    azure = one("Microsoft.Compute/disks")

    assert azure.delete(f"{GROUP}/providers/{kind}").status == status
    assert azure.delete(f"{GROUP}x/providers/{kind}").status == 404
    assert [each.outcome for each in azure.deletions] == ["missing", "missing"]


def test_a_failed_delete_leaves_the_thing_as_it_was() -> None:
    """Accepted is not deleted (oddity 36)."""
    azure = one("Microsoft.Compute/disks")
    reply = azure.delete(azure.id("it"), "failed", body={"error": {"code": "Sorry", "message": "m"}})

    azure.now += 10
    told = azure.told(reply.headers["Azure-AsyncOperation"])
    assert (told["status"], told["error"]["code"]) == ("Failed", "Sorry")
    assert azure.told(azure.id("it"))["properties"]["provisioningState"] == "Succeeded"
    assert [(each.outcome, each.code, each.removed) for each in azure.deletions] == [("failed", "Sorry", ())]


def test_a_lock_may_show_only_in_the_poll() -> None:
    """With the scope in another case (oddity 35)."""
    azure = one("Microsoft.Compute/disks")
    reply = azure.delete(azure.id("it"), "locked", delay=3)

    azure.now += 3
    assert azure.code(azure.ask(reply.headers["Location"])) == "ScopeLocked"
    assert b"/resourcegroups/rg'" in azure.ask(reply.headers["Location"]).body
    assert azure.resource("it")


def test_an_endless_delete_goes_on() -> None:
    azure = one("Microsoft.Compute/disks")
    reply = azure.delete(azure.id("it"), "endless")

    azure.now += 1e6
    assert words(azure, reply) == "InProgress"


def test_what_was_deleted_may_be_there_still() -> None:
    """For a while, or for ever (oddity 38)."""
    azure = one("Microsoft.Compute/disks")
    reply = azure.delete(azure.id("it"), "kept", delay=60)

    azure.now += 10
    assert words(azure, reply) == "Succeeded"
    assert azure.told(azure.id("it"))["properties"]["provisioningState"] == "Succeeded"
    assert [each.outcome for each in azure.deletions] == ["kept"]
    azure.now += 60
    assert azure.resource("it") is None
    assert [each.outcome for each in azure.deletions] == ["deleted"]


def test_the_poll_may_end_with_404() -> None:
    """Which means gone (oddity 42)."""
    azure = one("Microsoft.Network/publicIPAddresses")
    reply = azure.delete(azure.id("it"), "lost")

    azure.now += 10
    assert {azure.ask(address).status for name, address in reply.headers.items() if "http" in address} == {404}
    assert azure.resource("it") is None


def test_states_may_be_told_in_odd_words() -> None:
    """And an error beside them (oddities 40 and 41)."""
    azure = one("Microsoft.Compute/disks")
    reply = azure.delete(azure.id("it"), "odd")

    said = [words(azure, reply) for _ in range(5)]
    azure.now += 10
    last = azure.told(reply.headers["Azure-AsyncOperation"])
    assert said == ["Enqueued", "Dequeued", "Running, Progress = 5.00 %", "deletingResources", "deletingResources"]
    assert (last["status"], last["error"]) == ("succeeded", {"code": "None", "message": None})


def test_signed_addresses_change_and_are_checked() -> None:
    """Each answer has another one; each of them works, as it was handed out (oddity 39)."""
    azure = one("Microsoft.Network/publicIPAddresses")
    first = azure.delete(azure.id("it"), "signed").headers["Location"]
    second = azure.ask(first).headers["Location"]

    assert first != second
    assert len(second) > 2000
    assert azure.ask(first).status == azure.ask(second).status == 202
    assert azure.ask(second[:-1]).status == 403


@pytest.mark.parametrize(("kind", "code"), [("busy", "AnotherOperationInProgress"), ("nested", "CannotDeleteResource")])
def test_meanings_of_409(kind: str, code: str) -> None:
    """None has Retry-After (oddity 45)."""
    azure = one("Microsoft.Network/publicIPAddresses")
    reply = azure.delete(azure.id("it"), kind)

    assert (reply.status, azure.code(reply), "Retry-After" in reply.headers) == (409, code, False)
    assert [(each.outcome, each.code) for each in azure.deletions] == [("refused", code)]
    assert azure.resource("it")


def test_any_type_may_be_deleted_at_once_or_slowly() -> None:
    azure = one("Microsoft.Compute/disks")
    assert azure.delete(azure.id("it"), "quick", status=204).status == 204
    azure = one("Microsoft.Web/sites")
    assert azure.delete(azure.id("it"), "slow", delay=99).status == 202
    azure.now += 98
    assert azure.resource("it")
    azure.now += 1
    assert azure.resource("it") is None


@pytest.mark.parametrize(
    ("name", "status", "code", "user"),
    [
        ("nic-shop", 400, "NicInUse", "vm-shop"),
        ("kept-nic-of-endpoint", 400, "NicInUseWithPrivateEndpoint", "kept-pe"),
        ("nsg-shop", 400, "InUseNetworkSecurityGroupCannotBeDeleted", "nic-shop"),
        ("pip-shop", 400, "PublicIPAddressCannotBeDeleted", "nic-shop/ipConfigurations/ipconfig1"),
        ("kept-pip-of-nat", 400, "PublicIPAddressCannotBeDeleted", "nat-shop"),
        ("vnet-shop", 400, "InUseSubnetCannotBeDeleted", "nic-shop/ipConfigurations/ipconfig1"),
        ("rt-shop", 400, "InUseRouteTableCannotBeDeleted", "subnets/web"),
        ("nat-shop", 400, "InUseNatGatewayCannotBeDeleted", "subnets/web"),
        ("sql-leftovers/kept-pool", 400, "ElasticPoolNotEmpty", "kept-pool"),
        ("avail-shop", 409, "OperationNotAllowed", "avail-shop"),
        ("plan-shop", 409, "Conflict", "app-shop"),
        ("kept-plan-with-wrong-number", 409, "Conflict", "app-elsewhere"),
        ("vm-shop_OsDisk", 409, "OperationNotAllowed", "vm-shop"),
        ("kept-disk-shared", 409, "OperationNotAllowed", "vm-shop"),
        ("kept-disk-exporting", 409, "OperationNotAllowed", "shared access signature"),
        ("orphan-disk-locked", 409, "ScopeLocked", "orphan-disk-locked"),
        ("orphan-disk-in-locked-group", 409, "ScopeLocked", "rg-locked"),
        ("vnet-locked-below", 409, "ScopeLocked", "subnets/AzureFirewallSubnet"),
        ("disk-of-application", 403, "DenyAssignmentAuthorizationFailed", "marketplace-app"),
    ],
)
def test_what_is_used_or_protected_stays(name: str, status: int, code: str, user: str) -> None:
    """From the references there are, the locks and the deny assignments (oddities 35, 44 and 45)."""
    azure = cleanup()
    reply = azure.delete(azure.id(name))

    assert (reply.status, azure.code(reply)) == (status, code)
    assert user in json.loads(reply.body)["error"]["message"]
    assert azure.resource(name)
    assert [each.outcome for each in azure.deletions] == ["refused"]


def test_a_machine_and_what_it_used_go_in_order() -> None:
    """Each must have ended, not only begun; its disks are free then."""
    azure = cleanup()
    azure.delete(azure.id("vm-shop"))
    assert azure.code(azure.delete(azure.id("nic-shop"))) == "NicInUse"
    azure.now += 10

    assert azure.delete(azure.id("nic-shop")).status == 202
    disk = azure.told(azure.id("vm-shop_OsDisk"))
    assert (disk["properties"]["diskState"], "managedBy" in disk) == ("Unattached", False)
    azure.now += 10
    assert [azure.delete(azure.id(each)).status for each in ("nsg-shop", "pip-shop", "vnet-shop")] == [202, 202, 202]


def test_what_is_nested_goes_too() -> None:
    azure = cleanup()
    azure.delete(azure.id("sql-leftovers"))
    azure.now += 10

    assert len(azure.deletions[0].removed) == 5
    assert azure.resource("sql-leftovers/master") is None


def test_a_zone_stays_while_something_is_nested_in_it() -> None:
    zone = Resource(type="Microsoft.Network/privateDnsZones", name="it")
    link = Resource(type="Microsoft.Network/privateDnsZones/virtualNetworkLinks", name="it/hub")
    group = ResourceGroup(name="rg", resources=(zone, link))
    azure = Azure(
        Estate(name="one", subscriptions=(Subscription(id=SUBSCRIPTION, name="s", resource_groups=(group,)),))
    )

    assert azure.code(azure.delete(azure.id("it"))) == "CannotDeleteResource"


def test_a_vault_is_deleted_softly() -> None:
    """It can be found among the deleted ones, with tags and the day it goes (oddity 49)."""
    azure = cleanup()
    own = azure.id("kv-expired")
    assert azure.delete(own).status == 200

    (vault,) = azure.told(f"/subscriptions/{WORKLOADS}/providers/Microsoft.KeyVault/deletedVaults")["value"]
    assert (vault["properties"]["vaultId"], vault["properties"]["tags"]["cost-center"]) == (own, "CC-5100")
    assert azure.told(vault["id"]) == vault
    assert azure.ask(vault["id"] + "x").status == 404


def test_lists_lag_behind() -> None:
    azure = Azure(load_estate("cleanup"), lag=30)
    own = azure.id("app-shop")
    azure.delete(own)
    target = f"/subscriptions/{WORKLOADS}/resourceGroups/rg-shop/resources"

    assert azure.ask(own).status == 404
    assert own in [each["id"] for each in azure.told(target)["value"]]
    azure.now += 30
    assert own not in [each["id"] for each in azure.told(target)["value"]]


def test_many_at_once() -> None:
    """Each is deleted, and once."""
    held = tuple(Resource(type="Microsoft.Storage/storageAccounts", name=f"st{number}") for number in range(200))
    group = ResourceGroup(name="rg", resources=held)
    azure = Azure(
        Estate(name="one", subscriptions=(Subscription(id=SUBSCRIPTION, name="s", resource_groups=(group,)),))
    )
    ids = [each.id for each in azure.state.estate.subscriptions[0].resources]
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(azure.delete, ids))

    assert {each.status for each in replies} == {200}
    assert not azure.state.estate.subscriptions[0].resources
    assert sorted(own for each in azure.deletions for own in each.removed) == sorted(ids)
