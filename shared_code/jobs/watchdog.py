"""The watchdog: notices runs that did not happen, gives lost runs a message, and removes what is too old."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import msgspec

from shared_code import ledger
from shared_code.missed_runs import JOBS, due_occurrence, missed
from shared_code.model import Finding
from shared_code.outputs import FINDINGS
from shared_code.retention import remove_old
from shared_code.run_records import folder
from shared_code.runs import RunStatus, TriggeredBy
from shared_code.settings import Costs, Watchdog
from shared_code.sightings import first_seen
from shared_code.sweeper import sweep
from shared_code.work import Summary, Work

log = logging.getLogger(__name__)

NAME = "watchdog"


def watchdog(work: Work) -> Summary:
    """Look at every other job's schedule and runs, then tidy up.

    Raises:
        StoreError: the store cannot be read or written.
        Interrupted, Fenced: from the checkpoint.
    """
    lost = [run for run in sweep(work.records, work.locks, work.clock) if run != work.run.id]
    settings = work.configuration.jobs[NAME]
    days = settings.retention_days if isinstance(settings, Watchdog) else Watchdog().retention_days
    findings = sorted(_missed_runs(work, timedelta(days=days)), key=lambda finding: finding.resource_id)
    _remember(work, findings)
    removed = remove_old(work.store, work.records, days, work.clock(), work.checkpoint)
    work.store.write(f"{folder(work.run.id)}/{FINDINGS}", msgspec.json.Encoder().encode_lines(findings))
    work.heartbeat()
    return Summary(
        status=RunStatus.SUCCEEDED,
        counts={"missed_runs": len(findings), "runs_requeued": len(lost), "runs_removed": removed},
        outputs=(FINDINGS,),
        requeue=tuple(lost),
    )


def _missed_runs(work: Work, kept: timedelta) -> Iterator[Finding]:
    now = work.clock()
    for job, schedule in work.configuration.schedules.items():
        if job == NAME or work.configuration.problems_of(job, Costs.RUNS):
            continue  # This run shows that the watchdog runs; a job that is not allowed to run is a problem of its own.
        work.checkpoint()
        # A terminal may have another steward.toml than the app, which must not forget since when it has its own.
        seen = first_seen(work.store, job, schedule, now, remember=work.run.trigger is not TriggeredBy.CLI)
        expect_within = work.configuration.jobs[job].expect_within.length
        due = due_occurrence(schedule, seen, expect_within, now)
        if due is None or now - due >= kept:
            continue  # Of an occurrence that long ago, as of a yearly job, no record would be left.
        if finding := missed(job, due, work.records.since(job, due), expect_within):
            yield finding


def _remember(work: Work, findings: list[Finding]) -> None:
    """Say each finding once, when it is new, and once more when it has healed."""
    observed = ledger.observe(ledger.read(work.store, NAME), findings, work.clock())
    for finding in observed.new:
        log.error("run=%s job=%s rule=%s %s", work.run.id, NAME, finding.rule, finding.detail)
    for entry in observed.healed:
        runs_again = any(
            run.status.ended for run in work.records.since(entry.resource_id.removeprefix(JOBS), entry.first_seen)
        )
        how = "runs again" if runs_again else "is no longer expected, as its schedule has changed"
        log.warning("run=%s job=%s rule=%s %s %s", work.run.id, NAME, entry.rule, entry.resource_id, how)
    ledger.write(work.store, NAME, observed.open)
