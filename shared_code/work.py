"""What a job is given to do its work, and what it gives back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from shared_code.locks import Locks
from shared_code.model import Verdict
from shared_code.ports import Activity, Clock, Estate, Inventory, Remover, RequestLog, TagWriter
from shared_code.run_records import RunRecords, folder
from shared_code.runs import Progress, Run, RunStatus
from shared_code.settings import Configuration
from shared_code.stop import Stop
from shared_code.store import Store


class Interrupted(Exception):  # not an error: it unwinds a job that is told to stop
    """Raised by `Work.checkpoint`; a job lets it through."""


class Cancelled(Interrupted):
    """Somebody cancelled the run."""


class OutOfTime(Interrupted):
    """The run continues in a new message."""


@dataclass(frozen=True)
class Work:
    """One attempt at a run, from the job's point of view."""

    run: Run
    configuration: Configuration
    estate: Estate
    activity: Activity
    request_log: RequestLog
    writer: TagWriter
    remover: Remover
    inventory: Inventory
    store: Store
    records: RunRecords
    locks: Locks
    clock: Clock
    sleep: Callable[[float], None]
    stop: Stop
    may_write: Callable[[], None]
    """Raises Fenced where too little of the run's lock remains for a write to Azure."""
    progress: Callable[[Progress], None]
    """Tell how far the job is."""
    checkpoint: Callable[[], None]
    """To be called often: raises Interrupted or Fenced where the job has to stop."""
    heartbeat: Callable[[], bool]
    """Tell the monitor outside that all is well; False if it could not be told."""
    requeue: Callable[[Iterable[str]], None]
    """Give other runs a message when this attempt is over, however it ends."""

    def write(self, name: str, content: Iterable[bytes]) -> None:
        """Write one of the run's outputs in pieces.

        Args:
            name: as in `outputs`.
            content: the pieces.

        Raises:
            StoreError: the store cannot be written.
            Interrupted, Fenced: from the checkpoint.
        """
        self.checkpoint()
        self.keep(name, content)

    def keep(self, name: str, content: Iterable[bytes]) -> None:
        """Write one of the run's outputs in pieces, even where somebody has cancelled the run meanwhile.

        Args:
            name: as in `outputs`.
            content: the pieces.

        Raises:
            StoreError: the store cannot be written.
        """
        with self.store.writer(f"{folder(self.run.id)}/{name}") as output:
            for piece in content:
                output.write(piece)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a job has to say at its end."""

    status: RunStatus
    error: str | None = None
    counts: dict[str, int] = {}
    verdicts: tuple[Verdict, ...] = ()
    plan: str | None = None
    """The id of the plan it has made."""
    outputs: tuple[str, ...] = ()
    """Names of the objects it left in the run's folder."""


class Job(Protocol):
    """A kind of work."""

    def __call__(self, work: Work, /) -> Summary:
        """Perform it; an error of ours fails the run with its text."""
        ...
