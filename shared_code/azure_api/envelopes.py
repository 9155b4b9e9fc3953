"""What an error answer of Azure says, in whichever of its envelopes."""

import json
import re
from typing import Any

from shared_code.foreign_text import one_line

_XML = {name: re.compile(rf"<{name}>([^<]*)</{name}>", re.IGNORECASE) for name in ("code", "message")}
# What opens doors: the query of a signed address, a token, a password in an address, and what is named as a secret, as
# in connection strings, headers and bodies of requests.
_SIGNED = re.compile(r"(https?://[^\s?'\"<>]+\?)[^\s'\"<>]+", re.IGNORECASE)
_TOKEN = re.compile(r"\b(?:(bearer )[\w.~+/=-]{8,}|eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?)", re.IGNORECASE)
_USER = re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://)[^\s/@'\"<>]+(?=@)", re.IGNORECASE)
_NAMED = re.compile(
    r"((?:\b(?:account|access|api|function|functions|host|master|primary|secondary|storage|sharedaccess)[ _-]?key"
    r"|\b[\w-]{0,40}secret|\bpassword|\bpasswd|\bpwd|\bsas|\b(?:access|id|refresh|sas)[ _-]?token"
    r"|\bshared[ _-]?access[ _-]?signature|\bsig|[?&](?:code|key|token))[\"']{0,2}\s{0,3}[=:]\s{0,3}[\"']?)"
    r"[^\s'\"<>;,&]+(?:&[^\s'\"<>;,]*)?",
    re.IGNORECASE,
)
_LONGEST = 4000
"""Characters that are looked at: far more than are kept, and few enough for whatever a stranger may have written."""
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def describe(status: int, content_type: str, body: bytes) -> str:
    """Return status, code and message of an error answer as one line.

    Azure's providers answer with `{"error": {"code", "message"}}`, the same with capitals, the two keys without the
    envelope, OData's, a bare `error` text, HTML or nothing
    (https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors).
    """
    code, message = _json_error(body)
    if not code and not message:
        code, message = _xml_error(body)
    if not code and not message:
        if b"<" in body[:200]:
            title = _TITLE.search(body[:4000].decode(errors="replace"))
            shown = one_line(title[1]) if title else ""
            message = f"an HTML page, '{shown}'" if shown else "an HTML page"
        elif not body:
            message = "an empty answer"
        else:
            message = f"an answer of type '{content_type}'"
    text = f"{status}{f' {code}' if code else ''}: {message}" if message else f"{status} {code}"
    return scrubbed(text)


def scrubbed(text: str) -> str:
    """Make a foreign text one line without what opens doors: queries of addresses, tokens, passwords, and keys."""
    text = text[:_LONGEST]
    for pattern in (_SIGNED, _USER, _TOKEN, _NAMED):
        text = pattern.sub(r"\1…", text)
    return one_line(text)


def code_of(body: bytes) -> str:
    """Return the code of an error answer; empty where it has none."""
    return _json_error(body)[0] or _xml_error(body)[0]


def _xml_error(body: bytes) -> tuple[str, str]:
    """Read the envelope of Azure's storage and oldest services, `<Error><Code>…</Code><Message>…</Message></Error>`."""
    start = body[:4000].decode(errors="replace")
    if "<error" not in start.lower():
        return "", ""
    code, message = (found[1].strip() if (found := pattern.search(start)) else "" for pattern in _XML.values())
    return code, message


def _json_error(body: bytes) -> tuple[str, str]:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    lowered = _lower(document)
    inner = lowered.get("error") or lowered.get("odata.error") or document
    if isinstance(inner, str):
        return inner, _text(lowered.get("error_description"))
    fields = _lower(inner)
    message = fields.get("message")
    return _text(fields.get("code")), _text(message.get("value") if isinstance(message, dict) else message)


def _lower(value: object) -> dict[str, Any]:
    return {str(key).lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""
