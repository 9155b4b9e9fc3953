"""How a delete ends that a fault tells how to."""

import math
import re

import msgspec
from msgspec import Struct

from devkit.simulator import errors
from devkit.simulator.exchange import Reply
from devkit.simulator.faults import Fault
from devkit.simulator.model import ResourceGroup
from devkit.simulator.references import folded
from devkit.simulator.refusals import Refused

ODD_WORDS = ("Enqueued", "Dequeued", "Running, Progress = 5.00 %", "deletingResources")
_FOREVER = 10.0**9
_LONGEST_WAIT = 15


class Ending(Struct, frozen=True):
    """The end of one delete; without a fault it is the usual one, after `usual` seconds."""

    usual: float = 0
    fault: Fault = Fault(kind="slow-delete")
    scripted: bool = False

    def is_(self, kind: str) -> bool:
        """Whether it is that kind of end."""
        return self.scripted and self.fault.kind == f"{kind}-delete"

    @property
    def seconds(self) -> float:
        """After how many seconds the operation has ended."""
        if self.is_("endless"):
            return _FOREVER
        return self.fault.delay if self.fault.delay and not self.stays else self.usual

    @property
    def wait(self) -> str:
        """What a client is told to wait."""
        return str(math.ceil(min(self.seconds, _LONGEST_WAIT)))

    @property
    def stays(self) -> bool:
        """Whether the thing is there although its delete has succeeded."""
        return self.is_("kept")

    @property
    def fails(self) -> bool:
        """Whether it fails, and not because of a lock."""
        return self.is_("failed") or self.is_("timeout")

    def check(self, address: str) -> None:
        """Let nothing begin where that is the script; another operation is polled at `address`.

        Raises:
            Refused: another one is in progress, or something is nested in the thing.
        """
        if self.is_("busy"):
            raise Refused(errors.busy(address))
        if self.is_("nested"):
            raise Refused(errors.nested_first())

    def failure(self, own: str) -> Reply | None:
        """What the operation for the thing of that id ends with; None where it succeeds."""
        if self.is_("locked"):
            # The scope that is locked is only named in the sentence, and in another case (oddity 35).
            upper = re.sub("/resourceGroups/", "/resourcegroups/", own.partition("/providers/")[0])
            return errors.scope_locked(own, "delete", [upper])
        if not self.fails:
            return None
        if self.fault.body is not None:
            return Reply(status=self.fault.status or 409, body=msgspec.json.encode(self.fault.body))
        return errors.changed_meanwhile(own.rpartition("/")[2])

    def left(self, group: ResourceGroup) -> list[str] | None:
        """What of a group stays, by folded id: the second half of it where it fails; None where nothing is scripted."""
        if not self.fails:
            return None
        return [folded(each.id) for each in group.resources[len(group.resources) // 2 :]]
