"""tag-audit in mode apply: automatic rules in armed subscriptions, and an audit that stands whatever comes of that."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.history import History
from shared_code.jobs.tag_audit import tag_audit
from shared_code.ledger import Ledgers
from shared_code.outputs import COMPLIANCE, FINDINGS, FINDINGS_CSV, OUTCOMES, OUTCOMES_CSV, REPORT
from shared_code.plan import Plan, Plans
from shared_code.run_requests import Wanted
from shared_code.runs import Mode, Run, RunScope, RunStatus, TriggeredBy
from shared_code.tag_rules import RuleMode
from shared_code.work import Cancelled, OutOfTime, Summary, Work
from tests.applying import group_id
from tests.changing import JOB, Noting, Tagged, approve, counted, outcomes, output, performed, take_back, toml
from tests.memory_store import MemoryStore
from tests.tag_model import ModelTags, Plain, Trouble
from tests.world import World, subscription_id

OWNED = {"owner": "team@example.com"}
SUBSCRIPTIONS = tuple(map(subscription_id, range(3)))
ARMED = SUBSCRIPTIONS[:2]
AUDIT = (FINDINGS, FINDINGS_CSV, REPORT, COMPLIANCE)


def world_of(*names: str, content: bytes | None = None) -> tuple[World, ModelTags]:
    """Three subscriptions with groups of these names, all without tags; two are armed."""
    groups = names or ("a", "b")
    azure = ModelTags({group_id(one, name): {} for one in SUBSCRIPTIONS for name in groups})
    content = content or toml(*ARMED, mode="apply")
    estate = Tagged(azure=azure, names=groups)
    return World(Noting(MemoryStore()), estate, toml=content, writer=azure), azure


def ask(world: World, *subscriptions: str) -> Run:
    """Ask for an audit in mode apply, as `steward run --mode apply` does."""
    wanted = Wanted(mode=Mode.APPLY, scope=RunScope(subscriptions or None))
    return world.requests().by_hand(JOB, wanted, TriggeredBy.CLI)


def plan_of(world: World, run: Run) -> Plan:
    assert run.plan
    return Plans(world.store).get(run.plan)


def check_audit(world: World, run: Run, *, groups: int = 6) -> None:
    """Check that findings, plan, ledgers, history and report are there, as of a run that only plans."""
    assert set(AUDIT) <= set(run.outputs)
    assert (run.counts["findings"], run.counts["planned_changes"]) == (2 * groups, 2 * groups)
    assert output(world, run.id, FINDINGS).count("\n") == 2 * groups
    assert len(plan_of(world, run).items) == 2 * groups
    assert output(world, run.id, REPORT).startswith("<!doctype html>")
    read = [each.subscription_id for each in run.subscriptions if each.reading == "complete"]
    assert sum(len(list(Ledgers(world.store, JOB).entries(one))) for one in read) == 2 * groups
    assert [each.run for each in History(world.store, JOB).last(9)] == [run.id]


class TestWhatIsApplied:
    """Of its own plan: items of automatic rules, in armed subscriptions."""

    @pytest.mark.parametrize("trigger", [TriggeredBy.CLI, TriggeredBy.TIMER])
    def test_whatever_started_it(self, trigger: TriggeredBy) -> None:
        """The timer and a terminal do the same."""
        world, azure = world_of()
        if trigger is TriggeredBy.CLI:
            run_id = ask(world).id
        else:
            world.now = world.now.replace(hour=5)
            run_id = world.requests().tick(JOB, past_due=False) or ""
        world.worker().perform(run_id)

        run = world.records().get(run_id).run
        assert (run.trigger, run.mode, run.task) == (trigger, Mode.APPLY, JOB)
        assert (run.status, run.error) == (RunStatus.SUCCEEDED, None)
        armed = {group_id(one, name): OWNED for one in ARMED for name in "ab"}
        assert azure.now == armed | {group_id(SUBSCRIPTIONS[2], name): {} for name in "ab"}
        assert {name: run.counts[name] for name in ("changed", "skipped", "failed", "automatic_not_armed")} == {
            "changed": 4,
            "skipped": 0,
            "failed": 0,
            "automatic_not_armed": 2,
        }
        assert run.outputs == (*AUDIT, OUTCOMES, OUTCOMES_CSV)
        assert {each.resource_id for each in outcomes(world, run_id)} == set(armed)
        assert {each.rule for each in outcomes(world, run_id)} == {"owner"}
        check_audit(world, run)

    def test_what_is_left_waits_for_a_person(self) -> None:
        """The same plan can be approved afterwards: what is done is left alone, the rest is applied."""
        world, azure = world_of()
        run = performed(world, ask(world))
        world.toml = toml(*SUBSCRIPTIONS, mode="apply")

        rest = performed(world, approve(world, plan_of(world, run)))

        assert counted(rest) == {"changed": 8, "skipped": 4}
        assert all(tags == OWNED | {"team": "x"} for tags in azure.now.values())
        assert len(azure.sent) == 12

    def test_the_next_run_finds_them_fixed(self) -> None:
        """And has nothing left that it may do."""
        world, azure = world_of()
        performed(world, ask(world))
        world.pass_time(days=1)

        again = performed(world, ask(world))

        assert (again.status, again.counts["fixed_findings"], again.counts["changed"]) == (RunStatus.SUCCEEDED, 4, 0)
        assert (again.counts["planned_changes"], again.counts["automatic_not_armed"]) == (8, 2)
        assert len(azure.sent) == 4

    def test_it_can_be_undone(self) -> None:
        world, azure = world_of()
        run = performed(world, ask(world))

        undone = performed(world, take_back(world, run.id))
        performed(world, approve(world, plan_of(world, undone)))

        assert undone.counts == {"planned_changes": 4, "not_restored": 0}
        assert not any(azure.now.values())

    def test_a_narrow_run(self) -> None:
        """It changes nothing in what it was not about."""
        world, azure = world_of()

        run = performed(world, ask(world, SUBSCRIPTIONS[1], SUBSCRIPTIONS[2]))

        assert (run.counts["changed"], run.counts["automatic_not_armed"]) == (2, 2)
        assert {scope for scope, _, _ in azure.sent} == {group_id(SUBSCRIPTIONS[1], name) for name in "ab"}

    @pytest.mark.parametrize("trigger", [TriggeredBy.HTTP, TriggeredBy.TIMER, TriggeredBy.ADMIN])
    def test_mode_plan_applies_nothing(self, trigger: TriggeredBy) -> None:
        """A POST and a call by hand make plans whatever the job's mode is; so does the timer where that is plan."""
        world, azure = world_of(content=toml(*ARMED, mode="plan" if trigger is TriggeredBy.TIMER else "apply"))
        if trigger is TriggeredBy.HTTP:
            run = world.requests().by_hand(JOB, Wanted(), trigger).id
        else:
            world.now = world.now.replace(hour=5 if trigger is TriggeredBy.TIMER else 9)
            run = world.requests().tick(JOB, past_due=False) or ""

        world.worker().perform(run)

        ended = world.records().get(run).run
        assert (ended.trigger, ended.mode) == (trigger, Mode.PLAN)
        assert (ended.status, ended.outputs) == (RunStatus.SUCCEEDED, AUDIT)
        assert "changed" not in ended.counts
        assert azure.calls.total() == 0
        check_audit(world, ended)

    def test_nothing_is_planned(self) -> None:
        """Then there is no plan to apply, and no outcome."""
        world, azure = world_of()
        azure.now |= {scope: OWNED | {"team": "x"} for scope in azure.now}

        run = performed(world, ask(world))

        assert (run.status, run.plan, run.outputs) == (RunStatus.SUCCEEDED, None, AUDIT)


