"""What tests of cleanup share: a world with an Azure in process, its configuration, and what the runs leave."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from shared_code.apply import Applied, Means, apply
from shared_code.cleanup_rules import stage_of
from shared_code.eligibility import Decision
from shared_code.jobs.apply_plan import _act, _check_stop
from shared_code.outcomes import Mark, Outcome, Result
from shared_code.outputs import DECISIONS, FOLLOWED
from shared_code.pending_deletions import FollowedUp, Pending, PendingDeletions
from shared_code.permission import terms_of
from shared_code.plan import Action, Observed, Plan, PlanItem, Plans, make_plan
from shared_code.run_requests import Wanted
from shared_code.runs import Mode, Order, Run, RunScope, TriggeredBy
from shared_code.settings import configure
from shared_code.store import Store
from shared_code.subscription_audit import GROUP_TYPE
from shared_code.tag_rules import RuleMode
from shared_code.tombstones import FOLDER, Tombstone
from shared_code.work import Work
from tests.azure_model import KINDS, AzureModel, ModelEstate, made
from tests.fakes import work_on
from tests.memory_store import MemoryStore
from tests.stores import Passing
from tests.world import World, subscription_id

JOB = "cleanup"
ONE, TWO = subscription_id(1), subscription_id(2)
ORPHANS = tuple(sorted({rule for _, rule in KINDS.values() if rule}))
RULES: dict[str, dict[str, object]] = {name: {} for name in (*ORPHANS, "expired", "empty-resource-group")}
USUAL: dict[str, object] = {"mode": "approve", "minimum_age": "7d", "minimum_observations": 1}


def toml(
    *armed: str,
    rules: dict[str, dict[str, object]] | None = None,
    scope: dict[str, object] | None = None,
    **job: object,
) -> bytes:
    """A configuration in which those subscriptions are armed; every rule asks for a week and one look."""
    given: dict[str, object] = {
        "schedule": "0 0 5 * * *",
        "mode": "plan",
        "armed_subscriptions": list(armed),
        "protected_resource_groups": ["rg-core"],
        "max_share": 0.99,
    }
    tables = {"scope": scope or {}, "jobs.cleanup": given | job}
    for name, own in (RULES if rules is None else rules).items():
        # Where nobody is asked, a second look is.
        twice = {"minimum_observations": 2} if own.get("mode") == "automatic" else {}
        tables[f"jobs.cleanup.rules.{name}"] = USUAL | twice | own
    return "\n".join(
        line
        for name, table in tables.items()
        for line in (f"[{name}]", *(f"{each} = {msgspec.json.encode(value).decode()}" for each, value in table.items()))
    ).encode()


class Witness(Passing):
    """A store that checks, at each write that says `deleted`, that the very thing is not there; and notes ends."""

    def __init__(self, inner: Store, model: AzureModel) -> None:
        super().__init__(inner)
        self._model = model
        self.lies: list[str] = []
        self.ends: list[tuple[str, str]] = []

    def replace(self, key: str, data: bytes, etag: str) -> str:
        if key.startswith("applied/"):
            outcome = msgspec.json.decode(data, type=Mark).outcome
            if outcome is not None and outcome.outcome is Result.DELETED:
                plan = Plans(self._inner).get(key.split("/")[1])
                self._check(plan, outcome)
        written = super().replace(key, data, etag)
        if key.endswith("/run.json"):
            run = msgspec.json.decode(data, type=Run)
            if run.status.ended:
                self.ends.append((run.id, run.status))
        return written

    def _check(self, plan: Plan, outcome: Outcome) -> None:
        item = plan.items[outcome.item]
        looks = [look for run, look in self._model.looks if run == plan.run]
        mine = {look.made for look in looks if look.target.definition == item.definition}
        if not mine or any(self._model.is_there(item.resource_id, made) for made in mine):
            self.lies.append(outcome.resource_id)


def cleaning(content: bytes | None = None, count: int = 2) -> tuple[World, AzureModel]:
    """A world in which both subscriptions are armed, and the Azure it looks after, in which nothing is yet."""
    worlds: list[World] = []
    model = AzureModel(lambda: worlds[0].now, count)
    store = Witness(MemoryStore(), model)
    world = World(store, toml=content or toml(ONE, TWO), remover=model, inventory=model)
    world.estate = ModelEstate(model)  # type: ignore[assignment]  # the field is for the estate that other tests ask
    worlds.append(world)
    return world, model


def ask(world: World, *subscriptions: str, mode: Mode = Mode.PLAN) -> Run:
    """Ask for a cleanup, as `steward run` does; no two in one second."""
    world.pass_time(seconds=1)
    return world.requests().by_hand(JOB, Wanted(mode=mode, scope=RunScope(subscriptions or None)), TriggeredBy.CLI)


def perform(world: World, model: AzureModel, run: Run, **given: Any) -> Run:
    """Perform a run while the model knows which, and give its record."""
    model.run = run.id
    world.worker(**given).perform(run.id)
    return world.records().get(run.id).run


def clean(world: World, model: AzureModel, *subscriptions: str, mode: Mode = Mode.PLAN) -> Run:
    """Ask for a cleanup and perform it."""
    return perform(world, model, ask(world, *subscriptions, mode=mode))


def watch(world: World, model: AzureModel) -> None:
    """Look once, a day before."""
    clean(world, model)
    world.pass_time(days=1)


def lines[Line](world: World, run: str, name: str, type_: type[Line]) -> list[Line]:
    """Read one of the outputs of a run."""
    return [msgspec.json.decode(line, type=type_) for line in world.store.lines(f"runs/{run}/{name}")]


def decided(world: World, run: Run) -> dict[tuple[str, str], Decision]:
    """What a run has decided, by the key of the id and the rule."""
    return {(each.resource_id.casefold(), each.rule): each for each in lines(world, run.id, DECISIONS, Decision)}


def followed(world: World, run: Run) -> list[FollowedUp]:
    """What a run says of earlier deletions."""
    return lines(world, run.id, FOLLOWED, FollowedUp) if FOLLOWED in run.outputs else []


def plan_of(world: World, run: Run) -> Plan:
    """The plan of a run."""
    assert run.plan, run.error
    return Plans(world.store).get(run.plan)


def planned(world: World, run: Run) -> list[str]:
    """The ids that a run has planned."""
    return [item.resource_id for item in plan_of(world, run).items] if run.plan else []


def tombstones(store: Store) -> list[Tombstone]:
    """All there are."""
    found = (store.read(each) for each in store.keys(FOLDER))
    return [msgspec.json.decode(each.data, type=Tombstone) for each in found if each]


def noted(store: Store) -> list[Pending]:
    """What is still being deleted."""
    return [each for each in PendingDeletions(store).all() if not isinstance(each, str)]


def pending(world: World) -> list[str]:
    """The ids of that."""
    return [each.resource_id for each in noted(world.store)]


@dataclass
class Fault:
    """A reading that fails: what happens at a call of the model."""

    name: str

    def __call__(self, _: AzureModel) -> None:
        raise made(self.name)


@dataclass
class Act:
    """Something that somebody else does between two calls."""

    what: str
    on: tuple[str, ...] = field(default=())

    def __call__(self, model: AzureModel) -> None:
        getattr(model, self.what)(*self.on)


PLANNED, APPLYING, AGAIN = (f"20261122T0{hour}0000Z-{JOB}-0000000{hour}" for hour in (6, 7, 8))


def item_of(world: World, model: AzureModel, own: str, rule: str = "unattached-disk", **changes: Any) -> PlanItem:
    """The item that would delete a thing as it is now, long watched."""
    model.run = PLANNED
    target = model.target(own, model.subs[own.split("/")[2]])
    fields: dict[str, Any] = {
        "resource_id": own,
        "subscription_id": target.subscription_id,
        "kind": target.kind,
        "type": target.type,
        "rule": rule,
        "mode": RuleMode.APPROVE,
        "reason": "nobody needs it",
        "action": Action.DELETE,
        "seen": target.tags,
        "stage": stage_of(target),
        "members": tuple(each.id for each in model.within(own.casefold())),
        "observed": Observed(first_seen=world.now - timedelta(days=90), last_seen=world.now, times_seen=9),
        "definition": target.definition,
    }
    return PlanItem(**fields | changes)


def save(world: World, *items: PlanItem, read: int = 1000) -> Plan:
    """Put a plan of these items into the store."""
    record = Run(id=PLANNED, job=JOB, mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=world.now)
    types = [GROUP_TYPE, *(type_ for type_, _ in KINDS.values()), *(item.counted for item in items)]
    counts = {own: {type_.casefold(): read for type_ in types} for own in (ONE, TWO)}
    digest = configure(world.toml, "steward.toml", {}).digest_of(JOB)
    return Plans(world.store).save(make_plan(record, items, counts, world.now, rules=digest))


def work_for(world: World, model: AzureModel, run: str, **given: Any) -> Work:
    """What a run of the job is given, in a process of its own."""
    record = Run(id=run, job=JOB, mode=Mode.APPLY, trigger=TriggeredBy.CLI, requested=world.now, started=world.now)
    work = work_on(
        record,
        world.store,
        ModelEstate(model),
        configure(world.toml, "steward.toml", {}),
        remover=model,
        inventory=model,
        stop=world.stop(),
        clock=world.clock,  # type: ignore[arg-type]  # it is one
    )
    return replace(work, sleep=world.sleep, **given)


def carry(
    world: World,
    model: AzureModel,
    plan: Plan,
    run: str = APPLYING,
    work: Callable[[Work], Work] = lambda work: work,
    **order: Any,
) -> Applied:
    """Apply a plan, as approved unless said otherwise, one item after the other; as `carry_out` does it."""
    model.run = run
    own = work(work_for(world, model, run))
    means = Means(
        run=run,
        store=own.store,
        clock=own.clock,
        sleep=own.sleep,
        check_stop=partial(_check_stop, own),
        may_write=own.may_write,
        checkpoint=own.checkpoint,
        progress=own.progress,
        writers=1,
    )
    wanted: dict[str, Any] = {"plan": plan.id, "digest": plan.digest} | order
    return apply(Order(**wanted), terms_of(own.configuration, JOB), means, _act(own))


def only(applied: Applied) -> Outcome:
    """The outcome of the one item."""
    [outcome] = applied.outcomes
    return outcome
