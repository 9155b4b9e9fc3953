"""Requests that depend on what the caller has seen (RFC 9110, 13)."""

import azure.functions as func
import pytest

from __app__.conditions import Outdated, Seen, encode, expected, is_known, tag_of, unless_outdated
from shared_code.errors import AlreadyExists, Changed, StoreError
from shared_code.versions import Expected

SHOWN = {"stopped": True}
TAG = tag_of(encode(SHOWN))
SEEN = Seen(SHOWN, "v1")


def request(**headers: str) -> func.HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return func.HttpRequest("PUT", "/api/stop", headers=named, body=b"")


def test_an_etag_is_of_the_content_alone() -> None:
    """Strong, quoted, and the same in every process."""
    assert TAG == tag_of(b'{"stopped":true}') == '"2d9f478e59bd4b74110fc76f1bf84188"'
    assert tag_of(b'{"stopped":false}') != TAG


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        (f'"other", {TAG}', True),
        (f'"other",W/{TAG}', True),
        ("*", True),
        (" * ", True),
        ('"other"', False),
        (TAG.strip('"'), False),
        ("", False),
        ("*, *", False),
        ('"unfinished', False),
    ],
)
def test_what_the_caller_has_already(header: str, known: bool) -> None:
    """A weak ETag is enough to say that nothing has changed; what is no ETag fits nothing."""
    assert is_known(request(If_None_Match=header), TAG) is known


def test_without_conditions_nothing_is_looked_at() -> None:
    """A write that depends on nothing happens over whatever is there, one that cannot be read too."""

    def look() -> Seen:
        raise StoreError("it cannot be read")

    assert expected(request(), look) is None


@pytest.mark.parametrize(
    ("headers", "seen", "over"),
    [
        ({"If_Match": TAG}, SEEN, Expected("v1")),
        ({"If_Match": f'"other", {TAG}'}, SEEN, Expected("v1")),
        ({"If_Match": "*"}, SEEN, Expected("v1")),
        ({"If_Match": TAG}, Seen(SHOWN, None), Expected(None)),
        ({"If_None_Match": "*"}, None, Expected(None)),
        ({"If_None_Match": '"other"'}, SEEN, Expected("v1")),
        ({"If_Match": TAG, "If_None_Match": '"other"'}, SEEN, Expected("v1")),
    ],
)
def test_what_is_written_over(headers: dict[str, str], seen: Seen | None, over: Expected) -> None:
    """The version of the object behind what the caller has seen, and no other."""
    assert expected(request(**headers), lambda: seen) == over


@pytest.mark.parametrize(
    ("headers", "seen", "sentence"),
    [
        ({"If_Match": '"other"'}, SEEN, f"If-Match is not fulfilled: what is here has {TAG}; read it again, "),
        ({"If_Match": f"W/{TAG}"}, SEEN, "If-Match is not fulfilled: "),
        ({"If_Match": TAG.strip('"')}, SEEN, "If-Match is not fulfilled: "),
        ({"If_Match": ""}, SEEN, "If-Match is not fulfilled: "),
        ({"If_Match": "*"}, None, "If-Match is not fulfilled: there is nothing here; read it again, "),
        ({"If_Match": TAG}, None, "If-Match is not fulfilled: "),
        ({"If_None_Match": "*"}, SEEN, f"If-None-Match is not fulfilled: what is here has {TAG}; "),
        ({"If_None_Match": f"W/{TAG}"}, SEEN, "If-None-Match is not fulfilled: "),
        ({"If_Match": TAG, "If_None_Match": "*"}, SEEN, "If-None-Match is not fulfilled: "),
    ],
)
def test_what_is_out_of_date(headers: dict[str, str], seen: Seen | None, sentence: str) -> None:
    """The sentence says what is there by now; a weak ETag is not enough to write over something."""
    with pytest.raises(Outdated) as raised:
        expected(request(**headers), lambda: seen)

    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize("error", [AlreadyExists("x"), Changed("x")])
def test_somebody_else_was_faster(error: StoreError) -> None:
    """What changes between looking and writing is out of date too; a store that does not answer is not."""

    def write(error: StoreError = error) -> None:
        raise error

    with pytest.raises(Outdated, match="Somebody else has changed it meanwhile"):
        unless_outdated(write)
    with pytest.raises(StoreError):
        unless_outdated(lambda: write(StoreError("the store does not answer")))
