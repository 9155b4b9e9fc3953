"""The rules of cleanup, by name. A query of Resource Graph only proposes; `judge` decides, on what was just read.

Each rule stands in a module of its own, with its condition and the false positives it is easily taken in by: those
about one type of resource in `orphans`, those about any type in `expiry`, those about groups in `…_groups`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from shared_code import empty_groups, expiry, stale_groups
from shared_code.cleanup_rule import Candidate, Doubt, DoubtKind, Judge, Judged, Match, Rule, Stage
from shared_code.model import Kind
from shared_code.orphans import (
    app_service_plans,
    application_gateways,
    availability_sets,
    disks,
    elastic_pools,
    load_balancers,
    nat_gateways,
    network_interfaces,
    private_endpoints,
    public_ips,
    route_tables,
    security_groups,
    snapshots,
)
from shared_code.targets import Target

__all__ = [
    "RULES",
    "Candidate",
    "Doubt",
    "DoubtKind",
    "Judge",
    "Judged",
    "Match",
    "Rule",
    "Stage",
    "stage_of",
]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            expiry.RULE,
            empty_groups.RULE,
            disks.RULE,
            network_interfaces.RULE,
            public_ips.RULE,
            security_groups.RULE,
            route_tables.RULE,
            nat_gateways.RULE,
            load_balancers.RULE,
            application_gateways.RULE,
            app_service_plans.RULE,
            availability_sets.RULE,
            snapshots.RULE,
            private_endpoints.RULE,
            elastic_pools.RULE,
            stale_groups.RULE,
        )
    }
)
"""Every rule; one that steward.toml does not name is off."""

_STAGES = {type_: rule.stage for rule in RULES.values() for type_ in rule.types} | {
    "microsoft.compute/virtualmachines": Stage.USERS,
    "microsoft.compute/virtualmachinescalesets": Stage.USERS,
    "microsoft.containerservice/managedclusters": Stage.USERS,
    "microsoft.network/azurefirewalls": Stage.USERS,
    "microsoft.network/bastionhosts": Stage.USERS,
    "microsoft.network/connections": Stage.USERS,
    "microsoft.network/privatelinkservices": Stage.USERS,
    "microsoft.network/virtualnetworkgateways": Stage.USERS,
    "microsoft.sql/servers/databases": Stage.USERS,
    "microsoft.web/sites": Stage.USERS,
    "microsoft.web/sites/slots": Stage.USERS,
    "microsoft.network/virtualnetworks": Stage.ATTACHMENTS,
}


def stage_of(target: Target) -> Stage:
    """Return when a target is deleted, whichever rule has found it; types that are not listed go with the parts."""
    if target.kind is not Kind.RESOURCE:
        return Stage.GROUPS
    return _STAGES.get(target.type.lower(), Stage.PARTS)
