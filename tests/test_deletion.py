"""Deleting one thing: what is looked at again, what is saved first, and what is said of the end."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from shared_code.acting import Done
from shared_code.activity import Evidence, Span, Write, Writers, no_evidence, write_of
from shared_code.apply import Applied
from shared_code.cleanup_rule import Judged, Rule
from shared_code.cleanup_settings import RuleSettings
from shared_code.deletion import (
    LONGEST_LOOK,
    LONGEST_WAIT,
    PATIENCE,
    SHORTEST_WAIT,
    TRIES,
    VOLATILE,
    Presence,
    Removal,
    Seen,
    difference,
    look,
    out_of_scope,
    remove,
    unplanned,
)
from shared_code.errors import Fenced, StoreError
from shared_code.jobs.removing import removal_of, rules_of
from shared_code.model import Resource, Subscription, Tags
from shared_code.outcomes import Marks, Outcome, Result
from shared_code.plan import Plan, PlanItem
from shared_code.ports import Followed
from shared_code.runs import RunStatus
from shared_code.settings import Cleanup, configure
from shared_code.snoozes import Snoozes
from shared_code.tombstones import tombstone_key
from shared_code.unfinished import completed
from shared_code.work import Work
from tests.azure_model import FAULTS, AzureModel, Deleted, Ending
from tests.cleaning import (
    AGAIN,
    APPLYING,
    JOB,
    ONE,
    PLANNED,
    RULES,
    TWO,
    Act,
    Fault,
    carry,
    cleaning,
    item_of,
    noted,
    only,
    pending,
    save,
    tombstones,
    toml,
    work_for,
)
from tests.stores import DeadAfter, Killed, Passing
from tests.world import World

DAY = timedelta(days=1)

type Happening = Callable[[AzureModel], None]


class Scene:
    """One thing that nobody needs, and a plan to delete it."""

    def __init__(self, kind: str = "disk", rule: str = "unattached-disk", **item: Any) -> None:
        self.world, self.model = cleaning(toml(ONE, TWO, rules={**RULES, "stale-resource-group": {}}))
        self.group = self.model.new_group()
        self.own = self.group if kind == "group" else self.model.put(self.group, kind, "one")
        if kind == "group":
            self.model.tag(self.own, "delete-after", "2026-11-01")
            self.member = self.model.put(self.group, "account", "store", tags={"env": "dev"})
        self.plan: Plan = save(self.world, item_of(self.world, self.model, self.own, rule, **item))
        self.key = self.own.casefold()
        self.model.calls.clear()

    def at(self, place: str, *happenings: Happening, call: int = 0) -> None:
        """Let something happen at a call about the thing."""
        self.model.script[f"{place} {self.key}", call] = list(happenings)

    def end(self, **ending: Any) -> None:
        """Say how the deletion goes."""
        self.model.endings[self.key] = Ending(**ending)

    def applied(self, run: str = APPLYING, work: Callable[[Work], Work] = lambda work: work) -> Applied:
        return carry(self.world, self.model, self.plan, run, work)

    def outcome(self, run: str = APPLYING) -> Outcome:
        return only(self.applied(run))

    def alone(
        self, halted_after: int = 1_000_000, item: PlanItem | None = None, **changes: Any
    ) -> tuple[Done, list[float]]:
        """Delete it without an engine; say what became of it, and how long each wait was."""
        self.model.run = APPLYING
        work = work_for(self.world, self.model, APPLYING)
        settings = work.configuration.jobs[JOB]
        assert isinstance(settings, Cleanup)
        hand = Alone(self.world, halted_after)
        removal: Removal = replace(removal_of(work, settings), **changes)
        return remove(item or self.plan.items[0], hand, removal), hand.pauses

    def rule(self) -> tuple[Rule, RuleSettings]:
        """The rule of the item, and what the operator says of it."""
        settings = configure(self.world.toml, "steward.toml", {}).jobs[JOB]
        assert isinstance(settings, Cleanup)
        return rules_of(settings)[self.plan.items[0].rule]

    def check_untouched(self, outcome: Outcome, reason: str) -> None:
        """Nothing was sent, nothing saved, and the reason says why."""
        assert (outcome.outcome, outcome.writes, outcome.tombstone) == (Result.SKIPPED, 0, None)
        assert reason in (outcome.reason or "")
        assert (self.model.sent, tombstones(self.world.store)) == ([], [])
        assert Marks(self.world.store, PLANNED).all() == {}


class Alone:
    """A hand without an engine, that is told to stop after so many waits."""

    def __init__(self, world: World, halted_after: int) -> None:
        self.plan, self.number = PLANNED, 0
        self.begun_with: Tags | None = None
        self.pauses: list[float] = []
        self._world, self._halted_after = world, halted_after

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._world.sleep(seconds)

    def halted(self) -> bool:
        return len(self.pauses) >= self._halted_after

    def may_write(self) -> None:
        """It always may."""

    def begin(self, before: Tags) -> None:
        """Nobody else does."""


@pytest.fixture(name="scene")
def _scene() -> Scene:
    """A disk that no machine uses."""
    return Scene()


def wrote(days: float | None, now: datetime) -> Write | None:
    """What the activity log tells of somebody, so many days ago."""
    return None if days is None else write_of(now - days * DAY, "developer@example.com")


def group() -> Scene:
    """A group past its date, with an account in it."""
    return Scene("group", "expired")


class TestDeleted:
    def test_at_once(self, scene: Scene) -> None:
        applied = scene.applied()

        assert applied.verdict == (RunStatus.SUCCEEDED, None)
        assert applied.counts == {"deleted": 1, "deleting": 0, "skipped": 0, "failed": 0}
        outcome = only(applied)
        assert (outcome.reason, outcome.writes, outcome.before, outcome.unsure) == (None, 1, None, False)
        assert outcome.tombstone == f"tombstones/{PLANNED}/000000.json"
        assert scene.key not in scene.model.things
        assert pending(scene.world) == []

    def test_accepted_and_done_after_some_questions(self, scene: Scene) -> None:
        """Azure is asked at the pace it wants, until it has ended."""
        scene.end(looks=4)
        begun = scene.world.now

        assert scene.outcome().outcome is Result.DELETED
        assert scene.model.calls[f"follow {scene.key}"] == 4
        assert scene.world.now - begun >= timedelta(seconds=4)

    def test_gone_and_still_shown(self, scene: Scene) -> None:
        """Azure's lists and readings lag: it is deleted once it is no longer shown."""
        scene.end(looks=1, lag=3)

        assert scene.outcome().outcome is Result.DELETED
        assert scene.model.calls[f"target {scene.key}"] == 5

    @pytest.mark.parametrize("fault", ["trouble", "throttled", "unreadable", "forbidden"])
    def test_trouble_with_a_question_says_nothing(self, scene: Scene, fault: str) -> None:
        scene.end(looks=2)
        scene.at("follow", Fault(fault))

        assert scene.outcome().outcome is Result.DELETED

    def test_the_answer_is_lost_and_it_was_accepted(self, scene: Scene) -> None:
        """It is looked for, and never asked again."""
        scene.end(answers=("lost after",), looks=2, quiet=True)

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes) == (Result.DELETED, 1)
        assert len(scene.model.sent) == 1

    def test_the_operation_failed_and_the_thing_is_gone(self, scene: Scene) -> None:
        """What counts is what is there."""
        scene.end(looks=2, end="failed")
        scene.at("follow", Act("vanish", (scene.own,)), call=1)

        assert scene.outcome().outcome is Result.DELETED

    @pytest.mark.parametrize("fault", ["conflict", "throttled"])
    def test_azure_cannot_just_now(self, scene: Scene, fault: str) -> None:
        """It is asked again a few times, with a pause, and each time after another look."""
        scene.end(answers=(fault,) * (TRIES - 1))
        begun = scene.world.now

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes) == (Result.DELETED, TRIES)
        assert scene.world.now - begun >= timedelta(seconds=2 + 4 + 8)
        assert scene.model.calls[f"target {scene.key}"] == TRIES + 1

    def test_its_subscription_is_known_in_any_spelling(self, scene: Scene) -> None:
        item = msgspec.structs.replace(scene.plan.items[0], subscription_id="5E")

        done, _ = scene.alone(item=item, subscriptions={"5e": scene.model.subs[ONE]})

        assert done.result is Result.DELETED

    def test_azure_cannot_just_now_and_is_given_more_time_each_time(self, scene: Scene) -> None:
        scene.end(answers=("conflict",) * TRIES)

        assert scene.alone()[1][: TRIES - 1] == [2, 4, 8]

    def test_gone_when_it_is_asked_for_again(self, scene: Scene) -> None:
        """The first try was refused, or was not: who knows what it has done."""
        scene.end(answers=("conflict",))
        scene.at("delete", Act("vanish", (scene.own,)), call=1)

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.reason, outcome.writes) == (Result.DELETED, None, 2)

    def test_azure_gives_another_address_to_ask_each_time(self, scene: Scene) -> None:
        """Each is asked once; where it gives none, the last one is asked again."""
        asked: list[str] = []

        class Moving(AzureModel):
            def __init__(self, model: AzureModel) -> None:
                self.__dict__ = model.__dict__

            def follow(self, operation: str) -> Followed:
                asked.append(operation.removeprefix(scene.key))
                followed = super().follow(operation)
                moved = None if len(asked) == 2 else f"{operation}+"
                return followed if followed.ended else msgspec.structs.replace(followed, operation=moved)

        scene.end(looks=4)
        outcome = only(scene.applied(work=lambda work: replace(work, remover=Moving(scene.model))))

        assert outcome.outcome is Result.DELETED
        assert [each.count("+") for each in asked] == [0, 1, 1, 2]

    def test_what_lies_below_it_goes_along(self) -> None:
        """It is in the tombstone; only a resource group is exported."""
        world, model = cleaning()
        own = model.put(model.new_group(), "disk", "one")
        below = model.put(own, "account", "store", tags={"env": "dev"})
        plan = save(world, item_of(world, model, own))

        assert only(carry(world, model, plan)).outcome is Result.DELETED

        [saved] = tombstones(world.store)
        assert ([(each.id, each.tags) for each in saved.members], saved.template) == ([(below, {"env": "dev"})], None)
        assert not model.calls[f"template {own.casefold()}"]

    def test_with_everything_in_it(self) -> None:
        """What was in the group, and what Azure exports of it, is in the tombstone."""
        scene = group()
        scene.end(looks=3)

        assert scene.outcome().outcome is Result.DELETED
        [saved] = tombstones(scene.world.store)
        assert [(each.id, each.tags) for each in saved.members] == [(scene.member, {"env": "dev"})]
        assert saved.template == {"template": {"resources": [scene.member]}}
        assert scene.model.things == {}

    def test_an_empty_group_has_no_template(self) -> None:
        scene = Scene("group", "empty-resource-group")
        scene.model.vanish(scene.member)

        assert scene.outcome().outcome is Result.DELETED
        assert [each.template for each in tombstones(scene.world.store)] == [None]
        assert not scene.model.calls[f"template {scene.key}"]


