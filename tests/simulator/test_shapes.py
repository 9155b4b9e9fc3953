"""The simulator's own answers have the shape of recorded ones.

Each recording is asked for again, with its own method, path and query, of an estate that holds what the recording
shows. The estate is made of the simulator's own model, so nothing of the recording is merely played back.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from msgspec import UNSET

from devkit.simulator import Estate, Fault, Resource, ResourceGroup, Simulator, Subscription
from devkit.simulator.model import Pages
from tests.simulator.client import Client

OWN = "11111111-2222-4333-8444-555555555555"
# What recorders put in place of a subscription id is no GUID.
PLACEHOLDER = "AZURE_SUBSCRIPTION_ID"


def recorded(folder: Path, *patterns: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The interactions whose file names fit; at least one must."""
    files = sorted(file for pattern in patterns for file in folder.glob(pattern))
    assert files, f"no recording fits {patterns}"
    for file in files:
        yield file.name, json.loads(file.read_text().replace(PLACEHOLDER, OWN))


def shape(value: Any) -> Any:
    """Keys and types, with a list reduced to the distinct shapes in it."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(each), sort_keys=True) for each in value})
    return type(value).__name__


def ask(subscription: Subscription, interaction: dict[str, Any], *faults: Fault) -> requests.Response:
    """The simulator's answer to the recorded request, with nothing but that subscription to be seen."""
    estate = Estate(name="recorded", subscriptions=(subscription,))
    request = interaction["request"]
    with Simulator(estate, faults=faults) as simulator, Client(simulator) as client:
        return client.get(f"{request['path']}?{request['query']}", method=request["method"])


def subscription_of(interaction: dict[str, Any]) -> str:
    """The id in a recorded path."""
    found = re.match(r"/subscriptions/([^/?]+)", interaction["request"]["path"], re.IGNORECASE)
    return found[1] if found else OWN


def group_from(item: dict[str, Any]) -> ResourceGroup:
    """A recorded resource group in the simulator's model."""
    return ResourceGroup(
        id=item["id"],
        name=item["name"],
        location=item["location"],
        managed_by=item.get("managedBy", UNSET),
        tags=item.get("tags", UNSET),
        provisioning_state=item["properties"]["provisioningState"],
    )


def pages_from(body: dict[str, Any]) -> Pages:
    """Pages that end as the recorded one does."""
    return Pages(ends="empty-page" if "nextLink" in body else "absent")


def test_lists_of_resource_groups(recordings: Path) -> None:
    """The same groups, asked for with the recorded query, come as they were recorded."""
    for name, interaction in recorded(recordings, "rg-list__*.json"):
        body = interaction["response"]["body"]
        if "skiptoken" in interaction["request"]["query"]:
            continue
        groups = tuple(group_from(item) for item in body["value"])
        subscription = Subscription(
            id=subscription_of(interaction), name=name, resource_groups=groups, group_pages=pages_from(body)
        )

        answer = ask(subscription, interaction)

        assert answer.status_code == interaction["response"]["status"], name
        assert shape(answer.json()) == shape(body), name
        assert answer.json()["value"] == body["value"], name


def test_lists_of_resources(recordings: Path) -> None:
    """With filter, $expand and $top as recorded; tags and times are there and missing where they were."""
    for name, interaction in recorded(recordings, "resources-list-*.json"):
        body, query = interaction["response"]["body"], interaction["request"]["query"]
        if "skiptoken" in query:
            continue
        groups: dict[str, list[Resource]] = {}
        for item in body["value"]:
            resource = msgspec.convert(item, Resource)
            resource = msgspec.structs.replace(resource, **hidden_by_tag(query), id=item["id"])
            groups.setdefault(item["id"].split("/")[4], []).append(resource)
        scope = re.search("resource[Gg]roups/([^/]+)/resources", interaction["request"]["path"])
        if scope:
            groups.setdefault(scope[1], [])
        subscription = Subscription(
            id=subscription_of(interaction),
            name=name,
            resource_groups=tuple(
                ResourceGroup(name=group, resources=tuple(resources)) for group, resources in groups.items()
            ),
            resource_pages=pages_from(body),
        )

        answer = ask(subscription, interaction)

        assert answer.status_code == interaction["response"]["status"], name
        assert shape(answer.json()) == shape(body), name
        by_id = {item["id"]: item for item in body["value"]}
        assert {item["id"]: item for item in answer.json()["value"]} == by_id, name


