"""Eligibility: what becomes of one thing that a rule has found; decided alike for a plan and just before a delete.

The first of these that applies decides:

1. `unread`: something around it could not be read, so nobody knows.
2. `kept`: it is protected, or the rule finds it no longer.
3. `snoozed`: somebody asked to be left alone with it.
4. `reported`: the rule may only tell, or cannot make sense of what it read and tells that.
5. `waiting`: it is too young, or was seen too seldom.
6. `planned`.

**Age.** A thing must have been there, and have been so, for the minimum age. Since when it has been so counts from
what Azure itself tells (`Match.since`), else from the ledger's first sighting. Since when it has been there counts from
the creation that Azure tells. Where Azure tells none, or a time from before there was Azure, which is how an unset time
looks, each counts from the first sighting too: what Steward has watched for the whole minimum age is at least as old. A
creation that Azure tells is never outdone by the ledger. What was created after the first sighting is another thing
under an old name, so what was observed before is not about it: see `observed`.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from shared_code.cleanup_rule import Doubt, Judged, Match, Rule
from shared_code.cleanup_settings import RuleSettings
from shared_code.foreign_text import one_line
from shared_code.ledger import Entry
from shared_code.model import Kind
from shared_code.protection import Policy, protections
from shared_code.resource_ids import key
from shared_code.snoozes import Snooze
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target
from shared_code.times import text_of

EARLIEST = datetime(2010, 2, 1, tzinfo=UTC)
"""When Azure opened; times before are unset ones: 0001-01-01, 1601-01-01, 1970-01-01."""
_NEVER = datetime.max.replace(tzinfo=UTC)


class Decided(StrEnum):
    """What becomes of one thing that a rule has found."""

    PLANNED = "planned"
    """The plan holds it."""
    KEPT = "kept"
    """It is protected, or the rule finds it no longer."""
    WAITING = "waiting"
    """It is too young, or was seen too seldom."""
    REPORTED = "reported"
    """Its rule only reports or notifies, or has found what a person should mend first."""
    SNOOZED = "snoozed"
    """Somebody asked to be left alone with it, until a time."""
    UNREAD = "unread"
    """Something around it could not be read, so it stays."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `decisions.ndjson`; times are UTC.

    `due` is the earliest moment at which it would be planned if nothing changes; None if it would not be, however long
    one waits. Sightings that are still missing take runs of their own, so it may well come later. `created` is None
    where it is unknown.
    """

    rule: str
    resource_id: str
    subscription_id: str
    type: str
    decision: Decided
    reasons: tuple[str, ...]
    due: datetime | None
    first_seen: datetime
    last_seen: datetime
    times_seen: int
    created: datetime | None
    mode: RuleMode
    detail: str = ""
    evidence: dict[str, str] = {}


def mode_of(rule: Rule, settings: RuleSettings) -> RuleMode:
    """Return what may come of what a rule finds: what the operator says, else the rule's own.

    What could not be made anew is never deleted without a person, unless the operator says so.
    """
    if settings.mode is not None:
        return settings.mode
    return RuleMode.APPROVE if rule.mode is RuleMode.AUTOMATIC and not rule.recreatable else rule.mode


def created_of(target: Target) -> datetime | None:
    """Return when the target was created, where that is known."""
    return _set(target.created)


def _set(moment: datetime | None) -> datetime | None:
    return moment if moment and moment >= EARLIEST else None


def youngest(target: Target, around: Around, first_seen: datetime) -> datetime:
    """Return since when the target has been there, and everything that would go along with it."""
    within = [each.created for each in around.members if each.created and each.created >= EARLIEST]
    return max([created_of(target) or first_seen, *within])


def observed(entry: Entry, target: Target, now: datetime) -> Entry:
    """Return what was observed of this very target: a new entry, if it was created after the first sighting.

    To be asked before the ledger is kept, so that what was made anew is watched from then on. A list may still tell
    when the one before it was created; then its identity gives it away.
    """
    created, identity = created_of(target), target.identity
    another = None not in (identity, entry.identity) and identity != entry.identity
    if another or (created is not None and created > entry.first_seen):
        return msgspec.structs.replace(entry, first_seen=now, last_seen=now, times_seen=1, identity=identity)
    return entry if identity is None else msgspec.structs.replace(entry, identity=identity)


def decide(
    rule: Rule,
    settings: RuleSettings,
    target: Target,
    around: Around | str,
    found: Judged,
    entry: Entry,
    policy: Policy,
    snooze: Snooze | None,
    now: datetime,
) -> Decision:
    """Decide what becomes of a target.

    Args:
        rule: that has found it.
        settings: the operator's, for that rule.
        target: as it was just read.
        around: what is around it, or what could not be read of that, and why.
        found: what the rule says of it now; of no account where `around` was not read.
        entry: what the ledger remembers, this look included.
        policy: what protects.
        snooze: the one of this rule and resource, if there is any; it need not be in force.
        now: aware.
    """
    own = observed(entry, target, now)
    decided, reasons, due = _decided(rule, settings, target, around, found, own, policy, snooze, now)
    told = Match("") if isinstance(found, str) else found
    return Decision(
        rule=rule.name,
        resource_id=target.id,
        subscription_id=target.subscription_id,
        type=target.type,
        decision=decided,
        reasons=tuple(one_line(reason, 1000) for reason in reasons),
        due=due,
        first_seen=own.first_seen,
        last_seen=own.last_seen,
        times_seen=own.times_seen,
        created=created_of(target),
        mode=mode_of(rule, settings),
        detail=one_line(told.detail),
        evidence={one_line(name): one_line(value) for name, value in told.evidence.items()},
    )


def _decided(
    rule: Rule,
    settings: RuleSettings,
    target: Target,
    around: Around | str,
    found: Judged,
    entry: Entry,
    policy: Policy,
    snooze: Snooze | None,
    now: datetime,
) -> tuple[Decided, tuple[str, ...], datetime | None]:
    """Return the decision, its reasons, and when it is due."""
    if isinstance(around, str):
        return Decided.UNREAD, (around or "what is around it could not be read",), None
    if target.kind is Kind.RESOURCE_GROUP and (unread := _unread_within(around)):
        return Decided.UNREAD, (unread,), None
    if entry.rule != rule.name or key(entry.resource_id) != target.key:
        other = f"rule '{entry.rule}' and '{entry.resource_id}'"
        return Decided.UNREAD, (f"what the ledger remembers is about {other}, so nobody knows",), None
    gone = (found or "the rule finds it no longer",) if isinstance(found, str) else ()
    if kept := (*protections(target, around, policy), *gone):
        return Decided.KEPT, kept, None
    may_plan = mode_of(rule, settings).changes and isinstance(found, Match)
    since = _set(found.since) if isinstance(found, Match) else None
    since_there = youngest(target, around, entry.first_seen)
    due, missing, met = _waited(rule, settings, created_of(target), since_there, since, entry, now)
    if snooze is not None and snooze.is_active(now):
        wakes = max(due, snooze.until) if snooze.until and may_plan else None
        return Decided.SNOOZED, (snooze.sentence,), wakes
    if isinstance(found, Doubt):
        return Decided.REPORTED, (found.detail,), None
    if not may_plan:
        return Decided.REPORTED, (f"the mode of its rule is '{mode_of(rule, settings)}'",), None
    if missing:
        return Decided.WAITING, missing, due
    return Decided.PLANNED, met, due


def _unread_within(around: Around) -> str | None:
    """Tell what of a group nobody has seen: it would go with the group, and might protect it."""
    count, seen = around.group.resources if around.group else None, len(around.members)
    if count is None:
        return "what is in it was not read to the end"
    return f"{count:,} resources are in it, and only {seen:,} were read" if count > seen else None


def _waited(
    rule: Rule,
    settings: RuleSettings,
    created: datetime | None,
    since: datetime,
    so_since: datetime | None,
    entry: Entry,
    now: datetime,
) -> tuple[datetime, tuple[str, ...], tuple[str, ...]]:
    """Return when it is due, what it has to wait for, and what it need not wait for any more."""
    age = settings.minimum_age or rule.minimum_age
    times = settings.minimum_observations or rule.minimum_observations
    what = (
        f"it was created {text_of(since)}" if created else f"its creation is unknown, and seen since {text_of(since)}"
    )
    if since > (created or entry.first_seen):
        what = f"something in it was created {text_of(since)}"
    unused = so_since or entry.first_seen
    source = "as Azure tells" if so_since else "as far as it was watched"
    lasted = f"it has been so since {text_of(unused)}, {source}; it must be for {age}"
    due = max(_later(since, age.length), _later(unused, age.length))
    fresh = now < _later(unused, age.length)
    aged = f"{what}; the minimum age is {age}"
    seen = f"it was seen {_times(entry.times_seen)}, first {text_of(entry.first_seen)}; {_times(times)} needed"
    young, seldom = now < _later(since, age.length), entry.times_seen < times
    facts = ((aged, young), (lasted, fresh), (seen, seldom))
    return (
        max(due, now) if seldom else due,
        tuple(text for text, counts in facts if counts),
        tuple(text for text, counts in facts if not counts),
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _later(moment: datetime, length: timedelta) -> datetime:
    try:
        return moment + length
    except OverflowError:
        return _NEVER
