"""Unfinished runs: a run that ends without a word says what it had begun, and never more than anybody knows."""

from datetime import timedelta

import msgspec
import pytest

from shared_code.model import Kind, TagChange
from shared_code.outcomes import Mark, Marks, Outcome, Result
from shared_code.outputs import OUTCOMES
from shared_code.pending_deletions import PendingDeletions
from shared_code.plan import Action, PlanItem, Plans, make_plan
from shared_code.run_records import folder
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy
from shared_code.tag_rules import RuleMode
from shared_code.unfinished import completed
from tests.applying import AGAIN, APPLYING, PLANNED, SUBSCRIPTIONS, group_id
from tests.fakes import NOW
from tests.memory_store import MemoryStore

ONE, _ = SUBSCRIPTIONS
OWNER = TagChange(set={"owner": "team@example.com"})
BEGUN = NOW + timedelta(minutes=5)
SAID = "It had begun to change Azure; its outcomes say what."


def of(name: str, action: Action = Action.DELETE) -> PlanItem:
    """An item about the resource group of that name."""
    return PlanItem(
        resource_id=group_id(ONE, name),
        subscription_id=ONE,
        kind=Kind.RESOURCE_GROUP,
        rule="expired",
        mode=RuleMode.APPROVE,
        reason="nobody needs it",
        action=action,
        seen={},
        change=OWNER if action is Action.CHANGE_TAGS else None,
    )


