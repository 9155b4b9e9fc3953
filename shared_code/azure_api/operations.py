"""Deletions that go on after they were accepted: where to ask, and what the answers mean.

https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from shared_code.azure_api.bodies import Answer, Reply, is_json
from shared_code.azure_api.envelopes import code_of, describe
from shared_code.azure_api.errors import failure
from shared_code.azure_api.refusals import failed
from shared_code.errors import AzureError, UnreadableAnswer
from shared_code.ports import Deletion, Followed

LONGEST_WAIT = 60.0
"""Seconds between two questions at most, whatever Retry-After says; Azure has asked for 15 minutes."""
# Azure-AsyncOperation comes first: its answers tell the state in so many words.
_ADDRESSES = ("Azure-AsyncOperation", "Location")
_ENDED = ("succeeded", "failed", "canceled")
# Without these an operation has no record any more, since none is kept for ever, or it lay under what was deleted.
_NOT_THE_RECORD = ("subscriptionnotfound", "invalidsubscriptionid")
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")

type Follows = Callable[[str], bool]
"""Tells whether an address may be asked."""


def deletion_of(reply: Reply, follows: Follows, what: str) -> Deletion:
    """Read the answer that accepts a delete.

    Args:
        reply: status 200, 201, 202 or 204.
        follows: whether an address may be asked.
        what: what was asked for, for the error text.

    Raises:
        UnreadableAnswer: it was accepted, and nobody can ask how far it is.
    """
    status = reply.answer.status
    if status == 204:
        return Deletion()
    given = [reply.headers[name] for name in _ADDRESSES if reply.headers.get(name)]
    operation = next((each for each in given if follows(each)), None)
    if operation is None and status != 200:
        trouble = "names an address that is not asked" if given else "does not say where to ask how far it is"
        raise UnreadableAnswer(f"cannot read {what}: Azure accepted it and {trouble}")
    return Deletion(operation, wait_of(reply.headers) if operation else 0.0)


def followed(operation: str, reply: Reply, follows: Follows, what: str) -> Followed:
    """Read the answer of an operation's address.

    A word for the state decides, wherever there is one: addresses of both kinds look alike. Without one the status
    does. Only three words are ends; providers have many for what is still under way.

    Args:
        operation: what was asked.
        reply: its answer.
        follows: whether an address may be asked.
        what: what was asked for, for the error text.

    Raises:
        AzureError: it says nothing about the deletion; or where to ask next is not asked.
    """
    answer = reply.answer
    if answer.status == 204:
        return Followed(ended=True)
    if answer.status not in (200, 201, 202):
        return _refused(answer, what)
    word = _word(answer, what)
    state = (word or "").strip().lower()
    if state in _ENDED:
        return Followed(ended=True, failed=None if state == "succeeded" else failed(answer.body, word or ""))
    if word is None and answer.status == 200:
        return Followed(ended=True)
    # An address that tells the state stays the same, and its Location is that of the result.
    names = _ADDRESSES[:1] if word is not None else _ADDRESSES[::-1]
    given = next((reply.headers[name] for name in names if reply.headers.get(name)), operation)
    if not follows(given):
        raise UnreadableAnswer(f"cannot read {what}: it goes on at an address that is not asked")
    return Followed(ended=False, operation=given, wait=wait_of(reply.headers))


def wait_of(headers: Mapping[str, str]) -> float:
    """Return the seconds that an answer asks to wait, at most LONGEST_WAIT; 0 if it does not."""
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_WAIT)
    until, now = _date(text), _date(headers.get("Date", "").strip())
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT) if until and now else 0.0


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def _word(answer: Answer, what: str) -> str | None:
    """Return the answer's word for the state; None where it has none."""
    if not answer.body.strip():
        return None
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        kind = "" if is_json(answer.content_type) else f", but {describe(answer.status, answer.content_type, b'<')}"
        raise UnreadableAnswer(f"cannot read {what}: the answer is no JSON{kind}") from None
    if not isinstance(document, dict):
        raise UnreadableAnswer(f"cannot read {what}: the answer has another shape than Azure's")
    word = document.get("status", document.get("Status"))
    return word if isinstance(word, str) and word.strip() else None


def _refused(answer: Answer, what: str) -> Followed:
    """Tell the failure of the operation from trouble on the way to it."""
    status, content_type, body = answer
    code = code_of(body)
    if status in (404, 410) and code.casefold() not in _NOT_THE_RECORD and (code or not body.strip()):
        return Followed(ended=True)
    if 400 <= status < 500 and status not in (401, 403, 404, 408, 410, 429) and code:
        return Followed(ended=True, failed=failed(body, ""))
    error = failure(what, status, content_type, body)
    # NotFound would say that what is deleted is gone.
    raise AzureError(str(error)) if status == 404 else error
