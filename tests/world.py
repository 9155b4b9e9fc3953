"""A small world in one process: an estate, a store folder, a clock set by hand, and the parts that meet there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from shared_code.errors import AzureError
from shared_code.jobs import TASKS
from shared_code.locks import Locks
from shared_code.model import Lock, Resource, ResourceGroup, Subscription
from shared_code.ports import Inventory, Remover, RequestLog, TagWriter
from shared_code.run_records import RunRecords
from shared_code.run_requests import RunRequests
from shared_code.runs import Run
from shared_code.settings import configure
from shared_code.stop import Stop
from shared_code.store import Store
from shared_code.sweeper import sweep
from shared_code.work import Job
from shared_code.worker import Worker
from tests.fakes import NoActivity, NoInventory, NoRemover, NoTags, ToldRequests
from tests.stores import DeadAfter, Killed

TOML = b"""
[jobs.list-resource-groups]
schedule = "0 0 5 * * *"
[jobs.watchdog]
schedule = "0 */30 * * * *"
"""

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def subscription_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


@dataclass
class FewGroups:
    """An estate of `count` subscriptions with one group of two resources each; remembers what was read."""

    count: int = 3
    read: list[str] = field(default_factory=list)
    unreadable: frozenset[int] = frozenset()
    before_read: Callable[[Subscription], None] = lambda _: None

    def subscriptions(self) -> list[Subscription]:
        return [Subscription(subscription_id(number), f"sub-{number}", "Enabled") for number in range(self.count)]

    def resource_groups(self, subscription: Subscription) -> Iterator[list[ResourceGroup]]:
        self.before_read(subscription)
        if int(subscription.id[-12:]) in self.unreadable:
            raise AzureError("cannot read resource groups: Azure answered 403 AuthorizationFailed")
        self.read.append(subscription.id)
        yield [
            ResourceGroup(
                id=f"/subscriptions/{subscription.id}/resourceGroups/rg-a",
                name="rg-a",
                subscription_id=subscription.id,
                subscription_name=subscription.name,
                location="westeurope",
                tags={},
                managed_by=None,
                provisioning_state="Succeeded",
                created=None,
                resources=None,
            )
        ]

    def resources(self, subscription: Subscription) -> Iterator[list[Resource]]:
        for name in ("one", "two"):
            yield [
                Resource(f"/subscriptions/{subscription.id}/resourceGroups/RG-A/providers/a.b/c/{name}", name, "a.b/c")
            ]

    def locks(self, subscription: Subscription) -> Iterator[list[Lock]]:  # noqa: ARG002  # nothing is locked anywhere
        yield []

    def types_without_tags(self, subscription: Subscription) -> frozenset[str]:  # noqa: ARG002  # all can carry some
        return frozenset()

    def subscriptions_under(self, management_group: str) -> frozenset[str]:
        raise AssertionError(f"no test here names a management group, such as {management_group}")


@dataclass
class World:
    """Everything that outlives a process, and the means to start one."""

    store: Store
    estate: FewGroups = field(default_factory=FewGroups)
    now: datetime = NOON
    dead: set[str] = field(default_factory=set)
    toml: bytes = TOML
    heartbeats: int = 0
    writer: TagWriter = field(default_factory=NoTags)
    remover: Remover = field(default_factory=NoRemover)
    inventory: Inventory = field(default_factory=NoInventory)
    request_log: RequestLog = field(default_factory=ToldRequests)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pass_time(seconds=seconds)

    def heartbeat(self) -> bool:
        self.heartbeats += 1
        return True

    def pass_time(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def records(self) -> RunRecords:
        return RunRecords(self.store)

    def locks(self, holder: str = "process-1", store: Store | None = None) -> Locks:
        return Locks(store or self.store, self.clock, holder, lambda one: one in self.dead)

    def stop(self, store: Store | None = None) -> Stop:
        return Stop(store or self.store, self.clock)

    def requests(self) -> RunRequests:
        return RunRequests(configure(self.toml, "steward.toml", {}), self.records(), self.store, self.clock, self.sleep)

    def worker(
        self,
        holder: str = "process-1",
        *,
        store: Store | None = None,
        jobs: dict[str, Job] | None = None,
        time_limit: float | None = None,
        sleep: Callable[[float], None] | None = None,
        count: Callable[[Run], None] = lambda _: None,
    ) -> Worker:
        """Start a process: a worker that sleeps by letting the world's time pass."""
        return Worker(
            configuration=configure(self.toml, "steward.toml", {}),
            jobs={**TASKS, **(jobs or {})},
            records=RunRecords(store or self.store),
            locks=self.locks(holder, store),
            estate=self.estate,
            activity=NoActivity(),
            request_log=self.request_log,
            writer=self.writer,
            remover=self.remover,
            inventory=self.inventory,
            store=store or self.store,
            stop=self.stop(store),
            clock=self.clock,
            heartbeat=self.heartbeat,
            time_limit=time_limit,
            sleep=sleep or self.sleep,
            count=count,
        )

    def to_its_end(self, messages: list[str], kills: list[tuple[int, bool]], name: str = "process") -> None:
        """Deliver messages to processes that die, and then to one that does not, until nobody waits any more.

        Args:
            messages: ids of runs, as the queue holds them.
            kills: for each process, the call of the store at which it dies, and whether that call took effect.
            name: what the processes are called, with a number.
        """
        for number, (calls, after) in enumerate(kills):
            holder = f"{name}-{number}"
            try:
                messages += self.worker(holder, store=DeadAfter(self.store, calls, after=after)).perform(messages[0])
                messages.pop(0)
            except Killed:
                self.dead.add(holder)
            if not messages:
                break
        for _ in range(2):
            while messages:
                messages += self.worker("survivor").perform(messages.pop(0))
            self.pass_time(minutes=11)
            messages += sweep(self.records(), self.locks(), self.clock)
        assert messages == []
        assert self.records().open() == []
        for job in TASKS:
            assert self.locks().read(job).run is None

    def groups_of(self, run_id: str) -> list[ResourceGroup]:
        lines = self.store.lines(f"runs/{run_id}/resource-groups.ndjson")
        return [msgspec.json.decode(line, type=ResourceGroup) for line in lines]
