"""The Tags API: reading and writing the tags of a subscription, a group or a resource."""

import json
from pathlib import Path
from typing import Any

import pytest

from devkit.simulator import OWNER, Resource, ResourceGroup, Simulator, Subscription, load_estate
from devkit.simulator.estates.demo import DEVELOPMENT, LEGACY, PLATFORM, PRODUCTION
from devkit.simulator.model import Estate
from devkit.simulator.tagging import TagsRefused, written
from tests.simulator.client import Client
from tests.simulator.test_shapes import recorded

TAGS = "providers/Microsoft.Resources/tags/default"
WEB = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod-web"
DISK = f"/subscriptions/{DEVELOPMENT}/resourceGroups/rg-load-test/providers/Microsoft.Compute/disks/vm-load-01_data0"


def write(client: Client, method: str, scope: str, tags: dict[str, str] | None = None, operation: str = "") -> Any:
    """The answer to a write."""
    body = None if tags is None else {"properties": {"tags": tags}} | ({"operation": operation} if operation else {})
    url = f"{client.simulator.url}{scope}/{TAGS}?api-version=2022-09-01"
    return client.session.request(method, url, json=body, timeout=10)


@pytest.mark.parametrize(
    ("scope", "tags"),
    [
        (f"/subscriptions/{PRODUCTION}", {}),
        (WEB, {"owner": "shop-team@example.com", "cost-center": "CC-4100", "environment": "production"}),
        (DISK, {"environment": "test"}),
    ],
    ids=["subscription", "group", "resource"],
)
def test_the_tags_at_a_scope(demo: Client, scope: str, tags: dict[str, str]) -> None:
    """An answer of its own shape, with the id as Azure spells it."""
    answer = demo.get(f"{scope.replace('resourceGroups', 'resourcegroups')}/{TAGS}")

    assert answer.json() == {
        "id": f"{scope}/{TAGS}",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": tags},
    }


def test_a_merge_is_seen_everywhere() -> None:
    """In the answer, in the resource, and in the lists."""
    with Simulator(load_estate("demo"), assignments=OWNER) as simulator, Client(simulator) as client:
        lists = f"/subscriptions/{DEVELOPMENT}/resources"
        before = {each["id"]: each.get("tags") for each in client.items(lists)}

        answer = write(client, "PATCH", DISK, {"Environment": "load", "owner": "shop-team@example.com"}, "Merge")

        expected = {"environment": "load", "owner": "shop-team@example.com"}
        assert (answer.status_code, answer.json()["properties"]["tags"]) == (200, expected)
        assert client.get(DISK).json()["tags"] == expected
        assert {each["id"]: each.get("tags") for each in client.items(lists)} == before | {DISK: expected}
        assert [each.method for each in simulator.requests if each.route == "tags"] == ["PATCH"]


def test_writes_to_a_group_and_a_subscription() -> None:
    """PUT replaces, DELETE takes all away; the group's list and the group itself agree."""
    with Simulator(load_estate("demo"), assignments=OWNER) as simulator, Client(simulator) as client:
        assert write(client, "PUT", WEB, {"a": "1"}).json()["properties"]["tags"] == {"a": "1"}
        assert client.get(WEB).json()["tags"] == {"a": "1"}

        removed = write(client, "DELETE", WEB)

        assert (removed.status_code, removed.content) == (200, b"")
        assert client.items(f"/subscriptions/{PRODUCTION}/resourcegroups")[0]["tags"] == {}
        whole = f"/subscriptions/{PRODUCTION}"
        assert write(client, "PATCH", whole, {"a": "1"}, "merge").json()["id"] == f"{whole}/{TAGS}"
        assert client.get(f"{whole}/{TAGS}").json()["properties"]["tags"] == {"a": "1"}


@pytest.mark.parametrize(
    ("operation", "given", "expected"),
    [
        ("Merge", {"OWNER": "b", "New": "1"}, {"Owner": "b", "x": "", "New": "1"}),
        ("Merge", {}, {"Owner": "a", "x": ""}),
        ("Replace", {"OWNER": "b"}, {"OWNER": "b"}),
        ("Delete", {"owner": "a"}, {"x": ""}),
        ("Delete", {"owner": ""}, {"x": ""}),
        ("Delete", {"owner": "another value", "missing": ""}, {"Owner": "a", "x": ""}),
        ("DELETE", {"X": ""}, {"Owner": "a"}),
        ("Merge", {"hidden-link:/a/b": "Resource"}, {"Owner": "a", "x": "", "hidden-link:/a/b": "Resource"}),
        ("Merge", {"k" * 512: "v" * 256}, {"Owner": "a", "x": "", "k" * 512: "v" * 256}),
    ],
)
def test_what_an_operation_makes_of_the_tags(operation: str, given: dict[str, str], expected: dict[str, str]) -> None:
    """Names compare without case and keep their first spelling; a value that differs is not deleted."""
    body = json.dumps({"operation": operation, "properties": {"tags": given}}).encode()

    assert written({"Owner": "a", "x": ""}, "PATCH", body) == expected


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("PATCH", {"operation": "Merge", "properties": {"tags": {"cost/center": "1"}}}, "InvalidTagNameCharacters"),
        ("PUT", {"properties": {"tags": {"a\tb": "1"}}}, "InvalidTagNameCharacters"),
        ("PUT", {"properties": {"tags": {"k" * 513: "1"}}}, "InvalidTagNameLength"),
        ("PUT", {"properties": {"tags": {"": "1"}}}, "InvalidTagNameLength"),
        ("PUT", {"properties": {"tags": {"k": "v" * 257}}}, "InvalidTagValueLength"),
        ("PUT", {"properties": {"tags": {f"k{number}": "" for number in range(51)}}}, "InvalidTagsCount"),
        ("PATCH", {"properties": {"tags": {}}}, "InvalidRequestContent"),
        ("PATCH", {"operation": "Add", "properties": {"tags": {}}}, "InvalidRequestContent"),
        ("PUT", {"properties": {"tags": {"a": 1}}}, "InvalidRequestContent"),
        ("PUT", {}, "InvalidRequestContent"),
        ("PUT", [], "InvalidRequestContent"),
    ],
)
def test_what_is_refused(method: str, body: object, code: str) -> None:
    """400, and nothing is written."""
    with pytest.raises(TagsRefused) as refused:
        written({}, method, json.dumps(body).encode())

    assert refused.value.reply.status == 400
    assert json.loads(refused.value.reply.body)["error"]["code"] == code


