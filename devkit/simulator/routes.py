"""Which operation of Resource Manager, or of Log Analytics, a path names."""

import re

from msgspec import Struct

from devkit.simulator.faults import RouteName


class Route(Struct, frozen=True):
    """An operation and what its path names; the id and the name are as the client spelled them."""

    name: RouteName
    subscription: str = ""
    group: str = ""
    scope: str = ""
    """The id of the thing that is asked about, for routes that exist at any scope."""
    name_in_scope: str = ""


_SUBSCRIPTION = r"/subscriptions/(?P<subscription>[^/]+)"
_GROUP = rf"{_SUBSCRIPTION}/resourcegroups/(?P<group>[^/]+)"
_SCOPE = rf"(?P<scope>{_SUBSCRIPTION}(/resourcegroups/(?P<group>[^/]+))?(/providers/.+)?)"
_IN_GROUP = rf"{_SUBSCRIPTION}(/resourcegroups/(?P<group>[^/]+))?"
_AT_LOCATION = r"/providers/[^/]+(/locations/[^/]+)?"
_VAULTS = rf"{_SUBSCRIPTION}/providers/microsoft\.keyvault"
_LOCKS = r"/providers/microsoft\.authorization/locks"
_PATTERNS: dict[RouteName, str] = {
    "subscriptions": r"/subscriptions",
    "subscription": _SUBSCRIPTION,
    "resource-groups": rf"{_SUBSCRIPTION}/resourcegroups",
    "resource-group": _GROUP,
    "resources": rf"{_SUBSCRIPTION}/resources",
    "group-resources": rf"{_GROUP}/resources",
    "locks": rf"{_SCOPE}{_LOCKS}",
    "lock": rf"{_SCOPE}{_LOCKS}/(?P<name_in_scope>[^/]+)",
    "providers": rf"{_SUBSCRIPTION}/providers",
    "provider": rf"{_SUBSCRIPTION}/providers/(?P<name_in_scope>[^/]+)",
    "tags": rf"{_SCOPE}/providers/microsoft\.resources/tags/default",
    "operation": rf"{_SUBSCRIPTION}{_AT_LOCATION}"
    r"/(operations|operationsstatus|diskoperations|[a-z]*azureasyncoperation)/(?P<name_in_scope>[^/]+)",
    "operation-result": rf"{_SUBSCRIPTION}({_AT_LOCATION})?/[a-z]*operationresults/(?P<name_in_scope>[^/]+)",
    "deny-assignments": rf"{_SCOPE}/providers/microsoft\.authorization/denyassignments",
    "permissions": rf"{_SCOPE}/providers/microsoft\.authorization/permissions",
    "deployment-stacks": rf"{_IN_GROUP}/providers/microsoft\.resources/deploymentstacks",
    "deployments": rf"{_IN_GROUP}/providers/microsoft\.resources/deployments",
    "deleted-vaults": rf"{_VAULTS}/deletedvaults",
    "deleted-vault": rf"{_VAULTS}/locations/[^/]+/deletedvaults/(?P<name_in_scope>[^/]+)",
    "export-template": rf"{_GROUP}/exporttemplate",
    "resource": rf"(?P<scope>{_GROUP}(/providers/[^/]+(/[^/]+/[^/]+)+)+)",
    "children": rf"(?P<scope>{_GROUP}(/providers/[^/]+(/[^/]+/[^/]+)+)+)/(?P<name_in_scope>[^/]+)",
    "resource-graph": r"/providers/microsoft\.resourcegraph/resources",
    "logs": rf"/v1(/workspaces/(?P<name_in_scope>[^/]+)|{_SCOPE})/query",
    "management-group-descendants": r"(?P<scope>/providers/microsoft\.management/managementgroups"
    r"/(?P<name_in_scope>[^/]+))/descendants",
    "unknown": rf"{_SUBSCRIPTION}/.+",
}


def route(path: str) -> Route:
    """The route of a decoded path; segments are compared without case, as Azure does."""
    for name, pattern in _PATTERNS.items():
        if found := re.fullmatch(f"{pattern}/?", path, re.IGNORECASE):
            return Route(name, **found.groupdict(""))
    return Route("unknown")
