"""HTML pages: one file without anything to load, every value escaped."""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shared_code.times import local_text_of, text_of

if TYPE_CHECKING:
    import jinja2


SHOWN = 5000
"""Rows of a table on a page: a browser sorts and filters so many at once; the CSV has all."""
_TEMPLATES = Path(__file__).parent / "templates"


class Markup(str):
    """Markup of our own making, which a template puts in as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)

    @property
    def source(self) -> str:
        """How a Content-Security-Policy names an inline script or style of exactly this text."""
        digest = hashlib.sha256(self.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def inline(name: str) -> Markup:
    """Return a script or style in `templates`, to be put into a page whose policy allows its `source` and no other."""
    return Markup((_TEMPLATES / name).read_text("utf-8"))


@cache
def _pages() -> "jinja2.Environment":
    import jinja2  # on first use: indexing the app must stay fast

    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["utc"] = text_of
    pages.filters["local"] = local_text_of
    pages.filters["short"] = _short
    pages.globals["inline"] = inline
    return pages


def _short(value: object) -> str:
    """Write any value of ours as text, as JSON where it is no text, and not too long for a cell."""
    text = (
        "none"
        if value is None
        else value
        if isinstance(value, str)
        else msgspec.json.encode(value, order="deterministic").decode()
    )
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST = 400
"""Characters of a value in a cell; the NDJSON has them all."""


def page(template: str, **values: object) -> Iterator[bytes]:
    """Give a page in pieces, so that a long one is never whole in memory.

    Args:
        template: file name in `templates`.
        values: what the template names; a missing one raises jinja2.UndefinedError.
    """
    stream = _pages().get_template(template).stream(**values)
    stream.enable_buffering(200)
    for piece in stream:
        yield piece.encode(errors="replace")
