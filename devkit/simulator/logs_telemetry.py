"""What a function app's host sends to Application Insights: calls of functions and lines of the log.

The host posts it as JSON, a list or a line each, to `v2/track` at the IngestionEndpoint of its connection string:
https://learn.microsoft.com/azure/azure-monitor/app/api-custom-events-metrics and the SDKs' own sources. Application
Insights keeps it in the tables AppRequests and AppTraces of its workspace.
"""

import json
import re
import threading
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

PATHS = ("/v2/track", "/v2.1/track")
_DURATION = re.compile(r"(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)")
_LEVELS = ("Verbose", "Information", "Warning", "Error", "Critical")


class RequestRow(Struct, frozen=True, kw_only=True):
    """One row of AppRequests: a call of a function."""

    time: datetime
    name: str
    app: str
    success: bool = True
    code: str = "0"
    milliseconds: float = 0.0
    id: str = ""
    operation: str = ""
    properties: dict[str, str] = {}


class TraceRow(Struct, frozen=True, kw_only=True):
    """One row of AppTraces: a line of the log; `name` is the function that wrote it, `severity` 0 to 4."""

    time: datetime
    message: str
    app: str
    severity: int = 1
    name: str = ""
    operation: str = ""
    properties: dict[str, str] = {}


class Telemetry:
    """All that was sent, and what a test adds; changed and read from different threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[RequestRow] = []
        self._traces: list[TraceRow] = []
        self._version = 0

    def add(self, *rows: RequestRow | TraceRow) -> None:
        """Let the workspace have these too."""
        with self._lock:
            self._requests += [row for row in rows if isinstance(row, RequestRow)]
            self._traces += [row for row in rows if isinstance(row, TraceRow)]
            self._version += 1

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._requests, self._traces = [], []
            self._version += 1

    @property
    def requests(self) -> list[RequestRow]:
        """A copy of the calls."""
        return self.snapshot_requests()[1]

    @property
    def traces(self) -> list[TraceRow]:
        """A copy of the lines of the log."""
        return self.snapshot_traces()[1]

    def snapshot_requests(self) -> tuple[int, list[RequestRow]]:
        """The calls, and a number that is another one whenever they have changed."""
        with self._lock:
            return self._version, list(self._requests)

    def snapshot_traces(self) -> tuple[int, list[TraceRow]]:
        """The lines of the log, and a number that is another one whenever they have changed."""
        with self._lock:
            return self._version, list(self._traces)

    def take(self, body: bytes) -> int:
        """Read what a host has posted; how many items were taken.

        Raises:
            ValueError: it cannot be read; nothing of it is kept then.
        """
        try:
            text = body.decode()
            items = json.loads(text) if text.lstrip().startswith("[") else [*map(json.loads, text.splitlines())]
            rows = [row for item in items if (row := _row(item)) is not None]
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise ValueError(f"no telemetry: {error!r}") from error
        self.add(*rows)
        return len(items)


def _row(item: dict[str, Any]) -> RequestRow | TraceRow | None:
    data, tags = item["data"], item.get("tags", {})
    base = data["baseData"]
    common: dict[str, Any] = {
        "time": datetime.fromisoformat(item["time"]).astimezone(UTC),
        "app": tags.get("ai.cloud.role", ""),
        "operation": tags.get("ai.operation.id", ""),
        "properties": base.get("properties", {}),
    }
    if data["baseType"] == "RequestData":
        return RequestRow(
            **common,
            name=tags.get("ai.operation.name", base["name"]),
            success=base["success"],
            code=str(base["responseCode"]),
            milliseconds=_milliseconds(base["duration"]),
            id=base["id"],
        )
    if data["baseType"] == "MessageData":
        severity = base.get("severityLevel", 1)
        level = _LEVELS.index(severity) if isinstance(severity, str) else int(severity)
        return TraceRow(**common, message=base["message"], severity=level, name=tags.get("ai.operation.name", ""))
    return None


def _milliseconds(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if not found:
        raise TypeError(f"'{text}' is no duration")
    days, hours, minutes, seconds = (float(each or 0) for each in found.groups())
    return round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000, 4)
