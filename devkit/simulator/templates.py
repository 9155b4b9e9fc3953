"""Templates of resource groups, exported at once or a little later (oddity 50)."""

import re

import msgspec
from msgspec import Struct

from devkit.simulator import errors
from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.holdings import Holdings
from devkit.simulator.model import Json, Resource, ResourceGroup
from devkit.simulator.operations import Operation, Operations, job_name
from devkit.simulator.references import folded
from devkit.simulator.refusals import Refused
from devkit.simulator.routes import Route
from devkit.simulator.state import State

MOST_AT_ONCE = 5
"""How many resources a template has that is answered at once."""
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_ONLY_READ = ("provisioningState", "resourceGuid", "uniqueId", "timeCreated", "diskState", "numberOfSites")


class _Wish(Struct):
    resources: tuple[str, ...] = ("*",)
    options: str = ""


class Templates:
    """Exports resource groups; what is not answered at once takes `seconds`."""

    def __init__(self, state: State, operations: Operations, seconds: float = 0) -> None:
        self._state = state
        self._operations = operations
        self._seconds = seconds

    def export(self, present: Holdings, call: Call, route: Route) -> Reply:
        """Answer a wish for a template.

        Raises:
            Refused: there is no such group, or the body is no such wish.
        """
        group = present.group(route.group)
        if group is None:
            raise Refused(errors.group_not_found(route.group))
        try:
            wish = msgspec.json.decode(call.body or b"{}", type=_Wish)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refused(errors.invalid_content(str(error))) from error
        wanted = {folded(each) for each in wish.resources}
        chosen = [each for each in group.resources if "*" in wanted or folded(each.id) in wanted]
        answer = json_reply({"template": _template(present, group, chosen)})
        if len(chosen) <= MOST_AT_ONCE:
            return answer
        job = job_name("ExportTemplateJob", group.name, re.sub(r"\s", "", group.location.casefold()))
        operation = Operation(job, "0")

        def finish(now: Holdings) -> Holdings:
            operation.ended = answer
            return now

        self._operations.start(route.subscription, operation)
        self._state.later(route.subscription, self._seconds, finish)
        path = f"/subscriptions/{present.subscription.id}/operationresults/{job}"
        location = self._operations.address(operation, path, f"api-version={call.query['api-version']}")
        return Reply(status=202, headers=operation.told | {"Location": location})


def half(reply: Reply) -> Reply:
    """The template with half of its resources, and an error beside it."""
    if reply.status != 200:
        return reply
    document = msgspec.json.decode(reply.body)
    resources = document["template"]["resources"]
    left = resources[len(resources) // 2 :]
    del resources[len(resources) // 2 :]
    details = [
        {
            "code": "ExportTemplateProviderError",
            "message": "Could not get resources of the type.",
            "target": each["type"],
        }
        for each in left
    ]
    message = f"Export template operation completed with errors. Some resources were not exported: {len(left)}."
    error = {"code": "ExportTemplateCompletedWithErrors", "message": message, "details": details}
    return json_reply(document | {"error": error})


def _template(present: Holdings, group: ResourceGroup, chosen: list[Resource]) -> Json:
    return {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {},
        "variables": {},
        "resources": [_exported(present, group, each) for each in chosen],
    }


def _exported(present: Holdings, group: ResourceGroup, resource: Resource) -> Json:
    told = present.definitions.properties(resource, group)
    shown: Json = {"type": resource.type, "apiVersion": "2024-03-01", "name": resource.name}
    known: Json = msgspec.to_builtins(resource)
    shown |= {key: known[key] for key in ("location", "tags", "sku", "kind", "identity", "zones") if known.get(key)}
    return shown | {"properties": {key: value for key, value in told.items() if key not in _ONLY_READ}}
