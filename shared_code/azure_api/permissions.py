"""What the identity may do in a subscription, as Azure Resource Manager evaluates it."""

import msgspec

from shared_code.azure_api.arm import Arm
from shared_code.azure_permissions import Permission
from shared_code.model import Subscription

_API_VERSION = "2022-04-01"


class _Permission(msgspec.Struct, rename="camel"):
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()


class AzurePermissions:
    """Reads what the identity may do; the port Permissions."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def held(self, subscription: Subscription) -> tuple[Permission, ...]:
        """Return what the identity may do at a subscription, by all its roles there and above it.

        Raises:
            AzureError: it could not be read to its end.
        """
        # https://learn.microsoft.com/rest/api/authorization/permissions documents it for groups and resources alone,
        # and a subscription answers too: https://github.com/Azure/azure-rest-api-specs/issues/19473
        path = f"/subscriptions/{subscription.id}/providers/Microsoft.Authorization/permissions"
        pages = self._arm.pages(f"{path}?api-version={_API_VERSION}", _Permission, "permissions")
        return tuple(Permission(each.actions, each.not_actions) for page in pages for each in page)
