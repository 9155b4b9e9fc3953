"""Resource Graph: the query text is evaluated, the answer paged and refused as recorded."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from devkit.simulator import Buckets, Fault, Simulator, load_estate
from devkit.simulator.estates.cleanup import SANDBOX, WORKLOADS
from devkit.simulator.exchange import Call
from devkit.simulator.graph import ResourceGraph
from devkit.simulator.model import Json
from tests.simulator.client import Client
from tests.simulator.in_process import Azure

PATH = "/providers/Microsoft.ResourceGraph/resources?api-version="
UNUSED = """
Resources // of any spelling
| where type =~ 'Microsoft.Compute/disks' and properties.diskState == 'Unattached' and managedBy == ''
| where subscriptionId == '{}' and not(tags has 'kubernetes.io-created-for-pvc')
| project id, name, tags, properties
| order by id asc
"""


class Graph:
    """Asks one estate."""

    def __init__(self, azure: Azure) -> None:
        self.azure = azure
        self.graph = ResourceGraph(azure.state, azure.access)

    def ask(
        self, query: str, options: Json | None = None, *, version: str = "2022-10-01", more: Json | None = None
    ) -> Any:
        """The document for a query, with its status under `status`."""
        body = {"query": query, "options": options or {}} | (more or {})
        call = Call(method="POST", target=PATH + version, body=json.dumps(body).encode())
        reply = self.graph.answer(call)
        return json.loads(reply.body) | {"status": reply.status}

    def names(self, query: str) -> list[str]:
        """The names in the rows."""
        return [each["name"] for each in self.ask(query)["data"]]

    def details(self, query: str, options: Json | None = None, more: Json | None = None) -> list[Json]:
        """The details of the refusal of a query."""
        document = self.ask(query, options, more=more)
        assert document["status"] == 400
        assert document["error"]["code"] == "BadRequest"
        details: list[Json] = document["error"]["details"]
        return details


@pytest.fixture(name="graph")
def _graph() -> Iterator[Graph]:
    graph = Graph(Azure(load_estate("cleanup"), lag=60))
    yield graph
    graph.graph.close()


def test_an_orphan_query(graph: Graph) -> None:
    assert "orphan-disk-1" in graph.names(UNUSED.format(WORKLOADS))
    assert "vm-shop_OsDisk" not in graph.names(UNUSED.format(WORKLOADS))
    assert graph.names(UNUSED.format(SANDBOX)) == ["orphan-disk-of-sandbox", "disk-of-trial"]


def test_used_and_unused_interfaces(graph: Graph) -> None:
    query = (
        "resources | where type =~ 'microsoft.network/networkinterfaces' | where isnull(properties.virtualMachine) "
        "and isnull(properties.privateEndpoint) and properties.hostedWorkloads == '[]' | project name"
    )
    assert graph.names(query) == ["orphan-nic", "nic-elsewhere"]


def test_empty_groups_by_a_join(graph: Graph) -> None:
    query = (
        "ResourceContainers | where type =~ 'microsoft.resources/subscriptions/resourcegroups' "
        "| extend both = strcat(resourceGroup, '--', subscriptionId) | join kind=leftouter (Resources "
        "| extend both = strcat(resourceGroup, '--', subscriptionId) | summarize count() by both) on both "
        "| where isnull(count_) | project name | order by name asc"
    )
    assert graph.names(query) == ["NetworkWatcherRG", "rg-empty", "rg-trial-2", "rg-trial-3"]


def test_how_rows_are_spelled(graph: Graph) -> None:
    """Types in lower case, "" and null for what is absent (oddity 9)."""
    (row,) = graph.ask("resources | where name == 'vm-shop'")["data"]

    assert row["type"] == "microsoft.compute/virtualmachines"
    assert (row["kind"], row["managedBy"], row["sku"], row["zones"]) == ("", "", None, None)
    assert row["id"].endswith("/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/vm-shop")
    assert row["tags"]["cost-center"] == "CC-5100"


def test_pages(graph: Graph) -> None:
    """`resultTruncated` is a text, and "false" though there is more (oddity 8)."""
    query, token, ids = "resources | project id | order by id asc", None, []
    for _ in range(10):
        page = graph.ask(query, {"$top": 25, "$skipToken": token})
        ids += [each["id"] for each in page["data"]]
        assert (page["resultTruncated"], page["count"]) == ("false", len(page["data"]))
        token = page.get("$skipToken")
        if not token:
            break

    assert len(ids) == len(set(ids)) == page["totalRecords"] == 67
    assert ids == sorted(ids)


def test_without_the_id_there_is_no_way_to_the_rest(graph: Graph) -> None:
    page = graph.ask("resources | project name", {"$top": 10})

    assert (page["count"], page["totalRecords"], page["resultTruncated"]) == (10, 67, "true")
    assert "$skipToken" not in page


def test_skip_and_table(graph: Graph) -> None:
    page = graph.ask("resources | project id, sku | order by id asc", {"$skip": 66, "resultFormat": "table"})
    older = graph.ask("resources | count", version="2019-04-01")

    assert [each["name"] for each in page["data"]["columns"]] == ["id", "sku"]
    assert len(page["data"]["rows"]) == 1
    assert older["data"]["columns"] == [{"name": "Count", "type": "integer"}]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("resources where", "ParserFailure"),
        ("foo | count", "DisallowedLogicalTableName"),
        ("resources | join kind=inner (foo) on id", "DisallowedLogicalTableName"),
        ("resources | where nope == 1", "UnresolvedColumn"),
        ("resources | extend keys = bag_keys(tags)", "NotSimulated"),
    ],
)
def test_bad_queries(graph: Graph, query: str, code: str) -> None:
    """What is wrong is in the details only."""
    assert [each["code"] for each in graph.details(query)] == ["InvalidQuery", code]


def test_bad_options(graph: Graph) -> None:
    token = graph.ask("resources | project id", {"$top": 1})["$skipToken"]

    assert graph.details("resources | project id, name", {"$skipToken": token})[0]["code"] == "InvalidSkipToken"
    assert graph.details("resources", {"$skipToken": "e"})[0]["code"] == "InvalidSkipToken"
    assert graph.details("resources", {"$top": 1001})[0]["code"] == "InvalidPaging"
    assert graph.ask("resources", more={"query": 1})["status"] == 400
    assert graph.details("resources", more={"subscriptions": ["x"] * 1001})
    many = {"subscriptions": [f"{number}" for number in range(1001)]}
    assert graph.details("resources", more=many)[0]["code"] == "TooManySubscriptions"


def test_scopes(graph: Graph) -> None:
    """Subscriptions, or management groups; what cannot be seen is passed over in silence."""
    count = "resources | count"

    def counted(**more: Any) -> int:
        return int(graph.ask(count, more=more)["data"][0]["Count"])

    assert counted(subscriptions=[SANDBOX.upper(), "99999999-0000-4000-8000-000000000000"]) == 2
    assert counted(managementGroups=["MG-cleanup"]) == counted() == 67
    (detail,) = graph.details(count, more={"subscriptions": ["99999999-0000-4000-8000-000000000000"]})
    assert detail["code"] == "NoValidSubscriptionsInQueryRequest"


def test_what_the_identity_may_not_read_is_left_out() -> None:
    estate = load_estate("odd")
    graph = Graph(Azure(estate))
    seen = graph.ask("resourcecontainers | where type == 'microsoft.resources/subscriptions' | project name")["data"]

    hidden = {"No role", "Not visible"}
    assert hidden <= {each.name for each in estate.subscriptions}
    assert not hidden & {each["name"] for each in seen}
    assert len(seen) == len(estate.subscriptions) - len(hidden)


def test_it_lags_behind(graph: Graph) -> None:
    """What is gone shows for a while."""
    query = "resources | where name == 'app-shop' | project name"
    graph.azure.delete(graph.azure.id("app-shop"))

    assert graph.names(query) == ["app-shop"]
    graph.azure.now += 60
    assert graph.names(query) == []


def post(client: Client, query: str) -> requests.Response:
    """The answer over HTTPS."""
    url = client.simulator.url + PATH + "2022-10-01"
    return client.session.post(url, json={"query": query}, timeout=30)


def test_quota() -> None:
    """15 queries in 5 seconds; the wait is in a header of its own (oddity 57)."""
    now = [0.0]
    with (
        Simulator(load_estate("cleanup"), throttle=Buckets(), clock=lambda: now[0]) as simulator,
        Client(simulator) as client,
    ):
        answers = [post(client, "resources | count") for _ in range(16)]
        now[0] += 5
        after = post(client, "resources | count")

    assert [each.status_code for each in answers] == [200] * 15 + [429]
    assert [int(each.headers["x-ms-user-quota-remaining"]) for each in answers] == [*range(14, -1, -1), 0]
    assert answers[-1].headers["x-ms-user-quota-resets-after"] == "00:00:05"
    assert "Retry-After" not in answers[-1].headers
    assert answers[-1].json()["error"]["details"][0]["code"] == "RateLimiting"
    assert after.status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("throttled", 429, "RateLimiting"), ("forbidden", 403, "AuthorizationFailed"), ("status", 500, "")],
)
def test_faults(kind: Any, status: int, code: str) -> None:
    """By the name of the route."""
    with (
        Simulator(load_estate("cleanup"), [Fault(route="resource-graph", kind=kind)]) as simulator,
        Client(simulator) as client,
    ):
        answer = post(client, "resources | count")

    assert answer.status_code == status
    assert code in answer.text


def test_half_of_the_rows() -> None:
    """And not a word about it."""
    with (
        Simulator(load_estate("cleanup"), [Fault(route="resource-graph", kind="partial")]) as simulator,
        Client(simulator) as client,
    ):
        document = post(client, "resources | project id").json()

    assert (document["count"], document["totalRecords"], document["resultTruncated"]) == (33, 67, "false")


def shape(value: Any) -> Any:
    """Keys and types, all the way down; of a list, the first item's."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(each) for each in value[:1]] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize(
    ("name", "query", "options"),
    [
        ("resource-graph__cliext-skiptoken", "resources | project id", {"$top": 3}),
        ("resource-graph__cliext-400-parser", "resources |", {}),
        ("resource-graph__cliext-query", "resources | limit 2", {}),
        ("resource-graph__c7n-table-format", "resources | limit 2", {"resultFormat": "table"}),
    ],
)
def test_recorded_shapes(recordings: Any, graph: Graph, name: str, query: str, options: dict[str, Any]) -> None:
    """The keys around the data, their types and their order."""
    recorded = json.loads((recordings / f"{name}.json").read_text())["response"]["body"]
    answer = graph.ask(query, options)
    del answer["status"]
    for document in (recorded, answer):
        data = document.pop("data", None)
        document["data"] = type(data).__name__ if not isinstance(data, dict) else [*data]

    assert shape(answer) == shape(recorded)
    assert [*answer] == [*recorded]
