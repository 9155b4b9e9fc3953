"""Tags read and written, through the Tags API and by PATCH of the thing itself; at once, or accepted and done later.

Where a write is late, the Tags API answers 202 with two addresses to poll, and the thing itself 200 with one and the
tags as they are to be (oddity 24). No recording shows either; headers and polls are those of other operations.
"""

import math
import re
from collections.abc import Iterator
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType

from devkit.simulator import errors, locks, tagging
from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.holdings import Holdings
from devkit.simulator.model import Tags, spelled_in_group
from devkit.simulator.operations import Operation, Operations, new_name
from devkit.simulator.routes import Route
from devkit.simulator.shapes import one_resource, shown_group
from devkit.simulator.state import State


class Lateness(Struct, frozen=True):
    """After how many seconds an accepted write is done, or has come to nothing."""

    seconds: float
    fails: bool = False


class TagWrites:
    """Reads and writes the tags in a state."""

    def __init__(self, state: State, operations: Operations) -> None:
        self._state = state
        self._operations = operations

    def read(self, present: Holdings, route: Route) -> Reply:
        """The tags at the scope of a route, as the Tags API answers.

        Raises:
            TagsRefused: when there is nothing there.
        """
        return json_reply(tagging.rendered(*_tags_at(present, route)))

    def write(self, present: Holdings, call: Call, route: Route, late: Lateness | None) -> Reply:
        """Write, at once or late.

        Raises:
            TagsRefused: when there is nothing there, a lock forbids it, or the tags are none that Azure takes.
        """
        if late is None:
            return self._shown(self._state.update(route.subscription, lambda now: _step(now, call, route)), call, route)
        to_be = _step(present, call, route)  # What is refused is refused at once.
        scope, _ = _tags_at(present, route)
        operation = Operation(new_name(), str(max(1, math.ceil(late.seconds))))

        def finish(now: Holdings) -> Holdings:
            try:
                if late.fails:
                    raise tagging.TagsRefused(errors.tags_not_changed(scope))
                changed = _step(now, call, route)
            except tagging.TagsRefused as refused:
                operation.ended = refused.reply
                return now
            operation.ended = self._shown(changed, call, route)
            return changed

        self._operations.start(route.subscription, operation)
        self._state.later(route.subscription, late.seconds, finish)
        asked, result = (
            self._operations.address(operation, *place) for place in _places(present, call, route, operation.name)
        )
        polled = {"Azure-AsyncOperation": asked}
        if route.name == "tags":
            return Reply(status=202, headers=polled | {"Location": result} | operation.told)
        reply = self._shown(to_be, call, route)
        return Reply(status=reply.status, body=reply.body, headers=reply.headers | polled)

    def _shown(self, holdings: Holdings, call: Call, route: Route) -> Reply:
        """What a write that is done is answered with."""
        if route.name == "tags":
            return Reply() if call.method == "DELETE" else self.read(holdings, route)
        group = holdings.group(route.group)
        found = holdings.resource(route.group, route.scope)
        if group is None:
            raise AssertionError("what was written is there")
        if found is None:
            return json_reply(shown_group(group, call))
        return json_reply(one_resource(found, group, holdings.definitions.properties(found, group)))


def _step(now: Holdings, call: Call, route: Route) -> Holdings:
    """The state after a write."""
    scope, tags = _tags_at(now, route)
    removes = call.method == "DELETE"
    locked = [lock.scope for lock in locks.locks_upon(now.subscription, scope) if removes or lock.level == "ReadOnly"]
    if locked:
        refusal = errors.scope_locked(route.scope or scope, "delete" if removes else "write", locked)
        raise tagging.TagsRefused(refusal)
    of_api = route.name == "tags"
    result = tagging.written(tags, call.method, call.body) if of_api else tagging.patched(tags, call.body)
    return now.tagged(result, route.group, route.scope if _of_resource(route) else "")


def _tags_at(holdings: Holdings, route: Route) -> tuple[str, Tags]:
    """The id of the thing at the route's scope, as it is spelled, and its tags."""
    group = holdings.group(route.group)
    if route.group and group is None:
        raise tagging.TagsRefused(errors.group_not_found(route.group))
    if _of_resource(route):
        resource = holdings.resource(route.group, route.scope)
        if resource is None or group is None:
            raise tagging.TagsRefused(errors.resource_not_found(route.scope, route.group))
        return spelled_in_group(resource, group).id, _known(resource.tags)
    if group is not None:
        return group.id, _known(group.tags)
    return f"/subscriptions/{holdings.subscription.id}", holdings.subscription.tags


def _known(tags: Tags | UnsetType | None) -> Tags:
    return tags if isinstance(tags, dict) else {}


def _of_resource(route: Route) -> bool:
    return "/providers/" in route.scope.casefold()


def _places(present: Holdings, call: Call, route: Route, name: str) -> Iterator[tuple[str, str]]:
    """Where to ask how an operation goes, and for its result: with its provider, in the location of the thing."""
    group, found = present.group(route.group), present.resource(route.group, route.scope)
    namespace = found.type.partition("/")[0] if found else "Microsoft.Resources"
    location = found.location if found else group.location if group else UNSET
    place = quote(re.sub(r"\s", "", location.casefold())) if isinstance(location, str) else "global"
    start = f"/subscriptions/{present.subscription.id}/providers/{namespace}/locations/{place}"
    for kind in ("operations", "operationResults"):
        yield f"{start}/{kind}/{name}", f"api-version={call.query['api-version']}"
