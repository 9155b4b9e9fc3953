"""`cleanup`: what a cleanup finds on its first run, what only looks like it, and what must not be touched.

The names say what a thing is: `orphan-…` is used by nothing, `kept-…` looks like it and has a reason to stay.
"""

from typing import Any

from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.model import (
    TENANT,
    DenyAssignment,
    DeploymentStack,
    Estate,
    Json,
    Lock,
    ManagementGroup,
    Pages,
    Resource,
    Subscription,
    provider_path,
)

WORKLOADS = "5c000000-0000-4000-8000-000000000001"
SANDBOX = "5c000000-0000-4000-8000-000000000002"
TEAM = "team@example.com"

usual = {"owner": TEAM, "cost-center": "CC-5100", "environment": "development"}

DISK = {"name": "Premium_LRS", "tier": "Premium"}
STANDARD = {"name": "Standard", "tier": "Regional"}
P1V3 = {"name": "P1v3", "tier": "PremiumV3", "size": "P1v3", "family": "Pv3", "capacity": 1}
POOL = {"name": "GP_Gen5", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 2}

_COMPUTE, _NETWORK = "Microsoft.Compute", "Microsoft.Network"


def _at(group_name: str, resource_type: str, name: str) -> str:
    return f"/subscriptions/{{subscription}}/resourceGroups/{group_name}/providers/{provider_path(resource_type, name)}"


def _link(group_name: str, resource_type: str, name: str, part: str = "") -> Json:
    return {"id": _at(group_name, resource_type, name) + part}


def _disk(name: str, state: str = "Unattached", **more: Any) -> Resource:
    told = {"diskState": state} | more.pop("told", {})
    return resource(f"{_COMPUTE}/disks", name, more.pop("tags", usual), sku=DISK, properties=told, **more)


def _interface(group_name: str, name: str, inside: Json | None = None, **told: Any) -> Resource:
    part = {
        "name": "ipconfig1",
        "id": _at(group_name, f"{_NETWORK}/networkInterfaces", name) + "/ipConfigurations/ipconfig1",
        "properties": {"provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic"} | (inside or {}),
    }
    return resource(f"{_NETWORK}/networkInterfaces", name, usual, properties={"ipConfigurations": [part]} | told)


def _network(group_name: str, name: str, *subnets: str, **inside: Json) -> Resource:
    parts = [
        {
            "name": each,
            "id": _at(group_name, f"{_NETWORK}/virtualNetworks", name) + f"/subnets/{each}",
            "properties": {"provisioningState": "Succeeded", "addressPrefix": f"10.0.{place}.0/24"} | inside,
        }
        for place, each in enumerate(subnets)
    ]
    return resource(f"{_NETWORK}/virtualNetworks", name, usual, properties={"subnets": parts})


def _balancer(name: str, **told: Any) -> Resource:
    none: Json = {"backendAddressPools": [], "inboundNatRules": [], "outboundRules": [], "inboundNatPools": []}
    return resource(f"{_NETWORK}/loadBalancers", name, usual, sku=STANDARD, properties=none | told)


def _endpoint(name: str, status: str, *interfaces: Json) -> Resource:
    state = {"status": status, "description": "", "actionsRequired": "None"}
    connection = {"name": name, "properties": {"privateLinkServiceConnectionState": state}}
    told = {"privateLinkServiceConnections": [connection], "networkInterfaces": list(interfaces)}
    return resource(f"{_NETWORK}/privateEndpoints", name, usual, properties=told)


def _site(name: str, plan: str, site_type: str = "Microsoft.Web/sites") -> Resource:
    return resource(site_type, name, usual, kind="app,linux", properties={"serverFarmId": plan})


_MACHINE = _at("rg-shop", f"{_COMPUTE}/virtualMachines", "vm-shop")

