"""What looks unused and is not: every known false positive, by the name under which people fell for it."""

from typing import Any

import pytest

from shared_code.cleanup_rules import RULES, Doubt, Match
from shared_code.cleanup_settings import RuleSettings
from shared_code.durations import Duration
from shared_code.protection import Policy, protections
from shared_code.tag_rules import RuleMode
from tests.cleanup import GONE, GROUP, NETWORK, UNUSED, Json, around, days_ago, group, judge, ref, target

VM = ref("Microsoft.Compute/virtualMachines/vm")
SCALE_SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/vmss"
INTERFACE = "properties.ipConfigurations.0.properties"
CONNECTION: Json = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}

FALSE_POSITIVES: list[tuple[str, str, Json, str]] = [
    # Managed disks
    ("unattached-disk", "attached", {"managedBy": VM["id"], "properties.diskState": "Attached"}, "managed by"),
    ("unattached-disk", "machine-switched-off", {"properties.diskState": "Reserved"}, "its machine is switched off"),
    ("unattached-disk", "machine-hibernates", {"properties.diskState": "Frozen"}, "hibernates"),
    ("unattached-disk", "exported-by-sas", {"properties.diskState": "ActiveSAS"}, "being exported"),
    ("unattached-disk", "frozen-and-exported", {"properties.diskState": "ActiveSASFrozen"}, "hibernates"),
    ("unattached-disk", "waits-for-an-upload", {"properties.diskState": "ReadyToUpload"}, "about to upload"),
    ("unattached-disk", "being-uploaded-to", {"properties.diskState": "ActiveUpload"}, "being uploaded to"),
    ("unattached-disk", "state-of-tomorrow", {"properties.diskState": "Resting"}, "'Resting', not 'Unattached'"),
    ("unattached-disk", "shared-disk", {"managedByExtended": [VM["id"]]}, "it is shared"),
    (
        "unattached-disk",
        "shared-disk-as-attached",
        {"properties.shareInfo": [{"vmUri": VM["id"]}]},
        "machines share it",
    ),
    ("unattached-disk", "restore-in-progress", {"properties.completionPercent": 42.5}, "copied or restored"),
    (
        "unattached-disk",
        "golden-disk-never-attached",
        {"properties.LastOwnershipUpdateTime": GONE},
        "does not say when",
    ),
    (
        "unattached-disk",
        "pod-restarting",  # MicrosoftDocs/azure-docs#68790: unattached for minutes, while its pod moved
        {"properties.LastOwnershipUpdateTime": "2026-11-22T05:58:00Z"},
        "less than 14d ago",
    ),
    ("unattached-disk", "us-date", {"properties.LastOwnershipUpdateTime": "10/19/2019 1:59:57 PM"}, "is no time"),
    ("unattached-disk", "clock-ahead", {"properties.LastOwnershipUpdateTime": "2027-01-01T00:00:00Z"}, "less than"),
    # Snapshots
    ("old-snapshot", "incremental-chain", {"properties.incremental": True}, "chain of incremental snapshots"),
    (
        "old-snapshot",
        "restore-point-of-a-vault",
        {"managedBy": f"{GROUP}/providers/x/restorePointCollections/y"},
        "managed",
    ),
    ("old-snapshot", "young", {"properties.timeCreated": "2026-11-01T00:00:00Z"}, "less than 90d ago"),
    ("old-snapshot", "being-exported", {"properties.diskState": "ActiveSAS"}, "'ActiveSAS'"),
    ("old-snapshot", "copy-in-progress", {"properties.completionPercent": 3}, "copied or restored"),
    # Network interfaces
    ("unattached-network-interface", "attached", {"properties.virtualMachine": VM}, "virtualMachine"),
    (
        "unattached-network-interface",
        "private-endpoint",
        {"properties.privateEndpoint": ref("Microsoft.Network/privateEndpoints/pe")},
        "privateEndpoint",
    ),
    (
        "unattached-network-interface",
        "private-link-service",
        {"properties.privateLinkService": ref("Microsoft.Network/privateLinkServices/pls")},
        "privateLinkService",
    ),
    (
        "unattached-network-interface",
        "netapp-volume",
        {"properties.hostedWorkloads": [f"{GROUP}/providers/Microsoft.NetApp/netAppAccounts/x"]},
        "a workload uses it",
    ),
    (
        "unattached-network-interface",
        "bare-metal",
        {"properties.bareMetalServer": ref("Microsoft.Network/bareMetalServers/x")},
        "bareMetalServer",
    ),
    (
        "unattached-network-interface",
        "scale-set",
        {f"{INTERFACE}.subnet": {"id": f"{SCALE_SET}/virtualMachines/0/networkInterfaces/nic"}},
        "a virtual machine or a scale set",
    ),
    (
        "unattached-network-interface",
        "reserved-address",
        {f"{INTERFACE}.privateIPAllocationMethod": "Static"},
        "it reserves an address",
    ),
    (
        "unattached-network-interface",
        "member-of-a-balancer",
        {f"{INTERFACE}.loadBalancerBackendAddressPools": [{"id": f"{NETWORK}/loadBalancers/lb/backendAddressPools/p"}]},
        "it is a member",
    ),
    ("unattached-network-interface", "tapped", {"properties.tapConfigurations": [{"id": "x"}]}, "tapConfigurations"),
    (
        "unattached-network-interface",
        "user-of-tomorrow",
        {"properties.quantumLink": ref("Microsoft.Quantum/links/x")},
        "it is tied to something: its quantumLink",
    ),
    ("unattached-network-interface", "no-configuration", {"properties.ipConfigurations": []}, "empty"),
    ("unattached-network-interface", "odd-configuration", {INTERFACE: None}, "cannot be read"),
    (
        "unattached-network-interface",
        "machine-somewhere-else",
        {f"{INTERFACE}.virtualMachineReference": "vm"},
        "something to say of a virtual machine",
    ),
    # Public addresses
    ("unused-public-ip", "assigned", {"properties.ipConfiguration": ref("Microsoft.Network/x/y")}, "ipConfiguration"),
    (
        "unused-public-ip",
        "nat-gateway",
        {"properties.natGateway": ref("Microsoft.Network/natGateways/n")},
        "natGateway",
    ),
    (
        "unused-public-ip",
        "from-a-prefix",
        {"properties.publicIPPrefix": ref("Microsoft.Network/publicIPPrefixes/p")},
        "publicIPPrefix",
    ),
    (
        "unused-public-ip",
        "linked-address",
        {"properties.linkedPublicIPAddress": ref("Microsoft.Network/publicIPAddresses/p")},
        "linkedPublicIPAddress",
    ),
    (
        "unused-public-ip",
        "service-address",
        {"properties.servicePublicIPAddress": ref("Microsoft.Network/publicIPAddresses/p")},
        "servicePublicIPAddress",
    ),
    ("unused-public-ip", "dns-label", {"properties.dnsSettings": {"domainNameLabel": "shop"}}, "it has a name"),
    ("unused-public-ip", "ddos-of-its-own", {"properties.ddosSettings": {"protectionMode": "Enabled"}}, "DDoS"),
    (
        "unused-public-ip",
        "ddos-plan",
        {"properties.ddosSettings": {"protectionMode": "Disabled", "ddosProtectionPlan": {"id": "x"}}},
        "DDoS",
    ),
    ("unused-public-ip", "being-migrated", {"properties.migrationPhase": "Prepare"}, "being migrated"),
    # Security groups, route tables, NAT gateways
    ("unused-network-security-group", "on-a-subnet", {"properties.subnets": [{"id": "x"}]}, "subnets"),
    (
        "unused-network-security-group",
        "on-an-interface",
        {"properties.networkInterfaces": [{"id": "x"}]},
        "networkInterfaces",
    ),
    ("unused-network-security-group", "flow-log", {"properties.flowLogs": [{"id": "x"}]}, "records what flows"),
    (
        "unused-network-security-group",
        "half-an-answer",  # the absence of `subnets` counts only in an answer that is whole
        {"properties.defaultSecurityRules": GONE},
        "not whole",
    ),
    ("unused-route-table", "on-a-subnet", {"properties.subnets": [{"id": "x"}]}, "subnets"),
    ("unused-route-table", "half-an-answer", {"properties.routes": GONE}, "not whole"),
    ("unused-nat-gateway", "on-a-subnet", {"properties.subnets": [{"id": "x"}]}, "subnets"),
    (
        "unused-nat-gateway",
        "on-a-whole-network",
        {"properties.sourceVirtualNetwork": ref("Microsoft.Network/virtualNetworks/v")},
        "sourceVirtualNetwork",
    ),
    ("unused-nat-gateway", "service-gateway", {"properties.serviceGateway": {"id": "x"}}, "serviceGateway"),
    ("unused-nat-gateway", "half-an-answer", {"properties.resourceGuid": GONE}, "not whole"),
    # Load balancers
    (
        "load-balancer-without-backends",
        "scale-set-of-no-machines",
        {"properties.backendAddressPools": [{"name": "pool", "properties": {"provisioningState": "Succeeded"}}]},
        "somewhere to balance to",
    ),
    (
        "load-balancer-without-backends",
        "ip-based-backends",
        {"properties.backendAddressPools": [{"properties": {"loadBalancerBackendAddresses": [{"name": "a"}]}}]},
        "somewhere to balance to",
    ),
    (
        "load-balancer-without-backends",
        "nat-rules-only",
        {"properties.inboundNatRules": [{"id": "x"}]},
        "passes traffic",
    ),
    ("load-balancer-without-backends", "nat-pools", {"properties.inboundNatPools": [{"id": "x"}]}, "passes traffic"),
    ("load-balancer-without-backends", "outbound-rules", {"properties.outboundRules": [{"id": "x"}]}, "the internet"),
    ("load-balancer-without-backends", "gateway-balancer", {"sku": {"name": "Gateway"}}, "'Gateway'"),
    (
        "load-balancer-without-backends",
        "chained-to-a-gateway",
        {"properties.frontendIPConfigurations.0.properties.gatewayLoadBalancer": {"id": "x"}},
        "chained with it",
    ),
    (
        "load-balancer-without-backends",
        "private-link-service",
        {"properties.frontendIPConfigurations.0.properties.privateLinkService": {"id": "x"}},
        "chained with it",
    ),
    # Application gateways
    (
        "application-gateway-without-backends",
        "redirects-only",
        {"properties.redirectConfigurations": [{"name": "to-https"}]},
        "it redirects",
    ),
    (
        "application-gateway-without-backends",
        "backend-by-name",
        {"properties.backendAddressPools.0.properties.backendAddresses": [{"fqdn": "shop.example.com"}]},
        "servers stand behind it",
    ),
    (
        "application-gateway-without-backends",
        "backend-machines",
        {"properties.backendAddressPools.0.properties.backendIPConfigurations": [{"id": "x"}]},
        "machines stand behind it",
    ),
    (
        "application-gateway-without-backends",
        "private-link",
        {"properties.privateEndpointConnections": [{"id": "x"}]},
        "others connect to it",
    ),
    ("application-gateway-without-backends", "unread-pools", {"properties.backendAddressPools": GONE}, "does not say"),
    ("application-gateway-without-backends", "odd-pool", {"properties.backendAddressPools": [None]}, "cannot be read"),
    # App Service plans
    ("app-service-plan-without-apps", "no-kind", {"kind": GONE}, "does not say its kind"),
    ("app-service-plan-without-apps", "functions", {"kind": "functionapp,linux"}, "its kind is 'functionapp,linux'"),
    ("app-service-plan-without-apps", "apps", {"properties.numberOfSites": 2}, "numberOfSites is 2"),
    ("app-service-plan-without-apps", "count-that-is-no-number", {"properties.numberOfSites": False}, "how many apps"),
    ("app-service-plan-without-apps", "free", {"sku": {"name": "F1", "tier": "Free"}}, "'Free'"),
    ("app-service-plan-without-apps", "shared", {"sku": {"name": "D1", "tier": "Shared"}}, "'Shared'"),
    ("app-service-plan-without-apps", "consumption", {"sku": {"name": "Y1", "tier": "Dynamic"}}, "'Dynamic'"),
    ("app-service-plan-without-apps", "flex", {"sku": {"name": "FC1", "tier": "FlexConsumption"}}, "'FlexConsumption'"),
    (
        "app-service-plan-without-apps",
        "elastic",
        {"sku": {"name": "EP1", "tier": "ElasticPremium"}},
        "'ElasticPremium'",
    ),
    ("app-service-plan-without-apps", "elastic-by-kind", {"kind": "elastic"}, "its kind is 'elastic'"),
    (
        "app-service-plan-without-apps",
        "logic-apps-standard",
        {"sku": {"name": "WS1", "tier": "WorkflowStandard"}},
        "'WorkflowStandard'",
    ),
    ("app-service-plan-without-apps", "environment", {"sku": {"name": "I1v2", "tier": "IsolatedV2"}}, "'IsolatedV2'"),
    (
        "app-service-plan-without-apps",
        "environment-by-reference",
        {"properties.hostingEnvironmentProfile": {"name": "ase"}},
        "hostingEnvironmentProfile",
    ),
    (
        "app-service-plan-without-apps",
        "environment-by-another-name",
        {"properties.home": f"{GROUP}/providers/Microsoft.Web/hostingEnvironments/ase"},
        "App Service Environment",
    ),
    ("app-service-plan-without-apps", "networks", {"properties.vnetConnectionsUsed": 1}, "networks are connected"),
    ("app-service-plan-without-apps", "being-made", {"properties.status": "Creating"}, "its status is 'Creating'"),
    # Availability sets
    ("unused-availability-set", "machines", {"properties.virtualMachines": [VM]}, "machines are in it"),
    (
        "unused-availability-set",
        "scale-set",
        {"properties.virtualMachineScaleSetMigrationInfo": {"migrationInvalidUntil": None}},
        "names a scale set",
    ),
    ("unused-availability-set", "scale-set-by-id", {"properties.flexible": {"id": f"{SCALE_SET}/x"}}, "a scale set"),
    # Private endpoints
    (
        "disconnected-private-endpoint",
        "second-connection-approved",
        {"properties.manualPrivateLinkServiceConnections": [CONNECTION]},
        "'Approved', not 'Disconnected'",
    ),
    (
        "disconnected-private-endpoint",
        "pending",
        {
            "properties.privateLinkServiceConnections.0.properties.privateLinkServiceConnectionState.status": "Pending",
        },
        "'Pending'",
    ),
    (
        "disconnected-private-endpoint",
        "no-connections",
        {"properties.privateLinkServiceConnections": []},
        "no connection of which",
    ),
    # SQL elastic pools
    ("sql-elastic-pool-without-databases", "being-made", {"properties.state": "Creating"}, "'Creating', not 'Ready'"),
]


