"""Single questions, for looking whether an installation is whole: no retries, short waits, any status is an answer."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from shared_code.azure_api.bodies import answer_of
from shared_code.azure_api.envelopes import describe
from shared_code.azure_api.errors import translated
from shared_code.doctor.ports import Answered, Token

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CONNECT_LIMIT, READ_LIMIT = 5, 10
"""Seconds a connection may take, and an answer may pause."""
_LARGEST = 256 * 1024


class Probes:
    """Asks what the app would ask, and tells what came; the port Prober."""

    def __init__(
        self, credential: Callable[[], "TokenCredential"], client_id: str | None, *, managed_identity: bool
    ) -> None:
        """Prepare; nothing is imported or connected before the first question.

        Args:
            credential: gives the credential, on first use.
            client_id: of the user-assigned managed identity, if one is configured.
            managed_identity: whether the platform offers a managed identity.
        """
        self._credential = credential
        self._client_id = client_id
        self._managed_identity = managed_identity

    def token(self, audience: str) -> Token:
        """Return what is known of a token.

        Raises:
            Unauthenticated: there is none.
        """
        with translated(f"a token for '{audience}'"):
            got = self._credential().get_token(f"{audience}/.default")
        claims = _claims(got.token)
        return Token(datetime.fromtimestamp(got.expires_on, UTC), self._kind(claims), _text(claims, "oid") or None)

    def ask(
        self,
        address: str,
        what: str,
        *,
        audience: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
    ) -> Answered:
        """Return what is answered.

        Args:
            address: where to ask; it is in no text.
            what: what is asked for, as in "cannot read {what}".
            audience: of the token to be sent along; None for none.
            body: JSON to be posted; None for a GET.
            headers: more of them.

        Raises:
            Unauthenticated: there is no token.
            AzureError: there was no answer.
        """
        from azure.core.pipeline.transport import RequestsTransport
        from azure.core.rest import HttpRequest

        sent = dict(headers)
        with translated(what):
            if audience is not None:
                sent["Authorization"] = f"Bearer {self._credential().get_token(f'{audience}/.default').token}"
            if body is not None:
                sent["Content-Type"] = "application/json"
            request = HttpRequest("GET" if body is None else "POST", address, headers=sent, content=body)
            with RequestsTransport(connection_timeout=CONNECT_LIMIT, read_timeout=READ_LIMIT) as transport:
                response: Any = transport.send(request, stream=True)
                answer = answer_of(response, what, _LARGEST)
        said = describe(answer.status, answer.content_type, answer.body) if answer.status >= 300 else ""
        return Answered(answer.status, said, response.headers, _date(response.headers.get("Date")))

    def _kind(self, claims: Mapping[str, object]) -> str:
        if self._managed_identity:
            user_assigned = f"user-assigned managed identity, client id {self._client_id}"
            return user_assigned if self._client_id else "system-assigned managed identity"
        name = _text(claims, "upn") or _text(claims, "unique_name")
        return f"signed in as {name}" if name else f"signed in as application {_text(claims, 'appid') or 'unknown'}"


def _claims(token: str) -> Mapping[str, object]:
    """Return what a token says of itself, for people; whether that is so is for Azure to judge."""
    middle = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        found = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text or "").astimezone(UTC)
    except ValueError:
        return None
