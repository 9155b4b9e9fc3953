"""Recorded deletes and what the simulator answers in their place: status, headers and the shape of bodies."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from devkit.simulator import Estate, Resource, ResourceGroup, Subscription, load_estate
from devkit.simulator.exchange import Reply
from tests.simulator.in_process import Azure

SUBSCRIPTION = "de000000-0000-4000-8000-000000000001"
OPERATION = "Azure-AsyncOperation"
POLLED = ("location", "azure-asyncoperation")


def recorded(folder: Path, name: str) -> dict[str, Any]:
    """The response of a recording."""
    response: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())["response"]
    return response


def shape(value: Any) -> Any:
    """Keys and types, all the way down; of a list, the first item's."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in sorted(value.items())}
    return [shape(each) for each in value[:1]] if isinstance(value, list) else type(value).__name__


def polled(headers: dict[str, Any]) -> dict[str, str]:
    """The headers with addresses to poll: the last word before the name of the operation, and if it is the monitor."""
    found = {}
    for name, value in headers.items():
        if name.lower() in POLLED:
            path, _, query = str(value).partition("?")
            found[name.lower()] = path.split("/")[-2].casefold() + (" monitor" if "monitor=true" in query else "")
    return found


def content(reply: Reply) -> Any:
    """The body, None where there is none."""
    return json.loads(reply.body) if reply.body else None


def deleted(kind: str, delay: float = 10) -> tuple[Azure, Reply]:
    """One thing of a type, and the answer to its DELETE."""
    group = ResourceGroup(name="rg", resources=(Resource(type=kind, name="it", location="eastus"),))
    subscription = Subscription(id=SUBSCRIPTION, name="s", resource_groups=(group,))
    azure = Azure(Estate(name="one", subscriptions=(subscription,)), delete_time=delay)
    return azure, azure.delete(azure.id("it"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("resource-delete__cli-dependent-resources__01", "Microsoft.Compute/virtualMachines"),
        ("resource-delete__cli-dependent-resources__08", "Microsoft.Network/networkInterfaces"),
        ("resource-delete__net-disk-two-headers__01", "Microsoft.Compute/disks"),
        ("resource-delete__c7n-snapshot-still-there__01", "Microsoft.Compute/snapshots"),
        ("resource-delete__net-publicip-retry-after__01", "Microsoft.Network/publicIPAddresses"),
        ("resource-delete__net-sqlserver-202-body__01", "Microsoft.Sql/servers"),
        ("resource-delete__net-cosmos-404-final__01", "Microsoft.DocumentDB/databaseAccounts"),
        ("resource-delete__cli-aks-succeeded-with-error__01", "Microsoft.ContainerService/managedClusters"),
        ("resource-delete__cli-serverfarm-200", "Microsoft.Web/serverfarms"),
        ("resource-delete__net-site-200", "Microsoft.Web/sites"),
        ("resource-delete__cli-storage-200", "Microsoft.Storage/storageAccounts"),
        ("resource-delete__net-keyvault-200-softdelete", "Microsoft.KeyVault/vaults"),
    ],
)
def test_answers_to_a_delete(recordings: Path, name: str, kind: str) -> None:
    response = recorded(recordings, name)
    _, reply = deleted(kind)

    assert reply.status == response["status"]
    assert polled(reply.headers) == polled(response["headers"])
    assert shape(content(reply)) == shape(response["body"])


@pytest.mark.parametrize(
    ("name", "kind", "header", "passed"),
    [
        (
            "resource-delete__cli-dependent-resources__06",
            "Microsoft.Compute/virtualMachines",
            OPERATION,
            0,
        ),
        (
            "resource-delete__cli-aks-succeeded-with-error__02",
            "Microsoft.ContainerService/x",
            OPERATION,
            0,
        ),
        ("resource-delete__net-disk-two-headers__03", "Microsoft.Compute/disks", "Location", 10),
        ("resource-delete__net-publicip-retry-after__03", "Microsoft.Network/publicIPAddresses", "Location", 10),
        ("resource-delete__net-sqlserver-202-body__02", "Microsoft.Sql/servers", OPERATION, 10),
        ("resource-delete__net-cosmos-404-final__04", "Microsoft.DocumentDB/databaseAccounts", "Location", 10),
    ],
)
def test_polls(recordings: Path, name: str, kind: str, header: str, passed: float) -> None:
    """While it goes on, and at its end."""
    response = recorded(recordings, name)
    azure, reply = deleted(kind)
    azure.now += passed
    poll = azure.ask(reply.headers[header])

    assert poll.status == response["status"]
    assert shape(content(poll)) == shape(response["body"])


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("resource-delete__cli-dependent-resources__02", "nic-shop"),
        ("resource-delete__cli-dependent-resources__03", "nsg-shop"),
        ("resource-delete__cli-dependent-resources__04", "pip-shop"),
        ("resource-delete__cli-dependent-resources__05", "vnet-shop"),
        ("error__restated-409-scopelocked-delete-rg-lock", "orphan-disk-in-locked-group"),
    ],
)
def test_refusals_word_for_word(recordings: Path, name: str, resource: str) -> None:
    """But for the names in them."""
    response = recorded(recordings, name)
    azure = Azure(load_estate("cleanup"))
    reply = azure.delete(azure.id(resource))

    def sentence(error: dict[str, Any]) -> str:
        text = re.sub(r"/subscriptions/[^\s']*?(?=\.? |'|$)", "<id>", error["message"])
        return re.sub(r"Subnet \S+", "Subnet <name>", text)

    error = content(reply)["error"]
    assert (reply.status, error["code"]) == (response["status"], response["body"]["error"]["code"])
    assert sentence(error) == sentence(response["body"]["error"])
    assert shape(error) == shape(response["body"]["error"])


