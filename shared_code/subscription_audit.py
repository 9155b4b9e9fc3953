"""The tag audit of one subscription: itself, its resource groups and its resources, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from shared_code.activity import Suggestion
from shared_code.audits import Audited, TagRules
from shared_code.compliance import Tally
from shared_code.exemptions import Exemption, Exemptions, expired_finding
from shared_code.foreign_text import one_line
from shared_code.listings import Listing, verdict
from shared_code.model import Finding, Kind, Resource, ResourceGroup, Subject, Subscription, TagChange, Tags, Verdict
from shared_code.plan import PlanItem, is_in
from shared_code.ports import Estate
from shared_code.resource_ids import group_key, group_name, key, type_and_name
from shared_code.scope import Scope
from shared_code.tag_keys import fold
from shared_code.tag_suggestions import propose
from shared_code.violations import LONGEST_EVIDENCE, Breach, Violation

SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"
_REMEMBERED = 4096
_SLASHES_OF_A_GROUP = 4


@dataclass(frozen=True)
class TagAuditor:
    """What every subscription is audited with, and where what is found goes."""

    rules: TagRules
    exemptions: Exemptions
    owner_tag: str
    scope: Scope
    suggested_owner: Callable[[str, datetime | None], Suggestion | None]
    """Names a person who may own something, by its id and when it was created; None without evidence."""

    @cached_property
    def owner_key(self) -> str:
        """The tag that names an owner, as it compares."""
        return fold(self.owner_tag)


class _Place(NamedTuple):
    """The resource group something is in: its name, what is known of it, and whether it is in scope."""

    name: str | None
    group: ResourceGroup | None
    in_scope: bool


@dataclass
class SubscriptionAudit:
    """One subscription while it is audited.

    `items` are what a plan would hold; `read` counts what was audited, by kind, whether a rule applies or not.
    """

    auditor: TagAuditor
    subscription: Subscription
    found: Callable[[Finding], None]
    tally: Tally = field(init=False)
    items: list[PlanItem] = field(default_factory=list)
    read: dict[Kind, int] = field(default_factory=dict)
    exempted: set[tuple[str, str]] = field(default_factory=set)
    """Keys of ids and rules that are broken and exempted: nobody has fixed these."""
    resources: int = 0
    """In resource groups in scope, of all types."""
    _groups: dict[str, ResourceGroup] = field(default_factory=dict)
    _places: dict[str, _Place] = field(default_factory=dict)
    _types: dict[str, bool] = field(default_factory=dict)
    _expired: set[Exemption] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.tally = Tally(self.subscription.id, self.subscription.name)

    def run(self, estate: Estate, checkpoint: Callable[[], None]) -> Verdict:
        """Read and audit everything; an incomplete list is said in the verdict, and what was read is audited.

        Args:
            estate: what is read.
            checkpoint: asked at each page; raises where the work has to stop.
        """
        scope = self.auditor.scope
        listings = {"resource_groups": Listing(checkpoint)}
        self._audit(self._own_subject())
        with listings["resource_groups"].attempt():
            for groups in listings["resource_groups"].follow(estate.resource_groups(self.subscription)):
                for group in groups:
                    if scope.includes_group(group.name):
                        self._groups[key(group.id)] = group
                        self._audit(self._group_subject(group), group)
        if listings["resource_groups"].complete:
            # Without its group nobody knows whether a resource is managed.
            listings["resources"] = Listing(checkpoint)
            with listings["resources"].attempt():
                for resources in listings["resources"].follow(estate.resources(self.subscription)):
                    for resource in resources:
                        self._audit_resource(resource)
        whole = all(listing.complete for listing in listings.values())
        return verdict(
            self.subscription,
            listings,
            resource_groups=self.read.get(Kind.RESOURCE_GROUP, 0) if listings["resource_groups"].complete else None,
            resources=self.resources if whole else None,
        )

    def is_left_alone(self, resource_id: str) -> bool:
        """Tell whether something that no finding names any more is out of scope by now, or managed by something."""
        named = type_and_name(resource_id)
        if named is not None and not self.auditor.scope.includes_type(named[0]):
            return True
        group = self._place(resource_id).group
        return bool(group and group.managed_by)

    def _place(self, resource_id: str) -> _Place:
        """Say where something lies; the start of an id names its group, and each is looked at once."""
        start = resource_id.partition("/providers/")[0]
        if start.count("/") != _SLASHES_OF_A_GROUP:
            start = "/".join(resource_id.split("/", 5)[:5])
        place = self._places.get(start)
        if place is None:
            name = group_name(start)
            group = self._groups.get(group_key(start) or "")
            in_scope = name is None or self.auditor.scope.includes_group(name)
            place = self._places[start] = _Place(group.name if group else name, group, in_scope)
        return place

    def _includes_type(self, type_: str) -> bool:
        included = self._types.get(type_)
        if included is None:
            if len(self._types) >= _REMEMBERED:
                self._types.clear()
            included = self._types[type_] = self.auditor.scope.includes_type(type_)
        return included

    def _audit_resource(self, resource: Resource) -> None:
        place = self._place(resource.id)
        if not place.in_scope:
            return
        self.resources += 1
        if not self._includes_type(resource.type):
            return
        subject = Subject(
            kind=Kind.RESOURCE,
            id=resource.id,
            name=resource.name,
            type=resource.type,
            location=resource.location,
            tags=resource.tags or {},
            managed_by=resource.owner,
            subscription_id=self.subscription.id,
            subscription_name=self.subscription.name,
            resource_group=place.name,
        )
        self._audit(subject, resource, place.group)

    def _audit(
        self, subject: Subject, source: Resource | ResourceGroup | None = None, group: ResourceGroup | None = None
    ) -> None:
        self.read[subject.kind] = self.read.get(subject.kind, 0) + 1
        audited = self.auditor.rules.audit(subject, in_managed_group=bool(group and group.managed_by))
        if audited.skipped:
            self.tally.leave_out(audited.skipped)
            return
        if not audited.rules:
            self.tally.leave_out("no rule applies")
            return
        owner = self._owner(subject.tags)
        if not audited.violations:
            self.tally.add(subject, owner, evaluated=audited.rules)
            return
        self._break(subject, audited, owner, source, group)

    def _break(
        self,
        subject: Subject,
        audited: Audited,
        owner: str | None,
        source: Resource | ResourceGroup | None,
        group: ResourceGroup | None,
    ) -> None:
        sorted_out = self.auditor.exemptions.sort(subject, audited.violations)
        violated = tuple(dict.fromkeys([violation.rule for violation in sorted_out.open]))
        exempted = tuple(dict.fromkeys([each.rule for each, _ in sorted_out.exempted if each.rule not in violated]))
        if exempted:
            self.exempted.update((key(subject.id), rule) for rule in exempted)
        self.tally.add(subject, owner, evaluated=audited.rules, violated=violated, exempted=exempted)
        for exemption in sorted_out.expired:
            if exemption not in self._expired:
                self._expired.add(exemption)
                self.found(expired_finding(exemption))
        planned: set[str] = set()
        for violation in sorted_out.open:
            check = self.auditor.rules[violation.rule]
            proposal = propose(
                check,
                violation,
                subject,
                group_tags=group.tags if group else None,
                subscription_tags=self.subscription.tags,
            )
            if isinstance(proposal, TagChange) and not is_in(subject.id, self.subscription.id):
                proposal = "its id does not lead into the subscription it was listed in, so nothing is written to it"
            suggested = None
            if violation.kind in (Breach.MISSING, Breach.EMPTY) and self._names_owner(violation.tag):
                suggested = self.auditor.suggested_owner(subject.id, source.created if source else None)
            self.found(_finding(subject, violation, proposal, suggested))
            if isinstance(proposal, TagChange) and check.rule.mode.changes and violation.rule not in planned:
                planned.add(violation.rule)
                self.items.append(
                    PlanItem(
                        resource_id=subject.id,
                        subscription_id=subject.subscription_id,
                        kind=subject.kind,
                        rule=violation.rule,
                        mode=check.rule.mode,
                        reason=violation.detail,
                        seen=subject.tags,
                        conditions=(*check.rule.applies_to.tags, *check.rule.applies_to.exclude_tags),
                        change=proposal,
                    )
                )

    def _names_owner(self, tag: str | None) -> bool:
        return tag is not None and fold(tag) == self.auditor.owner_key

    def _owner(self, tags: Tags) -> str | None:
        owner_key = self.auditor.owner_key
        for name in tags:
            if fold(name) == owner_key:
                return tags[name]
        return None

    def _own_subject(self) -> Subject:
        own = self.subscription
        return Subject(
            kind=Kind.SUBSCRIPTION,
            id=f"/subscriptions/{own.id}",
            name=own.name,
            type=SUBSCRIPTION_TYPE,
            location=None,
            tags=own.tags,
            managed_by=None,
            subscription_id=own.id,
            subscription_name=own.name,
            resource_group=None,
        )

    def _group_subject(self, group: ResourceGroup) -> Subject:
        return Subject(
            kind=Kind.RESOURCE_GROUP,
            id=group.id,
            name=group.name,
            type=GROUP_TYPE,
            location=group.location,
            tags=group.tags,
            managed_by=group.managed_by,
            subscription_id=self.subscription.id,
            subscription_name=self.subscription.name,
            resource_group=group.name,
        )


def _finding(
    subject: Subject, violation: Violation, proposal: TagChange | str | None, suggested: Suggestion | None
) -> Finding:
    return Finding(
        rule=violation.rule,
        kind=violation.kind,
        resource_id=subject.id,
        subscription_id=subject.subscription_id,
        severity=violation.severity,
        detail=violation.detail,
        evidence=_evidence(violation, proposal, suggested) if proposal or suggested else violation.evidence,
    )


def _evidence(violation: Violation, proposal: TagChange | str | None, suggested: Suggestion | None) -> dict[str, str]:
    more = {
        "change": proposal.words if isinstance(proposal, TagChange) else None,
        "no_change": proposal if isinstance(proposal, str) else None,
        "suggested_owner": suggested.owner if suggested else None,
        "suggested_because": suggested.reason if suggested else None,
    }
    return violation.evidence | {
        name: one_line(text, LONGEST_EVIDENCE) for name, text in more.items() if text is not None
    }
