"""HTML pages: one file without anything to load, every value escaped."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shared_code.times import text_of

if TYPE_CHECKING:
    import jinja2


@cache
def _pages() -> "jinja2.Environment":
    import jinja2  # on first use: indexing the app must stay fast

    pages = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["utc"] = text_of
    pages.filters["short"] = _short
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
