"""Requests for runs: checked, recorded, and only then put on the queue."""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from shared_code.errors import (
    UNREADABLE,
    AlreadyExists,
    Changed,
    Damaged,
    InvalidRequest,
    KeyReused,
    Refused,
    StoreError,
    Unavailable,
    Unknown,
)
from shared_code.foreign_text import one_line
from shared_code.permission import allow_automatic
from shared_code.ports import Clock
from shared_code.run_records import RunRecords
from shared_code.runs import Mode, Run, RunScope, RunStatus, TriggeredBy, run_id
from shared_code.schedules import Schedule
from shared_code.settings import WRITING, Cleanup, Configuration, Costs, TagAudit
from shared_code.sightings import remember_last, sighting
from shared_code.store import Store
from shared_code.ticks import tick_at

log = logging.getLogger(__name__)

KEY_KEPT = timedelta(hours=24)
"""How long an Idempotency-Key is remembered."""
_KEY_LENGTH = 255
PAUSES = (5, 15, 40)
"""Seconds between two tries to record a tick."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller may say about the run; the body of `POST jobs/{job}/runs`."""

    mode: Mode = Mode.PLAN
    scope: RunScope = RunScope()


class Promise(msgspec.Struct, frozen=True):
    """`requests/{digest}.json`: the run that an Idempotency-Key stands for, and the digest of what was wanted."""

    run: str
    wanted: str
    job: str
    at: datetime


