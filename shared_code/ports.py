"""What the pure parts need of the world; implemented by azure_api and by the tests' fakes."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Protocol

from shared_code.activity import Evidence
from shared_code.model import Lock, Resource, ResourceGroup, Subscription, Tags

type Clock = Callable[[], datetime]
"""Gives the present moment, aware, UTC."""


class Estate(Protocol):
    """Reads Azure. A list that cannot be read to its end raises AzureError; what came before stays valid."""

    def subscriptions(self) -> list[Subscription]:
        """Return every visible subscription, in any state, in id order."""
        ...

    def subscriptions_under(self, management_group: str) -> frozenset[str]:
        """Return the keys of the ids of all subscriptions under a management group, at any depth."""
        ...

    def resource_groups(self, subscription: Subscription) -> Iterator[list[ResourceGroup]]:
        """Give the resource groups of a subscription, page by page."""
        ...

    def resources(self, subscription: Subscription) -> Iterator[list[Resource]]:
        """Give all resources of a subscription, page by page."""
        ...

    def types_without_tags(self, subscription: Subscription) -> frozenset[str]:
        """Return the types, in lower case, of which Azure says that they cannot carry tags."""
        ...

    def locks(self, subscription: Subscription) -> Iterator[list[Lock]]:
        """Give the locks at a subscription and on everything in it, page by page."""
        ...


class TagWriter(Protocol):
    """Reads and changes the tags at one scope: a subscription, a group or a resource, by its exact id.

    A write is asked for once, and may have taken effect whatever it raises: read again to know. AccessDenied, NotFound,
    Rejected and Unauthenticated stay so; any other AzureError may pass.
    """

    def tags(self, scope: str) -> Tags:
        """Return the tags as they are now; raises AzureError."""
        ...

    def merge(self, scope: str, tags: dict[str, str]) -> None:
        """Add these tags, or give them these values; all others stay."""
        ...

    def delete(self, scope: str, tags: dict[str, str]) -> None:
        """Remove these tags, each only while it has this value; an empty value stands for any."""
        ...


class Activity(Protocol):
    """Reads the activity log. What cannot be read is in the evidence, with the reason; no AzureError is raised."""

    def writers(self, subscriptions: Collection[str], since: datetime, until: datetime) -> Evidence:
        """Return who wrote first and last to what is in these subscriptions, from `since` on and before `until`."""
        ...
