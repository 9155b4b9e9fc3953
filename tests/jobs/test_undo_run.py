"""undo-run through the worker: the plan that gives back what a run changed, and what it leaves with the reason."""

import json
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.errors import StewardError
from shared_code.jobs.undo_run import undo_run
from shared_code.model import Kind, TagChange
from shared_code.outputs import NOT_RESTORED
from shared_code.plan import LIFETIME, Plan, Plans
from shared_code.runs import UNDO_RUN, Progress, Run, RunScope, RunStatus
from shared_code.tag_rules import RuleMode
from shared_code.work import Cancelled, OutOfTime, Summary, Work
from tests.applying import PLANNED, planned, save
from tests.changing import (
    ONE,
    TWO,
    A,
    B,
    C,
    Noting,
    approve,
    changing,
    counted,
    output,
    performed,
    plan_for,
    take_back,
)
from tests.tag_model import ModelTags, Plain, Trouble
from tests.world import NOON, World

RENAME = TagChange(set={"env": "prod"}, remove=("Environment",))
TAGS: dict[str, Plain] = {A: {"Environment": "prod"}, B: {"x": "y"}, C: {}}


def applied() -> tuple[World, ModelTags, Run]:
    """Three groups that a run has changed, an hour ago."""
    world, azure = changing(TAGS)
    changes = {A: RENAME, B: TagChange(set={"x": "z"}), C: TagChange(set={"owner": "team@example.com"})}
    plan = save(world.store, [planned(scope, changes[scope], seen) for scope, seen in TAGS.items()])
    run = performed(world, approve(world, plan))
    assert run.counts["changed"] == 3
    world.pass_time(hours=1)
    return world, azure, run


def left(world: World, run: Run) -> list[dict[str, object]]:
    """What the undo leaves as it is."""
    return [json.loads(line) for line in output(world, run.id, NOT_RESTORED).splitlines()]


def plan_of(world: World, run: Run) -> Plan:
    assert run.plan
    return Plans(world.store).get(run.plan)


class TestPlan:
    """What it makes is a plan like any other."""

    def test_everything_comes_back(self) -> None:
        """One item for each thing changed; nothing is written until somebody has approved that plan."""
        world, azure, run = applied()
        sent = len(azure.sent)

        undone = performed(world, take_back(world, run.id))

        assert (undone.status, undone.error, undone.plan) == (RunStatus.SUCCEEDED, None, undone.id)
        assert undone.counts == {"planned_changes": 3, "not_restored": 0}
        assert undone.outputs == (NOT_RESTORED,)
        assert undone.progress == Progress(3, 3, "changes")
        assert output(world, undone.id, NOT_RESTORED) == ""
        assert len(azure.sent) == sent
        back = performed(world, approve(world, plan_of(world, undone)))
        assert counted(back) == {"changed": 3}
        assert azure.now == TAGS

    def test_the_plan(self) -> None:
        """It is of the same job, in the same scope and under the same limits, and waits for a person."""
        world, _, run = applied()

        plan = plan_of(world, performed(world, take_back(world, run.id)))

        first = Plans(world.store).get(PLANNED)
        assert (plan.job, plan.read) == ("tag-audit", first.read)
        assert plan.read[ONE] == {Kind.RESOURCE_GROUP: 1000}
        assert (plan.created, plan.expires - plan.created) == (world.now, LIFETIME)
        assert {item.mode for item in plan.items} == {RuleMode.APPROVE}
        assert {item.evidence["undoes"] for item in plan.items} == {run.id}
        assert [item.change for item in plan.items] == [
            TagChange(set={"Environment": "prod"}, remove=("env",)),
            TagChange(set={"x": "y"}),
            TagChange(remove=("owner",)),
        ]

    def test_the_scope_is_that_of_the_run(self) -> None:
        """Also where that was a narrow one."""
        world, _, run = applied()
        narrow = msgspec.structs.replace(run, scope=RunScope((ONE, TWO)))
        world.records().change(narrow, world.records().get(run.id).etag)

        undone = performed(world, take_back(world, run.id))

        assert undone.scope == plan_of(world, undone).scope == RunScope((ONE, TWO))

    def test_it_is_read_again_before_it_is_written(self) -> None:
        """Who changes something between plan and approval keeps it."""
        world, azure, run = applied()
        undone = performed(world, take_back(world, run.id))
        azure.somebody_else(B, {"x": "mine"})

        back = performed(world, approve(world, plan_of(world, undone)))

        assert counted(back) == {"changed": 2, "skipped": 1}
        assert azure.now == TAGS | {B: {"x": "mine"}}


