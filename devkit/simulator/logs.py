"""The query API of Log Analytics: one workspace, its questions in KQL, its answers and refusals as recorded.

https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format
"""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from devkit.simulator.access import Access
from devkit.simulator.actions import action_of, table_action
from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.logs_engine import Engine, Refused, Table, named_tables
from devkit.simulator.logs_events import KEPT, ActivityLog
from devkit.simulator.logs_tables import sources
from devkit.simulator.logs_telemetry import Telemetry
from devkit.simulator.model import Estate
from devkit.simulator.roles import EVERYWHERE
from devkit.simulator.routes import Route

AUDIENCE = "https://api.loganalytics.io"
WORKSPACE = "10600000-0000-4000-8000-000000000001"
APP = "func-simulated"
"""The name of the app whose telemetry the workspace has."""
_DURATION = re.compile(r"P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_UNITS = (86_400, 3_600, 60, 1)
_SEVERE = {"severity": 2, "severityName": "Error"}


class LogAnalytics:
    """Answers queries over one activity log and the telemetry of one app; from any thread.

    `place` is the scope at which the workspace lies.
    """

    def __init__(
        self, log: ActivityLog, access: Access, place: str = EVERYWHERE, telemetry: Telemetry | None = None
    ) -> None:
        self._log = log
        self._access = access
        self._place = place
        component = f"{place.partition('/providers/')[0]}/providers/Microsoft.Insights/components/{APP}"
        self._engine = Engine(sources(log, telemetry or Telemetry(), component))

    def answer(self, call: Call, asked: Route) -> Reply:
        """The answer to a query; who may ask was checked before."""
        if not asked.scope and asked.name_in_scope.casefold() != WORKSPACE:
            return error(404, "PathNotFoundError", "The requested path does not exist")
        if call.method != "POST":
            return error(405, "MethodNotAllowed", f"The HTTP method '{call.method}' is not supported.")
        now = datetime.now(UTC)
        try:
            body = msgspec.json.decode(call.body, type=dict[str, Any])
            since, until = _span(body.get("timespan"), now)
            query = body["query"]
            if not isinstance(query, str):
                raise TypeError
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            return _invalid("BadArgumentError", "QueryValidationError", "The body has no query, or an odd timespan.")
        if not self._may_read(action_of(call.method, call.path), query, asked.scope or self._place):
            return forbidden()
        try:
            table = self._engine.query(query, max(since, now - KEPT), until, asked.scope)
        except Refused as refused:
            return _invalid(refused.kind, refused.code, str(refused))
        limit = self._log.row_limit
        if len(table.rows) > limit:
            return partial(
                _document(table._replace(rows=table.rows[:limit])),
                f"Query result set has exceeded the internal record count limit {limit} "
                "(E_QUERY_RESULT_SET_TOO_LARGE; see https://aka.ms/kustoquerylimits)",
            )
        return json_reply(_document(table))

    def _may_read(self, action: str, query: str, scope: str) -> bool:
        actions = [action, *(table_action(action, name) for name in named_tables(query))]
        return all(self._access.permits(each, scope) for each in actions)

    def close(self) -> None:
        """Forget the database."""
        self._engine.close()


def place(estate: Estate) -> str:
    """The id of the workspace, which is in the first subscription and is not listed there."""
    if not estate.subscriptions:
        return EVERYWHERE
    kind = "Microsoft.OperationalInsights/workspaces"
    return f"/subscriptions/{estate.subscriptions[0].id}/resourceGroups/rg-logs/providers/{kind}/log-activity"


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    """A refusal; `correlationId` is new each time."""
    content = {"message": message, "code": code, "correlationId": str(uuid.uuid4())}
    return json_reply({"error": content}, status, headers)


def unauthenticated() -> Reply:
    """There is no token, or none for this audience."""
    return error(401, "AuthorizationRequiredError", "Valid authentication was not provided")


def forbidden() -> Reply:
    """The identity may not query this workspace."""
    return error(
        403,
        "InsufficientAccessError",
        "The provided credentials have insufficient access to perform the requested operation",
    )


def throttled(wait: int | str) -> Reply:
    """There were too many queries."""
    return error(429, "ThrottledError", "Rate limit is exceeded", {"Retry-After": str(wait)})


def partial(document: dict[str, Any], message: str) -> Reply:
    """Rows, with an error beside them (oddity 63)."""
    inner = {"code": "-2133196797", "message": message} | _SEVERE
    details = [
        {
            "code": "EngineError",
            "message": "Something went wrong processing your query on the server.",
            "innererror": inner,
        }
    ]
    told = {"code": "PartialError", "message": "There were some errors when processing your query.", "details": details}
    return json_reply(document | {"error": told})


def half(reply: Reply) -> Reply:
    """The answer with half of its rows, and an error beside them."""
    document = msgspec.json.decode(reply.body)
    if reply.status != 200 or "tables" not in document:
        return reply
    table = document["tables"][0]
    table["rows"] = table["rows"][: len(table["rows"]) // 2]
    return partial(document, "An aggregator has met an exception; results may be incorrect or incomplete (E_OVERFLOW)")


def _invalid(kind: str, code: str, message: str) -> Reply:
    inner = {"code": kind, "message": "The query is invalid.", "innererror": {"code": code, "message": message}}
    content = {"message": "The request had some invalid properties", "code": "BadArgumentError"}
    return json_reply({"error": content | {"correlationId": str(uuid.uuid4()), "innererror": inner}}, 400)


def _document(table: Table) -> dict[str, Any]:
    columns = [{"name": name, "type": kind} for name, kind in table.columns]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": table.rows}]}


def _span(text: object, now: datetime) -> tuple[datetime, datetime]:
    """Read a timespan: none, a duration until now, `start/end` or `start/duration`.

    Raises:
        ValueError: it is none of these.
    """
    # Events are late, not early; a test may add one that is a little ahead of this clock.
    ahead = now + timedelta(days=1)
    if text is None or text == "":
        return now - KEPT, ahead
    if not isinstance(text, str):
        raise TypeError
    start, slash, end = text.partition("/")
    if not slash:
        return now - _duration(start), ahead
    since = _moment(start)
    return since, since + _duration(end) if end.startswith("P") else _moment(end)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(text)
    numbers = (float(number or 0) for number in found.groups())
    return timedelta(seconds=sum(number * unit for number, unit in zip(numbers, _UNITS, strict=True)))
