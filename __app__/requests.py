"""Who is calling, and whether they may: by what the sign-in says where there is one, else as they say themselves."""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import azure.functions as func

from __app__.parameters import REQUESTED_BY
from shared_code.errors import Refused
from shared_code.roles import Role
from shared_code.run_requests import RunRequests
from shared_code.wiring import steward

if TYPE_CHECKING:
    from __app__.principal import Principal
    from shared_code.change_requests import ChangeRequests


class Forbidden(Refused):
    """Whoever is calling may not call this."""


class Caller(NamedTuple):
    """Whoever asks for something."""

    name: str | None
    verified: bool


def permit(req: func.HttpRequest, role: Role | None) -> None:
    """Return if the caller has the role; without sign-in in front of the app the key alone has decided.

    Raises:
        Forbidden: the app role is missing, or nobody knows who is calling.
    """
    if role is None or not steward().environment.sign_in:
        return
    principal = _principal(req)
    if not role.is_among(principal.roles):
        raise Forbidden(
            f"'{principal.name}' lacks the app role {role}; have it assigned in the enterprise application, "
            "and sign in again."
        )


def caller_of(req: func.HttpRequest) -> Caller:
    """Return who is calling: with sign-in certainly, else as they say, if they do.

    Raises:
        Forbidden: sign-in is on, and nobody knows who is calling.
        InvalidRequest: what they say is no name that could be shown.
    """
    if steward().environment.sign_in:
        return Caller(_principal(req).name, verified=True)
    return Caller((REQUESTED_BY.of(req) or "").strip() or None, verified=False)


def run_requests(caller: Caller) -> RunRequests:
    """Return what makes runs, which will say whether the name of who asked is certain."""
    return replace(steward().requests, verified=caller.verified)


def change_requests(caller: Caller) -> "ChangeRequests":
    """Return what makes runs that apply plans or undo them, likewise."""
    return replace(steward().change_requests, requests=run_requests(caller))


def _principal(req: func.HttpRequest) -> "Principal":
    from __app__.principal import HEADER, NotSignedIn, principal_of  # here, since most apps have no sign-in

    try:
        return principal_of(req.headers.get(HEADER))
    except NotSignedIn as error:
        raise Forbidden(
            f"Sign-in is on, and {HEADER} {error}, so nobody knows who is calling; sign in with Microsoft Entra."
        ) from error
