"""Who has signed in: believed only where the header is one whole principal of Microsoft Entra."""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from __app__.principal import LARGEST, NotSignedIn, principal_of

ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
OPERATOR = "operator@example.com"


def header(*claims: tuple[object, object], **other: object) -> str:
    """Give what App Service would send."""
    listed = [{"typ": kind, "val": value} for kind, value in claims]
    principal = {"auth_typ": "aad", "name_typ": NAME, "role_typ": ROLE, "claims": listed, **other}
    return b64encode(json.dumps(principal).encode()).decode()


@pytest.mark.parametrize(
    ("claims", "name", "roles"),
    [
        ([("preferred_username", OPERATOR)], OPERATOR, set()),
        ([(OID, "1"), ("name", "Operator"), ("preferred_username", OPERATOR), ("roles", "a")], OPERATOR, {"a"}),
        ([("preferred_username", OPERATOR), ("roles", "a"), (ROLE, "b"), ("roles", "c")], OPERATOR, {"a", "b", "c"}),
        ([("preferred_username", OPERATOR), ("groups", "a"), ("role", "b"), ("Roles", "c")], OPERATOR, set()),
        ([(NAME, "Operator"), (OID, "1")], "Operator", set()),
        ([("azp", "0a0"), (OID, "1"), ("roles", "a")], "0a0", {"a"}),
        ([(OID, "1")], "1", set()),
        ([("preferred_username", "first"), ("preferred_username", "second")], "first", set()),
        ([("preferred_username", " a\nb\u202e ")], "a b", set()),
        ([("preferred_username", "x" * 300)], "x" * 255 + "…", set()),
    ],
    ids=[
        "user", "best-name", "roles", "no-roles", "name-claim", "application", "object", "two-names", "one-line",
        "long",
    ],
)  # fmt: skip
def test_a_principal(claims: list[tuple[object, object]], name: str, roles: set[str]) -> None:
    """The most telling name, and the values of the claims that are roles."""
    principal = principal_of(header(*claims))

    assert (principal.name, set(principal.roles)) == (name, roles)


WHOLE = header(("preferred_username", OPERATOR), ("roles", "Steward.Approver"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "is not there"),
        ("", "is not there"),
        (f"{WHOLE},{WHOLE}", "cannot be read"),
        (WHOLE[:-3], "cannot be read"),
        (f" {WHOLE}", "cannot be read"),
        (f"{WHOLE}!", "cannot be read"),
        ("e30=", "cannot be read"),
        (b64encode(b"[1]").decode(), "cannot be read"),
        (b64encode(b"\xff\xfe").decode(), "cannot be read"),
        (b64encode(b"[" * 20_000).decode(), "cannot be read"),
        (header(("preferred_username", 1)), "cannot be read"),
        (header(("preferred_username", None)), "cannot be read"),
        (header(claims="roles"), "cannot be read"),
        ("\udcff", "cannot be read"),
        ("ü", "cannot be read"),
        (header(("preferred_username", OPERATOR), auth_typ="google"), "is not of Microsoft Entra"),
        (header(("preferred_username", OPERATOR), auth_typ="AAD"), "is not of Microsoft Entra"),
        (header(("roles", "Steward.Approver")), "names nobody"),
        (header(("preferred_username", " \n")), "names nobody"),
        ("A" * (LARGEST + 1), "is longer than 32,768 characters"),
    ],
    ids=[
        "none", "empty", "two", "cut", "space", "no-base64", "no-claims", "list", "no-utf8", "deep", "number", "null",
        "claims-text", "surrogate", "not-ascii", "other-provider", "other-case", "nameless", "blank", "huge",
    ],
)  # fmt: skip
def test_what_is_no_principal(value: str | None, reason: str) -> None:
    """Nobody: it is never half believed."""
    with pytest.raises(NotSignedIn, match=reason):
        principal_of(value)


@given(some.one_of(some.text(), some.binary().map(lambda raw: b64encode(raw).decode())))
def test_anything_else_is_nobody(value: str) -> None:
    with pytest.raises(NotSignedIn):
        principal_of(value)
