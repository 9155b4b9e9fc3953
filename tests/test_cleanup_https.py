"""Cleanup over HTTPS with faults on: the product's own client and adapters against the simulator, and other people.

STEWARD_ESTATES=600 in the environment tries so many; the test then prints what it has tried.
"""

import gc
import logging
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as replaced

from devkit.simulator.model import Pages
from shared_code.errors import Refused, StewardError
from shared_code.outcomes import Result
from shared_code.plan import Plan
from shared_code.resource_ids import key
from shared_code.runs import Mode
from shared_code.subscription_audit import GROUP_TYPE
from shared_code.work import Work
from tests.azure_model import KINDS, AzureModel, Deleted, Ending
from tests.changing import approve
from tests.cleaning import ONE, TWO, Witness, ask, carry
from tests.https_cleaning import ANSWERS, Lost, SharedTime, Yard
from tests.memory_store import MemoryStore
from tests.test_cleanup_properties import (
    ESTATES,
    OLD,
    QUIET,
    SAME,
    TALLY,
    At,
    Case,
    Made,
    Round,
    Step,
    Trial,
    end,
    examples,
    late,
    rules_of,
    run_id,
)

pytestmark = [pytest.mark.timeout(0)] if ESTATES else []


class Weather(NamedTuple):
    """How well Azure can be asked: how many calls of a thousand meet trouble, and what cannot be read at all."""

    rate: int
    lost: list[Lost]
    where: tuple[str, ...]


@dataclass
class HttpsCase(Case):
    """All of it, and how Azure answers: to reading run by run, the last two while it is applied and followed up."""

    weather: tuple[Weather, ...] = ()
    answers: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """What is answered to the DELETEs of the thing of that number."""
    pages: Pages = field(default_factory=Pages)
    endless: str = ""
    """How the lists of the second subscription end, where they never do."""
    lag: int = 0
    delete_time: int = 0
    seed: int = 0
    way: str = "approved"
    """Who applies: one after the other what was `approved` or may be done `automatically`; or a `worker`, or one that
    the `timer` has started, with as many threads as it has."""

    @property
    def is_threaded(self) -> bool:
        """Whether one may let time pass while another is about to delete, so that no moment can be told for it."""
        return self.way in ("worker", "timer")


KIND_NAMES = ("disk", "disk", "disk", "nic", "nic", "nsg", "ip", "plan", "vm", "site", "account")
MARKS = (*[""] * 12, *["old"] * 9, "keep", "kept-not", "managed", "updating", "locked", "attached")
OF_GROUPS = (*[""] * 12, *["old"] * 5, "keep", "managed", "updating", "locked")
LISTS = ("locks", "denials", "groups", "resources")
ACTS = ("tag", "lock", "deny", "attach", "detach", "touch", "touch", "vanish", "recreate", "recreate")
OTHERS = ("tag group", "tag subscription", "lock group", "stop", "wait", "wait long")

NAMES = ("expired", "empty-resource-group", *sorted({KINDS[each][1] for each in KIND_NAMES} - {""}))
all_on: st.SearchStrategy[dict[str, dict[str, object]]] = st.just(
    {name: {"mode": "automatic", "minimum_age": "1d", "minimum_observations": 2} for name in NAMES}
)
acts = st.builds(Step, st.sampled_from((*ACTS, *OTHERS)), st.integers(0, 9), st.integers(0, 9))
there = st.builds(Step, st.sampled_from((*ACTS, *OTHERS)), st.just(SAME), st.integers(0, 9))
near = st.sampled_from((0, 0, 0, 1, 1, 2, 3, 5))
"""Numbers of things, above all of those that are planned, which come first."""
upon = st.builds(Step, st.sampled_from((*ACTS, *ACTS, *OTHERS)), near, st.integers(0, 9))


def scripts(which: st.SearchStrategy[int]) -> st.SearchStrategy[list[At]]:
    """What happens at calls about things of these numbers."""
    one = st.builds(
        At,
        st.sampled_from((*["target"] * 5, "delete", "delete", "follow", "members", "template", *LISTS)),
        which,
        st.sampled_from((0, 0, 0, 1, 1, 2, 3)),
        there | there | there | upon,
    )
    return st.lists(one, min_size=1, max_size=3)


