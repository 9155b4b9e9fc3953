"""Subscriptions, groups and resources as an answer shows them: what is expanded, and what a version knows."""

from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from devkit.simulator.exchange import Call
from devkit.simulator.model import Json, Resource, ResourceGroup, Subscription, spelled_in_group

_EXPANDED = {"createdtime": "created_time", "changedtime": "changed_time", "provisioningstate": "provisioning_state"}
_OWN = ("managed_by_extended", "properties")
"""What only the resource's own provider shows."""
# Recorded groups have a `type` from 2019-10-01 on, and none up to this version (oddity 18).
_LAST_VERSION_WITHOUT_TYPE = "2018-05-01"
# Recorded subscriptions have tenantId, managedByTenants and the list a count from this version on (oddity 65).
FIRST_VERSION_WITH_TENANTS = "2019-06-01"


class InvalidParameter(ValueError):
    """A query parameter that cannot be understood."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"{name}={value}")
        self.name = name
        self.value = value


def shown_subscription(subscription: Subscription, call: Call) -> Json:
    """The subscription, alone or in the list."""
    tenants = call.query["api-version"] >= FIRST_VERSION_WITH_TENANTS
    return _present(
        id=f"/subscriptions/{subscription.id}",
        authorizationSource=subscription.authorization_source,
        managedByTenants=subscription.managed_by_tenants if tenants else UNSET,
        subscriptionId=subscription.id,
        tenantId=subscription.tenant_id if tenants else UNSET,
        displayName=subscription.name,
        state=subscription.state,
        subscriptionPolicies=subscription.policies,
        tags=subscription.tags or UNSET,
    )


def shown_group(group: ResourceGroup, call: Call) -> Json:
    """The resource group, alone or in the list; its times only when they are expanded."""
    expanded = _expanded(call)
    typed = call.query["api-version"][:10] > _LAST_VERSION_WITHOUT_TYPE
    return _present(
        id=group.id,
        name=group.name,
        type="Microsoft.Resources/resourceGroups" if typed else UNSET,
        location=group.location,
        managedBy=group.managed_by,
        createdTime=group.created_time if "created_time" in expanded else UNSET,
        changedTime=group.changed_time if "changed_time" in expanded else UNSET,
        tags=group.tags,
        properties={"provisioningState": group.provisioning_state},
    )


def hidden_fields(call: Call, *, by_tag: bool) -> dict[str, Any]:
    """What a list does not show: times and state unless expanded, and neither they nor tags in a list by tag."""
    expanded = set() if by_tag else _expanded(call)
    hidden: dict[str, Any] = {field: UNSET for field in _EXPANDED.values() if field not in expanded}
    hidden |= dict.fromkeys(_OWN, UNSET)
    if by_tag:
        hidden["tags"] = UNSET
    return hidden


def one_resource(resource: Resource, group: ResourceGroup, properties: Json) -> Json:
    """The resource as its own provider answers: with properties, and without what only lists show."""
    # A list names a child "parent/child", the child's own provider only "child" (oddity 14).
    name = resource.name.rpartition("/")[2]
    hidden = dict.fromkeys(_EXPANDED.values(), UNSET)
    answer: Json = msgspec.to_builtins(replace(spelled_in_group(resource, group), name=name, **hidden))
    return answer | {"properties": properties}


def _present(**fields: Any) -> Json:
    return {key: value for key, value in fields.items() if value is not UNSET}


def _expanded(call: Call) -> set[str]:
    text = call.query.get("$expand", "")
    names = [name.strip().casefold() for name in text.split(",") if name.strip()]
    if any(name not in _EXPANDED for name in names):
        raise InvalidParameter("$expand", text)
    return {_EXPANDED[name] for name in names}
