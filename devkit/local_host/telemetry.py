"""Telemetry as the Functions host sends it to Application Insights: each call of a function, each line of its log.

Sent only to an address on this machine, such as a simulator's: nothing leaves it by mistake.
"""

import http.client
import json
import logging
import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

_SETTING = "APPLICATIONINSIGHTS_CONNECTION_STRING"
_HERE = ("127.0.0.1", "localhost")
_MOST = 200
_PATIENCE = 5.0
# azure-functions-host, LogLevel to SeverityLevel of Application Insights.
_SEVERITY = {
    logging.DEBUG: "Verbose",
    logging.INFO: "Information",
    logging.WARNING: "Warning",
    logging.ERROR: "Error",
    logging.CRITICAL: "Critical",
}
_OWN = ("devkit", "asyncio", "aiohttp")

Json = dict[str, Any]


class Telemetry(logging.Handler):
    """Sends from a thread of its own; what cannot be sent is lost, as it is in Azure.

    Args:
        address: host and port of the IngestionEndpoint.
        key: the instrumentation key.
        app: the name of the app, as in AppRoleName.
        function_of: gives the function name and the id of the invocation that the calling code runs in, if any.
    """

    def __init__(self, address: str, key: str, app: str, function_of: Callable[[], tuple[str, str] | None]) -> None:
        super().__init__(logging.INFO)
        self._address = address
        self._key = key
        self._app = app
        self._function_of = function_of
        self._waiting: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="telemetry", daemon=True)
        self._thread.start()

    def called(
        self, function: str, invocation_id: str, began: datetime, seconds: float, code: str, reason: str
    ) -> None:
        """Send a call of a function that has ended; `code` is empty where it failed without one."""
        self._put(
            "Request",
            began,
            (function, invocation_id),
            {
                "id": uuid.uuid4().hex[:16],
                "name": function,
                "duration": _span(seconds),
                "responseCode": code or "0",
                "success": bool(code),
                "properties": {"InvocationId": invocation_id, "Category": "Host.Results", "TriggerReason": reason},
            },
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line of the app's log: the message alone, as the worker passes it on."""
        if record.name.partition(".")[0] in _OWN:
            return
        called = self._function_of()
        category = f"Function.{called[0]}.User" if called else "Host.Function.Console"
        properties = {"Category": category, "LogLevel": _SEVERITY.get(record.levelno, "Information")}
        if called:
            properties["InvocationId"] = called[1]
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message = f"{message}\n{record.exc_info[1]!r}"
        base: Json = {"message": message, "severityLevel": properties["LogLevel"], "properties": properties}
        self._put("Message", datetime.fromtimestamp(record.created, UTC), called, base)

    def close(self) -> None:
        """Send what waits, and end."""
        self._waiting.put(None)
        self._thread.join(_PATIENCE)
        super().close()

    def _put(self, kind: str, when: datetime, called: tuple[str, str] | None, base: Json) -> None:
        tags = {"ai.cloud.role": self._app}
        if called:
            tags |= {"ai.operation.name": called[0], "ai.operation.id": called[1].replace("-", "")}
        self._waiting.put(
            {
                "name": f"Microsoft.ApplicationInsights.{kind}",
                "time": when.astimezone(UTC).isoformat(),
                "iKey": self._key,
                "tags": tags,
                "data": {"baseType": f"{kind}Data", "baseData": {"ver": 2, **base}},
            }
        )

    def _work(self) -> None:
        ended = False
        while not ended:
            items = [self._waiting.get()]
            while not self._waiting.empty() and len(items) < _MOST:
                items.append(self._waiting.get())
            ended = None in items
            self._send([item for item in items if item is not None])

    def _send(self, items: list[Json]) -> None:
        if not items:
            return
        connection = http.client.HTTPConnection(self._address, timeout=_PATIENCE)
        try:
            connection.request("POST", "/v2/track", json.dumps(items).encode(), {"Content-Type": "application/json"})
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


def telemetry_of(environ: Mapping[str, str], function_of: Callable[[], tuple[str, str] | None]) -> Telemetry | None:
    """Give what sends to where the app setting says; None if that says nothing, or names another machine."""
    parts = dict(part.partition("=")[::2] for part in environ.get(_SETTING, "").split(";"))
    try:
        address = urlsplit(parts.get("IngestionEndpoint", ""))
    except ValueError:
        return None
    if address.scheme != "http" or address.hostname not in _HERE:
        return None
    app = environ.get("WEBSITE_CLOUD_ROLENAME") or environ.get("WEBSITE_SITE_NAME", "")
    return Telemetry(address.netloc, parts.get("InstrumentationKey", ""), app.lower(), function_of)


def _span(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours // 24}.{hours % 24:02}:{minutes:02}:{rest:010.7f}"
