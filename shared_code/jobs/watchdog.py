"""The watchdog: notices runs that did not happen, gives lost runs a message, and removes what is too old."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from shared_code.errors import Damaged
from shared_code.findings import placed
from shared_code.ledger import Head, Ledgers, State, compare
from shared_code.missed_runs import JOBS, due_occurrence, missed
from shared_code.model import Finding
from shared_code.outputs import FINDINGS
from shared_code.retention import remove_old
from shared_code.run_records import folder
from shared_code.runs import RunStatus, TriggeredBy
from shared_code.schedules import Schedule
from shared_code.settings import Costs, Watchdog
from shared_code.sightings import first_seen
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
    findings = sorted(_missed_runs(work, timedelta(days=days)), key=lambda finding: finding.resource_id)
    removed = 0
    if not in_terminal:
        # A terminal only looks: its steward.toml may be another one, and its log is not the one that is watched.
        _remember(work, findings)
        removed = remove_old(work.store, work.records, days, work.clock(), work.checkpoint)
        work.heartbeat()
    work.store.write(f"{folder(work.run.id)}/{FINDINGS}", msgspec.json.Encoder().encode_lines(findings))
    return Summary(
        status=RunStatus.SUCCEEDED,
        counts={
            "missed_runs": len(findings),
            "runs_requeued": 0 if in_terminal else len(lost),
            "runs_removed": removed,
        },
        outputs=(FINDINGS,),
    )


def _missed_runs(work: Work, kept: timedelta) -> Iterator[Finding]:
    now = work.clock()
    for job, schedule in work.configuration.schedules.items():
        if job == NAME or work.configuration.problems_of(job, Costs.RUNS):
            continue  # This run shows that the watchdog runs; a job that is not allowed to run is a problem of its own.
        work.checkpoint()
        try:
            finding = _missed_run(work, job, schedule, kept, now)
        except Damaged as error:
            log.error("run=%s job=%s cannot be watched: %s", work.run.id, job, error)  # the others can
            continue
        if finding:
            yield finding


def _missed_run(work: Work, job: str, schedule: Schedule, kept: timedelta, now: datetime) -> Finding | None:
    # A terminal may have another steward.toml than the app, which must not forget since when it has its own.
    seen = first_seen(work.store, job, schedule, now, remember=work.run.trigger is not TriggeredBy.CLI)
    expect_within = work.configuration.jobs[job].expect_within.length
    due = due_occurrence(schedule, seen, expect_within, now)
    if due is None or now - due >= kept:
        return None  # Of an occurrence that long ago, as of a yearly job, no record would be left.
    return missed(job, due, work.records.since(job, due), expect_within)


def _remember(work: Work, findings: list[Finding]) -> None:
    """Say each finding once, when it is new, and once more when it has healed."""
    now, ledgers = work.clock(), Ledgers(work.store)
    seen = sorted(map(placed, findings), key=lambda one: one.place)
    compared = list(compare(ledgers.entries(NAME), seen, now, lambda _: State.FIXED))
    for each in compared:
        if each.state is State.NEW:
            for finding in each.findings:
                log.error("run=%s job=%s rule=%s %s", work.run.id, NAME, finding.rule, finding.detail)
        if each.state is State.FIXED:
            entry = each.entry
            recent = islice(work.records.newest_readable(entry.resource_id.removeprefix(JOBS)), LOOKED_AT)
            runs_again = any(run.ended and run.ended >= entry.first_seen and run.task == run.job for run in recent)
            how = "runs again" if runs_again else "is no longer counted as missed"
            log.warning("run=%s job=%s rule=%s %s %s", work.run.id, NAME, entry.rule, entry.resource_id, how)
    remaining = [msgspec.json.encode(each.entry) for each in compared if each.state.remains]
    ledgers.keep(NAME, Head(work.run.id, now), remaining)
