"""Applying a plan: what is refused, what is written, and that no death or repetition changes the end."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.acting import Done, Hand
from shared_code.apply import PER_SUBSCRIPTION, _await, _lanes, apply, check
from shared_code.errors import Damaged, Fenced, Refused, StoreError, Unknown
from shared_code.model import TagChange
from shared_code.outcomes import Mark, Marks, Outcome, Result
from shared_code.outputs import OUTCOMES
from shared_code.permission import Terms
from shared_code.plan import Plan, PlanItem, Plans, digest_of
from shared_code.runs import Order, Progress, RunStatus
from shared_code.stop import Stop
from shared_code.store import Store
from shared_code.tag_rules import RuleMode
from shared_code.undo import undo
from shared_code.work import Cancelled, Interrupted, OutOfTime
from tests.applying import AGAIN, APPLYING, PLANNED, SUBSCRIPTIONS, by_scope, group_id, means, perform, planned, save
from tests.fakes import NOW, Clock
from tests.memory_store import MemoryStore
from tests.stores import DeadAfter, Killed, Lossy
from tests.tag_model import PASSING, ModelTags, Plain, Trouble, changes_of, spelled, tag_sets, wanted_of

ONE, TWO = SUBSCRIPTIONS
OWNER = TagChange(set={"owner": "x@example.com"})
A, B, C = group_id(ONE, "a"), group_id(ONE, "b"), group_id(TWO, "c")


def three(store: Store) -> tuple[ModelTags, Plan]:
    """Three groups in two subscriptions that get an owner."""
    azure = ModelTags({A: {}, B: {"env": "prod"}, C: {}})
    return azure, save(store, [planned(scope, OWNER, azure.now[scope]) for scope in (A, B, C)])


def recorded(store: Store, run: str = APPLYING) -> list[Outcome]:
    return [msgspec.json.decode(line, type=Outcome) for line in store.lines(f"runs/{run}/{OUTCOMES}")]


class TestRefusals:
    """Nothing is written, not even a mark."""

    @pytest.fixture(autouse=True)
    def _world(self) -> None:
        self.store = MemoryStore()
        self.azure, self.plan = three(self.store)
        self.objects = dict(self.store.objects)

    def refused(self, terms: Terms | None = None, clock: Clock | None = None, **order: object) -> str:
        with pytest.raises(Refused) as raised:
            perform(self.plan, self.azure, means(self.store, clock=clock or Clock()), terms, **order)
        assert self.azure.sent == []
        assert self.store.objects == self.objects
        return str(raised.value)

    def test_an_expired_plan(self) -> None:
        said = self.refused(clock=Clock(NOW + timedelta(hours=72)))

        assert said == f"Plan '{PLANNED}' expired at 2026-11-25T06:00:00Z; let a new run make another."

    def test_another_digest(self) -> None:
        assert "has another digest than 'x'" in self.refused(digest="x")

    def test_ids_that_are_not_in_the_plan(self) -> None:
        assert "is not in plan" in self.refused(only=(A, group_id(ONE, "other")))

    def test_several_ids_that_are_not_in_the_plan(self) -> None:
        foreign = (group_id(ONE, "x"), group_id(ONE, "y"), group_id(ONE, "z"))

        assert self.refused(only=foreign).startswith(f"'{foreign[0]}' and 2 more")
        assert self.refused(only=foreign[:2]).startswith(f"'{foreign[0]}' and 1 more")
        assert "more" not in self.refused(only=foreign[:1])

    def test_an_id_that_is_not_in_the_subscription_of_its_item(self) -> None:
        """Armed is the subscription that the id itself names."""
        lying = msgspec.structs.replace(planned(C, OWNER, {}), subscription_id=ONE)
        plan = msgspec.structs.replace(self.plan, items=(lying,), digest="")
        self.plan = msgspec.structs.replace(plan, digest=digest_of(plan))
        self.store.write(f"plans/{PLANNED}.json", msgspec.json.encode(self.plan))
        self.objects = dict(self.store.objects)

        said = self.refused(Terms((ONE,), 1000, 1.0))

        assert said.startswith(f"'{C}' is not certainly in subscription '{ONE}'")

    def test_no_ids_are_not_all(self) -> None:
        assert "nothing would be applied" in self.refused(only=())

    def test_a_subscription_that_is_not_armed(self) -> None:
        assert f"Subscription '{TWO}' is not armed" in self.refused(Terms((ONE,), 1000, 1.0))

    @pytest.mark.parametrize("armed", [(), ("*",), ("5e000000*",), (ONE[:-1], TWO)])
    def test_armed_are_exact_ids(self, armed: tuple[str, ...]) -> None:
        assert "is not armed" in self.refused(Terms(armed, 1000, 1.0))

    def test_over_the_count(self) -> None:
        said = self.refused(Terms(SUBSCRIPTIONS, 2, 1.0))

        assert said == (
            f"Nothing of plan '{PLANNED}' is applied: 3 changes are more than the limit of 2 (max_changes); name fewer "
            "resources, or raise the limit in steward.toml."
        )

    def test_over_the_share(self) -> None:
        assert "2 resource groups of 1,000" in self.refused(Terms(SUBSCRIPTIONS, 1000, 0.001))

    def test_stopped(self) -> None:
        Stop(self.store, Clock()).set("ops@example.com", "wait")
        self.objects = dict(self.store.objects)

        assert "Changes are stopped" in self.refused()


def test_an_edited_plan_is_never_applied() -> None:
    store = MemoryStore()
    azure, plan = three(store)
    key = f"plans/{PLANNED}.json"
    store.write(key, store.objects[key].data.replace(b"x@example.com", b"y@example.com"))

    with pytest.raises(Damaged):
        perform(plan, azure, means(store))
    assert azure.sent == []


def test_an_unknown_plan() -> None:
    store = MemoryStore()
    azure, plan = three(store)

    with pytest.raises(Unknown):
        perform(plan, azure, means(store), plan=AGAIN)


class TestOutcomes:
    def test_all_is_changed_and_recorded(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)
        told: list[Progress] = []

        applied = perform(plan, azure, means(store, progress=told.append))

        assert {scope: tags["owner"] for scope, tags in azure.now.items()} == dict.fromkeys((A, B, C), "x@example.com")
        assert recorded(store) == list(applied.outcomes)
        assert applied.counts == {"changed": 3, "skipped": 0, "failed": 0}
        assert applied.verdict == (RunStatus.SUCCEEDED, None)
        assert (told[0], told[-1]) == (Progress(0, 3, "changes"), Progress(3, 3, "changes"))
        outcome = by_scope(applied.outcomes)[B.casefold()]
        assert (outcome.before, outcome.after) == ({"env": "prod"}, {"env": "prod", "owner": "x@example.com"})
        assert (outcome.change, outcome.rule, outcome.writes) == (OWNER, "r", 1)

    def test_only_what_is_named_is_changed_in_any_spelling(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)

        applied = perform(plan, azure, means(store), Terms((ONE.upper(),), 1, 0.0), only=(A.upper(),))

        assert [each.resource_id for each in applied.outcomes] == [A]
        assert azure.now[B] == {"env": "prod"}

    def test_the_timer_applies_automatic_rules_in_armed_subscriptions(self) -> None:
        store = MemoryStore()
        azure = ModelTags({A: {}, B: {}, C: {}})
        modes = {A: RuleMode.AUTOMATIC, B: RuleMode.APPROVE, C: RuleMode.AUTOMATIC}
        plan = save(store, [planned(scope, OWNER, {}, mode=mode) for scope, mode in modes.items()])

        applied = perform(plan, azure, means(store), Terms((ONE,), 10, 1.0), automatic=True)

        assert [each.resource_id for each in applied.outcomes] == [A]
        assert (azure.now[B], azure.now[C]) == ({}, {})

    @pytest.mark.parametrize("spell", [str.upper, str.lower])
    def test_an_armed_subscription_is_armed_in_any_spelling(self, spell: Callable[[str], str]) -> None:
        """Of the settings as of the plan, for people as for the timer."""
        for item in (str.upper, str.lower):
            for automatic in (False, True):
                store, azure = MemoryStore(), ModelTags({A: {}})
                one = planned(A, OWNER, {}, mode=RuleMode.AUTOMATIC)
                plan = save(store, [msgspec.structs.replace(one, subscription_id=item(ONE))])

                applied = perform(plan, azure, means(store), Terms((spell(ONE),), 1, 1.0), automatic=automatic)

                assert applied.counts["changed"] == 1

    def test_a_failure_fails_the_run_and_leaves_the_others_alone(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)
        azure.script[A, 1] = Trouble("locked")

        applied = perform(plan, azure, means(store))

        assert applied.counts == {"changed": 2, "skipped": 0, "failed": 1}
        assert applied.verdict == (RunStatus.FAILED, f"Not changed as planned: {A}: a lock")

    def test_a_stop_in_the_middle_skips_the_rest_and_says_so(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)
        clock = Clock()

        def stop() -> None:
            if len(azure.sent) == 1:
                Stop(store, clock).set("ops@example.com", "wait")
                clock.move(timedelta(seconds=5))

        azure.before_call = stop
        applied = perform(plan, azure, means(store, clock=clock, check_stop=Stop(store, clock).check))

        assert len(azure.sent) == 1
        assert applied.counts == {"changed": 1, "skipped": 2, "failed": 0}
        assert [each.writes for each in applied.outcomes] == [1, 0, 0]
        assert [azure.calls[each.resource_id] > 0 for each in applied.outcomes] == [True, False, False]
        status, error = applied.verdict
        assert (status, "Changes are stopped" in (error or "")) == (RunStatus.REFUSED, True)

    def test_two_rules_about_one_resource_follow_each_other(self) -> None:
        store = MemoryStore()
        azure = ModelTags({A: {"env": "Prod"}})
        items = [
            planned(A, OWNER, azure.now[A], "a"),
            planned(A, TagChange(set={"env": "prod"}), azure.now[A], "b"),
            planned(A, TagChange(set={"ENV": "test"}), azure.now[A], "c"),
        ]

        applied = perform(save(store, items), azure, means(store, writers=8))

        assert azure.now[A] == {"env": "prod", "owner": "x@example.com"}
        assert [each.outcome for each in applied.outcomes] == [Result.CHANGED, Result.CHANGED, Result.SKIPPED]
        assert applied.outcomes[2].reason == "the tag 'ENV' was changed to 'prod' since the plan was made"


class TestRepetition:
    def test_a_second_application_is_refused(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)
        perform(plan, azure, means(store))
        sent = list(azure.sent)

        with pytest.raises(Refused, match=f"All of this was begun by run {APPLYING} already"):
            perform(plan, azure, means(store, AGAIN))
        assert azure.sent == sent

    def test_the_rest_can_be_applied_later(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)
        perform(plan, azure, means(store), only=(A,))

        applied = perform(plan, azure, means(store, AGAIN))

        assert applied.counts == {"changed": 2, "skipped": 1, "failed": 0}
        left = by_scope(applied.outcomes)[A.casefold()]
        assert (left.reason or "").startswith(f"run {APPLYING} applied it already")
        assert (left.outcome, left.writes, left.before, left.after) == (Result.SKIPPED, 0, None, None)
        assert len(azure.sent) == 3

    def test_what_another_run_began_is_left_alone(self) -> None:
        """It died before it said how it ended: only that run goes on with it."""
        store = MemoryStore()
        azure, plan = three(store)
        Marks(store, PLANNED).begin(0, Mark(run=AGAIN, begun=NOW, before={}))

        applied = perform(plan, azure, means(store))

        assert applied.counts == {"changed": 2, "skipped": 1, "failed": 0}
        assert applied.outcomes[0].reason == (
            f"run {AGAIN} began it on 2026-11-22T06:00:00Z and its end is not known; let a new run make a plan"
        )
        assert azure.calls[A] == 0

    def test_what_another_run_undid_is_not_written_again(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)
        perform(plan, azure, means(store))
        azure.somebody_else(A, {"owner": None})

        with pytest.raises(Refused):
            perform(plan, azure, means(store, AGAIN), only=(A,))
        assert "owner" not in azure.now[A]

    def test_an_item_that_another_run_claims_meanwhile_is_left_to_it(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)
        asked: list[int] = []

        def overtake() -> None:
            asked.append(1)
            if len(asked) == 2:  # The tags were read, and the write is next.
                perform(plan, azure, means(store, AGAIN), only=(A,))

        applied = perform(plan, azure, means(store, may_write=overtake), only=(A,))

        assert [scope for scope, _, _ in azure.sent] == [A]
        assert [(each.outcome, each.reason) for each in applied.outcomes] == [
            (Result.SKIPPED, f"run {AGAIN} applied it already, on 2026-11-22T06:00:00Z: changed")
        ]

    def test_a_disarmed_subscription_gets_nothing_more_when_a_run_goes_on(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)
        with pytest.raises(OutOfTime):
            perform(plan, azure, means(store, checkpoint=raises(OutOfTime, azure, 1)))
        assert len(azure.sent) < 3

        applied = perform(plan, azure, means(store), Terms((), 1000, 1.0))

        assert len(azure.sent) == applied.counts["changed"]
        assert applied.verdict[0] is RunStatus.REFUSED
        assert "is not armed" in str(applied.stopped)

    def test_what_has_ended_is_not_looked_at_again_when_a_run_goes_on(self) -> None:
        """The first outcome is the outcome, whatever others have done since."""
        store = MemoryStore()
        azure, plan = three(store)
        with pytest.raises(OutOfTime):
            perform(plan, azure, means(store, checkpoint=raises(OutOfTime, azure, 1)))
        ended = {number: each.mark.outcome for number, each in Marks(store, PLANNED).all().items()}
        calls = azure.calls.copy()
        azure.somebody_else(A, {"owner": "operator@example.com"})

        applied = perform(plan, azure, means(store))

        assert ended[0] == applied.outcomes[0]
        assert {scope for scope in (A, B, C) if azure.calls[scope] != calls[scope]} == {
            item.resource_id for number, item in enumerate(plan.items) if number not in ended
        }

    def test_a_run_that_had_begun_everything_goes_on_with_it(self) -> None:
        """It is no repetition: what is its own is brought to its end."""
        store = MemoryStore()
        azure, plan = three(store)
        for number, item in enumerate(plan.items):
            Marks(store, PLANNED).begin(number, Mark(run=APPLYING, begun=NOW, before=item.seen))

        applied = perform(plan, azure, means(store))

        assert applied.verdict == (RunStatus.SUCCEEDED, None)
        assert applied.counts == {"changed": 3, "skipped": 0, "failed": 0}


def raises(kind: type[BaseException], azure: ModelTags, after: int) -> object:
    def checkpoint() -> None:
        if len(azure.sent) >= after:
            raise kind

    return checkpoint


class TestInterruptions:
    @pytest.mark.parametrize("kind", [Cancelled, KeyboardInterrupt])
    def test_a_run_that_is_cancelled_ends_with_what_it_did(self, kind: type[Interrupted]) -> None:
        store = MemoryStore()
        azure, plan = three(store)

        applied = perform(plan, azure, means(store, checkpoint=raises(kind, azure, 1)))

        reached = len(applied.outcomes)
        assert applied.verdict == (RunStatus.CANCELLED, f"Cancelled while it ran; {reached} of 3 were reached.")
        assert applied.counts == {"changed": reached, "skipped": 0, "failed": 0, "not_reached": 3 - reached}
        assert recorded(store) == list(applied.outcomes)
        done = [each.resource_id for each in recorded(store) if each.outcome is Result.CHANGED]
        assert done == [scope for scope, _, _ in azure.sent]
        assert all(marked.mark.outcome is not None for marked in Marks(store, PLANNED).all().values())

    @pytest.mark.parametrize("kind", [OutOfTime, Fenced, StoreError])
    def test_a_run_that_goes_on_tells_nothing_yet(self, kind: type[BaseException]) -> None:
        """Whoever goes on with it tells it all."""
        store = MemoryStore()
        azure, plan = three(store)

        with pytest.raises(kind):
            perform(plan, azure, means(store, checkpoint=raises(kind, azure, 1)))

        assert f"runs/{APPLYING}/{OUTCOMES}" not in store.objects

    def test_an_accident_ends_it_and_what_was_done_is_told(self) -> None:
        """Whatever it is."""
        store = MemoryStore()
        azure, plan = three(store)

        with pytest.raises(ZeroDivisionError):
            perform(plan, azure, means(store, checkpoint=raises(ZeroDivisionError, azure, 1)))

        done = [each.resource_id for each in recorded(store) if each.outcome is Result.CHANGED]
        assert done == [scope for scope, _, _ in azure.sent] != []

    def test_between_two_items_of_one_resource_it_ends_too(self) -> None:
        """The item it is at is ended, and the next one is not begun."""
        store, azure = MemoryStore(), ModelTags({A: {"env": "Prod"}})
        change = TagChange(set={"env": "prod"})
        plan = save(store, [planned(A, OWNER, azure.now[A], "a"), planned(A, change, azure.now[A], "b")])
        told = threading.Event()

        def wait() -> None:
            if azure.sent:
                told.wait(10)
                time.sleep(0.05)  # In which the engine halts.

        def checkpoint() -> None:
            if azure.sent:
                told.set()
                raise OutOfTime

        azure.before_call = wait
        with pytest.raises(OutOfTime):
            perform(plan, azure, means(store, checkpoint=checkpoint))

        marks = Marks(store, PLANNED).all()
        assert {number: each.mark.outcome is not None for number, each in marks.items()} == {0: True}

    def test_a_process_that_was_taken_over_records_nothing(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)

        def may_write() -> None:
            if azure.sent:
                raise Fenced("taken over")

        with pytest.raises(Fenced):
            perform(plan, azure, means(store, may_write=may_write))

        assert len(azure.sent) == 1
        assert f"runs/{APPLYING}/{OUTCOMES}" not in store.objects

    def test_a_mark_that_nobody_can_read_ends_it(self) -> None:
        store = MemoryStore()
        azure, plan = three(store)
        store.write(f"applied/{PLANNED}/000000.json", b"{")

        with pytest.raises(Damaged):
            perform(plan, azure, means(store))
        assert azure.sent == []


@st.composite
def estates(draw: st.DrawFn) -> tuple[dict[str, Plain], list[PlanItem]]:
    """Groups in two subscriptions, and a change for each."""
    scopes = [group_id(draw(st.sampled_from(SUBSCRIPTIONS)), name) for name in "abcde"[: draw(st.integers(1, 5))]]
    tags = {scope: draw(tag_sets()) for scope in scopes}
    return tags, [planned(scope, draw(changes_of(tags[scope])), tags[scope]) for scope in scopes]


def wanted(tags: Mapping[str, Plain], items: list[PlanItem]) -> dict[str, Plain]:
    return {item.resource_id: wanted_of(item.change or TagChange(), tags[item.resource_id]) for item in items}


@settings(max_examples=400, deadline=None)
@given(estates(), st.data())
def test_killed_at_any_call_and_gone_on_with_the_end_is_the_same(
    estate: tuple[dict[str, Plain], list[PlanItem]], data: st.DataObject
) -> None:
    tags, items = estate
    store, azure = MemoryStore(), ModelTags(tags)
    plan = save(store, items)
    for _ in range(data.draw(st.integers(0, 4))):
        dying = DeadAfter(store, data.draw(st.integers(1, 20)), after=data.draw(st.booleans()))
        dead_at = data.draw(st.integers(0, 30)) + sum(azure.calls.values())

        def die(dead_at: int = dead_at) -> None:
            if sum(azure.calls.values()) >= dead_at:
                raise Killed

        azure.before_call = die
        try:
            perform(plan, azure, means(dying, check_stop=Stop(store, Clock()).check))
        except Killed:
            pass
        else:
            break
    azure.before_call = lambda: None

    applied = perform(plan, azure, means(store)) if not ended(store) else None

    assert azure.now == wanted(tags, items)
    outcomes = recorded(store)
    assert [each.item for each in outcomes] == list(range(len(items)))
    assert applied is None or list(applied.outcomes) == outcomes
    for each in outcomes:
        changed = azure.now[each.resource_id] != tags[each.resource_id]
        assert each.outcome is (Result.CHANGED if changed else Result.SKIPPED)
        assert not changed or each.before == tags[each.resource_id]
    assert all(each.before != each.after for each in azure.changes)


def ended(store: MemoryStore) -> bool:
    return f"runs/{APPLYING}/{OUTCOMES}" in store.objects


@settings(max_examples=400, deadline=None)
@given(estates(), st.data())
def test_applying_twice_changes_nothing_the_second_time(
    estate: tuple[dict[str, Plain], list[PlanItem]], data: st.DataObject
) -> None:
    tags, items = estate
    store, azure = MemoryStore(), ModelTags(tags)
    for scope in tags:
        for call in data.draw(st.lists(st.integers(0, 8), unique=True, max_size=2)):
            azure.script[scope, call] = Trouble(data.draw(st.sampled_from((*PASSING, "locked"))))
    plan = save(store, items)
    perform(plan, azure, means(store))
    begun = {int(key[-11:-5]) for key in store.keys(f"applied/{PLANNED}")}
    azure.script.clear()
    azure.sent.clear()
    before = {scope: dict(each) for scope, each in azure.now.items()}

    try:
        applied = perform(plan, azure, means(store, AGAIN))
    except Refused:
        assert begun == set(range(len(items)))
        assert azure.sent == []
        return
    for each in applied.outcomes:
        if each.item in begun:
            assert each.outcome is Result.SKIPPED
            assert azure.now[each.resource_id] == before[each.resource_id]


@settings(max_examples=500, deadline=None)
@given(estates(), st.data())
def test_undo_gives_back_the_original_tags_or_says_what_it_left(
    estate: tuple[dict[str, Plain], list[PlanItem]], data: st.DataObject
) -> None:
    tags, items = estate
    store, azure = MemoryStore(), ModelTags(tags)
    for scope in tags:
        for call in data.draw(st.lists(st.integers(0, 8), unique=True, max_size=3)):
            azure.script[scope, call] = Trouble(
                data.draw(st.sampled_from((*PASSING, "locked", "forbidden"))), data.draw(st.booleans())
            )
    plan = save(store, items)
    perform(plan, azure, means(store))
    azure.script.clear()
    foreign: dict[str, set[str]] = {}
    for scope in tags:
        if data.draw(st.booleans()):
            name = data.draw(spelled(data.draw(st.sampled_from(("owner", "Env", "elsewhere")))))
            azure.somebody_else(scope, {name: data.draw(st.sampled_from((None, "foreign")))})
            foreign[scope] = {name.casefold()}
    present = {scope: dict(each) for scope, each in azure.now.items()}
    marks = [(number, each.mark) for number, each in Marks(store, PLANNED).all().items()]

    found = undo(plan, marks, azure, lambda: None)
    back = save(store, found.items, run=AGAIN)
    applied = perform(back, azure, means(store, "20261122T090000Z-tag-audit-00000004"))

    assert applied.counts["failed"] == 0
    told = {each.resource_id for each in found.left} | {
        each.resource_id for each in applied.outcomes if each.outcome is Result.SKIPPED
    }
    for scope, before in tags.items():
        others = foreign.get(scope, set())
        if not others and azure.now[scope] != before:
            # All that stands in the way of a full return: a copy of another value than the one to give back.
            assert "is left from an earlier change" in (by_scope(applied.outcomes)[scope.casefold()].reason or ""), (
                found.left
            )
        if scope not in told:
            mine = {name: value for name, value in azure.now[scope].items() if name.casefold() not in others}
            assert mine == {name: value for name, value in before.items() if name.casefold() not in others}
        elif azure.now[scope] != present[scope]:
            raise AssertionError("what is said to be left was changed")


@pytest.mark.parametrize("lose", ["applied/", "outcomes"])
def test_a_lost_answer_of_the_store_costs_nothing(lose: str) -> None:
    store = MemoryStore()
    azure, plan = three(store)

    applied = perform(plan, azure, means(Lossy(store, lose)))

    assert applied.counts["changed"] == 3
    assert len(azure.sent) == 3


def test_a_store_that_fails_leaves_the_run_to_another_attempt() -> None:
    store = MemoryStore()
    azure, plan = three(store)

    def may_write() -> None:
        raise StoreError("the lock cannot be reached")

    with pytest.raises(StoreError):
        perform(plan, azure, means(store, may_write=may_write))
    assert azure.sent == []
    assert perform(plan, azure, means(store)).counts["changed"] == 3


def test_subscriptions_take_turns_and_share_their_workers() -> None:
    store = MemoryStore()
    items = [planned(group_id(one, str(number)), OWNER, {}) for one in SUBSCRIPTIONS for number in range(20)]

    lanes = _lanes(save(store, [*items, planned(items[0].resource_id.upper(), OWNER, {}, "other")]), range(41))

    assert len(lanes) == 2 * PER_SUBSCRIPTION
    assert lanes[0] is lanes[2] is not lanes[1]
    assert [len(resource) for resource in lanes[0]] == [2, *[1] * 19]


def test_whoever_presses_ctrl_c_again_and_again_waits_all_the_same() -> None:
    """The threads may be writing."""
    waits: list[bool] = []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait, cancel_futures=cancel_futures)
            waits.append(wait and cancel_futures)
            if len(waits) < 3:
                raise KeyboardInterrupt

    _await(Pool())

    assert waits == [True, True, True]


def test_an_outcome_has_all_that_was_told_of_it() -> None:
    store = MemoryStore()
    _, plan = three(store)
    done = Done(Result.FAILED, "so", {"a": "1"}, {"a": "2"}, 2, tombstone="tombstones/x", unread=True, unsure=True)
    order = Order(plan=plan.id, digest=plan.digest, only=(A,))

    applied = apply(order, Terms(SUBSCRIPTIONS, 1000, 1.0), means(store), lambda _, __: done)

    (told,) = applied.outcomes
    assert (told.outcome, *done[1:]) == (
        Result.FAILED, told.reason, told.before, told.after, told.writes, told.tombstone, told.unread, told.unsure
    )  # fmt: skip
    assert recorded(store) == [told]


def test_as_many_are_at_work_as_there_may_be() -> None:
    store = MemoryStore()
    scopes = [group_id(one, str(number)) for one in SUBSCRIPTIONS for number in range(6)]
    plan = save(store, [planned(scope, OWNER, {}) for scope in scopes])
    together, at_work = threading.Barrier(4), threading.Semaphore(4)

    def act(_: PlanItem, __: Hand) -> Done:
        assert at_work.acquire(blocking=False)
        together.wait(30)
        at_work.release()
        together.wait(30)
        return Done(Result.CHANGED, None, {}, {}, 1)

    order = Order(plan=plan.id, digest=plan.digest)
    applied = apply(order, Terms(SUBSCRIPTIONS, 1000, 1.0), means(store, writers=4), act)

    assert applied.counts["changed"] == 12


def test_what_the_timer_would_apply_can_be_checked_too() -> None:
    store = MemoryStore()
    _, plan = three(store)

    order = Order(plan=plan.id, digest=plan.digest, automatic=True)

    assert check(order, Terms(SUBSCRIPTIONS, 1000, 1.0), store, NOW) == plan


def test_many_threads_change_everything_once() -> None:
    store = MemoryStore()
    scopes = [group_id(one, str(number)) for one in SUBSCRIPTIONS for number in range(100)]
    azure = ModelTags({scope: {"env": "prod"} for scope in scopes})
    change = TagChange(set={"Env": "prod"}, remove=("env",))
    plan = save(store, [planned(scope, change, azure.now[scope]) for scope in scopes])

    applied = perform(plan, azure, means(store, writers=48))

    assert applied.counts["changed"] == 200
    assert all(tags == {"Env": "prod"} for tags in azure.now.values())
    assert len(azure.sent) == 800
    assert Plans(store).get(PLANNED) == plan


@settings(max_examples=400, deadline=None)
@given(
    estates(),
    st.lists(st.sampled_from((*SUBSCRIPTIONS, "*", "5e000000-*")), max_size=2),
    st.integers(0, 5),
    st.sampled_from((0.0, 0.2, 0.5, 1.0)),
    st.integers(0, 10),
)
def test_nothing_is_written_outside_the_armed_scope_or_over_a_limit(
    estate: tuple[dict[str, Plain], list[PlanItem]], armed: list[str], most: int, share: float, read: int
) -> None:
    tags, items = estate
    store, azure = MemoryStore(), ModelTags(tags)
    plan = save(store, items, read=read)
    counts = [sum(item.subscription_id == one for item in items) for one in SUBSCRIPTIONS]
    allowed = (
        {item.subscription_id for item in items} <= set(armed)
        and len(items) <= most
        and all(not count or (read and count <= max(1, share * read)) for count in counts)
    )

    try:
        perform(plan, azure, means(store), Terms(armed, most, share))
    except Refused:
        assert not allowed
        assert azure.sent == []
        assert azure.now == tags
    else:
        assert allowed