class TestFailed:
    """It is there as if nothing were, and Azure is done with it."""

    def test_rolled_back(self, scene: Scene) -> None:
        scene.end(looks=3, end="failed")

        applied = scene.applied()

        outcome = only(applied)
        assert (outcome.outcome, outcome.writes) == (Result.FAILED, 1)
        assert outcome.reason == "it is still there: it was rolled back"
        assert applied.verdict == (
            RunStatus.FAILED,
            f"Not deleted as planned: {scene.own}: it is still there: it was rolled back",
        )

    def test_a_group_of_which_a_part_is_gone(self) -> None:
        """The group is there, so it is not deleted; what it was is saved."""
        scene = group()
        scene.end(looks=2, end="partly")

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.reason) == (Result.FAILED, "it is still there: it was rolled back")
        assert scene.key in scene.model.things
        assert scene.member.casefold() not in scene.model.things
        assert outcome.tombstone

    @pytest.mark.parametrize("fault", ["locked", "forbidden", "unauthenticated"])
    def test_refused_for_good(self, scene: Scene, fault: str) -> None:
        """It is asked once, and nobody waits."""
        scene.end(answers=(fault,))
        begun = scene.world.now

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes) == (Result.FAILED, 1)
        assert outcome.reason == f"it is still there: {FAULTS[fault]()}"
        assert scene.world.now == begun

    @pytest.mark.parametrize("fault", ["conflict", "throttled"])
    def test_azure_cannot_however_often_it_is_asked(self, scene: Scene, fault: str) -> None:
        scene.end(answers=(fault,) * TRIES)

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes) == (Result.FAILED, TRIES)
        assert outcome.reason == f"it is still there: {FAULTS[fault]()}"

    @pytest.mark.parametrize("fault", ["trouble", "throttled", "unreadable", "forbidden"])
    def test_rolled_back_while_nobody_could_ask(self, scene: Scene, fault: str) -> None:
        """Azure is asked on, and its word is heard."""
        scene.end(looks=3, end="failed")
        scene.at("follow", Fault(fault))

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.reason) == (Result.FAILED, "it is still there: it was rolled back")

    def test_refused_and_then_nobody_can_tell(self, scene: Scene) -> None:
        """Nobody says that it is still there before that is seen."""
        scene.end(answers=("locked",))
        scene.at("target", Fault("trouble"), call=1)
        scene.at("target", Fault("unreadable"), call=2)

        outcome = scene.outcome()

        assert (outcome.outcome, scene.model.calls[f"target {scene.key}"]) == (Result.FAILED, 4)

    def test_refused_since_somebody_else_deletes_it(self, scene: Scene) -> None:
        """It is waited for like any other."""
        scene.end(answers=("locked",))
        scene.at("target", Fault("trouble"), call=1)
        scene.at("target", Act("vanish", (scene.own,)), call=2)

        assert scene.outcome().outcome is Result.DELETED

    def test_somebody_attaches_it_just_before(self, scene: Scene) -> None:
        """Azure says that it is in use."""
        scene.at("delete", Act("attach", (scene.own,)))

        assert scene.outcome().reason == "it is still there: InUse"