_shop = group(
    "rg-shop",
    # Everything here is used by something.
    resource(
        f"{_COMPUTE}/virtualMachines",
        "vm-shop",
        usual,
        properties={
            "availabilitySet": _link("rg-shop", f"{_COMPUTE}/availabilitySets", "avail-shop"),
            "networkProfile": {
                "networkInterfaces": [_link("rg-shop", f"{_NETWORK}/networkInterfaces", "nic-shop")],
            },
        },
    ),
    resource(f"{_COMPUTE}/availabilitySets", "avail-shop", usual, sku={"name": "Aligned"}, properties={}),
    _disk("vm-shop_OsDisk", "Attached", managed_by=_MACHINE),
    _disk("vm-shop_data0", "Reserved", managed_by=_MACHINE),
    _interface(
        "rg-shop",
        "nic-shop",
        {
            "subnet": _link("rg-shop", f"{_NETWORK}/virtualNetworks", "vnet-shop", "/subnets/web"),
            "publicIPAddress": _link("rg-shop", f"{_NETWORK}/publicIPAddresses", "pip-shop"),
        },
        networkSecurityGroup=_link("rg-shop", f"{_NETWORK}/networkSecurityGroups", "nsg-shop"),
    ),
    resource(f"{_NETWORK}/publicIPAddresses", "pip-shop", usual, sku=STANDARD, properties={}),
    resource(f"{_NETWORK}/networkSecurityGroups", "nsg-shop", usual, properties={}),
    _network(
        "rg-shop",
        "vnet-shop",
        "web",
        "data",
        routeTable=_link("rg-shop", f"{_NETWORK}/routeTables", "rt-shop"),
        natGateway=_link("rg-shop", f"{_NETWORK}/natGateways", "nat-shop"),
    ),
    resource(f"{_NETWORK}/routeTables", "rt-shop", usual, properties={}),
    resource(
        f"{_NETWORK}/natGateways",
        "nat-shop",
        usual,
        sku=STANDARD,
        properties={"publicIpAddresses": [_link("rg-shop", f"{_NETWORK}/publicIPAddresses", "kept-pip-of-nat")]},
    ),
    resource(f"{_NETWORK}/publicIPAddresses", "kept-pip-of-nat", usual, sku=STANDARD, properties={}),
    resource("Microsoft.Web/serverFarms", "plan-shop", usual, kind="linux", sku=P1V3, properties={}),
    _site("app-shop", _at("rg-shop", "Microsoft.Web/serverFarms", "plan-shop")),
    tags=usual,
)

