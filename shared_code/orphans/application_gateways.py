"""Application gateways without a server behind them.

One that only redirects needs none, and an ingress controller fills the pools of its own gateway as it needs them:
https://learn.microsoft.com/azure/application-gateway/ingress-controller-overview
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, filled, not_empty, part, quoted, usual
from shared_code.durations import Duration
from shared_code.tag_keys import fold
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.network/applicationgateways"
_INGRESS = ("managed-by-k8s-ingress", "ingress-for-aks-cluster-id")
"""Tags that the ingress controller puts on its gateway."""


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find a gateway all of whose pools are empty, and that redirects nothing."""
    pools = target.properties.get("backendAddressPools")
    return judged(
        _kept(target, around),
        lambda: Match(
            "no server stands behind it: all of its backend pools are empty, and it redirects nothing",
            evidence(
                pools=len(pools) if isinstance(pools, list) else None,
                state=target.properties.get("operationalState"),
                sku=part(target.properties.get("sku"), "name"),
            ),
        ),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    gateway = target.properties
    yield from usual(target, around, RULE.types)
    for name in target.tags:
        if fold(name.strip()).startswith(_INGRESS):
            yield f"an ingress controller works with it: it has the tag {quoted(name)}"
    yield from not_empty(gateway, "redirectConfigurations", means="it redirects")
    yield from filled(gateway, "privateEndpointConnections", means="others connect to it")
    yield from _pools(gateway.get("backendAddressPools"))


def _pools(given: object) -> Iterator[str]:
    if not isinstance(given, list):
        yield "Azure does not say its backendAddressPools"
        return
    for each in given:
        pool = part(each, "properties")
        if not isinstance(pool, dict):
            yield "one of its backend pools cannot be read"
            continue
        yield from not_empty(pool, "backendAddresses", means="servers stand behind it")
        yield from filled(pool, "backendIPConfigurations", means="machines stand behind it")


RULE = Rule(
    name="application-gateway-without-backends",
    sentence=(
        "Application gateways whose backend pools are all empty; not those that redirect, nor those of an ingress"
        " controller. A scale set of no machines behind it cannot be seen, and its certificates are lost with it."
    ),
    judge=judge,
    stage=Stage.USERS,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "array_length(properties.redirectConfigurations) == 0"),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("30d"),
    minimum_observations=3,
)
