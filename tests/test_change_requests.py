"""Requests to apply and to undo: what is refused at once, and which requests are the same one."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from shared_code.errors import Damaged, InvalidRequest, KeyReused, Refused, StewardError, Stopped, Unknown
from shared_code.model import TagChange
from shared_code.permission import terms_of
from shared_code.plan import Plan, Plans, digest_of
from shared_code.run_requests import KEY_KEPT, Wanted
from shared_code.runs import APPLY_PLAN, UNDO_RUN, Mode, Order, Run, RunScope, RunStatus, TriggeredBy
from shared_code.settings import configure
from tests.applying import PLANNED, planned, save
from tests.azure_model import AzureModel
from tests.changing import (
    JOB,
    ONE,
    TWO,
    A,
    B,
    C,
    approve,
    changing,
    counted,
    performed,
    plan_for,
    requests_of,
    take_back,
    toml,
)
from tests.cleaning import ONE as ONLY
from tests.cleaning import cleaning, item_of
from tests.cleaning import save as save_deletions
from tests.cleaning import toml as cleanup_toml
from tests.tag_model import ModelTags, Trouble
from tests.world import NOON, World

UNKNOWN = "20200101T000000Z-tag-audit-00000000"
LISTING = "list-resource-groups"


@pytest.fixture(name="world")
def _world() -> World:
    """Two armed subscriptions, and three groups without an owner."""
    return changing()[0]


@pytest.fixture(name="azure")
def _azure(world: World) -> ModelTags:
    assert isinstance(world.writer, ModelTags)
    return world.writer


@pytest.fixture(name="plan")
def _plan(world: World, azure: ModelTags) -> Plan:
    """A plan that gives all of them one."""
    return plan_for(world, azure)


def runs(world: World) -> list[str]:
    """The ids of all recorded runs."""
    return list(world.records().newest())


class TestApply:
    """An approval becomes a run that waits for the worker, or is refused and leaves nothing."""

    def test_an_approved_plan_becomes_a_run(self, world: World, plan: Plan) -> None:
        """It says what was approved, by whom, and has the plan's scope; nothing is written yet."""
        run = approve(world, plan, only=(A.upper(),))

        assert world.records().get(run.id).run == run
        assert (run.job, run.task, run.mode, run.status) == (JOB, APPLY_PLAN, Mode.APPLY, RunStatus.QUEUED)
        assert (run.trigger, run.requested, run.requested_by) == (TriggeredBy.HTTP, NOON, "operator@example.com")
        assert (run.plan, run.scope) == (PLANNED, plan.scope)
        assert run.order == Order(plan=PLANNED, digest=plan.digest, only=(A.upper(),))
        assert run.links["plan"] == f"/api/plans/{PLANNED}"

    def test_the_scope_is_that_of_the_plan(self, world: World, azure: ModelTags) -> None:
        """The record of a run says what it could be about."""
        plan = msgspec.structs.replace(plan_for(world, azure), scope=RunScope((ONE, TWO)), digest="")
        plan = msgspec.structs.replace(plan, digest=digest_of(plan))
        world.store.write(f"plans/{PLANNED}.json", msgspec.json.encode(plan))

        assert approve(world, plan).scope == RunScope((ONE, TWO))

    REFUSALS = (
        ("digest", {"digest": "x"}, "has another digest than 'x'"),
        ("no-digest", {"digest": ""}, "has another digest than ''"),
        ("foreign-id", {"only": (A, f"{A}-not")}, "is not in plan"),
        ("no-ids", {"only": ()}, "nothing would be applied"),
    )

    @pytest.mark.parametrize(("order", "said"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
    def test_what_is_not_what_was_looked_at(
        self, world: World, plan: Plan, order: dict[str, object], said: str
    ) -> None:
        with pytest.raises(Refused, match=said):
            approve(world, plan, key="k", **order)

        assert (runs(world), [*world.store.keys("requests")]) == ([], [])

    CIRCUMSTANCES: tuple[tuple[str, Callable[[World], object], str], ...] = (
        ("expired", lambda world: world.pass_time(hours=66), "expired at 2026-11-25T06:00:00Z; let a new run make"),
        ("not-armed", lambda world: setattr(world, "toml", toml(ONE)), f"Subscription '{TWO}' is not armed"),
        ("disarmed", lambda world: setattr(world, "toml", toml()), f"Subscription '{ONE}' is not armed"),
        (
            "count",
            lambda world: setattr(world, "toml", toml(ONE, TWO, most=2)),
            r"3 changes are more than the limit of 2 \(max_changes\)",
        ),
        (
            "share",
            lambda world: setattr(world, "toml", toml(ONE, TWO, share=0.001)),
            r"changes to 2 resource groups of 1,000 read in subscription .* \(max_share 0.001\)",
        ),
        ("stopped", lambda world: world.stop().set("operator@example.com", "wait"), "Changes are stopped since"),
        (
            "stop-unreadable",
            lambda world: world.store.write("control/stop.json", b"{"),
            "cannot be read, so it counts; 'steward resume' removes it",
        ),
        (
            "configuration",
            lambda world: setattr(world, "toml", toml("production")),
            r"Job 'tag-audit' cannot run until its configuration is mended: .*armed_subscriptions\[0\]",
        ),
        ("no-file", lambda world: setattr(world, "toml", b"\xff"), "cannot run until its configuration is mended"),
    )

    @pytest.mark.parametrize(
        ("happen", "said"), [row[1:] for row in CIRCUMSTANCES], ids=[row[0] for row in CIRCUMSTANCES]
    )
    def test_what_is_not_allowed_now(
        self, world: World, plan: Plan, happen: Callable[[World], object], said: str
    ) -> None:
        """Whoever asks is told at once, not when the worker gets there; a key that was refused stands for nothing."""
        happen(world)

        with pytest.raises(Refused, match=said):
            approve(world, plan, key="k")

        assert (runs(world), [*world.store.keys("requests")]) == ([], [])

    def test_the_last_moment(self, world: World, plan: Plan) -> None:
        """A plan may be applied until it expires."""
        world.pass_time(hours=66, microseconds=-1)

        assert approve(world, plan).status is RunStatus.QUEUED

    def test_applied_already(self, world: World, plan: Plan) -> None:
        """All of it, or all that is named."""
        first = approve(world, plan, only=(A,))
        assert performed(world, first).status is RunStatus.SUCCEEDED

        with pytest.raises(Refused, match=f"All of this was begun by run {first.id} already; let a new run make"):
            approve(world, plan, only=(A,))
        assert approve(world, plan).status is RunStatus.QUEUED

    @pytest.mark.parametrize(
        "name",
        [UNKNOWN, "x", "", "../control/stop", "\x1b[31m"],
        ids=["well-formed", "odd", "empty", "elsewhere", "escape"],
    )
    def test_an_unknown_plan(self, world: World, plan: Plan, name: str) -> None:
        with pytest.raises(Unknown, match="There is no plan '") as raised:
            approve(world, msgspec.structs.replace(plan, id=name))

        assert str(raised.value).isprintable()

    def test_a_plan_that_was_changed(self, world: World, plan: Plan) -> None:
        key = f"plans/{PLANNED}.json"
        stored = world.store.read(key)
        assert stored
        world.store.write(key, stored.data.replace(b"team@", b"mine@"))

        with pytest.raises(Damaged):
            approve(world, plan)
        assert runs(world) == []

    @pytest.mark.parametrize(
        ("job", "error", "said"),
        [
            (LISTING, Refused, f"Job '{LISTING}' changes nothing in Azure, so there is nothing to apply."),
            ("paint", Unknown, "There is no job 'paint'"),
        ],
    )
    def test_a_plan_of_another_job(
        self, world: World, plan: Plan, job: str, error: type[StewardError], said: str
    ) -> None:
        """Nothing but what the configuration lets that very job change."""
        other = msgspec.structs.replace(plan, job=job, digest="")
        other = msgspec.structs.replace(other, digest=digest_of(other))
        world.store.write(f"plans/{PLANNED}.json", msgspec.json.encode(other))

        with pytest.raises(error, match=said):
            approve(world, other)
        assert runs(world) == []

    def test_a_plan_by_other_rules(self, world: World, azure: ModelTags) -> None:
        """Whoever has changed the rules since does not want what the old ones proposed; armed and limits may change."""
        rules = configure(world.toml, "steward.toml", {}).digest_of(JOB)
        plan = msgspec.structs.replace(plan_for(world, azure), rules=rules, digest="")
        plan = msgspec.structs.replace(plan, digest=digest_of(plan))
        world.store.write(f"plans/{PLANNED}.json", msgspec.json.encode(plan))

        for content in (
            world.toml.replace(b"team@example.com", b"operator@example.com"),
            world.toml.replace(b'mode = "automatic"', b'mode = "notify"'),
            b"[scope]\nexclude_resource_groups = ['rg-*']\n" + world.toml,
        ):
            world.toml, kept = content, world.toml
            with pytest.raises(Refused, match=f"are no longer those that plan '{PLANNED}' was made by; let a new run"):
                approve(world, plan)
            world.toml = kept
        world.toml = toml(ONE, TWO, mode="apply", most=3)
        assert approve(world, plan).status is RunStatus.QUEUED

    def test_a_limit_cannot_be_passed_in_small_pieces(self, world: World, plan: Plan) -> None:
        """What was applied of the plan before counts as well."""
        world.toml = toml(ONE, TWO, most=2)
        for scope in (A, B):
            performed(world, approve(world, plan, only=(scope,)))

        with pytest.raises(Refused, match=r"3 changes are more than the limit of 2 .*with what was begun of it before"):
            approve(world, plan, only=(C,))

    def test_an_empty_plan(self, world: World) -> None:
        """No run writes one; if there is one, applying it does nothing and says so."""
        run = performed(world, approve(world, save(world.store, [])))

        assert (run.status, counted(run)) == (RunStatus.SUCCEEDED, {})


class TestRefusal:
    """Whoever shows a plan can say beforehand what an approval of all of it would be told."""

    def test_none_where_it_would_become_a_run(self, world: World, plan: Plan) -> None:
        """And none is made."""
        assert requests_of(world).refusal(plan) is None
        assert runs(world) == []

    @pytest.mark.parametrize(
        "happen", [row[1] for row in TestApply.CIRCUMSTANCES], ids=[row[0] for row in TestApply.CIRCUMSTANCES]
    )
    def test_the_sentence_is_that_of_the_request(
        self, world: World, plan: Plan, happen: Callable[[World], object]
    ) -> None:
        happen(world)

        with pytest.raises(Refused) as raised:
            approve(world, plan)

        assert requests_of(world).refusal(plan) == str(raised.value)

    def test_a_plan_that_is_gone_or_changed(self, world: World, plan: Plan) -> None:
        """It was shown a moment ago, and cannot be applied any more."""
        world.store.write(f"plans/{PLANNED}.json", b"{")
        assert f"lan '{PLANNED}'" in (requests_of(world).refusal(plan) or "")

        world.store.delete(f"plans/{PLANNED}.json")
        assert (requests_of(world).refusal(plan) or "").startswith(f"There is no plan '{PLANNED}'")


def test_the_terms_are_those_of_the_job() -> None:
    configuration = configure(toml(ONE, most=7, share=0.5), "steward.toml", {})

    assert terms_of(configuration, JOB) == ((ONE,), 7, 0.5, configuration.digest_of(JOB))
    with pytest.raises(Refused, match="Job 'watchdog' changes nothing in Azure"):
        terms_of(configuration, "watchdog")


class TestKeys:
    """An Idempotency-Key: a request that is repeated since its answer got lost is one request."""

    def test_the_same_order_is_the_same_run(self, world: World, plan: Plan) -> None:
        """While it waits, and after it has applied the plan, which alone would be refused by then."""
        first = approve(world, plan, key="k")

        assert approve(world, plan, key="k").id == first.id
        ended = performed(world, first)
        assert approve(world, plan, key="k") == ended
        assert runs(world) == [first.id]

    LATER = TestApply.CIRCUMSTANCES[1:7]

    @pytest.mark.parametrize("happen", [row[1] for row in LATER], ids=[row[0] for row in LATER])
    def test_it_is_told_whatever_has_happened_since(
        self, world: World, plan: Plan, happen: Callable[[World], object]
    ) -> None:
        """The answer is about the run that there is, not about one that could begin now."""
        first = approve(world, plan, key="k")
        happen(world)

        assert approve(world, plan, key="k").id == first.id

    @pytest.mark.parametrize("order", [{"only": (A,)}, {"only": (A, B, C)}, {"digest": "x"}], ids=str)
    def test_another_order_is_an_error(self, world: World, plan: Plan, order: dict[str, object]) -> None:
        approve(world, plan, key="k")

        with pytest.raises(KeyReused, match="Idempotency-Key 'k' was used for another body"):
            approve(world, plan, key="k", **order)
        assert len(runs(world)) == 1

    def test_another_plan_is_an_error(self, world: World, azure: ModelTags, plan: Plan) -> None:
        approve(world, plan, key="k")

        with pytest.raises(KeyReused):
            approve(world, plan_for(world, azure, run=UNKNOWN), key="k")

    def test_a_key_is_not_shared_by_different_wishes(self, world: World, plan: Plan) -> None:
        """To make a plan, to apply one, to undo: under one key only one of them."""
        run = performed(world, approve(world, plan, key="apply"))
        world.requests().by_hand(JOB, Wanted(), TriggeredBy.HTTP, idempotency_key="audit")
        take_back(world, run.id, key="undo")

        for key in ("audit", "undo"):
            with pytest.raises(KeyReused):
                approve(world, plan, key=key)
        for key in ("audit", "apply"):
            with pytest.raises(KeyReused):
                take_back(world, run.id, key=key)
        for key in ("apply", "undo"):
            with pytest.raises(KeyReused):
                world.requests().by_hand(JOB, Wanted(), TriggeredBy.HTTP, idempotency_key=key)
        assert len(runs(world)) == 3

    def test_it_is_kept_for_a_day(self, world: World, plan: Plan) -> None:
        """Later the same request is a new one, with all that is refused then."""
        first = approve(world, plan, key="k")
        performed(world, first)
        world.now = NOON + KEY_KEPT
        assert approve(world, plan, key="k").id == first.id
        world.pass_time(microseconds=1)

        with pytest.raises(Refused, match="was begun by run"):
            approve(world, plan, key="k")

    @pytest.mark.parametrize("key", ["", " ", "a\nb", "x" * 256, "\ud800"])
    def test_what_is_no_key(self, world: World, plan: Plan, key: str) -> None:
        with pytest.raises(InvalidRequest, match="Idempotency-Key must be 1 to 255 printable characters"):
            approve(world, plan, key=key)

        assert runs(world) == []

    def test_a_key_whose_run_was_never_recorded(self, world: World, plan: Plan) -> None:
        """The process died in between; the same request completes it, and the worker checks all the same."""
        first = approve(world, plan, key="k")
        world.store.delete(f"runs/{first.id}/run.json")
        world.toml = toml()

        again = approve(world, plan, key="k")
        ended = performed(world, again)

        assert again.id == first.id
        assert ended.status is RunStatus.REFUSED
        assert "is not armed" in (ended.error or "")

    def test_a_key_that_cannot_be_read(self, world: World, plan: Plan) -> None:
        """Nobody knows what it stands for, so it is not taken for new."""
        approve(world, plan, key="k")
        (name,) = world.store.keys("requests")
        world.store.write(name, b"{")

        with pytest.raises(Damaged, match="use another Idempotency-Key"):
            approve(world, plan, key="k")


class TestUndo:
    """A wish to undo becomes a run that makes a plan, or is refused."""

    @pytest.fixture(name="applied")
    def _applied(self, world: World, plan: Plan) -> Run:
        """A run that has changed three groups."""
        return performed(world, approve(world, plan))

    def test_it_becomes_a_run_that_plans(self, world: World, applied: Run) -> None:
        """In mode plan: whoever wants to undo looks at that plan as at any other."""
        run = take_back(world, applied.id)

        assert world.records().get(run.id).run == run
        assert (run.job, run.task, run.mode, run.status) == (JOB, UNDO_RUN, Mode.PLAN, RunStatus.QUEUED)
        assert (run.undoes, run.plan, run.order, run.scope) == (applied.id, None, None, applied.scope)
        assert run.requested_by == "operator@example.com"

    @pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING])
    def test_a_run_that_has_not_ended(self, world: World, plan: Plan, status: RunStatus) -> None:
        """It may yet change more."""
        run = approve(world, plan)
        recorded = world.records().get(run.id)
        world.records().change(msgspec.structs.replace(run, status=status), recorded.etag)

        with pytest.raises(Refused, match=f"Run '{run.id}' is {status}; undo it when it has ended."):
            take_back(world, run.id)

    def test_a_run_that_plans(self, world: World, applied: Run) -> None:
        """An audit has changed nothing, and neither has a run that plans to undo."""
        undoing = performed(world, take_back(world, applied.id))
        audit = world.requests().by_hand(JOB, Wanted(), TriggeredBy.HTTP)
        world.requests().cancel(audit.id)

        for run in (undoing, audit):
            with pytest.raises(Refused, match=f"Run '{run.id}' cannot be undone: it has changed nothing."):
                take_back(world, run.id)

    def test_a_run_that_was_refused(self, world: World, plan: Plan) -> None:
        run = approve(world, plan)
        world.stop().set("operator@example.com", "")
        assert performed(world, run).status is RunStatus.REFUSED

        with pytest.raises(Refused, match="cannot be undone: it has changed nothing"):
            take_back(world, run.id)

    def test_a_run_whose_marks_are_gone(self, world: World, applied: Run) -> None:
        """Retention took them: that is said, and not that nothing was changed."""
        for key in [*world.store.keys("applied")]:
            world.store.delete(key)

        with pytest.raises(Refused, match=f"Run '{applied.id}' cannot be undone: what it changed is kept no longer."):
            take_back(world, applied.id)

    def test_a_run_that_left_everything_alone(self, world: World, azure: ModelTags, plan: Plan) -> None:
        for scope in azure.now:
            azure.somebody_else(scope, {"owner": "operator@example.com"})
        run = performed(world, approve(world, plan))

        assert counted(run) == {"skipped": 3}
        with pytest.raises(Refused, match="cannot be undone: it has changed nothing"):
            take_back(world, run.id)

    def test_only_what_that_run_did(self, world: World, plan: Plan) -> None:
        """Another run of the same plan has marks of its own."""
        first = performed(world, approve(world, plan, only=(A,)))
        second = performed(world, approve(world, plan))

        undone = [performed(world, take_back(world, run.id)) for run in (first, second)]

        found = [Plans(world.store).get(run.plan or "") for run in undone]
        assert [[item.resource_id for item in each.items] for each in found] == [[A], [B, C]]

    def test_a_run_that_failed_half_way(self, world: World, azure: ModelTags) -> None:
        """What it did before it failed is to be undone as well."""
        plan = save(world.store, [planned(A, TagChange(set={"env": "x"}, remove=("Env",)), {"Env": "x"})])
        azure.now[A] = {"Env": "x"}
        azure.script |= {(A, call): Trouble("locked") for call in range(3, 9)}
        run = performed(world, approve(world, plan))

        assert run.status is RunStatus.FAILED
        assert take_back(world, run.id).undoes == run.id

    def test_an_apply_of_an_undo(self, world: World, azure: ModelTags, applied: Run) -> None:
        """It is a run that changed something like any other: undoing it does the first change again."""
        undoing = performed(world, take_back(world, applied.id))
        assert undoing.plan
        back = performed(world, approve(world, Plans(world.store).get(undoing.plan)))
        assert azure.now == {A: {}, B: {}, C: {}}

        again = performed(world, take_back(world, back.id))
        assert again.plan
        performed(world, approve(world, Plans(world.store).get(again.plan)))

        assert azure.now == {scope: {"owner": "team@example.com"} for scope in (A, B, C)}

    def test_an_unknown_run(self, world: World, applied: Run) -> None:
        for name in (UNKNOWN, "x", f"{applied.id}/../{applied.id}"):
            with pytest.raises(Unknown, match="There is no run '"):
                take_back(world, name)

    def test_the_same_key_is_the_same_run(self, world: World, azure: ModelTags, applied: Run) -> None:
        first = take_back(world, applied.id, key="k")
        azure.now[A] = {}
        other = performed(world, approve(world, plan_for(world, ModelTags({A: {}}), run=UNKNOWN)))

        assert take_back(world, applied.id, key="k").id == first.id
        with pytest.raises(KeyReused):
            take_back(world, other.id, key="k")

    def test_a_broken_configuration(self, world: World, applied: Run) -> None:
        world.toml = toml("production")

        with pytest.raises(Refused, match="cannot run until its configuration is mended"):
            take_back(world, applied.id)

    def test_while_changes_are_stopped(self, world: World, applied: Run) -> None:
        """It writes nothing to Azure, and whoever stopped may want to know what can be undone."""
        world.stop().set("operator@example.com", "wait")
        world.pass_time(seconds=timedelta(days=30).total_seconds())

        run = performed(world, take_back(world, applied.id))

        assert (run.status, run.counts) == (RunStatus.SUCCEEDED, {"planned_changes": 3, "not_restored": 0})


