"""apply-plan through the worker: how a run ends that applies a plan, what it leaves, and that no death doubles it."""

import csv
import io
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.jobs.apply_plan import apply_plan
from shared_code.model import TagChange
from shared_code.outcomes import Outcome, Result
from shared_code.outputs import OUTCOMES, OUTCOMES_CSV, REPORT
from shared_code.plan import Plan, Plans
from shared_code.runs import APPLY_PLAN, Order, Run, RunStatus
from shared_code.work import Cancelled, OutOfTime, Summary, Work
from tests.applying import PLANNED, group_id, planned, save
from tests.changing import (
    JOB,
    ONE,
    OWNER,
    TWO,
    A,
    B,
    C,
    Noting,
    approve,
    changing,
    counted,
    outcomes,
    output,
    performed,
    plan_for,
    take_back,
    toml,
)
from tests.tag_model import PASSING, ModelTags, Plain, Trouble, wanted_of
from tests.world import World

OWNED = {"owner": "team@example.com"}
MANY: dict[str, Plain] = {group_id(ONE, f"rg-{number:02}"): {} for number in range(80)}


class TestEnds:
    """How the run ends, in its record."""

    def test_everything_is_changed(self) -> None:
        """Counts, and outputs that say of every item what was there before and is now."""
        world, azure = changing({A: {"env": "prod"}, B: {}, C: {}})
        plan = plan_for(world, azure)

        run = performed(world, approve(world, plan))

        assert (run.status, run.error) == (RunStatus.SUCCEEDED, None)
        assert counted(run) == {"changed": 3}
        assert run.outputs == (OUTCOMES, OUTCOMES_CSV, REPORT)
        assert (run.plan, run.order) == (PLANNED, Order(plan=PLANNED, digest=plan.digest))
        assert run.progress
        assert (run.progress.done, run.progress.total, run.progress.things) == (3, 3, "changes")
        assert azure.now == {A: {"env": "prod"} | OWNED, B: OWNED, C: OWNED}
        found = outcomes(world, run.id)
        assert [(each.item, each.resource_id, each.outcome) for each in found] == [
            (0, A, "changed"),
            (1, B, "changed"),
            (2, C, "changed"),
        ]
        assert (found[0].before, found[0].after) == ({"env": "prod"}, azure.now[A])

    def test_some_is_left_alone(self) -> None:
        """What somebody else has changed since stays, with the reason; the run has succeeded."""
        world, azure = changing()
        plan = plan_for(world, azure)
        azure.somebody_else(B, {"owner": "operator@example.com"})

        run = performed(world, approve(world, plan))

        assert (run.status, counted(run)) == (RunStatus.SUCCEEDED, {"changed": 2, "skipped": 1})
        assert azure.now[B] == {"owner": "operator@example.com"}
        left = outcomes(world, run.id)[1]
        assert left.reason
        assert left.reason in output(world, run.id, REPORT).replace("&#39;", "'")

    def test_a_write_fails(self) -> None:
        """The run has failed and names the first; the others are changed."""
        world, azure = changing()
        plan = plan_for(world, azure)
        azure.script |= {(A, 1): Trouble("locked"), (C, 1): Trouble("forbidden")}

        run = performed(world, approve(world, plan))

        assert (run.status, counted(run)) == (RunStatus.FAILED, {"changed": 1, "failed": 2})
        assert run.error == f"Not changed as planned: {A}: a lock, and 1 more"
        assert azure.now == {A: {}, B: OWNED, C: {}}
        assert [each.outcome for each in outcomes(world, run.id)] == ["failed", "changed", "failed"]

    def test_what_cannot_be_read_is_left_alone(self) -> None:
        """The run is partial and names the first; it has failed where nothing could be read."""
        for scopes, status in (([B], RunStatus.PARTIAL), ([A, B, C], RunStatus.FAILED)):
            world, azure = changing()
            plan = plan_for(world, azure)
            azure.script = {(scope, 0): Trouble("forbidden") for scope in scopes}

            run = performed(world, approve(world, plan))

            number = len(scopes)
            assert run.status is status
            assert run.error == f"{number} of 3 could not be read, the first {scopes[0]}: it cannot be read: no role"
            assert (run.counts["changed"], run.counts["skipped"]) == (3 - number, number)
            assert [each.unread for each in outcomes(world, run.id)] == [scope in scopes for scope in (A, B, C)]

    def test_what_is_gone_is_left_alone(self) -> None:
        """There is nothing to change, and nobody needs to look again."""
        world, azure = changing()
        plan = plan_for(world, azure)
        del azure.now[B]

        run = performed(world, approve(world, plan))

        assert (run.status, counted(run)) == (RunStatus.SUCCEEDED, {"changed": 2, "skipped": 1})

    @pytest.mark.parametrize(
        ("happen", "said"),
        [
            (lambda world: world.pass_time(hours=66), "expired at"),
            (lambda world: setattr(world, "toml", toml(ONE)), f"Subscription '{TWO}' is not armed"),
            (lambda world: setattr(world, "toml", toml(ONE, TWO, most=2)), "more than the limit of 2"),
            (lambda world: world.stop().set("operator@example.com", "wait"), "Changes are stopped since"),
        ],
        ids=["expired", "disarmed", "limit", "stopped"],
    )
    def test_what_was_allowed_and_is_not_by_now(self, happen: Callable[[World], object], said: str) -> None:
        """The run waited; it is refused when its turn comes, and nothing is written, not even a mark."""
        world, azure = changing()
        run = approve(world, plan_for(world, azure))
        happen(world)

        ended = performed(world, run)

        assert ended.status is RunStatus.REFUSED
        assert said in (ended.error or "")
        assert (ended.counts, ended.outputs, ended.plan) == ({}, (), PLANNED)
        assert (azure.calls.total(), [*world.store.keys("applied")]) == (0, [])
        assert world.locks().read(JOB).run is None

    def test_the_configuration_broke_meanwhile(self) -> None:
        world, azure = changing()
        run = approve(world, plan_for(world, azure))
        world.toml = toml("production")

        ended = performed(world, run)

        assert ended.status is RunStatus.REFUSED
        assert azure.calls.total() == 0

    def test_two_approvals_of_one_plan(self) -> None:
        """The second finds all of it applied, and is refused."""
        world, azure = changing()
        plan = plan_for(world, azure)
        first, second = approve(world, plan), approve(world, plan)

        assert performed(world, first).status is RunStatus.SUCCEEDED
        ended = performed(world, second)

        assert ended.status is RunStatus.REFUSED
        assert (ended.error or "").startswith(f"All of this was begun by run {first.id} already")
        assert len(azure.sent) == 3

    def test_a_plan_that_is_gone_or_changed(self) -> None:
        """Retention may have taken it; the run has failed, and writes nothing."""
        for content in (None, b"{"):
            world, azure = changing()
            run = approve(world, plan_for(world, azure))
            world.store.delete(f"plans/{PLANNED}.json")
            if content:
                world.store.write(f"plans/{PLANNED}.json", content)

            ended = performed(world, run)

            assert ended.status is RunStatus.FAILED
            assert f"plan '{PLANNED}'" in (ended.error or "").replace("Plan", "plan")
            assert azure.calls.total() == 0

    def test_a_run_without_an_order_applies_nothing(self) -> None:
        """A record that does not say what was approved is damaged."""
        world, azure = changing()
        run = approve(world, plan_for(world, azure))

        def perform(work: Work) -> Summary:
            return apply_plan(replace(work, run=msgspec.structs.replace(work.run, order=None)))

        world.worker(jobs={APPLY_PLAN: perform}).perform(run.id)

        ended = world.records().get(run.id).run
        assert (ended.status, azure.calls.total()) == (RunStatus.FAILED, 0)
        assert (ended.error or "").endswith("does not say what to apply.")

    def test_it_waits_for_an_audit_of_its_job(self) -> None:
        """One run of a job at a time, whatever it does: an audit must not read what is half changed."""
        world, azure = changing()
        run = approve(world, plan_for(world, azure))
        world.locks("process-2").acquire(JOB, PLANNED, "token")
        keep = world.locks("process-2")

        def sleep(seconds: float) -> None:
            world.pass_time(seconds=seconds)
            keep.renew(JOB, "token")

        assert world.worker(sleep=sleep).perform(run.id) == ()
        assert world.records().get(run.id).run.status is RunStatus.QUEUED
        assert azure.calls.total() == 0


