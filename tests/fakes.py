"""Stand-ins for the ports: an estate in memory whose lists can fail, and a clock that stands still until moved."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared_code.activity import Evidence, no_evidence, span_of
from shared_code.errors import StewardError
from shared_code.invocations import Testimony
from shared_code.locks import Locks
from shared_code.model import Lock, Resource, ResourceGroup, Subscription, Tags
from shared_code.ports import Activity, Candidates, Deletion, Estate, Followed, Inventory, Remover, TagWriter
from shared_code.run_records import RunRecords
from shared_code.runs import Progress, Run
from shared_code.settings import Configuration
from shared_code.stop import Stop
from shared_code.store import Store
from shared_code.targets import Denial, Target
from shared_code.work import Work

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
"""When the tests take place."""


def subscription(number: int, name: str = "", state: str = "Enabled") -> Subscription:
    """A subscription with a well-formed id; without a name it is called `subscription NUMBER`."""
    return Subscription(f"00000000-0000-4000-8000-{number:012d}", name or f"subscription {number}", state)


def resource_group(
    owner: Subscription,
    name: str,
    tags: dict[str, str | None] | None = None,
    resource_id: str = "",
    **fields: str | datetime | None,
) -> ResourceGroup:
    """A resource group of a subscription, as the Estate port gives it: its resources are not counted yet."""
    given: dict[str, str | datetime | None] = {"managed_by": None, "provisioning_state": "Succeeded", "created": None}
    return ResourceGroup(
        id=resource_id or f"/subscriptions/{owner.id}/resourceGroups/{name}",
        name=name,
        subscription_id=owner.id,
        subscription_name=owner.name,
        location="westeurope",
        tags=tags or {},
        resources=None,
        **(given | fields),  # type: ignore[arg-type]  # the names are checked when it is made
    )


def resource(resource_id: str, kind: str = "Microsoft.Web/sites", **fields: str | dict[str, str | None]) -> Resource:
    """A resource of that id, as the Estate port gives it."""
    return Resource(resource_id, resource_id.rsplit("/", 1)[1], kind, **fields)  # type: ignore[arg-type]  # checked when made


def lock(scope: str, name: str = "keep", level: str = "CanNotDelete") -> Lock:
    """A management lock on a scope."""
    return Lock(f"{scope}/providers/Microsoft.Authorization/locks/{name}", name, level, scope)


def resource_id(group: ResourceGroup, name: str) -> str:
    """The id of a resource in a group."""
    return f"{group.id}/providers/Microsoft.Web/sites/{name}"


class Clock:
    """A clock that shows `now` until a test moves it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


