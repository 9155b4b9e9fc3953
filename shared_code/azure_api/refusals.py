"""What Azure means by refusing: whether a thing is gone, and why it is not deleted."""

import json
import re
from collections.abc import Iterator
from typing import Any

from shared_code.azure_api.bodies import Answer
from shared_code.azure_api.envelopes import code_of, describe, scrubbed
from shared_code.azure_api.errors import failure
from shared_code.azure_api.places import shown
from shared_code.errors import AccessDenied, AzureError, Conflict, NotFound, Rejected, Throttled, Unauthenticated
from shared_code.foreign_text import one_line
from shared_code.resource_ids import type_and_name

GONE = frozenset({"resourcenotfound", "resourcegroupnotfound", "parentresourcenotfound"})
"""The codes of a 404 that say that a thing is not there.

Others mean a type, a version, a deployment or a subscription; a page or nothing at all may come from anywhere.
"""
# Which of them says it depends on the provider.
_VERSION = frozenset(
    {
        "apiversionnotsupported",
        "invalidapiversion",
        "invalidapiversionparameter",
        "invalidresourcetype",
        "noregisteredproviderfound",
        "unsupportedapiversion",
    }
)
_LOCK = "a management lock forbids it"
_FORBIDDEN: dict[str, str] = {
    "scopelocked": _LOCK,
    "requestdisallowedbypolicy": "an Azure Policy forbids it",
    "denyassignmentauthorizationfailed": "a deny assignment forbids it, as on what a managed application owns",
    "containerimmutabilitypolicyfailure": "an immutability policy forbids it",
    "missingsubscriptionregistration": "its provider is not registered in the subscription",
}
_PASSING = frozenset(
    {
        "anotheroperationinprogress",
        "deploymentactive",
        "operationpreempted",
        "referencedresourcenotprovisioned",
        "resourcegroupbeingdeleted",
        "retryableerror",
        "retryableerrorduetoanotheroperation",
    }
)
_IN_USE = re.compile(
    r"inuse|isused|beingused|cannotbedeleted|cannotdelete|cannotremove|operationnotallowed|attached|reservedfor|"
    r"has(snapshots|children|dependen|nested)|dependen(t|cy|cies)|notempty|deletionblocked",
    re.IGNORECASE,
)
_DEEPEST = 6
_MOST = 20


class WrongVersion(AzureError):
    """Azure does not know the api-version there; another one may do, and nothing has happened."""


def is_gone(answer: Answer) -> bool:
    """Whether an answer says that the thing is not there, and only that."""
    return answer.status == 404 and code_of(answer.body).casefold() in GONE


def is_wrong_version(status: int, body: bytes) -> bool:
    """Whether an answer refuses the api-version, before anything was done."""
    return status in (400, 404) and code_of(body).casefold() in _VERSION


def unread(what: str, status: int, content_type: str, body: bytes) -> AzureError:
    """Turn the error answer to a reading into an error; NotFound is only what is gone.

    Args:
        what: what was asked for, as in "cannot read {what}".
        status: anything but 200.
        content_type: as received.
        body: as received.
    """
    error = failure(what, status, content_type, body)
    if is_wrong_version(status, body):
        return WrongVersion(str(error))
    if isinstance(error, NotFound) and not is_gone(Answer(status, content_type, body)):
        said = describe(status, content_type, body).removesuffix(".")
        return AzureError(f"cannot read {what}: Azure answered {said}, which does not say that it is gone")
    return error


def refused(resource_id: str, answer: Answer) -> AzureError:
    """Turn the answer to a DELETE into the error that says whether trying again can help, and what else does."""
    status, content_type, body = answer
    said = describe(status, content_type, body).removesuffix(".")
    inner = [text for text in _texts(body) if text.removesuffix(".") not in said]
    if inner:
        said = scrubbed(f"{said}; {'; '.join(inner)}")

    def error(kind: type[AzureError], advice: str) -> AzureError:
        return kind(f"cannot delete '{shown(resource_id)}': {advice}; Azure answered {said}")

    if status == 401:
        return error(Unauthenticated, "check that the app's managed identity exists, or sign in with 'az login'")
    if status == 429:
        return error(Throttled, "there were too many requests")
    if status == 408 or status >= 500:
        return error(AzureError, "Azure is in trouble; it may be under way all the same")
    if status == 404:
        kind, advice = (
            (NotFound, "it is gone") if is_gone(answer) else (AzureError, "this does not say whether it is gone")
        )
        return error(kind, advice)
    if is_wrong_version(status, body):
        return WrongVersion(str(error(AzureError, "its api-version is not known there")))
    if reason := _reason([code_of(body), *_codes(body)]):
        return error(Conflict if reason == _BUSY else Rejected, reason)
    if status == 403:
        return error(
            AccessDenied, f"Steward's identity needs the role Steward Deleter there, with '{_action(resource_id)}'"
        )
    if status in (409, 412):
        return error(Conflict, _BUSY)
    if 400 <= status < 500:
        return error(Rejected, "Azure does not take it")
    return error(AzureError, "the answer is none to a delete; it may be under way all the same")


def failed(body: bytes, status: str) -> str:
    """Say why a deletion that was accepted has come to nothing, in one line.

    Args:
        body: the answer that says so.
        status: its word for it, such as Failed; empty where there is none.
    """
    codes = [code for code in _codes(body) if code.casefold() != "none"]
    reason = _reason(codes)
    texts = [text for text in dict.fromkeys(_texts(body)) if text]
    said = "; ".join(texts) or "no reason"
    word = f"{status.strip()}, " if status.strip() else ""
    return scrubbed(f"{f'{reason}; ' if reason else ''}Azure says {word}{said}").removesuffix(".")


def _action(resource_id: str) -> str:
    """Return the action that a role must have for the deletion."""
    named = type_and_name(resource_id)
    return f"{one_line(named[0], 200) if named else 'Microsoft.Resources/subscriptions/resourceGroups'}/delete"


_BUSY = "another operation is under way on it"


def _reason(codes: list[str]) -> str:
    """Return the plainest reason among the codes; what forbids it comes before what uses it."""
    folded = [code.casefold() for code in codes]
    if found := next((_FORBIDDEN[code] for code in folded if code in _FORBIDDEN), ""):
        return found
    if any(code in _PASSING for code in folded):
        return _BUSY
    return "it is in use" if any(_IN_USE.search(code) for code in folded) else ""


def _codes(body: bytes) -> list[str]:
    return [code for code, _ in _said(body) if code]


def _texts(body: bytes) -> list[str]:
    return [f"{code}: {message}" if code and message else code or message for code, message in _said(body)]


def _said(body: bytes) -> list[tuple[str, str]]:
    """Return every code and message in an error, outermost first."""
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return []
    found: list[tuple[str, str]] = []
    for pair in _walk(document, 0):
        if pair not in found:
            found.append(pair)
        if len(found) == _MOST:
            break
    return found


def _walk(value: object, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from _walk(each, depth + 1)
        return
    if isinstance(value, str):
        # Resource Manager hands on a provider's whole answer as the text of its message.
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return
    if not isinstance(value, dict):
        return
    fields = {str(name).lower(): each for name, each in value.items()}
    code, message = fields.get("code"), fields.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    text = message if isinstance(message, str) else ""
    packed = text.lstrip().startswith("{")
    pair = (code if isinstance(code, str) else "", "" if packed else text)
    if any(pair):
        yield pair
    if packed:
        yield from _walk(text, depth + 1)
    for name in ("error", "odata.error", "details"):
        if isinstance(fields.get(name), dict | list):
            yield from _walk(fields[name], depth + 1)
