"""What a sentence about an error answer may hold, and what it has to."""

import re
from typing import Any

import pytest

from shared_code.errors import (
    AccessDenied,
    AzureError,
    Conflict,
    NotFound,
    Throttled,
    Unauthenticated,
)
from tests.oddities.wire import Wire

CLASSES: dict[int, type[AzureError]] = {
    401: Unauthenticated,
    403: AccessDenied,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    429: Throttled,
}
"""The class of each status; any other is an AzureError and nothing more."""

START = "cannot read the list of subscriptions: Azure answered "
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
MARKUP = re.compile(r"</?[a-z!][^>]*>", re.IGNORECASE)
SECRET = re.compile(r"eyJ[\w-]{8,}\.|Bearer\s+[\w.-]{20,}|[?&](sig|c|s|h|code|sv|se|t)=[^&\s]", re.IGNORECASE)


def code_of(body: Any) -> str:
    """The code of an error, in whichever envelope; found without the product's help."""
    if not isinstance(body, dict):
        return ""
    lowered = {name.lower(): value for name, value in body.items()}
    inner = lowered.get("error") or lowered.get("odata.error")
    if isinstance(inner, str):
        return inner
    if isinstance(inner, dict):
        return code_of(inner)
    code = lowered.get("code")
    return str(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""


def failed(wire: Wire, status: int, body: Any = None) -> str:
    """Read the subscriptions from a server that answers so, and give the sentence, after looking at it.

    It is of the class of the status, one line, with the status and the code, without markup, control characters,
    tokens or signed addresses.
    """
    with pytest.raises(AzureError) as raised:
        wire.read("subscriptions")
    sentence = str(raised.value)
    code = code_of(body)
    assert type(raised.value) is CLASSES.get(status, AzureError)
    assert sentence.startswith(START + str(status))
    assert not code or sentence.startswith(f"{START}{status} {code}")
    assert CONTROL.search(sentence) is None, sentence
    assert MARKUP.search(sentence) is None, sentence
    assert SECRET.search(sentence) is None, sentence
    assert not any(token in sentence for token in wire.credential.tokens)
    return sentence.removeprefix(START)
