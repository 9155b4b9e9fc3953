"""CSV that a spreadsheet shows as text and nothing else."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_PIECE = 64 * 1024
"""Characters gathered before they are given."""
_REMEMBERED = 1024
# A cell that begins so, also with the full-width forms, would be run as a formula; and where a spreadsheet's locale
# splits at semicolons or tabs, whatever follows one begins a cell: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")
# What most cells are; quicker to see than to search.
_HARMLESS = re.compile(r"[A-Za-z0-9/][A-Za-z0-9 ,.:/_'=+@{}()?!-]*")
_QUOTED = re.compile(r'[",\r\n]')


def cell(value: object) -> str:
    """Return the text of one cell; foreign text that a spreadsheet would run gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _HARMLESS.fullmatch(text):
        return text
    return _FORMULA.sub(r"\1'", text.replace("\x00", ""))


def rows(header: Iterable[str], lines: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Give a CSV file in pieces: UTF-8 with a byte order mark, since Excel needs one, and CRLF (RFC 4180).

    Args:
        header: the names of the columns; two or more.
        lines: as many values each, of types that can be hashed.
    """
    yield b"\xef\xbb\xbf"
    held = [_row(header)]
    size = len(held[0])
    for line in lines:
        row = _row(line)
        held.append(row)
        size += len(row)
        if size > _PIECE:
            yield "".join(held).encode(errors="replace")
            held, size = [], 0
    yield "".join(held).encode(errors="replace")


def _row(values: Iterable[object]) -> str:
    return ",".join(map(_written, values)) + "\r\n"


# Most cells of a column are alike, and 1 == True.
@lru_cache(_REMEMBERED, typed=True)
def _written(value: object) -> str:
    """Return a cell as it stands in the file, in quotes only where it must be (csv.QUOTE_MINIMAL)."""
    text = cell(value)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