class TestRefused:
    """Nothing is written, and the audit stands: a person may still approve its plan."""

    @pytest.mark.parametrize(
        ("happen", "said"),
        [
            (
                lambda world: setattr(world, "toml", toml(*ARMED, mode="apply", most=3)),
                "4 changes are more than the limit of 3 (max_changes)",
            ),
            (
                lambda world: setattr(world, "toml", toml(*ARMED, mode="apply", share=0.5)),
                "changes to 2 resource groups of 2 read in subscription",
            ),
            (lambda world: world.stop().set("operator@example.com", "wait"), "Changes are stopped since"),
            (lambda world: setattr(world, "toml", toml(*ARMED)), "jobs.tag-audit.mode is 'plan' in steward.toml"),
            (
                lambda world: setattr(world, "toml", toml(mode="apply")),
                "Job 'tag-audit' has no armed subscription, so nothing could be applied",
            ),
        ],
        ids=["count", "share", "stopped", "mode", "disarmed"],
    )
    def test_the_audit_stands(self, happen: Callable[[World], object], said: str) -> None:
        world, azure = world_of()
        run = ask(world)
        happen(world)

        ended = performed(world, run)

        assert ended.status is RunStatus.REFUSED
        assert said in (ended.error or "")
        assert (azure.calls.total(), [*world.store.keys("applied")]) == (0, [])
        assert ended.outputs == AUDIT
        check_audit(world, ended)

    def test_what_is_not_applied_does_not_count(self) -> None:
        """Limits are about what the run would change, not about what waits for a person or is not armed."""
        world, _ = world_of(content=toml(*ARMED, mode="apply", most=4))

        assert performed(world, ask(world)).status is RunStatus.SUCCEEDED

    def test_the_next_tick_is_no_second_run_of_the_same_time(self) -> None:
        """A refused run of the timer has been: only a new occurrence looks again."""
        world, _ = world_of(content=toml(*ARMED, mode="apply", most=1))
        world.now = world.now.replace(hour=5)
        run = world.requests().tick(JOB, past_due=False) or ""
        world.worker().perform(run)

        assert world.records().get(run).run.status is RunStatus.REFUSED
        assert world.requests().tick(JOB, past_due=False) is None


