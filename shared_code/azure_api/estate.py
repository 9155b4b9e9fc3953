"""The estate as Azure Resource Manager lists it."""

import re
from collections.abc import Iterator

import msgspec

from shared_code.azure_api.arm import Arm
from shared_code.errors import UnreadableAnswer
from shared_code.foreign_text import one_line
from shared_code.model import ResourceGroup, Subscription
from shared_code.times import from_azure

# https://learn.microsoft.com/rest/api/resources: the versions azure-mgmt-resource 26 sends.
_SUBSCRIPTIONS = "2022-12-01"
_RESOURCES = "2025-04-01"
# Ids become part of paths, here and in the store; Azure's are GUIDs.
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


class _Subscription(msgspec.Struct):
    subscriptionId: str  # noqa: N815  # Azure's spelling
    displayName: str = ""  # noqa: N815
    state: str = "Enabled"


class _GroupProperties(msgspec.Struct):
    provisioningState: str | None = None  # noqa: N815


class _Group(msgspec.Struct):
    id: str
    name: str
    location: str = ""
    tags: dict[str, str | None] | None = None
    managedBy: str | None = None  # noqa: N815
    createdTime: str | None = None  # noqa: N815
    properties: _GroupProperties | None = None


class _Resource(msgspec.Struct):
    id: str


class AzureEstate:
    """Reads what an identity can see; every list is read to its end or an AzureError says why not."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def subscriptions(self) -> list[Subscription]:
        """Return every subscription the identity sees, in any state, in id order; none is an ordinary answer.

        Raises:
            AzureError: the list could not be read to its end.
        """
        path, what = f"/subscriptions?api-version={_SUBSCRIPTIONS}", "the list of subscriptions"
        found = {
            item.subscriptionId.casefold(): Subscription(item.subscriptionId, item.displayName, item.state)
            for page in self._arm.pages(path, _Subscription, what)
            for item in page
        }
        if odd := next((known for known in found.values() if not _ID.fullmatch(known.id)), None):
            raise UnreadableAnswer(f"cannot read {what}: '{one_line(odd.id)}' is no subscription id")
        return [found[folded] for folded in sorted(found)]

    def resource_groups(self, subscription: Subscription) -> Iterator[list[ResourceGroup]]:
        """Give the resource groups of a subscription page by page, as received; `resources` is not filled in.

        Raises:
            AzureError: a page could not be read; the pages before it stay valid.
        """
        # $expand=createdTime works here as it does on resources, though no document says so:
        # https://github.com/Azure/azure-sdk-for-python/issues/4777
        path = f"/subscriptions/{subscription.id}/resourcegroups?api-version={_RESOURCES}&$expand=createdTime"
        for page in self._arm.pages(path, _Group, "resource groups"):
            yield [
                ResourceGroup(
                    id=item.id,
                    name=item.name,
                    subscription_id=subscription.id,
                    subscription_name=subscription.name,
                    location=item.location,
                    tags=item.tags or {},
                    managed_by=item.managedBy or None,
                    provisioning_state=item.properties.provisioningState if item.properties else None,
                    created=from_azure(item.createdTime),
                    resources=None,
                )
                for item in page
            ]

    def resource_ids(self, subscription: Subscription) -> Iterator[list[str]]:
        """Give the ids of all resources of a subscription page by page, as received.

        Raises:
            AzureError: a page could not be read; the pages before it stay valid.
        """
        path = f"/subscriptions/{subscription.id}/resources?api-version={_RESOURCES}"
        for page in self._arm.pages(path, _Resource, "resources"):
            yield [item.id for item in page]
