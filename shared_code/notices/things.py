"""What a run has to tell about: one thing for each rule and resource, from the files that the run left."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import groupby

import msgspec

from shared_code.eligibility import Decided, Decision
from shared_code.model import Finding, Severity
from shared_code.outcomes import Result
from shared_code.resource_ids import key
from shared_code.tag_rules import RuleMode

type Place = tuple[str, str]
"""Where a thing stands: key of the resource id, rule."""


class Stage(StrEnum):
    """How far a thing has come; each is told once."""

    FOUND = "found"
    """A rule has found it."""
    PLANNED = "planned"
    """A plan holds it."""


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule has to say about one resource.

    `stage` is None where there is nothing to tell now, and it is not over either. `detail` and `advice` are foreign
    text. `due` is when cleanup would plan it; `outcome` what became of it in this very run.
    """

    rule: str
    resource_id: str
    subscription_id: str | None
    first_seen: datetime | None
    stage: Stage | None
    mode: RuleMode | None = None
    severity: Severity | None = None
    detail: str = ""
    advice: str = ""
    waits: bool = False
    due: datetime | None = None
    outcome: Result | None = None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return key(self.resource_id), self.rule

    @property
    def deletes(self) -> bool:
        """Whether it is cleanup that has found it; only an audit weighs what it finds."""
        return self.severity is None

    @property
    def for_owner(self) -> bool:
        """Whether its owner may be told."""
        return self.stage is not None and self.mode is not None and self.mode is not RuleMode.REPORT


_SILENT = (Decided.SNOOZED, Decided.UNREAD)
"""Of these there is nothing to tell, and they are not over."""


def of_cleanup(decisions: Iterable[Decision], outcomes: Mapping[Place, Result]) -> Iterator[Thing]:
    """Give what a cleanup has to tell, in the order of its decisions; what is kept is none of it.

    Args:
        decisions: by resource id and rule.
        outcomes: what became of items of the plan in the same run.
    """
    for each in decisions:
        if each.decision is Decided.KEPT:
            continue
        stage = Stage.PLANNED if each.decision is Decided.PLANNED else Stage.FOUND
        yield Thing(
            rule=each.rule,
            resource_id=each.resource_id,
            subscription_id=each.subscription_id,
            first_seen=each.first_seen,
            stage=None if each.decision in _SILENT else stage,
            mode=each.mode,
            detail=each.detail or "; ".join(each.reasons),
            waits=each.decision is Decided.WAITING,
            due=each.due,
            outcome=outcomes.get((key(each.resource_id), each.rule)),
        )


def of_audit(
    findings: Iterable[Finding],
    modes: Mapping[str, RuleMode],
    planned: Iterable[Place],
    outcomes: Mapping[Place, Result],
) -> Iterator[Thing]:
    """Give what a tag audit has to tell, in the order of its findings; those of one rule and resource are one thing.

    Args:
        findings: by resource id, rule and kind.
        modes: of the rules; a finding of none of them, such as one about an exemption, is no owner's.
        planned: what the run's plan holds.
        outcomes: what became of items of the plan in the same run.
    """
    held = frozenset(planned)
    for place, group in groupby(findings, key=lambda each: (key(each.resource_id), each.rule)):
        found = list(group)
        first = found[0]
        yield Thing(
            rule=first.rule,
            resource_id=first.resource_id,
            subscription_id=first.subscription_id,
            first_seen=first.first_seen,
            stage=Stage.PLANNED if place in held else Stage.FOUND,
            mode=modes.get(first.rule),
            severity=first.severity,
            detail="; ".join(each.detail for each in found),
            advice=first.suggestion,
            outcome=outcomes.get(place),
        )


def by_people(things: Iterable[Thing], armed: Collection[str]) -> Iterator[Thing]:
    """Give things: what automatic rules plan where the timer may not act waits for a person too.

    Args:
        things: of one run.
        armed: ids, in lower case, of the subscriptions in which the timer may act.
    """
    for each in things:
        acts = (each.subscription_id or "").lower() in armed
        waits = each.mode is RuleMode.AUTOMATIC and not acts
        yield msgspec.structs.replace(each, mode=RuleMode.APPROVE) if waits else each
