"""Deletes one thing: reads it and all around it once more, decides again, saves what it is, deletes, and looks.

Azure's word for done is not enough: an accepted deletion may fail later, and a thing that is gone may still be shown.
So a thing is deleted only once it is not there and its parent could be read
(https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations).
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from shared_code.acting import Done, Hand
from shared_code.activity import Evidence
from shared_code.cleanup_rule import Rule
from shared_code.cleanup_settings import RuleSettings
from shared_code.eligibility import Decided, decide
from shared_code.errors import (
    AccessDenied,
    AzureError,
    Conflict,
    NotFound,
    Refused,
    Rejected,
    Throttled,
    Unauthenticated,
)
from shared_code.foreign_text import one_line
from shared_code.ledger import Entry
from shared_code.model import Kind, Resource, ResourceGroup, Subscription
from shared_code.outcomes import Result
from shared_code.plan import PlanItem
from shared_code.ports import Clock, Deletion, Remover
from shared_code.protection import Policy
from shared_code.resource_ids import is_group, key
from shared_code.snoozes import Snoozes, about
from shared_code.surroundings import GuardReader, around
from shared_code.targets import Around, Target
from shared_code.tombstones import Member, Tombstone, Tombstones, tombstone_key

log = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds for which one deletion is followed; what takes longer is followed up by the next run."""
SHORTEST_WAIT, LONGEST_WAIT = 0.2, 30.0
"""Seconds between two questions, whatever Azure asks for."""
LONGEST_LOOK = timedelta(seconds=10)
"""How old the last look may be when the turn of a delete comes; after a longer wait for it, all is looked at again."""
TRIES = 4
"""How often Azure is asked to delete something it says it cannot delete just now."""
VOLATILE = frozenset({"etag", "systemdata", "changedtime", "lastmodifiedtime", "lastmodifiedat", "earliestrestoredate"})
"""Parts of a definition that change by themselves."""


_FINAL = (AccessDenied, Rejected, Unauthenticated)


@dataclass(frozen=True)
class Removal:
    """What deleting needs besides the item and its hand."""

    run: str
    remover: Remover
    guards: GuardReader
    rules: Mapping[str, tuple[Rule, RuleSettings]]
    """By name, those that are on, each with the operator's settings."""
    policy: Policy
    snoozes: Snoozes
    tombstones: Tombstones
    subscriptions: Mapping[str, Subscription]
    """By id without case, those in scope."""
    evidence: Callable[[Subscription], Evidence]
    clock: Clock
    includes: Callable[[str, str], bool]
    """Whether something of that id and type is in the configured scope."""
    patience: float = PATIENCE


def remove(item: PlanItem, hand: Hand, removal: Removal) -> Done:
    """Delete what an item names, if everything is still as the plan saw it and nothing protects it.

    An item that an earlier attempt has begun is never deleted again, only followed.

    Raises:
        Fenced: another process has taken over.
        StoreError: the tombstone or the claim could not be written; nothing was deleted.
    """
    return _Removing(item, hand, removal).perform()


