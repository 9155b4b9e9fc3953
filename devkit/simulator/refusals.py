"""Why a delete is refused: locks, deny assignments, what is below, and what uses the thing (oddities 44 and 45)."""

from collections.abc import Callable, Iterator

from devkit.simulator import errors, locks
from devkit.simulator.exchange import Reply
from devkit.simulator.holdings import Holdings
from devkit.simulator.identity import PRINCIPAL
from devkit.simulator.model import DenyAssignment, Resource, ResourceGroup, Subscription, spelled_in_group
from devkit.simulator.references import folded, type_of, whole

_NESTED_FIRST = ("microsoft.network/privatednszones",)
"""Types that stay as long as something is nested in them; with the others, what is nested goes too."""


class Refused(Exception):
    """The request is answered with an error, and changes nothing."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def check_access(subscription: Subscription, scope: str, action: str) -> None:
    """Whether the scope may be deleted at all.

    Raises:
        Refused: a lock at the scope, above or below it, or a deny assignment forbids it.
    """
    locked = [lock.scope for lock in locks.locks_concerning(subscription, scope)]
    if locked:
        raise Refused(errors.scope_locked(scope, "delete", locked))
    for denied in subscription.deny_assignments:
        if _denies(denied, scope, action):
            raise Refused(errors.denied(action, scope, PRINCIPAL, denied.name, denied.id, denied.scope))


def check_use(now: Holdings, resource: Resource, group: ResourceGroup) -> None:
    """Whether the resource can go.

    Raises:
        Refused: something uses it, or is nested in it.
    """
    if reply := use(now, resource, group):
        raise Refused(reply)
    if resource.type.casefold() in _NESTED_FIRST and any(nested(group, resource)):
        raise Refused(errors.nested_first())


def nested(group: ResourceGroup, resource: Resource) -> Iterator[Resource]:
    """What is nested in a resource, at any depth."""
    above = folded(resource.id) + "/"
    return (each for each in group.resources if folded(each.id).startswith(above))


def use(now: Holdings, resource: Resource, group: ResourceGroup, *, outside: str = "") -> Reply | None:
    """The answer that says what uses a resource; None when nothing does, or nothing that lies outside that scope."""
    definitions = now.definitions
    kind = resource.type.casefold()
    own = spelled_in_group(resource, group).id
    if kind == "microsoft.compute/disks":
        return _disk_in_use(now, resource, group, outside)
    if kind == "microsoft.network/virtualnetworks":
        for used, user in definitions.users_of_parts(resource.id, group):
            if "/subnets/" in used and not _within(user, outside) and folded(whole(user)) != folded(resource.id):
                return errors.in_use("InUseSubnetCannotBeDeleted", _SUBNET.format(used.rpartition("/")[2], user))
        return None
    users = [each for each in definitions.users(resource.id, group) if not _within(each, outside)]
    wanted, told = _USES.get(kind, ((), None))
    using = [each for each in users if type_of(each) in wanted]
    return told(own, using) if told and using else None


def _within(resource_id: str, scope: str) -> bool:
    return bool(scope) and locks.covers(scope, resource_id)


def _denies(denied: DenyAssignment, scope: str, action: str) -> bool:
    covers = locks.covers(denied.scope, scope)
    if denied.spares_children:
        covers = folded(denied.scope) == folded(scope)
    return covers and any(_matches(pattern, action) for pattern in denied.actions)


def _matches(pattern: str, action: str) -> bool:
    before, star, after = pattern.casefold().partition("*")
    asked = action.casefold()
    return asked.startswith(before) and asked.endswith(after) if star else asked == before


def _disk_in_use(now: Holdings, disk: Resource, group: ResourceGroup, outside: str) -> Reply | None:
    state = now.definitions.properties(disk, group).get("diskState")
    owner = disk.managed_by
    if isinstance(owner, str) and owner and not _within(owner, outside):
        return errors.error(409, "OperationNotAllowed", f"Disk {disk.name} is attached to VM {owner}.")
    if isinstance(disk.managed_by_extended, list) and disk.managed_by_extended:
        owners = ", ".join(disk.managed_by_extended)
        return errors.error(409, "OperationNotAllowed", f"Disk {disk.name} is attached to VM {owners}.")
    if state in ("ActiveSAS", "ActiveSASFrozen"):
        return errors.error(
            409,
            "OperationNotAllowed",
            f"There is an active shared access signature outstanding for disk {disk.name}. Call EndGetAccess before "
            "attaching or deleting the disk. Learn more here: aka.ms/revokeaccessapi.",
        )
    return None


_SUBNET = (
    "Subnet {} is in use by {} and cannot be deleted. In order to delete the subnet, delete all the resources within "
    "the subnet. See aka.ms/deletesubnet."
)


def _interface(own: str, users: list[str]) -> Reply:
    if type_of(users[0]) == "microsoft.network/privateendpoints":
        return errors.in_use(
            "NicInUseWithPrivateEndpoint",
            f"Network interface {own} cannot be deleted because it is currently in use with an private endpoint "
            f"({whole(users[0])}).",
        )
    return errors.in_use(
        "NicInUse",
        f"Network Interface {own} is used by existing resource {whole(users[0])}. In order to delete the network "
        "interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
    )


def _security_group(own: str, users: list[str]) -> Reply:
    using = ", ".join(each if "/subnets/" in each.casefold() else whole(each) for each in users)
    return errors.in_use(
        "InUseNetworkSecurityGroupCannotBeDeleted",
        f"Network security group {own} cannot be deleted because it is in use by the following resources: {using}. In "
        "order to delete the Network security group, remove the association with the resource(s). To learn how to do "
        "this, see aka.ms/deletensg.",
    )


def _address(own: str, users: list[str]) -> Reply:
    return errors.in_use(
        "PublicIPAddressCannotBeDeleted",
        f"Public IP address {own} can not be deleted since it is still allocated to resource {users[0]}. In order to "
        "delete the public IP, disassociate/detach the Public IP address from the resource.  To learn how to do this, "
        "see aka.ms/deletepublicip.",
    )


def _route_table(own: str, users: list[str]) -> Reply:
    return errors.in_use(
        "InUseRouteTableCannotBeDeleted", f"Route table {own} is in use and cannot be deleted: {', '.join(users)}."
    )


def _nat_gateway(own: str, users: list[str]) -> Reply:
    return errors.in_use(
        "InUseNatGatewayCannotBeDeleted",
        f"Nat Gateway {own} cannot be deleted because it is in use by {', '.join(users)}.",
    )


def _plan(own: str, users: list[str]) -> Reply:
    name, sites = own.rpartition("/")[2], ", ".join(each.rpartition("/")[2] for each in users)
    message = f"Server farm '{name}' cannot be deleted because it has web app(s) {sites} assigned to it."
    return errors.error(409, "Conflict", message)


def _availability_set(own: str, _: list[str]) -> Reply:
    name = own.rpartition("/")[2]
    return errors.error(
        409,
        "OperationNotAllowed",
        f"Availability Set '{name}' cannot be deleted. Before deleting an Availability Set please ensure that it does "
        "not contain any VM.",
    )


def _pool(own: str, _: list[str]) -> Reply:
    name = own.rpartition("/")[2]
    return errors.error(400, "ElasticPoolNotEmpty", f"The elastic pool '{name}' is not empty.")


_MACHINES = ("microsoft.compute/virtualmachines",)
_NETWORKS = ("microsoft.network/virtualnetworks",)
_USES: dict[str, tuple[tuple[str, ...], Callable[[str, list[str]], Reply] | None]] = {
    "microsoft.network/networkinterfaces": ((*_MACHINES, "microsoft.network/privateendpoints"), _interface),
    "microsoft.network/networksecuritygroups": (
        ("microsoft.network/networkinterfaces", *_NETWORKS),
        _security_group,
    ),
    "microsoft.network/publicipaddresses": (
        (
            "microsoft.network/networkinterfaces",
            "microsoft.network/natgateways",
            "microsoft.network/loadbalancers",
            "microsoft.network/applicationgateways",
        ),
        _address,
    ),
    "microsoft.network/routetables": (_NETWORKS, _route_table),
    "microsoft.network/natgateways": (_NETWORKS, _nat_gateway),
    "microsoft.web/serverfarms": (("microsoft.web/sites",), _plan),
    "microsoft.compute/availabilitysets": (_MACHINES, _availability_set),
    "microsoft.sql/servers/elasticpools": (("microsoft.sql/servers",), _pool),
}
