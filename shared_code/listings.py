"""A listing: one list of a subscription while it is read, and what can be vouched for afterwards."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from shared_code.errors import AzureError
from shared_code.model import ListRead, Reading, Subscription, Verdict


class Listing:
    """Counts pages and items; `complete` only once the last page was reached."""

    def __init__(self, checkpoint: Callable[[], None] = lambda: None) -> None:
        """Begin with nothing read; `checkpoint` is asked at each page and raises where the work has to stop."""
        self._checkpoint = checkpoint
        self._pages = 0
        self._items = 0
        self.complete = False
        self.reason: str | None = None

    def follow[Item](self, pages: Iterable[list[Item]]) -> Iterator[list[Item]]:
        """Give the pages and count them; what they raise passes through."""
        for page in pages:
            self._checkpoint()
            self._pages += 1
            self._items += len(page)
            yield page
        self.complete = True

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Hold an AzureError of the block as the reason why this list is not complete, so that others are read."""
        try:
            yield
        except AzureError as error:
            self.complete = False
            self.reason = str(error)

    @property
    def read(self) -> ListRead:
        """What was read, as a value."""
        return ListRead(self._pages, self._items, self.reason)


def verdict(
    subscription: Subscription,
    listings: Mapping[str, Listing],
    *,
    resource_groups: int | None = None,
    resources: int | None = None,
    locks: int | None = None,
) -> Verdict:
    """Judge a subscription: complete only if every one of its lists is.

    Args:
        subscription: which one.
        listings: by name; each one that was begun.
        resource_groups: how many are in scope; None where that is unknown.
        resources: likewise.
        locks: likewise.
    """
    reasons = dict.fromkeys(listing.reason or "" for listing in listings.values() if not listing.complete)
    return Verdict(
        subscription_id=subscription.id,
        subscription_name=subscription.name,
        reading=Reading.INCOMPLETE if reasons else Reading.COMPLETE,
        reason="; ".join(reasons) if reasons else None,
        lists={name: listing.read for name, listing in listings.items()},
        resource_groups=resource_groups,
        resources=resources,
        locks=locks,
    )
