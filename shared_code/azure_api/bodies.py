"""The bytes of an answer."""

from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from shared_code.azure_api.errors import failure, translated
from shared_code.azure_api.pages import BrokenOff
from shared_code.errors import AzureError, Unreachable, UnreadableAnswer
from shared_code.foreign_text import one_line

if TYPE_CHECKING:
    from azure.core.rest import HttpResponse

LARGEST = 64 * 1024 * 1024
"""Bytes of one answer, decompressed; a page of 1,000 resources has under 1 MiB."""
LARGEST_OF_ONE = 1024 * 1024
"""Bytes of an answer about one thing, unless more is asked for; of an error nothing beyond is looked at."""

type Failed = Callable[[str, int, str, bytes], AzureError]
"""Turns an error answer into an error: what was asked for, status, content type, body."""


class Answer(NamedTuple):
    """An answer of any status, whole."""

    status: int
    content_type: str
    body: bytes


class Reply(NamedTuple):
    """An answer with its headers, whose names are found in any case."""

    answer: Answer
    headers: Mapping[str, str]


def answer_of(response: "HttpResponse", what: str, largest: int = LARGEST_OF_ONE) -> Answer:
    """Read a streamed answer of any status and close it.

    Args:
        response: not read yet.
        what: what is read, as in "cannot read {what}".
        largest: bytes of the body, decompressed, at most.

    Raises:
        BrokenOff: the body did not arrive whole.
        UnreadableAnswer: it is larger than that.
    """
    try:
        body, whole = _start(response, largest, what)
    finally:
        response.close()
    if not whole:
        raise UnreadableAnswer(f"cannot read {what}: the answer is larger than {largest:,} bytes")
    return Answer(response.status_code, response.headers.get("Content-Type", ""), body.removeprefix(BOM_UTF8))


def body_of(response: "HttpResponse", what: str, failed: Failed = failure) -> bytes:
    """Read a streamed answer and close it.

    Args:
        response: not read yet.
        what: what is read, as in "cannot read {what}".
        failed: makes the error of an answer that is none.

    Raises:
        BrokenOff: the body did not arrive whole, so reading it again may help.
        UnreadableAnswer: it is larger than any of Azure's, or no JSON in UTF-8.
        AzureError: the status is not 200.
    """
    content_type = response.headers.get("Content-Type", "")
    try:
        if response.status_code != 200:
            start, _ = _start(response, LARGEST_OF_ONE, what)
            raise failed(what, response.status_code, content_type, start)
        body, whole = _start(response, LARGEST, what)
    finally:
        response.close()
    if not whole:
        raise UnreadableAnswer(
            f"cannot read {what}: the answer is larger than {LARGEST:,} bytes, and Azure's have a thousandth of that; "
            "find out who answers in its place"
        )
    if not is_json(content_type):
        kind = one_line(content_type) or "of no type"
        raise UnreadableAnswer(f"cannot read {what}: the answer is {kind}, not JSON in UTF-8")
    return body


def _start(response: "HttpResponse", limit: int, what: str) -> tuple[bytes, bool]:
    """Return all that arrives and True, or the beginning and False once it is more than `limit` bytes."""
    blocks: list[bytes] = []
    size = 0
    try:
        with translated(what):
            for block in response.iter_bytes():
                blocks.append(block)
                size += len(block)
                if size > limit:
                    return blocks[0], False
    except (UnreadableAnswer, Unreachable) as error:
        raise BrokenOff(str(error)) from error
    except ValueError as error:
        # azure-core reads Content-Length as a number, whatever it is.
        raise UnreadableAnswer(f"cannot read {what}: the answer's headers are damaged") from error
    return b"".join(blocks), True


def is_json(content_type: str) -> bool:
    """Whether the type is one that Azure gives its lists; UTF-8 unless a charset says otherwise."""
    kind, *parameters = (part.strip() for part in content_type.lower().split(";"))
    charsets = {part.partition("=")[2].strip(' "') for part in parameters if part.startswith("charset=")}
    return kind in ("application/json", "text/json") and charsets <= {"utf-8", "utf8", "us-ascii"}
