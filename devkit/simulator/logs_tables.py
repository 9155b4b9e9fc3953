"""The tables that the workspace has: their columns, and where their rows come from.

https://learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity, …/apprequests and …/apptraces; the
columns that are always empty are left out, and of AzureActivity those of dynamic type.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from devkit.simulator.logs_events import ActivityLog, Event
from devkit.simulator.logs_telemetry import RequestRow, Telemetry, TraceRow


class Source(NamedTuple):
    """One table: its name, its columns with their types and what makes their values, and its rows as they are now."""

    name: str
    columns: dict[str, tuple[str, Callable[[Any], object]]]
    snapshot: Callable[[], tuple[int, list[Any]]]
    """The rows, and a number that is another one whenever they have changed."""


ACTIVITY = "AzureActivity"
REQUESTS = "AppRequests"
TRACES = "AppTraces"
NAMES = (ACTIVITY, REQUESTS, TRACES)

_TEXT, _TIME = "VARCHAR", "TIMESTAMP"


def sources(log: ActivityLog, telemetry: Telemetry, component: str) -> tuple[Source, ...]:
    """The tables of a workspace; `component` is the id of the Application Insights component."""
    return (
        Source(ACTIVITY, _ACTIVITY, log.snapshot),
        Source(REQUESTS, _REQUESTS | _of_component(REQUESTS, component), telemetry.snapshot_requests),
        Source(TRACES, _TRACES | _of_component(TRACES, component), telemetry.snapshot_traces),
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


_ACTIVITY: dict[str, tuple[str, Callable[[Event], object]]] = {
    "TimeGenerated": (_TIME, lambda event: _utc(event.time)),
    "ActivityStatusValue": (_TEXT, lambda event: event.status),
    "ActivitySubstatusValue": (_TEXT, lambda _: ""),
    "Caller": (_TEXT, lambda event: event.caller),
    "CallerIpAddress": (_TEXT, lambda _: "203.0.113.7"),
    "CategoryValue": (_TEXT, lambda event: event.category),
    "CorrelationId": (_TEXT, lambda event: event.correlation),
    "Level": (_TEXT, lambda event: "Error" if event.status.startswith("Fail") else "Information"),
    "OperationNameValue": (_TEXT, lambda event: event.operation),
    "ResourceGroup": (_TEXT, lambda event: event.group),
    "ResourceProviderValue": (_TEXT, lambda event: event.operation.partition("/")[0]),
    "SubscriptionId": (_TEXT, lambda event: event.subscription_id),
    "Type": (_TEXT, lambda _: ACTIVITY),
    "_ResourceId": (_TEXT, lambda event: event.resource_id),
    "_SubscriptionId": (_TEXT, lambda event: event.subscription_id.lower()),
}
_COMMON: dict[str, tuple[str, Callable[[Any], object]]] = {
    "TimeGenerated": (_TIME, lambda row: _utc(row.time)),
    "AppRoleName": (_TEXT, lambda row: row.app),
    "ItemCount": ("INTEGER", lambda _: 1),
    "OperationId": (_TEXT, lambda row: row.operation),
    "OperationName": (_TEXT, lambda row: row.name),
    "Properties": ("JSON", lambda row: json.dumps(row.properties)),
}
_REQUESTS: dict[str, tuple[str, Callable[[RequestRow], object]]] = _COMMON | {
    "DurationMs": ("DOUBLE", lambda row: row.milliseconds),
    "Id": (_TEXT, lambda row: row.id),
    "Name": (_TEXT, lambda row: row.name),
    "ResultCode": (_TEXT, lambda row: row.code),
    "Success": ("BOOLEAN", lambda row: row.success),
}
_TRACES: dict[str, tuple[str, Callable[[TraceRow], object]]] = _COMMON | {
    "Message": (_TEXT, lambda row: row.message),
    "SeverityLevel": ("INTEGER", lambda row: row.severity),
}


def _of_component(table: str, component: str) -> dict[str, tuple[str, Callable[[Any], object]]]:
    return {"Type": (_TEXT, lambda _: table), "_ResourceId": (_TEXT, lambda _: component)}
