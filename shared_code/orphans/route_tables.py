"""Route tables that no subnet uses.

Azure leaves `subnets` out while none does, in every recorded answer; it never writes `[]`. So the answer must show that
it is whole: with its routes, be there any or not.
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, filled, not_a_list, refers, usual
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.network/routetables"


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find a table that is on no subnet."""
    routes = target.properties.get("routes")
    return judged(
        _kept(target, around),
        lambda: Match("it is on no subnet", evidence(routes=len(routes) if isinstance(routes, list) else None)),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    table = target.properties
    yield from usual(target, around, RULE.types)
    yield from filled(table, "subnets")
    yield from not_a_list(table, "routes")
    yield from refers(table, frozenset({"routes"}))


RULE = Rule(
    name="unused-route-table",
    sentence="Route tables on no subnet. One that was prepared for a network to come looks the same until it is old.",
    judge=judge,
    stage=Stage.PARTS,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "isnull(properties.subnets) or array_length(properties.subnets) == 0"),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("30d"),
    recreatable=True,
)