class TestDeleting:
    """Azure is at it, or nobody can tell: the next run looks again."""

    def test_it_takes_longer_than_anybody_waits(self, scene: Scene) -> None:
        scene.end(looks=10_000)

        applied = scene.applied()

        outcome = only(applied)
        assert outcome.outcome is Result.DELETING
        assert outcome.reason == "Azure accepted the deletion; Azure is still deleting it"
        assert applied.verdict == (RunStatus.SUCCEEDED, None)
        [one] = noted(scene.world.store)
        assert (one.plan, one.item, one.run, one.resource_id) == (PLANNED, 0, APPLYING, scene.own)
        assert (one.rule, one.tombstone, one.since) == ("unattached-disk", outcome.tombstone, scene.world.now)

    def test_still_shown_as_if_nothing_were(self, scene: Scene) -> None:
        """Accepted, and no word of failure: it may well be on its way."""
        scene.end(looks=0, lag=10_000)

        assert scene.outcome().reason == "Azure accepted the deletion; Azure still shows it"
        assert pending(scene.world) == [scene.own]

    @pytest.mark.parametrize("fault", ["lost", "trouble", "unreadable"])
    def test_the_answer_is_lost_and_nothing_is_seen_to_happen(self, scene: Scene, fault: str) -> None:
        """Something may yet come of it, so nobody says that it failed; it is never asked again."""
        scene.end(answers=(fault,))
        begun = scene.world.now

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes) == (Result.DELETING, 1)
        assert outcome.reason == f"{FAULTS[fault]()}; Azure still shows it"
        assert scene.world.now - begun >= timedelta(seconds=PATIENCE)
        assert pending(scene.world) == [scene.own]

    @pytest.mark.parametrize(
        ("place", "reason"),
        [
            ("target {key}", "nobody can tell whether it is there: no role"),
            ("group {key}", "it is not shown, and its parent cannot be read: no role"),
            ("locks " + ONE, "it is not shown, and its subscription cannot be read: no role"),
        ],
        ids=["itself", "its group", "its subscription"],
    )
    def test_nobody_can_tell(self, scene: Scene, place: str, reason: str) -> None:
        """That it is gone is believed only where its parent can be read."""
        for call in range(1, 300):
            scene.model.script[place.format(key=scene.key), call] = [Fault("forbidden")]
        if place.startswith("locks"):
            scene.at("target", Act("vanish", (scene.group,)), call=1)

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.reason) == (Result.DELETING, f"Azure accepted the deletion; {reason}")
        assert pending(scene.world) == [scene.own]

    def test_rolled_back_and_nobody_can_tell_what_is_there(self, scene: Scene) -> None:
        """Both are said."""
        scene.end(looks=2, end="failed")
        for call in range(1, 300):
            scene.at("target", Fault("forbidden"), call=call)

        outcome = scene.outcome()

        assert outcome.outcome is Result.DELETING
        assert outcome.reason == "it was rolled back; nobody can tell whether it is there: no role"

    def test_the_pauses_grow(self, scene: Scene) -> None:
        """From a moment to half a minute, until the patience is spent."""
        scene.end(answers=("lost",))

        done, pauses = scene.alone()

        assert done.result is Result.DELETING
        assert (pauses[0], pauses[-1]) == (SHORTEST_WAIT, LONGEST_WAIT)
        assert all(one <= other <= 2 * one for one, other in pairwise(pauses))
        assert PATIENCE <= sum(pauses) < PATIENCE + LONGEST_WAIT

    def test_azure_asks_for_more_than_anybody_waits(self, scene: Scene) -> None:
        class Slow(AzureModel):
            def __init__(self, model: AzureModel) -> None:
                self.__dict__ = model.__dict__

            def follow(self, operation: str) -> Followed:
                return msgspec.structs.replace(super().follow(operation), wait=3600.0)

        scene.end(looks=10_000)

        _, pauses = scene.alone(remover=Slow(scene.model))

        assert set(pauses[1:]) == {LONGEST_WAIT}

    @pytest.mark.parametrize(
        ("ending", "said"),
        [
            ({"looks": 10_000}, "Azure accepted the deletion; Azure is still deleting it"),
            ({"lag": 10_000}, "Azure accepted the deletion; Azure still shows it"),
            ({"answers": ("lost",)}, "no answer; Azure still shows it"),
        ],
        ids=["followed", "still shown", "lost"],
    )
    def test_halted_nobody_waits_once_more(self, scene: Scene, ending: dict[str, Any], said: str) -> None:
        """Wherever it is at; what is known so far is said."""
        scene.end(**ending)

        done, pauses = scene.alone(halted_after=3)

        assert (done.result, done.reason, len(pauses)) == (Result.DELETING, said, 3)

    def test_halted_while_it_waits(self, scene: Scene) -> None:
        """Nobody waits any longer; what is known so far is recorded, and noted for the next run."""
        scene.end(looks=100)
        told = threading.Event()

        def checkpoint() -> None:
            if scene.model.calls[f"follow {scene.key}"]:
                told.set()
                raise Broken

        def sleep(seconds: float) -> None:
            if scene.model.calls[f"follow {scene.key}"]:
                told.wait(10)
                time.sleep(0.05)  # In which the engine halts.
            scene.world.sleep(seconds)

        begun = scene.world.now
        with pytest.raises(Broken):
            scene.applied(work=lambda work: replace(work, checkpoint=checkpoint, sleep=sleep))

        assert scene.world.now - begun < timedelta(seconds=PATIENCE / 2)
        mark = Marks(scene.world.store, PLANNED).all()[0].mark
        assert mark.outcome
        assert mark.outcome.outcome is Result.DELETING
        assert pending(scene.world) == [scene.own]
        assert [*scene.world.store.lines(f"runs/{APPLYING}/outcomes.ndjson")]


class Broken(Exception):
    """Ends an application from its checkpoint."""


