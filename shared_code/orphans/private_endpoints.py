"""Private endpoints all of whose connections have been cut off by the other side, for good.

Pending and Rejected ones may still be approved. One whose service was deleted may go on saying Approved, so it is not
found: https://github.com/dolevshor/azure-orphan-resources/issues/69
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, not_a_list, part, said, usual
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.network/privateendpoints"
_LISTS = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find an endpoint that has connections, every one of which is Disconnected."""
    services = [part(part(each, "properties"), "privateLinkServiceId") for each in _connections(target)]
    return judged(
        _kept(target, around),
        lambda: Match(
            "the other side has cut off every one of its connections",
            evidence(connections=len(services), service=services[0] if services else None),
        ),
    )


def _connections(target: Target) -> list[object]:
    given = (target.properties.get(name) for name in _LISTS)
    return [each for found in given if isinstance(found, list) for each in found]


def _kept(target: Target, around: Around) -> Iterator[str]:
    yield from usual(target, around, RULE.types)
    yield from not_a_list(target.properties, *_LISTS)
    connections = _connections(target)
    if not connections:
        yield "it has no connection of which Azure says anything"
    for each in connections:
        status = part(part(part(each, "properties"), "privateLinkServiceConnectionState"), "status")
        if status != "Disconnected":
            yield f"one of its connections is {said(status)}, not 'Disconnected'"


RULE = Rule(
    name="disconnected-private-endpoint",
    sentence=(
        "Private endpoints all of whose connections are Disconnected; not those with one that is approved, pending or"
        " rejected, and not those whose service was deleted while they go on saying Approved."
    ),
    judge=judge,
    stage=Stage.USERS,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "tostring(properties) contains 'Disconnected'"),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("14d"),
    minimum_observations=3,  # its private address is lost, and the other side would have to approve a new one
)