@pytest.mark.parametrize(
    ("rule", "changes", "reason"),
    [pytest.param(rule, changes, reason, id=f"{rule}:{name}") for rule, name, changes, reason in FALSE_POSITIVES],
)
def test_looks_unused_and_is_not(rule: str, changes: Json, reason: str) -> None:
    said = judge(rule, target(rule, changes))

    assert isinstance(said, str)
    assert reason in said


def test_every_rule_knows_some() -> None:
    assert {rule for rule, *_ in FALSE_POSITIVES} == set(UNUSED)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("unattached-disk", "web-ASRReplica"),
        ("unattached-disk", "ms-asr-0123"),
        ("unattached-disk", "asrseeddisk-web-0123"),
        ("old-snapshot", "AzureBackup_web_20260101"),
        ("old-snapshot", "web-asrreplica"),
        ("unused-availability-set", "as-web-ASR"),
    ],
)
def test_names_of_backup_and_site_recovery(rule: str, name: str) -> None:
    said = judge(rule, target(rule, name=name))

    assert isinstance(said, str)
    assert name in said


@pytest.mark.parametrize(
    "tag", ["managed-by-k8s-ingress", "Managed-By-K8s-Ingress-shared", "ingress-for-aks-cluster-id"]
)
def test_the_gateway_of_an_ingress_controller(tag: str) -> None:
    said = judge(
        "application-gateway-without-backends", target("application-gateway-without-backends", tags={tag: "x"})
    )

    assert isinstance(said, str)
    assert "ingress controller" in said