class TestLeft:
    """What no longer makes sense is left, and said."""

    def test_somebody_has_changed_it_since(self) -> None:
        world, azure, run = applied()
        azure.somebody_else(B, {"x": "mine"})

        undone = performed(world, take_back(world, run.id))

        assert (undone.status, undone.counts) == (RunStatus.SUCCEEDED, {"planned_changes": 2, "not_restored": 1})
        assert left(world, undone) == [
            {
                "resource_id": B,
                "subscription_id": ONE,
                "rule": "r",
                "reason": "the tag 'x' has the value 'mine' by now",
                "unread": False,
            }
        ]

    def test_it_is_gone(self) -> None:
        """There is nothing to restore, and nobody needs to look again."""
        world, azure, run = applied()
        del azure.now[C]

        undone = performed(world, take_back(world, run.id))

        assert (undone.status, undone.counts["not_restored"]) == (RunStatus.SUCCEEDED, 1)
        assert left(world, undone)[0]["unread"] is False

    def test_it_cannot_be_read(self) -> None:
        """The run is partial: nobody knows what is there."""
        world, azure, run = applied()
        azure.script |= {(scope, azure.calls[scope]): Trouble("forbidden") for scope in (A, C)}

        undone = performed(world, take_back(world, run.id))

        assert undone.status is RunStatus.PARTIAL
        assert undone.error == "2 of 3 could not be read, and are left as they are."
        assert undone.counts == {"planned_changes": 1, "not_restored": 2}
        assert [each["unread"] for each in left(world, undone)] == [True, True]
        assert [item.resource_id for item in plan_of(world, undone).items] == [B]

    def test_nothing_can_be_read(self) -> None:
        """Then the run has failed."""
        world, azure, run = applied()
        azure.script |= {(scope, azure.calls[scope]): Trouble("forbidden") for scope in TAGS}

        undone = performed(world, take_back(world, run.id))

        assert (undone.status, undone.plan) == (RunStatus.FAILED, None)

    def test_nothing_is_left_to_restore(self) -> None:
        """Then there is no plan."""
        world, azure, run = applied()
        azure.now |= {A: {"env": "mine"}, B: {}, C: {}}

        undone = performed(world, take_back(world, run.id))

        assert (undone.status, undone.plan) == (RunStatus.SUCCEEDED, None)
        assert undone.counts == {"planned_changes": 0, "not_restored": 3}
        assert list(Plans(world.store).newest()) == [PLANNED]

    def test_undone_already(self) -> None:
        """A second undo of the same run has nothing to give back."""
        world, _, run = applied()
        performed(world, approve(world, plan_of(world, performed(world, take_back(world, run.id)))))

        again = performed(world, take_back(world, run.id))

        assert (again.status, again.counts["planned_changes"]) == (RunStatus.SUCCEEDED, 0)