class TestNotAllRead:
    """Changes and readings are judged together."""

    def test_a_partial_reading(self) -> None:
        """What was read is changed; the run stays partial and says what was not read."""
        world, azure = world_of()
        world.estate.unreadable = frozenset({0})

        run = performed(world, ask(world))

        assert run.status is RunStatus.PARTIAL
        assert (run.error or "").startswith("Not read completely: sub-0")
        assert (run.counts["changed"], run.counts["automatic_not_armed"]) == (2, 2)
        assert {scope for scope, _, _ in azure.sent} == {group_id(SUBSCRIPTIONS[1], name) for name in "ab"}
        check_audit(world, run, groups=4)

    def test_a_write_fails_too(self) -> None:
        """Failed is worse than partial."""
        world, azure = world_of()
        world.estate.unreadable = frozenset({0})
        azure.script[group_id(SUBSCRIPTIONS[1], "a"), 1] = Trouble("forbidden")

        run = performed(world, ask(world))

        assert run.status is RunStatus.FAILED
        assert run.error == f"Not changed as planned: {group_id(SUBSCRIPTIONS[1], 'a')}: no role"
        assert (run.counts["changed"], run.counts["failed"]) == (1, 1)
        assert run.counts["subscriptions_not_read"] == 1
        check_audit(world, run, groups=4)

    def test_nothing_could_be_read(self) -> None:
        """Then nothing is changed."""
        world, azure = world_of()
        world.estate.unreadable = frozenset(range(3))

        run = performed(world, ask(world))

        assert (run.status, run.plan, azure.calls.total()) == (RunStatus.FAILED, None, 0)

    def test_it_changed_since_it_was_read(self) -> None:
        """It is left as it is, with the reason; the run has succeeded."""
        world, azure = world_of()
        scope = group_id(SUBSCRIPTIONS[0], "a")
        azure.script[scope, 0] = Trouble(other={"Owner": "operator@example.com"})

        run = performed(world, ask(world))

        assert (run.status, run.counts["changed"], run.counts["skipped"]) == (RunStatus.SUCCEEDED, 3, 1)
        assert azure.now[scope] == {"Owner": "operator@example.com"}


NAMES = tuple(f"rg-{number:02}" for number in range(40))


@dataclass
class Halting:
    """Lets the first change happen, holds every other call to Azure, and then tells the job to stop."""

    azure: ModelTags
    stop: BaseException

    def __post_init__(self) -> None:
        self._gate = threading.Event()
        self.azure.before_call = self._hold

    def _hold(self) -> None:
        if self.azure.sent:
            self._gate.wait(10)

    def __call__(self, work: Work) -> Summary:
        return tag_audit(replace(work, checkpoint=lambda: self._checkpoint(work)))

    def _checkpoint(self, work: Work) -> None:
        work.checkpoint()
        if self.azure.sent:
            self._gate.set()
            raise self.stop


