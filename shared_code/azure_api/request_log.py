"""The app's own request log in a Log Analytics workspace: which of its functions were called, and with what success.

Columns: https://learn.microsoft.com/azure/azure-monitor/reference/tables/apprequests. The Functions host gives a call
the name of its function as OperationName, and puts its id into Properties as InvocationId.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared_code.azure_api.activity_queries import literal
from shared_code.azure_api.activity_reading import TooMuch
from shared_code.azure_api.workspace import Log, Workspace
from shared_code.errors import AzureError, UnreadableAnswer
from shared_code.foreign_text import one_line
from shared_code.invocations import LOOK_BACK, WORKER, Calls, Testimony

MOST_ROWS = 5_000
"""Rows of an answer at most: two for each timer, and one for each call of the worker that failed."""
COLUMNS = ("Function", "Succeeded", "Invocation", "Number", "First", "Last", "Code")

_NO_WORKSPACE = "no workspace is configured; set STEWARD_LOGS_WORKSPACE_ID to the id of the one with the request log"
_NO_APP = "nobody tells the name under which the app's calls are noted, as it is outside of Azure"
_LOG = Log("the request log", "AppRequests", "let Application Insights of the app keep its data there")
_FUNCTION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,126}", re.ASCII)
# One half of a pair is no character, and KQL has no spelling for it.
_PRINTABLE = re.compile(r"[ -~]+", re.ASCII)


class WorkspaceRequestLog:
    """Reads the request log from one workspace; the port RequestLog."""

    def __init__(self, workspace: Workspace | None, app: str) -> None:
        """Prepare.

        Args:
            workspace: to be asked; None where none is configured.
            app: the name under which the host notes the app's calls; "" where nobody tells.
        """
        self._workspace = workspace
        self._app = app

    def calls(self, since: Mapping[str, datetime], until: datetime) -> Testimony:
        """Return what the log says of these functions, of each from its moment on; whatever goes wrong is in it.

        Raises:
            ValueError: a function has no name that one can have; a programming error.
        """
        if self._workspace is None:
            return Testimony(reason=_NO_WORKSPACE)
        if not self._app:
            return Testimony(reason=_NO_APP)
        try:
            rows = self._workspace.rows(_LOG, question(self._app, since, until), COLUMNS, MOST_ROWS)
            return _testimony(rows)
        except TooMuch as error:
            return Testimony(reason=f"it was not read to its end: {error}")
        except AzureError as error:
            return Testimony(reason=str(error))


def question(app: str, since: Mapping[str, datetime], until: datetime) -> str:
    """Ask for the calls of functions of an app.

    Columns: `Function`, which is empty for all other functions, `Succeeded`, `Invocation`, which is empty but for calls
    of the worker that failed, `Number`, `First`, `Last` and `Code`, that of the last one.

    Args:
        app: its name, any text.
        since: by the names of functions, from when on their calls count.
        until: before when.

    Raises:
        ValueError: a function has no name that one can have.
    """
    for name in since:
        if not _FUNCTION.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a function")
    cases = [f'OperationName =~ "{name}" and TimeGenerated >= {literal(at)}, "{name}"' for name, at in since.items()]
    cases.append(f'OperationName =~ "{WORKER}", "{WORKER}"')
    earliest = min(since.values(), default=until) - LOOK_BACK
    return f"""AppRequests
| where TimeGenerated >= {literal(earliest)} and TimeGenerated < {literal(until)}
| where AppRoleName =~ {quoted(app)}
| extend Function = case({", ".join(cases)}, "")
| project Function, Succeeded = Success, First = TimeGenerated, Last = TimeGenerated, Code = ResultCode,
    Invocation = iff(Function == "{WORKER}" and Success == false, tostring(Properties.InvocationId), "")
| summarize Number = count(), First = min(First), arg_max(Last, Code) by Function, Succeeded, Invocation
| project {", ".join(COLUMNS)}"""


def quoted(text: str) -> str:
    """Write a text as KQL does; what is no printable ASCII becomes a question mark, which no name of an app has."""
    plain = "".join(each if _PRINTABLE.fullmatch(each) else "?" for each in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _testimony(rows: Iterator[tuple[Any, ...]]) -> Testimony:
    calls: dict[str, Calls] = {}
    failed: dict[str, datetime] = {}
    moments: list[datetime] = []
    for function, succeeded, invocation, number, first, last, code in rows:
        if not (isinstance(function, str) and isinstance(invocation, str) and isinstance(succeeded, bool)):
            raise _damaged(function, succeeded, invocation)
        if not isinstance(number, int) or not isinstance(code, str | None):
            raise _damaged(number, code)
        began, ended = _moment(first), _moment(last)
        moments += [began, ended]
        if invocation:
            failed[invocation.lower()] = ended
        if not function:
            continue
        known = calls.get(function, Calls())
        is_newest = not succeeded and (known.last_failed is None or ended > known.last_failed)
        calls[function] = Calls(
            number=known.number + number,
            first=min(began, known.first or began),
            failed=known.failed + (0 if succeeded else number),
            last_failed=ended if is_newest else known.last_failed,
            result_code=(code or "") if is_newest else known.result_code,
        )
    return Testimony(calls=calls, failed=failed, first=min(moments, default=None), last=max(moments, default=None))


def _moment(value: object) -> datetime:
    # The SDK leaves a time that it cannot read as text.
    if not isinstance(value, datetime):
        raise _damaged(value)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _damaged(*values: object) -> UnreadableAnswer:
    return UnreadableAnswer(f"cannot read the request log: {one_line(repr(values), 120)} is not what a row may hold")