class _Removing:
    def __init__(self, item: PlanItem, hand: Hand, removal: Removal) -> None:
        self._item = item
        self._hand = hand
        self._removal = removal
        self._writes = 0
        self._tombstone: str | None = None
        self._near: Around | None = None
        self._checked = removal.clock()
        self._subscription: Subscription | None = None

    def perform(self) -> Done:
        item, removal = self._item, self._removal
        subscription = removal.subscriptions.get(item.subscription_id.casefold())
        if self._hand.begun_with is not None:
            self._tombstone = tombstone_key(self._hand.plan, self._hand.number)
            known = subscription or Subscription(item.subscription_id, "", "Enabled")
            return self._verify(known, None, "an earlier attempt began to delete it")
        if subscription is None:
            return self._left("its subscription is not, or no longer, in scope")
        self._subscription = subscription
        try:
            target = removal.remover.target(item.resource_id, subscription)
            group = removal.remover.group(item.resource_id, subscription)
            refusal = self._refusal(target, group, subscription)
            if refusal is not None:
                return self._left(refusal)
            tombstone = self._saved(target, group)
            # An export takes minutes, in which somebody may have put something into the group, or protected it.
            if tombstone.template is not None and (kept := self._changed_meanwhile(subscription)):
                return self._left(kept)
        except NotFound as error:
            return self._left(f"it is gone already: {error}")
        except AzureError as error:
            return self._left(f"it cannot be read, so it stays: {error}", unread=True)
        except _UnreadError as error:
            return self._left(str(error), unread=True)
        try:
            self._hand.may_write()
            self._tombstone = removal.tombstones.save(tombstone)
            self._hand.begin(target.tags)
        except Refused as error:
            return self._left(str(error))
        return self._delete(subscription)

    def _refusal(self, target: Target, group: ResourceGroup | None, subscription: Subscription) -> str | None:
        """Say why it must stay, after all; the same function decides as when the plan was made."""
        item, removal = self._item, self._removal
        known = removal.rules.get(item.rule)
        if known is None:
            return f"rule '{item.rule}' is not, or no longer, on"
        if item.observed is None:
            return "the plan does not say since when it was observed"
        rule, settings = known
        if not removal.includes(target.id, target.type):
            return "it is not, or no longer, in scope"
        if changed := difference(item.definition, target.definition):
            return f"it has changed since the plan was made: {changed}"
        guards = removal.guards.of(subscription)
        near = around(
            target,
            rule,
            removal.remover,
            subscription,
            group,
            guards,
            lambda: removal.evidence(subscription),
            removal.guards.members,
        )
        entry = Entry(
            rule=item.rule,
            resource_id=item.resource_id,
            first_seen=item.observed.first_seen,
            last_seen=item.observed.last_seen,
            times_seen=item.observed.times_seen,
        )
        now = removal.clock()
        snooze = about(removal.snoozes.all(), item.rule, item.resource_id, now)
        try:
            found = rule.judge(target, near, settings, now)
        except Exception as error:
            log.exception("rule=%s cannot judge %s", item.rule, one_line(item.resource_id, 400))
            return f"rule '{item.rule}' failed unexpectedly with {type(error).__name__}; the log says where"
        decision = decide(rule, settings, target, near, found, entry, removal.policy, snooze, now)
        self._near, self._checked = near, now
        if outside := out_of_scope(near.members, removal.includes):
            return outside
        if more := unplanned(near.members, item.members):
            return more
        return None if decision.decision is Decided.PLANNED else f"{decision.decision}: {'; '.join(decision.reasons)}"

    def _saved(self, target: Target, group: ResourceGroup | None) -> Tombstone:
        """Return what will be saved; a group that cannot be exported is not deleted."""
        item, near = self._item, self._near
        whole = target.kind is Kind.RESOURCE_GROUP and group is not None
        if near is None:
            raise AssertionError("what is around it was read for the decision")
        template = self._removal.remover.template(target.id) if whole and near.members else None
        return Tombstone(
            plan=self._hand.plan,
            item=self._hand.number,
            run=self._removal.run,
            rule=item.rule,
            reason=item.reason,
            resource_id=target.id,
            subscription_id=target.subscription_id,
            saved=self._removal.clock(),
            definition=target.definition,
            template=template,
            members=tuple(Member(each.id, each.type, each.tags) for each in near.members),
            locks=near.locks,
        )

    def _delete(self, subscription: Subscription) -> Done:
        tried = 0
        while True:
            tried += 1
            try:
                deletion = self._removal.remover.delete(self._item.resource_id, self._ready)
            except Refused as error:
                # What was sent before may have been more than refused.
                return (
                    self._verify(subscription, None, str(error), refused=True)
                    if self._writes
                    else self._left(str(error), unread=isinstance(error, _UnreadError))
                )
            except (Conflict, Throttled) as error:
                if tried == TRIES or self._hand.halted():
                    return self._verify(subscription, None, str(error), refused=True)
                self._hand.sleep(min(2.0**tried, LONGEST_WAIT))
                try:
                    kept = self._changed_meanwhile(subscription)
                except _UnreadError as unread:
                    kept = str(unread)
                if kept:
                    said = f"{error}; it is not asked again, since {kept}"
                    return self._verify(subscription, None, said, refused=True)
                continue
            except AzureError as error:
                if isinstance(error, NotFound) and tried == 1:
                    return self._left(f"it is gone already: {error}")
                # Gone by now, refused for good, or under way nevertheless: an answer can get lost.
                return self._verify(subscription, None, str(error), refused=isinstance(error, _FINAL))
            return self._verify(subscription, deletion, "Azure accepted the deletion")

    def _changed_meanwhile(self, subscription: Subscription) -> str | None:
        """Say why it must not be asked for again: what Azure cannot do just now, somebody may be at work on.

        Raises:
            _UnreadError: it cannot be read.
        """
        remover = self._removal.remover
        try:
            target = remover.target(self._item.resource_id, subscription)
            return self._refusal(target, remover.group(self._item.resource_id, subscription), subscription)
        except AzureError as error:
            raise _UnreadError(f"it cannot be read, so it stays: {error}") from error

    def _ready(self) -> None:
        """Ask for permission again: the claim, and the wait for its turn, may have taken their time."""
        late = self._removal.clock() - self._checked
        # A clock that was set back must not make an old look last.
        stale = self._subscription is not None and not timedelta(0) <= late < LONGEST_LOOK
        if stale and self._subscription and (kept := self._changed_meanwhile(self._subscription)):
            raise Refused(kept)
        self._hand.may_write()
        self._writes += 1

    def _verify(
        self, subscription: Subscription, accepted: Deletion | None, said: str, *, refused: bool = False
    ) -> Done:
        """Look until the thing is gone, is seen to stay, or takes too long."""
        waiting = _Waiting(self._hand, self._removal.patience)
        failed = self._follow(accepted, waiting) if accepted else None
        while True:
            seen = look(self._item.resource_id, subscription, self._removal.remover)
            if seen.presence is Presence.GONE:
                return self._done(Result.DELETED, None)
            stays = refused or failed is not None
            if seen.presence is Presence.THERE and stays:
                return self._done(Result.FAILED, f"it is still there: {failed or said}")
            if waiting.over:
                return self._done(Result.DELETING, f"{failed or said}; {seen.reason}")
            waiting.once()

    def _follow(self, accepted: Deletion, waiting: "_Waiting") -> str | None:
        """Ask until Azure has ended; return why it has not done it, or None if it has, or takes too long."""
        operation, wait = accepted.operation, accepted.wait
        while operation is not None and not waiting.over:
            waiting.once(wait)
            try:
                followed = self._removal.remover.follow(operation)
            except AzureError:
                continue  # Trouble with the question says nothing about the deletion.
            if followed.ended:
                return followed.failed
            operation, wait = followed.operation or operation, followed.wait
        return None

    def _left(self, reason: str, *, unread: bool = False) -> Done:
        """End without having deleted anything."""
        return Done(Result.SKIPPED, reason, None, None, self._writes, self._tombstone, unread=unread)

    def _done(self, result: Result, reason: str | None) -> Done:
        before = self._hand.begun_with
        return Done(result, reason, before, None, self._writes, self._tombstone)