def test_fifty_tags_and_no_more() -> None:
    """A merge that would exceed them changes nothing."""
    full = {f"tag-{number}": "" for number in range(50)}
    with Simulator(load_estate("demo"), assignments=OWNER) as simulator, Client(simulator) as client:
        assert write(client, "PUT", DISK, full).status_code == 200

        assert write(client, "PATCH", DISK, {"one-more": ""}, "Merge").status_code == 400
        assert write(client, "PATCH", DISK, {"TAG-7": "changed"}, "Merge").status_code == 200
        assert client.get(DISK).json()["tags"] == full | {"tag-7": "changed"}


ZONE = (
    f"/subscriptions/{PLATFORM}/resourceGroups/rg-platform-network/providers/Microsoft.Network"
    "/privateDnsZones/privatelink.database.windows.net"
)
DATA = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod-data"


@pytest.mark.parametrize(
    ("method", "scope", "locked"),
    [
        ("PATCH", f"/subscriptions/{LEGACY}/resourceGroups/rg-shop-legacy-archive", f"/subscriptions/{LEGACY}"),
        ("PUT", ZONE, ZONE),
        ("DELETE", DATA, DATA),
    ],
    ids=["inherited", "of the resource", "deleting under CanNotDelete"],
)
def test_a_lock_forbids_it(demo: Client, method: str, scope: str, locked: str) -> None:
    """409, and only the sentence says which lock (oddity 35)."""
    answer = write(
        demo, method, scope, None if method == "DELETE" else {"a": "1"}, "Merge" if method == "PATCH" else ""
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ScopeLocked")
    assert f"'{scope}' cannot perform" in answer.json()["error"]["message"]
    assert f"are locked: '{locked}'" in answer.json()["error"]["message"]


def test_tags_may_be_merged_under_a_lock_against_deletion() -> None:
    """CanNotDelete forbids no writes."""
    with Simulator(load_estate("demo"), assignments=OWNER) as simulator, Client(simulator) as client:
        assert write(client, "PATCH", DATA, {"a": "1"}, "Merge").status_code == 200


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (f"{WEB}/providers/Microsoft.Web/sites/nothing", "ResourceNotFound"),
        (f"{WEB}-not", "ResourceGroupNotFound"),
        ("/subscriptions/99999999-0000-4000-8000-000000000000", "SubscriptionNotFound"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_nothing_there(demo: Client, method: str, scope: str, code: str) -> None:
    """404 that says what is missing."""
    answer = write(demo, method, scope, None if method == "GET" else {})

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


def test_sequences_as_recorded(recordings: Path) -> None:
    """Each recorded answer, given the tags that the steps before it left."""
    tags: dict[str, dict[str, str]] = {}
    for name, interaction in recorded(recordings, "tags-api__cli-*.json"):
        request, response = interaction["request"], interaction["response"]
        path = request["path"]
        if "rg-merge" in name:
            tags.setdefault(path, {"cliName1": "cliValue1", "cliName2": "cliValue2"})
        subscription = holding(path, tags.get(path, {}))
        with (
            Simulator(Estate(name="one", subscriptions=(subscription,)), assignments=OWNER) as simulator,
            Client(simulator) as client,
        ):
            scope = path.removesuffix(f"/{TAGS}")
            body = request["body"] or {}
            given = body.get("properties", {}).get("tags") if body else None
            answer = write(client, request["method"], scope, given, body.get("operation", ""))
            tags[path] = client.get(path).json()["properties"]["tags"]

        assert answer.status_code == response["status"], name
        assert (answer.json() if answer.content else None) == response["body"], name


def holding(path: str, tags: dict[str, str]) -> Subscription:
    """A subscription with the thing that a path names, tagged."""
    parts = path.removesuffix(f"/{TAGS}").strip("/").split("/")
    if len(parts) == 2:
        return Subscription(id=parts[1], name="one", tags=tags)
    if len(parts) == 4:
        return Subscription(id=parts[1], name="one", resource_groups=(ResourceGroup(name=parts[3], tags=tags),))
    resource = Resource(name=parts[7], type=f"{parts[5]}/{parts[6]}", tags=tags)
    return Subscription(id=parts[1], name="one", resource_groups=(ResourceGroup(name=parts[3], resources=(resource,)),))
