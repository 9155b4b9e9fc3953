"""Surroundings: what is around a target is read to the end, and believed for a few seconds where many share it."""

from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared_code.activity import CallerKind, Evidence, Span, Write, Writers
from shared_code.cleanup_rule import Rule
from shared_code.cleanup_rules import RULES
from shared_code.errors import AzureError, Throttled
from shared_code.management_locks import ManagementLocks
from shared_code.model import Lock, Resource, Subscription
from shared_code.resource_ids import key
from shared_code.surroundings import TRUSTED_FOR, GuardReader, Guards, around, by_key
from shared_code.targets import Around, Denial, Target
from tests.fakes import NOW, Clock, NoRemover, lock
from tests.test_protection import DISK, GROUP, SUB, SUBNET, SUBSCRIPTION, VNET, a_group, a_resource, group, member

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
OTHER = Subscription("5e000000-0000-4000-8000-000000000002", "Other", "Enabled")
NOTHING = Guards(ManagementLocks([]), ())
DISKS, EMPTY, STALE = RULES["unattached-disk"], RULES["empty-resource-group"], RULES["stale-resource-group"]


class Azure(NoRemover):
    """Has a network in a group, is locked and denied as told, and counts what it was asked."""

    def __init__(self, *members: Resource) -> None:
        self.inside = list(members)
        self.held: list[Lock] = []
        self.denied: list[Denial] = []
        self.lists: dict[str, list[dict[str, object]]] = {}
        self.asked: Counter[str] = Counter()
        self.trouble: AzureError | None = None

    def _answer[T](self, what: str, answer: T) -> T:
        self.asked[what] += 1
        if self.trouble is not None:
            raise self.trouble
        return answer

    def members(self, group_id: str) -> list[Resource]:
        return self._answer(f"members {key(group_id)}", self.inside)

    def locks(self, subscription: Subscription) -> list[Lock]:
        return self._answer(f"locks {subscription.id}", self.held)

    def denials(self, subscription: Subscription) -> list[Denial]:
        return self._answer(f"denials {subscription.id}", self.denied)

    def items(self, path: str) -> list[dict[str, object]]:
        return self._answer(f"items {path}", self.lists[path])


class TestGuards:
    """The locks and deny assignments of a subscription, and what is in a group."""

    def test_are_those_of_the_subscription(self) -> None:
        azure = Azure()
        azure.held, azure.denied = [lock(GROUP)], [Denial("i", "d", GROUP)]

        guards = GuardReader(azure, Clock()).of(SUBSCRIPTION)

        assert guards.locks.on(GROUP) == (lock(GROUP),)
        assert guards.denials == (Denial("i", "d", GROUP),)

    def test_are_believed_for_less_than_five_seconds(self) -> None:
        azure, clock = Azure(), Clock()
        reader = GuardReader(azure, clock)
        first = reader.of(SUBSCRIPTION)
        azure.held = [lock(GROUP)]

        clock.move(timedelta(seconds=5) - INSTANT)
        assert reader.of(SUBSCRIPTION) is first
        clock.move(INSTANT)
        assert reader.of(SUBSCRIPTION).locks.on(GROUP) == (lock(GROUP),)
        assert azure.asked == {f"locks {SUBSCRIPTION.id}": 2, f"denials {SUBSCRIPTION.id}": 2}

    def test_a_clock_that_was_set_back_makes_no_answer_last(self) -> None:
        azure, clock = Azure(), Clock()
        reader = GuardReader(azure, clock)
        reader.of(SUBSCRIPTION)

        clock.move(-INSTANT)
        reader.of(SUBSCRIPTION)

        assert azure.asked[f"locks {SUBSCRIPTION.id}"] == 2

    def test_each_subscription_has_its_own_however_its_id_is_spelled(self) -> None:
        azure = Azure()
        reader = GuardReader(azure, Clock())

        first = reader.of(SUBSCRIPTION)
        reader.of(OTHER)

        assert reader.of(msgspec.structs.replace(SUBSCRIPTION, id=SUBSCRIPTION.id.upper())) is first
        assert azure.asked.total() == 4

    def test_what_could_not_be_read_is_not_remembered(self) -> None:
        azure = Azure()
        reader = GuardReader(azure, Clock())
        azure.trouble = Throttled("429")
        for ask in (lambda: reader.of(SUBSCRIPTION), lambda: reader.members(GROUP)):
            with pytest.raises(Throttled):
                ask()
        azure.trouble = None

        assert reader.of(SUBSCRIPTION).denials == ()
        assert reader.members(GROUP) == []

    def test_nor_is_an_older_answer_taken_instead(self) -> None:
        azure, clock = Azure(), Clock()
        reader = GuardReader(azure, clock)
        reader.of(SUBSCRIPTION)
        clock.move(TRUSTED_FOR)
        azure.trouble = Throttled("429")

        with pytest.raises(Throttled):
            reader.of(SUBSCRIPTION)

    def test_what_is_in_a_group_is_believed_as_long(self) -> None:
        azure, clock = Azure(member()), Clock()
        reader = GuardReader(azure, clock)

        assert reader.members(GROUP) == reader.members(GROUP.upper()) == [member()]
        assert azure.asked == {f"members {key(GROUP)}": 1}
        clock.move(TRUSTED_FOR)
        reader.members(GROUP)
        reader.members(f"{GROUP}-2")
        assert azure.asked == {f"members {key(GROUP)}": 2, f"members {key(GROUP)}-2": 1}