@pytest.mark.parametrize("rule", ["unattached-network-interface", "load-balancer-without-backends", "unattached-disk"])
def test_what_is_in_the_group_of_a_cluster(rule: str) -> None:
    """By the group's owner; where Azure does not name it, protection knows the group by its name."""
    cluster = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
    given = target(rule, id=UNUSED[rule]["id"].replace("rg-shop", "MC_rg_aks_westeurope"))

    assert isinstance(judge(rule, near=around(group=group(managed_by=cluster))), str)
    nodes = group(id=GROUP.replace("rg-shop", "MC_rg_aks_westeurope"), name="MC_rg_aks_westeurope")
    assert protections(given, around(group=nodes), Policy())


@pytest.mark.parametrize("tag", ["kubernetes.io-created-for-pvc-name", "ASR-ReplicaDisk", "RSVaultBackup"])
def test_marks_of_clusters_and_backups_are_left_to_protection(tag: str) -> None:
    given = target("unattached-disk", tags={tag: "x"})

    assert isinstance(judge("unattached-disk", given), Match)
    assert protections(given, around(), Policy())


class TestAddressesThatSomebodyReserved:
    """Whether a firewall elsewhere still allows an address cannot be seen, so a person decides, and is shown it."""

    def test_a_person_decides(self) -> None:
        assert RULES["unused-public-ip"].mode is RuleMode.APPROVE
        assert not RULES["unused-public-ip"].recreatable

    def test_and_sees_the_address(self) -> None:
        found = judge("unused-public-ip")

        assert isinstance(found, Match)
        assert found.evidence == {"address": "203.0.113.9", "allocation": "Static", "sku": "Standard"}

    def test_of_an_interface(self) -> None:
        found = judge("unattached-network-interface")

        assert isinstance(found, Match)
        assert found.evidence == {"mac": "00-0D-3A-00-00-00", "addresses": "10.0.0.4"}