@dataclass
class Halting:
    """Lets the first change begin, holds every other call to Azure, and then tells the job to stop."""

    azure: ModelTags
    stop: BaseException | None

    def __post_init__(self) -> None:
        self._gate = threading.Event()
        self.azure.before_call = self._hold

    def __call__(self, work: Work) -> Summary:
        return apply_plan(replace(work, checkpoint=lambda: self._checkpoint(work)))

    def _hold(self) -> None:
        if self.azure.sent:
            self._gate.wait(10)

    def _checkpoint(self, work: Work) -> None:
        try:
            work.checkpoint()
            if self.azure.sent and self.stop is not None:
                raise self.stop
        except BaseException:
            self._gate.set()
            raise


class TestHalfWay:
    """A run that is told to stop ends the items it is at, and begins no other."""

    def test_out_of_time(self) -> None:
        """It goes on in a new message, with the items that are left; nothing is written twice."""
        world, azure = changing(MANY)
        run = approve(world, plan_for(world, azure))

        assert world.worker(jobs={APPLY_PLAN: Halting(azure, OutOfTime())}).perform(run.id) == (run.id,)

        first = len(azure.sent)
        between = world.records().get(run.id).run
        azure.before_call = lambda: None
        ended = performed(world, run)
        assert 0 < first < 80
        assert (between.status, between.ended) == (RunStatus.QUEUED, None)
        assert (ended.status, ended.attempt) == (RunStatus.SUCCEEDED, 2)
        assert counted(ended) == {"changed": 80}
        assert sorted(scope for scope, _, _ in azure.sent) == sorted(MANY)
        assert [each.item for each in outcomes(world, run.id)] == list(range(80))

    def test_out_of_time_and_then_not_allowed_any_more(self) -> None:
        """What was changed is told together with what was not, and why."""
        for happen in (
            lambda world: world.pass_time(hours=66),
            lambda world: setattr(world, "toml", toml()),
            lambda world: world.stop().set("operator@example.com", "wait"),
        ):
            world, azure = changing(MANY)
            run = approve(world, plan_for(world, azure))
            world.worker(jobs={APPLY_PLAN: Halting(azure, OutOfTime())}).perform(run.id)
            first = len(azure.sent)
            azure.before_call = lambda: None
            happen(world)

            ended = performed(world, run)

            assert ended.status is RunStatus.REFUSED
            assert ended.error
            assert counted(ended) == {"changed": first, "skipped": 80 - first}
            assert len(azure.sent) == first
            assert {each.reason for each in outcomes(world, run.id)} == {None, ended.error}

    def check_cancelled(self, world: World, azure: ModelTags, run: Run) -> None:
        done = len(azure.sent)
        assert 0 < done < 80
        assert run.status is RunStatus.CANCELLED
        assert run.error == f"Cancelled while it ran; {done} of 80 were reached."
        assert counted(run) == {"changed": done, "not_reached": 80 - done}
        assert run.outputs == (OUTCOMES, OUTCOMES_CSV, REPORT)
        found = outcomes(world, run.id)
        assert {each.resource_id for each in found} == {scope for scope, tags in azure.now.items() if tags}
        rows = list(csv.DictReader(io.StringIO(output(world, run.id, OUTCOMES_CSV).removeprefix("\ufeff"))))
        assert [row["resource_id"] for row in rows] == [each.resource_id for each in found]
        page = output(world, run.id, REPORT)
        assert "not reached" in page
        assert (run.error or "") in page

    def test_cancelled(self) -> None:
        """The request is seen while it runs; what was done until then is told, and can be undone."""
        world, azure = changing(MANY)
        run = approve(world, plan_for(world, azure))
        halting = Halting(azure, None)
        hold = azure.before_call

        def cancel() -> None:
            if azure.sent and not world.records().is_cancelled(run.id):
                world.requests().cancel(run.id)
            hold()

        azure.before_call = cancel
        world.worker(jobs={APPLY_PLAN: halting}).perform(run.id)
        azure.before_call = lambda: None

        ended = world.records().get(run.id).run
        self.check_cancelled(world, azure, ended)
        undone = performed(world, take_back(world, run.id))
        assert undone.plan
        performed(world, approve(world, Plans(world.store).get(undone.plan)))
        assert azure.now == MANY

    @pytest.mark.parametrize("stop", [Cancelled(), KeyboardInterrupt()], ids=["cancelled", "ctrl-c"])
    def test_whoever_ends_it_learns_how_far_it_came(self, stop: BaseException) -> None:
        """Also from the keyboard of a terminal."""
        world, azure = changing(MANY)
        run = approve(world, plan_for(world, azure))

        world.worker(jobs={APPLY_PLAN: Halting(azure, stop)}).perform(run.id)

        self.check_cancelled(world, azure, world.records().get(run.id).run)

    def test_cancelled_before_it_began(self) -> None:
        world, azure = changing()
        run = approve(world, plan_for(world, azure))
        world.requests().cancel(run.id)

        ended = performed(world, run)

        assert (ended.status, ended.error) == (RunStatus.CANCELLED, "Cancelled before it started.")
        assert azure.calls.total() == 0


