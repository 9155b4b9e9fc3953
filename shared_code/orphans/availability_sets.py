"""Availability sets without machines."""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import (
    evidence,
    managed,
    misread,
    names_in,
    not_empty,
    part,
    quoted,
    refers,
    texts_in,
    unsettled,
)
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.compute/availabilitysets"


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find a set without machines, to which no scale set refers and which Site Recovery did not prepare."""
    return judged(
        _kept(target, around),
        lambda: Match("no machine is in it", evidence(sku=part(target.definition.get("sku"), "name"))),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    given = target.properties
    yield from misread(target, RULE.types)
    if "provisioningState" in given:  # recorded answers have none
        yield from unsettled(target)
    yield from managed(target, around)
    yield from not_empty(given, "virtualMachines", means="machines are in it")
    if any(name.lower().startswith("virtualmachinescaleset") for name in names_in(given)) or any(
        "/virtualmachinescalesets/" in text.lower() for text in texts_in(given)
    ):
        yield "its definition names a scale set"
    if target.name.lower().endswith("-asr"):
        yield f"its name {quoted(target.name)} is one that Site Recovery gives to a set it prepares"
    yield from refers(given, frozenset({"proximityPlacementGroup"}))


RULE = Rule(
    name="unused-availability-set",
    sentence="Availability sets without machines; not those that Site Recovery prepares or that name a scale set.",
    judge=judge,
    stage=Stage.PARTS,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "array_length(properties.virtualMachines) == 0"),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("30d"),
    recreatable=True,
)
