"""The estate as Azure Resource Manager lists it."""

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, ClassVar

import msgspec

from shared_code.azure_api.arm import Arm
from shared_code.azure_api.visibility import check_nothing_is_hidden
from shared_code.errors import UnreadableAnswer
from shared_code.foreign_text import one_line
from shared_code.model import Lock, Name, Resource, ResourceGroup, Subscription, Tags, text_in
from shared_code.resource_ids import group_key, is_in_subscription, key, type_and_name
from shared_code.times import from_azure

# https://learn.microsoft.com/rest/api/resources: the versions azure-mgmt-resource 26 and its siblings send.
_SUBSCRIPTIONS = "2022-12-01"
_RESOURCES = "2025-04-01"
_LOCKS = "2020-05-01"
_MANAGEMENT_GROUPS = "2020-05-01"
_EXPAND = "createdTime%2CchangedTime%2CprovisioningState"
# Ids become part of paths, here and in the store; Azure's are GUIDs.
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_LOCK = re.compile(r"(.+)/providers/microsoft\.authorization/locks/[^/]+/?", re.IGNORECASE | re.DOTALL)
_NAME, _TYPE = attrgetter("name"), attrgetter("type")
_MANAGEMENT_GROUP = re.compile("/providers/microsoft.management/managementgroups/[^/]+/?", re.IGNORECASE)
_MEMBER = re.compile(
    r"(?:/providers/microsoft\.management/managementgroups/[^/]+)?/subscriptions/([^/]+)/?", re.IGNORECASE
)


# What only describes is Any: one odd value must not make the whole list unreadable.
class _Subscription(msgspec.Struct):
    subscriptionId: str  # noqa: N815  # Azure's spelling
    displayName: Any = None  # noqa: N815
    state: str | None = None
    tags: Tags | None = None


class _Descendant(msgspec.Struct):
    id: str


class _Group(msgspec.Struct):
    id: Name
    name: Name
    location: Any = None
    tags: Tags | None = None
    managedBy: str | None = None  # noqa: N815
    createdTime: Any = None  # noqa: N815
    properties: Any = None


class _LockProperties(msgspec.Struct):
    level: Name
    notes: Any = None


class _Lock(msgspec.Struct):
    id: Name
    properties: _LockProperties
    name: Any = None


class _ResourceType(msgspec.Struct):
    resourceType: str  # noqa: N815  # Azure's spelling
    capabilities: str | None = None


