"""The watchdog: notices runs that did not happen, gives lost runs a message, and removes what is too old."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

import msgspec

from shared_code.errors import Damaged
from shared_code.findings import placed
from shared_code.foreign_text import one_line
from shared_code.invocations import RULE as FAILED
from shared_code.invocations import Testimony, Witness, asked_for, evidence_of, failed_invocation, witness, witnessed
from shared_code.ledger import Entry, Head, Ledgers, State, compare
from shared_code.missed_runs import JOBS, RULE, due_occurrence, missed
from shared_code.model import Finding
from shared_code.outputs import FINDINGS, WITNESSES
from shared_code.retention import remove_old
from shared_code.run_records import folder
from shared_code.runs import Run, RunStatus, TriggeredBy
from shared_code.schedules import Schedule
from shared_code.settings import Costs, Watchdog
from shared_code.sightings import sighting
from shared_code.sweeper import sweep
from shared_code.work import Summary, Work

log = logging.getLogger(__name__)

NAME = "watchdog"
LOOKED_AT = 20
"""Runs of a job looked at, newest first, to tell whether it runs again."""


def watchdog(work: Work) -> Summary:
    """Look at every other job's schedule and runs, then tidy up.

    Raises:
        StoreError: the store cannot be read or written.
        Interrupted, Fenced: from the checkpoint.
    """
    in_terminal = work.run.trigger is TriggeredBy.CLI
    lost = [run for run in sweep(work.records, work.locks, work.clock) if run != work.run.id]
    work.requeue(lost)
    settings = work.configuration.jobs[NAME]
    days = settings.retention_days if isinstance(settings, Watchdog) else Watchdog().retention_days
    judged = list(_judged(work, timedelta(days=days)))
    said = _asked(work, judged)
    now = work.clock()
    told = [witness(each.job, each.due, each.newest, said, now) for each in judged] if said else []
    found = [] if said is None else _findings(judged, told, said)
    findings = sorted(found, key=lambda finding: (finding.resource_id, finding.rule))
    log.info("run=%s job=%s evidence: %s", work.run.id, NAME, one_line(evidence_of(said, len(judged))))
    removed = 0
    if not in_terminal:
        # A terminal only looks: its steward.toml may be another one, and its log is not the one that is watched.
        _remember(work, findings, said)
        removed = remove_old(work.store, work.records, days, work.clock(), work.checkpoint)
        work.heartbeat()
    work.store.write(f"{folder(work.run.id)}/{FINDINGS}", msgspec.json.Encoder().encode_lines(findings))
    work.store.write(f"{folder(work.run.id)}/{WITNESSES}", msgspec.json.Encoder().encode_lines(told))
    return Summary(
        status=RunStatus.SUCCEEDED,
        counts={
            "missed_runs": sum(finding.rule == RULE for finding in findings),
            "failed_invocations": sum(finding.rule == FAILED for finding in findings),
            "runs_requeued": 0 if in_terminal else len(lost),
            "runs_removed": removed,
        },
        outputs=(FINDINGS, WITNESSES),
    )


class _Judged(NamedTuple):
    """A job whose run for an occurrence must have ended by now, and what the records alone say of it."""

    job: str
    due: datetime
    newest: Run | None
    """Of the runs that count: the newest that has ended, or where none has, the newest."""
    missed: Finding | None


def _judged(work: Work, kept: timedelta) -> Iterator[_Judged]:
    now = work.clock()
    for job, schedule in work.configuration.schedules.items():
        if job == NAME or work.configuration.problems_of(job, Costs.RUNS):
            continue  # This run shows that the watchdog runs; a job that is not allowed to run is a problem of its own.
        work.checkpoint()
        try:
            found = _of_job(work, job, schedule, kept, now)
        except Damaged as error:
            log.error("run=%s job=%s cannot be watched: %s", work.run.id, job, one_line(str(error)))  # the others can
            continue
        if found:
            yield found


def _of_job(work: Work, job: str, schedule: Schedule, kept: timedelta, now: datetime) -> _Judged | None:
    # A terminal may have another steward.toml than the app, which must not forget since when it has its own.
    seen = sighting(work.store, job, schedule, now, remember=work.run.trigger is not TriggeredBy.CLI)
    expect_within = work.configuration.jobs[job].expect_within.length
    due = due_occurrence(schedule, seen.first_seen, expect_within, now, seen.last)
    if due is None or now - due >= kept:
        return None  # Of an occurrence that long ago, as of a yearly job, no record would be left.
    read: list[Run] = []

    def since() -> Iterator[Run]:
        for run in work.records.since(job, due):
            if run.task == run.job:
                read.append(run)
            yield run

    finding = missed(job, due, since(), expect_within)
    # Where nothing is missed, the last one read is the one that shows it.
    return _Judged(job, due, (read[0] if finding else read[-1]) if read else None, finding)


def _asked(work: Work, judged: list[_Judged]) -> Testimony | None:
    """Ask the request log of all jobs at once; it never ends the run."""
    if not judged:
        return None
    work.checkpoint()
    since = asked_for({each.job: each.due for each in judged})
    try:
        return work.request_log.calls(since, work.clock())
    except Exception as error:
        log.exception("run=%s job=%s the request log cannot be asked", work.run.id, NAME)
        return Testimony(reason=f"asking it failed unexpectedly with {type(error).__name__}; the log says where")


def _findings(judged: list[_Judged], told: list[Witness], said: Testimony) -> Iterator[Finding]:
    for each, heard in zip(judged, told, strict=True):
        if each.missed:
            yield witnessed(each.missed, heard)
        elif each.newest and (failed := failed_invocation(each.job, each.due, each.newest, said)):
            yield failed


def _remember(work: Work, findings: list[Finding], said: Testimony | None) -> None:
    """Say each finding once, when it is new, and once more when it has healed."""

    def unseen(entry: Entry) -> State:
        is_unknown = entry.rule == FAILED and said is not None and said.reason is not None
        return State.UNKNOWN if is_unknown else State.FIXED

    now, ledgers = work.clock(), Ledgers(work.store)
    seen = sorted(map(placed, findings), key=lambda one: one.place)
    compared = list(compare(ledgers.entries(NAME), seen, now, unseen))
    for each in compared:
        if each.state is State.NEW:
            for finding in each.findings:
                log.error("run=%s job=%s rule=%s %s", work.run.id, NAME, finding.rule, finding.detail)
        if each.state is State.FIXED:
            entry = each.entry
            recent = islice(work.records.newest_readable(entry.resource_id.removeprefix(JOBS)), LOOKED_AT)
            runs_again = any(run.ended and run.ended >= entry.first_seen and run.task == run.job for run in recent)
            no_longer = "is no longer counted as missed" if entry.rule == RULE else "has no failed call any more"
            how = "runs again" if runs_again and entry.rule == RULE else no_longer
            log.warning("run=%s job=%s rule=%s %s %s", work.run.id, NAME, entry.rule, entry.resource_id, how)
    remaining = [msgspec.json.encode(each.entry) for each in compared if each.state.remains]
    ledgers.keep(NAME, Head(work.run.id, now), remaining)