class TestLeftAlone:
    """Nothing is sent and nothing is saved."""

    @pytest.mark.parametrize(
        ("act", "reason"),
        [
            (Act("tag", ()), "it has changed since the plan was made: 'tags.keep' was added"),
            (Act("lock", ()), "kept: lock 'l' (CanNotDelete) is on it"),
            (Act("deny", ()), "kept: deny assignment 'd' is on"),
            (Act("touch", ()), "it has changed since the plan was made: 'properties.comment' was added"),
            (Act("attach", ()), "it has changed since the plan was made: 'managedBy' was added"),
            (Act("vanish", ()), "it is gone already: 404"),
            (Act("recreate", ()), "it has changed since the plan was made"),
        ],
        ids=["tagged", "locked", "denied", "changed", "attached", "gone", "made anew"],
    )
    def test_what_others_did_counts_at_once(self, scene: Scene, act: Act, reason: str) -> None:
        scene.at("target", Act(act.what, (scene.own,)))

        applied = scene.applied()

        scene.check_untouched(only(applied), reason)
        assert (only(applied).unread, applied.verdict) == (False, (RunStatus.SUCCEEDED, None))

    @pytest.mark.parametrize("scope", ["group", "subscription"])
    def test_what_protects_what_it_is_in(self, scene: Scene, scope: str) -> None:
        """The tag of a group and of a subscription, and locks at them."""
        on = scene.group if scope == "group" else ONE
        scene.model.tag(on)
        scene.check_untouched(scene.outcome(), "tag 'keep' = 'true' is on its")

        scene = Scene()
        scene.model.lock(scene.group if scope == "group" else f"/subscriptions/{ONE}")
        scene.check_untouched(scene.outcome(), "which is above it")

    @pytest.mark.parametrize("what", ["tag", "lock", "deny"])
    def test_what_protects_a_member_protects_its_group(self, what: str) -> None:
        scene = group()
        scene.at("group", Act(what, (scene.member,)))

        outcome = scene.outcome()

        scene.check_untouched(outcome, "kept: ")

    def test_made_anew_just_as_it_was(self, scene: Scene) -> None:
        """The same definition: but it is young, and nobody has observed it."""
        thing = scene.model.things[scene.key]
        scene.model.vanish(scene.own)
        scene.model.put(scene.group, "disk", "one", 0, since=thing.since)

        scene.check_untouched(scene.outcome(), "waiting: it was created 2026-11-22T12:00:00Z; the minimum age is 7d")

    def test_snoozed(self, scene: Scene) -> None:
        Snoozes(scene.world.store).set(
            "unattached-disk",
            scene.own.upper(),
            until="2026-12-31",
            by="operator@example.com",
            reason="we need it",
            now=scene.world.now,
        )

        scene.check_untouched(scene.outcome(), "snoozed: until 2027-01-01T00:00:00Z by operator@example.com")

    def test_seen_too_seldom(self) -> None:
        """What the plan says of it is judged again."""
        scene = Scene()
        assert scene.plan.items[0].observed
        observed = msgspec.structs.replace(scene.plan.items[0].observed, times_seen=0)

        scene = Scene(observed=observed)

        scene.check_untouched(scene.outcome(), "waiting: it was seen 0 times")

    def test_a_plan_that_does_not_say_since_when(self) -> None:
        scene = Scene(observed=None)

        scene.check_untouched(scene.outcome(), "the plan does not say since when it was observed")

    def test_a_rule_that_is_off(self) -> None:
        scene = Scene(rule="unused-route-table")

        scene.check_untouched(scene.outcome(), "rule 'unused-route-table' is not, or no longer, on")

    def test_a_subscription_that_is_gone(self, scene: Scene) -> None:
        del scene.model.subs[ONE]

        scene.check_untouched(scene.outcome(), "its subscription is not, or no longer, in scope")

    def test_a_subscription_that_is_disabled(self, scene: Scene) -> None:
        scene.model.subs[ONE] = Subscription(ONE, "sub-1", "Disabled")

        scene.check_untouched(scene.outcome(), "its subscription is not, or no longer, in scope")

    @pytest.mark.parametrize("scope", [{"exclude_resource_groups": ["RG-*"]}, {"resource_types": ["*/snapshots"]}])
    def test_out_of_scope(self, scope: dict[str, object]) -> None:
        world, model = cleaning(toml(ONE, TWO, scope=scope))
        own = model.put(model.new_group(), "disk", "one")
        plan = save(world, item_of(world, model, own))

        outcome = only(carry(world, model, plan))

        assert (outcome.outcome, outcome.reason) == (Result.SKIPPED, "it is not, or no longer, in scope")
        assert model.sent == []

    def test_a_group_with_something_in_it_that_is_not_in_scope(self) -> None:
        """It would go with the group, whatever the plan says."""
        world, model = cleaning(toml(ONE, TWO, scope={"exclude_resource_types": ["Microsoft.Storage/*"]}))
        own = model.new_group(tags={"delete-after": "2026-11-01"})
        store = model.put(own, "account", "store")
        plan = save(world, item_of(world, model, own, "expired"))

        outcome = only(carry(world, model, plan))

        assert (outcome.outcome, outcome.reason) == (
            Result.SKIPPED,
            f"'{store}', which is in it, is not in scope",
        )
        assert (model.sent, tombstones(world.store)) == ([], [])

    def test_a_resource_with_something_below_it_that_is_not_in_scope(self) -> None:
        """It would go with the resource, and was never to be touched."""
        world, model = cleaning(toml(ONE, TWO, scope={"exclude_resource_types": ["Microsoft.Storage/*"]}))
        disk = model.put(model.new_group(), "disk", "one")
        child = model.put(disk, "account", "store")

        outcome = only(carry(world, model, save(world, item_of(world, model, disk))))

        assert (outcome.outcome, outcome.reason) == (Result.SKIPPED, f"'{child}', which is in it, is not in scope")
        assert (model.sent, tombstones(world.store)) == ([], [])

    def test_a_rule_that_fails(self, scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
        """A fault of the rule is never a reason to delete; the log says where it is."""

        def judge(*_: object) -> Judged:
            raise ZeroDivisionError

        rule, settings = scene.rule()
        broken = msgspec.structs.replace(rule, judge=judge)

        done, _ = scene.alone(rules={rule.name: (broken, settings)})

        assert (done.result, done.writes, done.tombstone) == (Result.SKIPPED, 0, None)
        assert done.reason == ("rule 'unattached-disk' failed unexpectedly with ZeroDivisionError; the log says where")
        [record] = caplog.records
        assert (record.getMessage(), record.levelname) == (f"rule=unattached-disk cannot judge {scene.own}", "ERROR")
        assert record.exc_info

    @pytest.mark.parametrize("fault", sorted(FAULTS))
    @pytest.mark.parametrize(
        "place", ["target {key}", "group {key}", "members {group}", f"locks {ONE}", f"denials {ONE}"]
    )
    def test_what_cannot_be_read_stays(self, scene: Scene, place: str, fault: str) -> None:
        """Whatever the trouble is and wherever: it is left alone, and the run does not say that all is well."""
        named = place.format(key=scene.key, group=scene.group.casefold())
        scene.model.script[named, 0] = [Fault(fault)]

        applied = scene.applied()

        scene.check_untouched(only(applied), "it cannot be read, so it stays: ")
        assert only(applied).unread
        assert applied.verdict[0] is RunStatus.FAILED

    def test_a_list_that_its_rule_asks_for(self) -> None:
        scene = Scene("plan", "app-service-plan-without-apps")
        scene.at("items", Fault("trouble"))
        scene.model.script[f"items {scene.key}/sites", 0] = [Fault("trouble")]

        scene.check_untouched(scene.outcome(), "it cannot be read, so it stays: 503")

    def test_apps_that_the_count_misses(self) -> None:
        scene = Scene("plan", "app-service-plan-without-apps")
        scene.model.script[f"items {scene.key}/sites", 0] = [Act("attach", (scene.own,))]

        scene.check_untouched(scene.outcome(), "kept: its list of apps and slots has 1 in it")

    def test_a_group_that_cannot_be_exported(self) -> None:
        """What could not be made anew is not deleted."""
        scene = group()
        scene.at("template", Fault("trouble"))

        scene.check_untouched(scene.outcome(), "it cannot be read, so it stays: 503")

    def test_what_came_into_a_group_since_the_plan(self) -> None:
        """Nobody approved that it goes too."""
        scene = group()
        scene.at("group", Act("put", (scene.group, "account", "new")))

        scene.check_untouched(scene.outcome(), "it holds what was not there when the plan was made: ")

    def test_what_came_below_a_resource_since_the_plan(self, scene: Scene) -> None:
        scene.at("group", Act("put", (scene.own, "account", "new")))

        scene.check_untouched(scene.outcome(), "it holds what was not there when the plan was made: ")

    @pytest.mark.parametrize(
        ("act", "reason"),
        [
            ("tag", "it has changed since the plan was made: 'tags."),
            ("lock", "kept: lock 'l' (CanNotDelete) is on it"),
            ("touch", "it has changed since the plan was made: "),
        ],
    )
    def test_what_others_did_while_it_was_exported(self, act: str, reason: str) -> None:
        """An export takes its time, so all is looked at once more."""
        scene = group()
        scene.at("template", lambda _: scene.world.pass_time(minutes=2), Act(act, (scene.own,)))

        scene.check_untouched(scene.outcome(), reason)

    @pytest.mark.parametrize(
        ("since", "last", "said"),
        [
            (89, None, None),
            (89, 70, None),
            (89, 3, "somebody wrote to it, or to something in it"),
            (20, None, "there is no evidence for 60d"),
            (None, None, "there is no evidence: "),
        ],
    )
    def test_what_the_activity_log_says_by_now(self, since: float | None, last: float | None, said: str | None) -> None:
        """Of the subscription that it is in, to it and to what is in it; no evidence is never no activity."""
        scene = Scene("group", "stale-resource-group")
        now = scene.world.now
        asked: list[str] = []

        def told(subscription: Subscription) -> Evidence:
            asked.append(subscription.id)
            if since is None:
                return no_evidence(Span(now - 90 * DAY, now), "it is not at hand")
            writers = {scene.member.casefold(): Writers(write, write)} if (write := wrote(last, now)) else {}
            span = Span(now - since * DAY, now)
            return Evidence(span=span, available=True, complete=True, writers=writers, recorded={ONE: span.since})

        done, _ = scene.alone(evidence=told)

        assert set(asked) == {ONE}
        assert done.result is (Result.SKIPPED if said else Result.DELETED)
        assert said is None or said in str(done.reason)

    @pytest.mark.parametrize("place", ["target", "group"])
    @pytest.mark.parametrize("fault", FAULTS)
    def test_the_look_after_the_export_fails(self, place: str, fault: str) -> None:
        """It stays, the run is told that it was not read, and what else is planned goes its way."""
        world, model = cleaning()
        of = model.new_group()
        model.put(of, "account", "store")
        model.tag(of, "delete-after", "2026-11-01")
        later = model.new_group("rg-later")
        model.tag(later, "delete-after", "2026-11-01")
        plan = save(world, *(item_of(world, model, own, "expired") for own in (of, later)))
        model.calls.clear()
        model.script[f"{place} {of.casefold()}", 1] = [Fault(fault)]

        applied = carry(world, model, plan)

        found = {each.resource_id: each for each in applied.outcomes}
        assert (found[of].outcome, found[of].unread, found[later].outcome) == (Result.SKIPPED, True, Result.DELETED)
        assert (found[of].reason or "").startswith("it cannot be read, so it stays: ")
        assert [own for own, _ in model.sent] == [later.casefold()]

    def test_what_is_in_a_group_is_read_once_for_many(self) -> None:
        world, model = cleaning()
        of = model.new_group()
        plan = save(world, *(item_of(world, model, model.put(of, "disk", name)) for name in "abc"))
        model.calls.clear()

        applied = carry(world, model, plan)

        assert [each.outcome for each in applied.outcomes] == [Result.DELETED] * 3
        assert model.calls[f"members {of.casefold()}"] == 1

    def test_a_lock_is_seen_within_seconds(self) -> None:
        """Locks are read once for many things, and believed for five seconds."""
        world, model = cleaning()
        of = model.new_group()
        owns = [model.put(of, "disk", name) for name in "ab"]
        plan = save(world, *(item_of(world, model, own) for own in owns))
        model.endings[owns[0].casefold()] = Ending(looks=6)
        model.script[f"follow {owns[0].casefold()}", 0] = [Act("lock", (owns[1],))]

        applied = carry(world, model, plan)

        assert [each.outcome for each in applied.outcomes] == [Result.DELETED, Result.SKIPPED]

    def test_stop_before_the_claim(self, scene: Scene) -> None:
        scene.at("target", lambda _: scene.world.pass_time(seconds=5))
        scene.at("group", lambda _: say_stop(scene.world))

        applied = scene.applied()

        scene.check_untouched(only(applied), "Changes are stopped since")
        assert applied.verdict[0] is RunStatus.REFUSED

    def test_the_window_closes(self) -> None:
        """Nothing is begun after its end."""
        world, model = cleaning(toml(ONE, delete_window="10:00-12:30"))
        of = model.new_group()
        owns = [model.put(of, "disk", name) for name in "ab"]
        plan = save(world, *(item_of(world, model, own) for own in owns))
        model.script[f"target {owns[1].casefold()}", 1] = [lambda _: world.pass_time(minutes=31)]

        applied = carry(world, model, plan)

        assert [each.outcome for each in applied.outcomes] == [Result.DELETED, Result.SKIPPED]
        assert "jobs.cleanup.delete_window is 10:00-12:30 (UTC)" in (applied.outcomes[1].reason or "")
        assert len(model.sent) == 1


def say_stop(world: World) -> None:
    world.stop().set("operator@example.com", "wait")


class TestJustBefore:
    """Between the last look and the delete, and between two of them."""

    def test_stop_while_it_waits_for_its_turn(self, scene: Scene) -> None:
        """Permission is asked for once more, just before it is sent."""

        def stop(_: AzureModel) -> None:
            say_stop(scene.world)
            scene.world.pass_time(seconds=5)

        scene.at("delete", stop)

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes, scene.model.sent) == (Result.SKIPPED, 0, [])
        assert (outcome.reason or "").startswith("Changes are stopped since")

    @pytest.mark.parametrize("act", ["tag", "lock", "touch", "attach"])
    def test_its_turn_comes_late(self, scene: Scene, act: str) -> None:
        """After a long wait for it all is looked at again, and nothing is sent."""
        scene.at("delete", lambda _: scene.world.pass_time(seconds=11), Act(act, (scene.own,)))

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes, scene.model.sent) == (Result.SKIPPED, 0, [])

    @pytest.mark.parametrize("late", [LONGEST_LOOK.total_seconds(), -0.001], ids=["at the limit", "set back"])
    def test_an_old_look_does_not_count(self, scene: Scene, late: float) -> None:
        """From ten seconds on; and a clock that was set back says nothing about how old it is."""
        scene.at("delete", lambda _: scene.world.pass_time(seconds=late), Act("tag", (scene.own,)))

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes, scene.model.sent) == (Result.SKIPPED, 0, [])
        assert outcome.reason == "it has changed since the plan was made: 'tags.keep' was added"
        assert [tombstone_key(each.plan, each.item) for each in tombstones(scene.world.store)] == [outcome.tombstone]

    @pytest.mark.parametrize("fault", ["trouble", "throttled", "unreadable", "forbidden"])
    def test_the_look_after_a_long_wait_fails(self, scene: Scene, fault: str) -> None:
        """What could not be read is kept, and the run says that it could not be read."""
        scene.at("delete", lambda _: scene.world.pass_time(seconds=11))
        scene.at("target", Fault(fault), call=1)

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes, scene.model.sent) == (Result.SKIPPED, 0, [])
        assert outcome.unread
        assert (outcome.reason or "").startswith("it cannot be read, so it stays: ")

    def test_a_young_look_is_enough(self, scene: Scene) -> None:
        scene.at("delete", lambda _: scene.world.pass_time(seconds=LONGEST_LOOK.total_seconds() - 0.001))

        assert scene.outcome().outcome is Result.DELETED
        assert scene.model.calls[f"target {scene.key}"] == 2

    def test_halted_it_is_not_asked_again(self, scene: Scene) -> None:
        """The application ends, and it is looked at once more."""
        scene.end(answers=("conflict",) * TRIES)

        done, pauses = scene.alone(halted_after=1)

        assert (done.result, done.writes, len(scene.model.sent)) == (Result.FAILED, 2, 2)
        assert pauses == [2]

    def test_gone_before_it_was_sent(self, scene: Scene) -> None:
        """Somebody else has deleted it, and Steward does not say that it did."""
        scene.at("delete", Act("vanish", (scene.own,)))

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.reason, outcome.writes) == (Result.SKIPPED, "it is gone already: 404", 1)

    @pytest.mark.parametrize(
        ("act", "reason"),
        [
            ("tag", "it has changed since the plan was made: 'tags.keep' was added"),
            ("touch", "it has changed since the plan was made: 'properties.comment' was added"),
            ("attach", "it has changed since the plan was made: 'managedBy' was added"),
        ],
    )
    def test_it_is_looked_at_again_before_it_is_asked_again(self, scene: Scene, act: str, reason: str) -> None:
        """A conflict often means that somebody is at work there: what they did counts."""
        scene.end(answers=("conflict",))
        scene.at("delete", Act(act, (scene.own,)))

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.writes, len(scene.model.sent)) == (Result.FAILED, 1, 1)
        assert outcome.reason == f"it is still there: 409; it is not asked again, since {reason}"
        assert scene.key in scene.model.things

    def test_what_cannot_be_read_is_not_asked_again(self, scene: Scene) -> None:
        scene.end(answers=("throttled",))
        scene.at("target", Fault("forbidden"), call=1)

        outcome = scene.outcome()

        assert (outcome.outcome, len(scene.model.sent)) == (Result.FAILED, 1)
        assert outcome.reason == (
            "it is still there: 429; it is not asked again, since it cannot be read, so it stays: no role"
        )

    def test_gone_before_it_was_asked_again(self, scene: Scene) -> None:
        """A conflict may be that it is being deleted: what was sent may have done it."""
        scene.end(answers=("conflict",))
        scene.at("target", Act("vanish", (scene.own,)), call=1)

        assert scene.outcome().outcome is Result.DELETED

    def test_stop_between_two_tries(self, scene: Scene) -> None:
        """Something was sent, so it is not said that nothing was."""
        scene.end(answers=("conflict",))
        scene.at("delete", lambda _: say_stop(scene.world), call=1)
        scene.at("target", lambda _: scene.world.pass_time(seconds=9), call=1)

        applied = scene.applied()

        outcome = only(applied)
        assert (outcome.outcome, outcome.writes, len(scene.model.sent)) == (Result.FAILED, 1, 1)
        assert "Changes are stopped since" in (outcome.reason or "")


