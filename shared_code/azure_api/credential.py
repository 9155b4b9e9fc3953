"""Who Steward is towards Azure."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


@cache
def credential(client_id: str | None, *, managed_identity: bool) -> "TokenCredential":
    """Return the credential, one for each process, since it keeps the tokens.

    Args:
        client_id: the user-assigned managed identity; None for the system-assigned one.
        managed_identity: True where the platform offers one (`IDENTITY_ENDPOINT` is set). Then nothing else is tried,
            so that a broken identity says so at once; on a developer's machine the usual sign-ins are tried in turn.
    """
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    if managed_identity:
        return ManagedIdentityCredential(client_id=client_id)
    return DefaultAzureCredential(managed_identity_client_id=client_id)
