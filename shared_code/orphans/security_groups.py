"""Network security groups that protect nothing.

Azure leaves `subnets` and `networkInterfaces` out while nothing uses the group, in every recorded answer; it never
writes `[]`. So the answer must show that it is whole: with the rules that every group has.
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, filled, not_a_list, refers, usual
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.network/networksecuritygroups"
_HARMLESS = frozenset({"securityRules", "defaultSecurityRules"})


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find a group that is on no subnet and no network interface, and whose flows nobody records."""
    rules = target.properties.get("securityRules")
    return judged(
        _kept(target, around),
        lambda: Match(
            "it is on no subnet and on no network interface",
            evidence(rules=len(rules) if isinstance(rules, list) else None),
        ),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    group = target.properties
    yield from usual(target, around, RULE.types)
    yield from filled(group, "subnets", "networkInterfaces")
    yield from filled(group, "flowLogs", means="somebody records what flows through it")
    yield from not_a_list(group, "securityRules", "defaultSecurityRules")
    yield from refers(group, _HARMLESS)


RULE = Rule(
    name="unused-network-security-group",
    sentence=(
        "Network security groups on no subnet and no network interface; not those with a flow log. A group that a"
        " scale set of no machines names, or a policy asks for, looks the same."
    ),
    judge=judge,
    stage=Stage.PARTS,
    types=frozenset({TYPE}),
    query=query_for(
        TYPE,
        "isnull(properties.subnets) or array_length(properties.subnets) == 0",
        "isnull(properties.networkInterfaces) or array_length(properties.networkInterfaces) == 0",
    ),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("30d"),
    recreatable=True,
)
