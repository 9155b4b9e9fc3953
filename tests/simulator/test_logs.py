"""Log Analytics as simulated: real KQL over an activity log, answers and refusals in the recorded shapes."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import requests

from devkit.simulator import Estate, Event, Fault, Simulator, Subscription, load_estate
from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.logs import WORKSPACE
from devkit.simulator.logs_events import KEPT, ActivityLog
from tests.simulator.client import Client

NOW = datetime.now(UTC).replace(microsecond=0)
SHOP = "5e000000-0000-4000-8000-00000000000a"
SITE = f"/subscriptions/{SHOP}/resourceGroups/RG-Shop/providers/Microsoft.Web/sites/shop"
ESTATE = Estate(
    name="shop",
    subscriptions=(
        Subscription(
            id=SHOP, name="Shop", resource_groups=(group("rg-shop", resource("Microsoft.Web/sites", "shop")),)
        ),
    ),
)


class Asking:
    """A plain client of the query API, with a token for it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.simulator = client.simulator
        self.token = client.token(resource=self.simulator.environment["STEWARD_LOGS_AUDIENCE"])

    def post(self, body: object, workspace: str = WORKSPACE, path: str = "", **headers: str) -> requests.Response:
        """The answer to a body, for a workspace or another path."""
        url = self.simulator.environment["STEWARD_LOGS_ENDPOINT"] + (path or f"/v1/workspaces/{workspace}/query")
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        given = {"Authorization": f"Bearer {self.token}"} | headers
        return self.client.session.post(url, data=content, headers=given, timeout=30)

    def rows(self, query: str, **more: object) -> list[list[Any]]:
        """The rows of an answer."""
        answer = self.post({"query": query} | more)
        assert answer.status_code == 200, answer.text
        (table,) = answer.json()["tables"]
        rows: list[list[Any]] = table["rows"]
        return rows

    def innermost(self, query: str) -> tuple[int, str, str]:
        """Status, kind and innermost code of a refusal, which has the recorded shape."""
        answer = self.post({"query": query})
        error = answer.json()["error"]
        assert set(error) == {"message", "code", "correlationId", "innererror"}
        assert error["code"] == "BadArgumentError"
        return answer.status_code, error["innererror"]["code"], error["innererror"]["innererror"]["code"]


@pytest.fixture(scope="module")
def shared() -> Iterator[Asking]:
    """One simulator for a module."""
    with Simulator(ESTATE) as simulator, Client(simulator) as client:
        yield Asking(client)


@pytest.fixture
def asking(shared: Asking) -> Asking:
    """A log with three events, and no faults."""
    shared.simulator.faults.clear()
    shared.simulator.activity.row_limit = 500_000
    shared.simulator.activity.clear()
    shared.simulator.activity.add(
        Event(time=NOW - timedelta(days=3), resource_id=SITE),
        Event(time=NOW - timedelta(days=2), resource_id=SITE.upper(), status="Failed", caller="tester@example.com"),
        Event(time=NOW - KEPT - timedelta(days=1), resource_id=SITE),
    )
    return shared


