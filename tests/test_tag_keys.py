"""Keys compare without case, one character for one; some are Azure's or nobody's."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.tag_keys import fold, is_hidden, problem_of


@pytest.mark.parametrize(
    ("one", "other"), [("Owner", "OWNER"), ("Straße", "straße"), ("Ärger", "äRGER"), ("ΣΑΣ", "σας")]
)
def test_case_is_no_difference(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("owner", "owner "), ("straße", "strasse"), ("a-b", "a_b")])
def test_anything_else_is(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(key=some.text())
def test_folding_twice_changes_nothing(key: str) -> None:
    assert fold(fold(key)) == fold(key)


def test_hidden_keys_are_the_portals() -> None:
    assert is_hidden("Hidden-link:/subscriptions/x")
    assert not is_hidden("hiddenlink")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("owner", None),
        ("What Is Cleanup Service", None),
        ("k" * 512, None),
        ("k" * 513, "has 513 characters; Azure allows a key 512"),
        (" ", "is blank; write the key of a tag"),
        ("a/b?", "contains / ?, which Azure allows in no key; remove it"),
        ("a\nb", "contains a control character, which Azure allows in no key; remove it"),
        ("hidden-title", "begins with 'hidden-'; such tags are the portal's, and Steward leaves them alone"),
    ],
    ids=["plain", "spaces", "longest", "too-long", "blank", "refused", "control", "hidden"],
)
def test_what_azure_would_refuse(key: str, expected: str | None) -> None:
    assert problem_of(key) == expected
