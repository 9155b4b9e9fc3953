"""Recorded interactions, where a folder of them is named, and answers of our own in their form."""

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

type Json = dict[str, Any]

KEPT = ("content-type", "retry-after", "www-authenticate", "x-ms-failure-cause", "x-ms-user-quota-resets-after")
"""Beginnings of header names that a replay sends; the others tell of the recorder's own transport."""


class Recording(NamedTuple):
    """One interaction."""

    name: str
    kind: str
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def content(self) -> bytes:
        """The body as bytes: text as it is, anything else as JSON, and nothing where there was nothing."""
        if self.body is None or self.body == "":
            return b""
        if isinstance(self.body, str):
            return self.body.encode(errors="replace")
        return json.dumps(self.body, ensure_ascii=False).encode(errors="surrogatepass")

    @property
    def sent(self) -> dict[str, str]:
        """The headers to send with it; JSON without a type, which recorders strip, is called JSON."""
        kept = {
            name: value
            for name, value in self.headers.items()
            if name.lower().startswith((*KEPT, "x-ms-ratelimit-remaining-")) and value.isascii()
        }
        typed = any(name.lower() == "content-type" for name in kept)
        return kept if typed or isinstance(self.body, str) else kept | {"Content-Type": "application/json"}

    @property
    def items(self) -> list[Any]:
        """What the list holds; what is no list holds itself."""
        if not isinstance(self.body, dict) or self.body == {"nextLink": ""}:
            return []
        found = self.body.get("value") if "value" in self.body else [self.body]
        return found if isinstance(found, list) else []


class Recordings:
    """A folder of recorded interactions, one a JSON file, at any depth."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def named(self, *names: str) -> Iterator[Recording]:
        """Give those of that name; a test of one that is not in the folder is skipped."""
        for name in names:
            files = sorted(self._folder.rglob(f"{name}.json"))
            if not files:
                pytest.skip(f"no recording '{name}' in this folder")
            found = _recording(files[0])
            assert found is not None, f"'{name}' is no recorded interaction"
            yield found

    def of_kinds(self, *kinds: str) -> Iterator[Recording]:
        """Give those of that kind with status 200; kinds are patterns such as `list-*`."""
        for found in self.all():
            if found.status == 200 and any(fnmatchcase(found.kind, kind) for kind in kinds):
                yield found

    def all(self) -> Iterator[Recording]:
        """Give every one, by name of the file; what is no recorded interaction is passed over."""
        for file in sorted(self._folder.rglob("*.json")):
            if found := _recording(file):
                yield found


def _recording(file: Path) -> Recording | None:
    try:
        document = json.loads(file.read_bytes())
        response = document["response"]
        headers = {str(name): _header(value) for name, value in (response.get("headers") or {}).items()}
        body = _opened(response.get("body"))
        return Recording(file.stem, str(document.get("kind", "")), int(response["status"]), headers, body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _header(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _opened(body: object) -> object:
    """Read a body that a recorder kept as text."""
    if isinstance(body, str) and body.lstrip("\ufeff \r\n\t").startswith(("{", "[")):
        try:
            return json.loads(body.lstrip("\ufeff"))
        except (ValueError, RecursionError):
            return body
    return body


def elsewhere(body: Json, url: str) -> Json:
    """Return the page with its nextLink leading to `url`: other scheme and host, the rest byte for byte."""
    link = body.get("nextLink")
    if not isinstance(link, str) or not link.startswith("http"):
        return body
    return body | {"nextLink": url + target(link)}


def target(link: str) -> str:
    """Return what follows the host of a link, byte for byte."""
    parts = urlsplit(link)
    return link[len(parts.scheme) + 3 + len(parts.netloc) :]


def value(items: Iterable[object], **more: object) -> Json:
    """Make a page of those items."""
    return {"value": list(items)} | more