class TestDisks:
    def test_counts_since_azure_says_nothing_uses_it(self) -> None:
        found = judge("unattached-disk")

        assert isinstance(found, Match)
        assert found.detail == "no machine uses it, and none has since 2026-09-01T08:00:00Z"
        assert found.evidence["state"] == "Unattached"
        assert found.since is not None
        assert found.since.isoformat() == "2026-09-01T08:00:00.123456+00:00"

    @pytest.mark.parametrize(("age", "found"), [("81d", True), ("82d", False), ("2w", True)])
    def test_by_the_age_of_the_operator(self, age: str, *, found: bool) -> None:
        settings = RuleSettings(minimum_age=Duration.parse(age))

        assert isinstance(judge("unattached-disk", settings=settings), Match) is found

    def test_exactly_the_age_is_enough(self) -> None:
        at = {"properties.LastOwnershipUpdateTime": days_ago(14).isoformat()}

        assert isinstance(judge("unattached-disk", target("unattached-disk", at)), Match)

    def test_managed_by_nothing_is_not_enough(self) -> None:
        """What others delete by: a disk that waits for an upload has no `managedBy` either."""
        assert isinstance(judge("unattached-disk", target("unattached-disk", {"properties.diskState": GONE})), str)


class TestSnapshots:
    def test_people_are_told_when_and_of_what(self) -> None:
        found = judge("old-snapshot")

        assert isinstance(found, Match)
        assert found.detail == "it was taken 2025-05-18T17:41:22Z"
        assert found.evidence["source"].endswith("/disks/data")

    def test_nobody_sees_whether_an_image_needs_it_so_it_is_only_told(self) -> None:
        assert RULES["old-snapshot"].mode is RuleMode.NOTIFY


