"""Something for every rule of cleanup to find, as Azure would show it, and ways to make it something else."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from shared_code.cleanup_rules import RULES, Judged
from shared_code.cleanup_settings import RuleSettings
from shared_code.model import Kind, Resource, ResourceGroup, Subscription
from shared_code.targets import Around, Target

type Json = dict[str, Any]

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
GONE: Any = type("Gone", (), {"__repr__": lambda _: "GONE"})()
"""Instead of a value: there is no such key."""


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def ref(path: str) -> Json:
    return {"id": f"{GROUP}/providers/{path}"}


def _unused(type_: str, properties: Json, **more: Any) -> Json:
    namespace, _, rest = type_.partition("/")
    pairs = "/".join(f"{each}/one" for each in rest.split("/"))
    return {
        "id": f"{GROUP}/providers/{namespace}/{pairs}",
        "name": "/".join("one" for _ in rest.split("/")),
        "type": type_,
        "location": "westeurope",
        "properties": properties,
        **more,
    }


_NET = {"provisioningState": "Succeeded", "resourceGuid": "5b5c2b3c-0000-4000-8000-000000000000"}

UNUSED: dict[str, Json] = {
    "unattached-disk": _unused(
        "Microsoft.Compute/disks",
        {
            "creationData": {"createOption": "Empty"},
            "diskSizeGB": 128,
            "provisioningState": "Succeeded",
            "diskState": "Unattached",
            "timeCreated": "2025-01-21T11:45:22.8082948+00:00",
            "LastOwnershipUpdateTime": "2026-09-01T08:00:00.1234567+00:00",
        },
        sku={"name": "Premium_LRS", "tier": "Premium"},
    ),
    "old-snapshot": _unused(
        "Microsoft.Compute/snapshots",
        {
            "creationData": {"createOption": "Copy", "sourceResourceId": ref("Microsoft.Compute/disks/data")["id"]},
            "diskSizeGB": 30,
            "incremental": False,
            "provisioningState": "Succeeded",
            "diskState": "Unattached",
            "timeCreated": "2025-05-18T17:41:22.5261631+00:00",
        },
    ),
    "unattached-network-interface": _unused(
        "Microsoft.Network/networkInterfaces",
        _NET
        | {
            "ipConfigurations": [
                {
                    "name": "internal",
                    "id": f"{NETWORK}/networkInterfaces/one/ipConfigurations/internal",
                    "properties": {
                        "privateIPAddress": "10.0.0.4",
                        "privateIPAllocationMethod": "Dynamic",
                        "subnet": ref("Microsoft.Network/virtualNetworks/vnet/subnets/default"),
                    },
                }
            ],
            "networkSecurityGroup": ref("Microsoft.Network/networkSecurityGroups/nsg"),
            "macAddress": "00-0D-3A-00-00-00",
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "nicType": "Standard",
        },
    ),
    "unused-public-ip": _unused(
        "Microsoft.Network/publicIPAddresses",
        _NET
        | {
            "ipAddress": "203.0.113.9",
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Static",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
            "ddosSettings": {"protectionMode": "VirtualNetworkInherited"},
        },
        sku={"name": "Standard", "tier": "Regional"},
    ),
    "unused-network-security-group": _unused(
        "Microsoft.Network/networkSecurityGroups",
        _NET
        | {
            "securityRules": [{"name": "ssh", "id": f"{NETWORK}/networkSecurityGroups/one/securityRules/ssh"}],
            "defaultSecurityRules": [{"id": f"{NETWORK}/networkSecurityGroups/one/defaultSecurityRules/DenyAll"}],
        },
    ),
    "unused-route-table": _unused(
        "Microsoft.Network/routeTables",
        _NET | {"routes": [{"name": "out", "id": f"{NETWORK}/routeTables/one/routes/out"}]},
    ),
    "unused-nat-gateway": _unused(
        "Microsoft.Network/natGateways",
        _NET | {"idleTimeoutInMinutes": 5, "publicIpAddresses": [ref("Microsoft.Network/publicIPAddresses/out")]},
        sku={"name": "Standard"},
    ),
    "load-balancer-without-backends": _unused(
        "Microsoft.Network/loadBalancers",
        _NET
        | {
            "frontendIPConfigurations": [
                {"name": "front", "properties": {"publicIPAddress": ref("Microsoft.Network/publicIPAddresses/front")}}
            ],
            "backendAddressPools": [],
            "loadBalancingRules": [],
            "probes": [{"name": "alive", "id": f"{NETWORK}/loadBalancers/one/probes/alive"}],
            "inboundNatRules": [],
            "inboundNatPools": [],
            "outboundRules": [],
        },
        sku={"name": "Standard", "tier": "Regional"},
    ),
    "application-gateway-without-backends": _unused(
        "Microsoft.Network/applicationGateways",
        _NET
        | {
            "sku": {"name": "WAF_v2", "tier": "WAF_v2"},
            "operationalState": "Running",
            "backendAddressPools": [
                {
                    "name": "pool",
                    "id": f"{NETWORK}/applicationGateways/one/backendAddressPools/pool",
                    "properties": {"provisioningState": "Succeeded", "backendAddresses": []},
                }
            ],
            "redirectConfigurations": [],
            "privateEndpointConnections": [],
        },
    ),
    "app-service-plan-without-apps": _unused(
        "Microsoft.Web/serverfarms",
        {
            "status": "Ready",
            "numberOfSites": 0,
            "numberOfWorkers": 1,
            "hostingEnvironment": None,
            "hostingEnvironmentProfile": None,
            "kubeEnvironmentProfile": None,
            "provisioningState": None,
            "vnetConnectionsUsed": 0,
        },
        kind="app",
        sku={"name": "P1v3", "tier": "PremiumV3", "capacity": 1},
    ),
    "unused-availability-set": _unused(
        "Microsoft.Compute/availabilitySets",
        {"platformFaultDomainCount": 3, "platformUpdateDomainCount": 5, "virtualMachines": []},
        sku={"name": "Aligned"},
    ),
    "disconnected-private-endpoint": _unused(
        "Microsoft.Network/privateEndpoints",
        _NET
        | {
            "privateLinkServiceConnections": [
                {
                    "name": "to-store",
                    "properties": {
                        "privateLinkServiceId": ref("Microsoft.Storage/storageAccounts/store")["id"],
                        "privateLinkServiceConnectionState": {"status": "Disconnected", "actionsRequired": "None"},
                    },
                }
            ],
            "manualPrivateLinkServiceConnections": [],
            "networkInterfaces": [ref("Microsoft.Network/networkInterfaces/one.nic")],
        },
    ),
    "sql-elastic-pool-without-databases": _unused(
        "Microsoft.Sql/servers/elasticPools",
        {"state": "Ready", "creationDate": "2025-01-01T00:00:00Z", "maxSizeBytes": 5242880000},
        sku={"name": "StandardPool", "tier": "Standard", "capacity": 50},
    ),
}
"""By rule: the answer of a GET about something that nothing uses."""


def definition(rule: str, changes: Json | None = None) -> Json:
    """That of the rule, with other values at some paths, such as `properties.diskState`."""
    made = copy.deepcopy(UNUSED[rule])
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place: Any = made
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
        if value is GONE:
            place.pop(last, None)
        else:
            place[last] = value
    return made


def target(rule: str, changes: Json | None = None, **more: Any) -> Target:
    """A resource for that rule, or a resource group for a rule about groups."""
    if rule not in UNUSED:
        usual: Json = {
            "id": GROUP,
            "name": "rg-shop",
            "type": "Microsoft.Resources/resourceGroups",
            "kind": Kind.RESOURCE_GROUP,
            "subscription_id": SUBSCRIPTION,
            "state": "Succeeded",
            "created": days_ago(500),
        }
        return Target(**usual | more)
    known = UNUSED[rule]
    usual = {
        "id": known["id"],
        "name": known["name"].rpartition("/")[2],
        "type": known["type"],
        "kind": Kind.RESOURCE,
        "subscription_id": SUBSCRIPTION,
        "created": days_ago(500),
        "definition": definition(rule, changes),
    }
    return Target(**usual | more)


def group(**changes: Any) -> ResourceGroup:
    usual: Json = {
        "id": GROUP,
        "name": "rg-shop",
        "subscription_id": SUBSCRIPTION,
        "subscription_name": "sub-dev",
        "location": "westeurope",
        "tags": {},
        "managed_by": None,
        "provisioning_state": "Succeeded",
        "created": days_ago(500),
        "resources": 0,
    }
    return ResourceGroup(**usual | changes)


def around(**changes: Any) -> Around:
    """What is around it when nothing is; every list was read, and is empty."""
    usual: Json = {
        "subscription": Subscription(SUBSCRIPTION, "sub-dev", "Enabled"),
        "group": group(),
        "lists": {name: () for rule in RULES.values() for name in rule.lists},
        "written_since": days_ago(89),
    }
    return Around(**usual | changes)


def member(name: str = "store", **more: Any) -> Resource:
    return Resource(f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{name}", name, **more)


def judge(
    rule: str, given: Target | None = None, near: Around | None = None, settings: RuleSettings | None = None
) -> Judged:
    """What the rule says of something it should find, unless told otherwise."""
    made = RULES[rule]
    return made.judge(given or target(rule), near or around(), settings or made.settings(), NOW)
