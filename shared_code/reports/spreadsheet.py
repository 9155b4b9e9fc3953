"""CSV that a spreadsheet shows as text and nothing else."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

# A cell that begins so, also with the full-width forms, would be run as a formula; and where a spreadsheet's locale
# splits at semicolons or tabs, whatever follows one begins a cell: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r\n])")
# What most cells are; quicker to see than to search.
_HARMLESS = re.compile(r"[A-Za-z0-9/][A-Za-z0-9 ,.:/_'=+@{}()?!-]*")


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
    """Give a CSV file in pieces: UTF-8 with a byte order mark, since Excel needs one, and CRLF (RFC 4180)."""
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for line in lines:
        writer.writerow(cell(value) for value in line)
        if buffer.tell() > 64 * 1024:
            yield buffer.getvalue().encode(errors="replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode(errors="replace")
