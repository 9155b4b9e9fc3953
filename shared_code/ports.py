"""What the pure parts need of the world; implemented by azure_api and by the tests' fakes."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from shared_code.model import Lock, Resource, ResourceGroup, Subscription

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
