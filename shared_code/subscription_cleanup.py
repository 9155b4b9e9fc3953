"""The cleanup of one subscription: everything is listed, candidates are looked at one by one, and each is decided."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import msgspec

from shared_code.activity import LONGEST_SPAN, Evidence
from shared_code.cleanup_rule import Doubt, Match, Rule
from shared_code.cleanup_rules import stage_of
from shared_code.cleanup_settings import RuleSettings
from shared_code.deletion import out_of_scope
from shared_code.eligibility import Decided, Decision, decide, mode_of, observed
from shared_code.errors import AzureError, NotFound
from shared_code.foreign_text import one_line
from shared_code.ledger import Entry
from shared_code.listings import Listing, verdict
from shared_code.management_locks import ManagementLocks
from shared_code.model import Finding, Kind, Lock, Resource, ResourceGroup, Severity, Subscription, Verdict
from shared_code.plan import Action, Observed, PlanItem
from shared_code.ports import Activity, Estate, Remover
from shared_code.proposals import Proposals
from shared_code.protection import Policy
from shared_code.resource_ids import group_key, group_name, key, type_and_name
from shared_code.scope import Scope
from shared_code.snoozes import Snooze, about
from shared_code.subscription_audit import GROUP_TYPE
from shared_code.surroundings import Guards, around
from shared_code.targets import Around, Denial, Target

type On = Mapping[str, tuple[Rule, RuleSettings]]
"""The rules that are on, by name, each with the operator's settings."""
log = logging.getLogger(__name__)

LOOKERS = 8
"""Candidates of one subscription looked at at the same time."""
MOST_LOOKS = 10_000
"""Candidates of one subscription that a run looks at; Azure grants 25 reads a second, and a run has to end."""

_SLASHES = "/subscriptions/ID/resourceGroups/NAME/providers/NAMESPACE/TYPE/NAME".count("/")

type Place = tuple[str, str]
"""Key of the id, rule."""


@dataclass(frozen=True)
class Cleaner:
    """What every subscription is cleaned up with."""

    rules: On
    policy: Policy
    scope: Scope
    remover: Remover
    activity: Activity
    proposals: Proposals
    deleting: frozenset[str]
    """Keys of what an earlier run began to delete, and Azure is still at."""
    snoozes: Mapping[str, Snooze]
    """By their ids, those that cannot be read too."""
    now: datetime
    most: int = MOST_LOOKS


class _Seen(NamedTuple):
    """What a rule has found, and all that decides about it."""

    target: Target
    near: Around | str
    found: Match | Doubt


