"""What tests of approving and undoing share: a world whose audit may change tags, an Azure in process, and a plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from shared_code.change_requests import ChangeRequests
from shared_code.model import ResourceGroup, Subscription, TagChange
from shared_code.outcomes import Outcome
from shared_code.outputs import OUTCOMES
from shared_code.plan import Plan
from shared_code.runs import Order, Run, TriggeredBy
from shared_code.store import Store
from shared_code.tag_rules import RuleMode
from tests.applying import SUBSCRIPTIONS, group_id, planned, save
from tests.fakes import resource_group
from tests.memory_store import MemoryStore
from tests.stores import Passing
from tests.tag_model import ModelTags, Plain
from tests.world import FewGroups, World

JOB = "tag-audit"
ONE, TWO = SUBSCRIPTIONS
A, B, C = group_id(ONE, "a"), group_id(ONE, "b"), group_id(TWO, "c")
OWNER = TagChange(set={"owner": "team@example.com"})
RULES = """
[[jobs.tag-audit.rules]]
name = "owner"
tag = "owner"
required = true
default = "team@example.com"
mode = "automatic"
applies_to = { kinds = ["resource-group"] }

[[jobs.tag-audit.rules]]
name = "team"
tag = "team"
required = true
default = "x"
mode = "approve"
applies_to = { kinds = ["resource-group"] }
"""


def toml(*armed: str, mode: str = "plan", most: int = 100, share: float = 1.0) -> bytes:
    """A configuration in which those subscriptions are armed."""
    return (
        f'[jobs.tag-audit]\nschedule = "0 0 5 * * *"\nmode = "{mode}"\narmed_subscriptions = {list(armed)}\n'
        f"max_changes = {most}\nmax_share = {share}\n{RULES}"
    ).encode()


class Noting(Passing):
    """Notes how every run ended, each time its record says so anew."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.ends: list[tuple[str, str]] = []

    def replace(self, key: str, data: bytes, etag: str) -> str:
        written = super().replace(key, data, etag)
        if key.endswith("/run.json"):
            run = msgspec.json.decode(data, type=Run)
            if run.status.ended:
                self.ends.append((run.id, run.status))
        return written


@dataclass
class Tagged(FewGroups):
    """An estate whose groups carry the tags of an Azure in process; in each subscription groups of these names."""

    azure: ModelTags = field(default_factory=lambda: ModelTags({}))
    names: tuple[str, ...] = ("a", "b")

    def resource_groups(self, subscription: Subscription) -> Iterator[list[ResourceGroup]]:
        [*super().resource_groups(subscription)]
        for name in self.names:
            tags: dict[str, str | None] = dict(self.azure.now[group_id(subscription.id, name)])
            yield [resource_group(subscription, name, tags)]


def changing(tags: Mapping[str, Plain] | None = None, content: bytes | None = None) -> tuple[World, ModelTags]:
    """A world in which two subscriptions are armed, and the Azure that it writes to: three groups without tags."""
    azure = ModelTags({A: {}, B: {}, C: {}} if tags is None else tags)
    return World(Noting(MemoryStore()), toml=content or toml(*SUBSCRIPTIONS), writer=azure), azure


def plan_for(world: World, azure: ModelTags, mode: RuleMode = RuleMode.APPROVE, **given: object) -> Plan:
    """A plan that gives every group an owner."""
    items = [planned(scope, OWNER, seen, mode=mode) for scope, seen in azure.now.items()]
    return save(world.store, items, **given)  # type: ignore[arg-type]  # the arguments of `save`


def requests_of(world: World) -> ChangeRequests:
    """What makes the runs."""
    return ChangeRequests(world.requests(), world.stop())


def approve(world: World, plan: Plan, key: str | None = None, **order: object) -> Run:
    """Ask for a plan to be applied, as it was looked at unless said otherwise."""
    wanted = Order(**({"plan": plan.id, "digest": plan.digest} | order))  # type: ignore[arg-type]  # checked when made
    return requests_of(world).apply(wanted, TriggeredBy.HTTP, "operator@example.com", key)


def take_back(world: World, run: str, key: str | None = None) -> Run:
    """Ask for the plan that undoes a run."""
    return requests_of(world).undo(run, TriggeredBy.HTTP, "operator@example.com", key)


def performed(world: World, run: Run) -> Run:
    """Perform a run, and give its record."""
    world.worker().perform(run.id)
    return world.records().get(run.id).run


def counted(run: Run) -> dict[str, int]:
    """The counts of a run that are not 0."""
    return {name: number for name, number in run.counts.items() if number}


def outcomes(world: World, run: str) -> list[Outcome]:
    """Read what became of each item."""
    return [msgspec.json.decode(line, type=Outcome) for line in world.store.lines(f"runs/{run}/{OUTCOMES}")]


def output(world: World, run: str, name: str) -> str:
    """Read one of the outputs of a run."""
    return b"".join(world.store.chunks(f"runs/{run}/{name}")).decode()
