"""Resource Graph: one question in KQL about many subscriptions, answered in pages as recorded (oddities 8 and 9)."""

import base64
import binascii
import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

import msgspec
from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from devkit.simulator import errors
from devkit.simulator.access import Access
from devkit.simulator.descendants import descendants, management_group
from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.graph_tables import Found, Refused, Tables
from devkit.simulator.holdings import Holdings
from devkit.simulator.model import Json, Subscription
from devkit.simulator.state import State

MOST_ROWS = 1000
MOST_SUBSCRIPTIONS = 1000
QUERIES = 15
SECONDS = 5.0
_FIRST_WITH_OBJECTS = "2020-04-01"
_INVALID = (
    "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error "
    "before retrying."
)

_DENIED = "Access is denied to the requested resource. The user might not have enough permission."


class _Options(Struct, rename="camel"):
    top: int = field(default=MOST_ROWS, name="$top")
    skip: int = field(default=0, name="$skip")
    skip_token: str | None = field(default=None, name="$skipToken")
    result_format: Literal["objectArray", "table"] | UnsetType = UNSET
    allow_partial_scopes: bool = False


class _Question(Struct, rename="camel"):
    query: str
    subscriptions: list[str] | None = None
    management_groups: list[str] | None = None
    options: _Options | None = None


class _Token(Struct, rename="pascal"):
    """Where the next page begins, in the words of the recorded tokens; and of which question."""

    rows_to_skip: int
    question: str
    id: str = field(default="1", name="$id")
    max_rows: int = MOST_ROWS
    kusto_cluster_url: str = "https://loopback.example.com"


class Quota:
    """15 queries in 5 seconds; not limited without a clock. Any thread may take."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since = float("-inf")
        self._taken = 0

    def take(self) -> tuple[bool, dict[str, str]]:
        """Whether a query may be asked now, and the headers that say what is left."""
        if self._clock is None:
            return True, _told(QUERIES - 1, SECONDS)
        with self._lock:
            now = self._clock()
            if now - self._since >= SECONDS:
                self._since, self._taken = now, 0
            admitted = self._taken < QUERIES
            self._taken += admitted
            return admitted, _told(QUERIES - self._taken, SECONDS - (now - self._since))


def _told(left: int, seconds: float) -> dict[str, str]:
    rest = max(1, min(round(seconds + 0.5), int(SECONDS)))
    return {
        "x-ms-ratelimit-remaining-tenant-resource-requests": str(left),
        "x-ms-user-quota-remaining": str(left),
        "x-ms-user-quota-resets-after": f"00:00:{rest:02}",
    }


class ResourceGraph:
    """Answers queries about what a state lists; from any thread."""

    def __init__(self, state: State, access: Access) -> None:
        self._state = state
        self._access = access
        self._tables = Tables()

    def answer(self, call: Call) -> Reply:
        """The answer to a query; who may ask, and how often, was checked before."""
        version = call.query.get("api-version", "")
        if not version:
            return errors.missing_api_version()
        if call.method != "POST":
            return errors.method_not_allowed(call.method)
        try:
            question = msgspec.json.decode(call.body, type=_Question)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return errors.invalid_content(str(error))
        options = question.options or _Options()
        if not 1 <= options.top <= MOST_ROWS or options.skip < 0:
            return refused(_detail("InvalidPaging", f"$top must be 1 to {MOST_ROWS}, and $skip not negative."))
        try:
            start = _start(options, question)
            asked = self._asked(question)
            found = self._tables.query(question.query, asked)
        except Refused as error:
            return refused(_detail("InvalidQuery", _INVALID), *error.details)
        except _Unanswerable as error:
            return refused(error.detail)
        except _NothingToRead:
            return refused(_detail("AccessDenied", _DENIED), status=403, code="AccessDenied")
        return json_reply(_page(found, start, question, options, version))

    def close(self) -> None:
        """Forget the database."""
        self._tables.close()

    def _asked(self, question: _Question) -> list[Holdings]:
        """The subscriptions a question is about, of those that can be read; others are passed over in silence."""
        wanted = self._wanted(question)
        if wanted is not None and len(wanted) > MOST_SUBSCRIPTIONS:
            raise _Unanswerable("TooManySubscriptions", f"{len(wanted)} subscriptions; {MOST_SUBSCRIPTIONS} at most.")
        listed = (self._state.listed(each.id) for each in self._state.subscriptions() if _is_seen(each))
        meant = [each for each in listed if each and (wanted is None or each.subscription.id.casefold() in wanted)]
        found = [self._access.shown(each) for each in meant if self._access.answers(each.subscription)]
        if meant and not found:
            raise _NothingToRead
        if not found:
            given = ", ".join(question.subscriptions or question.management_groups or ())
            raise _Unanswerable(
                "NoValidSubscriptionsInQueryRequest",
                f"There must be at least one subscription that is eligible to contain resources. Given: '{given}'.",
            )
        return found

    def _wanted(self, question: _Question) -> set[str] | None:
        """The ids that are meant, folded; None for all."""
        if question.subscriptions:
            return {each.casefold() for each in question.subscriptions}
        if not question.management_groups:
            return None
        return set(self._below(question.management_groups))

    def _below(self, names: list[str]) -> Iterator[str]:
        estate = self._state.estate
        for name in names:
            if group := management_group(estate, name):
                for each in descendants(estate, group):
                    if each["type"] == "/subscriptions":
                        yield str(each["name"]).casefold()


class _NothingToRead(Exception):
    """There is nothing that the identity may read, where it asks."""


class _Unanswerable(Exception):
    """The question is none that can be asked."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.detail = _detail(code, message)


