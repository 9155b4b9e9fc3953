"""Surroundings: what is around a target, read to the end, for whoever decides about it."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from threading import Lock as Mutex
from typing import NamedTuple

import msgspec

from shared_code.activity import Evidence
from shared_code.cleanup_rule import Rule
from shared_code.management_locks import ManagementLocks
from shared_code.model import Kind, Resource, ResourceGroup, Subscription
from shared_code.ports import Clock, Remover
from shared_code.resource_ids import key, scopes_of
from shared_code.targets import Around, Denial, Target

TRUSTED_FOR = timedelta(seconds=5)
"""How long the locks and deny assignments of a subscription are believed while one thing after the other is deleted."""


class Guards(NamedTuple):
    """The locks and the deny assignments of a subscription, read at one moment."""

    locks: ManagementLocks
    denials: tuple[Denial, ...]


class GuardReader:
    """Reads what many things of a subscription or a resource group share, and believes it for a few seconds.

    That is the locks and deny assignments of a subscription, and what is in a resource group, for whoever asks about
    a resource there. Who deletes the group itself looks for himself.
    """

    def __init__(self, remover: Remover, clock: Clock) -> None:
        self._remover = remover
        self._guards = _Remembered[Guards](clock)
        self._members = _Remembered[list[Resource]](clock)

    def of(self, subscription: Subscription) -> Guards:
        """Return the locks and deny assignments as they are, or were a few seconds ago.

        Raises:
            AzureError: one of the two could not be read to its end.
        """

        def read() -> Guards:
            locks = ManagementLocks(self._remover.locks(subscription))
            return Guards(locks, tuple(self._remover.denials(subscription)))

        return self._guards.of(subscription.id.casefold(), read)

    def members(self, group_id: str) -> list[Resource]:
        """Return what is in a resource group, as it is or was a few seconds ago; raises AzureError."""
        return self._members.of(key(group_id), lambda: self._remover.members(group_id))


class _Remembered[Value]:
    """Answers of the last few seconds; each is asked for once at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._read: dict[str, tuple[datetime, Value]] = {}
        self._mutexes: dict[str, Mutex] = {}
        self._mutex = Mutex()

    def of(self, name: str, read: Callable[[], Value]) -> Value:
        """Return what was read of late, else what is read now; what that raises passes through."""
        with self._mutex:
            mutex = self._mutexes.setdefault(name, Mutex())
        with mutex:
            known, now = self._read.get(name), self._clock()
            # A clock that was set back must not make an old answer last.
            if known is None or not timedelta(0) <= now - known[0] < TRUSTED_FOR:
                known = self._read[name] = now, read()
            return known[1]


def around(
    target: Target,
    rule: Rule,
    remover: Remover,
    subscription: Subscription,
    group: ResourceGroup | None,
    guards: Guards,
    evidence: Callable[[], Evidence],
    members: Callable[[str], list[Resource]] | None = None,
) -> Around:
    """Read what is around a target.

    Args:
        target: as it was just read.
        rule: that asks; it says which lists it needs.
        remover: reads.
        subscription: the one it is in.
        group: the resource group that it is in, or is; None for what is in none.
        guards: the locks and deny assignments of the subscription.
        evidence: of the activity log, asked only for rules about when something was last written to.
        members: gives what is in a resource group, for a resource in it; else the remover is asked.

    Raises:
        AzureError: something could not be read to its end.
    """
    within = remover.members if members is None or target.kind is Kind.RESOURCE_GROUP else members
    inside = _members(target, within, group)
    if group is not None and group.resources is None and target.kind is Kind.RESOURCE_GROUP:
        group = msgspec.structs.replace(group, resources=len(inside))
    lists = {name: tuple(remover.items(f"{target.id}{path}")) for name, path in rule.lists.items()}
    last_write = written_since = None
    if rule.needs_activity:
        found = evidence()
        written_since = found.recorded_since(target.id)
        writes = [each.last.at for name in (target.id, *(one.id for one in inside)) if (each := found.of(name))]
        last_write = max(writes, default=None)
    return Around(
        subscription=subscription,
        group=group,
        locks=guards.locks.on(target.id),
        denials=_denials(target.id, guards.denials),
        members=tuple(inside),
        lists=lists,
        last_write=last_write,
        written_since=written_since,
    )


def _members(target: Target, within: Callable[[str], list[Resource]], group: ResourceGroup | None) -> list[Resource]:
    """Return what would go with the target."""
    if group is None:
        return []
    everything = within(group.id)
    if target.kind is Kind.RESOURCE_GROUP:
        return everything
    # A key has never more slashes than the id it is made of, so that most are ruled out cheaply.
    own = target.key
    slashes = own.count("/")
    return [each for each in everything if each.id.count("/") > slashes and key(each.id).startswith(f"{own}/")]


def _denials(resource_id: str, denials: Collection[Denial]) -> tuple[Denial, ...]:
    """Return those at the resource, above it and below it."""
    scopes = {*scopes_of(resource_id)}
    own = key(resource_id)
    return tuple(each for each in denials if key(each.scope) in {*scopes, ""} or own in scopes_of(each.scope))


def by_key(subscriptions: Collection[Subscription]) -> Mapping[str, Subscription]:
    """Return the subscriptions by their ids without case."""
    return {each.id.casefold(): each for each in subscriptions}
