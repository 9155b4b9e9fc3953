"""Bodies over real TLS: whole and of a reasonable size, or an error that says why not."""

import gzip
import zlib

import pytest

from shared_code.azure_api.bodies import is_json
from shared_code.errors import AzureError, UnreadableAnswer
from tests.azure_api.conftest import JSON, Script

ONE = b'{"value":[{"id":"/a"}]}'


def refused(script: Script) -> str:
    """The sentence about an answer that is not accepted, without its beginning."""
    with pytest.raises(AzureError, match=r"^cannot read things: [^\n]+$") as raised:
        script.things()
    return str(raised.value).removeprefix("cannot read things: ")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(ONE), "gzip"), (zlib.compress(ONE), "deflate")],
    ids=["gzip", "deflate"],  # gzip has the time in it, and a test's name may not
)
def test_packed_bodies_are_read(script: Script, body: bytes, encoding: str) -> None:
    script.body(body, Content_Encoding=encoding)

    assert script.things() == ["/a"]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(ONE * 100)[:20] + b"\0" * 40, "gzip"),
        (gzip.compress(ONE)[:-12], "gzip"),
        (gzip.compress(ONE)[:-8] + b"\1" * 8, "gzip"),
        (ONE, "gzip"),
        (gzip.compress(ONE), "identity"),
        (gzip.compress(ONE), "br"),
        (gzip.compress(ONE), ", ".join(["gzip"] * 50)),
        (b"", "gzip"),
    ],
    ids=["middle", "cut", "checksum", "not-packed", "packed-unsaid", "other", "fifty-times", "empty"],
)
def test_badly_packed_bodies_are_asked_for_again_and_then_refused(script: Script, body: bytes, encoding: str) -> None:
    script.body(body, Content_Encoding=encoding)

    assert refused(script).startswith(("the answer broke off or is damaged; try again later", "the answer is no whole"))
    assert len(script.seen) == 3


def test_a_body_that_is_too_large_is_refused(script: Script) -> None:
    script.body(b" " * (64 * 1024 * 1024 + 1))

    assert refused(script) == (
        "the answer is larger than 67,108,864 bytes, and Azure's have a thousandth of that; find out who answers "
        "in its place"
    )
    assert len(script.seen) == 1


def test_a_packed_one_is_never_unpacked_whole(script: Script) -> None:
    """These would be 64 GiB."""
    script.body(gzip.compress(b" " * 64 * 1024 * 1024, 9) * 1024, Content_Encoding="gzip")

    assert refused(script).startswith("the answer is larger than 67,108,864 bytes")
    assert len(script.seen) == 1


def test_of_an_error_only_the_beginning_is_read(script: Script) -> None:
    page = b"<html><title>Sorry</title>"
    script.answers = lambda _: (
        400,
        {"Content-Encoding": "gzip", "Content-Type": "text/html"},
        gzip.compress(page + b" " * 64 * 1024 * 1024) * 64,
    )

    assert refused(script) == "Azure answered 400: an HTML page, 'Sorry'; this is worth reporting"


@pytest.mark.parametrize("length", ["many", "-1", "5, 5", "1e3", ""])
def test_an_odd_content_length_breaks_nothing(script: Script, length: str) -> None:
    script.body(ONE, Content_Length=length, Connection="close")

    try:
        assert script.things() == ["/a"]
    except UnreadableAnswer as error:
        assert str(error).startswith("cannot read things: the answer")  # noqa: PT017  # either is right


def test_204_is_no_empty_list(script: Script) -> None:
    script.answers = lambda _: (204, {}, b"")

    assert refused(script) == "Azure answered 204: an empty answer; this is worth reporting"


def test_206_is_no_list(script: Script) -> None:
    script.answers = lambda _: (206, JSON, ONE)

    assert refused(script).startswith("Azure answered 206: ")


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ('Application/JSON;CHARSET="UTF-8"', True),
        ("text/json;charset=utf8", True),
        ("application/json;odata.metadata=minimal;charset=utf-8", True),
        ("application/json; charset=utf-8; odata.metadata=minimal", True),
        ("application/json; charset=utf-16", False),
        ("application/json; charset=utf-8; charset=utf-16", False),
        ("application/json; charset=", False),
        ("application/problem+json", False),
        ("text/html", False),
        ("", False),
    ],
)
def test_only_json_in_utf_8_is_read(content_type: str, expected: bool) -> None:
    assert is_json(content_type) is expected
