"""What a resource's own provider tells of it: how it is, what it refers to, and what uses it."""

import copy
from itertools import chain

from msgspec import UNSET

from devkit.simulator.drawn import drawn, plain
from devkit.simulator.model import Json, Resource, ResourceGroup, Subscription
from devkit.simulator.references import References, folded, named, type_of, whole

_KEPT = 64


class Definitions:
    """The properties of the resources of one subscription, in one state; worked out when they are asked for."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._given: References | None = None
        self._drawn: dict[str, tuple[dict[str, Json], References]] = {}

    def properties(self, resource: Resource, group: ResourceGroup) -> Json:
        """All that is told under `properties`."""
        properties = copy.deepcopy(self._own(resource, group))
        state = resource.provisioning_state
        if state is not UNSET and (state == "Deleting" or "provisioningState" not in properties):
            properties = {"provisioningState": state} | properties
            properties["provisioningState"] = state
        kind = resource.type.casefold()
        users = self.users(resource.id, group)
        if kind in _USED:
            _USED[kind](properties, users)
        if kind == "microsoft.network/virtualnetworks":
            self._tell_parts(properties, resource, group, "subnets", "ipConfigurations")
        elif kind == "microsoft.network/loadbalancers":
            self._tell_parts(properties, resource, group, "backendAddressPools", "backendIPConfigurations")
        return properties

    def users(self, resource_id: str, group: ResourceGroup) -> list[str]:
        """The ids of what refers to a resource of that group, or to a part of it."""
        return [*self._all_given().users(resource_id), *self._of_group(group)[1].users(resource_id)]

    def users_of_parts(self, resource_id: str, group: ResourceGroup) -> list[tuple[str, str]]:
        """The ids of parts of a resource that others refer to, folded, each with the id of such another."""
        return [
            *self._all_given().users_below(resource_id),
            *self._of_group(group)[1].users_below(resource_id),
        ]

    def _own(self, resource: Resource, group: ResourceGroup) -> Json:
        if isinstance(resource.properties, dict):
            return plain(resource) | resource.properties
        return self._of_group(group)[0].get(folded(resource.id), {})

    def _all_given(self) -> References:
        if self._given is None:
            self._given = References(
                pair
                for group in self._subscription.resource_groups
                for resource in group.resources
                if isinstance(resource.properties, dict)
                for pair in named(resource.id, resource.properties)
            )
        return self._given

    def _of_group(self, group: ResourceGroup) -> tuple[dict[str, Json], References]:
        # Several threads may come here; they work the same thing out twice rather than wait.
        kept = self._drawn.get(group.name.casefold())
        if kept is None:
            found = drawn(group)
            pairs = chain.from_iterable(named(own, properties) for own, properties in found.items())
            kept = ({folded(own): properties for own, properties in found.items()}, References(pairs))
            if len(self._drawn) >= _KEPT:
                self._drawn.clear()
            self._drawn[group.name.casefold()] = kept
        return kept

    def _tell_parts(self, properties: Json, resource: Resource, group: ResourceGroup, parts: str, told: str) -> None:
        users = self.users_of_parts(resource.id, group)
        for part in properties.get(parts, ()):
            using = [user for used, user in users if used == folded(part.get("id", "")) and user != whole(user)]
            if using:
                part.setdefault("properties", {}).setdefault(told, _ids(using))


def _ids(users: list[str]) -> list[Json]:
    return [{"id": each} for each in users]


def _of(users: list[str], *types: str) -> list[str]:
    return [each for each in users if type_of(each) in types]


def _network_interface(properties: Json, users: list[str]) -> None:
    for key, kind in (
        ("virtualMachine", "microsoft.compute/virtualmachines"),
        ("privateEndpoint", "microsoft.network/privateendpoints"),
    ):
        for user in _of(users, kind)[:1]:
            properties.setdefault(key, {"id": whole(user)})


def _security_group(properties: Json, users: list[str]) -> None:
    # Without users the keys are absent, not empty (oddity 31).
    if using := _of(users, "microsoft.network/networkinterfaces"):
        properties.setdefault("networkInterfaces", _ids([whole(each) for each in using]))
    _in_subnets(properties, users)


def _in_subnets(properties: Json, users: list[str]) -> None:
    if using := _of(users, "microsoft.network/virtualnetworks"):
        properties.setdefault("subnets", _ids(using))


def _public_address(properties: Json, users: list[str]) -> None:
    for user in users[:1]:
        gateway = type_of(user) == "microsoft.network/natgateways"
        properties.setdefault("natGateway" if gateway else "ipConfiguration", {"id": user})


def _plan(properties: Json, users: list[str]) -> None:
    properties.setdefault("numberOfSites", len(_of(users, "microsoft.web/sites")))


def _availability_set(properties: Json, users: list[str]) -> None:
    # Azure shows them with the group in capitals (oddity 10).
    machines = _of(users, "microsoft.compute/virtualmachines")
    properties.setdefault("virtualMachines", _ids(machines))


_USED = {
    "microsoft.network/networkinterfaces": _network_interface,
    "microsoft.network/networksecuritygroups": _security_group,
    "microsoft.network/routetables": _in_subnets,
    "microsoft.network/natgateways": _in_subnets,
    "microsoft.network/publicipaddresses": _public_address,
    "microsoft.web/serverfarms": _plan,
    "microsoft.compute/availabilitysets": _availability_set,
}
