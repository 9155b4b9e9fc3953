"""What tests of notices share: a world whose runs are told, a sender that keeps what it is given, and what it left."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from shared_code.model import Resource, ResourceGroup, Subscription
from shared_code.notices.notice import Letter, Told
from shared_code.notices.notifier import Notifier
from shared_code.outputs import NOTICES
from shared_code.ports import Estate, Sender
from shared_code.run_requests import Wanted
from shared_code.runs import Run, RunScope, TriggeredBy
from shared_code.settings import configure
from shared_code.store import Store
from shared_code.worker import Worker
from tests.fakes import resource, resource_group
from tests.memory_store import MemoryStore
from tests.world import FewGroups, World

ENVIRON = {
    "OPS": "json://ops.example.com/t0psecret",
    "CHAT": "slack://t0psecret/t0psecret/t0psecret/#general",
    "MAIL": "mailtos://steward:t0psecret@smtp.example.com",
    "FALLBACK": "json://fallback.example.com/t0psecret",
}
OPS, CHAT, FALLBACK = "json://ops.example.com", "slack://#general", "json://fallback.example.com"
OPERATORS = b"""
[notices]
urls = ["%OPS%"]
"""
OWNERS = b"""
[notices]
urls = ["%OPS%"]
owner_url = "%MAIL%"
owner_domains = ["example.com"]
fallback = "%FALLBACK%"
"""
AUDIT = b"""
[jobs.tag-audit]
schedule = "0 0 5 * * *"

[[jobs.tag-audit.rules]]
name = "env"
tag = "env"
required = true
mode = "notify"
applies_to = { kinds = ["resource", "resource-group"] }
severity = "high"

[jobs.list-resource-groups]
schedule = "0 0 5 * * *"

[jobs.watchdog]
schedule = "0 */30 * * * *"
"""


@dataclass
class Kept:
    """A sender that keeps letters; `failing` are URLs to whom nothing comes through."""

    letters: list[Letter] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    before: Callable[[], object] = lambda: None

    def send(self, letters: Sequence[Letter], /) -> list[str | None]:
        self.before()
        sent: list[str | None] = []
        for each in letters:
            fails = each.url.reveal() in self.failing or each.to in self.failing
            sent.append("the service answered 503" if fails else None)
            if not fails:
                self.letters.append(each)
        return sent

    def take(self) -> list[Letter]:
        """Return what came through since the last time."""
        taken, self.letters = self.letters, []
        return taken


@dataclass
class TaggedEstate(FewGroups):
    """One group in each subscription, with these tags, and resources by name with theirs."""

    group_tags: dict[str, str | None] = field(default_factory=dict)
    tags: dict[str, dict[str, str | None]] = field(default_factory=dict)
    group: str = "rg-a"

    def resource_groups(self, subscription: Subscription) -> Iterator[list[ResourceGroup]]:
        [*super().resource_groups(subscription)]
        yield [resource_group(subscription, self.group, dict(self.group_tags))]

    def resources(self, subscription: Subscription) -> Iterator[list[Resource]]:
        self.read.append(f"resources of {subscription.id}")
        start = f"/subscriptions/{subscription.id}/resourceGroups/{self.group}/providers/Microsoft.Web/sites"
        yield [resource(f"{start}/{name}", tags=dict(tags)) for name, tags in self.tags.items()]


@dataclass
class Telling:
    """A world with a notifier."""

    world: World
    sender: Sender
    environ: dict[str, str] = field(default_factory=lambda: dict(ENVIRON))

    def notifier(self, store: Store | None = None, holder: str = "process-1") -> Notifier:
        """What tells."""
        return Notifier(
            configuration=configure(self.world.toml, "steward.toml", self.environ),
            records=self.world.records(),
            locks=self.world.locks(holder, store),
            store=store or self.world.store,
            estate=self.world.estate,
            sender=self.sender,
            clock=self.world.clock,
            sleep=self.world.sleep,
        )

    def worker(self, **given: Any) -> Worker:
        """A worker that tells."""
        return replace(self.world.worker(**given), tell=self.notifier())

    def ask(self, job: str, *subscriptions: str, trigger: TriggeredBy = TriggeredBy.HTTP) -> Run:
        """Ask for a run; no two in one second."""
        self.world.pass_time(seconds=1)
        return self.world.requests().by_hand(job, Wanted(scope=RunScope(subscriptions or None)), trigger)

    def run(self, job: str, *subscriptions: str, trigger: TriggeredBy = TriggeredBy.HTTP, **given: Any) -> Run:
        """Ask for a run, perform it, and give its record."""
        run = self.ask(job, *subscriptions, trigger=trigger)
        self.worker(**given).perform(run.id)
        return self.world.records().get(run.id).run

    def told(self, run: Run) -> list[Told]:
        """What the run's notices.ndjson says; nothing where it is not there."""
        name = f"runs/{run.id}/{NOTICES}"
        if self.world.store.read(name) is None:
            return []
        return [msgspec.json.decode(line, type=Told) for line in self.world.store.lines(name)]


def telling(toml: bytes, estate: Estate | None = None) -> tuple[Telling, Kept]:
    """A world of one subscription that tells a sender."""
    kept = Kept()
    world = World(MemoryStore(), toml=toml)
    world.estate = estate or TaggedEstate(count=1)  # type: ignore[assignment]  # the field is for what tests ask
    return Telling(world, kept), kept