losses = st.builds(
    Lost,
    st.sampled_from(
        (
            *("locks", "deny-assignments", "resource-groups", "resources", "group-resources", "resource"),
            *(
                "resource-group",
                "provider",
                "resource-graph",
                "export-template",
                "children",
                "operation",
                "subscriptions",
            ),
        )
    ),
    st.sampled_from(("forbidden", "not-found", "html", "reset", "cut-json", "error-in-200", "throttled")),
    st.sampled_from((0, 0, 2)),
)
fair = st.just(Weather(0, [], ()))
"""Nothing is the matter."""


def weathers(*rates: int) -> st.SearchStrategy[Weather]:
    """A weather with one of these rates."""
    where = st.sampled_from(((ONE,), (TWO,), (ONE, TWO)))
    bad = st.builds(Weather, st.sampled_from(rates), QUIET | QUIET | QUIET | st.lists(losses, max_size=2), where)
    return fair | fair | bad


def made(kinds: tuple[str, ...], least: int, most: int) -> st.SearchStrategy[list[Made]]:
    """Things of these kinds."""
    one = st.builds(
        Made,
        st.integers(1, 3),
        st.sampled_from(kinds),
        st.sampled_from((0, 3, *[500] * 6)),
        st.sampled_from(OF_GROUPS if kinds == ("group",) else MARKS),
        st.just(Ending()),
    )
    return st.lists(one, min_size=least, max_size=most)


cases = st.builds(
    HttpsCase,
    rules_of() | all_on | all_on | all_on | all_on,
    st.sampled_from(
        (
            *[{}] * 5,
            *({"max_deletions": number} for number in (1, 3, 5)),
            *({"max_share": share} for share in (0.1, 0.6)),
            *({"delete_window": hours} for hours in ("00:00-23:00", "12:00-18:00")),
        )
    ),
    st.sampled_from((*[(ONE, TWO)] * 5, (ONE,), (TWO.upper(),))),
    st.sampled_from((*[()] * 5, ("Microsoft.Storage/*",), ("Microsoft.Compute/disks",))),
    made(("group",), 1, 3),
    made(KIND_NAMES, 2, 7),
    st.lists(
        st.builds(
            Round,
            st.sampled_from((26, 200, 200)),
            QUIET | QUIET | st.lists(acts, min_size=1, max_size=2),
            QUIET | QUIET | QUIET | scripts(st.integers(0, 9)),
        ),
        min_size=2,
        max_size=3,
    ),
    QUIET | st.lists(upon, min_size=1, max_size=2),
    QUIET | scripts(near),
    st.none() | st.none() | st.none() | st.none() | st.integers(0, 9),
    st.just(False),  # `way` says who applies
    st.sampled_from((1, 26)),
    weather=st.tuples(*[weathers(0, 10, 30)] * 3, weathers(30, 100, 200) | weathers(30, 100, 200), weathers(0, 100)),
    answers=QUIET.map(tuple)
    | st.lists(
        st.tuples(near, st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=3).map(tuple)),
        min_size=2,
        max_size=5,
    ).map(tuple),
    pages=st.builds(
        Pages,
        sizes=st.sampled_from(((), (0, 1), (2,))),
        size=st.sampled_from((20, 1000)),
        ends=st.sampled_from((*["absent"] * 3, "null", "blank", "empty-page")),
    ),
    endless=st.sampled_from((*[""] * 6, "elsewhere", "loop")),
    lag=st.sampled_from((0, 0, 0, 120, 7200)),
    delete_time=st.sampled_from((0, 0, 20)),
    seed=st.integers(0, 9999),
    way=st.sampled_from(("approved", "approved", "automatic", "worker", "timer")),
)


