"""`demo`: a small web shop on Azure, as tidy and as untidy as such estates are. Everything in it can be read."""

from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.model import TENANT, Estate, Lock, ManagementGroup, Pages, Subscription

PRODUCTION = "5a000000-0000-4000-8000-000000000001"
DEVELOPMENT = "5a000000-0000-4000-8000-000000000002"
PLATFORM = "5a000000-0000-4000-8000-000000000003"
LEGACY = "5a000000-0000-4000-8000-000000000004"

SHOP = "shop-team@example.com"
DATA = "data-team@example.com"
PLATFORM_TEAM = "platform-team@example.com"

prod = {"owner": SHOP, "cost-center": "CC-4100", "environment": "production"}
prod_data = {"owner": DATA, "cost-center": "CC-4200", "environment": "production"}
dev = {"owner": SHOP, "cost-center": "CC-4100", "environment": "development"}
shared = {"owner": PLATFORM_TEAM, "cost-center": "CC-9000", "environment": "shared"}

DISK = {"name": "Premium_LRS", "tier": "Premium"}
B1 = {"name": "B1", "tier": "Basic"}
P1V3 = {"name": "P1v3", "tier": "PremiumV3"}
FLEX = {"name": "FC1", "tier": "FlexConsumption"}
CLUSTER = {"name": "Base", "tier": "Standard"}
FRONT_DOOR = {"name": "Standard_AzureFrontDoor"}
PREMIUM = {"name": "Premium", "tier": "Premium"}
REGIONAL = {"name": "Standard", "tier": "Regional"}
STORAGE = {"name": "Standard_LRS", "tier": "Standard"}

production = Subscription(
    id=PRODUCTION,
    name="Shop Production",
    resource_groups=(
        group(
            "rg-shop-prod-web",
            resource("Microsoft.Web/serverFarms", "plan-shop-prod", prod, kind="linux", sku=P1V3),
            resource("Microsoft.Web/sites", "app-shop-prod", prod, kind="app,linux"),
            resource("Microsoft.Web/sites", "func-shop-orders-prod", prod, kind="functionapp,linux"),
            resource("Microsoft.Insights/components", "appi-shop-prod", prod, kind="web"),
            resource("Microsoft.Cdn/profiles", "afd-shop", prod, location="global", sku=FRONT_DOOR),
            resource("microsoft.insights/actiongroups", "Application Insights Smart Detection", location="global"),
            tags=prod,
        ),
        group(
            "rg-shop-prod-data",
            resource("Microsoft.Sql/servers", "sql-shop-prod", prod_data, kind="v12.0"),
            resource("Microsoft.Sql/servers/databases", "sql-shop-prod/master", kind="v12.0,system"),
            resource("Microsoft.Sql/servers/databases", "sql-shop-prod/orders", prod_data, kind="v12.0,user,vcore"),
            resource("Microsoft.Cache/Redis", "redis-shop-prod", prod_data),
            resource("Microsoft.Storage/storageAccounts", "stshopprodmedia", prod_data, kind="StorageV2", sku=STORAGE),
            resource("Microsoft.KeyVault/vaults", "kv-shop-prod", prod_data | {"protected": "true"}),
            tags=prod_data | {"protected": "true"},
        ),
        group(
            "rg-shop-prod-search",
            resource(
                "Microsoft.ContainerService/managedClusters",
                "aks-search-prod",
                prod,
                sku=CLUSTER,
                identity={"type": "SystemAssigned"},
            ),
            resource("Microsoft.ContainerRegistry/registries", "crshopprod", prod, sku=PREMIUM),
            tags=prod,
        ),
        # The cluster owns this group: Azure sets managedBy, copies the tags, and puts it right after changes.
        group(
            "MC_rg-shop-prod-search_aks-search-prod_westeurope",
            resource("Microsoft.Compute/virtualMachineScaleSets", "aks-nodepool1-30174215-vmss", prod),
            resource("Microsoft.Network/loadBalancers", "kubernetes", prod, sku=REGIONAL),
            resource("Microsoft.Network/publicIPAddresses", "kubernetes-ab41", prod, sku=REGIONAL),
            resource("Microsoft.Network/networkSecurityGroups", "aks-agentpool-30174215-nsg", prod),
            resource("Microsoft.ManagedIdentity/userAssignedIdentities", "aks-search-prod-agentpool", prod),
            managed_by="/subscriptions/{subscription}/resourcegroups/rg-shop-prod-search/providers"
            "/Microsoft.ContainerService/managedClusters/aks-search-prod",
            tags=prod,
        ),
        group(
            "NetworkWatcherRG",
            resource("Microsoft.Network/networkWatchers", "NetworkWatcher_westeurope"),
        ),
    ),
    locks=(
        Lock(
            name="keep-customer-data",
            scope="/subscriptions/{subscription}/resourceGroups/rg-shop-prod-data",
            notes="Orders are kept for ten years. Ask the data team.",
        ),
        Lock(
            name="keep-secrets",
            scope="/subscriptions/{subscription}/resourceGroups/rg-shop-prod-data/providers"
            "/Microsoft.KeyVault/vaults/kv-shop-prod",
        ),
    ),
    resource_pages=Pages(sizes=(10, 0), ends="empty-page", spelling="escaped"),
)

