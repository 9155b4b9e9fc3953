"""Snapshots that are old. Nothing shows whether anybody needs one, so the rule only tells people."""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, moment_of, not_said, part, quoted, said, too_recent, usual
from shared_code.durations import Duration
from shared_code.orphans.disks import copying, of_site_recovery
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target
from shared_code.times import text_of

TYPE = "microsoft.compute/snapshots"
_AGE = Duration.parse("90d")


def judge(target: Target, around: Around, settings: RuleSettings, now: datetime) -> Match | str:
    """Find a full snapshot that was taken longer ago than the minimum age, and that no service made."""
    snapshot = target.properties
    taken = moment_of(snapshot.get("timeCreated"))
    return judged(
        _kept(target, around, settings.minimum_age or _AGE, now),
        lambda: Match(
            f"it was taken {text_of(taken) if taken else 'long ago'}",
            evidence(
                taken=snapshot.get("timeCreated"),
                source=part(snapshot.get("creationData"), "sourceResourceId"),
                size_gb=snapshot.get("diskSizeGB"),
            ),
            taken,
        ),
    )


def _kept(target: Target, around: Around, age: Duration, now: datetime) -> Iterator[str]:
    snapshot = target.properties
    yield from usual(target, around, RULE.types)
    yield from not_said(snapshot, "diskState", "Unattached")
    yield from _incremental(snapshot)
    yield from copying(snapshot)
    if target.name.lower().startswith("azurebackup_"):
        yield f"its name {quoted(target.name)} is one that Azure Backup gives to a restore point"
    yield from of_site_recovery(target.name)
    yield from too_recent(snapshot.get("timeCreated"), "it was taken", age, now)


def _incremental(snapshot: dict[str, object]) -> Iterator[str]:
    if "incremental" not in snapshot:
        yield "Azure does not say whether it is incremental"
    elif snapshot["incremental"] is not False:
        yield f"it belongs to a chain of incremental snapshots: its incremental is {said(snapshot['incremental'])}"


RULE = Rule(
    name="old-snapshot",
    sentence=(
        "Full snapshots older than the minimum age; not incremental ones, nor those of Azure Backup and Site Recovery."
        " Nobody can see whether an image or a person still needs one."
    ),
    judge=judge,
    stage=Stage.COPIES,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "tostring(properties.diskState) =~ 'Unattached'"),
    mode=RuleMode.NOTIFY,
    minimum_age=_AGE,
    minimum_observations=3,
)