class TestTombstone:
    def test_says_what_it_was(self, scene: Scene) -> None:
        scene.model.deny(f"/subscriptions/{TWO}")
        scene.applied()

        [saved] = tombstones(scene.world.store)
        assert (saved.plan, saved.item, saved.run, saved.rule) == (PLANNED, 0, APPLYING, "unattached-disk")
        assert (saved.reason, saved.resource_id, saved.subscription_id) == ("nobody needs it", scene.own, ONE)
        assert saved.definition == scene.plan.items[0].definition
        assert (saved.template, saved.members, saved.locks) == (None, (), ())

    def test_is_written_before_the_delete(self, scene: Scene) -> None:
        found: list[int] = []

        def count(_: Deleted) -> None:
            found.append(len(tombstones(scene.world.store)))

        scene.model.on_delete = count
        scene.applied()

        assert found == [1]

    def test_without_one_nothing_is_deleted(self, scene: Scene) -> None:
        class Full(Passing):
            def create(self, key: str, data: bytes) -> str:
                if key.startswith("tombstones/"):
                    raise StoreError("no room")
                return super().create(key, data)

        scene.world.store = Full(scene.world.store)

        with pytest.raises(StoreError, match="no room"):
            scene.applied()
        assert scene.model.sent == []
        assert Marks(scene.world.store, PLANNED).all() == {}

    def test_one_of_an_attempt_that_deleted_nothing_is_written_anew(self, scene: Scene) -> None:
        """What is there when it is deleted counts."""
        scene.at("delete", Fault("trouble"))
        key = f"tombstones/{PLANNED}/000000.json"
        scene.world.store.create(key, b"an old one")

        scene.applied()

        assert [each.run for each in tombstones(scene.world.store)] == [APPLYING]