def no_evidence() -> Evidence:
    raise AssertionError("the activity log was asked")


def look(azure: Azure, target: Target, rule: Rule = DISKS, **given: Any) -> Around:
    """What is around a target in its group, where nothing guards it unless given."""
    usual: dict[str, Any] = {
        "subscription": SUBSCRIPTION,
        "group": group(resources=None),
        "guards": NOTHING,
        "evidence": no_evidence,
    }
    return around(target, rule, azure, **usual | given)


class TestMembers:
    """What would go with the target."""

    def test_of_a_resource_are_those_nested_in_it(self) -> None:
        """Not itself, nor what only begins like it; and the count of its group is not its own."""
        nested = member(SUBNET.upper())
        azure = Azure(member(VNET), nested, member(f"{VNET}2/subnets/default"), member(DISK))

        near = look(azure, a_resource(VNET))

        assert near.members == (nested,)
        assert near.group is not None
        assert near.group.resources is None

    def test_of_a_resource_are_taken_from_what_was_read_of_late(self) -> None:
        asked: list[str] = []

        def members(group_id: str) -> list[Resource]:
            asked.append(group_id)
            return [member(SUBNET)]

        azure = Azure()
        near = look(azure, a_resource(VNET), members=members)

        assert (near.members, asked, azure.asked.total()) == ((member(SUBNET),), [GROUP], 0)

    def test_of_a_group_are_all_that_is_in_it_as_it_is_now(self) -> None:
        """And how many these are, where its list does not tell."""

        def members(_: str) -> list[Resource]:
            raise AssertionError("what was read of late is not enough for a group")

        azure = Azure(member(VNET), member(DISK))
        near = look(azure, a_group(), members=members)

        assert near.members == (member(VNET), member(DISK))
        assert near.group == group(resources=2)

    def test_of_what_is_in_no_group_there_are_none(self) -> None:
        azure = Azure(member())

        near = look(azure, a_resource(f"{SUB}/providers/a.b/c/d"), group=None)

        assert (near.group, near.members, azure.asked.total()) == (None, (), 0)

    def test_a_count_that_was_told_stays(self) -> None:
        """Where it and the list do not agree, nobody knows what is in the group: see `eligibility`."""
        assert look(Azure(member()), a_group(), group=group(resources=5)).group == group(resources=5)