_leftovers = group(
    "rg-leftovers",
    _disk("orphan-disk-1"),
    _disk("orphan-disk-2"),
    _disk("kept-disk-exporting", "ActiveSAS"),
    _disk("kept-disk-awaiting-upload", "ReadyToUpload"),
    _disk("kept-disk-reserved", "Reserved"),
    _disk("kept-disk-shared", managed_by_extended=[_MACHINE]),
    _disk(
        "pvc-5c1d7a60-0000-4000-8000-0000000000a1",
        tags={"kubernetes.io-created-for-pvc": "orders", "kubernetes.io-created-for-pv-namespace": "shop"},
    ),
    _disk("vm-shop-ASRReplica", tags={"ASR-ReplicaDisk": "vm-shop"}),
    # They go in this order: what is orphaned keeps what it uses.
    _interface(
        "rg-leftovers",
        "orphan-nic",
        {"publicIPAddress": _link("rg-leftovers", f"{_NETWORK}/publicIPAddresses", "pip-of-orphan-nic")},
        networkSecurityGroup=_link("rg-leftovers", f"{_NETWORK}/networkSecurityGroups", "nsg-of-orphan-nic"),
    ),
    resource(f"{_NETWORK}/publicIPAddresses", "pip-of-orphan-nic", usual, sku=STANDARD, properties={}),
    resource(f"{_NETWORK}/networkSecurityGroups", "nsg-of-orphan-nic", usual, properties={}),
    _interface("rg-leftovers", "kept-nic-of-endpoint"),
    _interface("rg-leftovers", "kept-nic-of-volume", bareMetalServer={"id": ""}, hostedWorkloads=["volume-1"]),
    resource(f"{_NETWORK}/publicIPAddresses", "orphan-pip", usual, sku=STANDARD, properties={}),
    resource(
        f"{_NETWORK}/publicIPAddresses",
        "kept-pip-with-name",
        usual,
        sku=STANDARD,
        properties={"dnsSettings": {"domainNameLabel": "shop-old", "fqdn": "shop-old.example.com"}},
    ),
    resource(f"{_NETWORK}/networkSecurityGroups", "orphan-nsg", usual, properties={}),
    resource(f"{_NETWORK}/routeTables", "orphan-rt", usual, properties={}),
    resource(f"{_NETWORK}/natGateways", "orphan-nat", usual, sku=STANDARD, properties={}),
    _balancer("orphan-lb"),
    _balancer("kept-lb-with-nat-rules", inboundNatRules=[{"name": "ssh", "properties": {"frontendPort": 22}}]),
    resource(
        f"{_NETWORK}/applicationGateways",
        "orphan-agw",
        usual,
        properties={"backendAddressPools": [{"name": "pool", "properties": {"backendAddresses": []}}]},
    ),
    _endpoint("orphan-pe", "Disconnected"),
    _endpoint("kept-pe", "Approved", _link("rg-leftovers", f"{_NETWORK}/networkInterfaces", "kept-nic-of-endpoint")),
    resource("Microsoft.Web/serverFarms", "orphan-plan", usual, kind="linux", sku=P1V3, properties={}),
    # It says that it has none, and has one in another group, and a slot (the number is not to be relied upon).
    resource(
        "Microsoft.Web/serverFarms",
        "kept-plan-with-wrong-number",
        usual,
        kind="linux",
        sku=P1V3,
        properties={"numberOfSites": 0},
    ),
    resource(f"{_COMPUTE}/availabilitySets", "orphan-avail", usual, sku={"name": "Aligned"}, properties={}),
    resource(f"{_COMPUTE}/snapshots", "orphan-snapshot", usual, sku=DISK, properties={}),
    resource(f"{_COMPUTE}/snapshots", "AzureBackup_kept", usual, sku=DISK, properties={}),
    resource("Microsoft.Sql/servers", "sql-leftovers", usual, kind="v12.0", properties={}),
    resource("Microsoft.Sql/servers/elasticPools", "sql-leftovers/orphan-pool", usual, sku=POOL, properties={}),
    resource("Microsoft.Sql/servers/elasticPools", "sql-leftovers/kept-pool", usual, sku=POOL, properties={}),
    resource("Microsoft.Sql/servers/databases", "sql-leftovers/master", kind="v12.0,system", properties={}),
    resource(
        "Microsoft.Sql/servers/databases",
        "sql-leftovers/orders",
        usual,
        kind="v12.0,user,pool",
        properties={
            "elasticPoolId": _at("rg-leftovers", "Microsoft.Sql/servers/elasticPools", "sql-leftovers/kept-pool")
        },
    ),
    tags=usual,
)

_WRONG_PLAN = _at("rg-leftovers", "Microsoft.Web/serverFarms", "kept-plan-with-wrong-number")
_CLUSTER = (
    "/subscriptions/{subscription}/resourcegroups/rg-cluster/providers/Microsoft.ContainerService/managedClusters"
)