@dataclass(frozen=True)
class RunRequests:
    """Makes run records out of ticks and wishes."""

    configuration: Configuration
    records: RunRecords
    store: Store
    clock: Clock
    sleep: Callable[[float], None] = time.sleep
    verified: bool = False
    """Whether it is certain that who asks is who they say."""

    def tick(self, job: str, *, past_due: bool) -> str | None:
        """Record the run of a timer call.

        The host counts a call that fails as done, and calls again at the next occurrence only; so a store that does
        not answer is asked again for about a minute.

        Returns:
            The run's id, which needs a message; None if that occurrence has its run already, and a worker had it.

        Raises:
            StoreError: the store cannot be written.
        """
        now = self.clock()  # once: a slow store must not make it another occurrence
        for pause in PAUSES:
            try:
                return self._tick(job, now, past_due=past_due)
            except StoreError as error:
                log.warning("job=%s the tick is tried again in %d s: %s", job, pause, one_line(str(error)))
                self.sleep(pause)
        return self._tick(job, now, past_due=past_due)

    def _tick(self, job: str, now: datetime, *, past_due: bool) -> str | None:
        schedule = self.configuration.schedules.get(job)
        seen = sighting(self.store, job, schedule, now) if schedule and schedule.timezone else None
        tick = tick_at(schedule, now, past_due=past_due, last=seen.last if seen else None) if schedule else None
        if tick is not None and not tick.ours:
            log.debug("job=%s the timer in UTC calls for no occurrence of the schedule in local time", job)
            return None
        if schedule is None or tick is None or tick.scheduled_for is None:
            run = self._new(job, TriggeredBy.ADMIN, run_id(job, now, occurrence=False), now)
        else:
            seen = seen or sighting(self.store, job, schedule, now)
            if tick.past_due and tick.scheduled_for < seen.first_seen:
                log.info("job=%s past due since before its schedule was first seen; nothing runs for that", job)
                return None
            run = self._of_occurrence(job, schedule, tick.scheduled_for, now, past_due=tick.past_due)
        if not (tick and tick.again) and self.records.create(run):
            self._remember(schedule, run)
            return run.id
        if self._is_queued(run.id):
            self._remember(schedule, run)  # A process that ended in between has not.
            return run.id
        log.info(
            "run=%s job=%s the occurrence has its run already; a call by hand counts as it for 2 minutes", run.id, job
        )
        return None

    def _of_occurrence(
        self, job: str, schedule: Schedule, occurrence: datetime, now: datetime, *, past_due: bool
    ) -> Run:
        """Return the run of an occurrence; its id is derived from that, so that there is one only."""
        local = schedule.local
        return msgspec.structs.replace(
            self._new(job, TriggeredBy.TIMER, run_id(job, occurrence, occurrence=True), now),
            scheduled_for=occurrence,
            scheduled_local=local.local(occurrence) if local else None,
            timezone=schedule.timezone,
            past_due=past_due,
        )

    def _remember(self, schedule: Schedule | None, run: Run) -> None:
        if schedule is not None and run.scheduled_local is not None:
            remember_last(self.store, run.job, schedule, run.scheduled_local)

    def _is_queued(self, run_id: str) -> bool:
        """Tell whether a run waits for its message; one that retention has removed does not."""
        try:
            return self.records.get(run_id).run.status is RunStatus.QUEUED
        except Unknown:
            return False

    def by_hand(
        self,
        job: str,
        wanted: Wanted,
        trigger: TriggeredBy,
        requested_by: str | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Record a run that somebody asks for.

        Args:
            job: the job's name.
            wanted: mode and scope.
            trigger: HTTP or CLI.
            requested_by: who the caller says they are.
            idempotency_key: the same key with the same wish gives the same run again, for 24 hours.

        Raises:
            Unknown: there is no such job.
            Refused: the configuration does not allow its runs, or the job has no such mode.
            KeyReused: the key came before with another wish.
        """
        self.check(job)
        if wanted.mode is Mode.APPLY:
            if trigger is not TriggeredBy.CLI and job in WRITING:
                raise Refused(
                    "Over HTTP runs make plans only; use mode 'plan', look at the plan, and approve it with POST "
                    "/api/plans/PLAN/apply."
                )
            allow_automatic(self.configuration, job)
        if wanted.scope.subscriptions is not None and not wanted.scope.subscriptions:
            raise InvalidRequest("scope.subscriptions is an empty list; leave it out to use all of [scope].")
        if odd := next((text for text in wanted.scope.subscriptions or () if not text.isprintable()), None):
            raise InvalidRequest(f"scope.subscriptions has {one_line(odd, 80)!a}, which is no subscription id.")
        run = self.new(job, trigger, requested_by)
        return self.record(msgspec.structs.replace(run, mode=wanted.mode, scope=wanted.scope), idempotency_key)

    def new(self, job: str, trigger: TriggeredBy, requested_by: str | None = None) -> Run:
        """Return a run that is not recorded yet, in mode plan."""
        now = self.clock()
        run = self._new(job, trigger, run_id(job, now, occurrence=False), now)
        verified = self.verified and requested_by is not None
        return msgspec.structs.replace(run, requested_by=requested_by, requested_by_verified=verified)

    def record(self, run: Run, idempotency_key: str | None) -> Run:
        """Record a run that somebody asks for, and return it, or the one that the key stands for.

        Raises:
            InvalidRequest: the key is none.
            KeyReused: the key came before with another wish.
            StoreError: the store cannot be read or written.
        """
        if idempotency_key is not None:
            promise = Promise(run.id, _wish(run), run.job, run.requested)
            run = msgspec.structs.replace(run, id=self._promised(idempotency_key, promise))
        return run if self.records.create(run) else self.records.get(run.id).run

    def known(self, job: str) -> str:
        """Return the job's name; raises Unknown if there is no such job."""
        if job not in self.configuration.jobs:
            known = ", ".join(sorted(self.configuration.jobs))
            raise Unknown(f"There is no job '{job[:80]}'; there are {known}.")
        return job

    def check(self, job: str) -> None:
        """Raise Unknown if there is no such job, Unavailable if the configuration does not allow its runs."""
        self.known(job)
        if problems := self.configuration.problems_of(job, Costs.RUNS):
            found = "; ".join(map(str, problems))
            raise Unavailable(f"Job '{job}' cannot run until its configuration is mended: {found}.")

    def cancel(self, run_id: str) -> Run:
        """Cancel a run: at once while it is queued, else at its next checkpoint.

        Raises:
            Unknown: there is no such run.
            Refused: it has ended.
        """
        while True:
            recorded = self.records.get(run_id)
            run = recorded.run
            if run.status.ended:
                raise Refused(f"Run '{run_id}' has ended ({run.status}), so there is nothing to cancel.")
            if run.status is RunStatus.RUNNING:
                self.records.ask_to_cancel(run_id)
                return run
            try:
                return self.end(run, recorded.etag, RunStatus.CANCELLED, run.cancelled_sentence)
            except Changed:
                continue

    def end(self, run: Run, etag: str, status: RunStatus, error: str) -> Run:
        """End a run that no worker is at; raises Changed if one is by now."""
        ended = msgspec.structs.replace(run, status=status, error=error, ended=self.clock())
        changed = self.records.change(ended, etag).run
        log.info("run=%s job=%s ended %s", changed.id, changed.job, changed.figures)
        return changed

    def _new(self, job: str, trigger: TriggeredBy, new_id: str, now: datetime) -> Run:
        settings = self.configuration.jobs[job]
        timer = trigger is TriggeredBy.TIMER
        mode = settings.mode if timer and isinstance(settings, TagAudit | Cleanup) else Mode.PLAN
        return Run(id=new_id, job=job, mode=mode, trigger=trigger, requested=now)

    def remembers(self, job: str, idempotency_key: str | None) -> bool:
        """Tell whether the key stands for a run of the job already.

        Raises:
            StoreError: the store cannot be read, or what is there cannot be understood.
        """
        if idempotency_key is None:
            return False
        name = _key_of(job, idempotency_key)
        stored = self.store.read(name)
        return stored is not None and self.clock() - read_promise(stored.data, name).at <= KEY_KEPT

    def _promised(self, key: str, promise: Promise) -> str:
        """Return the run id that the key stands for: the one of `promise` if the key is new or older than a day."""
        if not key.strip() or len(key) > _KEY_LENGTH or not key.isprintable():
            raise InvalidRequest(f"Idempotency-Key must be 1 to {_KEY_LENGTH} printable characters.")
        name = _key_of(promise.job, key)
        content = msgspec.json.encode(promise)
        while True:
            try:
                self.store.create(name, content)
            except AlreadyExists:
                stored = self.store.read(name)
            else:
                return promise.run
            if stored is None:
                continue
            earlier = read_promise(stored.data, name)
            if promise.at - earlier.at <= KEY_KEPT:
                if earlier.wanted != promise.wanted:
                    raise KeyReused(f"Idempotency-Key '{key}' was used for another body; use a new key for a new run.")
                return earlier.run
            try:
                self.store.replace(name, content, stored.etag)
            except Changed:
                continue
            return promise.run


def _key_of(job: str, idempotency_key: str) -> str:
    return f"requests/{hashlib.sha256(f'{job}\n{idempotency_key}'.encode(errors='surrogatepass')).hexdigest()}.json"


def _wish(run: Run) -> str:
    """Return the digest of what the caller wants."""
    wanted = (run.mode, run.scope, run.order, run.undoes)
    return hashlib.sha256(msgspec.json.encode(wanted, order="deterministic")).hexdigest()


def read_promise(data: bytes, name: str) -> Promise:
    """Read what an Idempotency-Key stands for; raises Damaged if it cannot be understood."""
    try:
        return msgspec.json.decode(data, type=Promise)
    except UNREADABLE as error:
        raise Damaged(f"The request '{name}' cannot be read: {error}; use another Idempotency-Key.") from error