class TestAnswers:
    def test_columns_with_types_and_rows(self, asking: Asking) -> None:
        """As recorded: times are texts with seven digits, numbers are numbers."""
        query = "AzureActivity | summarize Last = max(TimeGenerated), Count = count() by Caller | order by Caller asc"

        assert asking.post({"query": query, "timespan": None, "workspaces": None}).json() == {
            "tables": [
                {
                    "name": "PrimaryResult",
                    "columns": [
                        {"name": "Caller", "type": "string"},
                        {"name": "Last", "type": "datetime"},
                        {"name": "Count", "type": "long"},
                    ],
                    "rows": [["developer@example.com", _text(3), 1], ["tester@example.com", _text(2), 1]],
                }
            ]
        }

    def test_a_column_for_each_thing_that_is_told(self, asking: Asking) -> None:
        (row,) = asking.rows(
            "AzureActivity | where ActivityStatusValue == 'Failed' | project SubscriptionId, _SubscriptionId, "
            "ResourceGroup, ResourceProviderValue, OperationNameValue, CategoryValue, Level, _ResourceId"
        )

        assert row == [
            SHOP.upper(),
            SHOP,
            "RG-SHOP",
            "Microsoft.Web",
            "Microsoft.Web/sites/write",
            "Administrative",
            "Error",
            SITE.upper(),
        ]

    def test_types(self, asking: Asking) -> None:
        query = (
            'print a = "x", b = true, c = datetime(2026-01-02), d = toint(1), e = 2, f = 1.5, g = dynamic([1]), h = 1h'
        )
        table = asking.post({"query": query}).json()["tables"][0]

        assert [column["type"] for column in table["columns"]][:6] == [
            "string",
            "bool",
            "datetime",
            "int",
            "long",
            "real",
        ]
        assert table["rows"][0][:6] == ["x", True, "2026-01-02T00:00:00.0000000Z", 1, 2, 1.5]

    @pytest.mark.parametrize(
        ("timespan", "count"),
        [
            (None, 2),
            ("P1D", 0),
            ("PT216000.0S", 1),
            ("P2DT12H", 1),
            (f"{(NOW - timedelta(days=3)).isoformat()}/PT24H", 1),
            (f"{(NOW - timedelta(days=3)).isoformat()}/{(NOW - timedelta(days=1)).isoformat()}", 2),
            ("P300D", 2),
        ],
        ids=["none", "days", "seconds", "days-and-hours", "from-for", "from-to", "too-long"],
    )
    def test_a_timespan_narrows_it_and_never_reaches_beyond_90_days(
        self, asking: Asking, timespan: str | None, count: int
    ) -> None:
        assert asking.rows("AzureActivity | count", timespan=timespan) == [[count]]

    def test_what_is_added_and_cleared_later(self, asking: Asking) -> None:
        asking.simulator.activity.add(Event(time=NOW, resource_id=SITE))
        assert asking.rows("AzureActivity | count") == [[3]]
        asking.simulator.activity.clear()
        assert asking.rows("AzureActivity | count") == [[0]]

    def test_the_scope_of_a_resource(self, asking: Asking) -> None:
        asking.simulator.activity.add(Event(time=NOW, resource_id=SITE + "-other"))
        path = f"/v1/subscriptions/{SHOP}/resourcegroups/rg-shop/providers/Microsoft.Web/sites/shop-other/query"

        assert asking.post({"query": "AzureActivity | count"}, path=path).json()["tables"][0]["rows"] == [[1]]

    def test_at_the_row_limit_the_rest_is_cut_off_and_said(self, asking: Asking) -> None:
        """200, with rows and an error beside them (oddity 63)."""
        asking.simulator.activity.row_limit = 1
        answer = asking.post({"query": "AzureActivity"})
        error = answer.json()["error"]

        assert answer.status_code == 200
        assert len(answer.json()["tables"][0]["rows"]) == 1
        assert error["code"] == "PartialError"
        assert "limit 1 (E_QUERY_RESULT_SET_TOO_LARGE" in error["details"][0]["innererror"]["message"]

    def test_other_calls_are_answered_meanwhile(self, asking: Asking) -> None:
        asking.simulator.activity.add(*(Event(time=NOW, resource_id=f"{SITE}-{number}") for number in range(20_000)))
        thread = threading.Thread(target=asking.rows, args=("AzureActivity | summarize by _ResourceId",))
        thread.start()
        assert asking.client.get("/subscriptions").status_code == 200
        thread.join()


def _text(days: int) -> str:
    return f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%S}.0000000Z"


