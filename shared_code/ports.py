"""What the pure parts need of the world; implemented by azure_api and by the tests' fakes."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

from shared_code.activity import Evidence
from shared_code.invocations import Testimony
from shared_code.model import Lock, Resource, ResourceGroup, Subscription, Tags
from shared_code.targets import Denial, Target

if TYPE_CHECKING:
    from shared_code.notices.notice import Letter

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
    Rejected and Unauthenticated stay so; any other AzureError may pass. `ready` is asked when the write's turn has
    come, which may be after a while; where it raises, nothing is sent and that passes through.
    """

    def tags(self, scope: str) -> Tags:
        """Return the tags as they are now; raises AzureError."""
        ...

    def merge(self, scope: str, tags: dict[str, str], ready: Callable[[], None] = ..., /) -> None:
        """Add these tags, or give them these values; all others stay."""
        ...

    def delete(self, scope: str, tags: dict[str, str], ready: Callable[[], None] = ..., /) -> None:
        """Remove these tags, each only while it has this value; an empty value stands for any."""
        ...


class Activity(Protocol):
    """Reads the activity log. What cannot be read is in the evidence, with the reason; no AzureError is raised."""

    def writers(self, subscriptions: Collection[str], since: datetime, until: datetime) -> Evidence:
        """Return who wrote first and last to what is in these subscriptions, from `since` on and before `until`."""
        ...


class RequestLog(Protocol):
    """Reads the app's own request log. What cannot be read is in the testimony; no AzureError is raised."""

    def calls(self, since: Mapping[str, datetime], until: datetime) -> Testimony:
        """Return what it says of these functions of this app, of each from its moment on, and of the worker."""
        ...


class Figures(Protocol):
    """Is told how Azure answers, for whoever watches the app; it never raises, and is called from several threads."""

    def asked(self, kind: str, status: int) -> None:
        """Count a request that was answered."""
        ...

    def waited(self, seconds: float) -> None:
        """Measure a wait before a request."""
        ...


class Deletion(msgspec.Struct, frozen=True):
    """What Azure said to a delete.

    `operation` is where to ask how far it is, to be kept as it is and never shown, since it may be signed; None where
    Azure is done. `wait` is how many seconds Azure wants to be left alone first.
    """

    operation: str | None = None
    wait: float = 0.0


class Followed(msgspec.Struct, frozen=True):
    """How far a deletion is: `ended` says that Azure will do no more, `failed` why it has not done it.

    `operation` and `wait` are for the next question, as in `Deletion`.
    """

    ended: bool
    failed: str | None = None
    operation: str | None = None
    wait: float = 0.0


class Remover(Protocol):
    """Reads one thing with everything around it, and deletes it. All ids are as received; all raise AzureError.

    NotFound says that it is gone, and only that: whatever else a 404 may mean is another error.
    """

    def target(self, resource_id: str, subscription: Subscription, listed: datetime | None = None, /) -> Target:
        """Return a resource or a resource group as its own GET shows it now.

        `listed` is when it was created as a list has just told; it counts where the GET does not tell.
        """
        ...

    def group(self, resource_id: str, subscription: Subscription) -> ResourceGroup | None:
        """Return the resource group that something is in, or is; None for what is in none."""
        ...

    def members(self, group_id: str) -> list[Resource]:
        """Return everything in a resource group, read to the end."""
        ...

    def locks(self, subscription: Subscription) -> list[Lock]:
        """Return the locks at a subscription and on everything in it, read to the end."""
        ...

    def denials(self, subscription: Subscription) -> list[Denial]:
        """Return the deny assignments at a subscription and on everything in it, read to the end."""
        ...

    def items(self, path: str) -> list[dict[str, object]]:
        """Return the items of a list at a path behind an id, such as `…/serverFarms/plan-a/sites`, read to the end."""
        ...

    def template(self, group_id: str) -> dict[str, object]:
        """Return the template that Azure exports of a resource group, with what it says it could not export."""
        ...

    def delete(self, resource_id: str, ready: Callable[[], None], /) -> Deletion:
        """Ask once for a deletion; it may be under way whatever AzureError this raises.

        `ready` is asked when its turn has come; where it raises, nothing is sent and that passes through.
        """
        ...

    def follow(self, operation: str) -> Followed:
        """Ask how far a deletion is; trouble that may pass raises, and says nothing about the deletion."""
        ...


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """What Resource Graph proposes, by the key of the subscription's id: ids as received, in their order.

    `unread` says of which subscriptions the answer is not complete, and why; of these `ids` has nothing.
    """

    ids: dict[str, list[str]]
    unread: dict[str, str] = {}


class Inventory(Protocol):
    """Finds candidates by what they are; it may be behind the times, so it only proposes."""

    def candidates(self, query: str, subscriptions: Collection[str]) -> Candidates:
        """Return the ids that a query finds; what cannot be read is in the answer, and no AzureError is raised.

        Args:
            query: KQL that projects `id` and orders by it.
            subscriptions: ids.
        """
        ...


class Sender(Protocol):
    """Sends notices, each to one receiver."""

    def send(self, letters: "Sequence[Letter]", /) -> list[str | None]:
        """Send each, and return for each why it was not sent, None where it was; no secret is in that, nor in a log.

        It never raises, and ends in about a minute however many there are.
        """
        ...