class HttpsTrial(Trial):
    """One case, played over HTTPS; and the check of all that must never happen."""

    def __init__(self, case: HttpsCase) -> None:
        if case.is_threaded:
            job = {name: value for name, value in case.job.items() if name != "delete_window"}
            case = replace(case, job=job)
        self.case = self.told = case
        self.world = world = SharedTime(MemoryStore(), toml=case.content())
        pages = {ONE: case.pages, TWO: replaced(case.pages, ends=case.endless or case.pages.ends)}
        self.yard = Yard(world, pages, case.seed, lag=case.lag, delete_time=case.delete_time)
        # It answers to the same names, as far as they are asked for here.
        self.model = cast(AzureModel, self.yard)
        world.store = Witness(world.store, self.model)
        self.yard.on_delete = self._look_for_tombstone
        self.stops: list[Any] = []
        self.planning: list[str] = []
        self.plan: Plan | None = None
        self.untold: list[str] = []
        self.first: list[str] = []
        self.yard.excluded = frozenset(each.lower().replace("*", "storageaccounts") for each in case.excluded)
        self._make()
        TALLY["estates"] += 1

    def _make(self) -> None:
        yard, case = self.yard, self.told
        groups = [
            yard.new_group("rg-core" if each.mark == "updating" else f"rg-{number}", (ONE, TWO)[number % 2], each.age)
            for number, each in enumerate(case.groups)
        ]
        owns = [
            yard.put(groups[each.of % len(groups)], each.kind, f"t{number}", each.age)
            for number, each in enumerate(case.things)
        ]
        for own, each in zip([*groups, *owns], [*case.groups, *case.things], strict=True):
            thing = yard.find(own)
            if thing is None:
                raise AssertionError(f"{own} was just made")
            match each.mark:
                case "keep":
                    yard.tag(own)
                case "kept-not":
                    yard.tag(own, "keep", "false")
                case "old":
                    yard.tag(own, "delete-after", OLD)
                case "managed":
                    yard._replace(thing, managed_by="somebody")
                case "updating" if thing.resource:
                    yard._replace(thing, provisioning_state="Updating")
                case "locked":
                    yard.lock(own)
                case "attached":
                    yard.attach(own)
        self.owns = [*groups, *owns]
        for own in (ONE, TWO):
            yard.spare(own)
        yard.settle()

    def do(self, step: Step, given: object = None) -> None:
        """Let it happen."""
        if step.what != "stop" or not self.told.is_threaded:
            super().do(step, given)

    def blow(self, weather: Weather) -> None:
        """Let Azure answer so from now on."""
        self.yard.lose(weather.lost, weather.where)
        self.yard.storm.rate = weather.rate

    def look(self, number: int) -> None:
        """Let time pass, and a run plan; that nobody can read anything is an end, too."""
        self.between(self.told.plans[number])
        self.blow(self.told.weather[number])
        end(self, ask(self.world), [])

    def apply(self) -> str:
        """Apply the plan, as approved or as automatic rules may; return which run has."""
        case, world = self.told, self.world
        self.blow(case.weather[-2])
        for number, names in case.answers:
            self.yard.answer_delete(self.own(number), *names)
        if case.way == "timer":
            self.play([*case.plans[-1].script, *case.script])
            world.toml = replace(case, job=case.job | {"mode": "apply"}).content()
            self.yard.on_delete = partial(late, self)
            self.plan = None
            return end(self, ask(world, mode=Mode.APPLY), [])
        self.play(case.script)
        if self.plan is None:
            return ""
        only = None if case.only is None else (self._only(self.plan),)
        try:
            if case.way == "worker":
                return end(self, approve(world, self.plan, only=only), [])
            order: dict[str, Any] = {"automatic": True} if case.way == "automatic" else {"only": only}
            carry(world, self.model, self.plan, run_id(8), work=self.over_https, **order)
        except Refused:
            TALLY["refused"] += 1
            assert self.yard.sent == []
        except StewardError:
            assert self.yard.sent == []
        return run_id(8)

    def over_https(self, work: Work) -> Work:
        """Let it read and delete there."""
        world = self.world
        return replace(work, estate=world.estate, remover=world.remover, inventory=world.inventory)

    def check_all(self, run: str) -> None:
        """Check every deletion that Azure accepted, and every one it was asked for."""
        yard, case = self.yard, self.told
        if yard.errors:
            raise yard.errors[0]
        assert {name for _, name in yard.sent} <= {run}
        assert len(yard.asked) == len(yard.sent)
        assert yard.unguarded == []
        assert all(number == 1 for number in Counter(each.key for each in yard.journal).values())
        automatic = case.way in ("automatic", "timer")
        # Whoever applies what is automatic asks for nothing by name.
        self.case = replace(case, only=None) if automatic else case
        self.check(Mode.APPLY if automatic else Mode.PLAN, run)
        self.check_pending(run)
        if yard.asked and self.plan:
            # Azure refuses what is locked; it must not even be asked for it.
            known = self._chosen(self.plan, automatic=automatic).values()
            for each in yard.asked:
                [item] = [one for one in known if key(one.resource_id) == each.key]
                # What its owner has given a date is asked for though something uses it, and Azure refuses that.
                why = each.looked.why - ({"used"} if item.rule == "expired" else set())
                self._check_one(each._replace(looked=each.looked._replace(why=why)), item, self.plan)
            self._check_readings(self.plan, yard.asked)

    def check_after(self, run: str) -> None:
        """Check that no other run has deleted anything, and that whatever was called deleted is gone to this moment."""
        yard, store = self.yard, self.world.store
        if yard.errors:
            raise yard.errors[0]
        assert {name for _, name in yard.sent} <= {run}
        assert isinstance(store, Witness)
        assert store.lies == []
        ends = {key(each.resource_id): each.outcome for each in self.outcomes(run)} if yard.journal else {}
        for each in yard.journal:
            if ends[each.key] is Result.DELETED:
                assert not yard.is_there(each.key, each.made)

    def _check_readings(self, plan: Plan, asked: list[Deleted]) -> None:
        """What was asked for was planned from lists that arrived whole, and is no more than a share of them."""
        share = Fraction(str(self.case.job.get("max_share", 0.99)))
        counts: Counter[tuple[str, str]] = Counter()
        for each in {one.key: one for one in asked}.values():
            subscription = each.looked.target.subscription_id
            for name in LISTS:
                assert self.yard.is_read(plan.run, f"{name} {subscription}"), name
            counts[subscription, each.looked.target.type.lower()] += 1
        for (subscription, type_), number in counts.items():
            groups = type_ == GROUP_TYPE.lower()
            shown = self.yard.listed(plan.run, f"{'groups' if groups else 'resources'} {subscription}")
            total = sum(groups or f"/providers/{type_}/" in each for each in shown)
            assert number <= max(1, int(share * total))


