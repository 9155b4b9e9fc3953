"""One worker's attempt at a run: keeps the lock and the record alive while the job works."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from shared_code.errors import Changed, Fenced, StoreError
from shared_code.foreign_text import one_line
from shared_code.locks import EXPIRY, RENEW_EVERY, Locks
from shared_code.run_records import Recorded, RunRecords
from shared_code.runs import Progress, Run
from shared_code.work import Cancelled, OutOfTime

log = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds between two looks at progress, lock and cancellation."""

WRITE_ROOM = 60.0
"""Seconds of the lock that must remain before a write to Azure.

A write may wait 30 s for its budget and takes 30 s to connect and 30 s to be answered; a takeover comes 60 s after the
expiry at the earliest.
"""


def elapsed() -> float:
    """Return seconds that only move forward, the time in which a machine sleeps included where the system counts it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Attempt:
    """Beats in a thread of its own; the job asks at its checkpoints whether to go on."""

    def __init__(
        self,
        recorded: Recorded,
        token: str,
        records: RunRecords,
        locks: Locks,
        time_limit: float | None,
        clock: Callable[[], float] = elapsed,
    ) -> None:
        """Prepare an attempt that holds the lock already.

        Args:
            recorded: the record, written as running by this attempt.
            token: of the lock.
            records: where the record is.
            locks: where the lock is.
            time_limit: seconds after which the run goes on in a new message; None for no limit.
            clock: seconds that only move forward, those in which the machine sleeps included.
        """
        self.recorded = recorded
        self._token = token
        self._records = records
        self._locks = locks
        self._clock = clock
        self._started = self._renewed = clock()
        self._time_limit = time_limit
        self._progress: Progress | None = None
        self._cancelled = False
        self._fenced = ""
        self._renewing = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name=f"beat of {self.run.id}", daemon=True)

    @property
    def run(self) -> Run:
        """The run as last recorded."""
        return self.recorded.run

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if self._progress is not None:
            # The last beat may have missed it; it is recorded with the run's end.
            run = msgspec.structs.replace(self.run, progress=self._progress)
            self.recorded = self.recorded._replace(run=run)

    def progress(self, progress: Progress) -> None:
        """Note how far the job is; the next beat records it."""
        self._progress = progress

    def checkpoint(self) -> None:
        """Raise Fenced, Cancelled or OutOfTime where the job has to stop."""
        self.check_fence()
        if self._cancelled:
            raise Cancelled
        if self._time_limit is not None and self._clock() - self._started > self._time_limit:
            raise OutOfTime

    def check_fence(self) -> None:
        """Raise Fenced where this process is no longer the one that may write."""
        if self._clock() - self._renewed > EXPIRY.total_seconds() and not self._fenced:
            self.renew()  # this process was paused, and its beat with it
        if self._fenced:
            raise Fenced(self._fenced)

    def may_write(self) -> None:
        """Return if enough of the lock remains for a write to Azure to end before anybody takes the run over.

        Safe for many threads.

        Raises:
            Fenced: less than WRITE_ROOM remains and the lock cannot be renewed, or it is lost.
            StoreError: the lock cannot be reached.
        """
        if self._remaining() < WRITE_ROOM:
            with self._renewing:
                if self._remaining() < WRITE_ROOM and not self._fenced:
                    self.renew()
        if self._fenced:
            raise Fenced(self._fenced)
        if self._remaining() < WRITE_ROOM:
            raise Fenced(f"run {self.run.id} has too little of its lock left to write to Azure")

    def _remaining(self) -> float:
        return EXPIRY.total_seconds() - (self._clock() - self._renewed)

    def _beat_on(self) -> None:
        while not self._done.wait(BEAT) and not self._fenced:
            self.beat()

    def beat(self) -> None:
        """Renew the lock when it is time, record progress, look for a cancellation."""
        try:
            if self._clock() - self._renewed >= RENEW_EVERY.total_seconds():
                self.renew()
            if self._progress is not None and self._progress != self.run.progress:
                changed = msgspec.structs.replace(self.run, progress=self._progress)
                self.recorded = self._records.change(changed, self.recorded.etag)
            self._cancelled = self._cancelled or self._records.is_cancelled(self.run.id)
        except Changed:
            self._fenced = f"run {self.run.id} was taken over by another process"
        except StoreError as error:
            log.warning("run=%s job=%s the store does not answer: %s", self.run.id, self.run.job, one_line(str(error)))
            if self._clock() - self._renewed > EXPIRY.total_seconds():
                self._fenced = f"run {self.run.id} could not renew its lock in time: {error}"
        except Exception:  # a beat that dies in silence would let two attempts run at once
            log.exception("run=%s job=%s the beat failed", self.run.id, self.run.job)
            self._fenced = f"run {self.run.id} could not keep its lock"

    def renew(self) -> None:
        """Keep the lock for another while, or note that it is lost."""
        begun = self._clock()
        if self._locks.renew(self.run.job, self._token):
            self._renewed = begun
        else:
            self._fenced = f"run {self.run.id} lost its lock to another process"
