"""One request and one answer, apart from any HTTP library."""

import re
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Struct

JSON_TYPE = "application/json; charset=utf-8"


class Call(Struct, frozen=True, kw_only=True):
    """A request: `target` is path and query exactly as sent; `path` is decoded, `query` has lower-case keys."""

    method: str
    target: str
    host: str = ""
    headers: dict[str, str] = {}

    @property
    def path(self) -> str:
        """The decoded path. Doubled slashes and an encoded leading slash are accepted, as Azure does (oddity 16)."""
        return re.sub(r"/{2,}", "/", unquote(self.target.partition("?")[0]))

    @property
    def raw_query(self) -> str:
        """What follows the question mark, exactly as sent."""
        return self.target.partition("?")[2]

    @property
    def query(self) -> dict[str, str]:
        """Decoded parameters by lower-case name; `+` is a space, which is what breaks a carelessly decoded token."""
        return {key.casefold(): value for key, value in parse_qsl(self.raw_query, keep_blank_values=True)}


class Reply(Struct, frozen=True, kw_only=True):
    """An answer; `body` is sent as it is. `cut` sends half of it and closes, `reset` closes without an answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    cut: bool = False
    reset: bool = False


def json_reply(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """An answer with `content` as JSON, UNSET fields left out."""
    return Reply(
        status=status, body=msgspec.json.encode(content), headers={"Content-Type": JSON_TYPE} | (headers or {})
    )
