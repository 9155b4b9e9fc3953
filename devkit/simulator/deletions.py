"""What was asked to be deleted and what became of it, and the key vaults that can still be recovered."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from devkit.simulator.exchange import Reply
from devkit.simulator.model import Json, Resource, ResourceGroup, spelled_in_group
from devkit.simulator.operations import Operation
from devkit.simulator.references import folded

Became = Literal["accepted", "deleted", "kept", "failed", "refused", "missing", "running"]

_RECOVERABLE = timedelta(days=90)


class Deletion(Struct, kw_only=True):
    """One DELETE: the id as it was asked for, when (UTC), and what became of it.

    `outcome` is `accepted` as long as it goes on; `kept` means that it succeeded, and the thing is there all the same;
    `running` that another one for the same thing was going on. `code` is that of the error, `removed` are the ids of
    all that is gone because of it.
    """

    id: str
    time: datetime
    outcome: Became = "accepted"
    code: str = ""
    removed: tuple[str, ...] = ()


class Deletions:
    """All of them, in their order; `told` hears of each that has come to an end. Used from different threads."""

    def __init__(self, told: Callable[[Deletion], None] = lambda _: None) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._all: list[Deletion] = []
        self._running: dict[str, tuple[Reply, Operation]] = {}
        self._vaults: dict[str, Json] = {}

    @property
    def all(self) -> list[Deletion]:
        """A copy of all so far."""
        with self._lock:
            return [replace(each) for each in self._all]

    def begin(self, resource_id: str) -> Deletion:
        """Write down that a DELETE has come."""
        record = Deletion(id=resource_id, time=datetime.now(UTC))
        with self._lock:
            self._all.append(record)
        return record

    def end(
        self, record: Deletion, outcome: Became, reason: Reply | None = None, removed: tuple[str, ...] = ()
    ) -> None:
        """Write down what has become of it."""
        with self._lock:
            record.outcome = outcome
            record.code = _code(reason) if reason else ""
            record.removed = removed
        self._told(record)

    def follow(self, resource_id: str, reply: Reply, operation: Operation) -> None:
        """A delete of this goes on; another one is answered like the first (oddity 43)."""
        with self._lock:
            if operation.ended is None:
                self._running[folded(resource_id)] = (reply, operation)

    def forget(self, resource_id: str) -> None:
        """No delete of this goes on any more."""
        with self._lock:
            self._running.pop(folded(resource_id), None)

    def running(self, resource_id: str) -> Reply | None:
        """The answer to the delete of this that goes on; None when none does."""
        with self._lock:
            found = self._running.get(folded(resource_id))
            return found[0] if found and found[1].ended is None else None

    def keep_vault(self, group: ResourceGroup, resource: Resource) -> None:
        """Remember a key vault that is gone: its name stays taken (oddity 49)."""
        if resource.type.casefold() != "microsoft.keyvault/vaults":
            return
        now = datetime.now(UTC)
        subscription = resource.id.split("/")[2]
        location = resource.location if isinstance(resource.location, str) else "global"
        place = f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults"
        shown = {
            "id": f"{place}/{resource.name}",
            "name": resource.name,
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": {
                "vaultId": spelled_in_group(resource, group).id,
                "location": location,
                "tags": resource.tags if isinstance(resource.tags, dict) else {},
                "deletionDate": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                "scheduledPurgeDate": f"{now + _RECOVERABLE:%Y-%m-%dT%H:%M:%SZ}",
            },
        }
        with self._lock:
            self._vaults[folded(str(shown["id"]))] = shown

    def vaults(self, subscription: str) -> list[Json]:
        """The key vaults of a subscription that can still be recovered."""
        start = f"/subscriptions/{subscription}/".casefold()
        with self._lock:
            return [shown for own, shown in self._vaults.items() if own.startswith(start)]


def _code(reply: Reply) -> str:
    try:
        told = msgspec.json.decode(reply.body)
        error = told.get("error") or told.get("Error")
        return str(error.get("code") or error.get("Code") or "")
    except (msgspec.DecodeError, AttributeError):
        return ""
