"""Deployment stacks as they are listed."""

from collections.abc import Iterator

from devkit.simulator.model import Json, Subscription


def stacks(subscription: Subscription, group: str) -> Iterator[Json]:
    """Those of a resource group or, with "", of the subscription itself."""
    for each in subscription.stacks:
        if each.group.casefold() != group.casefold():
            continue
        scope = f"/subscriptions/{subscription.id}" + (f"/resourceGroups/{each.group}" if each.group else "")
        kept = [{"id": managed, "status": "managed", "denyStatus": "none"} for managed in each.resources]
        yield {
            "id": f"{scope}/providers/Microsoft.Resources/deploymentStacks/{each.name}",
            "name": each.name,
            "type": "Microsoft.Resources/deploymentStacks",
            "properties": {
                "provisioningState": "succeeded",
                "actionOnUnmanage": {"resources": "detach", "resourceGroups": "detach", "managementGroups": "detach"},
                "denySettings": {"mode": "none"},
                "resources": kept,
                "detachedResources": [],
                "deletedResources": [],
                "failedResources": [],
            },
        }