class TestCompleted:
    @pytest.fixture(autouse=True)
    def _world(self) -> None:
        """A plan of four deletions."""
        self.store = MemoryStore()
        self.plan([of(name) for name in "abcd"])

    def plan(self, items: list[PlanItem], run: str = PLANNED) -> None:
        record = Run(id=run, job="cleanup", mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=NOW)
        Plans(self.store).save(make_plan(record, items, {ONE: {Kind.RESOURCE_GROUP: 1000}}, NOW))

    def begin(self, item: int, run: str = APPLYING, plan: str = PLANNED) -> None:
        Marks(self.store, plan).begin(item, Mark(run=run, begun=BEGUN, before={"env": None}))

    def end(self, item: int, result: Result, **more: object) -> Outcome:
        """Note how an item ended that this run began."""
        self.begin(item)
        fields = {"outcome": result, "reason": "so", "before": None, "tombstone": None, "unsure": False, "at": NOW}
        outcome = msgspec.structs.replace(self.unknown(item), **(fields | more))
        marks = Marks(self.store, PLANNED)
        return marks.finish(item, marks.all()[item], outcome)

    def unknown(self, item: int) -> Outcome:
        """What is said of an item that was begun, and no more is known."""
        return Outcome(
            plan=PLANNED,
            item=item,
            resource_id=group_id(ONE, "abcd"[item]),
            subscription_id=ONE,
            rule="expired",
            action=Action.DELETE,
            outcome=Result.FAILED,
            reason="it was begun, and the run ended before anybody knew its end",
            before={"env": None},
            tombstone=f"tombstones/{PLANNED}/{item:06}.json",
            unsure=True,
            at=BEGUN,
        )

    def run(self, **said: object) -> Run:
        """A run that was to apply the plan, as it is to be recorded."""
        fields = {"mode": Mode.APPLY, "status": RunStatus.CANCELLED, "plan": PLANNED, "error": "Why."} | said
        run = Run(id=APPLYING, job="cleanup", mode=Mode.APPLY, trigger=TriggeredBy.CLI, requested=NOW)
        return msgspec.structs.replace(run, **fields)

    def told(self) -> list[Outcome]:
        """What the run's outcomes say."""
        lines = self.store.lines(f"{folder(APPLYING)}/{OUTCOMES}")
        return [msgspec.json.decode(line, type=Outcome) for line in lines]

    def check_as_it_is(self, run: Run) -> None:
        """Nothing is added to the record, and nothing is written."""
        objects = dict(self.store.objects)

        assert completed(run, self.store, folder(APPLYING)) == run
        assert self.store.objects == objects

    @pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.REFUSED])
    def test_a_run_that_has_begun_nothing_stays_as_it_is(self, status: RunStatus) -> None:
        """What another run of the plan has begun is that one's."""
        self.begin(0, AGAIN)

        self.check_as_it_is(self.run(status=status))

    def test_a_run_that_says_what_it_did_stays_as_it_is(self) -> None:
        self.begin(0)

        self.check_as_it_is(self.run(outputs=("report.html", OUTCOMES)))

    def test_a_run_that_plans_stays_as_it_is(self) -> None:
        """It changes nothing, whatever there is."""
        self.begin(0)

        self.check_as_it_is(self.run(mode=Mode.PLAN))

    def test_what_is_known_is_told_and_what_is_not_has_failed(self) -> None:
        """In the order of the plan, with the counts; of the others nothing is said."""
        self.begin(3)
        deleted = self.end(1, Result.DELETED, tombstone=f"tombstones/{PLANNED}/000001.json")
        deleting = self.end(0, Result.DELETING)
        self.begin(2, AGAIN)

        run = completed(self.run(outputs=("plan.html",), counts={"planned": 4}), self.store, folder(APPLYING))

        assert self.told() == [deleting, deleted, self.unknown(3)]
        assert (run.status, run.error, run.plan) == (RunStatus.CANCELLED, f"Why. {SAID}", PLANNED)
        assert run.counts == {"planned": 4, "deleted": 1, "deleting": 1, "skipped": 0, "failed": 1}
        assert run.outputs == ("plan.html", OUTCOMES)

    @pytest.mark.parametrize("status", [each for each in RunStatus if each.ended])
    def test_refused_would_mean_that_nothing_was_done(self, status: RunStatus) -> None:
        self.begin(0)

        run = completed(self.run(status=status, error=None), self.store, folder(APPLYING))

        assert run.status is (RunStatus.FAILED if status is RunStatus.REFUSED else status)
        assert run.error == SAID

    def test_a_run_that_applies_its_own_plan(self) -> None:
        """The record may not name it yet."""
        self.plan([of("a")], APPLYING)
        self.begin(0, plan=APPLYING)

        run = completed(self.run(plan=None), self.store, folder(APPLYING))

        assert (run.plan, [each.plan for each in self.told()]) == (APPLYING, [APPLYING])

    def test_a_tag_change_has_no_tombstone(self) -> None:
        """What was to be changed is said, and what there was before; nobody follows it."""
        self.plan([of("a", Action.CHANGE_TAGS)], AGAIN)
        self.begin(0, plan=AGAIN)

        run = completed(self.run(plan=AGAIN), self.store, folder(APPLYING))

        [outcome] = self.told()
        assert (outcome.change, outcome.before, outcome.tombstone) == (OWNER, {"env": None}, None)
        assert (outcome.outcome, outcome.unsure) == (Result.FAILED, True)
        assert run.counts == {"changed": 0, "skipped": 0, "failed": 1}
        assert list(PendingDeletions(self.store).all()) == []

    def test_the_next_run_follows_what_nobody_saw_the_end_of(self) -> None:
        """And nothing else: neither what is deleted, nor what has failed."""
        self.begin(3)
        self.end(0, Result.DELETED)
        self.end(1, Result.FAILED)
        self.begin(2, AGAIN)

        completed(self.run(), self.store, folder(APPLYING))

        [one] = [each for each in PendingDeletions(self.store).all() if not isinstance(each, str)]
        assert (one.plan, one.item, one.run, one.since) == (PLANNED, 3, APPLYING, BEGUN)
        assert (one.resource_id, one.subscription_id, one.rule) == (group_id(ONE, "d"), ONE, "expired")
        assert one.tombstone == f"tombstones/{PLANNED}/000003.json"

    def test_twice_is_as_once(self) -> None:
        """The process may die before the record is written."""
        self.begin(1)
        run = completed(self.run(), self.store, folder(APPLYING))
        objects = {key: each.data for key, each in self.store.objects.items()}

        assert completed(self.run(), self.store, folder(APPLYING)) == run
        assert {key: each.data for key, each in self.store.objects.items()} == objects

    @pytest.mark.parametrize("key", [f"applied/{PLANNED}/000000.json", f"plans/{PLANNED}.json"])
    @pytest.mark.parametrize(("error", "begins"), [("Why.", "Why. What it changed "), (None, "What it changed ")])
    def test_what_cannot_be_told_is_said_to_be_so(self, key: str, error: str | None, begins: str) -> None:
        """It ends as it was to end."""
        self.begin(0)
        self.store.write(key, b"{")

        run = completed(self.run(error=error), self.store, folder(APPLYING))

        assert (run.error or "").startswith(f"{begins}cannot be told: ")
        assert (run.status, run.outputs) == (RunStatus.CANCELLED, ())

    def test_a_plan_that_is_kept_no_longer(self) -> None:
        self.begin(0)
        self.store.delete(f"plans/{PLANNED}.json")

        run = completed(self.run(), self.store, folder(APPLYING))

        assert (run.error or "").startswith("Why. What it changed cannot be told: There is no plan")
