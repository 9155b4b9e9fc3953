"""One request and one answer, apart from any HTTP library."""

import gzip
import re
from functools import cached_property
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

JSON_TYPE = "application/json; charset=utf-8"
_WORTH_PACKING = 200


class Call(Struct, frozen=True, kw_only=True, dict=True):
    """A request: `target` is path and query exactly as sent; `path` is decoded, `query` has lower-case keys."""

    method: str
    target: str
    host: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The decoded path. Doubled slashes and an encoded leading slash are accepted, as Azure does (oddity 16)."""
        return re.sub(r"/{2,}", "/", unquote(self.target.partition("?")[0]))

    @property
    def raw_query(self) -> str:
        """What follows the question mark, exactly as sent."""
        return self.target.partition("?")[2]

    @cached_property
    def query(self) -> dict[str, str]:
        """Decoded parameters by lower-case name; `+` is a space, which is what breaks a carelessly decoded token."""
        return {key.casefold(): value for key, value in parse_qsl(self.raw_query, keep_blank_values=True)}

    @property
    def takes_gzip(self) -> bool:
        """Whether the client accepts a packed body."""
        return "gzip" in self.headers.get("accept-encoding", "")


class Reply(Struct, frozen=True, kw_only=True):
    """An answer; `body` is sent as it is. `cut` sends half of it and closes, `reset` closes without an answer.

    With `drip` so many seconds pass before each byte.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    cut: bool = False
    reset: bool = False
    drip: float = 0

    @property
    def plain(self) -> Self:
        """The same answer without gzip, for whoever changes the body."""
        if "Content-Encoding" not in self.headers:
            return self
        headers = {name: value for name, value in self.headers.items() if name != "Content-Encoding"}
        return replace(self, body=gzip.decompress(self.body), headers=headers)

    @property
    def packed(self) -> Self:
        """The same answer with gzip, where that is worth it."""
        if len(self.body) < _WORTH_PACKING or "Content-Encoding" in self.headers:
            return self
        body = gzip.compress(self.body, compresslevel=1, mtime=0)
        return replace(self, body=body, headers=self.headers | {"Content-Encoding": "gzip"})


def json_reply(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """An answer with `content` as JSON, UNSET fields left out."""
    return Reply(
        status=status, body=msgspec.json.encode(content), headers={"Content-Type": JSON_TYPE} | (headers or {})
    )