def die_at_delete(scene: Scene, *, before: bool) -> None:
    """Let a first attempt die at the delete: before it is sent, or when Azure has accepted it."""

    def die(_: object) -> None:
        raise Killed

    if before:
        scene.at("delete", die)
    else:
        scene.model.on_delete = die
    with pytest.raises(Killed):
        scene.applied()
    scene.model.on_delete = lambda _: None


class TestAfterADeath:
    """An attempt that died may have sent the delete, so the next one only looks."""

    @pytest.mark.parametrize("before", [True, False], ids=["not sent", "sent"])
    def test_is_never_asked_again(self, scene: Scene, *, before: bool) -> None:
        die_at_delete(scene, before=before)
        sent = len(scene.model.sent)

        outcome = scene.outcome()

        assert len(scene.model.sent) == sent == (0 if before else 1)
        assert outcome.outcome is Result.DELETING
        assert outcome.reason == "an earlier attempt began to delete it; Azure still shows it"
        assert (outcome.before, outcome.writes) == ({}, 0)
        assert Marks(scene.world.store, PLANNED).all()[0].mark.outcome == outcome
        assert pending(scene.world) == [scene.own]

    @pytest.mark.parametrize("gone", [False, True])
    def test_is_followed_though_its_subscription_is_no_longer_in_scope(self, scene: Scene, *, gone: bool) -> None:
        """What was begun is told."""
        die_at_delete(scene, before=False)
        if gone:
            scene.model.vanish(scene.group)
        scene.world.toml = toml(ONE, TWO, scope={"subscriptions": [TWO]})

        outcome = scene.outcome()

        assert outcome.outcome is (Result.DELETED if gone else Result.DELETING)
        assert len(scene.model.sent) == 1

    @pytest.mark.parametrize(
        "happen",
        [
            say_stop,
            lambda world: world.pass_time(days=4),
            lambda world: setattr(world, "toml", toml()),
            lambda world: setattr(world, "toml", toml(ONE, TWO, delete_window="00:00-00:01")),
        ],
        ids=["stopped", "expired", "disarmed", "out of the window"],
    )
    def test_is_followed_though_nothing_may_be_deleted_any_more(
        self, scene: Scene, happen: Callable[[World], None]
    ) -> None:
        """Looking is no write, and what was begun must be told."""
        die_at_delete(scene, before=False)
        scene.model.vanish(scene.own)
        happen(scene.world)

        outcome = scene.outcome()

        assert (outcome.outcome, outcome.reason, len(scene.model.sent)) == (Result.DELETED, None, 1)

    def test_it_is_gone_meanwhile(self, scene: Scene) -> None:
        """The outcome names the tombstone that the first attempt wrote."""
        scene.end(looks=2)
        die_at_delete(scene, before=False)
        scene.model._leaving[scene.key] = 2

        outcome = scene.outcome()

        assert outcome.outcome is Result.DELETED
        assert outcome.tombstone == f"tombstones/{PLANNED}/000000.json"

    def test_azure_is_still_at_it(self, scene: Scene) -> None:
        scene.end(looks=10_000)
        die_at_delete(scene, before=False)
        scene.model._leaving[scene.key] = 10_000
        scene.model.things[scene.key].state = "Deleting"

        assert scene.outcome().outcome is Result.DELETING
        assert pending(scene.world) == [scene.own]

    def test_another_run_never_begins_it_again(self, scene: Scene) -> None:
        die_at_delete(scene, before=True)

        outcome = only(carry(scene.world, scene.model, scene.plan, APPLYING))
        assert outcome.outcome is Result.DELETING
        with pytest.raises(Exception, match="begun by run"):
            carry(scene.world, scene.model, scene.plan, AGAIN)
        assert scene.model.sent == []

    def test_a_run_that_never_goes_on_says_what_it_began(self, scene: Scene) -> None:
        """Its record tells from the marks, with the tombstone."""
        die_at_delete(scene, before=False)
        run = work_for(scene.world, scene.model, APPLYING).run
        run = msgspec.structs.replace(run, plan=PLANNED, status=RunStatus.CANCELLED)

        told = completed(run, scene.world.store, f"runs/{APPLYING}")

        [line] = scene.world.store.lines(f"runs/{APPLYING}/outcomes.ndjson")
        outcome = msgspec.json.decode(line, type=Outcome)
        assert (outcome.outcome, outcome.unsure) == (Result.FAILED, True)
        assert outcome.tombstone == f"tombstones/{PLANNED}/000000.json"
        assert told.counts["failed"] == 1

    @pytest.mark.parametrize("call", range(1, 12))
    def test_at_any_call_of_the_store(self, scene: Scene, call: int) -> None:
        """One tombstone, at most one delete, and an outcome in the end."""
        scene.end(looks=2)
        store = scene.world.store
        for after in (False, True):
            scene.world.store = DeadAfter(store, call, after=after)
            with suppress(Killed):
                scene.applied()
        scene.world.store = store

        outcome = scene.outcome()

        assert len(scene.model.sent) <= 1
        wanted = Result.DELETED if scene.model.sent else Result.DELETING
        assert outcome.outcome is wanted
        assert len(tombstones(store)) == 1

    def test_fenced_before_it_is_sent(self, scene: Scene) -> None:
        """Another process has taken over, and this one sends nothing."""
        asked = iter((None, None))

        def may_write() -> None:
            if next(asked, "fenced"):
                raise Fenced("taken over")

        with pytest.raises(Fenced):
            scene.applied(work=lambda work: replace(work, may_write=may_write))
        assert scene.model.sent == []


