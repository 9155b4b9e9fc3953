"""Network interfaces that no machine uses.

Private endpoints, private link services, NetApp volumes and other hosted workloads have interfaces without a machine.
"""

from collections.abc import Iterator
from datetime import datetime

from shared_code.cleanup_rule import Match, Rule, Stage, judged, query_for
from shared_code.cleanup_settings import RuleSettings
from shared_code.definitions import (
    evidence,
    filled,
    names_in,
    not_empty,
    part,
    present,
    quoted,
    refers,
    said,
    texts_in,
    usual,
)
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from shared_code.targets import Around, Target

TYPE = "microsoft.network/networkinterfaces"
_USERS = (
    "virtualMachine",
    "privateEndpoint",
    "privateLinkService",
    "bareMetalServer",
    "linkedResourceType",
    "virtualMachineScaleSet",
)
_MEMBERSHIPS = (
    "loadBalancerBackendAddressPools",
    "loadBalancerInboundNatRules",
    "applicationGatewayBackendAddressPools",
    "virtualNetworkTaps",
    "gatewayLoadBalancer",
    "privateLinkConnectionProperties",
)
_HARMLESS = frozenset({"ipConfigurations", "networkSecurityGroup", "dscpConfiguration"})
"""What an interface itself uses."""


def judge(target: Target, around: Around, _: RuleSettings, __: datetime) -> Match | str:
    """Find an interface that belongs to no machine, endpoint, service or workload, and reserves no address."""
    return judged(
        _kept(target, around),
        lambda: Match(
            "no machine, endpoint or service uses it",
            evidence(mac=target.properties.get("macAddress"), addresses=_addresses(target.properties)),
        ),
    )


def _kept(target: Target, around: Around) -> Iterator[str]:
    interface = target.properties
    yield from usual(target, around, RULE.types)
    yield from present(interface, *_USERS)
    yield from not_empty(interface, "hostedWorkloads", means="a workload uses it")
    yield from filled(interface, "tapConfigurations")
    yield from refers(interface, _HARMLESS)
    if any(_of_machine(text) for text in texts_in(interface)):
        yield "it is in use: its definition names a virtual machine or a scale set"
    if any(name.lower().startswith("virtualmachine") for name in names_in(interface)):
        yield "it is in use: its definition has something to say of a virtual machine or a scale set"
    yield from _configurations(interface.get("ipConfigurations"))


def _of_machine(text: str) -> bool:
    folded = text.lower()
    return "/virtualmachines/" in folded or "/virtualmachinescalesets/" in folded


def _configurations(given: object) -> Iterator[str]:
    if not isinstance(given, list) or not given:
        yield "the answer is not whole: its ipConfigurations are no list, or an empty one"
        return
    for each in given:
        configuration = part(each, "properties")
        if not isinstance(configuration, dict):
            yield "one of its ipConfigurations cannot be read"
            continue
        yield from filled(configuration, *_MEMBERSHIPS, means="it is a member")
        method = configuration.get("privateIPAllocationMethod")
        if method != "Dynamic":
            yield f"it reserves an address: its privateIPAllocationMethod is {said(method)}, not 'Dynamic'"


def _addresses(interface: dict[str, object]) -> str:
    given = interface.get("ipConfigurations")
    found = [part(part(each, "properties"), "privateIPAddress") for each in given] if isinstance(given, list) else []
    return ", ".join(quoted(each)[1:-1] for each in found if isinstance(each, str))


RULE = Rule(
    name="unattached-network-interface",
    sentence=(
        "Network interfaces without a machine; not those of private endpoints, private link services, NetApp volumes"
        " and other hosted workloads, members of a load balancer, or with a static private address."
    ),
    judge=judge,
    stage=Stage.ATTACHMENTS,
    types=frozenset({TYPE}),
    query=query_for(
        TYPE,
        "isnull(properties.virtualMachine) and isnull(properties.privateEndpoint)",
        "isnull(properties.privateLinkService)",
    ),
    mode=RuleMode.APPROVE,
    minimum_age=Duration.parse("14d"),
    minimum_observations=3,  # its MAC address, to which licences are bound, is lost
)
