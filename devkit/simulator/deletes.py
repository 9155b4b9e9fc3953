"""Deletes of resources and resource groups: refused, done at once, or accepted and ended later, one way or another."""

import re

from devkit.simulator import errors
from devkit.simulator.deletions import Deletion, Deletions
from devkit.simulator.endings import Ending
from devkit.simulator.exchange import Call, Reply
from devkit.simulator.faults import DELETING, Fault
from devkit.simulator.group_deletes import GroupDelete
from devkit.simulator.manners import tells_missing
from devkit.simulator.operations import Operations
from devkit.simulator.refusals import Refused
from devkit.simulator.resource_deletes import ResourceDelete
from devkit.simulator.routes import Route
from devkit.simulator.state import State


class Deletes:
    """Deletes from a state; an accepted delete takes `seconds`, unless a fault says otherwise."""

    def __init__(self, state: State, operations: Operations, deletions: Deletions, seconds: float = 0) -> None:
        self._state = state
        self._operations = operations
        self._deletions = deletions
        self._seconds = seconds

    def delete(self, call: Call, route: Route, fault: Fault | None = None) -> Reply:
        """Answer a DELETE; `fault` may say how it is to end."""
        record = self._deletions.begin(call.path.rstrip("/"))
        scripted = fault is not None and fault.kind in DELETING
        ending = Ending(self._seconds, fault, scripted=True) if fault and scripted else Ending(self._seconds)
        try:
            return self._delete(call, route, ending, record)
        except Refused as refused:
            self._deletions.end(record, "missing" if refused.reply.status == 404 else "refused", refused.reply)
            return refused.reply

    def _delete(self, call: Call, route: Route, ending: Ending, record: Deletion) -> Reply:
        present = self._state.present(route.subscription)
        group = present.group(route.group) if present else None
        if present is None or group is None:
            raise Refused(errors.group_not_found(route.group))
        if running := self._deletions.running(route.scope or group.id):
            self._deletions.end(record, "running")
            return running
        if route.name == "resource-group":
            return self._delete_group(GroupDelete(group, call, ending, record), route, ending, group.id)
        found = present.resource(route.group, route.scope)
        if found is None:
            return self._missing(route, record)
        delete = ResourceDelete(found, group, call, route, ending, record)
        self._state.update(route.subscription, lambda now: delete.begin(now, self._operations, self._deletions))
        reply = delete.accepted(self._operations)
        if reply.status == 202:
            self._deletions.follow(found.id, reply, delete.operation)
            self._follow(delete, route, ending)
        return reply

    def _delete_group(self, delete: GroupDelete, route: Route, ending: Ending, own: str) -> Reply:
        self._state.update(route.subscription, delete.begin)
        reply = delete.accepted(self._operations)
        self._deletions.follow(own, reply, delete.operation)
        self._follow(delete, route, ending)
        return reply

    def _follow(self, delete: ResourceDelete | GroupDelete, route: Route, ending: Ending) -> None:
        """Let an accepted delete end in its time."""
        self._operations.start(route.subscription, delete.operation)
        deletions = self._deletions
        self._state.later(route.subscription, ending.seconds, lambda now: delete.finish(now, deletions))
        if ending.stays and ending.fault.delay:
            after = ending.seconds + ending.fault.delay
            self._state.later(route.subscription, after, lambda now: delete.vanish(now, deletions))

    def _missing(self, route: Route, record: Deletion) -> Reply:
        """What is gone already is 204 with some providers, 404 with others (oddity 43)."""
        if tells_missing(re.sub("(?i)^.*?/providers/", "", route.scope)):
            raise Refused(errors.resource_not_found(route.scope, route.group))
        self._deletions.end(record, "missing")
        return Reply(status=204)