class TestEnds:
    """When it cannot do its work."""

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (lambda world, _: world.store.delete(f"plans/{PLANNED}.json"), f"There is no plan '{PLANNED}'"),
            (lambda world, _: world.store.write(f"plans/{PLANNED}.json", b"{"), "cannot be read"),
            (lambda world, run: world.store.delete(f"runs/{run}/run.json"), "There is no run"),
            (lambda world, _: world.store.write(f"applied/{PLANNED}/000001.json", b"{"), "nobody knows what was done"),
        ],
        ids=["no-plan", "damaged-plan", "no-run", "damaged-mark"],
    )
    def test_what_it_needs_is_gone(self, spoil: Callable[[World, str], object], said: str) -> None:
        """Retention may have taken it: the run has failed with the reason, and no plan is made of half of it."""
        world, _, run = applied()
        asked = take_back(world, run.id)
        spoil(world, run.id)

        ended = performed(world, asked)

        assert ended.status is RunStatus.FAILED
        assert said in (ended.error or "")
        assert ended.plan is None
        assert f"plans/{asked.id}.json" not in [*world.store.keys("plans")]

    def test_a_record_that_does_not_say_what_to_undo(self) -> None:
        world, _, run = applied()
        asked = take_back(world, run.id)

        def perform(work: Work) -> Summary:
            return undo_run(replace(work, run=msgspec.structs.replace(work.run, undoes=None)))

        world.worker(jobs={UNDO_RUN: perform}).perform(asked.id)

        assert world.records().get(asked.id).run.error == f"The record of run '{asked.id}' does not say what to undo."

    @pytest.mark.parametrize(
        ("stop", "status"),
        [(OutOfTime(), RunStatus.QUEUED), (Cancelled(), RunStatus.CANCELLED)],
        ids=["time", "cancel"],
    )
    def test_it_stops_where_it_has_to(self, stop: BaseException, status: RunStatus) -> None:
        """No plan is made of what was looked at until then."""
        world, _, run = applied()
        asked = take_back(world, run.id)

        def perform(work: Work) -> Summary:
            def checkpoint() -> None:
                raise stop

            return undo_run(replace(work, checkpoint=checkpoint))

        world.worker(jobs={UNDO_RUN: perform}).perform(asked.id)

        assert world.records().get(asked.id).run.status is status
        assert list(Plans(world.store).newest()) == [PLANNED]
        if not status.ended:
            ended = performed(world, asked)
            assert (ended.status, ended.counts["planned_changes"]) == (RunStatus.SUCCEEDED, 3)

    def test_an_error_of_ours_fails_the_run(self) -> None:
        world, _, run = applied()
        asked = take_back(world, run.id)

        def perform(_: Work) -> Summary:
            raise StewardError("so it is")

        world.worker(jobs={UNDO_RUN: perform}).perform(asked.id)

        ended = world.records().get(asked.id).run
        assert (ended.status, ended.error, ended.undoes) == (RunStatus.FAILED, "so it is", run.id)


def test_an_undo_knows_only_the_marks_of_its_run() -> None:
    """Two runs have applied parts of one plan; each is undone by itself."""
    world, azure = changing()
    plan = plan_for(world, azure)
    first = performed(world, approve(world, plan, only=(A,)))
    second = performed(world, approve(world, plan, only=(B, C)))

    undone = plan_of(world, performed(world, take_back(world, second.id)))

    assert first.counts["changed"] == 1
    assert [item.resource_id for item in undone.items] == [B, C]
    assert undone.created == NOON


@settings(max_examples=100, deadline=None)
@given(some.lists(some.tuples(some.integers(1, 40), some.booleans()), max_size=4))
def test_killed_anywhere_and_delivered_again(kills: list[tuple[int, bool]]) -> None:
    """One plan, the run ends once, and applied it gives back what was there."""
    world, azure, run = applied()
    asked = take_back(world, run.id)
    sent = len(azure.sent)

    world.to_its_end([asked.id], kills)

    assert isinstance(world.store, Noting)
    assert world.store.ends.count((asked.id, RunStatus.SUCCEEDED)) == 1
    ended = world.records().get(asked.id).run
    assert ended.counts == {"planned_changes": 3, "not_restored": 0}
    assert sorted(Plans(world.store).newest()) == [PLANNED, asked.id]
    assert len(azure.sent) == sent
    performed(world, approve(world, plan_of(world, ended)))
    assert azure.now == TAGS
