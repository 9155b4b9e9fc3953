"""Cleanup as a whole, over random estates, configurations, faults and other people: what must never happen.

STEWARD_ESTATES=20000 in the environment tries so many; each test then prints what it has tried.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared_code.cleanup_rules import RULES
from shared_code.errors import Refused, StewardError
from shared_code.jobs.cleanup import cleanup
from shared_code.model import Reading
from shared_code.outcomes import Outcome, Result
from shared_code.outputs import FOLLOWED, OUTCOMES
from shared_code.parts import Part
from shared_code.pending_deletions import FollowedUp
from shared_code.plan import Plan, PlanItem, Plans
from shared_code.resource_ids import key
from shared_code.runs import Mode, Run, RunStatus
from shared_code.snoozes import Snoozes
from shared_code.tombstones import Tombstone, tombstone_key
from shared_code.windows import Window
from tests.azure_model import FAULTS, KINDS, AzureModel, Deleted, Ending, Look, made
from tests.changing import approve
from tests.cleaning import JOB, ONE, TWO, Witness, ask, carry, cleaning, noted, toml, work_for
from tests.stores import Killed

ESTATES = int(os.environ.get("STEWARD_ESTATES", "0"))
pytestmark = [pytest.mark.timeout(0)] if ESTATES else []
TALLY: Counter[str] = Counter()
"""What was tried, for whoever tries more."""
OLD = "2026-11-01"
WATCHED = frozenset({"unattached-network-interface", "unused-network-security-group", "unused-public-ip"}) | {
    "app-service-plan-without-apps",
    "sql-elastic-pool-without-databases",
    "empty-resource-group",
}
"""Rules for which Azure does not tell since when something is unused, so that only looking again does."""


class Step(NamedTuple):
    """Something that happens: a fault, or what somebody does to the thing of that number."""

    what: str
    on: int = 0
    other: int = 0


class At(NamedTuple):
    """Something that happens at a call: of that place, about the thing of that number."""

    place: str
    on: int
    call: int
    step: Step


class Made(NamedTuple):
    """A thing: `of` is the number of its group, from 1, and 0 for a group itself."""

    of: int
    kind: str
    age: float
    mark: str
    ending: Ending


class Round(NamedTuple):
    """A run that plans: hours before it, what others did by then, and what happens meanwhile."""

    hours: float
    steps: list[Step]
    script: list[At]


@dataclass
class Case:
    """All of it."""

    rules: dict[str, dict[str, object]]
    job: dict[str, object]
    armed: tuple[str, ...]
    excluded: tuple[str, ...]
    groups: list[Made]
    things: list[Made]
    plans: list[Round]
    late: list[Step]
    """What others do between the plan and its application."""
    script: list[At]
    only: int | None
    automatic: bool
    hours: float
    owns: list[str] = field(default_factory=list)

    def content(self) -> bytes:
        """Its steward.toml."""
        scope: dict[str, object] = {"exclude_resource_types": list(self.excluded)} if self.excluded else {}
        return toml(*self.armed, rules=self.rules, scope=scope, **self.job)


PLACES = ("target", "group", "delete", "follow", "members", "template", "items")
LISTS = ("locks", "denials", "groups", "resources", "lock pages", "the end of groups", "the end of resources")
ACTS = ("tag", "lock", "deny", "attach", "detach", "touch", "touch", "touch", "vanish", "recreate", "move")
OTHERS = ("tag group", "tag subscription", "lock group", "snooze", "stop", "wait", "wait long")
NAMES = sorted({rule for _, rule in KINDS.values() if rule} | {"expired", "empty-resource-group"})

endings = st.builds(
    Ending,
    st.lists(st.sampled_from((*sorted(FAULTS), "conflict", "lost after")), max_size=2).map(tuple),
    st.sampled_from((0, 0, 2, 500)),
    st.sampled_from(("gone", "gone", "gone", "failed", "partly")),
    st.booleans(),
    st.sampled_from((0, 0, 1, 400)),
)
calm = st.just(Ending())
QUIET: st.SearchStrategy[list[Any]] = st.just([])
SAME = -1
acts = st.builds(Step, st.sampled_from((*ACTS, *OTHERS)), st.integers(0, 9), st.integers(0, 9))
there = st.builds(Step, st.sampled_from((*ACTS, *OTHERS)), st.just(SAME), st.integers(0, 9))
scripts = st.lists(
    st.builds(
        At,
        st.sampled_from((*PLACES, "target", "delete", *LISTS, "subscriptions")),
        st.integers(0, 9),
        st.sampled_from((0, 0, 0, 1, 2)),
        there | acts | st.builds(Step, st.sampled_from(sorted(FAULTS))),
    ),
    max_size=3,
)
MARKS = (*[""] * 6, *["old"] * 4, "keep", "kept-not", "managed", "updating", "locked", "attached")


def things_of(kinds: tuple[str, ...]) -> st.SearchStrategy[Made]:
    """A thing of one of the kinds."""
    return st.builds(
        Made,
        st.integers(1, 3),
        st.sampled_from(kinds),
        st.sampled_from((0, 3, *[500] * 6)),
        st.sampled_from(MARKS),
        calm | endings,
    )


@st.composite
def rules_of(draw: st.DrawFn) -> dict[str, dict[str, object]]:
    """Rules that are on, and what is said of them."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    modes = {name: draw(st.sampled_from(("approve", "automatic", "automatic", "report"))) for name in names}
    return {
        name: {
            "mode": mode,
            "minimum_age": draw(st.sampled_from(("1d", "7d"))),
            "minimum_observations": 2 if mode == "automatic" else draw(st.sampled_from((1, 2))),
        }
        for name, mode in modes.items()
    }


