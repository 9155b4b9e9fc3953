"""Who the sign-in in front of the app says is calling: the header that App Service authentication sets."""

import binascii
from base64 import b64decode

import msgspec

from shared_code.foreign_text import one_line

HEADER = "X-MS-CLIENT-PRINCIPAL"
LARGEST = 32 * 1024
_ENTRA = "aad"
_ROLES = "roles"
_NAMES = (
    "preferred_username",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "name",
    # What an application has, which signs in without a person.
    "appid",
    "azp",
    "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "oid",
)
"""Claims that name somebody, the most telling first; App Service gives some of them under their long names."""


class NotSignedIn(Exception):
    """The header does not say who is calling; the text says what is wrong with it."""


class _Claim(msgspec.Struct, frozen=True):
    typ: str
    val: str


class _Header(msgspec.Struct, frozen=True):
    """https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities."""

    auth_typ: str
    claims: tuple[_Claim, ...]
    name_typ: str | None = None
    role_typ: str | None = None


class Principal(msgspec.Struct, frozen=True):
    """Somebody, or an application, that has signed in with Microsoft Entra, and the app roles held."""

    name: str
    roles: frozenset[str]


_decode = msgspec.json.Decoder(_Header).decode


def principal_of(header: str | None) -> Principal:
    """Read the header; to be believed only where sign-in is on, since else anybody may send it.

    Args:
        header: its value; None where there is none.

    Raises:
        NotSignedIn: it is not there, or is anything else than one principal of Microsoft Entra with a name.
    """
    if not header:
        raise NotSignedIn("is not there")
    if len(header) > LARGEST:
        raise NotSignedIn(f"is longer than {LARGEST:,} characters")
    try:
        # Two headers arrive as one, with a comma between them, which is not Base64 either.
        given = _decode(b64decode(header, validate=True))
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError) as error:
        raise NotSignedIn("cannot be read as one principal in Base64") from error
    if given.auth_typ != _ENTRA:
        raise NotSignedIn("is not of Microsoft Entra")
    roles = frozenset(each.val for each in given.claims if each.typ in (_ROLES, given.role_typ))
    name = _name_in(given)
    if not name:
        raise NotSignedIn("names nobody")
    return Principal(name, roles)


def _name_in(given: _Header) -> str:
    claims = {each.typ: each.val for each in reversed(given.claims)}  # of several the first
    names = (claims.get(kind, "") for kind in (*_NAMES[:4], given.name_typ or "", *_NAMES[4:]))
    return next((shown for name in names if (shown := one_line(name, 256))), "")
