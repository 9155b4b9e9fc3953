"""Whether lists show everything: Azure leaves out, without a word, what the identity may not read."""

from shared_code.azure_api.arm import Arm
from shared_code.azure_api.permissions import AzurePermissions
from shared_code.azure_permissions import sees_all
from shared_code.errors import AccessDenied
from shared_code.model import Subscription


def check_nothing_is_hidden(arm: Arm, subscription: Subscription) -> None:
    """Check that the identity may read everything in a subscription; what is hidden could be protected, or in use.

    Raises:
        AccessDenied: it may not.
        AzureError: nobody knows.
    """
    if not sees_all(AzurePermissions(arm).held(subscription)):
        raise AccessDenied(
            f"cannot read everything in subscription '{subscription.id}': Azure's lists leave out what Steward's "
            "identity may not read, and none of its roles has '*/read' without an exception; give it the role Reader "
            "there"
        )
