"""The kinds of resources that generated estates are made of, with the share each has in real ones."""

from typing import Any

from msgspec import Struct

from devkit.simulator.model import Json


class Product(Struct, frozen=True):
    """One type of resource: how many of 1,000 resources are of it, how it is named, and what it may look like.

    `nested` is the name of a child, for types such as servers/databases. `compute` marks those whose ids have the
    group in capitals in the lists of some subscriptions (oddity 10), `lower` those with resourcegroups (oddity 11).
    """

    type: str
    share: float
    prefix: str
    skus: tuple[Json, ...] = ()
    kinds: tuple[str, ...] = ()
    nested: str = ""
    identity: Json | None = None
    plan: Json | None = None
    location: str = ""
    zones: bool = False
    compute: bool = False
    lower: bool = False
    managed: bool = False
    """Owned by a machine of the same group."""


def _sku(name: str, tier: str = "", **more: Any) -> Json:
    return {"name": name} | ({"tier": tier} if tier else {}) | more


_DISKS = (_sku("Premium_LRS", "Premium"), _sku("StandardSSD_LRS", "Standard"), _sku("Standard_LRS", "Standard"))
_PLANS = (_sku("P1v3", "PremiumV3", size="P1v3", family="Pv3", capacity=1), _sku("B1", "Basic"), _sku("Y1", "Dynamic"))
_BLOBS = (_sku("Standard_LRS", "Standard"), _sku("Standard_GRS", "Standard"), _sku("Premium_LRS", "Premium"))
_REGIONAL = (_sku("Standard", "Regional"), _sku("Basic", "Regional"))
_STANDARD = (_sku("Standard"), _sku("Basic"))
_SYSTEM: Json = {
    "type": "SystemAssigned",
    "principalId": "1d000000-0000-4000-8000-00000000f00d",
    "tenantId": "7e4a0000-0000-4000-8000-000000000001",
}
_SOLUTION: Json = {
    "name": "SecurityInsights",
    "publisher": "Microsoft",
    "product": "OMSGallery/SecurityInsights",
    "promotionCode": "",
}

PRODUCTS = (
    Product("Microsoft.Storage/storageAccounts", 95, "st", _BLOBS, ("StorageV2", "Storage", "BlobStorage")),
    Product("Microsoft.Compute/disks", 90, "disk", _DISKS, zones=True, compute=True, managed=True),
    Product("Microsoft.Network/networkInterfaces", 85, "nic", kinds=("Regular",)),
    Product("Microsoft.Compute/virtualMachines", 70, "vm", identity=_SYSTEM, zones=True, compute=True),
    Product("Microsoft.Compute/virtualMachines/extensions", 75, "vm", nested="AzureMonitorLinuxAgent"),
    Product("Microsoft.Network/networkSecurityGroups", 55, "nsg"),
    Product("Microsoft.Network/publicIPAddresses", 45, "pip", _REGIONAL, zones=True),
    Product("Microsoft.Web/sites", 55, "app", kinds=("app,linux", "functionapp,linux", "app"), identity=_SYSTEM),
    Product("Microsoft.Web/serverFarms", 30, "plan", _PLANS, ("linux", "functionapp", "app")),
    Product("Microsoft.Insights/components", 35, "appi", kinds=("web",)),
    Product("microsoft.insights/metricalerts", 30, "alert", location="global"),
    Product("microsoft.insights/actiongroups", 18, "ag", location="global"),
    Product("microsoft.alertsmanagement/smartDetectorAlertRules", 28, "Failure Anomalies", location="global"),
    Product("Microsoft.KeyVault/vaults", 35, "kv"),
    Product("Microsoft.Network/virtualNetworks", 25, "vnet"),
    Product("Microsoft.Network/privateEndpoints", 38, "pe"),
    Product("Microsoft.Network/privateDnsZones", 14, "privatelink", location="global"),
    Product("Microsoft.Network/privateDnsZones/virtualNetworkLinks", 16, "link", nested="hub", location="global"),
    Product("Microsoft.Network/routeTables", 12, "rt"),
    Product("Microsoft.Network/loadBalancers", 14, "lb", _REGIONAL),
    Product("Microsoft.Network/applicationGateways", 5, "agw", zones=True),
    Product("Microsoft.Network/networkWatchers", 4, "NetworkWatcher"),
    Product("Microsoft.Sql/servers", 14, "sql", kinds=("v12.0",)),
    Product(
        "Microsoft.Sql/servers/databases",
        28,
        "sql",
        (_sku("GP_S_Gen5", "GeneralPurpose", family="Gen5", capacity=2), _sku("Basic", "Basic", capacity=5)),
        ("v12.0,user", "v12.0,user,vcore,serverless", "v12.0,system"),
        nested="orders",
    ),
    Product("Microsoft.DBforPostgreSQL/flexibleServers", 8, "psql", (_sku("Standard_D2ds_v5", "GeneralPurpose"),)),
    Product("Microsoft.DocumentDB/databaseAccounts", 8, "cosmos", kinds=("GlobalDocumentDB", "MongoDB")),
    Product("Microsoft.Cache/Redis", 6, "redis"),
    Product("Microsoft.ServiceBus/Namespaces", 8, "sb", _STANDARD),
    Product("Microsoft.EventHub/Namespaces", 8, "evh", _STANDARD),
    Product("Microsoft.EventGrid/systemTopics", 8, "egst", identity=_SYSTEM),
    Product("Microsoft.Logic/workflows", 12, "logic"),
    Product("Microsoft.OperationalInsights/workspaces", 14, "log"),
    Product("Microsoft.OperationsManagement/solutions", 10, "SecurityInsights", plan=_SOLUTION),
    Product("Microsoft.ManagedIdentity/userAssignedIdentities", 30, "id", lower=True),
    Product("Microsoft.ContainerRegistry/registries", 6, "cr", (_sku("Premium", "Premium"), _sku("Basic", "Basic"))),
    Product("Microsoft.ContainerService/managedClusters", 4, "aks", (_sku("Base", "Standard"),), identity=_SYSTEM),
    Product("Microsoft.App/containerApps", 10, "ca", identity=_SYSTEM),
    Product("Microsoft.RecoveryServices/vaults", 6, "rsv", (_sku("RS0", "Standard"),)),
    Product("Microsoft.Automation/automationAccounts", 4, "aa"),
    Product("Microsoft.CognitiveServices/accounts", 5, "cog", (_sku("S0"),), ("OpenAI", "CognitiveServices")),
    Product("Microsoft.Compute/snapshots", 12, "snap", _DISKS, compute=True),
    Product("Microsoft.Compute/availabilitySets", 6, "avail", (_sku("Aligned"),), compute=True),
    Product("Microsoft.Portal/dashboards", 6, "dash"),
)

CLUSTER_PRODUCTS = (
    Product("Microsoft.Compute/virtualMachineScaleSets", 30, "aks-nodepool", zones=True, compute=True),
    Product("Microsoft.Network/loadBalancers", 15, "kubernetes", _REGIONAL),
    Product("Microsoft.Network/publicIPAddresses", 20, "kubernetes", _REGIONAL),
    Product("Microsoft.Network/networkSecurityGroups", 10, "aks-agentpool-nsg"),
    Product("Microsoft.ManagedIdentity/userAssignedIdentities", 10, "agentpool", lower=True),
    Product("Microsoft.Compute/disks", 15, "pvc", _DISKS, zones=True, compute=True),
)
"""What lies in a group that a Kubernetes cluster owns."""
