"""Owners: the value of a tag on a thing, else on its resource group, as Azure has it when there is something to tell.

It is read then and only of what nobody was told yet, so on most days nothing is read at all, and no file of a run has
to carry what strangers wrote.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from shared_code.errors import AzureError
from shared_code.model import Subscription, Tags
from shared_code.plan import PlanItem
from shared_code.ports import Estate
from shared_code.resource_ids import group_key, key
from shared_code.tag_keys import fold

READERS = 8
"""Subscriptions read at the same time."""


@dataclass
class Owners:
    """The values of the owner tag by key of the resource id; `unread` says of which subscriptions nobody knows."""

    tag: str
    values: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    def of(self, resource_id: str) -> str | None:
        """Return who owns it; None where nobody does."""
        return self.values.get(key(resource_id)) or self.values.get(group_key(resource_id) or "")

    def take(self, items: Iterable[PlanItem]) -> None:
        """Take the tags that a plan saw: what was deleted since can be asked no more."""
        for item in items:
            self._note(item.resource_id, item.seen)

    def read(
        self,
        estate: Estate,
        wanted: Iterable[tuple[str, str]],
        subscriptions: Mapping[str, Subscription],
        out_of_time: Callable[[], bool],
    ) -> None:
        """Find out who owns these.

        Args:
            estate: what is read.
            wanted: ids of subscriptions, and of things in each.
            subscriptions: by the key of the id.
            out_of_time: asked at each page.
        """
        by_subscription: defaultdict[str, set[str]] = defaultdict(set)
        for subscription_id, resource_id in wanted:
            if not self.values.get(key(resource_id)):
                by_subscription[key(subscription_id)].add(key(resource_id))
        own = {name for name, ids in by_subscription.items() if f"/subscriptions/{name}" in ids}
        if own:
            self._read_subscriptions(estate, own)

        def read(name: str) -> None:
            ids = by_subscription[name] - {f"/subscriptions/{name}"}
            if ids and name not in self.unread:
                self._read_one(estate, subscriptions.get(name) or Subscription(name, "", "Enabled"), ids, out_of_time)

        with ThreadPoolExecutor(READERS, "owners") as pool:
            for _ in pool.map(read, sorted(by_subscription)):
                pass

    def _note(self, resource_id: str, tags: Tags) -> None:
        wanted = fold(self.tag)
        value = next((value for name, value in tags.items() if fold(name) == wanted), None)
        if value and value.strip():
            self.values[key(resource_id)] = value

    def _read_subscriptions(self, estate: Estate, own: set[str]) -> None:
        try:
            for each in estate.subscriptions():
                if key(each.id) in own:
                    self._note(f"/subscriptions/{each.id}", each.tags)
        except AzureError as error:
            self.unread |= dict.fromkeys(own, str(error))

    def _read_one(
        self, estate: Estate, subscription: Subscription, ids: set[str], out_of_time: Callable[[], bool]
    ) -> None:
        groups = {name for each in ids if (name := group_key(each))}
        missing = ids - groups
        try:
            for page in estate.resource_groups(subscription):
                for group in page:
                    if key(group.id) in groups:
                        self._note(group.id, group.tags)
                if out_of_time():
                    break
            for resources in estate.resources(subscription) if missing and not out_of_time() else ():
                for resource in resources:
                    name = key(resource.id)
                    if name in missing:
                        self._note(resource.id, resource.tags or {})
                        missing.discard(name)
                if not missing or out_of_time():
                    break
        except AzureError as error:
            self.unread[key(subscription.id)] = str(error)
            return
        if out_of_time():
            self.unread[key(subscription.id)] = "there was no time left to read who owns what"
