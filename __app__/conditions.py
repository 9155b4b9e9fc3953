"""ETags of answers, and requests that depend on them (RFC 9110, 13)."""

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

import azure.functions as func
import msgspec

from shared_code.errors import AlreadyExists, Changed, Refused
from shared_code.versions import Expected

encode = msgspec.json.Encoder().encode
"""How every JSON answer is written."""

_TAGS = re.compile(r'(W/)?("[^"]*")')
_ADVICE = "read it again, and send the request with the ETag of that answer if it still holds"


class Outdated(Refused):
    """What the caller has seen is not what is there."""


class Seen(NamedTuple):
    """What a GET would answer now, and the version of the object behind it, None where there is no object."""

    shown: object
    etag: str | None


def tag_of(body: bytes) -> str:
    """Return the ETag of an answer: a strong one, made of its content alone."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_known(req: func.HttpRequest, tag: str) -> bool:
    """Tell whether the caller has that answer already, by If-None-Match."""
    header = req.headers.get("If-None-Match")
    return header is not None and _names(header, tag, weak=True)


def expected(req: func.HttpRequest, look: Callable[[], Seen | None]) -> Expected | None:
    """Return what may be written over, by If-Match and If-None-Match; None for anything, where neither is sent.

    Args:
        req: the request.
        look: gives what is there, None where nothing is; called only if it matters.

    Raises:
        Outdated: something else is there than the caller has seen.
    """
    match, none_match = req.headers.get("If-Match"), req.headers.get("If-None-Match")
    if match is None and none_match is None:
        return None
    seen = look()
    tag = None if seen is None else tag_of(encode(seen.shown))
    if match is not None and (tag is None or not _names(match, tag, weak=False)):
        what = "there is nothing here" if tag is None else f"what is here has {tag}"
        raise Outdated(f"If-Match is not fulfilled: {what}; {_ADVICE}.")
    if none_match is not None and tag is not None and _names(none_match, tag, weak=True):
        raise Outdated(f"If-None-Match is not fulfilled: what is here has {tag}; {_ADVICE}.")
    return Expected(seen.etag if seen else None)


def unless_outdated[Result](write: Callable[[], Result]) -> Result:
    """Do a write that depends on what is there.

    Raises:
        Outdated: somebody else has written meanwhile.
    """
    try:
        return write()
    except (AlreadyExists, Changed) as error:
        raise Outdated(f"Somebody else has changed it meanwhile; {_ADVICE}.") from error


def _names(header: str, tag: str, *, weak: bool) -> bool:
    """Tell whether a list of ETags has this one; a weak one counts only where that is enough."""
    return header.strip() == "*" or any(named == tag and (weak or not mark) for mark, named in _TAGS.findall(header))