class TestGuarded:
    """Locks and deny assignments at it, above it and below it."""

    @pytest.mark.parametrize("scope", [SUB, GROUP.upper(), VNET, SUBNET])
    def test_those_that_hold_for_it(self, scope: str) -> None:
        denial = Denial("i", "d", scope)

        near = look(Azure(), a_resource(VNET), guards=Guards(ManagementLocks([lock(scope)]), (denial,)))

        assert (near.locks, near.denials) == ((lock(scope),), (denial,))

    @pytest.mark.parametrize("scope", [DISK, f"{VNET}2", f"{GROUP}-2", f"/subscriptions/{OTHER.id}"])
    def test_those_that_do_not(self, scope: str) -> None:
        guards = Guards(ManagementLocks([lock(scope)]), (Denial("i", "d", scope),))

        near = look(Azure(), a_resource(VNET), guards=guards)

        assert (near.locks, near.denials) == ((), ())

    @pytest.mark.parametrize("scope", ["/", ""])
    def test_a_denial_for_all_there_is_holds_everywhere(self, scope: str) -> None:
        denial = Denial("i", "d", scope)

        assert look(Azure(), a_resource(), guards=Guards(ManagementLocks([]), (denial,))).denials == (denial,)


class TestAsked:
    """What only some rules need."""

    def test_lists_of_a_rule_are_read_behind_the_id(self) -> None:
        azure = Azure()
        stacks, deployments = EMPTY.lists["stacks"], EMPTY.lists["deployments"]
        azure.lists = {f"{GROUP}{stacks}": [{"name": "landing-zone"}], f"{GROUP}{deployments}": []}

        near = look(azure, a_group(), EMPTY)

        assert near.lists == {"stacks": ({"name": "landing-zone"},), "deployments": ()}
        assert look(azure, a_resource()).lists == {}

    def test_the_activity_log_tells_of_the_last_write_to_anything_in_it(self) -> None:
        """And since when it would know of one."""
        near = look(Azure(member(VNET), member(DISK)), a_group(), STALE, evidence=lambda: WRITTEN)

        assert (near.last_write, near.written_since) == (NOW - 2 * DAY, NOW - 80 * DAY)

    def test_a_write_to_the_thing_itself_counts(self) -> None:
        near = look(Azure(member(f"{DISK}2")), a_group(), STALE, evidence=lambda: WRITTEN)

        assert near.last_write == NOW - 9 * DAY

    def test_where_nobody_wrote_there_is_no_last_write(self) -> None:
        """Which says something only where the log holds events of the subscription."""
        silent = msgspec.structs.replace(WRITTEN, writers={})
        empty = msgspec.structs.replace(silent, recorded={})

        known, unknown = (
            look(Azure(member()), a_group(), STALE, evidence=lambda each=each: each) for each in (silent, empty)
        )

        assert (known.last_write, known.written_since) == (None, NOW - 80 * DAY)
        assert (unknown.last_write, unknown.written_since) == (None, None)

    def test_a_rule_that_needs_no_activity_asks_for_none(self) -> None:
        near = look(Azure(member()), a_group())

        assert (near.last_write, near.written_since) == (None, None)


def writers(first: int, last: int) -> Writers:
    """Writes so many days ago."""
    made, changed = (Write(NOW - days * DAY, "operator@example.com", CallerKind.PERSON) for days in (first, last))
    return Writers(made, changed)


WRITTEN = Evidence(
    span=Span(NOW - 90 * DAY, NOW),
    available=True,
    complete=True,
    writers={key(GROUP): writers(80, 9), key(VNET): writers(70, 5), key(DISK): writers(60, 2)},
    recorded={SUBSCRIPTION.id: NOW - 80 * DAY},
)


@pytest.mark.parametrize("target", [a_group(), a_resource()])
def test_what_cannot_be_read_to_its_end_raises(target: Target) -> None:
    """Nothing is around it that way that could be taken for all there is."""
    azure = Azure()
    azure.trouble = Throttled("429")

    with pytest.raises(Throttled):
        look(azure, target)


def test_subscriptions_are_found_by_their_ids_without_case() -> None:
    loud = msgspec.structs.replace(SUBSCRIPTION, id="5E000000-0000-4000-8000-00000000000A")

    assert by_key([loud, OTHER]) == {loud.id.lower(): loud, OTHER.id: OTHER}
