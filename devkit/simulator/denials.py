"""Deny assignments as they are listed."""

from collections.abc import Iterator

from devkit.simulator.locks import covers
from devkit.simulator.model import Json, Subscription


def denials(subscription: Subscription, scope: str) -> Iterator[Json]:
    """Those at a scope, above it and below it."""
    for each in subscription.deny_assignments:
        if not covers(scope, each.scope) and not covers(each.scope, scope):
            continue
        yield {
            "properties": {
                "denyAssignmentName": each.name,
                "description": "",
                "permissions": [
                    {"actions": list(each.actions), "notActions": [], "dataActions": [], "notDataActions": []}
                ],
                "scope": each.scope,
                "doNotApplyToChildScopes": each.spares_children,
                "principals": [
                    {"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined", "displayName": "Everyone"}
                ],
                "excludePrincipals": [],
                "isSystemProtected": True,
            },
            "id": f"{each.scope}/providers/Microsoft.Authorization/denyAssignments/{each.id}",
            "type": "Microsoft.Authorization/denyAssignments",
            "name": each.id,
        }
