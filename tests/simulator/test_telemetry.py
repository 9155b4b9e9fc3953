"""What a host posts to Application Insights is in the tables AppRequests and AppTraces of the workspace."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest

from devkit.simulator import Estate, RequestRow, Simulator, TraceRow
from devkit.simulator.logs_engine import Engine, named_tables
from devkit.simulator.logs_events import ActivityLog
from devkit.simulator.logs_tables import sources
from devkit.simulator.logs_telemetry import Telemetry

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
EMPTY = Estate(name="none", subscriptions=())


def item(kind: str, base: dict[str, Any], **tags: str) -> dict[str, Any]:
    """One item as the SDKs send it."""
    return {
        "name": f"Microsoft.ApplicationInsights.{kind}",
        "time": "2026-11-22T06:00:00.1234567Z",
        "iKey": "k",
        "tags": {"ai.cloud.role": "func-a", "ai.operation.name": "tag_audit", "ai.operation.id": "op"} | tags,
        "data": {"baseType": f"{kind}Data", "baseData": {"ver": 2, **base}},
    }


CALL = item(
    "Request",
    {
        "id": "i", "name": "tag_audit", "duration": "0.01:00:02.5000000", "responseCode": "0", "success": True,
        "properties": {"InvocationId": "x"},
    },
)  # fmt: skip
LINE = item("Message", {"message": "run=r job=j succeeded", "severityLevel": "Information"})


def told(*items: dict[str, Any]) -> bytes:
    return json.dumps(items).encode()


def test_a_call_and_a_line() -> None:
    telemetry = Telemetry()
    assert telemetry.take(told(CALL, LINE)) == 2

    moment = datetime(2026, 11, 22, 6, 0, 0, 123456, UTC)
    assert telemetry.requests == [
        RequestRow(
            time=moment,
            name="tag_audit",
            app="func-a",
            milliseconds=3_602_500.0,
            id="i",
            operation="op",
            properties={"InvocationId": "x"},
        )
    ]
    assert telemetry.traces == [
        TraceRow(time=moment, message="run=r job=j succeeded", app="func-a", name="tag_audit", operation="op")
    ]


def test_lines_of_json_are_read_too() -> None:
    """As some SDKs send them; kinds that have no table are taken and left out."""
    telemetry = Telemetry()
    body = "\n".join(json.dumps(each) for each in (CALL, item("Metric", {"metrics": []}))).encode()

    assert telemetry.take(body) == 2
    assert len(telemetry.requests) == 1


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1]", b"\xff", told({**CALL, "time": "then"}), told({**CALL, "data": {}}), told(CALL, {})],
    ids=["no json", "no item", "no text", "no time", "no data", "one of two"],
)
def test_what_is_no_telemetry_is_left_out_whole(body: bytes) -> None:
    telemetry = Telemetry()
    with pytest.raises(ValueError, match="no telemetry: "):
        telemetry.take(body)
    assert telemetry.requests == []


@pytest.fixture(scope="module", name="simulator")
def _simulator() -> Iterator[Simulator]:
    with Simulator(EMPTY) as simulator:
        yield simulator


def post(simulator: Simulator, body: bytes) -> dict[str, Any]:
    setting = simulator.environment["APPLICATIONINSIGHTS_CONNECTION_STRING"]
    url = setting.partition("IngestionEndpoint=")[2] + "v2/track"
    with urlopen(Request(url, body, method="POST")) as answer:  # noqa: S310  # the simulator's own address
        answered: dict[str, Any] = json.load(answer)
    return answered


def test_the_connection_string_says_where(simulator: Simulator) -> None:
    """What is posted there is no question, so it is not among the requests."""
    before = len(simulator.requests)

    assert post(simulator, told(CALL)) == {"itemsReceived": 1, "itemsAccepted": 1, "errors": []}
    assert [each.name for each in simulator.telemetry.requests] == ["tag_audit"]
    assert len(simulator.requests) == before


class TestTables:
    @pytest.fixture(name="rows")
    def _rows(self) -> Any:
        telemetry = Telemetry()
        telemetry.add(
            RequestRow(time=NOW, name="a", app="x", success=False, code="500", properties={"InvocationId": "i-1"}),
            RequestRow(time=NOW - timedelta(hours=1), name="b", app="x", milliseconds=7.5),
            TraceRow(time=NOW, message="run=1", app="x", severity=3),
        )
        component = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Insights/components/func-simulated"
        engine = Engine(sources(ActivityLog(EMPTY, NOW), telemetry, component))

        def rows(query: str, scope: str = "") -> list[list[Any]]:
            return engine.query(query, NOW - timedelta(days=1), NOW + timedelta(days=1), scope).rows

        yield rows
        engine.close()

    def test_types(self, rows: Any) -> None:
        """A truth value is one, and a number too; what is in Properties is reached by its name."""
        query = "AppRequests | where Success == false and DurationMs < 5 | project Name, ResultCode, tostring({})"
        for one in ("Properties.InvocationId", 'Properties["InvocationId"]'):
            assert [each[:3] for each in rows(query.format(one))] == [["a", "500", "i-1"]]
        assert rows("AppTraces | where SeverityLevel >= 3 | project Message") == [["run=1"]]

    def test_a_scope(self, rows: Any) -> None:
        """A query of the component finds its rows, and one of another resource none."""
        of_group = rows("AppRequests | count", "/subscriptions/S/resourcegroups/RG")
        assert (of_group, rows("AppRequests | count", "/subscriptions/t")) == ([[2]], [[0]])


def test_the_tables_that_a_query_names() -> None:
    assert named_tables("union AppTraces, (AppRequests | take 1)") == ["AppRequests", "AppTraces"]
    assert named_tables("AzureActivity | take 1") == ["AzureActivity"]
