"""One change of tags in an Azure that loses answers, refuses, lags, dies, and has other writers."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.acting import Done
from shared_code.errors import Damaged, Fenced, Stopped, Unauthenticated, Unreachable
from shared_code.model import Kind, TagChange, Tags
from shared_code.outcomes import Result
from shared_code.plan import PlanItem
from shared_code.retagging import WAITS, retag
from shared_code.tag_changes import temporary
from shared_code.tag_keys import fold
from shared_code.tag_rules import RuleMode
from tests.stores import Killed
from tests.tag_model import (
    LASTING,
    PASSING,
    VALUES,
    Change,
    ModelTags,
    Plain,
    Trouble,
    carried,
    changes_of,
    named_by,
    tag_sets,
    untouched,
    wanted_of,
)

SCOPE = "/subscriptions/s/resourceGroups/g"


def item_of(change: TagChange, seen: Plain) -> PlanItem:
    return PlanItem(
        resource_id=SCOPE,
        subscription_id="s",
        kind=Kind.RESOURCE_GROUP,
        rule="r",
        mode=RuleMode.APPROVE,
        reason="so",
        seen=dict(seen),
        change=change,
    )


class Hand:
    """Lets everything through, and remembers."""

    plan, number = "p", 0

    def __init__(self, gate: Callable[[], None] = lambda: None, begun_with: Tags | None = None) -> None:
        self.begun_with = begun_with
        self.claimed: list[Tags] = []
        self.slept = 0.0
        self.may_write = gate

    def halted(self) -> bool:
        return False

    def begin(self, before: Tags) -> None:
        self.claimed.append(before)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


def perform(azure: ModelTags, change: TagChange, seen: Plain, hand: Hand | None = None) -> Done:
    return retag(item_of(change, seen), hand or Hand(), azure)


def final(azure: ModelTags) -> Plain:
    return azure.now[SCOPE]


def check_writes(change: TagChange, before: Plain, azure: ModelTags) -> None:
    """No write of ours touched a tag that is not named, or took away a value that the change moves.

    What somebody else wrote under a named key since our last reading is all that a Merge can still cover: Azure has no
    conditional write.
    """
    moved = carried(change, before) & carried(change, wanted_of(change, before))
    others_named = any(not each.by_us and touched(each) & named_by(change) for each in azure.changes)
    for each in azure.changes:
        if not each.by_us:
            continue
        assert untouched(change, each.after) == untouched(change, each.before)
        if not others_named:
            assert (moved & carried(change, each.before)) <= carried(change, each.after)
        lost = {name: value for name, value in each.before.items() if name not in each.after}
        operation, tags = each.write
        if operation == "Delete":
            given_values = {fold(name): value for name, value in tags.items()}
            known = {fold(name): value for name, value in before.items()}
            for name, value in lost.items():
                assert given_values[fold(name)] == value or known.get(fold(name), change.set.get(name, "")) == ""
        elif (seen := each.seen_last) is not None and seen == each.before:
            covered = {name for name, value in each.before.items() if each.after.get(name) != value}
            assert covered <= set(change.set) | {temporary(name) for name in change.set}


def touched(each: Change) -> set[str]:
    names = {*each.before, *each.after}
    return {fold(name) for name in names if each.before.get(name) != each.after.get(name)}


def passing_trouble(data: st.DataObject, calls: int) -> dict[tuple[str, int], Trouble]:
    """At most as many lost answers and refusals as are tried again."""
    at = data.draw(st.lists(st.integers(0, calls), unique=True, max_size=len(WAITS) - 1))
    return {
        (SCOPE, call): Trouble(data.draw(st.sampled_from(PASSING)), after=data.draw(st.booleans()))
        for call in at
        if call > 0  # A first reading that fails is a reason to skip.
    }


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_whatever_gets_lost_the_change_is_made_and_nothing_else(data: st.DataObject) -> None:
    before = data.draw(tag_sets())
    change = data.draw(changes_of(before))
    azure = ModelTags({SCOPE: before}, passing_trouble(data, 14))

    done = perform(azure, change, before)

    wanted = wanted_of(change, before)
    assert final(azure) == wanted
    if wanted == before:
        assert (done.result, done.reason) == (Result.SKIPPED, "it is already as wanted")
        assert azure.sent == []
    else:
        assert done == Done(Result.CHANGED, None, dict(before), dict(wanted), len(azure.sent) + failed_before(azure))
    check_writes(change, before, azure)


def failed_before(azure: ModelTags) -> int:
    """How many requests to write failed before they did anything, so that the model does not count them as sent."""
    return azure.refused


@settings(max_examples=3000, deadline=None)
@given(st.data())
def test_with_another_writer_and_any_trouble_the_word_is_true(data: st.DataObject) -> None:
    before = data.draw(tag_sets())
    change = data.draw(changes_of(before))
    names = sorted({*change.set, *change.remove, "unrelated", *map(temporary, change.set)})
    foreign = st.dictionaries(st.sampled_from(names), st.sampled_from((None, *VALUES, "foreign")), max_size=2)
    script = {
        (SCOPE, call): Trouble(
            data.draw(st.sampled_from(("", "", "", *PASSING, *LASTING))),
            data.draw(st.booleans()),
            data.draw(foreign),
        )
        for call in data.draw(st.lists(st.integers(0, 14), unique=True, max_size=6))
    }
    azure = ModelTags({SCOPE: before}, script)
    hand = Hand()

    done = perform(azure, change, before, hand)

    check_writes(change, before, azure)
    match done.result:
        case Result.CHANGED:
            assert done.reason is None
            assert azure.last_read(SCOPE) == done.after
            assert all((done.after or {}).get(name) == value for name, value in spelled_now(change, done).items())
            assert not {fold(name) for name in done.after or {}} & gone(change)
        case Result.SKIPPED:
            assert not any(each.by_us for each in azure.changes)
            assert hand.claimed == []
        case Result.FAILED:
            assert done.writes > 0
            assert done.after is None or done.after == azure.last_read(SCOPE)


def spelled_now(change: TagChange, done: Done) -> Plain:
    names = {fold(name): name for name in done.after or {}}
    return {names.get(fold(name), name): value for name, value in change.set.items()}


def gone(change: TagChange) -> set[str]:
    return {fold(name) for name in change.remove} - {fold(name) for name in change.set}


@settings(max_examples=800, deadline=None)
@given(st.data())
def test_killed_anywhere_and_gone_on_with_it_ends_the_same(data: st.DataObject) -> None:
    before = data.draw(tag_sets())
    change = data.draw(changes_of(before))
    azure = ModelTags({SCOPE: before})
    claimed: Tags | None = None
    for _ in range(data.draw(st.integers(1, 4))):
        at = azure.calls[SCOPE] + data.draw(st.integers(0, 9))
        azure.script[SCOPE, at] = Trouble("killed", after=data.draw(st.booleans()))
        hand = Hand(begun_with=claimed)
        try:
            perform(azure, change, before, hand)
        except Killed:
            claimed = claimed if claimed is not None else next(iter(hand.claimed), None)
        else:
            return  # The rest is what the other properties say.
    azure.script.clear()

    done = perform(azure, change, before, Hand(begun_with=claimed))

    assert final(azure) == wanted_of(change, before)
    assert done.result is (Result.SKIPPED if claimed is None and final(azure) == before else Result.CHANGED)
    if done.result is Result.CHANGED:
        assert done.before == before
    check_writes(change, before, azure)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_after_stop_nothing_is_written(data: st.DataObject) -> None:
    before = data.draw(tag_sets())
    change = data.draw(changes_of(before))
    azure = ModelTags({SCOPE: before})
    allowed = data.draw(st.integers(0, 4))

    def gate() -> None:
        if len(azure.sent) >= allowed:
            raise Stopped("Changes are stopped.")

    done = perform(azure, change, before, Hand(gate))

    assert len(azure.sent) <= allowed
    kept = carried(change, before) & carried(change, wanted_of(change, before))
    assert kept <= carried(change, final(azure))
    if final(azure) != wanted_of(change, before):
        assert done.reason == "Changes are stopped."
        assert done.result is (Result.FAILED if azure.sent else Result.SKIPPED)
        assert done.after == final(azure)


RECASE = TagChange(set={"Env": "prod"}, remove=("env",))


class TestTrouble:
    def test_readings_that_lag_are_waited_for(self) -> None:
        azure = ModelTags({SCOPE: {"env": "prod"}})
        for call in range(1, 9):
            azure.script[SCOPE, call] = Trouble(late=1)
        hand = Hand()

        done = perform(azure, TagChange(set={"owner": "x"}), {"env": "prod"}, hand)

        assert (done.result, done.writes) == (Result.FAILED, 1)
        assert "does not show it" in (done.reason or "")
        assert hand.slept == sum(WAITS)

    def test_a_short_lag_is_no_failure(self) -> None:
        azure = ModelTags({SCOPE: {}}, {(SCOPE, call): Trouble(late=1) for call in (2, 3)})

        assert perform(azure, TagChange(set={"owner": "x"}), {}).result is Result.CHANGED

    def test_a_type_that_keeps_its_spelling_for_ever_is_told_and_left_tidy(self) -> None:
        azure = ModelTags({SCOPE: {"env": "prod"}})
        azure.keeps_spelling = True

        done = perform(azure, RECASE, {"env": "prod"})

        assert done.result is Result.FAILED
        assert "keep the spelling" in (done.reason or "")
        assert final(azure) == {"env": "prod"} == done.after

    @pytest.mark.parametrize("fault", LASTING)
    def test_what_will_not_pass_is_not_tried_again(self, fault: str) -> None:
        azure = ModelTags({SCOPE: {"env": "prod"}}, {(SCOPE, 3): Trouble(fault)})

        done = perform(azure, RECASE, {"env": "prod"})

        assert done.result is Result.FAILED
        assert final(azure) == {"env": "prod"}
        assert [operation for _, operation, _ in azure.sent] == ["Merge", "Delete"]

    def test_a_conflict_that_stays_is_given_up_after_growing_waits(self) -> None:
        azure = ModelTags({SCOPE: {}}, {(SCOPE, call): Trouble("conflict") for call in range(1, 40, 2)})
        hand = Hand()

        done = perform(azure, TagChange(set={"owner": "x"}), {}, hand)

        assert (done.result, done.writes) == (Result.FAILED, len(WAITS) + 1)
        assert done.reason == "given up after 6 tries: 409"
        assert hand.slept == sum(WAITS)

    def test_gone_before_anything_was_written_is_skipped(self) -> None:
        done = perform(ModelTags({}), TagChange(set={"owner": "x"}), {})

        assert (done.result, done.reason) == (Result.SKIPPED, "it is gone, or not visible: gone")

    def test_unverified_is_never_called_changed(self) -> None:
        azure = ModelTags({SCOPE: {}}, {(SCOPE, call): Trouble("lost") for call in range(2, 20)})

        done = perform(azure, TagChange(set={"owner": "x"}), {})

        assert final(azure) == {"owner": "x"}
        assert (done.result, done.after) == (Result.FAILED, None)
        assert done.reason == "it cannot be verified: no answer"

    def test_a_process_that_was_taken_over_writes_nothing_more(self) -> None:
        azure = ModelTags({SCOPE: {"env": "prod"}})

        def gate() -> None:
            if azure.sent:
                raise Fenced("taken over")

        with pytest.raises(Fenced):
            perform(azure, RECASE, {"env": "prod"}, Hand(gate))

        assert len(azure.sent) == 1

    def test_every_write_is_allowed_twice_before_it_is_sent(self) -> None:
        """Before the claim, and when its turn has come; after a refusal nothing is claimed, or nothing is sent."""

        def refused_after(calls: int) -> tuple[Done, Hand, ModelTags]:
            left = iter([None] * calls)

            def gate() -> None:
                if next(left, "no") is not None:
                    raise Stopped("Changes are stopped.")

            azure, hand = ModelTags({SCOPE: {}}), Hand(gate)
            return perform(azure, TagChange(set={"owner": "x"}), {}, hand), hand, azure

        claims: tuple[list[Tags], ...] = ([], [{}])
        for calls, claimed in enumerate(claims):
            done, hand, azure = refused_after(calls)
            assert (done.result, done.reason, done.writes) == (Result.SKIPPED, "Changes are stopped.", 0)
            assert (hand.claimed, azure.sent) == (claimed, [])
        assert refused_after(2)[0].result is Result.CHANGED

    def test_it_is_claimed_once_however_many_writes_it_takes(self) -> None:
        hand = Hand()

        done = perform(ModelTags({SCOPE: {"env": "prod"}}), RECASE, {"env": "prod"}, hand)

        assert (done.result, done.writes) == (Result.CHANGED, 4)
        assert (hand.claimed, hand.slept) == ([{"env": "prod"}], 0)

    def test_a_plan_that_does_not_say_what_to_change(self) -> None:
        item = msgspec.structs.replace(item_of(RECASE, {}), change=None)

        with pytest.raises(Damaged, match=f"^the plan does not say how to change the tags of '{SCOPE}'$"):
            retag(item, Hand(), ModelTags({SCOPE: {}}))


class TestReading:
    """What cannot be read before the first write is left; after it, the answer matters."""

    @pytest.mark.parametrize(("fault", "unread"), [("trouble", True), ("forbidden", True), ("gone", False)])
    def test_before_the_first_write_it_is_asked_once(self, fault: str, *, unread: bool) -> None:
        azure, hand = ModelTags({SCOPE: {}}, {(SCOPE, 0): Trouble(fault)}), Hand()

        done = perform(azure, TagChange(set={"owner": "x"}), {}, hand)

        assert (done.result, done.unread, done.unsure) == (Result.SKIPPED, unread, False)
        assert (azure.calls[SCOPE], hand.slept) == (1, 0)

    def test_what_an_earlier_attempt_began_is_asked_about_patiently(self) -> None:
        azure = ModelTags({SCOPE: {}}, {(SCOPE, call): Trouble("trouble") for call in (0, 1)})
        hand = Hand(begun_with={})

        assert perform(azure, TagChange(set={"owner": "x"}), {}, hand).result is Result.CHANGED
        assert hand.slept == sum(WAITS[:2])

    def test_what_an_earlier_attempt_began_has_failed_if_it_cannot_be_gone_on_with(self) -> None:
        """It is never called skipped: something was written, or may have been."""
        forbidden = ModelTags({SCOPE: {}}, {(SCOPE, 0): Trouble("forbidden")})
        changed = ModelTags({SCOPE: {"owner": "somebody@example.com"}})

        unread, other = (
            perform(azure, TagChange(set={"owner": "x"}), {}, Hand(begun_with={})) for azure in (forbidden, changed)
        )

        assert (unread.result, unread.unread, unread.writes) == (Result.FAILED, True, 0)
        assert (other.result, other.unread, other.writes) == (Result.FAILED, False, 0)
        assert (other.reason or "").startswith("stopped half-way, since ")

    def test_an_answer_that_will_not_come_is_not_waited_for(self) -> None:
        """Nobody knows then whether the change was made."""
        azure, hand = ModelTags({SCOPE: {}}, {(SCOPE, 2): Trouble("forbidden")}), Hand()

        done = perform(azure, TagChange(set={"owner": "x"}), {}, hand)

        assert (done.result, done.reason, done.after) == (Result.FAILED, "it cannot be verified: no role", None)
        assert (done.unsure, azure.calls[SCOPE], hand.slept) == (True, 3, 0)


class TestUnsure:
    """Whether a write that did not show may take effect yet."""

    def test_it_may_where_no_answer_came(self) -> None:
        azure = ModelTags({SCOPE: {}}, {(SCOPE, call): Trouble("lost") for call in range(1, 40, 2)})

        assert perform(azure, TagChange(set={"owner": "x"}), {}).unsure

    def test_it_may_where_azure_accepted_it(self) -> None:
        azure = ModelTags({SCOPE: {}}, {(SCOPE, call): Trouble(late=1) for call in range(1, 9)})

        assert perform(azure, TagChange(set={"owner": "x"}), {}).unsure

    @pytest.mark.parametrize("fault", LASTING)
    def test_it_may_not_where_azure_refused_it(self, fault: str) -> None:
        azure, hand = ModelTags({SCOPE: {}}, {(SCOPE, 1): Trouble(fault)}), Hand()

        done = perform(azure, TagChange(set={"owner": "x"}), {}, hand)

        assert (done.result, done.unsure, hand.slept) == (Result.FAILED, False, 0)

    def test_nor_where_nothing_was_sent(self) -> None:
        """Its turn never came, however often it was tried."""

        class Cut(ModelTags):
            def merge(self, scope: str, tags: Plain, ready: Callable[[], None] = lambda: None) -> None:  # noqa: ARG002
                raise Unreachable("no answer")

        done = perform(Cut({SCOPE: {}}), TagChange(set={"owner": "x"}), {})

        assert (done.result, done.writes, done.unsure) == (Result.SKIPPED, 0, False)

    def test_nor_where_there_was_no_token(self) -> None:
        class Anonymous(ModelTags):
            def merge(self, scope: str, tags: Plain, ready: Callable[[], None] = lambda: None) -> None:  # noqa: ARG002
                ready()
                raise Unauthenticated("no token")

        done = perform(Anonymous({SCOPE: {}}), TagChange(set={"owner": "x"}), {})

        assert (done.result, done.reason, done.writes, done.unsure) == (Result.FAILED, "no token", 1, False)


class TestRetreat:
    """What stops half-way leaves no copy of a value behind, as far as it may."""

    COPY = temporary("Env")

    def stopped(self, *more: tuple[int, Trouble], gate: Callable[[], None] = lambda: None) -> tuple[Done, ModelTags]:
        """The second write, which removes the old spelling, is refused; more happens at other calls."""
        script = {(SCOPE, call): trouble for call, trouble in ((3, Trouble("forbidden")), *more)}
        azure = ModelTags({SCOPE: {"env": "prod"}}, script)
        return perform(azure, RECASE, {"env": "prod"}, Hand(gate)), azure

    def test_the_copy_is_removed(self) -> None:
        done, _ = self.stopped()

        assert (done.result, done.reason, done.after) == (Result.FAILED, "no role", {"env": "prod"})

    def test_what_took_effect_although_it_was_refused_is_gone_on_with(self) -> None:
        """Only the reading counts."""
        done, azure = self.stopped((3, Trouble("forbidden", after=True)))

        assert (done.result, final(azure)) == (Result.CHANGED, {"Env": "prod"})

    def test_a_copy_that_cannot_be_removed_is_told(self) -> None:
        done, _ = self.stopped((5, Trouble("locked")))

        assert done.reason == "no role; the copy of a value could not be removed: a lock"
        assert done.after == {"env": "prod", self.COPY: "prod"}

    def test_a_copy_that_may_not_be_removed_is_told(self) -> None:
        asked = 0

        def gate() -> None:
            nonlocal asked
            asked += 1
            if asked > 4:
                raise Stopped("Changes are stopped.")

        done, _ = self.stopped(gate=gate)

        assert done.reason == "no role; the copy of a value was left: Changes are stopped."
        assert done.after == {"env": "prod", self.COPY: "prod"}

    def test_what_somebody_undid_is_not_done_again(self) -> None:
        done, azure = self.stopped((3, Trouble("conflict", other={self.COPY: None})))

        assert (done.result, done.reason) == (
            Result.FAILED,
            "stopped half-way, since somebody undid a part of it",
        )
        assert final(azure) == {"env": "prod"} == done.after
