"""Resource groups that nobody has changed for a long time.

The activity log knows writes to resources, not their use: a database that is read all day has none. So the rule only
reports, and where the log does not reach back far enough it says nothing at all.
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged
from shared_code.cleanup_settings import RuleSettings, StaleSettings
from shared_code.definitions import evidence
from shared_code.durations import Duration
from shared_code.empty_groups import unfit
from shared_code.model import Kind, Resource, ResourceGroup
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target
from shared_code.times import text_of

_UNUSED_FOR = Duration.parse("60d")


def judge(target: Target, around: Around, settings: RuleSettings, now: datetime) -> Match | str:
    """Find a group to which nobody wrote for the whole of a span that the activity log covers."""
    own = settings.unused_for if isinstance(settings, StaleSettings) else None
    last = around.last_write
    return judged(
        _kept(target, around, own or _UNUSED_FOR, now),
        lambda: Match(
            f"nobody has written to it or to anything in it for {own or _UNUSED_FOR}",
            evidence(
                last_write=text_of(last) if last else f"none since {_text(around.written_since)}",
                log_since=_text(around.written_since),
                resources=around.group.resources if around.group else None,
            ),
            last or around.written_since,
        ),
    )


def _kept(target: Target, around: Around, span: Duration, now: datetime) -> Iterator[str]:
    yield from unfit(target, around)
    if around.written_since is None:
        yield "there is no evidence: the activity log of its subscription was not read, or holds nothing"
    elif now - around.written_since < span.length:
        since = text_of(around.written_since)
        yield f"there is no evidence for {span}: the activity log tells of its subscription since {since} only"
    if around.last_write is not None and now - around.last_write < span.length:
        yield f"somebody wrote to it, or to something in it, {text_of(around.last_write)}, less than {span} ago"
    if target.created is not None and now - target.created < span.length:
        yield f"it was created {text_of(target.created)}, less than {span} ago"


def _text(moment: datetime | None) -> str:
    return text_of(moment) if moment else ""


def _candidate(given: ResourceGroup | Resource, _: RuleSettings, __: datetime) -> bool:
    return isinstance(given, ResourceGroup)


RULE = Rule(
    name="stale-resource-group",
    kinds=frozenset({Kind.RESOURCE_GROUP}),
    sentence=(
        "Resource groups to which, or to anything in which, nobody wrote for 60 days by the activity log, where the log"
        " reaches back that far. Use without writes, such as reading a database, leaves no trace there."
    ),
    judge=judge,
    stage=Stage.GROUPS,
    candidate=_candidate,
    needs_activity=True,
    mode=RuleMode.REPORT,
    minimum_age=_UNUSED_FOR,
    minimum_observations=3,
    settings=StaleSettings,
)
