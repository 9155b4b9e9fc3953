"""Cuts a list into pages and spells their nextLinks the way Azure does (oddities 1 to 5)."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
from msgspec import Struct

from devkit.simulator.exchange import Call
from devkit.simulator.model import Json, Pages

# Bytes whose base64 is "++++////": a client that decodes a token once too often breaks it and is told so.
_TELLTALE = b"\xfb\xef\xbe\xff\xff\xff"

BAIT = {
    "id": "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/read-from-another-host",
    "name": "read-from-another-host",
    "type": "Microsoft.Resources/resourceGroups",
    "location": "westeurope",
}


class Position(Struct, frozen=True, kw_only=True):
    """Where a page begins: the item, the page's number from 1, and the path the token was made for."""

    path: str
    item: int = 0
    page: int = 1
    tail: bool = False


class InvalidSkipToken(ValueError):
    """The token is none that was handed out for this list."""


def position(call: Call) -> Position:
    """Where the page that a call asks for begins.

    Raises:
        InvalidSkipToken: when its $skiptoken was damaged on the way, or belongs to another list.
    """
    path = call.path.rstrip("/").casefold()
    token = call.query.get("$skiptoken")
    if token is None:
        return Position(path=path)
    try:
        found = _read(token)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidSkipToken(token) from error
    if found.path != path:
        raise InvalidSkipToken(token)
    return found


def page_number(call: Call) -> int:
    """The number of the page a call asks for; 1 where the token says nothing."""
    try:
        return position(call).page
    except InvalidSkipToken:
        return 1


def page(items: Sequence[Any], pages: Pages, call: Call, base_url: str, top: int | None) -> Json:
    """The answer to one call for a list: `value`, and `nextLink` as `pages` has it.

    `$top` is the size of a page and ends nothing (oddity 5).

    Raises:
        InvalidSkipToken: as `position`.
    """
    start = position(call)
    size = pages.sizes[start.page - 1] if start.page <= len(pages.sizes) else pages.size
    end = min(len(items), start.item + (size if top is None else min(size, top)))
    answer: Json = {"value": [] if start.tail else list(items[start.item : end])}
    following = Position(path=start.path, item=end, page=start.page + 1)
    if end < len(items) or start.page < len(pages.sizes):
        answer["nextLink"] = _next_link(call, base_url, pages, following)
    elif pages.ends == "empty-page" and not start.tail:
        tail = Position(path=start.path, item=end, page=start.page + 1, tail=True)
        answer["nextLink"] = _next_link(call, base_url, pages, tail)
    elif pages.ends == "loop":
        answer["nextLink"] = _next_link(call, base_url, pages, Position(path=start.path))
    elif pages.ends == "elsewhere":
        answer["nextLink"] = _next_link(call, _elsewhere(base_url), pages, following)
    elif pages.ends == "null":
        answer["nextLink"] = None
    elif pages.ends in ("blank", "no-value"):
        answer["nextLink"] = ""
        if pages.ends == "no-value" and not answer["value"]:
            del answer["value"]
    return answer


def _elsewhere(base_url: str) -> str:
    # The same server under another name: a client that follows it is seen in the request log, and nobody else is.
    return base_url.replace("127.0.0.1", "localhost")


def _next_link(call: Call, base_url: str, pages: Pages, where: Position) -> str:
    query = call.query
    kept = [(name, query[name]) for name in ("$filter", "$expand", "$top") if name in query]
    parameters = [*kept, ("api-version", query.get("api-version", "")), ("$skiptoken", _token(where, pages))]
    path = call.target.partition("?")[0]
    return f"{base_url}{path}?" + "&".join(_spell(name, value, pages) for name, value in parameters)


def _spell(name: str, value: str, pages: Pages) -> str:
    if pages.spelling == "unescaped":
        return f"{name}={value}"
    if pages.spelling == "plain":
        return f"{name}={quote(value, safe='')}"
    spelled = f"{quote(name)}={quote_plus(value)}"
    return _lower_hex(spelled) if pages.spelling == "lower-hex" else spelled


def _lower_hex(text: str) -> str:
    first, *rest = text.split("%")
    return first + "".join(f"%{part[:2].lower()}{part[2:]}" for part in rest)


def _token(where: Position, pages: Pages) -> str:
    packed = msgspec.json.encode(where)
    wanted = max(0, pages.token_length * 3 // 4 - len(_TELLTALE) - len(packed))
    packed += b" " * wanted
    # One byte over a multiple of three makes base64 end in "==".
    packed += b" " * ((1 - len(_TELLTALE) - len(packed)) % 3)
    if pages.spelling == "unescaped":
        return f"1!8!{base64.urlsafe_b64encode(packed).decode().rstrip('=')}!/Subscriptions/next"
    return base64.b64encode(_TELLTALE + packed).decode()


def _read(token: str) -> Position:
    if token.startswith("1!8!"):
        packed = base64.urlsafe_b64decode(token.split("!")[2] + "==")
    else:
        packed = base64.b64decode(token, validate=True).removeprefix(_TELLTALE)
    return msgspec.json.decode(packed, type=Position)
