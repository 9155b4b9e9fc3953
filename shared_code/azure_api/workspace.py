"""One Log Analytics workspace: asks it a question in KQL, and takes an answer only if it is whole.

Limits of a query: https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#log-queries-and-language
"""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from shared_code.azure_api.activity_reading import TooMuch, TooSlow
from shared_code.azure_api.arm import ANSWER_LIMIT
from shared_code.azure_api.errors import failure, translated
from shared_code.errors import AzureError, NotFound, UnreadableAnswer
from shared_code.foreign_text import one_line

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.monitor.query import LogsQueryClient

TIME_LIMIT = 60
"""Seconds the workspace may work on one query."""

_TALKATIVE = "azure.core.pipeline.policies.http_logging_policy"
_SLACK = 30
_CONNECTIONS = 2
_TIMED_OUT = re.compile(r"timed?[ -]?out|E_QUERY_TIMEOUT|GatewayTimeout", re.IGNORECASE)
_TOO_LARGE = re.compile(
    r"RESULT_SET_TOO_LARGE|exceeded .*(limit|size)|limit .*exceeded|E_RUNAWAY|LOW_MEMORY|ResponseSize|TooLarge",
    re.IGNORECASE | re.DOTALL,
)
_DAMAGE = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)


class Log(NamedTuple):
    """One table of the workspace, as it is told of."""

    name: str
    """Its content, as in "cannot read {name}"."""
    table: str
    how: str
    """What makes that the workspace has it."""


class Workspace:
    """Asks one workspace; nothing is imported or connected before the first question."""

    def __init__(
        self,
        endpoint: str,
        audience: str,
        workspace_id: str,
        credential: Callable[[], "TokenCredential"],
        sleep: Callable[[float], None] = time.sleep,
        *,
        time_limit: float = TIME_LIMIT + _SLACK,
        answer_limit: float = ANSWER_LIMIT,
    ) -> None:
        """Prepare.

        Args:
            endpoint: https address of the Log Analytics query API.
            audience: what tokens are asked for.
            workspace_id: a GUID.
            credential: gives the credential, on first use.
            sleep: waits that many seconds.
            time_limit: seconds until an answer begins, and that it may pause.
            answer_limit: seconds an answer may take from its headers to its end.
        """
        self._endpoint = endpoint
        self._audience = audience
        self._workspace = workspace_id
        self._credential = credential
        self._sleep = sleep
        self._time_limit = time_limit
        self._answer_limit = answer_limit
        self._client: LogsQueryClient | None = None

    def rows(self, log: Log, query: str, columns: tuple[str, ...], most_rows: int) -> Iterator[tuple[Any, ...]]:
        """Ask one question, and give its rows.

        Args:
            log: which table it is about.
            query: KQL.
            columns: of the answer, in the order in which a row is to have them.
            most_rows: an answer with as many may have lost others.

        Raises:
            TooMuch: half of the question may be answered.
            AzureError: it cannot be answered.
        """
        what = f"{log.name} in workspace '{self._workspace}'"
        with translated(what):
            result = self._result(what, log, query)
        if partial := getattr(result, "partial_error", None):
            raise _in_part(what, partial)
        try:
            table = next(each for each in result.tables if set(columns) <= set(each.columns))
        except (StopIteration, *_DAMAGE):
            raise UnreadableAnswer(f"cannot read {what}: the answer has not the columns that were asked for") from None
        if len(table.rows) >= most_rows:
            raise TooMuch(f"the answer has {len(table.rows):,} rows, which is the most there can be")
        places = [table.columns.index(each) for each in columns]
        return (tuple(row[place] for place in places) for row in table.rows)

    def _connected(self) -> "LogsQueryClient":
        if self._client is None:
            from azure.core.pipeline.transport import RequestsTransport
            from azure.monitor.query import LogsQueryClient
            from requests import Session

            from shared_code.azure_api.patience import Patient
            from shared_code.azure_api.policies import CappedRetry

            session = Session()
            session.mount("https://", Patient(self._answer_limit, _CONNECTIONS))
            # A line for each request at INFO, and every line costs money in Application Insights.
            logging.getLogger(_TALKATIVE).setLevel(logging.WARNING)
            self._client = LogsQueryClient(
                self._credential(),
                endpoint=self._endpoint,
                audience=self._audience,
                retry_policy=CappedRetry(self._sleep, retry_total=6, retry_status=3, retry_connect=2, retry_read=2),
                transport=RequestsTransport(session=session, connection_timeout=30, read_timeout=self._time_limit),
            )
        return self._client

    def _result(self, what: str, log: Log, query: str) -> Any:
        from azure.core.exceptions import HttpResponseError

        client = self._connected()
        heard: list[Any] = []
        try:
            return client.query_workspace(
                self._workspace,
                query,
                timespan=None,
                server_timeout=TIME_LIMIT,
                raw_response_hook=heard.append,
                # A query changes nothing, so it may be sent again.
                retry_on_methods=frozenset({"POST"}),
            )
        except (HttpResponseError, *_DAMAGE) as error:
            # The SDK raises anew, without its class, what the pipeline raised, and loses an answer that is no JSON.
            if heard and heard[-1].http_response.status_code >= 400:
                raise _refusal(what, log, heard[-1].http_response) from error
            if isinstance(error, HttpResponseError):
                raise (error.__context__ if isinstance(error.__context__, HttpResponseError) else error) from None
            raise UnreadableAnswer(f"cannot read {what}: the answer is not what a query's answer looks like") from error


def _refusal(what: str, log: Log, response: Any) -> Exception:
    """Say what an error answer means."""
    body = response.read()
    told = _innermost(body)
    if response.status_code == 504:
        return TooSlow(f"a query takes longer than {TIME_LIMIT} seconds")
    if response.status_code == 413 or (response.status_code == 400 and _TOO_LARGE.search(told)):
        return TooMuch(f"the answer is too large: {told}")
    if response.status_code == 400:
        if "SEM0100" in told and log.table in told:
            return NotFound(f"cannot read {what}: the table {log.table} does not exist in the workspace; {log.how}")
        return AzureError(f"cannot read {what}: Azure answered 400 {told}; this is worth reporting")
    return failure(what, response.status_code, response.headers.get("Content-Type", ""), body)


def _in_part(what: str, error: Any) -> Exception:
    """Judge the error that came beside rows: whether a smaller question may be answered whole."""
    told = _told([{"code": error.code, "message": error.message}, error.details])
    if _TIMED_OUT.search(told):
        return TooSlow(f"a query takes too long: {told}")
    if _TOO_LARGE.search(told):
        return TooMuch(f"the answer is too large: {told}")
    return UnreadableAnswer(f"cannot read {what}: Azure answered in part only, {told}; try again later")


def _innermost(body: bytes) -> str:
    try:
        return _told(json.loads(body))
    except (ValueError, RecursionError):
        return ""


def _told(value: object) -> str:
    """Return the innermost codes and messages of an error, as one line."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(reversed(each))
        elif isinstance(each, Mapping):
            inner = [each[name] for name in ("error", "innererror", "details") if each.get(name)]
            waiting.extend(reversed(inner))
            if not inner:
                found.append(": ".join(str(each[name]) for name in ("code", "message") if each.get(name)))
    return one_line("; ".join(dict.fromkeys(found)))
