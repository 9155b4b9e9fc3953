"""NAT gateways that no subnet uses.

Azure leaves `subnets` out while none does. A gateway can also serve a whole virtual network or a service gateway:
https://learn.microsoft.com/python/api/azure-mgmt-network/azure.mgmt.network.models.natgatewaypropertiesformat
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, filled, part, present, refers, usual
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.network/natgateways"
_OWN = ("publicIpAddresses", "publicIpPrefixes", "publicIpAddressesV6", "publicIpPrefixesV6")


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find a gateway that serves no subnet and no virtual network."""
    gateway = target.properties
    addresses = sum(len(given) for given in map(gateway.get, _OWN) if isinstance(given, list))
    return judged(
        _kept(target, around),
        lambda: Match(
            "it serves no subnet and no virtual network",
            evidence(addresses_and_prefixes=addresses, sku=part(target.definition.get("sku"), "name")),
        ),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    gateway = target.properties
    yield from usual(target, around, RULE.types)
    yield from filled(gateway, "subnets")
    yield from present(gateway, "sourceVirtualNetwork", "serviceGateway")
    if not isinstance(gateway.get("resourceGuid"), str):
        yield "the answer is not whole: it has no resourceGuid"
    yield from refers(gateway, frozenset(_OWN))


RULE = Rule(
    name="unused-nat-gateway",
    sentence=(
        "NAT gateways that serve no subnet and no virtual network. Their public addresses stay, and one that was"
        " prepared for a network to come looks the same until it is old."
    ),
    judge=judge,
    stage=Stage.ATTACHMENTS,
    types=frozenset({TYPE}),
    query=query_for(TYPE, "isnull(properties.subnets) or array_length(properties.subnets) == 0"),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("14d"),
    recreatable=True,
)
