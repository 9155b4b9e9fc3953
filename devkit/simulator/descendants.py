"""What lies below a management group: management groups and subscriptions at any depth."""

from collections.abc import Iterator

from devkit.simulator.model import Estate, Json, ManagementGroup

_PREFIX = "/providers/Microsoft.Management/managementGroups/"


def management_group(estate: Estate, group_id: str) -> ManagementGroup | None:
    """The management group of that id in any case, or None where the client sees none."""
    wanted = group_id.casefold()
    return next((each for each in estate.management_groups if each.id.casefold() == wanted), None)


def descendants(estate: Estate, group: ManagementGroup) -> Iterator[Json]:
    """Everything below the group, each level's management groups first."""
    # A management group also shows subscriptions that the client cannot read; these have no name here.
    names = {each.id.casefold(): each.name for each in estate.subscriptions}
    yield from _below(estate, group, names)


def _below(estate: Estate, group: ManagementGroup, names: dict[str, str]) -> Iterator[Json]:
    children = [each for each in estate.management_groups if each.parent.casefold() == group.id.casefold()]
    for child in children:
        yield _entry(f"{_PREFIX}{child.id}", "Microsoft.Management/managementGroups", child.id, child.name, group)
    for subscription_id in group.subscriptions:
        name = names.get(subscription_id.casefold(), subscription_id)
        yield _entry(f"/subscriptions/{subscription_id}", "/subscriptions", subscription_id, name, group)
    for child in children:
        yield from _below(estate, child, names)


def _entry(entry_id: str, entry_type: str, name: str, display_name: str, parent: ManagementGroup) -> Json:
    return {
        "id": entry_id,
        "type": entry_type,
        "name": name,
        "properties": {"displayName": display_name, "parent": {"id": f"{_PREFIX}{parent.id}"}},
    }