class TestOrder:
    """Stage by stage: what uses others goes first, and each is gone before what it used is touched."""

    def test_an_interface_before_its_security_group_and_groups_last(self) -> None:
        world, model = cleaning()
        of, other = model.new_group("rg-z"), model.new_group("rg-0", tags={"delete-after": "2026-11-01"})
        owns = {kind: model.put(of, kind, kind) for kind in ("nsg", "ip", "disk", "nic")}
        rules = {
            "nsg": "unused-network-security-group",
            "ip": "unused-public-ip",
            "nic": "unattached-network-interface",
            "disk": "unattached-disk",
        }
        items = [item_of(world, model, own, rules[kind]) for kind, own in owns.items()]
        plan = save(world, *items, item_of(world, model, other, "expired"))
        model.endings[owns["nic"].casefold()] = Ending(looks=5)

        applied = carry(world, model, plan)

        assert {each.outcome for each in applied.outcomes} == {Result.DELETED}
        assert [each.item for each in applied.outcomes] == [0, 1, 2, 3, 4]
        order = [own.rsplit("/", 1)[1] for own, _ in model.sent]
        assert (order[0], order[-1]) == ("nic", "rg-0")
        assert set(order[1:4]) == {"nsg", "ip", "disk"}
        ended = {each.resource_id: each.at for each in applied.outcomes}
        assert all(ended[owns["nic"]] <= each.at for each in model.journal[1:])

    def test_what_was_in_use_by_what_has_just_gone_is_left_for_the_next_plan(self) -> None:
        """Its definition is no longer what the plan saw, so a new plan looks at it."""
        world, model = cleaning()
        of = model.new_group()
        nsg = model.put(of, "nsg", "nsg")
        nic = model.put(of, "nic", "nic", uses={nsg.casefold()})
        plan = save(
            world,
            item_of(world, model, nsg, "unused-network-security-group"),
            item_of(world, model, nic, "unattached-network-interface"),
        )

        outcomes = {each.resource_id: each for each in carry(world, model, plan).outcomes}

        assert outcomes[nic].outcome is Result.DELETED
        assert outcomes[nsg].reason == (
            "it has changed since the plan was made: 'properties.networkInterfaces' was removed"
        )


