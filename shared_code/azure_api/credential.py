"""Who Steward is towards Azure."""

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from shared_code.azure_api.errors import signing_in

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential


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
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    # Below ERROR it writes a line for each token, and quotes answers it could not read, token and all.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    if managed_identity:
        return Credential(ManagedIdentityCredential(client_id=client_id))
    return Credential(DefaultAzureCredential(managed_identity_client_id=client_id))