TWICE = TagChange(set={"Env": "prod"}, remove=("env",))
"""Four writes, each of which must follow the one before."""
KILLS = some.lists(some.tuples(some.integers(1, 70), some.booleans()), max_size=4)
TROUBLE = some.dictionaries(
    some.tuples(some.sampled_from([A, B, C]), some.integers(0, 12)),
    some.tuples(some.sampled_from(PASSING), some.booleans()).map(lambda drawn: Trouble(*drawn)),
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(KILLS, TROUBLE)
def test_killed_anywhere_and_delivered_again(
    kills: list[tuple[int, bool]], trouble: dict[tuple[str, int], Trouble]
) -> None:
    """No change is made twice, no outcome is lost, and each run ends once; a second approval doubles nothing either."""
    tags: dict[str, Plain] = {A: {"env": "prod"}, B: {"x": "y"}, C: {}}
    world, azure = changing(tags)
    azure.script = dict(trouble)
    changes = {A: TWICE, B: OWNER, C: OWNER}
    plan = save(world.store, [planned(scope, changes[scope], seen) for scope, seen in tags.items()])
    first = approve(world, plan, key="k")
    second = approve(world, plan)

    world.to_its_end([first.id, second.id], kills)

    assert isinstance(world.store, Noting)
    assert sorted(run for run, _ in world.store.ends) == sorted([first.id, second.id])
    assert all(change.by_us for change in azure.changes)
    found = [each for run in (first, second) for each in told(world, run, plan)]
    for scope, before in tags.items():
        ended = [each for each in found if each.resource_id == scope and each.outcome is not Result.SKIPPED]
        states = [before, *(change.after for change in azure.changes if change.scope == scope)]
        assert all(now != then for now, then in pairwise(states))
        assert len(states) - 1 <= (4 if scope == A else 1)
        # Whichever of the two began it, and no other, tells how it ended.
        assert len(ended) == (len(states) > 1)
        if any(each.outcome is Result.CHANGED for each in ended):
            assert azure.now[scope] == wanted_of(changes[scope], before)
        for each in found:
            if each.outcome is not Result.CHANGED and each.resource_id == scope:
                assert re.search("it cannot be read: |applied it already|began it", each.reason or "")
    assert Plans(world.store).get(PLANNED) == plan
    assert approve(world, plan, key="k").id == first.id


def told(world: World, run: Run, plan: Plan) -> list[Outcome]:
    """Check what a run has to say at its end, and give its outcomes."""
    ended = world.records().get(run.id).run
    if ended.status is RunStatus.REFUSED:
        assert ended.outputs == ()
        assert "already" in (ended.error or "")
        return []
    found = outcomes(world, run.id)
    unread = sum(each.unread for each in found)
    worst = RunStatus.FAILED if unread == len(found) else RunStatus.PARTIAL if unread else RunStatus.SUCCEEDED
    assert ended.status is (RunStatus.FAILED if ended.counts.get("failed") else worst)
    assert [each.item for each in found] == list(range(len(plan.items)))
    assert counted(ended) == Counter(each.outcome.value for each in found)
    return found