class _UnreadError(Refused):
    """The last look before a deletion did not succeed."""


class _Waiting:
    """The patience for one deletion, and what is spent of it."""

    def __init__(self, hand: Hand, patience: float) -> None:
        self._hand = hand
        self._left = patience
        self._next = SHORTEST_WAIT

    @property
    def over(self) -> bool:
        return self._left <= 0 or self._hand.halted()

    def once(self, asked: float = 0.0) -> None:
        """Wait as long as Azure asks for, or a little longer than the last time."""
        pause = min(max(asked, self._next), LONGEST_WAIT)
        self._next = min(self._next * 1.5, LONGEST_WAIT)
        self._left -= pause
        self._hand.sleep(pause)


class Presence(StrEnum):
    """Whether a thing that is to go is there."""

    GONE = "gone"
    """It is not there, and its parent could be read."""
    THERE = "there"
    """It is there, as if nothing were."""
    LEAVING = "leaving"
    """It is there, and Azure says that it is being deleted."""
    UNKNOWN = "unknown"
    """Nobody can tell."""


class Seen(NamedTuple):
    """What a look has shown, in words too, and when what is there was created, UTC, if Azure tells."""

    presence: Presence
    reason: str
    created: datetime | None = None


def look(resource_id: str, subscription: Subscription, remover: Remover) -> Seen:
    """Look whether something is there; that it is gone is believed only where its parent can be read.

    Args:
        resource_id: of a resource or a resource group.
        subscription: the one it is in.
        remover: reads.
    """
    try:
        target = remover.target(resource_id, subscription)
    except NotFound:
        return _confirmed(resource_id, subscription, remover)
    except AzureError as error:
        return Seen(Presence.UNKNOWN, f"nobody can tell whether it is there: {error}")
    state = (target.state or "").casefold()
    if "delet" in state or "deprovision" in state:
        return Seen(Presence.LEAVING, "Azure is still deleting it")
    return Seen(Presence.THERE, "Azure still shows it", target.created)


