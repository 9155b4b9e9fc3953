"""Lists that a resource has of others: the sites of a plan, the databases of a server or a pool, and what is nested."""

from devkit.simulator import errors
from devkit.simulator.holdings import Holdings
from devkit.simulator.model import Json, Resource, ResourceGroup
from devkit.simulator.references import folded, type_of
from devkit.simulator.refusals import Refused
from devkit.simulator.routes import Route
from devkit.simulator.shapes import one_resource


def children(present: Holdings, group: ResourceGroup, route: Route) -> list[Json]:
    """What the resource of a route lists under the name that follows it.

    Raises:
        Refused: there is no such resource.
    """
    owner = present.resource(route.group, route.scope)
    if owner is None:
        raise Refused(errors.resource_not_found(route.scope, route.group))
    kind, listed = owner.type.casefold(), route.name_in_scope.casefold()
    if (kind, listed) == ("microsoft.web/serverfarms", "sites"):
        return _users(present, group, owner, "microsoft.web/sites")
    if (kind, listed) == ("microsoft.sql/servers/elasticpools", "databases"):
        return _users(present, group, owner, "microsoft.sql/servers")
    above, wanted = f"{folded(owner.id)}/{listed}/", f"{kind}/{listed}"
    nested = (each for each in group.resources if each.type.casefold() == wanted and folded(each.id).startswith(above))
    return [_shown(present, each, group) for each in nested]


def _users(present: Holdings, group: ResourceGroup, owner: Resource, kind: str) -> list[Json]:
    """What refers to the owner, from any group of the subscription."""
    found = []
    for user in present.definitions.users(owner.id, group):
        name = user.split("/")[4]
        around, resource = present.group(name), present.resource(name, user)
        if type_of(user) == kind and around and resource:
            found.append(_shown(present, resource, around))
    return found


def _shown(present: Holdings, resource: Resource, group: ResourceGroup) -> Json:
    return one_resource(resource, group, present.definitions.properties(resource, group))
