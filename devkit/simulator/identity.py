"""The managed identity endpoint of App Service, and the tokens it issued.

The protocol is that of `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, api-version 2019-08-01; the answer has the keys of
the recorded one, with `expires_on` in epoch seconds as today's platform sends it.
"""

import hmac
import secrets
import threading
import time

from devkit.simulator.errors import unauthenticated
from devkit.simulator.exchange import Call, Reply, json_reply

API_VERSION = "2019-08-01"
LIFETIME = 24 * 3600.0
PRINCIPAL = "1d000000-0000-4000-8000-0000000000aa"
CLIENT = "1d000000-0000-4000-8000-0000000000bb"


class Identity:
    """Issues opaque tokens to whoever knows the secret header, and recognises them again."""

    def __init__(self, audience: str) -> None:
        self.secret = secrets.token_hex(16)
        self._audience = audience.rstrip("/")
        self._lock = threading.Lock()
        self._issued: dict[str, tuple[str, float]] = {}

    def answer(self, call: Call, *, stale: bool = False) -> Reply:
        """Answer a token request; with `stale` the token is one that Resource Manager takes for expired."""
        if not hmac.compare_digest(
            call.headers.get("x-identity-header", "").encode(errors="replace"), self.secret.encode()
        ):
            return _refusal(401, "unauthorized", "The X-IDENTITY-HEADER header is missing or not the one expected.")
        query = call.query
        if query.get("api-version") != API_VERSION:
            return _refusal(400, "invalid_request", f"The api-version must be {API_VERSION}.")
        resource = query.get("resource", "")
        if not resource:
            return _refusal(400, "invalid_request", "The resource parameter is missing.")
        asked = query.get("client_id")
        if asked not in (None, CLIENT):
            return _refusal(400, "invalid_request", f"No identity with client id '{asked}' is assigned to this app.")
        token = secrets.token_urlsafe(48)
        now = time.time()
        with self._lock:
            self._issued[token] = (resource.rstrip("/"), now - 1 if stale else now + LIFETIME)
        return json_reply(
            {
                "access_token": token,
                "expires_on": str(int(now + LIFETIME)),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": CLIENT,
            }
        )

    def admits(self, call: Call, audience: str) -> bool:
        """Whether a call's token was issued here, for that audience, and is still good."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        with self._lock:
            issued, expires = self._issued.get(token.strip(), ("", 0.0))
        return scheme.casefold() == "bearer" and issued == audience and expires > time.time()

    def refusal(self, call: Call) -> Reply | None:
        """Resource Manager's 401 to a call, or None when its token was issued here, for it, and is still good."""
        header = call.headers.get("authorization", "")
        if not header:
            return unauthenticated(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                "The authentication failed because of missing 'Authorization' header.",
            )
        scheme, _, token = header.partition(" ")
        with self._lock:
            issued = self._issued.get(token.strip())
        if scheme.casefold() != "bearer" or issued is None:
            return unauthenticated(
                "InvalidAuthenticationToken", "The access token is invalid.", "The access token is invalid."
            )
        audience, expires = issued
        if audience != self._audience:
            return unauthenticated(
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{audience}'. It should exactly "
                f"match with one of the allowed audiences '{self._audience}'.",
                "The access token has been obtained from wrong audience or resource.",
            )
        return expired(expires) if expires <= time.time() else None


def expired(expires: float) -> Reply:
    """Resource Manager's 401 to a token that expired at that epoch second; the times have US dates (oddity 59)."""
    return unauthenticated(
        "ExpiredAuthenticationToken",
        f"The access token expiry UTC time '{_us_time(expires)}' is earlier than current UTC time "
        f"'{_us_time(time.time())}'.",
        "The access token has expired.",
    )


def _us_time(epoch: float) -> str:
    at = time.gmtime(epoch)
    half = "AM" if at.tm_hour < 12 else "PM"
    return f"{at.tm_mon}/{at.tm_mday}/{at.tm_year} {at.tm_hour % 12 or 12}:{at.tm_min:02}:{at.tm_sec:02} {half}"


def _refusal(status: int, code: str, message: str) -> Reply:
    # Here `error` is a string, unlike anywhere in Resource Manager (oddity 55).
    return json_reply({"error": code, "error_description": message}, status)
