"""How each provider deletes: at once, or accepted with addresses to poll, as recorded (oddities 42, 43 and 47)."""

from msgspec import Struct

from devkit.simulator.model import Json


class Manner(Struct, frozen=True, kw_only=True):
    """How a delete is answered and followed.

    `status` is that of the answer: 200 and 204 mean done. For 202, `asked` and `result` are the last words of the
    paths to poll, "" where there is no such header; `monitored` means one path for both, told apart by the query.
    `ends` is the status of the result, `body` that of the 202.
    """

    status: int = 202
    asked: str = "operations"
    result: str = "operationResults"
    monitored: bool = False
    ends: int = 204
    body: Json | None = None
    words: tuple[str, ...] = ("InProgress",)
    beside: Json | None = None
    lost: bool = False


AT_ONCE = Manner(status=200)
POLLED = Manner()
_COMPUTE = Manner(monitored=True, ends=200)
_DISKS = Manner(asked="DiskOperations", monitored=True, ends=200)
_NOT_LATEST = {
    "code": "NotLatestOperation",
    "message": "Cannot proceed with the operation: another one came before it, or its state could not be saved.",
}
_MANNERS: dict[str, Manner] = {
    "microsoft.compute/disks": _DISKS,
    "microsoft.compute/snapshots": _DISKS,
    "microsoft.compute/availabilitysets": AT_ONCE,
    "microsoft.compute/": _COMPUTE,
    "microsoft.network/": POLLED,
    "microsoft.sql/servers/databases": AT_ONCE,
    "microsoft.sql/": Manner(
        asked="serverAzureAsyncOperation",
        result="serverOperationResults",
        ends=200,
        body={"operation": "DropLogicalServer", "startTime": "2026-11-02T08:00:00.357Z"},
    ),
    "microsoft.documentdb/": Manner(
        asked="operationsStatus", body={"status": "Enqueued"}, words=("Enqueued", "Dequeued"), lost=True
    ),
    "microsoft.containerservice/": Manner(beside=_NOT_LATEST),
    "microsoft.cdn/": Manner(beside={"code": "None", "message": None}),
    "microsoft.app/": Manner(asked="", ends=200),
    "microsoft.netapp/": Manner(ends=200),
}
_TELLS_MISSING = ("microsoft.web/", "microsoft.insights/", "microsoft.sql/")


def manner_of(resource_type: str) -> Manner:
    """How the provider of that type deletes; what is not known here is deleted at once."""
    kind = resource_type.casefold()
    return next((manner for prefix, manner in _MANNERS.items() if kind.startswith(prefix)), AT_ONCE)


def tells_missing(resource_type: str) -> bool:
    """Whether deleting what is not there is answered 404, and not 204."""
    return resource_type.casefold().startswith(_TELLS_MISSING)