def _confirmed(resource_id: str, subscription: Subscription, remover: Remover) -> Seen:
    """A 404 may be about the subscription, or the sign-in, so something that must be there is read too."""
    gone = Seen(Presence.GONE, "it is gone")
    try:
        group = None if is_group(resource_id) else remover.group(resource_id, subscription)
        if group is None:
            remover.locks(subscription)
        return gone
    except NotFound:
        pass  # Its group is gone too; then the subscription has to be there.
    except AzureError as error:
        return Seen(Presence.UNKNOWN, f"it is not shown, and its parent cannot be read: {error}")
    try:
        remover.locks(subscription)
    except AzureError as error:
        return Seen(Presence.UNKNOWN, f"it is not shown, and its subscription cannot be read: {error}")
    return gone


def out_of_scope(members: Iterable[Resource], includes: Callable[[str, str], bool]) -> str | None:
    """Say what in a group, that would go with it, is none of what Steward is to look after."""
    outside = [each for each in members if not includes(each.id, each.type)]
    if not outside:
        return None
    more = f", and {len(outside) - 1:,} more" if len(outside) > 1 else ""
    return f"{_shown(outside[0].id)}, which is in it, is not in scope{more}"


def unplanned(present: Iterable[Resource], planned: Collection[str]) -> str | None:
    """Say what would go along that the plan does not name; None if there is nothing."""
    known = {key(each) for each in planned}
    more = [each.id for each in present if key(each.id) not in known]
    if not more:
        return None
    others = f" and {len(more) - 1:,} more" if len(more) > 1 else ""
    return f"it holds what was not there when the plan was made: {_shown(more[0])}{others}"


def difference(planned: Mapping[str, Any], present: Mapping[str, Any]) -> str | None:
    """Say which part of a definition is not what it was when the plan was made; None if all that matters is.

    What changes by itself does not matter.
    """
    return _difference(planned, present, "")


def _difference(planned: Any, present: Any, where: str) -> str | None:
    if isinstance(planned, Mapping) and isinstance(present, Mapping):
        for name in sorted({*planned, *present}):
            if str(name).casefold() in VOLATILE:
                continue
            inner = f"{where}.{name}" if where else str(name)
            if (name in planned) != (name in present):
                return f"{_shown(inner)} was {'removed' if name in planned else 'added'}"
            if found := _difference(planned[name], present[name], inner):
                return found
        return None
    if isinstance(planned, list) and isinstance(present, list) and len(planned) == len(present):
        inner_ones = (
            _difference(one, other, f"{where}[{at}]")
            for at, (one, other) in enumerate(zip(planned, present, strict=True))
        )
        return next(filter(None, inner_ones), None)
    if planned != present or isinstance(planned, bool) is not isinstance(present, bool):
        return f"{_shown(where)} has changed"
    return None


def _shown(where: str) -> str:
    return f"'{one_line(where, 200)}'"
