"""One delete of one resource group, from its first check to its end."""

import re

from msgspec.structs import replace

from devkit.simulator import errors
from devkit.simulator.deletions import Deletion, Deletions
from devkit.simulator.endings import Ending
from devkit.simulator.exchange import Call, Reply
from devkit.simulator.holdings import Holdings
from devkit.simulator.model import ResourceGroup
from devkit.simulator.operations import Operation, Operations, job_name
from devkit.simulator.references import folded
from devkit.simulator.refusals import Refused, check_access
from devkit.simulator.removal import without_group

_ACTION = "Microsoft.Resources/subscriptions/resourceGroups/delete"


class GroupDelete:
    """The steps of one delete; `begin`, `finish` and `vanish` make the next state of a present one."""

    def __init__(self, group: ResourceGroup, call: Call, ending: Ending, record: Deletion) -> None:
        self._name = group.name
        self._own = group.id
        self._version = call.query["api-version"]
        self._ending = ending
        self._record = record
        place = re.sub(r"\s", "", group.location.casefold())
        # There is a Location only, and another one at each answer (oddity 39).
        self.operation = Operation(job_name("RESOURCEGROUPDELETIONJOB", group.name, place), ending.wait, signed=True)

    def begin(self, now: Holdings) -> Holdings:
        """Check that it can go; then it is going.

        Raises:
            Refused: it cannot.
        """
        group = now.group(self._name)
        if group is None:
            raise Refused(errors.group_not_found(self._name))
        check_access(now.subscription, group.id, _ACTION)
        self._ending.check(group.id)
        return (
            now if self._ending.stays else now.with_groups({group.name: replace(group, provisioning_state="Deleting")})
        )

    def finish(self, now: Holdings, deletions: Deletions) -> Holdings:
        """What is there when the operation has ended."""
        deletions.forget(self._own)
        group = now.group(self._name)
        self.operation.ended = Reply()
        if group is None:
            deletions.end(self._record, "deleted")
            return now
        if self._ending.stays:
            deletions.end(self._record, "kept")
            return now
        if self._ending.is_("locked"):
            self.operation.ended = self._ending.failure(self._own)
            deletions.end(self._record, "failed", self.operation.ended)
            return now.with_groups({group.name: replace(group, provisioning_state="Succeeded")})
        return self._gone(now, group, deletions)

    def vanish(self, now: Holdings, deletions: Deletions) -> Holdings:
        """What was there although its delete had succeeded goes."""
        group = now.group(self._name)
        return self._gone(now, group, deletions) if group else now

    def _gone(self, now: Holdings, group: ResourceGroup, deletions: Deletions) -> Holdings:
        changed, removed, left = without_group(now, group, self._ending.left(group))
        gone = {folded(each) for each in removed}
        for each in group.resources:
            if folded(each.id) in gone:
                deletions.keep_vault(group, each)
        if not left and not self._ending.fails:
            deletions.end(self._record, "deleted", removed=removed)
            return changed
        reasons = [(each, why or self._reason(each)) for each, why in left]
        self.operation.ended = errors.not_deleted(group.name, reasons, late=self._ending.is_("timeout"))
        deletions.end(self._record, "failed", self.operation.ended, removed)
        return changed

    def _reason(self, resource_id: str) -> Reply:
        return self._ending.failure(resource_id) or errors.changed_meanwhile(resource_id)

    def accepted(self, operations: Operations) -> Reply:
        """The answer: where to ask."""
        path = f"/subscriptions/{self._own.split('/')[2]}/operationresults/{self.operation.name}"
        location = operations.address(self.operation, path, f"api-version={self._version}")
        return Reply(status=202, headers=self.operation.told | {"Location": location})