ALL_ON: st.SearchStrategy[dict[str, dict[str, object]]] = st.just(
    {name: {"mode": "automatic", "minimum_age": "1d", "minimum_observations": 2} for name in NAMES}
)
cases = st.builds(
    Case,
    rules_of() | ALL_ON | ALL_ON,
    st.fixed_dictionaries(
        {},
        optional={
            "max_deletions": st.sampled_from((1, 2, 3)),
            "max_share": st.sampled_from((0.1, 0.6)),
            "delete_window": st.sampled_from(("00:00-23:00", "12:00-18:00")),
        },
    ),
    st.sampled_from(((ONE, TWO), (ONE, TWO), (ONE,), (TWO.upper(),))),
    st.sampled_from(((), (), ("Microsoft.Storage/*",), ("Microsoft.Compute/disks",))),
    st.lists(things_of(("group",)), min_size=1, max_size=3),
    st.lists(things_of((*KINDS, "disk", "disk", "nic", "nsg")), max_size=6),
    st.lists(
        st.builds(
            Round, st.sampled_from((1, 26, 200, 200)), QUIET | st.lists(acts, max_size=2), QUIET | QUIET | scripts
        ),
        min_size=2,
        max_size=3,
    ),
    QUIET | st.lists(acts, max_size=2),
    QUIET | scripts,
    st.none() | st.none() | st.integers(0, 9),
    st.booleans(),
    st.sampled_from((1, 26)),
)


