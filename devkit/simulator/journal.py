"""The request log: one record for each request, in memory and as NDJSON."""

import threading
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from devkit.simulator.deletions import Deletion


class Request(Struct, frozen=True, kw_only=True):
    """One request and its answer. No header is kept, so no token either.

    `time` is when it came (UTC), `path` decoded, `query` as sent, `route` as in faults.py, `fault` the kind of fault
    that hit it ("" for none), `milliseconds` what answering took, a fault's delay included. `status` 0 means the
    connection was reset.
    """

    time: datetime
    method: str
    host: str
    path: str
    query: str
    route: str
    subscription: str
    status: int
    authorised: bool
    fault: str = ""
    milliseconds: float = 0


class Journal:
    """Collects request records; `record` and `requests` may be called from different threads.

    Raises:
        OSError: when the file cannot be opened.
    """

    def __init__(self, file: Path | None) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._file = file.open("ab", buffering=0) if file else None

    @property
    def requests(self) -> list[Request]:
        """A copy of all records so far, in the order they were answered."""
        with self._lock:
            return list(self._requests)

    def record(self, request: Request) -> None:
        """Add one record, and a line of the file at once."""
        with self._lock:
            self._requests.append(request)
            if self._file:
                self._file.write(msgspec.json.encode(request) + b"\n")

    def tell(self, deletion: Deletion) -> None:
        """Add a line to the file about a DELETE that has come to an end: its `deletion` is the id."""
        line = msgspec.to_builtins(deletion)
        with self._lock:
            if self._file:
                self._file.write(msgspec.json.encode({"time": line["time"], "deletion": line.pop("id")} | line) + b"\n")

    def close(self) -> None:
        """Close the file; records stay readable."""
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None