class _Provider(msgspec.Struct):
    LARGEST: ClassVar[int] = 4 * 1024 * 1024
    """Bytes; a provider lists its types with all their versions and regions."""
    namespace: str
    resourceTypes: list[_ResourceType] | None = None  # noqa: N815


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
            item.subscriptionId.casefold(): Subscription(
                item.subscriptionId, text_in(item.displayName) or "", item.state or "Enabled", item.tags or {}
            )
            for page in self._arm.pages(path, _Subscription, what)
            for item in page
        }
        if odd := next((known for known in found.values() if not _ID.fullmatch(known.id)), None):
            raise UnreadableAnswer(f"cannot read {what}: '{one_line(odd.id)}' is no subscription id")
        return [found[folded] for folded in sorted(found)]

    def subscriptions_under(self, management_group: str) -> frozenset[str]:
        """Return the keys of the ids of all subscriptions under a management group, at any depth.

        Args:
            management_group: its id, not its display name.

        Raises:
            AzureError: the list could not be read to its end.
        """
        # https://learn.microsoft.com/rest/api/managementgroups/management-groups/get-descendants
        path = f"/providers/Microsoft.Management/managementGroups/{management_group}/descendants"
        what = f"the subscriptions under management group '{management_group}'"
        members: set[str] = set()
        for page in self._arm.pages(f"{path}?api-version={_MANAGEMENT_GROUPS}", _Descendant, what):
            for item in page:
                if found := _MEMBER.fullmatch(item.id):
                    members.add(found[1].casefold())
                elif not _MANAGEMENT_GROUP.fullmatch(item.id):
                    # It may be a subscription, and one that is missing here would be left out without a word.
                    raise UnreadableAnswer(
                        f"cannot read {what}: '{one_line(item.id)}' is the id of neither a management group nor a "
                        "subscription"
                    )
        return frozenset(members)

    def resource_groups(self, subscription: Subscription) -> Iterator[list[ResourceGroup]]:
        """Give the resource groups of a subscription page by page; resources and locks are not filled in.

        Raises:
            AzureError: a page could not be read; the pages before it stay valid.
        """
        # $expand=createdTime works here as it does on resources, though no document says so:
        # https://github.com/Azure/azure-sdk-for-python/issues/4777
        path = f"/subscriptions/{subscription.id}/resourcegroups?api-version={_RESOURCES}&$expand=createdTime"
        for page in self._arm.pages(path, _Group, "resource groups"):
            if odd := next((item.id for item in page if group_key(item.id) != key(item.id)), None):
                # What is in it and what protects it is found by its id; without one it would look empty and unlocked.
                raise UnreadableAnswer(f"cannot read resource groups: '{one_line(odd)}' is no resource group's id")
            yield [
                ResourceGroup(
                    id=item.id,
                    name=item.name,
                    subscription_id=subscription.id,
                    subscription_name=subscription.name,
                    location=text_in(item.location) or "",
                    tags=item.tags or {},
                    managed_by=item.managedBy or None,
                    provisioning_state=text_in(item.properties, "provisioningState"),
                    created=from_azure(text_in(item.createdTime)),
                    resources=None,
                )
                for item in page
            ]

    def resources(self, subscription: Subscription) -> Iterator[list[Resource]]:
        """Give all resources of a subscription page by page.

        Raises:
            AccessDenied: after the last page: the identity's own roles leave out what the list would have to show.
            AzureError: a page could not be read; the pages before it stay valid.
        """
        # Without a filter: lists selected by tag come without tags and times (facts/arm-oddities.md 6).
        path = f"/subscriptions/{subscription.id}/resources?api-version={_RESOURCES}&$expand={_EXPAND}"
        for page in self._arm.pages(path, Resource, "resources"):
            whole = all(map(_NAME, page)) and all(map(_TYPE, page))
            yield page if whole else [_completed(item) for item in page]
        check_nothing_is_hidden(self._arm, subscription)

    def types_without_tags(self, subscription: Subscription) -> frozenset[str]:
        """Return the types, in lower case, of which Azure says that they cannot carry tags.

        Raises:
            AzureError: the list of providers could not be read to its end.
        """
        # https://learn.microsoft.com/rest/api/resources/providers/list: SupportsTags is one of the capabilities.
        path, what = f"/subscriptions/{subscription.id}/providers?api-version={_RESOURCES}", "providers"
        return frozenset(
            f"{provider.namespace}/{kind.resourceType}".casefold()
            for page in self._arm.pages(path, _Provider, what)
            for provider in page
            for kind in provider.resourceTypes or ()
            if kind.capabilities and "supportstags" not in kind.capabilities.casefold()
        )

    def locks(self, subscription: Subscription) -> Iterator[list[Lock]]:
        """Give the locks at a subscription and on everything in it, page by page.

        Raises:
            AzureError: a page could not be read; the pages before it stay valid.
        """
        path = f"/subscriptions/{subscription.id}/providers/Microsoft.Authorization/locks?api-version={_LOCKS}"
        for page in self._arm.pages(path, _Lock, "locks"):
            yield [_lock(item) for item in page]


def _lock(item: _Lock) -> Lock:
    found = _LOCK.fullmatch(item.id)
    if found is None or not is_in_subscription(found[1]):
        # Without its scope nobody knows what it protects.
        raise UnreadableAnswer(f"cannot read locks: '{one_line(item.id)}' is no lock's id")
    name = text_in(item.name) or item.id.rstrip("/").rsplit("/", 1)[1]
    return Lock(item.id, name, item.properties.level, found[1], text_in(item.properties.notes))


def _completed(item: Resource) -> Resource:
    """Take a name or a type that is missing, as in some providers' oldest answers, from the id, which holds both."""
    if item.name and item.type:
        return item
    told = type_and_name(item.id)
    if told is None:
        missing = "type" if item.name else "name"
        raise UnreadableAnswer(f"cannot read resources: '{one_line(item.id)}' has no {missing}, and its id tells none")
    return msgspec.structs.replace(item, type=item.type or told[0], name=item.name or told[1])
