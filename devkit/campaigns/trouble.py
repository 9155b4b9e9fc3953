"""What may arrive instead of an answer of Azure: every kind of trouble that has been seen, or may be."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from devkit.simulator.breakage import broken
from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.faults import Fault
from devkit.simulator.routes import Route

type Make = Callable[[Call, Route, Reply], Reply | None]
"""Makes what arrives of the answer there would have been; None where that is no answer it can be made of."""

PATIENCE = 0.25
"""Seconds that clients of a campaign wait for an answer; the app waits 30."""
TOO_LONG = 0.6


class Trouble(Struct, frozen=True):
    """One kind of trouble.

    A write that is answered by what `refuses` has not been done; by anything else it has, and nobody is told so.
    `lies` says that the answer itself is not true. `seconds` pass before it.
    """

    name: str
    arrives: str
    make: Make
    refuses: bool = False
    lies: bool = False
    seconds: float = 0.0


def _fault(**fields: Any) -> Make:
    fault = Fault(**fields)
    return lambda call, asked, normal: broken(fault, asked, call, normal)


def _error(status: int, code: str, message: str) -> Make:
    return _fault(status=status, body={"error": {"code": code, "message": message}})


def _of_document(change: Callable[[dict[str, Any], Call], dict[str, Any] | None]) -> Make:
    """Make another document of the one that would have arrived."""

    def make(call: Call, _: Route, normal: Reply) -> Reply | None:
        plain = normal.plain
        try:
            document = msgspec.json.decode(plain.body)
        except msgspec.DecodeError:
            return None
        if plain.status != 200 or not isinstance(document, dict):
            return None
        changed = change(document, call)
        return None if changed is None else replace(plain, body=msgspec.json.encode(changed))

    return make


def _as_text(change: Callable[[Reply], Reply]) -> Make:
    return lambda _call, _asked, normal: change(normal.plain) if normal.body else None


def _again(call: Call, mark: str) -> str:
    """The link to the page that was asked for, spelled otherwise."""
    return f"https://{call.host}{call.target}&{mark}"


def _empty_first(document: dict[str, Any], call: Call) -> dict[str, Any] | None:
    if "value" not in document or "again" in call.query:
        return None
    return {"value": [], "nextLink": _again(call, "again=1")}


def _twice(document: dict[str, Any], call: Call) -> dict[str, Any] | None:
    if "value" not in document or "again" in call.query:
        return None
    return document | {"nextLink": _again(call, "again=2")}


def _loop(document: dict[str, Any], call: Call) -> dict[str, Any] | None:
    return document | {"nextLink": f"https://{call.host}{call.target}"} if "value" in document else None


def _half(document: dict[str, Any], _: Call) -> dict[str, Any] | None:
    if isinstance(document.get("data"), list):
        return document | {"data": document["data"][: len(document["data"]) // 2], "count": len(document["data"]) // 2}
    return None


def _skewed(hours: float) -> Make:
    def make(_call: Call, _asked: Route, normal: Reply) -> Reply:
        told = parsedate_to_datetime(normal.headers["Date"]) + timedelta(hours=hours)
        return replace(normal, headers=normal.headers | {"Date": format_datetime(told, usegmt=True)})

    return make


def _cut_gzip(_call: Call, _asked: Route, normal: Reply) -> Reply | None:
    if not normal.body:
        return None
    packed = gzip.compress(normal.plain.body, mtime=0)
    headers = normal.plain.headers | {"Content-Encoding": "gzip"}
    return Reply(status=normal.status, body=packed[: len(packed) // 2], headers=headers)


def _dripped(_call: Call, _asked: Route, normal: Reply) -> Reply | None:
    return replace(normal, drip=PATIENCE / 2) if len(normal.body) > 1 else None


_HTML = {"content_type": "text/html"}

TROUBLES = {
    each.name: each
    for each in (
        Trouble("401", "401: the token has expired", _fault(kind="expired-token"), refuses=True),
        Trouble("403", "403 AuthorizationFailed", _fault(kind="forbidden"), refuses=True),
        Trouble(
            "404 subscription", "404 SubscriptionNotFound", _error(404, "SubscriptionNotFound", "None."), refuses=True
        ),
        Trouble(
            "404 group",
            "404 ResourceGroupNotFound",
            _error(404, "ResourceGroupNotFound", "The group could not be found."),
            refuses=True,
            lies=True,
        ),
        Trouble(
            "404 resource",
            "404 ResourceNotFound",
            _error(404, "ResourceNotFound", "The resource was not found."),
            refuses=True,
            lies=True,
        ),
        Trouble(
            "404 type",
            "404 InvalidResourceType",
            _error(404, "InvalidResourceType", "The type could not be found for this api version."),
            refuses=True,
        ),
        Trouble("404 page", "404 with a page for people", _fault(kind="html", status=404), refuses=True),
        Trouble("404 empty", "404 without a body", _fault(kind="empty", status=404), refuses=True),
        Trouble(
            "409 lock", "409 ScopeLocked", _error(409, "ScopeLocked", "The scope cannot be changed."), refuses=True
        ),
        Trouble(
            "409 busy",
            "409 AnotherOperationInProgress",
            _error(409, "AnotherOperationInProgress", "Another operation is in progress."),
            refuses=True,
        ),
        Trouble(
            "409 nested",
            "409 CannotDeleteResource",
            _error(409, "CannotDeleteResource", "Cannot delete while nested resources exist."),
            refuses=True,
        ),
        Trouble("412", "412 PreconditionFailed", _error(412, "PreconditionFailed", "It changed."), refuses=True),
        Trouble("429 now", "429, Retry-After 0", _fault(kind="throttled", retry_after=0), refuses=True),
        Trouble("429 5 s", "429, Retry-After 5", _fault(kind="throttled", retry_after=5), refuses=True),
        Trouble("429 1200 s", "429, Retry-After 1200", _fault(kind="throttled", retry_after=1200), refuses=True),
        Trouble("429", "429 without Retry-After", _error(429, "TooManyRequests", "There are too many."), refuses=True),
        Trouble("500", "500 InternalServerError", _fault(status=500)),
        Trouble("502", "502 BadGatewayConnection", _fault(status=502)),
        Trouble("503 page", "503 with a page for people", _fault(kind="html")),
        Trouble("504", "504 GatewayTimeout", _fault(status=504)),
        Trouble("reset", "the connection is reset", _fault(kind="reset")),
        Trouble("timeout", "nothing, for longer than we wait", lambda _c, _a, normal: normal, seconds=TOO_LONG),
        Trouble("drip", "byte by byte, for as long as anybody listens", _dripped),
        Trouble("cut", "half of the answer, then the end of the connection", _fault(kind="cut")),
        Trouble("cut gzip", "half of a packed answer", _cut_gzip),
        Trouble("cut JSON", "half of the JSON, as if it were all", _fault(kind="cut-json")),
        Trouble("not JSON", "200 that is no JSON", _fault(kind="not-json")),
        Trouble("other JSON", "200 with JSON of another shape", lambda *_: json_reply({"value": {"a": [None]}})),
        Trouble("error in 200", "200 with an error in it", _fault(kind="error-in-200")),
        Trouble(
            "UTF-16",
            "the answer in UTF-16, and its type says so",
            _as_text(
                lambda plain: replace(
                    plain,
                    body=plain.body.decode().encode("utf-16"),
                    headers=plain.headers | {"Content-Type": "application/json; charset=utf-16"},
                )
            ),
        ),
        Trouble(
            "Latin-1",
            "the answer in Latin-1, which is no UTF-8, though its type says so",
            _as_text(lambda plain: replace(plain, body=plain.body.replace(b'"', b'"\xe9', 3))),
        ),
        Trouble("empty page", "an empty page before the page", _of_document(_empty_first)),
        Trouble("page again", "the same page once more", _of_document(_twice)),
        Trouble("endless pages", "a link from the page to itself", _of_document(_loop)),
        Trouble("fewer rows", "half of the rows, without a word", _of_document(_half)),
        Trouble("clock", "an answer of three hours ago", _skewed(-3)),
    )
}
