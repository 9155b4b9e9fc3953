"""Text that strangers wrote: names, tags, error messages."""

import re

LIMIT = 600
"""Characters kept by default."""
# Control characters would forge log lines and drive terminals; direction marks would show text as what it is not;
# half a surrogate pair, which JSON can spell, has no bytes in UTF-8.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+")


def one_line(text: str, limit: int = LIMIT) -> str:
    """Make foreign text safe for a log line, a terminal or a report: one line, no control or direction marks.

    Args:
        text: as received.
        limit: characters kept; a longer text ends in an ellipsis.
    """
    # Nearly every text is ASCII that can be printed, which is far quicker to see than to search.
    plain = (text if text.isascii() and text.isprintable() else _UNSAFE.sub(" ", text)).strip()
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