def test_requests_share_what_the_process_knows_of_the_stop(world: World, plan: Plan) -> None:
    """Whoever says stop here is obeyed here at once."""
    requests = requests_of(world)
    order = Order(plan=plan.id, digest=plan.digest)
    requests.apply(order, TriggeredBy.CLI)
    requests.stop.set("operator@example.com", "")

    with pytest.raises(Refused, match="Changes are stopped"):
        requests.apply(order, TriggeredBy.CLI)


class TestDeletions:
    """A plan that deletes is asked for in the same way, and never taken back."""

    def begin(self, content: bytes | None = None) -> tuple[World, AzureModel, Plan]:
        """A disk that nobody needs, and a plan to delete it; it is noon."""
        world, model = cleaning(content)
        return world, model, save_deletions(world, item_of(world, model, model.put(model.new_group(), "disk", "one")))

    @pytest.mark.parametrize(("window", "is_open"), [("11:00-12:01", True), ("12:01-11:59", False)])
    def test_the_window(self, window: str, *, is_open: bool) -> None:
        """Whoever asks while it is shut is told at once, and the plan is not lost."""
        world, _, plan = self.begin(cleanup_toml(ONLY, delete_window=window))

        if is_open:
            assert approve(world, plan).status is RunStatus.QUEUED
            return
        with pytest.raises(Stopped, match=f"jobs.cleanup.delete_window is {window}"):
            approve(world, plan, key="k")
        assert (runs(world), [*world.store.keys("requests")]) == ([], [])
        world.pass_time(minutes=1)
        assert approve(world, plan, key="k").status is RunStatus.QUEUED

    def test_what_is_deleted_cannot_be_undone(self) -> None:
        """It is said where to read what it was; no run is made that could only fail."""
        world, model, plan = self.begin()
        run = performed(world, approve(world, plan))
        assert (counted(run), len(model.sent)) == ({"deleted": 1}, 1)

        with pytest.raises(Refused, match=f"tombstones/{plan.id}/ in the store: see the runbook recover-after-a-wrong"):
            take_back(world, run.id, key="k")
        assert (runs(world), [*world.store.keys("requests")]) == ([run.id], [])
