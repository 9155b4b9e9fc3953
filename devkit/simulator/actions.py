"""The action that Azure asks a role for, and the scope it asks at: both are made of a call's method and path.

learn.microsoft.com/azure/role-based-access-control/role-definitions
"""

import re
from functools import lru_cache

_KEPT = 4096
VERBS = {"GET": "read", "HEAD": "read", "PATCH": "write", "PUT": "write", "DELETE": "delete", "POST": "action"}
QUESTIONS = {
    "microsoft.resourcegraph/resources/action": "Microsoft.ResourceGraph/resources/read",
}
"""A POST that is a question: learn.microsoft.com/azure/role-based-access-control/resource-provider-operations."""
MAPPED = {
    "microsoft.resources/subscriptions/resourcegroups/exporttemplate/action": (
        "Microsoft.Resources/subscriptions/resourceGroups/read"
    )
}
"""Where Azure's provider asks for another action than the path says, which is not among those a role may have."""


@lru_cache(_KEPT)
def action_of(method: str, path: str) -> str:
    """The action that Azure Resource Manager makes of a call."""
    path = path.partition("?")[0].strip("/")
    if path.startswith("v1/"):
        of_workspace = path.startswith("v1/workspaces/")
        return "Microsoft.OperationalInsights/workspaces/query/read" if of_workspace else "Microsoft.Insights/logs/read"
    _, found, behind = _provider(path)
    if found and "/" in behind:
        kind, _, behind = behind.partition("/")
    else:  # no provider's: a subscription, a group, or what either has
        kind = "Microsoft.Resources"
        behind = re.sub("(?i)^(subscriptions/[^/]+/)resourcegroups", r"\1resourceGroups", path)
    # Types and names take turns; what a POST asks for stands where the next type would.
    action = "/".join([kind, *behind.split("/")[::2], VERBS.get(method, "action")])
    return QUESTIONS.get(action.casefold(), action)


def table_action(action: str, table: str) -> str:
    """The action that a query of Log Analytics takes besides, for each table it reads."""
    return f"{action.removesuffix('read')}{table}/read"


def asked_for(action: str) -> str:
    """The action that a role must have for it."""
    return MAPPED.get(action.casefold(), action)


@lru_cache(_KEPT)
def scope_of(path: str) -> str:
    """The scope a call is about: of a list, what it is a list of; of a question, what is asked."""
    path = path.partition("?")[0].rstrip("/")
    above, found, behind = _provider(path)
    if not found or "/" not in behind:
        named = re.match("(?i)/subscriptions/[^/]+(/resourcegroups/[^/]+)?", path)
        return named[0] if named else "/"
    if len(behind.split("/")) % 2:
        return path
    # A type without a name: all of that type, at what stands before it.
    return path.rpartition("/")[0] if behind.count("/") > 1 else above.rstrip("/") or "/"


def _provider(path: str) -> tuple[str, str, str]:
    found = list(re.finditer("(?i)(?:^|/)providers(?:/|$)", path))
    if not found:
        return path, "", ""
    return path[: found[-1].start()], "providers", path[found[-1].end() :]