@pytest.mark.parametrize(
    "name", ["rg-delete__cli-poll__01", "rg-delete__cli-force-signed-url__01", "rg-delete__net-retry-after"]
)
def test_a_group(recordings: Path, name: str) -> None:
    """A Location and an empty body, then 202s, then 200, then 404 without a body."""
    response = recorded(recordings, name)
    azure = Azure(load_estate("cleanup"))
    group = azure.state.estate.subscriptions[0].group("rg-expired")
    assert group is not None
    reply = azure.delete(group.id)

    assert (reply.status, polled(reply.headers)) == (response["status"], polled(response["headers"]))
    assert content(reply) == response["body"]
    signed = "signed" in name
    last = recorded(recordings, "rg-delete__cli-force-signed-url__04") if signed else {"status": 200, "body": None}
    azure.now += 10
    end = azure.ask(reply.headers["Location"])
    assert (end.status, content(end)) == (last["status"], last["body"])
    if signed:
        longest = len(response["headers"]["location"])
        assert longest * 0.7 < len(reply.headers["Location"]) < longest * 1.3
        gone = azure.ask(group.id, "HEAD")
        assert (gone.status, gone.body) == (404, b"")


def test_a_blocked_group(recordings: Path) -> None:
    """The whole envelope, and JSON within a text."""
    response = recorded(recordings, "rg-delete__net-blocked__04")
    azure = Azure(load_estate("cleanup"))
    group = azure.state.estate.subscriptions[0].group("rg-blocked")
    assert group is not None
    location = azure.delete(group.id).headers["Location"]
    azure.now += 10
    reply = azure.ask(location)

    assert reply.status == response["status"]
    assert shape(content(reply)) == shape(response["body"])
    assert content(reply)["Error"]["Code"] == response["body"]["Error"]["Code"]


@pytest.mark.parametrize(
    ("name", "wish"),
    [("rg-export-template__cli-empty", "rg-empty"), ("rg-export-template__cli-202-poll__01", "rg-leftovers")],
)
def test_templates(recordings: Path, name: str, wish: str) -> None:
    response = recorded(recordings, name)
    azure = Azure(load_estate("cleanup"))
    group = azure.state.estate.subscriptions[0].group(wish)
    assert group is not None
    reply = azure.ask(f"{group.id}/exportTemplate", "POST", body={"resources": ["*"]})

    assert (reply.status, polled(reply.headers)) == (response["status"], polled(response["headers"]))
    assert shape(content(reply)) == shape(response["body"])


def test_a_deleted_vault(recordings: Path) -> None:
    response = recorded(recordings, "deleted-vault-get__cliext")
    azure = Azure(load_estate("cleanup"))
    own = azure.id("kv-expired")
    azure.delete(own)
    subscription = "/".join(own.split("/")[:3])
    (vault,) = azure.told(f"{subscription}/providers/Microsoft.KeyVault/deletedVaults")["value"]
    vault["properties"]["tags"] = {}

    assert shape(vault) == shape(response["body"])


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("list-disks__c7n-2024", "orphan-disk-1"),
        ("list-snapshots__c7n", "orphan-snapshot"),
        ("list-routetables__c7n", "orphan-rt"),
        ("list-nsgs__c7n-many", "orphan-nsg"),
        ("list-natgateways__cli", "nat-shop"),
    ],
)
def test_properties_have_known_keys(recordings: Path, name: str, of: str) -> None:
    """Most keys of the simulator's are recorded ones, with the same types where both have a value."""
    items = recorded(recordings, name)["body"]["value"]
    known: dict[str, set[str]] = {}
    for item in items:
        for key, value in item["properties"].items():
            known.setdefault(key, set()).add(type(value).__name__)
    azure = Azure(load_estate("cleanup"))
    told = azure.told(azure.id(of))["properties"]

    common = [key for key in told if key in known]
    assert len(common) >= len(told) // 2
    assert all(type(told[key]).__name__ in known[key] for key in common)
