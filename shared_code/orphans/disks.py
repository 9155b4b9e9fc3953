"""Managed disks that no machine uses.

`managedBy` alone tells nothing: https://learn.microsoft.com/azure/virtual-machines/windows/find-unattached-disks.
A disk that waits for an upload, is being exported or was frozen with its machine has none either.
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import (
    evidence,
    filled,
    moment_of,
    not_said,
    part,
    quoted,
    said,
    too_recent,
    usual,
)
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target
from shared_code.times import text_of

TYPE = "microsoft.compute/disks"
_AGE = Duration.parse("14d")
_DETACHED = "LastOwnershipUpdateTime"
"""When it was last attached or detached, or its machine switched on or off; a disk never attached has none."""
_STATES = {
    "Attached": "it is attached to a running machine",
    "Reserved": "its machine is switched off",
    "Frozen": "its machine hibernates",
    "ActiveSAS": "it is being exported",
    "ActiveSASFrozen": "its machine hibernates, and it is being exported",
    "ReadyToUpload": "somebody is about to upload to it",
    "ActiveUpload": "it is being uploaded to",
}


def judge(target: Target, around: Around, settings: RuleSettings, now: datetime) -> Match | str:
    """Find a disk that is attached to nothing, and has not been for the minimum age."""
    disk = target.properties
    since = moment_of(disk.get(_DETACHED))
    return judged(
        _kept(target, around, settings.minimum_age or _AGE, now),
        lambda: Match(
            f"no machine uses it, and none has since {text_of(since) if since else 'long ago'}",
            evidence(
                state=disk.get("diskState"),
                unused_since=disk.get(_DETACHED),
                size_gb=disk.get("diskSizeGB"),
                sku=part(target.definition.get("sku"), "name"),
            ),
            since,
        ),
    )


def _kept(target: Target, around: Around, age: Duration, now: datetime) -> Iterator[str]:
    disk = target.properties
    yield from usual(target, around, RULE.types)
    yield from _in_state(disk.get("diskState"))
    yield from not_said(disk, "diskState", "Unattached")
    yield from filled(disk, "shareInfo", means="machines share it")
    yield from copying(disk)
    yield from of_site_recovery(target.name)
    yield from too_recent(disk.get(_DETACHED), "a machine last used it", age, now)


def _in_state(state: object) -> Iterator[str]:
    if isinstance(state, str) and state in _STATES:
        yield f"its disk state is '{state}': {_STATES[state]}"


def copying(properties: dict[str, object]) -> Iterator[str]:
    """What is still being copied or restored belongs to whoever started that."""
    done = properties.get("completionPercent")
    if "completionPercent" in properties and (isinstance(done, bool) or done not in (100, 100.0)):
        yield f"it is being copied or restored: its completionPercent is {said(done)}"


def of_site_recovery(name: str) -> Iterator[str]:
    """Site Recovery replicates to disks that no machine uses until the day they are needed."""
    folded = name.lower()
    if folded.endswith("-asrreplica") or folded.startswith(("ms-asr-", "asrseeddisk-")):
        yield f"its name {quoted(name)} is one that Site Recovery gives to a replica"


RULE = Rule(
    name="unattached-disk",
    sentence=(
        "Managed disks whose state is Unattached, and that no machine has used for the minimum age by Azure's own"
        " record; not disks that were never attached, are shared, exported, uploaded or replicated, or whose machine"
        " is switched off."
    ),
    judge=judge,
    stage=Stage.PARTS,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "isempty(managedBy)", "tostring(properties.diskState) =~ 'Unattached'"),
    mode=RuleMode.APPROVE,
    minimum_age=_AGE,
    minimum_observations=3,
)