development = Subscription(
    id=DEVELOPMENT,
    name="Shop Development",
    resource_groups=(
        group(
            "rg-shop-dev-web",
            resource("Microsoft.Web/serverFarms", "plan-shop-dev", dev, kind="linux", sku=B1),
            resource("Microsoft.Web/sites", "app-shop-dev", dev, kind="app,linux"),
            resource("Microsoft.Web/sites", "func-shop-orders-dev", {"owner": SHOP}, kind="functionapp,linux"),
            resource("Microsoft.Insights/components", "appi-shop-dev", dev, kind="web"),
            tags=dev,
        ),
        group(
            "rg-shop-dev-data",
            resource("Microsoft.Sql/servers", "sql-shop-dev", dev, kind="v12.0"),
            resource("Microsoft.Sql/servers/databases", "sql-shop-dev/master", kind="v12.0,system"),
            resource("Microsoft.Sql/servers/databases", "sql-shop-dev/orders", dev, kind="v12.0,user"),
            resource(
                "Microsoft.Storage/storageAccounts",
                "stshopdevmedia",
                dev | {"Environment": "dev"},
                kind="StorageV2",
                sku=STORAGE,
            ),
            tags={"owner": DATA, "environment": "development"},
        ),
        # A preview of a pull request that was merged long ago.
        group(
            "rg-shop-preview-1482",
            resource("Microsoft.Web/serverFarms", "plan-preview-1482", dev, kind="linux", sku=B1),
            resource("Microsoft.Web/sites", "app-preview-1482", dev, kind="app,linux"),
            resource("Microsoft.Storage/storageAccounts", "stpreview1482", kind="StorageV2", sku=STORAGE),
            tags=dev | {"delete-after": "2026-06-30"},
        ),
        # The machine is gone; what it left behind is still paid for.
        group(
            "rg-load-test",
            resource("Microsoft.Compute/disks", "vm-load-01_OsDisk_1_6f2c", {"environment": "test"}, sku=DISK),
            resource("Microsoft.Compute/disks", "vm-load-01_data0", {"environment": "test"}, sku=DISK),
            resource("Microsoft.Network/networkInterfaces", "vm-load-01-nic", {"environment": "test"}),
            resource("Microsoft.Network/publicIPAddresses", "vm-load-01-ip", {"environment": "test"}, sku=REGIONAL),
            resource("Microsoft.Network/networkSecurityGroups", "vm-load-01-nsg"),
            resource("Microsoft.Network/virtualNetworks", "vnet-load-test"),
            location="northeurope",
            tags={"environment": "test", "cost-center": ""},
        ),
        group("rg-spike-recommendations", location="northeurope"),
        group(
            "cloud-shell-storage-westeurope",
            resource(
                "Microsoft.Storage/storageAccounts",
                "cs4a1003bffd8e2a0f1",
                {"ms-resource-usage": "azure-cloud-shell"},
                kind="StorageV2",
                sku=STORAGE,
            ),
        ),
    ),
    group_pages=Pages(sizes=(4,), spelling="escaped", token_length=400),
    resource_pages=Pages(sizes=(7, 0, 5), spelling="lower-hex"),
)