class Trial:
    """One case, played; and the check of all that must never happen."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.world, self.model = cleaning(case.content())
        self.model.excluded = frozenset(
            each.lower() for kind, _ in KINDS.values() for each in (kind,) if _excluded(each, case.excluded)
        )
        self.model.on_delete = self._look_for_tombstone
        self.model.phantoms = 4
        self.stops: list[Any] = []
        self.planning: list[str] = []
        self.plan: Plan | None = None
        self.untold: list[str] = []
        self.first: list[str] = []
        self._make()
        TALLY["estates"] += 1

    def _make(self) -> None:
        model = self.model
        groups = []
        for number, each in enumerate(self.case.groups):
            name = "rg-core" if each.mark == "updating" else f"rg-{number}"
            groups.append(model.new_group(name, 1 + number % 2, each.age))
        owns = []
        for number, each in enumerate(self.case.things):
            of = groups[each.of % len(groups)]
            owns.append(model.put(of, each.kind, f"t{number}", each.age))
        for own, each in zip([*groups, *owns], [*self.case.groups, *self.case.things], strict=True):
            if each.ending != Ending():
                model.endings[key(own)] = each.ending
            thing = model.things[key(own)]
            match each.mark:
                case "keep":
                    model.tag(own)
                case "kept-not":
                    model.tag(own, "keep", "false")
                case "managed":
                    thing.managed_by = "somebody"
                case "updating" if each.of:
                    thing.state = "Updating"
                case "locked":
                    model.lock(own)
                case "attached":
                    model.attach(own)
                case "old":
                    model.tag(own, "delete-after", OLD)
        self.owns = [*groups, *owns]
        model.settle()

    def own(self, number: int) -> str:
        """The thing of that number; once there is a plan, what it names comes first."""
        known = [*self.first, *self.owns]
        return known[number % len(known)]

    def do(self, step: Step, _: object = None) -> None:
        """Let it happen."""
        own, model, world = self.own(step.on), self.model, self.world
        TALLY["steps"] += 1
        match step.what:
            case what if what in FAULTS:
                raise made(what)
            case "move":
                model.move(own, self.own(step.other))
            case "tag group":
                model.tag(own.split("/providers/", maxsplit=1)[0])
            case "lock group":
                model.lock(own.split("/providers/", maxsplit=1)[0])
            case "tag subscription":
                model.tag((ONE, TWO)[step.other % 2])
            case "snooze":
                rule = sorted(RULES)[step.other % len(RULES)] if step.other % 2 else _rule_of(model, own)
                given = {"until": "2027-06-01", "by": "x@example.com", "reason": "so", "now": world.now}
                Snoozes(world.store).set(rule, own, **given)  # type: ignore[arg-type]  # as they are
                model.snoozed.add((rule, key(own)))
            case "stop":
                world.stop().set("operator@example.com", "so")
                self.stops.append(world.now)
            case "wait":
                world.pass_time(seconds=6)
            case "wait long":
                world.pass_time(hours=1)
            case what:
                getattr(model, what)(own)

    def play(self, script: Iterable[At]) -> None:
        """Let these happen at the calls from now on."""
        self.model.calls.clear()
        self.model.script = {}
        self.model.settle()
        for at in script:
            own = key(self.own(at.on))
            subscription = (ONE, TWO)[at.on % 2]
            if at.place == "subscriptions":
                name = at.place
            elif at.place in LISTS:
                name = f"{at.place} {subscription}"
            elif at.place in ("members", "template"):
                name = f"{at.place} {own.split('/providers/', maxsplit=1)[0]}"
            else:
                name = f"{at.place} {own}" + ("/sites" if at.place == "items" else "")
            step = at.step._replace(on=at.on) if at.step.on == SAME else at.step
            self.model.script.setdefault((name, at.call), []).append(partial(self.do, step))

    def between(self, look: Round) -> None:
        """Let time pass, and others act."""
        self.world.pass_time(hours=look.hours)
        for step in look.steps:
            self.do(step)
        self.play(look.script)

    def _look_for_tombstone(self, deleted: Deleted) -> None:
        assert self.plan
        items = [number for number, item in enumerate(self.plan.items) if key(item.resource_id) == deleted.key]
        for number in items:
            stored = self.world.store.read(tombstone_key(self.plan.id, number))
            if stored is None:
                continue
            saved = msgspec.json.decode(stored.data, type=Tombstone)
            if saved.definition == deleted.looked.target.definition and saved.run == deleted.run:
                return
        self.untold.append(deleted.key)

    # What must hold

    def check(self, applying: Mode | None, run: str) -> None:
        """Check every deletion that Azure accepted while a run applied the plan."""
        model, case = self.model, self.case
        store = self.world.store
        assert isinstance(store, Witness)
        assert store.lies == []
        assert self.untold == []
        assert model.blind == []
        for place, number in Counter(model.sent).items():
            assert number <= 1 + model.refused[place], place
        deleted = [each for each in model.journal if each.run == run]
        TALLY["deletions tried"] += sum(name == run for _, name in model.sent)
        TALLY["deletions accepted"] += len(deleted)
        if not deleted:
            return
        plan = self.plan
        assert plan
        told = {each.item: each for each in self.outcomes(run)}
        items = self._chosen(plan, automatic=applying is Mode.APPLY)
        self._check_limits(plan, deleted)
        for each in deleted:
            mine = {number: item for number, item in items.items() if key(item.resource_id) == each.key}
            ends = [told[number] for number in mine if told[number].outcome is not Result.SKIPPED]
            assert len(ends) == 1, (mine, told)
            [end] = ends
            self._check_one(each, items[end.item], plan)
            assert end.tombstone == tombstone_key(plan.id, end.item)
            if end.outcome is Result.DELETED:
                assert not model.is_there(each.key, each.made)
                TALLY["deleted"] += 1
            window = case.job.get("delete_window")
            assert window is None or Window.parse(window).is_open(each.at)
            assert not any(each.at - stop >= timedelta(seconds=5) for stop in self.stops)

    def _chosen(self, plan: Plan, *, automatic: bool) -> dict[int, PlanItem]:
        armed = {each.casefold() for each in self.case.armed}
        items = {number: item for number, item in enumerate(plan.items) if item.subscription_id in armed}
        if automatic:
            return {number: item for number, item in items.items() if item.mode == "automatic"}
        if self.case.only is not None:
            return {n: item for n, item in items.items() if key(item.resource_id) == key(self._only(plan))}
        return items

    def _only(self, plan: Plan) -> str:
        assert self.case.only is not None
        return plan.items[self.case.only % len(plan.items)].resource_id

    def _check_limits(self, plan: Plan, deleted: list[Deleted]) -> None:
        most = self.case.job.get("max_deletions", 20)
        share = self.case.job.get("max_share", 0.99)
        assert isinstance(most, int)
        assert isinstance(share, float)
        named = [key(each.resource_id) for each in plan.items]
        assert sum(1 + len(plan.items[named.index(each.key)].members) for each in deleted) <= most
        kinds = Counter((each.looked.target.subscription_id, each.looked.target.type.casefold()) for each in deleted)
        for (subscription, kind), number in kinds.items():
            assert number <= max(1, int(round(share * 100) * plan.read[subscription][kind] / 100))

    def _check_one(self, deleted: Deleted, item: PlanItem, plan: Plan) -> None:
        model, rule, look = self.model, item.rule, deleted.looked
        assert look.why <= {name for name in look.why if name.startswith("snooze ")} - {f"snooze {rule}"}, look.why
        looks = [
            (run, each) for run, each in model.looks if run in self.planning and key(each.target.id) == deleted.key
        ]
        assert look.target.definition == item.definition
        # A run that applies what it has planned looks again in the end.
        assert look.made in {
            each.made for run, each in looks if run == plan.run and each.target.definition == item.definition
        }
        own = self.case.rules[rule]
        age = timedelta(days=int(str(own["minimum_age"])[:-1]))
        assert look.target.created
        assert look.at - look.target.created >= age
        assert {*look.members} <= {*map(key, item.members)}
        assert all(look.at - created >= age for created in look.members.values())
        counted: list[Look] = []
        for _, each in looks:
            if each.made == look.made and (not counted or each.at - counted[-1].at >= timedelta(hours=11)):
                counted.append(each)
        least = own["minimum_observations"]
        assert isinstance(least, int)
        assert len(counted) >= least
        if rule in WATCHED:
            assert look.at - counted[0].at >= age - timedelta(hours=2)
        subscription = look.target.subscription_id
        if self.world.store.read(f"runs/{plan.run}/run.json") is None:  # the job was called by itself, and never died
            lists = {f"{name} {subscription}" for name in (*LISTS, "graph")}
            assert not [place for run, place in model.raised if run == plan.run and place in lists]
        # What an attempt that died could not read, the next one read again: its part is what the plan was made from.
        part = self.world.store.read(f"runs/{plan.run}/parts/{subscription.casefold()}.json")
        assert part is not None
        assert msgspec.json.decode(part.data, type=Part).verdict.reading is Reading.COMPLETE

    def check_followed(self, run: str) -> None:
        """Check what a later run says of them, and that none is forgotten."""
        store = self.world.store
        told = []
        if f"runs/{run}/{FOLLOWED}" in set(store.keys(f"runs/{run}")):
            told = [msgspec.json.decode(line, type=FollowedUp) for line in store.lines(f"runs/{run}/{FOLLOWED}")]
        for each in told:
            if each.outcome is Result.DELETED:
                made_then = [one.made for one in self.model.journal if one.key == key(each.pending.resource_id)]
                assert not any(self.model.is_there(each.pending.resource_id, one) for one in made_then)
        said = {(each.pending.plan, each.pending.item) for each in told if each.outcome is not Result.DELETING}
        left = {(each.plan, each.item) for each in noted(store)}
        assert not said & left

    def outcomes(self, run: str) -> list[Outcome]:
        return [msgspec.json.decode(line, type=Outcome) for line in self.world.store.lines(f"runs/{run}/{OUTCOMES}")]

    def check_pending(self, run: str) -> None:
        """Check that what is still being deleted is noted."""
        if f"runs/{run}/{OUTCOMES}" not in set(self.world.store.keys(f"runs/{run}")):
            return
        deleting = {(each.plan, each.item) for each in self.outcomes(run) if each.outcome is Result.DELETING}
        assert deleting <= {(each.plan, each.item) for each in noted(self.world.store)}


def _excluded(type_: str, patterns: tuple[str, ...]) -> bool:
    return any(type_.startswith(each.rstrip("*")) for each in patterns)


def _rule_of(model: AzureModel, own: str) -> str:
    thing = model.things.get(key(own))
    return (KINDS[thing.kind][1] if thing and thing.kind in KINDS else "") or "expired"


def run_id(number: int) -> str:
    return f"20261122T0{number}0000Z-{JOB}-0000000{number}"


def look_once(trial: Trial, number: int) -> None:
    """Let a run plan, without a worker."""
    trial.model.run = run_id(number)
    work = work_for(trial.world, trial.model, run_id(number))
    work = replace(work, run=msgspec.structs.replace(work.run, mode=Mode.PLAN))
    try:
        summary = cleanup(work)
    except StewardError:
        return  # No list of subscriptions: nothing was planned.
    trial.planning.append(run_id(number))
    trial.plan = Plans(trial.world.store).get(summary.plan) if summary.plan else None


def examples(usual: int) -> settings:
    """So many, unless the environment asks for more."""
    return settings(max_examples=ESTATES or usual, deadline=None, suppress_health_check=list(HealthCheck))


@examples(250)
@given(cases)
def test_nothing_is_deleted_that_had_to_stay(case: Case) -> None:
    """Looked at a few times, planned, approved, applied and followed up, while others act and readings fail."""
    trial = Trial(case)
    for number, look in enumerate(case.plans, 1):
        trial.between(look)
        look_once(trial, number)
    assert trial.model.sent == []
    trial.first = [item.resource_id for item in trial.plan.items] if trial.plan else []
    for step in case.late:
        trial.do(step)
    trial.play(case.script)
    if trial.plan:
        given: dict[str, Any] = {}
        if case.automatic:
            given["automatic"] = True
        elif case.only is not None:
            given["only"] = (trial._only(trial.plan),)
        try:
            carry(trial.world, trial.model, trial.plan, run_id(8), **given)
        except Refused:
            assert trial.model.sent == []
            TALLY["refused"] += 1
        except StewardError:
            assert trial.model.sent == []
        trial.check(Mode.APPLY if case.automatic else Mode.PLAN, run_id(8))
        trial.check_pending(run_id(8))
    trial.world.pass_time(hours=case.hours)
    trial.play(())
    look_once(trial, 9)
    trial.check_followed(run_id(9))


KILLS = st.lists(st.tuples(st.integers(1, 120), st.booleans()), max_size=3)


@examples(60)
@given(cases, KILLS, KILLS, st.booleans())
def test_killed_anywhere_and_delivered_again(
    case: Case, planning: list[tuple[int, bool]], applying: list[tuple[int, bool]], at_delete: bool
) -> None:
    """Nothing is deleted twice, no outcome is forgotten, and every run ends once."""
    trial = Trial(case)
    world, model = trial.world, trial.model
    for look in case.plans[:-1]:
        trial.between(look)
        end(trial, ask(world), [])
    trial.between(case.plans[-1])
    if at_delete:
        # The process dies when it has sent its first delete, so whatever else it would die of comes later.
        model.after_delete = partial(die_once, model)
        planning, applying = [(10_000, False), *planning], [(10_000, False), *applying]
    if case.automatic:
        world.toml = replace(case, job=case.job | {"mode": "apply"}).content()
        # The plan is made and applied by one run, so what it plans is looked up when something is deleted.
        model.on_delete = partial(late, trial)
        run = end(trial, ask(world, mode=Mode.APPLY), planning)
    else:
        run = end(trial, ask(world), planning)
        if not trial.plan:
            return
        trial.first = [item.resource_id for item in trial.plan.items]
        for step in case.late:
            trial.do(step)
        trial.play(case.script)
        only = None if case.only is None else (trial._only(trial.plan),)
        try:
            run = end(trial, approve(world, trial.plan, only=only), applying)
        except StewardError:
            return  # It was refused at once.
    ended = world.records().get(run).run
    trial.check(Mode.APPLY if case.automatic else Mode.PLAN, run)
    trial.check_pending(run)
    assert ended.status in (RunStatus.SUCCEEDED, RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.REFUSED)
    world.pass_time(hours=case.hours)
    trial.play(())
    trial.check_followed(end(trial, ask(world), applying))


def die_once(model: AzureModel) -> None:
    """End the process, which is the last to know that Azure has accepted a deletion."""
    model.after_delete = lambda: None
    raise Killed


def late(trial: Trial, deleted: Deleted) -> None:
    trial.plan = Plans(trial.world.store).get(deleted.run)
    trial._look_for_tombstone(deleted)


def end(trial: Trial, run: Run, kills: list[tuple[int, bool]]) -> str:
    """Deliver a run to processes that die, and then to one that does not, until it has ended."""
    world, model = trial.world, trial.model
    model.run = run.id
    dead = len(world.dead)
    world.to_its_end([run.id], kills, f"process-{run.id}")
    TALLY["deaths"] += len(world.dead) - dead
    assert isinstance(world.store, Witness)
    assert [name for name, _ in world.store.ends if name == run.id] == [run.id]
    ended = world.records().get(run.id).run
    if ended.order is None:
        trial.planning.append(run.id)
        trial.plan = Plans(world.store).get(ended.plan) if ended.plan else None
    return run.id


@pytest.fixture(scope="module", autouse=True)
def _told() -> Iterator[None]:
    """What was tried, for whoever asked for more; and nothing of what the worker logs of every run."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    if ESTATES:
        print("\n", dict(TALLY))