@dataclass
class SubscriptionCleanup:
    """One subscription while it is looked at.

    `kept` are decisions about what a rule did not find after all, or what could not be looked at. `read` counts what is
    in scope by type, in lower case.
    """

    cleaner: Cleaner
    subscription: Subscription
    found: Callable[[Finding], None]
    kept: list[Decision] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unlooked: set[Place] = field(default_factory=set)
    """What nobody could look at: it is not healed for that."""
    resources: int = 0
    _groups: dict[str, ResourceGroup] = field(default_factory=dict)
    _candidates: dict[str, set[str]] = field(default_factory=dict)
    _created: dict[str, datetime] = field(default_factory=dict)
    """When candidates were created, as the list of the subscription tells; by their ids as there."""
    _nested: dict[str, list[Resource]] = field(default_factory=lambda: defaultdict(list))
    """What is nested in another resource, by the key of its resource group."""
    _sizes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _seen: dict[Place, _Seen] = field(default_factory=dict)
    _planned_groups: set[str] = field(default_factory=set)
    _planned: dict[str, str] = field(default_factory=dict)
    _managed: dict[str, str] = field(default_factory=dict)

    def run(self, estate: Estate, checkpoint: Callable[[], None]) -> Verdict:
        """List everything and look at the candidates; where a list is not complete, nothing is looked at.

        Args:
            estate: what is listed.
            checkpoint: asked at each page and each candidate; raises where the work has to stop.
        """
        names = ("resource_groups", "resources", "locks", "denials", "candidates")
        listings = {name: Listing(checkpoint) for name in names}
        locks: list[Lock] = []
        denials: list[Denial] = []
        with listings["candidates"].attempt():
            for ids in listings["candidates"].follow([self._proposed()]):
                self._take_proposed(ids)
        with listings["resource_groups"].attempt():
            for groups in listings["resource_groups"].follow(estate.resource_groups(self.subscription)):
                self._take_groups(groups)
        with listings["resources"].attempt():
            for resources in listings["resources"].follow(estate.resources(self.subscription)):
                self._take_resources(resources)
        with listings["locks"].attempt():
            for page in listings["locks"].follow(estate.locks(self.subscription)):
                locks += page
        with listings["denials"].attempt():
            for found in listings["denials"].follow([self.cleaner.remover.denials(self.subscription)]):
                denials += found
        if all(listing.complete for listing in listings.values()):
            self._choose_groups()
            self._look_at_all(Guards(ManagementLocks(locks), tuple(denials)), checkpoint)
        return verdict(
            self.subscription,
            listings,
            resource_groups=len(self._groups) if listings["resource_groups"].complete else None,
            resources=self.resources if listings["resources"].complete else None,
            locks=len(ManagementLocks(locks)) if listings["locks"].complete else None,
        )

    def decided(self, entry: Entry) -> tuple[Entry, Decision, PlanItem | None]:
        """Decide about what a rule has found, with what the ledger remembers of it.

        Args:
            entry: with this look; groups come before what is in them.

        Returns:
            The entry that the ledger is to keep, the decision, and the item of the plan if it is planned.
        """
        place = key(entry.resource_id), entry.rule
        seen = self._seen[place]
        rule, settings = self.cleaner.rules[entry.rule]
        kept = observed(entry, seen.target, self.cleaner.now)
        snooze = about(self.cleaner.snoozes, entry.rule, entry.resource_id, self.cleaner.now)
        decision = decide(
            rule, settings, seen.target, seen.near, seen.found, kept, self.cleaner.policy, snooze, self.cleaner.now
        )
        if decision.decision is not Decided.PLANNED:
            return kept, decision, None
        if seen.target.key in self.cleaner.deleting:
            reason = "an earlier run began to delete it, and its end is not known"
            return kept, msgspec.structs.replace(decision, decision=Decided.KEPT, reasons=(reason,), due=None), None
        if outside := self._out_of_scope(seen.near):
            return kept, msgspec.structs.replace(decision, decision=Decided.KEPT, reasons=(outside,), due=None), None
        group = group_key(seen.target.id) or ""
        if seen.target.kind is Kind.RESOURCE_GROUP:
            self._planned_groups.add(group)
        elif group in self._planned_groups:
            reason = "its resource group is planned as a whole"
            return kept, msgspec.structs.replace(decision, decision=Decided.KEPT, reasons=(reason,), due=None), None
        if other := self._planned.get(seen.target.key):
            return (
                kept,
                msgspec.structs.replace(
                    decision, decision=Decided.KEPT, reasons=(f"rule '{other}' plans it already",), due=None
                ),
                None,
            )
        self._planned[seen.target.key] = rule.name
        members = seen.near.members if isinstance(seen.near, Around) else ()
        return kept, decision, _item(seen.target, rule, decision, [each.id for each in members])

    def _out_of_scope(self, near: Around | str) -> str | None:
        scope = self.cleaner.scope
        members = () if isinstance(near, str) else near.members
        return out_of_scope(members, lambda _, type_: scope.includes_type(type_))

    def _take_groups(self, groups: list[ResourceGroup]) -> None:
        for group in groups:
            if group.managed_by:
                self._managed[key(group.managed_by)] = group.id
            if self.cleaner.scope.includes_group(group.name):
                self._groups[key(group.id)] = group

    def _take_resources(self, resources: list[Resource]) -> None:
        for resource in resources:
            group = group_key(resource.id)
            if group is not None:
                self._sizes[group] += 1
                # A key has never more slashes than the id it is made of.
                if resource.id.count("/") > _SLASHES:
                    self._nested[group].append(resource)
            name = group_name(resource.id)
            if name is None or not self.cleaner.scope.includes_group(name):
                continue
            self.resources += 1
            if not self.cleaner.scope.includes_type(resource.type):
                continue
            self.read[resource.type.casefold()] += 1
            for rule, settings in self.cleaner.rules.values():
                if (
                    Kind.RESOURCE in rule.kinds
                    and rule.candidate is not None
                    and rule.candidate(resource, settings, self.cleaner.now)
                ):
                    self._candidates.setdefault(resource.id, set()).add(rule.name)
            if resource.id in self._candidates and resource.created:
                self._created[resource.id] = resource.created

    def _proposed(self) -> list[tuple[str, str]]:
        """Return what Resource Graph proposes: rule and id.

        Raises:
            AzureError: some of it could not be read.
        """
        if unread := self.cleaner.proposals.unread(self.subscription):
            raise AzureError(unread)
        found = self.cleaner.proposals.of(self.subscription)
        return [(rule, resource_id) for rule, ids in found.items() for resource_id in ids]

    def _take_proposed(self, proposed: list[tuple[str, str]]) -> None:
        for rule, resource_id in proposed:
            name, named = group_name(resource_id), type_and_name(resource_id)
            if name is None or named is None or not self.cleaner.scope.includes_group(name):
                continue
            if self.cleaner.scope.includes_type(named[0]):
                self._candidates.setdefault(resource_id, set()).add(rule)

    def _choose_groups(self) -> None:
        for group_id, group in self._groups.items():
            counted = self._groups[group_id] = msgspec.structs.replace(group, resources=self._sizes.get(group_id, 0))
            if self.cleaner.scope.includes_type(GROUP_TYPE):
                self.read[GROUP_TYPE.casefold()] += 1
            for rule, settings in self.cleaner.rules.values():
                fits = Kind.RESOURCE_GROUP in rule.kinds and rule.candidate is not None
                if fits and rule.candidate is not None and rule.candidate(counted, settings, self.cleaner.now):
                    self._candidates.setdefault(counted.id, set()).add(rule.name)

    def _look_at_all(self, guards: Guards, checkpoint: Callable[[], None]) -> None:
        asked: dict[str, tuple[str, set[str]]] = {}
        for resource_id, rules in self._candidates.items():
            # Resource Graph and the lists may spell one id in two ways.
            asked.setdefault(key(resource_id), (resource_id, set()))[1].update(rules)
        ordered = sorted(asked.values(), key=lambda each: key(each[0]))
        most = self.cleaner.most
        reason = (
            f"a run looks at the first {most:,} candidates of a subscription, and there are {len(ordered):,}; "
            "narrow the scope or the rules"
        )
        for resource_id, names in ordered[most:]:
            for name in sorted(names):
                self._miss(resource_id, name, reason)
        waiting = iter(ordered[:most])
        with ThreadPoolExecutor(LOOKERS, "look") as pool:
            try:
                # A few at a time, so that those who look share what is in one group, and stop soon when told to.
                while batch := list(islice(waiting, LOOKERS * 4)):
                    checkpoint()
                    for _ in pool.map(lambda each: self._look_at(each[0], sorted(each[1]), guards), batch):
                        pass
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        # Here and not by those who look: what takes the findings is for one thread.
        for place in sorted(self._seen):
            seen = self._seen[place]
            rule, settings = self.cleaner.rules[place[1]]
            self.found(_finding(seen.target, rule, settings, seen.found))

    def _look_at(self, resource_id: str, rules: list[str], guards: Guards) -> None:
        try:
            target = self.cleaner.remover.target(resource_id, self.subscription, self._created.get(resource_id))
        except NotFound:
            return  # Gone since it was listed, so there is nothing to find.
        except AzureError as error:
            for rule in rules:
                self._miss(resource_id, rule, str(error))
            return
        for name in rules:
            self._judge(target, name, guards)

    def _judge(self, target: Target, name: str, guards: Guards) -> None:
        rule, settings = self.cleaner.rules[name]
        group = self._groups.get(group_key(target.id) or "")
        try:
            near = around(
                target,
                rule,
                self.cleaner.remover,
                self.subscription,
                group,
                guards,
                lambda: self._evidence,
                lambda group_id: self._nested.get(key(group_id), []),
            )
        except AzureError as error:
            self._miss(target.id, name, str(error))
            return
        if managed := self._managed_by(target, near):
            self._keep(target, name, Decided.KEPT, managed)
            return
        try:
            found = rule.judge(target, near, settings, self.cleaner.now)
        except Exception as error:  # one odd thing must not end the cleanup of all others
            log.exception("rule=%s cannot judge %s", name, one_line(target.id, 400))
            self._miss(target.id, name, f"the rule failed unexpectedly with {type(error).__name__}; the log says where")
            return
        if isinstance(found, str):
            self._keep(target, name, Decided.KEPT, found)
        else:
            self._seen[target.key, name] = _Seen(target, near, found)

    def _managed_by(self, target: Target, near: Around) -> str | None:
        """Say which resource group Azure would delete along, since it is managed by this or by something in it."""
        for owner in (target.key, *(key(each.id) for each in near.members)):
            if group := self._managed.get(owner):
                return f"Azure would delete resource group '{one_line(group, 300)}' along, which it manages"
        return None

    @cached_property
    def _evidence(self) -> Evidence:
        now = self.cleaner.now
        return self.cleaner.activity.writers([self.subscription.id], now - LONGEST_SPAN, now)

    def _miss(self, resource_id: str, rule: str, reason: str) -> None:
        self.unlooked.add((key(resource_id), rule))
        named = type_and_name(resource_id)
        target = Target(
            id=resource_id,
            name=named[1] if named else group_name(resource_id) or "",
            type=named[0] if named else GROUP_TYPE,
            kind=Kind.RESOURCE if named else Kind.RESOURCE_GROUP,
            subscription_id=self.subscription.id,
        )
        self._keep(target, rule, Decided.UNREAD, reason)

    def _keep(self, target: Target, rule: str, decision: Decided, reason: str) -> None:
        known, settings = self.cleaner.rules[rule]
        self.kept.append(
            Decision(
                rule=rule,
                resource_id=target.id,
                subscription_id=target.subscription_id,
                type=target.type,
                decision=decision,
                reasons=(one_line(reason, 1000),),
                due=None,
                first_seen=self.cleaner.now,
                last_seen=self.cleaner.now,
                times_seen=0,
                created=target.created,
                mode=mode_of(known, settings),
            )
        )


def _finding(target: Target, rule: Rule, settings: RuleSettings, found: Match | Doubt) -> Finding:
    doubt = isinstance(found, Doubt)
    severity = Severity.MEDIUM if doubt or mode_of(rule, settings).changes else Severity.LOW
    return Finding(
        rule=rule.name,
        kind=str(found.kind) if isinstance(found, Doubt) else "unused",
        resource_id=target.id,
        subscription_id=target.subscription_id,
        severity=severity,
        detail=found.detail,
        evidence=found.evidence,
    )


def _item(target: Target, rule: Rule, decision: Decision, members: Iterable[str]) -> PlanItem:
    return PlanItem(
        resource_id=target.id,
        subscription_id=target.subscription_id,
        kind=target.kind,
        type=target.type,
        rule=rule.name,
        mode=decision.mode,
        reason=decision.detail,
        action=Action.DELETE,
        seen=target.tags,
        stage=stage_of(target),
        members=tuple(sorted(members, key=key)),
        observed=Observed(first_seen=decision.first_seen, last_seen=decision.last_seen, times_seen=decision.times_seen),
        definition=target.definition,
        evidence=decision.evidence,
    )