class TestLists:
    @pytest.mark.parametrize("type_", ["Microsoft.Web/sites", "Microsoft.Web/sites/slots"])
    def test_apps_and_slots_that_the_count_misses(self, type_: str) -> None:
        app = {"id": f"{GROUP}/providers/{type_}/shop", "type": type_}

        said = judge("app-service-plan-without-apps", near=around(lists={"sites": (app,)}))

        assert isinstance(said, str)
        assert said.startswith("its list of apps and slots has 1 in it")
        assert "shop" in said

    @pytest.mark.parametrize("item", [{}, {"name": "orders", "properties": {"status": "Restoring"}}])
    def test_databases_whatever_is_known_of_them(self, item: dict[str, Any]) -> None:
        said = judge("sql-elastic-pool-without-databases", near=around(lists={"databases": (item,)}))

        assert isinstance(said, str)
        assert said.startswith("its list of databases has 1 in it")

    def test_databases_that_nobody_may_read(self) -> None:
        said = judge("sql-elastic-pool-without-databases", near=around(lists={}))

        assert said == "the list of its databases was not read"


class TestShapes:
    @pytest.mark.parametrize(
        "name",
        [
            "unattached-network-interface",
            "unused-public-ip",
            "unused-network-security-group",
            "unused-route-table",
            "unused-nat-gateway",
            "load-balancer-without-backends",
            "unused-availability-set",
        ],
    )
    def test_a_user_that_azure_has_yet_to_invent_keeps_it(self, name: str) -> None:
        said = judge(name, target(name, {"properties.quantumLinks": [{"to": ref("Microsoft.Quantum/links/x")}]}))

        assert said == "it is tied to something: its quantumLinks is a list of 1, the first of them an object"

    @pytest.mark.parametrize("value", [{}, {"name": "x"}, "x", None, [], False])
    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("unused-public-ip", "ipConfiguration"),
            ("unused-public-ip", "natGateway"),
            ("unattached-network-interface", "privateEndpoint"),
            ("unattached-network-interface", "virtualMachine"),
        ],
    )
    def test_a_user_of_any_shape_keeps_it(self, name: str, key: str, value: object) -> None:
        assert f"its {key} is " in str(judge(name, target(name, {f"properties.{key}": value})))

    @pytest.mark.parametrize("value", [GONE, None, {}, "x"])
    def test_a_balancer_whose_frontends_are_no_list(self, value: object) -> None:
        given = target("load-balancer-without-backends", {"properties.frontendIPConfigurations": value})

        assert "not whole" in str(judge("load-balancer-without-backends", given))

    @pytest.mark.parametrize("name", UNUSED)
    @pytest.mark.parametrize("value", [GONE, None, {}, []])
    def test_without_properties_nothing_is_known(self, name: str, value: object) -> None:
        assert "has no properties" in str(judge(name, target(name, {"properties": value})))

    def test_status_of_a_plan_as_a_number(self) -> None:
        assert isinstance(judge("app-service-plan-without-apps", target("app-service-plan-without-apps")), Match)
        zero = target("app-service-plan-without-apps", {"properties.status": 0})
        assert isinstance(judge("app-service-plan-without-apps", zero), Match)

    @pytest.mark.parametrize("name", ["unused-network-security-group", "unused-route-table", "unused-nat-gateway"])
    def test_no_key_means_unused_and_null_means_nobody_knows(self, name: str) -> None:
        """Azure leaves `subnets` out, and is not known to write null."""
        assert isinstance(judge(name, target(name, {"properties.subnets": GONE})), Match)
        assert judge(name, target(name, {"properties.subnets": None})) == "it is in use: its subnets is null"

    def test_a_doubt_is_no_match(self) -> None:
        assert not any(isinstance(judge(name), Doubt) for name in UNUSED)