class TestRefusals:
    @pytest.mark.parametrize(
        ("query", "kind", "code"),
        [
            ("AppInsights | where TimeGenerated > ago(12h)", "SemanticError", "SEM0100"),
            ("AzureActivity | where Foo == 1", "SemanticError", "SEM0100"),
            ("AzureActivity | where", "SyntaxError", "SYN0002"),
            ("AzureActivity | wherex 3", "SyntaxError", "SYN0002"),
            ("AzureActivity | extend x = bag_keys(dynamic({}))", "SemanticError", "SEM0001"),
            (".set X <| AzureActivity", "SemanticError", "SEM0001"),
        ],
        ids=["table", "column", "syntax", "operator", "unsupported", "command"],
    )
    def test_a_bad_query(self, asking: Asking, query: str, kind: str, code: str) -> None:
        assert asking.innermost(query) == (400, kind, code)

    def test_the_missing_thing_is_named(self, asking: Asking) -> None:
        error = asking.post({"query": "AppInsights | count"}).json()["error"]["innererror"]["innererror"]

        assert error["message"].endswith("Failed to resolve table or column expression named 'AppInsights'")

    @pytest.mark.parametrize(
        "body", [b"", b"no json", [1], {"query": 5}, {}, {"query": "AzureActivity", "timespan": "a day"}], ids=str
    )
    def test_a_bad_body(self, asking: Asking, body: object) -> None:
        answer = asking.post(body)

        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadArgumentError")

    def test_another_workspace(self, asking: Asking) -> None:
        answer = asking.post({"query": "AzureActivity"}, workspace=SHOP)

        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "PathNotFoundError")
        assert asking.post({"query": "AzureActivity"}, workspace=WORKSPACE.upper()).status_code == 200

    def test_a_token_for_another_audience(self, asking: Asking) -> None:
        """Resource Manager's tokens open nothing here, nor the other way round."""
        for header in (f"Bearer {asking.client.token()}", "Bearer x", "", f"Basic {asking.token}"):
            answer = asking.post({"query": "AzureActivity"}, Authorization=header)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthorizationRequiredError")
        assert asking.client.get("/subscriptions", Authorization=f"Bearer {asking.token}").status_code == 401

    def test_only_post(self, asking: Asking) -> None:
        url = f"/v1/workspaces/{WORKSPACE}/query"

        assert asking.client.get(url, Authorization=f"Bearer {asking.token}").status_code == 405


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            ({"kind": "forbidden"}, 403, "InsufficientAccessError"),
            ({"kind": "not-found"}, 404, "PathNotFoundError"),
            ({"kind": "throttled"}, 429, "ThrottledError"),
            ({"kind": "expired-token"}, 401, "AuthorizationRequiredError"),
            ({"kind": "error-in-200"}, 200, "InternalServerError"),
            ({"kind": "partial"}, 200, "PartialError"),
            ({"status": 504}, 504, "GatewayTimeout"),
        ],
        ids=str,
    )
    def test_in_this_services_envelope(self, asking: Asking, fault: dict[str, Any], status: int, code: str) -> None:
        asking.simulator.faults.add(Fault(route="logs", **fault))
        answer = asking.post({"query": "AzureActivity"})

        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert asking.post({"query": "AzureActivity"}).json().get("error") is None

    def test_a_partial_answer_has_half_of_the_rows(self, asking: Asking) -> None:
        asking.simulator.faults.add(Fault(route="logs", kind="partial"))

        assert len(asking.post({"query": "AzureActivity"}).json()["tables"][0]["rows"]) == 1

    def test_a_star_means_resource_manager(self, asking: Asking) -> None:
        asking.simulator.faults.add(Fault(status=500, times=None))

        assert asking.post({"query": "AzureActivity"}).status_code == 200

    def test_queries_are_in_the_request_log(self, asking: Asking) -> None:
        asking.post({"query": "AzureActivity"})
        last = asking.simulator.requests[-1]

        assert (last.route, last.method, last.status) == ("logs", "POST", 200)
        assert last.path == f"/v1/workspaces/{WORKSPACE}/query"


class TestHistory:
    """What an estate's people, programs and providers did."""

    def test_it_is_the_same_each_time(self) -> None:
        estate = load_estate("demo")

        assert ActivityLog(estate, NOW).events == ActivityLog(estate, NOW).events

    def test_it_moves_with_the_clock(self) -> None:
        estate = load_estate("demo")
        callers = [[event.caller for event in ActivityLog(estate, NOW - timedelta(days=day)).events] for day in (0, 9)]

        assert min(map(len, callers)) > 50

    def test_it_has_what_azures_has(self) -> None:
        """Spellings, states, kinds of callers, failures, deletions, doubles, and things without any event."""
        estate = load_estate("generated", subscriptions=2, groups=40, resources=600)
        events = ActivityLog(estate, NOW).events
        ids = {each.id.lower() for subscription in estate.subscriptions for each in subscription.resources}
        told = {event.resource_id.lower() for event in events}

        assert {"Start", "Started", "Accept", "Accepted", "Success", "Succeeded", "Failure", "Failed"} == {
            event.status for event in events
        }
        assert {"@" in event.caller for event in events} == {True, False}
        assert any(event.operation.endswith("/delete") for event in events)
        assert any(event.resource_id.isupper() for event in events)
        assert any(event.resource_id.islower() for event in events)
        assert len(set(events)) < len(events)
        assert 0.5 * len(ids) < len(ids & told) < len(ids)
        assert all(event.time > NOW - KEPT for event in events)

    def test_a_young_thing_was_created(self) -> None:
        born = NOW - timedelta(days=8)
        young = resource("Microsoft.Web/sites", "young", created_time=f"{born:%Y-%m-%dT%H:%M:%S}.1234567Z")
        estate = Estate(
            name="young",
            subscriptions=tuple(
                Subscription(
                    id=f"5e000000-0000-4000-8000-{number:012}", name="x", resource_groups=(group("rg", young),)
                )
                for number in range(10)
            ),
        )
        first: dict[str, datetime] = {}
        for event in ActivityLog(estate, NOW).events:
            if event.resource_id.lower().endswith("/young"):
                first.setdefault(event.resource_id.lower(), event.time)

        assert len(first) > 4
        assert all(timedelta(0) < moment - born < timedelta(minutes=1) for moment in first.values())


def test_duckdb_is_imported_by_the_first_query() -> None:
    """Starting a simulator must not get slower."""
    code = (
        "import sys, devkit.simulator; print([each for each in sys.modules if each.startswith(('duckdb', 'antlr4'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
