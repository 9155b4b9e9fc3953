"""Resource ids: shown as received, compared without case.

Azure spells one id in several ways, upper-case groups and `resourcegroups` among them, so an id is only ever compared
by its key (https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules).
"""


def key(resource_id: str) -> str:
    """Return the form in which two spellings of one id are equal."""
    return resource_id.casefold().rstrip("/")


def group_key(resource_id: str) -> str | None:
    """Return the key of the resource group that `resource_id` is in, or is; None for ids outside any group."""
    parts = key(resource_id).split("/")
    if len(parts) < 5 or parts[0] or parts[1] != "subscriptions" or parts[3] != "resourcegroups" or not parts[4]:
        return None
    return "/".join(parts[:5])
