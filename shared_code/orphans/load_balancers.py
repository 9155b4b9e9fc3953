"""Load balancers that have nothing to balance to.

A pool without members is no sign of that: its scale set may have no machine at the moment, its members may be plain
addresses, and rules for inbound NAT need no pool at all. So only a balancer without any pool is found.
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import (
    evidence,
    filled,
    names_in,
    not_a_list,
    not_empty,
    part,
    quoted,
    refers,
    said,
    usual,
)
from shared_code.durations import Duration
from shared_code.model import text_in
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.network/loadbalancers"
_HARMLESS = frozenset({"frontendIPConfigurations", "probes"})
_CHAINED = ("gatewayloadbalancer", "privatelinkservice")
"""What a frontend names when another balancer or a private link service stands behind it."""


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find a balancer without pools, NAT rules and outbound rules, with which no other service is chained."""
    frontends = target.properties.get("frontendIPConfigurations")
    return judged(
        _kept(target, around),
        lambda: Match(
            "it has no backend pool, no inbound NAT rule and no outbound rule",
            evidence(
                frontends=len(frontends) if isinstance(frontends, list) else None,
                sku=part(target.definition.get("sku"), "name"),
            ),
        ),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    balancer = target.properties
    yield from usual(target, around, RULE.types)
    yield from not_empty(balancer, "backendAddressPools", means="it has somewhere to balance to, if nothing now")
    yield from not_empty(balancer, "inboundNatRules", "inboundNatPools", means="it passes traffic on")
    yield from not_empty(balancer, "loadBalancingRules", means="it has rules to balance by")
    yield from filled(balancer, "outboundRules", "outboundNatRules", means="machines reach the internet by it")
    yield from not_a_list(balancer, "frontendIPConfigurations")
    sku = target.definition.get("sku")
    if text_in(sku, "name") not in ("Basic", "Standard"):
        yield f"its SKU is {said(part(sku, 'name'))}; one other than Basic and Standard is chained with others"
    for name in names_in(balancer):
        if name.lower().startswith(_CHAINED):
            yield f"another service is chained with it: its definition has {quoted(name)}"
    yield from refers(balancer, _HARMLESS)


RULE = Rule(
    name="load-balancer-without-backends",
    sentence=(
        "Load balancers without any backend pool, inbound NAT rule or outbound rule; not those with a pool that is"
        " empty, since a scale set of no machines may stand behind it, nor those of clusters."
    ),
    judge=judge,
    stage=Stage.USERS,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "array_length(properties.backendAddressPools) == 0"),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("14d"),
    minimum_observations=3,  # a private address that it was given may be given to another
)