class TestHalfWay:
    """Told to stop while it applies."""

    def test_out_of_time(self) -> None:
        """The next attempt reads nothing again and writes nothing twice; the whole is as if it had been one."""
        world, azure = world_of(*NAMES)
        run = ask(world)

        assert world.worker(jobs={JOB: Halting(azure, OutOfTime())}).perform(run.id) == (run.id,)
        first, reads = len(azure.sent), len(world.estate.read)
        azure.before_call = lambda: None
        ended = performed(world, run)

        assert 0 < first < 80
        assert (ended.status, ended.attempt) == (RunStatus.SUCCEEDED, 2)
        assert (ended.counts["changed"], ended.counts["automatic_not_armed"]) == (80, 40)
        assert len(azure.sent) == len({scope for scope, _, _ in azure.sent}) == 80
        assert len(world.estate.read) == reads == 3
        check_audit(world, ended, groups=120)
        assert ended.counts["new_findings"] == 240

    @pytest.mark.parametrize("stop", [Cancelled(), KeyboardInterrupt()], ids=["cancelled", "ctrl-c"])
    def test_cancelled(self, stop: BaseException) -> None:
        """What was read and planned stands, and of what was changed there are outcomes that can be undone."""
        world, azure = world_of(*NAMES)
        run = ask(world)

        world.worker(jobs={JOB: Halting(azure, stop)}).perform(run.id)
        azure.before_call = lambda: None

        ended, done = world.records().get(run.id).run, len(azure.sent)
        assert 0 < done < 80
        assert (ended.status, ended.error) == (
            RunStatus.CANCELLED,
            f"Cancelled while it ran; {done} of 80 were reached.",
        )
        assert (ended.counts["changed"], ended.counts["not_reached"]) == (done, 80 - done)
        assert ended.outputs == (*AUDIT, OUTCOMES, OUTCOMES_CSV)
        assert output(world, run.id, OUTCOMES_CSV).count("\r\n") == done + 1
        check_audit(world, ended, groups=120)
        assert performed(world, take_back(world, run.id)).counts["planned_changes"] == done

    def test_stopped(self) -> None:
        """Somebody says stop while it writes: refused, with what was done and what was not."""
        world, azure = world_of(*NAMES)
        run = ask(world)

        def stop() -> None:
            if len(azure.sent) == 5 and world.stop().read() is None:
                world.stop().set("operator@example.com", "wait")
                world.pass_time(seconds=5)

        azure.before_call = stop
        ended = performed(world, run)

        assert ended.status is RunStatus.REFUSED
        assert (ended.error or "").startswith("Changes are stopped since")
        assert ended.counts["changed"] == len(azure.sent) < 80
        assert ended.counts["changed"] + ended.counts["skipped"] == 80
        check_audit(world, ended, groups=120)


def test_the_order_of_the_timer_is_not_recorded_as_an_approval() -> None:
    """Nobody approved it: the record of the run says mode apply, and has no order."""
    world, _ = world_of()

    run = performed(world, ask(world))

    assert run.order is None
    assert {item.mode for item in plan_of(world, run).items} == {RuleMode.AUTOMATIC, RuleMode.APPROVE}


@settings(max_examples=60, deadline=None)
@given(some.lists(some.tuples(some.integers(1, 260), some.booleans()), max_size=3))
def test_killed_anywhere_and_delivered_again(kills: list[tuple[int, bool]]) -> None:
    """Each group is changed once, each change has its outcome, the audit is told once, and the run ends once."""
    world, azure = world_of()
    run = ask(world)

    world.to_its_end([run.id], kills)

    ended = world.records().get(run.id).run
    assert isinstance(world.store, Noting)
    assert world.store.ends == [(run.id, RunStatus.SUCCEEDED)]
    armed: dict[str, Plain] = {group_id(one, name): OWNED for one in ARMED for name in "ab"}
    assert {scope: tags for scope, tags in azure.now.items() if tags} == armed
    assert sorted(change.scope for change in azure.changes if change.before != change.after) == sorted(armed)
    assert [(each.resource_id, each.outcome) for each in outcomes(world, run.id)] == [
        (scope, "changed") for scope in sorted(armed)
    ]
    assert (ended.counts["changed"], ended.counts["automatic_not_armed"]) == (4, 2)
    assert ended.counts["new_findings"] == 12
    check_audit(world, ended)
    assert ended.outputs == (*AUDIT, OUTCOMES, OUTCOMES_CSV)
