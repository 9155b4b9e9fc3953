"""The worker: performs a recorded run, once, whoever delivers its message and however often."""

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from shared_code.attempts import Attempt, elapsed
from shared_code.errors import Changed, Damaged, Fenced, Refused, StewardError, StoreError, Unknown
from shared_code.foreign_text import one_line
from shared_code.locks import Lock, Locks
from shared_code.ports import Activity, Clock, Estate, Inventory, Remover, RequestLog, TagWriter
from shared_code.run_records import Recorded, RunRecords
from shared_code.runs import LEFT_BEHIND, Progress, Run, RunStatus, TriggeredBy, job_of
from shared_code.settings import Configuration, Costs
from shared_code.stop import Stop
from shared_code.store import Store
from shared_code.work import Cancelled, Job, OutOfTime, Summary, Work

log = logging.getLogger(__name__)


def _nobody(_: str) -> None:
    """Tell nobody."""


def _uncounted(_: Run) -> None:
    """Count nothing."""


@dataclass(frozen=True)
class Worker:
    """Performs runs.

    `jobs` holds what performs each task of a run. `time_limit` is in seconds, well under the host's functionTimeout;
    None for no limit.
    """

    configuration: Configuration
    jobs: Mapping[str, Job]
    records: RunRecords
    locks: Locks
    estate: Estate
    activity: Activity
    request_log: RequestLog
    writer: TagWriter
    remover: Remover
    inventory: Inventory
    store: Store
    stop: Stop
    clock: Clock
    heartbeat: Callable[[], bool]
    time_limit: float | None = None
    sleep: Callable[[float], None] = time.sleep
    elapsed: Callable[[], float] = elapsed
    tell: Callable[[str], None] = _nobody
    """Tells who has to know of a run, if it has ended; it never raises."""
    count: Callable[[Run], None] = _uncounted
    """Counts a run that has ended; it never raises."""

    def perform(
        self, run_id: str, invocation_id: str | None = None, watch: Callable[[Progress], None] | None = None
    ) -> tuple[str, ...]:
        """Perform the run, unless it has ended or another process is at it.

        Args:
            run_id: from the message.
            invocation_id: the host's, for the record.
            watch: told of progress, besides the record.

        Returns:
            Ids of runs that now need a message: those that waited for this one, or this one again.

        Raises:
            StoreError: the store fails; the message should be delivered again.
        """
        waiting = self._perform(run_id, invocation_id, watch)
        # The record says how it ended, and the lock is free: telling cannot change either. A process that dies before
        # it has told gets the message again, and comes here again.
        self.tell(run_id)
        return waiting

    def _perform(
        self, run_id: str, invocation_id: str | None, watch: Callable[[Progress], None] | None
    ) -> tuple[str, ...]:
        try:
            run = self.records.get(run_id).run
        except Unknown as error:
            text = one_line(str(error))  # no traceback
            log.error("run=%s a message names a run without a record: %s", one_line(run_id, 80), text)
            return self._leave(run_id)
        if run.status.ended:
            self.records.forget_open(run_id)
            return self._left_locked(run)
        token = secrets.token_hex(8)
        lock = self._lock(run, token)
        if lock.token != token:
            log.info("run=%s job=%s waits: run %s holds the lock", run.id, run.job, lock.run)
            return ()
        try:
            again = self._perform_locked(run_id, token, invocation_id, watch)
        except (Fenced, Changed) as error:
            log.error("run=%s job=%s stopped without writing: %s", run.id, run.job, one_line(str(error)))
            # If nobody took it over after all, nobody else will go on with it.
            mine = self.locks.read(run.job).token == token and not self.records.get(run_id).run.status.ended
            again = (run_id,) if mine else ()
        except BaseException:
            self._release_quietly(run, token)
            raise
        return (*self.locks.release(run.job, token), *again)

    def give_up(self, run_id: str, reason: str) -> tuple[str, ...]:
        """End a run whose message was delivered too often without success.

        Returns:
            Ids of runs that waited for it and now need a message.

        Raises:
            StoreError: the store fails.
        """
        waiting = self._give_up(run_id, reason)
        self.tell(run_id)
        return waiting

    def _give_up(self, run_id: str, reason: str) -> tuple[str, ...]:
        try:
            recorded = self.records.get(run_id)
        except Unknown as error:
            text = one_line(str(error))
            log.error("run=%s a poison message names a run without a record: %s", one_line(run_id, 80), text)
            return self._leave(run_id)
        except Damaged as error:
            log.error("run=%s its message is given up, and its record cannot say so: %s", run_id, one_line(str(error)))
            return self._leave(run_id)
        run = recorded.run
        try:
            lock = self.locks.read(run.job)
        except Damaged as error:
            # It may well be the reason. Nobody can hold it, and the record's etag still keeps two writers apart.
            if not run.status.ended:
                self._end(recorded, RunStatus.FAILED, f"{reason} {error}")
            return ()
        if lock.run == run.id and not self.locks.is_abandoned(lock):
            log.warning("run=%s job=%s a poison message, but the run is under way; left alone", run.id, run.job)
            return ()
        if not run.status.ended:
            self._end(recorded, RunStatus.FAILED, reason)
        return self._left_locked(run)

    def _leave(self, run_id: str) -> tuple[str, ...]:
        """Let those behind a run that cannot be performed have their turn."""
        job = job_of(run_id)
        return self.locks.leave(job, run_id) if job is not None and job in self.jobs else ()

    def _left_locked(self, run: Run) -> tuple[str, ...]:
        """Let an ended run wait no longer, nor hold the lock, if its process died right after it ended the run."""
        lock = self.locks.read(run.job)
        if lock.run == run.id and self.locks.is_abandoned(lock):
            self.locks.release(run.job, lock.token)
        return self.locks.leave(run.job, run.id)

    def _lock(self, run: Run, token: str) -> Lock:
        """Take the lock; where an earlier attempt at the same run has it, wait until that is seen alive or is gone."""
        lock = self.locks.acquire(run.job, run.id, token)
        while lock.token != token and lock.run == run.id:
            seen = lock
            self.sleep(1.0)
            lock = self.locks.acquire(run.job, run.id, token)
            if lock.token == seen.token and lock.expires != seen.expires:
                break
        return lock

    def _perform_locked(
        self, run_id: str, token: str, invocation_id: str | None, watch: Callable[[Progress], None] | None
    ) -> tuple[str, ...]:
        recorded = self.records.get(run_id)
        run = recorded.run
        if run.status.ended:
            return ()
        if self.records.is_cancelled(run_id):
            self._end(recorded, RunStatus.CANCELLED, run.cancelled_sentence)
            return ()
        if invocation_id is not None and run.trigger is TriggeredBy.CLI:
            # The app would go on with it as somebody else, under its own identity.
            self._end(recorded, RunStatus.FAILED, LEFT_BEHIND)
            return ()
        if problems := self.configuration.problems_of(run.job, Costs.RUNS):
            self._end(recorded, RunStatus.REFUSED, "; ".join(map(str, problems)))
            return ()
        running = msgspec.structs.replace(
            run,
            status=RunStatus.RUNNING,
            attempt=run.attempt + 1,
            started=run.started or self.clock(),
            invocation_id=invocation_id,
        )
        attempt = Attempt(
            self.records.change(running, recorded.etag), token, self.records, self.locks, self.time_limit, self.elapsed
        )
        log.info("run=%s job=%s mode=%s attempt=%d started", run.id, run.job, run.mode, running.attempt)

        def progress(made: Progress) -> None:
            attempt.progress(made)
            if watch:
                watch(made)

        requeued: list[str] = []
        work = Work(
            run=running,
            configuration=self.configuration,
            estate=self.estate,
            activity=self.activity,
            request_log=self.request_log,
            writer=self.writer,
            remover=self.remover,
            inventory=self.inventory,
            store=self.store,
            records=self.records,
            locks=self.locks,
            clock=self.clock,
            sleep=self.sleep,
            stop=self.stop,
            may_write=attempt.may_write,
            progress=progress,
            checkpoint=attempt.checkpoint,
            heartbeat=self.heartbeat,
            requeue=requeued.extend,
        )
        again = self._attempt(attempt, work)
        return (*requeued, *again)

    def _attempt(self, attempt: Attempt, work: Work) -> tuple[str, ...]:
        run = work.run
        try:
            with attempt:
                summary = self.jobs[run.task](work)
            attempt.renew()  # a process that was paused finds out here that it was taken over
            attempt.check_fence()
        except OutOfTime:
            queued = msgspec.structs.replace(attempt.run, status=RunStatus.QUEUED)
            self.records.change(queued, attempt.recorded.etag)
            log.info("run=%s job=%s continues in a new message", run.id, run.job)
            return (run.id,)
        except (Cancelled, KeyboardInterrupt) as stop:
            self._end(attempt.recorded, RunStatus.CANCELLED, "Cancelled while it ran.")
            if isinstance(stop, KeyboardInterrupt):
                raise
            return ()
        except StewardError as error:
            # A store that does not answer may answer the next delivery; what is damaged stays so.
            if isinstance(error, Fenced) or (isinstance(error, StoreError) and not isinstance(error, Damaged)):
                raise
            status = RunStatus.REFUSED if isinstance(error, Refused) else RunStatus.FAILED
            self._end(attempt.recorded, status, str(error))
            return ()
        except Exception as error:
            log.exception("run=%s job=%s unexpected error", run.id, run.job)
            self._end(
                attempt.recorded,
                RunStatus.FAILED,
                f"Unexpected {type(error).__name__}; the log has the details under this run's id.",
            )
            return ()
        self._end(attempt.recorded, summary.status, summary.error, summary)
        return ()

    def _end(self, recorded: Recorded, status: RunStatus, error: str | None, summary: Summary | None = None) -> None:
        run = msgspec.structs.replace(recorded.run, status=status, error=error, ended=self.clock())
        if summary is not None:
            run = msgspec.structs.replace(
                run,
                counts=summary.counts,
                subscriptions=summary.verdicts,
                outputs=summary.outputs,
                plan=summary.plan,
            )
        self.records.change(run, recorded.etag)
        level = {RunStatus.FAILED: logging.ERROR, RunStatus.REFUSED: logging.ERROR, RunStatus.PARTIAL: logging.WARNING}
        log.log(level.get(status, logging.INFO), "run=%s job=%s %s", run.id, run.job, run.closing_sentence)
        log.info("run=%s job=%s ended %s", run.id, run.job, run.figures)
        self.count(run)

    def _release_quietly(self, run: Run, token: str) -> None:
        """Give the lock back on the way out of an error, which is the one to be reported."""
        try:
            self.locks.release(run.job, token)
        except StoreError as error:
            log.warning("run=%s job=%s the lock could not be released: %s", run.id, run.job, one_line(str(error)))
