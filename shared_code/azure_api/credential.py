"""Who Steward is towards Azure."""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from shared_code.azure_api.errors import signing_in

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

TIME_LIMIT = 30.0
"""Seconds the platform's identity endpoint, which is on the same machine, may take to answer."""


class Credential:
    """A credential of azure-identity that fails in one way only: with azure-core's ClientAuthenticationError."""

    def __init__(self, own: "DefaultAzureCredential | ManagedIdentityCredential") -> None:
        self._own = own

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """Return a token; azure-core's TokenCredential."""
        with signing_in():
            return self._own.get_token(*scopes, **options)

    def get_token_info(self, *scopes: str, options: "TokenRequestOptions | None" = None) -> "AccessTokenInfo":
        """Return a token; azure-core's SupportsTokenInfo."""
        with signing_in():
            return self._own.get_token_info(*scopes, options=options)


@cache
def credential(client_id: str | None, *, managed_identity: bool) -> Credential:
    """Return the credential, one for each process, since it keeps the tokens.

    Args:
        client_id: the user-assigned managed identity; None for the system-assigned one.
        managed_identity: True where the platform offers one (`IDENTITY_ENDPOINT` is set). Then nothing else is tried,
            so that a broken identity says so at once; on a developer's machine the usual sign-ins are tried in turn.
    """
    if managed_identity:
        return platform_identity(client_id)
    from azure.identity import DefaultAzureCredential

    _silence()
    return Credential(DefaultAzureCredential(managed_identity_client_id=client_id))


def platform_identity(
    client_id: str | None, time_limit: float = TIME_LIMIT, sleep: Callable[[float], None] = time.sleep
) -> Credential:
    """Return a credential of its own for the identity that the platform offers.

    Args:
        client_id: the user-assigned one; None for the system-assigned one.
        time_limit: seconds an answer may take.
        sleep: waits that many seconds.
    """
    from azure.identity import ManagedIdentityCredential

    from shared_code.azure_api.policies import ShortWaits

    _silence()
    # Its retry waits as long as an answer asks for, and every run with it; Azure has asked for 20 minutes.
    waits = ShortWaits(sleep, connection_timeout=time_limit, read_timeout=time_limit)
    own = ManagedIdentityCredential(client_id=client_id, transport=waits)
    return Credential(own)


def _silence() -> None:
    # Below ERROR it writes a line for each token, and quotes answers it could not read, token and all.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