class NoActivity:
    """An activity log that is not at hand; remembers what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def writers(self, subscriptions: Collection[str], since: datetime, until: datetime) -> Evidence:
        self.asked += subscriptions
        return no_evidence(span_of(since, until), "no workspace is configured")


@dataclass
class ToldRequests:
    """A request log that says what it was told to, by default that there is none; remembers what it was asked."""

    testimony: Testimony = field(default_factory=lambda: Testimony(reason="no workspace is configured"))
    asked: list[dict[str, datetime]] = field(default_factory=list)

    def calls(self, since: Mapping[str, datetime], until: datetime) -> Testimony:
        assert all(each < until for each in since.values())
        self.asked.append(dict(since))
        return self.testimony


class NoTags:
    """Tags that no test here reads or writes."""

    def tags(self, scope: str) -> Tags:
        raise AssertionError(f"the tags of {scope} were read")

    def merge(self, scope: str, tags: dict[str, str], ready: Callable[[], None] = lambda: None) -> None:  # noqa: ARG002
        raise AssertionError(f"{tags} were merged at {scope}")

    def delete(self, scope: str, tags: dict[str, str], ready: Callable[[], None] = lambda: None) -> None:  # noqa: ARG002
        raise AssertionError(f"{tags} were deleted at {scope}")


class NoRemover:
    """Things that no test here looks at or deletes; what guards a subscription may be asked for, and is nothing."""

    def target(self, resource_id: str, subscription: Subscription, _: datetime | None = None, /) -> Target:  # noqa: ARG002
        raise AssertionError(f"{resource_id} was read")

    def group(self, resource_id: str, subscription: Subscription) -> ResourceGroup | None:  # noqa: ARG002
        raise AssertionError(f"the group of {resource_id} was read")

    def members(self, group_id: str) -> list[Resource]:
        raise AssertionError(f"the members of {group_id} were read")

    def locks(self, subscription: Subscription) -> list[Lock]:  # noqa: ARG002
        return []

    def denials(self, subscription: Subscription) -> list[Denial]:  # noqa: ARG002
        return []

    def items(self, path: str) -> list[dict[str, object]]:
        raise AssertionError(f"{path} was listed")

    def template(self, group_id: str) -> dict[str, object]:
        raise AssertionError(f"{group_id} was exported")

    def delete(self, resource_id: str, ready: Callable[[], None]) -> Deletion:  # noqa: ARG002
        raise AssertionError(f"{resource_id} was deleted")

    def follow(self, operation: str) -> Followed:
        raise AssertionError(f"{operation} was followed")


class NoInventory:
    """A Resource Graph that proposes nothing."""

    def candidates(self, query: str, subscriptions: Collection[str]) -> Candidates:  # noqa: ARG002
        return Candidates(ids={})


class FakeEstate:
    """An estate behind the Estate port.

    Args:
        subscriptions: what `subscriptions` returns, in this order.
        groups: by subscription id, the pages of its resource groups; a subscription that is not named has none.
        ids: by subscription id, the pages of its resources, or of their ids.
        locks: by subscription id, the pages of its locks.
        management_groups: by id, the subscriptions under it.
        fail_on: errors in place of pages: `("subscriptions", "", 1)`, or `("resource_groups" | "resources" | "locks",
            subscription id, page from 1)`. The page after the last may be named too.

    `reads` tells which lists were begun, as (list, subscription id).
    """

    def __init__(
        self,
        subscriptions: Sequence[Subscription] = (),
        groups: Mapping[str, Sequence[Sequence[ResourceGroup]]] | None = None,
        ids: Mapping[str, Sequence[Sequence[str | Resource]]] | None = None,
        fail_on: Mapping[tuple[str, str, int], StewardError] | None = None,
        locks: Mapping[str, Sequence[Sequence[Lock]]] | None = None,
        management_groups: Mapping[str, Sequence[Subscription]] | None = None,
    ) -> None:
        self.all = list(subscriptions)
        self.groups = dict(groups or {})
        self.ids = dict(ids or {})
        self.fail_on = dict(fail_on or {})
        self.lock_pages = dict(locks or {})
        self.untaggable: frozenset[str] = frozenset()
        self.management_groups = dict(management_groups or {})
        self.reads: list[tuple[str, str]] = []

    def subscriptions(self) -> list[Subscription]:
        self.reads.append(("subscriptions", ""))
        self._fail("subscriptions", "", 1)
        return list(self.all)

    def resource_groups(self, subscription: Subscription) -> Iterator[list[ResourceGroup]]:
        return self._pages("resource_groups", subscription.id, self.groups.get(subscription.id, ()))

    def resources(self, subscription: Subscription) -> Iterator[list[Resource]]:
        pages = [
            [resource(each) if isinstance(each, str) else each for each in page]
            for page in self.ids.get(subscription.id, ())
        ]
        return self._pages("resources", subscription.id, pages)

    def locks(self, subscription: Subscription) -> Iterator[list[Lock]]:
        return self._pages("locks", subscription.id, self.lock_pages.get(subscription.id, ()))

    def types_without_tags(self, subscription: Subscription) -> frozenset[str]:
        self.reads.append(("types_without_tags", subscription.id))
        self._fail("types_without_tags", subscription.id, 1)
        return self.untaggable

    def subscriptions_under(self, management_group: str) -> frozenset[str]:
        self.reads.append(("subscriptions_under", management_group))
        self._fail("subscriptions_under", management_group, 1)
        return frozenset(each.id.casefold() for each in self.management_groups[management_group])

    def _pages[Item](self, name: str, owner: str, pages: Sequence[Sequence[Item]]) -> Iterator[list[Item]]:
        self.reads.append((name, owner))
        for number, page in enumerate(pages, 1):
            self._fail(name, owner, number)
            yield list(page)
        self._fail(name, owner, len(pages) + 1)

    def _fail(self, name: str, owner: str, page: int) -> None:
        error = self.fail_on.get((name, owner, page))
        if error is not None:
            raise error


def work_on(
    run: Run,
    store: Store,
    estate: Estate,
    configuration: Configuration,
    *,
    activity: Activity | None = None,
    writer: TagWriter | None = None,
    remover: Remover | None = None,
    inventory: Inventory | None = None,
    stop: Stop | None = None,
    clock: Clock | None = None,
    checkpoint: Callable[[], None] = lambda: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Work:
    """What a job is given: the run as it is, and nobody else at work."""
    clock = clock or Clock()
    return Work(
        run=run,
        configuration=configuration,
        estate=estate,
        activity=activity or NoActivity(),
        request_log=ToldRequests(),
        writer=writer or NoTags(),
        remover=remover or NoRemover(),
        inventory=inventory or NoInventory(),
        store=store,
        records=RunRecords(store),
        locks=Locks(store, clock, "this test", lambda _: False),
        clock=clock,
        sleep=lambda _: None,
        stop=stop or Stop(store, clock),
        may_write=lambda: None,
        progress=progress,
        checkpoint=checkpoint,
        heartbeat=lambda: True,
        requeue=lambda _: None,
    )
