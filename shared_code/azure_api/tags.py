"""The tags of one thing, read and written through Microsoft.Resources/tags.

https://learn.microsoft.com/rest/api/resources/tags. Of its writes only PATCH with Merge and Delete are used: Replace
and PUT would take away what somebody added meanwhile.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from shared_code.azure_api.arm import Arm
from shared_code.azure_api.bodies import Answer
from shared_code.azure_api.envelopes import code_of, describe
from shared_code.azure_api.errors import failure
from shared_code.errors import (
    AccessDenied,
    AzureError,
    Conflict,
    NotFound,
    Rejected,
    Throttled,
    Unauthenticated,
    UnreadableAnswer,
)
from shared_code.foreign_text import one_line
from shared_code.model import Tags

_VERSION = "2022-09-01"
# What may stand in a path besides letters and digits, and an encoding that is there already.
_SAFE = "/:@!$&'()*+,;=~-._%"
_BARE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_DONE = (200, 201, 202, 204)

_CODES: dict[str, str] = {
    "scopelocked": "a management lock forbids it; remove the lock for the while, or leave the tags as they are",
    "requestdisallowedbypolicy": "an Azure Policy forbids it; change the rule or the policy",
    "denyassignmentauthorizationfailed": "a deny assignment forbids it, as on what a managed application owns",
}
_LIMIT = re.compile(r"tag.*(count|limit|exceed|toomany|maximum)|toomanytags", re.IGNORECASE)
_UNTAGGABLE = re.compile(r"not_?support|unsupported|notallowed|readonly|cannotbeupdated", re.IGNORECASE)


class _Properties(msgspec.Struct):
    tags: Tags | None = None


class _Document(msgspec.Struct):
    properties: _Properties


_decode = msgspec.json.Decoder(_Document).decode


def _always() -> None:
    return None


class AzureTags:
    """The tags at one scope in Azure: the port TagWriter."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def tags(self, scope: str) -> Tags:
        """Return the tags as they are now.

        Raises:
            AzureError: they cannot be read; none is an answer of its own.
        """
        what = f"the tags of '{one_line(scope, 300)}'"
        answer = self._arm.send("GET", _path(scope), what)
        if answer.status != 200:
            raise failure(what, *answer)
        try:
            return _decode(answer.body).properties.tags or {}
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableAnswer(f"cannot read {what}: the answer has another shape than Azure's: {error}") from error

    def merge(self, scope: str, tags: dict[str, str], ready: Callable[[], None] = _always) -> None:
        """Add these tags, or give them these values; all others stay.

        Raises:
            AzureError: Azure did not say that it is done; it may be.
        """
        self._write("Merge", scope, tags, ready)

    def delete(self, scope: str, tags: dict[str, str], ready: Callable[[], None] = _always) -> None:
        """Remove these tags, each only while it has this value; an empty value stands for any.

        Raises:
            AzureError: Azure did not say that it is done; it may be.
        """
        self._write("Delete", scope, tags, ready)

    def _write(self, operation: str, scope: str, tags: dict[str, str], ready: Callable[[], None]) -> None:
        if not tags:
            raise AssertionError("a write without tags says nothing")
        what = f"what became of the change of the tags of '{one_line(scope, 300)}'"
        body: dict[str, Any] = {"operation": operation, "properties": {"tags": tags}}
        answer = self._arm.send("PATCH", _path(scope), what, msgspec.json.encode(body), ready)
        # 202 is done later: whoever wrote reads until it shows.
        if answer.status not in _DONE:
            raise _refused(scope, answer)


def _path(scope: str) -> str:
    encoded = quote(_BARE_PERCENT.sub("%25", scope.rstrip("/")), safe=_SAFE)
    return f"{encoded}/providers/Microsoft.Resources/tags/default?api-version={_VERSION}"


def _refused(scope: str, answer: Answer) -> AzureError:
    """Turn the answer to a write into the error that says whether trying again can help, and what else does."""
    status, content_type, body = answer
    said = describe(status, content_type, body).removesuffix(".")
    code = code_of(body)

    def error(kind: type[AzureError], advice: str) -> AzureError:
        return kind(f"cannot change the tags of '{one_line(scope, 300)}': {advice}; Azure answered {said}")

    if known := _CODES.get(code.casefold()):
        return error(Rejected, known)
    if status == 401:
        return error(Unauthenticated, "check that the app's managed identity exists, or sign in with 'az login'")
    if status == 403:
        return error(AccessDenied, "Steward's identity needs the role Tag Contributor there, or Steward Tagger")
    if status == 404:
        return error(NotFound, "it was deleted, or Steward's identity has no role there")
    if status in (409, 412):
        return error(Conflict, "another operation is under way on it")
    if status == 429:
        return error(Throttled, "there were too many requests")
    if status == 408 or status >= 500:
        return error(AzureError, "Azure is in trouble")
    if _LIMIT.search(code):
        return error(Rejected, "it would have more tags than Azure keeps there; remove some that nobody needs")
    if status == 405 or _UNTAGGABLE.search(code):
        return error(Rejected, "things of this type take no tags, or no change of them; exclude the type from the rule")
    return error(Rejected, "Azure does not take it")