# Where a connection breaks, the client's socket is closed by whoever collects it; each app here has its own.
@pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")
@examples(12)
@given(cases)
def test_nothing_is_deleted_over_https_that_had_to_stay(case: HttpsCase) -> None:
    """Looked at a few times, planned, applied and followed up, while others act and Azure is as bad as it can be."""
    begun = time.perf_counter()
    trial = HttpsTrial(case)
    with trial.yard.served():
        planned = case.plans[:-1] if case.way == "timer" else case.plans
        for number in range(len(planned)):
            trial.look(number)
        assert trial.yard.sent == []
        if case.way == "timer":
            trial.between(case.plans[-1])
        trial.first = [item.resource_id for item in trial.plan.items] if trial.plan else []
        for step in case.late:
            trial.do(step)
        TALLY["plans"] += trial.plan is not None
        run = trial.apply()
        trial.check_all(run)
        trial.world.pass_time(hours=case.hours)
        trial.play(())
        trial.blow(case.weather[-1])
        trial.check_followed(end(trial, ask(trial.world), []))
        trial.check_after(run)
    for one in trial.yard.simulator.requests:
        TALLY["requests"] += 1
        TALLY[f"fault {one.fault}"] += bool(one.fault)
    TALLY["milliseconds"] += round(1000 * (time.perf_counter() - begun))


@pytest.fixture(scope="module", autouse=True)
def _told() -> Iterator[None]:
    """What was tried, for whoever asked for more; and nothing of what the worker logs of every run."""
    before = TALLY.copy()
    logging.disable(logging.CRITICAL)
    yield
    gc.collect()
    logging.disable(logging.NOTSET)
    if ESTATES:
        print("\n", dict(+(TALLY - before)))
    TALLY.clear()
    TALLY.update(before)
