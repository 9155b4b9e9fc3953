"""Which operation of Resource Manager a path names."""

import re

from msgspec import Struct

from devkit.simulator.faults import RouteName


class Route(Struct, frozen=True):
    """An operation and what its path names; the id and the name are as the client spelled them."""

    name: RouteName
    subscription: str = ""
    group: str = ""


_SUBSCRIPTION = r"/subscriptions/(?P<subscription>[^/]+)"
_GROUP = rf"{_SUBSCRIPTION}/resourcegroups/(?P<group>[^/]+)"
_PATTERNS: dict[RouteName, str] = {
    "subscriptions": r"/subscriptions",
    "subscription": _SUBSCRIPTION,
    "resource-groups": rf"{_SUBSCRIPTION}/resourcegroups",
    "resource-group": _GROUP,
    "resources": rf"{_SUBSCRIPTION}/resources",
    "group-resources": rf"{_GROUP}/resources",
    "unknown": rf"{_SUBSCRIPTION}/.+",
}


def route(path: str) -> Route:
    """The route of a decoded path; segments are compared without case, as Azure does."""
    for name, pattern in _PATTERNS.items():
        if found := re.fullmatch(f"{pattern}/?", path, re.IGNORECASE):
            return Route(name, **found.groupdict())
    return Route("unknown")