platform = Subscription(
    id=PLATFORM,
    name="Platform",
    resource_groups=(
        group(
            "rg-platform-network",
            resource("Microsoft.Network/virtualNetworks", "vnet-hub", shared),
            resource("Microsoft.Network/azureFirewalls", "afw-hub", shared, zones=["1", "2", "3"]),
            resource("Microsoft.Network/firewallPolicies", "afwp-hub", shared),
            resource("Microsoft.Network/publicIPAddresses", "pip-afw-hub", shared, zones=["1", "2", "3"]),
            resource("Microsoft.Network/routeTables", "rt-spokes", shared),
            resource(
                "Microsoft.Network/privateDnsZones", "privatelink.database.windows.net", shared, location="global"
            ),
            resource("Microsoft.Network/privateDnsZones", "privatelink.vaultcore.azure.net", shared, location="global"),
            resource("Microsoft.Network/networkWatchers", "NetworkWatcher_northeurope", location="northeurope"),
            tags=shared | {"protected": "true"},
        ),
        group(
            "rg-platform-monitoring",
            resource("Microsoft.OperationalInsights/workspaces", "log-platform", shared),
            resource(
                "Microsoft.OperationsManagement/solutions",
                "SecurityInsights(log-platform)",
                plan={
                    "name": "SecurityInsights(log-platform)",
                    "publisher": "Microsoft",
                    "product": "OMSGallery/SecurityInsights",
                    "promotionCode": "",
                },
            ),
            resource("Microsoft.Insights/workbooks", "8d1c0000-0000-4000-8000-000000000021", shared, kind="shared"),
            resource("Microsoft.Insights/actionGroups", "ag-platform-on-call", shared, location="global"),
            resource("Microsoft.Automation/automationAccounts", "aa-platform", {"owner": PLATFORM_TEAM}),
            tags=shared,
        ),
        # Where the function app of this project lives. It must never clean up itself.
        group(
            "rg-steward",
            resource(
                "Microsoft.Web/serverFarms",
                "plan-steward",
                shared,
                kind="functionapp",
                sku=FLEX,
            ),
            resource(
                "Microsoft.Web/sites",
                "func-steward",
                shared,
                kind="functionapp,linux",
                identity={"type": "UserAssigned"},
            ),
            resource("Microsoft.Storage/storageAccounts", "ststeward", shared, kind="StorageV2", sku=STORAGE),
            resource("Microsoft.ManagedIdentity/userAssignedIdentities", "id-steward", shared),
            tags=shared,
        ),
        group(
            "DefaultResourceGroup-WEU",
            resource("Microsoft.OperationalInsights/workspaces", "DefaultWorkspace-5a000000-WEU"),
        ),
    ),
    locks=(
        Lock(
            name="hub",
            scope="/subscriptions/{subscription}/resourceGroups/rg-platform-network",
            notes="",
        ),
        # A child that is no resource of its own: the network cannot be deleted, though it has no lock itself.
        Lock(
            name="firewall-subnet",
            scope="/subscriptions/{subscription}/resourcegroups/rg-platform-network/providers"
            "/Microsoft.Network/virtualNetworks/vnet-hub/subnets/AzureFirewallSubnet",
        ),
        Lock(
            name="records-by-change-request-only",
            level="ReadOnly",
            scope="/subscriptions/{subscription}/resourceGroups/rg-platform-network/providers"
            "/Microsoft.Network/privateDnsZones/privatelink.database.windows.net",
        ),
    ),
)

legacy = Subscription(
    id=LEGACY,
    name="Shop Legacy (closed)",
    state="Disabled",
    resource_groups=(
        group(
            "rg-shop-legacy-archive",
            resource("Microsoft.Storage/storageAccounts", "stshoplegacy", {"Owner": DATA}, kind="Storage", sku=STORAGE),
            resource("Microsoft.RecoveryServices/vaults", "rsv-shop-legacy", sku={"name": "Standard"}),
            tags={"Owner": DATA, "CostCenter": "4200"},
        ),
    ),
    locks=(Lock(name="closed", level="ReadOnly", notes="Kept until the audit of 2027."),),
)

DEMO = Estate(
    name="demo",
    subscriptions=(production, development, platform, legacy),
    management_groups=(
        ManagementGroup(id=TENANT, name="Tenant Root Group"),
        ManagementGroup(id="mg-platform", name="Platform", parent=TENANT, subscriptions=(PLATFORM,)),
        ManagementGroup(id="mg-landing-zones", name="Landing zones", parent=TENANT),
        ManagementGroup(id="mg-shop", name="Shop", parent="mg-landing-zones", subscriptions=(PRODUCTION, DEVELOPMENT)),
        ManagementGroup(id="mg-decommissioned", name="Decommissioned", parent=TENANT, subscriptions=(LEGACY,)),
    ),
)
