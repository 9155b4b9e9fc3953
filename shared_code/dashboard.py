"""The dashboard: what one look has to tell, gathered from the store; what cannot be read is left out, and said."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice

import msgspec

from shared_code.catalog import RECENT, JobView, describe
from shared_code.compliance import Row, Rows
from shared_code.errors import UNREADABLE, Stopped, StoreError, Unknown
from shared_code.history import TREND, History, HistoryEntry
from shared_code.outputs import COMPLIANCE, UPCOMING
from shared_code.plan import LIFETIME
from shared_code.run_records import RunRecords, folder
from shared_code.runs import Run, RunStatus, job_of
from shared_code.settings import WRITING, Configuration
from shared_code.stop import Stop
from shared_code.store import Store
from shared_code.upcoming import Upcoming

RUNS = 50
"""Runs that are listed; older ones are at GET /api/runs."""
OF_ONE_JOB = 12
"""Runs of a job that are looked at for what it showed last."""
_READERS = 8


class Standing(msgspec.Struct, frozen=True):
    """Compliance in two directions, as `compliance.json` has it; the rest of that is not read."""

    subscriptions: dict[str, Row] = {}
    owners: Rows = Rows()


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """The last plan of a job, while it can be applied: how many items it has, and until when (UTC)."""

    plan: str
    job: str
    items: int
    expires: datetime


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What the dashboard tells. Times are UTC.

    `stopped` says why nothing is changed in Azure, None if that is allowed. `last` has the last run of each job that
    read the whole scope and has something to show. `names` are those of subscriptions by id in lower case. `left_out`
    says what could not be read.
    """

    at: datetime
    problems: tuple[str, ...]
    stopped: str | None
    jobs: tuple[JobView, ...]
    runs: tuple[Run, ...]
    older: bool
    last: dict[str, Run]
    history: dict[str, tuple[HistoryEntry, ...]]
    approvals: tuple[Approval, ...]
    deletions: tuple[Run, ...]
    standing: Standing | None
    upcoming: Upcoming | None
    names: dict[str, str]
    left_out: tuple[str, ...]


def overview(configuration: Configuration, store: Store, stop: Stop, now: datetime) -> Overview:
    """Gather what the dashboard tells.

    Raises:
        StoreError: the store cannot be read at all.
    """
    return _Gathering(configuration, store, now).told(stop)


class _Gathering:
    """Reads what one look takes; damage costs what is damaged, and no more."""

    def __init__(self, configuration: Configuration, store: Store, now: datetime) -> None:
        self._configuration = configuration
        self._store = store
        self._now = now
        self._left_out: list[str] = []

    def told(self, stop: Stop) -> Overview:
        names = list(RunRecords(self._store).newest())
        of_job = {job: list(islice((each for each in names if job_of(each) == job), OF_ONE_JOB)) for job in self._jobs}
        runs = self._runs([*names[:RUNS], *(name for own in of_job.values() for name in own)])
        own = {job: [runs[name] for name in of_job[job] if name in runs] for job in self._jobs}
        last = {job: run for job in self._jobs if (run := _last(own[job], job))}
        return Overview(
            at=self._now,
            problems=tuple(map(str, self._configuration.problems)),
            stopped=self._stopped(stop),
            jobs=tuple(self._described(own[job], job) for job in self._jobs),
            runs=tuple(runs[name].brief for name in names[:RUNS] if name in runs),
            older=len(names) > RUNS,
            last={job: run.brief for job, run in last.items()},
            history={job: tuple(self._history(job)) for job in self._jobs},
            approvals=tuple(self._approvals(own)),
            deletions=tuple(run.brief for run in own.get("cleanup", []) if _has_deleted(run)),
            standing=self._part(last.get("tag-audit"), COMPLIANCE, Standing),
            upcoming=self._part(last.get("cleanup"), UPCOMING, Upcoming),
            names={
                each.subscription_id.casefold(): each.subscription_name
                for run in last.values()
                for each in run.subscriptions
            },
            left_out=tuple(self._left_out),
        )

    @property
    def _jobs(self) -> list[str]:
        return sorted(self._configuration.jobs)

    def _described(self, own: Sequence[Run], job: str) -> JobView:
        return describe(self._configuration, [run for run in own if run.task == job][:RECENT], job, self._now)

    def _runs(self, names: Iterable[str]) -> Mapping[str, Run]:
        records = RunRecords(self._store)
        with ThreadPoolExecutor(_READERS, "dashboard") as pool:
            wanted = list(dict.fromkeys(names))
            found = pool.map(lambda name: self._try(lambda: records.get(name).run), wanted)
            return {name: run for name, run in zip(wanted, found, strict=True) if run is not None}

    def _history(self, job: str) -> list[HistoryEntry]:
        return self._try(lambda: History(self._store, job).last(TREND)) or []

    def _part[Part](self, run: Run | None, name: str, kind: type[Part]) -> Part | None:
        """Read one of the objects a run has left; an earlier version may have left none."""
        if run is None or name not in run.outputs:
            return None
        stored = self._try(lambda: self._store.read(f"{folder(run.id)}/{name}"))
        if stored is None:
            return None
        try:
            return msgspec.json.decode(stored.data, type=kind)
        except UNREADABLE as error:
            self._left_out.append(f"'{name}' of run '{run.id}' cannot be read: {error}.")
            return None

    def _approvals(self, own: Mapping[str, Sequence[Run]]) -> Iterable[Approval]:
        for job in sorted(WRITING & own.keys()):
            applied = {run.order.plan for run in own[job] if run.order and run.status is not RunStatus.REFUSED}
            made = next((run for run in own[job] if run.plan and run.order is None and run.status.ended), None)
            if made is None or made.plan is None or made.plan in applied:
                continue
            items = made.counts.get("planned_changes", 0)
            expires = (made.started or made.requested) + LIFETIME
            if items and expires > self._now:
                yield Approval(plan=made.plan, job=job, items=items, expires=expires)

    def _stopped(self, stop: Stop) -> str | None:
        try:
            stop.check()
        except Stopped as error:
            return str(error)
        return None

    def _try[Found](self, read: Callable[[], Found]) -> Found | None:
        try:
            return read()
        except Unknown:
            return None  # It was removed in between.
        except StoreError as error:
            self._left_out.append(str(error))
            return None


def _last(runs: Iterable[Run], job: str) -> Run | None:
    good = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
    whole = (run for run in runs if run.task == job and run.scope.subscriptions is None)
    return next((run for run in whole if run.status in good and run.outputs), None)


def _has_deleted(run: Run) -> bool:
    return any(run.counts.get(name) for name in ("deleted", "deleting", "followed_deleted", "followed_failed"))
