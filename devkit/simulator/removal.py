"""What is left of a subscription when something has been deleted from it."""

from collections.abc import Iterable

from msgspec import UNSET
from msgspec.structs import replace

from devkit.simulator.exchange import Reply
from devkit.simulator.holdings import Holdings
from devkit.simulator.model import Json, Resource, ResourceGroup
from devkit.simulator.references import folded, type_of
from devkit.simulator.refusals import nested, use

_DETACHED: Json = {"diskState": "Unattached"}


def without_resource(now: Holdings, group: ResourceGroup, resource: Resource) -> tuple[Holdings, tuple[str, ...]]:
    """The state without a resource, what is nested in it and what only belongs to it, and the ids of all of these."""
    going = [resource, *nested(group, resource)]
    going += [each for each in group.resources if type_of(resource.id) == _ENDPOINTS and _belongs(each, resource)]
    gone = {folded(each.id) for each in going}
    changed = dict(_detached(now, gone))
    there = changed.get(group.name, group)
    changed[group.name] = _without(there, gone)
    return now.with_groups(changed), tuple(each.id for each in going)


_ENDPOINTS = "microsoft.network/privateendpoints"


def _belongs(interface: Resource, endpoint: Resource) -> bool:
    owner = interface.managed_by
    return isinstance(owner, str) and folded(owner) == folded(endpoint.id)


def without_group(
    now: Holdings, group: ResourceGroup, kept: Iterable[str] | None = None
) -> tuple[Holdings, tuple[str, ...], list[tuple[str, Reply | None]]]:
    """The state without a resource group; it stays with what cannot be deleted.

    That is what `kept` names (folded ids) or, without it, what something outside the group uses.

    Returns:
        The state, the ids of all that is gone, and the ids of what is left, each with the reason if there is one.
    """
    left: list[tuple[Resource, Reply | None]]
    if kept is None:
        left = [(each, why) for each in group.resources if (why := use(now, each, group, outside=group.id))]
    else:
        staying = set(kept)
        left = [(each, None) for each in group.resources if folded(each.id) in staying]
    staying = {folded(each.id) for each, _ in left}
    gone = {folded(each.id) for each in group.resources} - staying
    removed = tuple(each.id for each in group.resources if folded(each.id) in gone)
    changed: dict[str, ResourceGroup | None] = dict(_detached(now, gone))
    if left:
        changed[group.name] = replace(_without(group, gone), provisioning_state="Succeeded")
        return now.with_groups(changed), removed, [(each.id, why) for each, why in left]
    changed[group.name] = None
    return now.with_groups(changed), (*removed, group.id), []


def _without(group: ResourceGroup, gone: set[str]) -> ResourceGroup:
    return replace(group, resources=tuple(each for each in group.resources if folded(each.id) not in gone))


def _detached(now: Holdings, gone: set[str]) -> Iterable[tuple[str, ResourceGroup]]:
    """The groups with disks of machines that are going, with these disks as they are afterwards."""
    machines = {each for each in gone if type_of(each) == "microsoft.compute/virtualmachines"}
    if not machines:
        return
    for group in now.subscription.resource_groups:
        if any(_is_disk_of(each, machines) for each in group.resources):
            freed = (_freed(each) if _is_disk_of(each, machines) else each for each in group.resources)
            yield group.name, replace(group, resources=tuple(freed))


def _is_disk_of(resource: Resource, machines: set[str]) -> bool:
    owner = resource.managed_by
    return (
        isinstance(owner, str) and folded(owner) in machines and resource.type.casefold() == "microsoft.compute/disks"
    )


def _freed(disk: Resource) -> Resource:
    told = disk.properties | _DETACHED if isinstance(disk.properties, dict) else disk.properties
    return replace(disk, managed_by=UNSET, properties=told)
