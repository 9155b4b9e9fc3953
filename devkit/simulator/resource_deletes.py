"""One delete of one resource, from its first check to its end."""

import re
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from devkit.simulator import errors
from devkit.simulator.deletions import Deletion, Deletions
from devkit.simulator.endings import ODD_WORDS, Ending
from devkit.simulator.exchange import JSON_TYPE, Call, Reply
from devkit.simulator.holdings import Holdings
from devkit.simulator.manners import AT_ONCE, POLLED, Manner, manner_of
from devkit.simulator.model import Resource, ResourceGroup, spelled_in_group
from devkit.simulator.operations import Operation, Operations, new_name
from devkit.simulator.references import folded
from devkit.simulator.refusals import Refused, check_access, check_use
from devkit.simulator.removal import without_resource
from devkit.simulator.routes import Route


class ResourceDelete:
    """The steps of one delete; `begin`, `finish` and `vanish` make the next state of a present one."""

    def __init__(
        self, found: Resource, group: ResourceGroup, call: Call, route: Route, ending: Ending, record: Deletion
    ) -> None:
        self._found = found
        self._own = spelled_in_group(found, group).id
        self._route = route
        self._ending = ending
        self._record = record
        self.manner = _manner(found, ending)
        self.operation = _operation(self.manner, ending)
        self._paths = _paths(self.manner, found, call, self._own.split("/")[2], self.operation.name)

    def begin(self, now: Holdings, operations: Operations, deletions: Deletions) -> Holdings:
        """Check that it can go; then it is gone, or going.

        Raises:
            Refused: it cannot.
        """
        group, resource = now.group(self._route.group), now.resource(self._route.group, self._route.scope)
        if group is None or resource is None:
            raise Refused(errors.resource_not_found(self._route.scope, self._route.group))
        check_access(now.subscription, self._own, f"{resource.type}/delete")
        if group.provisioning_state == "Deleting":
            raise Refused(errors.being_deleted(group.name))
        check_use(now, resource, group)
        self._ending.check(operations.address(self.operation, *self._paths[0]))
        if self.manner.status == 202:
            going = replace(resource, provisioning_state="Deleting")
            return now if self._ending.stays else _put(now, group, going)
        return self._gone(now, group, resource, deletions)

    def finish(self, now: Holdings, deletions: Deletions) -> Holdings:
        """What is there when the operation has ended."""
        deletions.forget(self._own)
        group, resource = now.group(self._route.group), now.resource(self._route.group, self._route.scope)
        self.operation.ended = Reply(status=self.manner.ends)
        if group is None or resource is None:
            deletions.end(self._record, "deleted")
            return now
        if reason := self._ending.failure(self._own):
            deletions.end(self._record, "failed", reason)
            self.operation.ended = reason
            return _put(now, group, replace(resource, provisioning_state=self._found.provisioning_state))
        if self._ending.stays:
            deletions.end(self._record, "kept")
            return now
        if self._ending.is_("lost"):
            self.operation.ended = errors.resource_not_found(self._own, group.name)
        return self._gone(now, group, resource, deletions)

    def vanish(self, now: Holdings, deletions: Deletions) -> Holdings:
        """What was there although its delete had succeeded goes."""
        group, resource = now.group(self._route.group), now.resource(self._route.group, self._route.scope)
        return self._gone(now, group, resource, deletions) if group and resource else now

    def _gone(self, now: Holdings, group: ResourceGroup, resource: Resource, deletions: Deletions) -> Holdings:
        changed, removed = without_resource(now, group, resource)
        deletions.keep_vault(group, resource)
        deletions.end(self._record, "deleted", removed=removed)
        return changed

    def accepted(self, operations: Operations) -> Reply:
        """The answer: done, or where to ask."""
        manner = self.manner
        if manner.status != 202:
            return Reply(status=manner.status)
        headers = dict(self.operation.told)
        if manner.asked:
            headers["Azure-AsyncOperation"] = operations.address(self.operation, *self._paths[0])
        if manner.result:
            headers["Location"] = operations.address(self.operation, *self._paths[1])
        if manner.body is None:
            return Reply(status=202, headers=headers)
        return Reply(status=202, body=msgspec.json.encode(manner.body), headers=headers | {"Content-Type": JSON_TYPE})


def _manner(resource: Resource, ending: Ending) -> Manner:
    usual = manner_of(resource.type)
    if not ending.scripted or ending.is_("busy") or ending.is_("nested"):
        return usual
    if ending.is_("quick"):
        return replace(AT_ONCE, status=ending.fault.status or 200)
    return POLLED if usual.status != 202 else usual


def _operation(manner: Manner, ending: Ending) -> Operation:
    odd = ending.is_("odd")
    return Operation(
        new_name(),
        ending.wait,
        words=ODD_WORDS if odd else manner.words,
        last="succeeded" if odd else "Succeeded",
        beside={"code": "None", "message": None} if odd else manner.beside,
        lost=manner.lost or ending.is_("lost"),
        signed=ending.is_("signed"),
        started=datetime.now(UTC).isoformat(),
    )


def _paths(manner: Manner, resource: Resource, call: Call, subscription: str, name: str) -> list[tuple[str, str]]:
    """Paths and queries to poll: for the operation, and for its result."""
    place = quote(re.sub(r"\s", "", resource.location.casefold())) if isinstance(resource.location, str) else "global"
    provider = f"/subscriptions/{subscription}/providers/{resource.type.partition('/')[0]}"
    start = f"{provider}/locations/{place}"
    version = f"api-version={call.query['api-version']}"
    asked = f"{start}/{manner.asked or 'operations'}/{name}"
    if manner.monitored:
        return [(asked, version), (asked, f"monitor=true&{version}")]
    return [(asked, version), (f"{provider if manner.lost else start}/{manner.result}/{name}", version)]


def _put(now: Holdings, group: ResourceGroup, resource: Resource) -> Holdings:
    wanted = folded(resource.id)
    resources = tuple(resource if folded(each.id) == wanted else each for each in group.resources)
    return now.with_groups({group.name: replace(group, resources=resources)})