def hidden_by_tag(query: str) -> dict[str, Any]:
    """What a resource has although a list by tag does not show it: the tag that was asked for."""
    found = re.search(r"tagname%20eq%20%27(.+?)%27(?:%20and%20tagvalue%20eq%20%27(.+?)%27)?", query)
    return {"tags": {found[1]: found[2] or "value"}} if found else {}


def test_a_subscription(recordings: Path) -> None:
    """Alone and in the list, of old api-versions and newer ones."""
    for name, interaction in recorded(recordings, "subscription-get__*.json", "subscriptions-list__*.json"):
        body = interaction["response"]["body"]
        item = body["value"][0] if "value" in body else body
        subscription = Subscription(
            id=item["subscriptionId"],
            name=item["displayName"],
            state=item["state"],
            authorization_source=item.get("authorizationSource", UNSET),
            tenant_id=item.get("tenantId", UNSET),
            managed_by_tenants=item.get("managedByTenants", UNSET),
            policies=item["subscriptionPolicies"],
        )

        answer = ask(subscription, interaction)

        assert answer.status_code == 200, name
        assert shape(answer.json()) == shape(body), name


def test_one_group(recordings: Path) -> None:
    """GET with and without `type`, with managedBy that is free text, and being deleted; HEAD with 204 and 404."""
    for name, interaction in recorded(recordings, "rg-get__*.json", "rg-head__*.json"):
        method, response = interaction["request"]["method"], interaction["response"]
        if method not in ("GET", "HEAD"):
            continue
        body = response["body"] or {
            "id": interaction["request"]["path"],
            "name": interaction["request"]["path"].rpartition("/")[2],
            "location": "westus",
            "properties": {"provisioningState": "Succeeded"},
        }
        groups = (group_from(body),) if response["status"] < 300 else ()
        subscription = Subscription(id=subscription_of(interaction), name=name, resource_groups=groups)

        answer = ask(subscription, interaction)

        assert answer.status_code == response["status"], name
        if method == "HEAD":
            assert answer.content == b"", name
        else:
            assert answer.json() == body, name


@pytest.mark.parametrize(
    ("pattern", "faults"),
    [
        ("error__401-expired.json", (Fault(route="identity", kind="expired-token"),)),
        ("error__403-rg-nonexistent.json", (Fault(kind="forbidden"),)),
        ("error__404-invalid-resource-type.json", ()),
        ("error__restated-404-subscription-not-found.json", (Fault(kind="not-found"),)),
        ("error__restated-429-subscription-requests-throttled-actor.json", (Fault(kind="throttled"),)),
        ("error__412-flat.json", (Fault(kind="flat", status=412),)),
    ],
)
def test_errors(recordings: Path, pattern: str, faults: tuple[Fault, ...]) -> None:
    """Status, envelope, code and the headers that say why."""
    for name, interaction in recorded(recordings, pattern):
        response = interaction["response"]

        answer = ask(Subscription(id=subscription_of(interaction), name=name), interaction, *faults)

        assert answer.status_code == response["status"], name
        assert shape(answer.json()) == shape(response["body"]), name
        if "error" in response["body"]:
            assert answer.json()["error"]["code"] == response["body"]["error"]["code"], name
        telling = {"www-authenticate", "x-ms-failure-cause", "retry-after"}
        for header in telling & {each.casefold() for each in response["headers"]}:
            assert header in answer.headers, (name, header)


def test_a_missing_group(recordings: Path) -> None:
    """The recorded envelope is that of a DELETE; a GET has the same, word for word."""
    for name, interaction in recorded(recordings, "rg-delete__*-404.json"):
        interaction["request"]["method"] = "GET"

        answer = ask(Subscription(id=subscription_of(interaction), name=name), interaction)

        assert answer.status_code == 404, name
        assert answer.json() == interaction["response"]["body"], name
        assert answer.headers["x-ms-failure-cause"] == "gateway"


def test_the_resource_type_error_word_for_word(recordings: Path) -> None:
    """Clients look for names in that sentence."""
    for name, interaction in recorded(recordings, "error__404-invalid-resource-type.json"):
        answer = ask(Subscription(id=subscription_of(interaction), name=name), interaction)

        assert answer.json() == interaction["response"]["body"]


def test_a_token(recordings: Path) -> None:
    """The identity endpoint's answer has the recorded keys."""
    for name, interaction in recorded(recordings, "managed-identity__appservice-*.json"):
        estate = Estate(name="empty", subscriptions=())
        with Simulator(estate) as simulator, Client(simulator) as client:
            assert shape(client.identity().json()) == shape(interaction["response"]["body"]), name
