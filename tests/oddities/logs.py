"""A server that answers queries of Log Analytics as it is told, and the real reader of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from shared_code.activity import Evidence
from shared_code.azure_api.activity import LogAnalytics
from shared_code.azure_api.workspace import Workspace
from tests.azure_api.conftest import JSON, Clock, Remembering, Script
from tests.oddities.recorded import Json, Recording
from tests.oddities.wire import KNOWN, ROOT

NOW = datetime.now(UTC).replace(microsecond=0)
SITE = f"{ROOT}/resourceGroups/rg-app/providers/Microsoft.Web/sites/app"
WORKSPACE = "10600000-0000-4000-8000-00000000000a"
SINCE = int((NOW - timedelta(days=9)).timestamp()) * 1_000_000


class Answering:
    """A server that answers queries as it is told, and the real reader of it."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._time = Clock()

    def read(self, *answers: tuple[int, Json | bytes]) -> Evidence:
        """Answer one query after the other so, and every later one like the last; the evidence."""
        left = list(answers)

        def answer(_: str) -> tuple[int, dict[str, str], bytes]:
            status, body = left.pop(0) if len(left) > 1 else left[0]
            return status, JSON, body if isinstance(body, bytes) else json.dumps(body).encode()

        self._script.answers = answer
        url = self._script.url
        asked = Workspace(url, "https://api.loganalytics.io", WORKSPACE, Remembering, self._time.sleep)
        reader = LogAnalytics(asked)
        return reader.writers([KNOWN.id], NOW - timedelta(days=90), NOW)

    def replay(self, recording: Recording) -> str:
        """Answer both queries with a recording; the reason why that is no evidence."""
        body = json.dumps(recording.body).encode()
        reasons = {self.read((recording.status, body)).reason, self.read((200, HEARD), (recording.status, body)).reason}
        (reason,) = reasons
        assert reason is not None
        return reason


def table(name: str, *rows: list[Any], **columns: str) -> Json:
    """An answer of one table."""
    return {"tables": [{"name": name, "columns": [{"name": c, "type": t} for c, t in columns.items()], "rows": rows}]}


HEARD = table(
    "PrimaryResult",
    [KNOWN.id, "2026-11-01T06:00:00.1234567Z", 1],
    Subscription="string",
    Since="datetime",
    Resources="long",
)
WRITERS = table(
    "PrimaryResult",
    [SITE, SINCE, "developer@example.com", SINCE, "developer@example.com"],
    Resource="string",
    First="long",
    FirstCaller="string",
    Last="long",
    LastCaller="string",
)