class TestLook:
    """Whether something is there."""

    @pytest.fixture(autouse=True)
    def _estate(self) -> None:
        _, self.model = cleaning()
        self.group = self.model.new_group()
        self.disk = self.model.put(self.group, "disk", "one")
        self.model.calls.clear()

    def see(self, own: str) -> Seen:
        return look(own, self.model.subs[ONE], self.model)._replace(created=None)

    def test_there(self) -> None:
        assert self.see(self.disk) == Seen(Presence.THERE, "Azure still shows it")

    @pytest.mark.parametrize("state", ["Deleting", "deleting", "Deprovisioning", "deletingResources", "Deleted"])
    def test_leaving(self, state: str) -> None:
        self.model.things[self.disk.casefold()].state = state

        assert self.see(self.disk) == Seen(Presence.LEAVING, "Azure is still deleting it")

    def test_azure_does_not_tell_its_state(self) -> None:
        """Not every type has one."""
        self.model.things[self.disk.casefold()].state = None  # type: ignore[assignment]  # in the model all have one

        assert self.see(self.disk)[0] is Presence.THERE

    def test_gone(self) -> None:
        """Where its group can be read, nothing else need be."""
        self.model.vanish(self.disk)

        assert self.see(self.disk)[0] is Presence.GONE
        assert not self.model.calls[f"locks {ONE}"]

    def test_gone_with_its_group(self) -> None:
        self.model.vanish(self.group)

        assert self.see(self.disk)[0] is self.see(self.group)[0] is Presence.GONE

    @pytest.mark.parametrize("fault", sorted(FAULTS))
    @pytest.mark.parametrize("place", ["target", "group", "locks of a group", "locks of what was in it"])
    def test_unknown(self, place: str, fault: str) -> None:
        """Whatever cannot be read: nobody says that it is gone."""
        own = self.group if place.endswith("group") and place != "group" else self.disk
        self.model.vanish(self.group if place.startswith("locks") else self.disk)
        named = f"locks {ONE}" if place.startswith("locks") else f"{place} {own.casefold()}"
        self.model.script[named, 0] = [Fault(fault)]

        assert self.see(own)[0] is Presence.UNKNOWN


class TestDifference:
    def test_none(self) -> None:
        assert difference({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) is None

    @pytest.mark.parametrize("name", sorted(VOLATILE))
    def test_what_changes_by_itself(self, name: str) -> None:
        """Wherever it stands: in the definition, in a property, in an item of a list."""
        planned = {name: 1, "properties": {name.upper(): 1, "rules": [{"name": "ssh", name: 1}]}}
        present = {name: 2, "properties": {"rules": [{"name": "ssh", name.title(): 2}]}}

        assert difference(planned, present) is None

    @pytest.mark.parametrize("name", sorted(VOLATILE))
    def test_what_changes_by_itself_hides_nothing(self, name: str) -> None:
        """Whether it stands before what has changed or behind it."""
        for other in ("a", "z"):
            assert difference({name: 1, other: 1}, {name: 2, other: 2}) == f"'{other}' has changed"

    @pytest.mark.parametrize(
        ("planned", "present", "said"),
        [
            ({"a": 1}, {"a": 2}, "'a' has changed"),
            ({"a": None}, {"a": {}}, "'a' has changed"),
            ({"a": []}, {"a": {}}, "'a' has changed"),
            ({"a": ""}, {"a": []}, "'a' has changed"),
            ({"a": 1}, {"a": True}, "'a' has changed"),
            ({"a": {"b": 1}}, {"a": {}}, "'a.b' was removed"),
            ({"a": {}}, {"a": {"b": None}}, "'a.b' was added"),
            ({"a": {}}, {"a": None}, "'a' has changed"),
            ({"a": {}}, {"a": []}, "'a' has changed"),
            ({"a": [1]}, {"a": [1, 2]}, "'a' has changed"),
            ({"a": [1, 2]}, {"a": [2, 1]}, "'a[0]' has changed"),
            ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "'a[0].b' has changed"),
            ({"a": "x"}, {"a": "X"}, "'a' has changed"),
            ({"a": True}, {"a": 1}, "'a' has changed"),
            ({"tags": {"a": "1"}}, {"tags": {"A": "1"}}, "'tags.A' was added"),
            ({"a": 1, "b": 1}, {"a": 2, "b": 2}, "'a' has changed"),
            ({"a\nb": 1}, {}, "'a b' was removed"),
        ],
    )
    def test_says_the_first(self, planned: dict[str, Any], present: dict[str, Any], said: str) -> None:
        assert difference(planned, present) == said


class TestGoingAlong:
    """What would go with a thing: all of it is in scope, and the plan names it."""

    ALL = tuple(Resource(f"/s/{name}", name, type_) for name, type_ in (("a", "t/x"), ("b", "t/y"), ("c", "t/y")))

    @pytest.mark.parametrize(
        ("excluded", "said"),
        [
            ((), None),
            (("t/x",), "'/s/a', which is in it, is not in scope"),
            (("t/y",), "'/s/b', which is in it, is not in scope, and 1 more"),
            (("t/x", "t/y"), "'/s/a', which is in it, is not in scope, and 2 more"),
        ],
    )
    def test_in_scope(self, excluded: tuple[str, ...], said: str | None) -> None:
        assert out_of_scope(self.ALL, lambda _, type_: type_ not in excluded) == said

    @pytest.mark.parametrize(
        ("planned", "said"),
        [
            (("/s/a", "/S/B", "/s/c", "/s/gone"), None),
            (("/s/a", "/s/c"), "it holds what was not there when the plan was made: '/s/b'"),
            (("/s/b",), "it holds what was not there when the plan was made: '/s/a' and 1 more"),
            ((), "it holds what was not there when the plan was made: '/s/a' and 2 more"),
        ],
    )
    def test_in_the_plan(self, planned: tuple[str, ...], said: str | None) -> None:
        """However it is spelled; what is no longer there does not matter."""
        assert unplanned(self.ALL, planned) == said
