"""SQL elastic pools without databases, by the pool's own list: whoever may not read that list finds nothing."""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, in_list, managed, misread, part, unsettled
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.sql/servers/elasticpools"


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find a pool that is ready, and in which no database is, not even one that is being restored."""
    sku = target.definition.get("sku")
    return judged(
        _kept(target, around),
        lambda: Match("no database is in it", evidence(sku=part(sku, "name"), capacity=part(sku, "capacity"))),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    yield from misread(target, RULE.types)
    yield from unsettled(target, "state")
    yield from managed(target, around)
    yield from in_list(around, "databases", "databases")


RULE = Rule(
    name="sql-elastic-pool-without-databases",
    sentence=(
        "SQL elastic pools that are ready and whose own list of databases is empty; not those whose list could not be"
        " read, or into which a database is being restored."
    ),
    judge=judge,
    stage=Stage.PARTS,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "tostring(properties.state) =~ 'Ready'"),
    lists={"databases": "/databases"},
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("14d"),
    recreatable=True,
)
