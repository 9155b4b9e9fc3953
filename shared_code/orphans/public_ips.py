"""Public IP addresses that nothing uses. A deleted address belongs to the next customer, so a person decides."""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import evidence, not_said, part, present, refers, said, usual
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.network/publicipaddresses"
_USERS = ("ipConfiguration", "natGateway", "publicIPPrefix", "linkedPublicIPAddress", "servicePublicIPAddress")
_UNPROTECTED = ("VirtualNetworkInherited", "Disabled")
"""Modes in which no DDoS protection was bought for the address itself; Azure sets the first by default."""


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find an address that is assigned to nothing, comes from no prefix and has no name."""
    address = target.properties
    return judged(
        _kept(target, around),
        lambda: Match(
            "nothing uses the address; once deleted it cannot be had again",
            evidence(
                address=address.get("ipAddress"),
                allocation=address.get("publicIPAllocationMethod"),
                sku=part(target.definition.get("sku"), "name"),
            ),
        ),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    address = target.properties
    yield from usual(target, around, RULE.types)
    yield from present(address, *_USERS)
    yield from present(address, "dnsSettings", means="it has a name, which others may look up")
    yield from _protected(address)
    if address.get("migrationPhase", "None") != "None":
        yield f"it is being migrated: its migrationPhase is {said(address['migrationPhase'])}"
    yield from refers(address)
    yield from not_said(address, "publicIPAllocationMethod", "Static", "Dynamic")


def _protected(address: dict[str, object]) -> Iterator[str]:
    if "ddosSettings" not in address:
        return
    settings = address["ddosSettings"]
    mode = part(settings, "protectionMode")
    if mode not in _UNPROTECTED or "ddosProtectionPlan" in (settings if isinstance(settings, dict) else ()):
        yield f"it has DDoS protection of its own: its ddosSettings say {said(mode)}"


RULE = Rule(
    name="unused-public-ip",
    sentence=(
        "Public IP addresses that are assigned to nothing; not those of NAT gateways and prefixes, linked ones, or"
        " those with a DNS name or DDoS protection of their own. Nobody can see whether a firewall elsewhere still"
        " allows the address."
    ),
    judge=judge,
    stage=Stage.PARTS,
    types=frozenset({TYPE}),
    query=query_for(
        TYPE,
        "isnull(properties.ipConfiguration) and isnull(properties.natGateway)",
        "isnull(properties.publicIPPrefix)",
    ),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("30d"),
    minimum_observations=3,
)
