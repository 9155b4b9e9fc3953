"""Properties for resources that are written down without any: by type, and linked within their resource group.

About one in seven of the things that are made to be used is used by nothing; which ones follows from their ids.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable

from msgspec import UNSET

from devkit.simulator.model import Json, Resource, ResourceGroup

_COMPUTE, _NETWORK, _WEB = "microsoft.compute", "microsoft.network", "microsoft.web"


def drawn(group: ResourceGroup) -> dict[str, Json]:
    """The properties of the resources of a group that have none, by id; none for types that are told nothing of."""
    members = _Members(group.resources)
    found: dict[str, Json] = {}
    for kind, draw in _DRAWN.items():
        for place, resource in enumerate(members.of[kind]):
            found[resource.id] = draw(members, resource, place)
    return found


def plain(resource: Resource) -> Json:
    """What a resource of that type has beside its own properties: it refers to nothing."""
    draw = _DRAWN.get(resource.type.casefold())
    return draw(_Members(()), resource, 0) if draw else {}


class _Members:
    """Resources by folded type, without those that have properties."""

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        self.of: defaultdict[str, list[Resource]] = defaultdict(list)
        for resource in resources:
            if resource.properties is UNSET:
                self.of[resource.type.casefold()].append(resource)

    def used(self, kind: str, place: int) -> Resource | None:
        """The member of that type at that place, if it is used by something."""
        members = self.of[kind]
        return members[place] if place < len(members) and not _unused(members[place]) else None

    def shared(self, kind: str, place: int) -> Resource | None:
        """One of the members of that type that are used by something."""
        members = [each for each in self.of[kind] if not _unused(each)]
        return members[place % len(members)] if members else None


def _unused(resource: Resource) -> bool:
    return zlib.crc32(resource.id.casefold().encode()) % 7 == 0


def _id(resource: Resource | None) -> Json:
    return {"id": resource.id} if resource else {}


def _named(**given: Json) -> Json:
    return {key: value for key, value in given.items() if value}


def _time(resource: Resource, *, changed: bool = False) -> str:
    told = resource.changed_time if changed else resource.created_time
    # Compute writes the zone as an offset.
    return told.replace("Z", "+00:00") if isinstance(told, str) else "2026-01-01T00:00:00.0000000+00:00"


def _guid(resource: Resource) -> str:
    return f"6d{zlib.crc32(resource.id.encode()):06x}"[:8] + "-0000-4000-8000-000000000000"


def _disk(_: _Members, disk: Resource, __: int) -> Json:
    return {
        "creationData": {"createOption": "Empty"},
        "diskSizeGB": 128,
        "diskIOPSReadWrite": 500,
        "diskMBpsReadWrite": 100,
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "networkAccessPolicy": "AllowAll",
        "timeCreated": _time(disk),
        "diskState": "Attached" if disk.managed_by else "Unattached",
        "diskSizeBytes": 137438953472,
        "uniqueId": _guid(disk),
        "LastOwnershipUpdateTime": _time(disk, changed=True),
    }


def _snapshot(members: _Members, snapshot: Resource, place: int) -> Json:
    source = members.shared(f"{_COMPUTE}/disks", place)
    copied = {"createOption": "Copy", "sourceResourceId": source.id} if source else {"createOption": "Empty"}
    return {
        "creationData": copied,
        "diskSizeGB": 128,
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "incremental": False,
        "networkAccessPolicy": "AllowAll",
        "timeCreated": _time(snapshot),
        "diskState": "Unattached",
        "diskSizeBytes": 137438953472,
        "uniqueId": _guid(snapshot),
    }


def _machine(members: _Members, machine: Resource, place: int) -> Json:
    machines = max(1, len(members.of[f"{_COMPUTE}/virtualmachines"]))
    interfaces = [each for each in members.of[f"{_NETWORK}/networkinterfaces"][place::machines] if not _unused(each)]
    disks = [each for each in members.of[f"{_COMPUTE}/disks"] if _same(each.managed_by, machine.id)]
    return _named(availabilitySet=_id(members.used(f"{_COMPUTE}/availabilitysets", place))) | {
        "vmId": _guid(machine),
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {
            "osDisk": {"osType": "Linux", "managedDisk": _id(disks[0])} if disks else {"osType": "Linux"},
            "dataDisks": [{"lun": lun, "managedDisk": _id(each)} for lun, each in enumerate(disks[1:])],
        },
        "networkProfile": {"networkInterfaces": [_id(each) for each in interfaces]},
    }


def _same(one: object, other: str) -> bool:
    return isinstance(one, str) and one.casefold() == other.casefold()


def _availability_set(_: _Members, __: Resource, ___: int) -> Json:
    return {"platformFaultDomainCount": 2, "platformUpdateDomainCount": 5}


def _interface(members: _Members, interface: Resource, place: int) -> Json:
    inside = {
        "provisioningState": "Succeeded",
        "privateIPAddress": f"10.0.0.{4 + place % 250}",
        "privateIPAllocationMethod": "Dynamic",
        "primary": True,
    }
    network = members.shared(f"{_NETWORK}/virtualnetworks", place)
    links = _named(
        publicIPAddress=_id(members.used(f"{_NETWORK}/publicipaddresses", place)),
        subnet={"id": f"{network.id}/subnets/default"} if network else {},
    )
    security = members.shared(f"{_NETWORK}/networksecuritygroups", place)
    part = {
        "name": "ipconfig1",
        "id": f"{interface.id}/ipConfigurations/ipconfig1",
        "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
        "properties": inside | links,
    }
    return _named(networkSecurityGroup=_id(security)) | {
        "resourceGuid": _guid(interface),
        "ipConfigurations": [part],
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
        "enableAcceleratedNetworking": False,
        "enableIPForwarding": False,
        "hostedWorkloads": [],
        "tapConfigurations": [],
        "nicType": "Standard",
    }


def _address(_: _Members, address: Resource, place: int) -> Json:
    return {
        "resourceGuid": _guid(address),
        "ipAddress": f"203.0.113.{place % 255}",
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
    }


def _security_group(_: _Members, group: Resource, __: int) -> Json:
    return {"resourceGuid": _guid(group), "securityRules": [], "defaultSecurityRules": []}


def _route_table(_: _Members, table: Resource, __: int) -> Json:
    return {"resourceGuid": _guid(table), "disableBgpRoutePropagation": False, "routes": []}


def _network(members: _Members, network: Resource, place: int) -> Json:
    links = _named(
        routeTable=_id(members.used(f"{_NETWORK}/routetables", place)),
        natGateway=_id(members.used(f"{_NETWORK}/natgateways", place)),
    )
    inside = {"provisioningState": "Succeeded", "addressPrefix": "10.0.0.0/24", "delegations": []} | links
    subnet = {"name": "default", "id": f"{network.id}/subnets/default", "properties": inside}
    return {
        "resourceGuid": _guid(network),
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [subnet],
        "virtualNetworkPeerings": [],
    }


def _balancer(_: _Members, balancer: Resource, __: int) -> Json:
    address = {"name": "one", "properties": {"ipAddress": "10.0.0.4"}}
    pool = {
        "name": "pool",
        "id": f"{balancer.id}/backendAddressPools/pool",
        "properties": {"provisioningState": "Succeeded", "loadBalancerBackendAddresses": [address]},
    }
    return {
        "resourceGuid": _guid(balancer),
        "frontendIPConfigurations": [],
        "backendAddressPools": [] if _unused(balancer) else [pool],
        "loadBalancingRules": [],
        "probes": [],
        "inboundNatRules": [],
        "outboundRules": [],
        "inboundNatPools": [],
    }


def _gateway(_: _Members, gateway: Resource, __: int) -> Json:
    addresses = [] if _unused(gateway) else [{"ipAddress": "10.0.0.5"}]
    pool = {
        "name": "pool",
        "id": f"{gateway.id}/backendAddressPools/pool",
        "properties": {"provisioningState": "Succeeded", "backendAddresses": addresses},
    }
    return {
        "resourceGuid": _guid(gateway),
        "operationalState": "Running",
        "backendAddressPools": [pool],
        "redirectConfigurations": [],
    }


def _nat_gateway(_: _Members, gateway: Resource, __: int) -> Json:
    return {"resourceGuid": _guid(gateway), "idleTimeoutInMinutes": 4}


def _endpoint(members: _Members, endpoint: Resource, place: int) -> Json:
    status = "Disconnected" if _unused(endpoint) else "Approved"
    connection = {
        "name": endpoint.name,
        "id": f"{endpoint.id}/privateLinkServiceConnections/{endpoint.name}",
        "properties": {
            "provisioningState": "Succeeded",
            "privateLinkServiceConnectionState": {"status": status, "description": "", "actionsRequired": "None"},
        },
    }
    network = members.shared(f"{_NETWORK}/virtualnetworks", place)
    return _named(subnet={"id": f"{network.id}/subnets/default"} if network else {}) | {
        "resourceGuid": _guid(endpoint),
        "privateLinkServiceConnections": [connection],
        "manualPrivateLinkServiceConnections": [],
        "networkInterfaces": [],
        "customDnsConfigs": [],
    }


def _plan(_: _Members, plan: Resource, __: int) -> Json:
    return {
        "name": plan.name,
        "workerSize": "Default",
        "numberOfWorkers": 1,
        "status": "Ready",
        "maximumNumberOfWorkers": 3,
        "hostingEnvironmentProfile": None,
        "reserved": plan.kind == "linux",
        "elasticScaleEnabled": False,
        "zoneRedundant": False,
    }


def _site(members: _Members, site: Resource, place: int) -> Json:
    plan = members.shared(f"{_WEB}/serverfarms", place)
    return {
        "name": site.name,
        "state": "Running",
        "hostNames": [f"{site.name.replace('/', '-')}.example.com"],
        "enabled": True,
        "serverFarmId": plan.id if plan else None,
        "httpsOnly": True,
    }


def _server(_: _Members, server: Resource, __: int) -> Json:
    return {"version": "12.0", "state": "Ready", "fullyQualifiedDomainName": f"{server.name}.example.com"}


def _pool(_: _Members, pool: Resource, __: int) -> Json:
    return {"state": "Ready", "creationDate": _time(pool), "maxSizeBytes": 53687091200, "zoneRedundant": False}


def _database(_: _Members, database: Resource, __: int) -> Json:
    return {"status": "Online", "creationDate": _time(database), "databaseId": _guid(database), "zoneRedundant": False}


_DRAWN: dict[str, Callable[[_Members, Resource, int], Json]] = {
    f"{_COMPUTE}/disks": _disk,
    f"{_COMPUTE}/snapshots": _snapshot,
    f"{_COMPUTE}/virtualmachines": _machine,
    f"{_COMPUTE}/availabilitysets": _availability_set,
    f"{_NETWORK}/networkinterfaces": _interface,
    f"{_NETWORK}/publicipaddresses": _address,
    f"{_NETWORK}/networksecuritygroups": _security_group,
    f"{_NETWORK}/routetables": _route_table,
    f"{_NETWORK}/virtualnetworks": _network,
    f"{_NETWORK}/loadbalancers": _balancer,
    f"{_NETWORK}/applicationgateways": _gateway,
    f"{_NETWORK}/natgateways": _nat_gateway,
    f"{_NETWORK}/privateendpoints": _endpoint,
    f"{_WEB}/serverfarms": _plan,
    f"{_WEB}/sites": _site,
    f"{_WEB}/sites/slots": _site,
    "microsoft.sql/servers": _server,
    "microsoft.sql/servers/elasticpools": _pool,
    "microsoft.sql/servers/databases": _database,
}