workloads = Subscription(
    id=WORKLOADS,
    name="Cleanup Workloads",
    resource_groups=(
        _shop,
        _leftovers,
        group(
            "rg-elsewhere",
            _site("app-elsewhere", _WRONG_PLAN),
            _site("app-elsewhere/staging", _WRONG_PLAN, "Microsoft.Web/sites/slots"),
            # Whoever deletes rg-blocked meets this one.
            _interface(
                "rg-elsewhere",
                "nic-elsewhere",
                networkSecurityGroup=_link("rg-blocked", f"{_NETWORK}/networkSecurityGroups", "nsg-used-elsewhere"),
            ),
            tags=usual,
        ),
        # It has expired, and cannot go: something in it is used from outside. What else is in it goes all the same.
        group(
            "rg-blocked",
            resource(f"{_NETWORK}/networkSecurityGroups", "nsg-used-elsewhere", usual, properties={}),
            _disk("disk-in-blocked"),
            tags=usual | {"delete-after": "2026-05-31"},
        ),
        group(
            "rg-expired",
            _disk("disk-in-expired"),
            resource("Microsoft.Storage/storageAccounts", "stexpired", usual, kind="StorageV2"),
            resource("Microsoft.KeyVault/vaults", "kv-expired", usual),
            tags=usual | {"delete-after": "2026-06-30"},
        ),
        group("rg-empty", tags=usual),
        group("NetworkWatcherRG"),
        group("rg-locked", _disk("orphan-disk-in-locked-group"), tags=usual | {"delete-after": "2026-06-30"}),
        group(
            "rg-locks-within",
            _disk("orphan-disk-locked"),
            _disk("orphan-disk-beside"),
            _network("rg-locks-within", "vnet-locked-below", "AzureFirewallSubnet"),
            tags=usual | {"delete-after": "2026-06-30"},
        ),
        group("rg-protected", _disk("orphan-disk-in-protected-group"), tags=usual | {"protected": "true"}),
        group("rg-protected-child", _disk("orphan-disk-protected", tags=usual | {"DoNotDelete": ""}), tags=usual),
        group(
            "rg-cluster",
            resource("Microsoft.ContainerService/managedClusters", "aks-shop", usual, sku={"name": "Base"}),
            tags=usual,
        ),
        group(
            "MC_rg-cluster_aks-shop_westeurope",
            _disk("pvc-5c1d7a60-0000-4000-8000-0000000000a2", tags={}),
            resource(f"{_COMPUTE}/virtualMachineScaleSets", "aks-nodepool1-1", {}),
            managed_by=f"{_CLUSTER}/aks-shop",
            tags=usual,
        ),
        group(
            "mrg-marketplace-app",
            _disk("disk-of-application", tags={}),
            managed_by="/subscriptions/{subscription}/resourceGroups/rg-shop/providers"
            "/Microsoft.Solutions/applications/marketplace-app",
        ),
        group("rg-stack", _disk("kept-disk-of-stack"), tags=usual),
    ),
    locks=(
        Lock(name="keep", scope="/subscriptions/{subscription}/resourceGroups/rg-locked", notes="Ask the team."),
        Lock(name="keep-disk", scope=_at("rg-locks-within", f"{_COMPUTE}/disks", "orphan-disk-locked")),
        Lock(
            name="keep-subnet",
            scope=_at("rg-locks-within", f"{_NETWORK}/virtualNetworks", "vnet-locked-below").replace(
                "/resourceGroups/", "/resourcegroups/"
            )
            + "/subnets/AzureFirewallSubnet",
        ),
    ),
    deny_assignments=(
        DenyAssignment(
            name="Deny assignment of managed application marketplace-app",
            id="d3000000-0000-4000-8000-000000000001",
            scope="/subscriptions/{subscription}/resourceGroups/mrg-marketplace-app",
            actions=("*",),
        ),
        DenyAssignment(
            name="Deny assignment of managed cluster aks-shop",
            id="d3000000-0000-4000-8000-000000000002",
            scope="/subscriptions/{subscription}/resourceGroups/MC_rg-cluster_aks-shop_westeurope",
        ),
        DenyAssignment(
            name="Deny assignment of the group alone",
            id="d3000000-0000-4000-8000-000000000003",
            scope="/subscriptions/{subscription}/resourceGroups/rg-stack",
            spares_children=True,
        ),
    ),
    stacks=(
        DeploymentStack(name="stack-shop", resources=(_at("rg-stack", f"{_COMPUTE}/disks", "kept-disk-of-stack"),)),
    ),
    resource_pages=Pages(size=25),
)

sandbox = Subscription(
    id=SANDBOX,
    name="Cleanup Sandbox",
    resource_groups=(
        group("rg-trial-1", _disk("disk-of-trial"), tags=usual | {"delete-after": "2026-04-30"}),
        group("rg-trial-2", tags=usual | {"delete-after": "30/04/2026"}),
        group("rg-trial-3", tags=usual | {"delete-after": "2027-12-31"}),
        group("rg-forgotten", _disk("orphan-disk-of-sandbox", tags={}), location="northeurope"),
    ),
)

CLEANUP = Estate(
    name="cleanup",
    subscriptions=(workloads, sandbox),
    management_groups=(
        ManagementGroup(id=TENANT, name="Tenant Root Group"),
        ManagementGroup(id="mg-cleanup", name="Cleanup", parent=TENANT, subscriptions=(WORKLOADS, SANDBOX)),
    ),
)