def refused(*details: Json, status: int = 400, code: str = "BadRequest") -> Reply:
    """A refusal: what is wrong is in the details only."""
    message = (
        "Please provide below info when asking for support: "
        f"timestamp = {datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z, correlationId = {uuid4()}."
    )
    return json_reply({"error": {"code": code, "message": message, "details": list(details)}}, status)


def throttled() -> Reply:
    """There were too many queries; the wait is in a header of its own (oddity 57)."""
    message = (
        "Client application has been throttled and should not attempt to repeat the request until an amount of time "
        "has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
    )
    reply = refused(_detail("RateLimiting", message), status=429, code="RateLimiting")
    return replace(reply, headers=_told(0, SECONDS) | reply.headers)


def half(reply: Reply) -> Reply:
    """The answer with half of its rows, and not a word about the others."""
    document: dict[str, Any] = msgspec.json.decode(reply.body)
    if reply.status != 200:
        return reply
    data = document["data"]
    rows = data["rows"] if isinstance(data, dict) else data
    del rows[len(rows) // 2 :]
    document.pop("$skipToken", None)
    return json_reply(document | {"count": len(rows)}, headers=reply.headers)


def _detail(code: str, message: str) -> Json:
    return {"code": code, "message": message}


def _is_seen(subscription: Subscription) -> bool:
    """Whether the identity can read it: Resource Graph leaves out the others without a word."""
    always = (each for each in subscription.faults if each.times is None)
    return subscription.recorded is None and not any(each.kind in ("forbidden", "not-found") for each in always)


def _start(options: _Options, question: _Question) -> int:
    if not options.skip_token:
        return options.skip
    try:
        token = msgspec.json.decode(base64.b64decode(options.skip_token, validate=True), type=_Token)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise _Unanswerable("InvalidSkipToken", "The skip token is malformed.") from error
    if token.question != _digest(question):
        raise _Unanswerable("InvalidSkipToken", "The skip token is that of another query.")
    return token.rows_to_skip


def _digest(question: _Question) -> str:
    return hashlib.sha256(question.query.encode()).hexdigest()[:16]


def _page(found: Found, start: int, question: _Question, options: _Options, version: str) -> Json:
    names = [name for name, _ in found.columns]
    rows = found.rows[start : start + options.top]
    end = start + len(rows)
    more = end < len(found.rows)
    usual = "objectArray" if version >= _FIRST_WITH_OBJECTS else "table"
    as_table = (usual if options.result_format is UNSET else options.result_format) == "table"
    data: Any = [dict(zip(names, row, strict=True)) for row in rows]
    if as_table:
        data = {"columns": [{"name": name, "type": kind} for name, kind in found.columns], "rows": rows}
    # Without `id` among the columns there is no way to the rest (oddity 8).
    paged = more and "id" in names
    answer: Json = {
        "totalRecords": len(found.rows),
        "count": len(rows),
        "data": data,
        "facets": [],
        "resultTruncated": "true" if more and not paged else "false",
    }
    if paged:
        token = msgspec.json.encode(_Token(end, _digest(question), max_rows=options.top))
        answer["$skipToken"] = base64.b64encode(token).decode()
    return answer
