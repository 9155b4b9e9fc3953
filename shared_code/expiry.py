"""Expiry: what its own tags say may be deleted after a date.

Only ISO 8601 counts, since 03/04 is two dates. A date, and a time without a zone, means the end of that day in UTC.
Of several such tags the latest counts, and every one must be readable.
"""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from shared_code.cleanup_rule import Doubt, DoubtKind, Judged, Match, Rule, Stage
from shared_code.cleanup_settings import ExpiredSettings, RuleSettings
from shared_code.definitions import quoted
from shared_code.durations import Duration
from shared_code.foreign_text import one_line
from shared_code.model import Kind, Resource, ResourceGroup, Tags
from shared_code.tag_formats import Format, has_format
from shared_code.tag_keys import fold
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target
from shared_code.times import text_of

_DAY = timedelta(days=1)
_GRACE = Duration.parse("1d")
_HORIZON = Duration.parse("400d")
_EARLIEST = datetime(2010, 2, 1, tzinfo=UTC)
"""When Azure opened; a date from before was never meant."""


class _Read(msgspec.Struct, frozen=True):
    """What the expiry tags of one thing say: the latest moment and the tag it is from."""

    moment: datetime
    name: str
    value: str


def judge(target: Target, around: Around, settings: RuleSettings, now: datetime) -> Judged:
    """Find what its own tags say has expired, with the grace period over."""
    own = settings if isinstance(settings, ExpiredSettings) else ExpiredSettings()
    if target.kind not in RULE.kinds:
        return f"the rule is not about a {target.kind}"
    read = _latest(target.tags, own.tags)
    if not isinstance(read, _Read):
        return read
    shown = f"its tag {quoted(read.name)} says {quoted(read.value)}"
    facts = {"tag": one_line(read.name, 80), "value": one_line(read.value, 80)}
    horizon, grace = own.longest_renewal or _HORIZON, own.grace_period or _GRACE
    if read.moment - now > horizon.length:
        return Doubt(DoubtKind.BEYOND_HORIZON, f"{shown}, which is more than {horizon} ahead", facts)
    if read.moment <= max(target.created or _EARLIEST, _EARLIEST):
        what = "it was created" if target.created else "there was Azure"
        return Doubt(DoubtKind.BEFORE_CREATION, f"{shown}, which was before {what}, so it is a copy or a slip", facts)
    # Not less than a day, whatever is configured: a day ends 12 hours later in some places than in UTC.
    waits = max(grace.length, _DAY)
    if now - read.moment < waits:
        return f"{shown}; with the grace period of {grace} it expires {text_of(read.moment + waits)}"
    if reason := _wanted_within(around, own.tags, now - waits, whole=target.kind is Kind.RESOURCE_GROUP):
        return reason
    if deletes_along(target.definition):
        return "Azure would delete what hangs on it along: one of its deleteOption is 'Delete'"
    since = read.moment + waits
    return Match(f"{shown}, and the grace period of {grace} ended {text_of(since)}", facts, since)


def deletes_along(value: object) -> bool:
    """Tell whether a definition says anywhere that something else goes when this goes.

    https://learn.microsoft.com/azure/virtual-machines/delete
    """
    if isinstance(value, dict):
        return any(
            (str(name).casefold() == "deleteoption" and str(inner).casefold() != "detach") or deletes_along(inner)
            for name, inner in value.items()
        )
    return isinstance(value, list) and any(map(deletes_along, value))


def _latest(tags: Tags, wanted: tuple[str, ...]) -> _Read | Doubt | str:
    """Read the expiry tags; says why there is nothing to read, or what is wrong with one."""
    keys = {fold(name.strip()) for name in wanted}
    found = [(name, value) for name, value in tags.items() if fold(name.strip()) in keys]
    if not found:
        return "it has no tag that says when it expires"
    if len({fold(name.strip()) for name, _ in found}) < len(found):
        names = ", ".join(quoted(name) for name, _ in found)
        return Doubt(
            DoubtKind.UNREADABLE, f"its tags {names} are one key in two spellings, so nobody knows which counts"
        )
    read = []
    for name, value in found:
        moment = moment_of(value)
        if moment is None:
            said = f"tag {quoted(name)} = {quoted(value)}" if value else f"tag {quoted(name)} without a value"
            detail = f"{said} is no date that can be read; write {Format.DATE.words}"
            facts = {"tag": one_line(name, 80), "value": one_line(value or "", 80)}
            return Doubt(DoubtKind.UNREADABLE, detail, facts)
        read.append(_Read(moment, name, value or ""))
    return max(read, key=lambda each: each.moment)


def moment_of(value: str | None) -> datetime | None:
    """Read the moment at which a tag says that something expires; None where it is not surely one.

    `2026-03-31` and `2026-03-31T18:00` both mean the end of that day, UTC; `2026-03-31T18:00Z` means what it says.
    """
    if value is None or not has_format(value, Format.DATE):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        return _end_of(moment.date())
    except (ValueError, OverflowError):  # 9999-12-31T23:59:59-01:00
        return None


def _end_of(day: date) -> datetime:
    if day == date.max:  # a favourite for "never", beyond any horizon
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(day, time(), UTC) + _DAY


def _wanted_within(around: Around, wanted: tuple[str, ...], ended: datetime, *, whole: bool) -> str | None:
    """Say what in a thing is wanted for longer than the thing; it goes along. `whole` is a resource group."""
    if whole and (around.group is None or around.group.resources is None):
        return "what is in it was not read, and would go with it"
    if whole and around.group and len(around.members) < (around.group.resources or 0):
        return f"of {around.group.resources:,} resources in it only {len(around.members):,} were read"
    for member in around.members:
        read = _latest(member.tags or {}, wanted)
        if isinstance(read, Doubt):
            return f"{quoted(member.id)}, which is in it, has an expiry of its own that cannot be read"
        if isinstance(read, _Read) and read.moment > ended:
            tag = f"{quoted(read.name)} = {quoted(read.value)}"
            return f"{quoted(member.id)}, which is in it, expires later: its tag {tag}"
    return None


def _candidate(given: ResourceGroup | Resource, settings: RuleSettings, now: datetime) -> bool:
    """Whatever has such a tag, but for what surely expires later: most of an estate may say so."""
    if not given.tags:
        return False
    own = settings if isinstance(settings, ExpiredSettings) else ExpiredSettings()
    read = _latest(given.tags, own.tags)
    if isinstance(read, _Read):
        ahead = read.moment - now
        return not timedelta(0) < ahead <= (own.longest_renewal or _HORIZON).length
    return isinstance(read, Doubt)


RULE = Rule(
    name="expired",
    kinds=frozenset({Kind.RESOURCE, Kind.RESOURCE_GROUP}),
    sentence=(
        "Resources and resource groups whose own tag (delete-after, expires-on) says a date that is past, with its"
        " grace period; of several tags the latest counts. A date that cannot be read, is too far ahead or before the"
        " creation is reported and never acted on."
    ),
    judge=judge,
    stage=Stage.GROUPS,
    candidate=_candidate,
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("1d"),
    settings=ExpiredSettings,
)
