"""Missed runs: occurrences of a schedule for which no run has ended in time."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from shared_code.model import Finding, Severity
from shared_code.runs import Run, RunStatus
from shared_code.schedules import Schedule
from shared_code.times import duration_text, text_of

RULE = "missed-run"
JOBS = "jobs/"
"""What the resource id of a job begins with."""


def due_occurrence(
    schedule: Schedule, first_seen: datetime, expect_within: timedelta, now: datetime, last: datetime | None = None
) -> datetime | None:
    """Return the latest occurrence whose run must have ended by now, or None if there is none yet.

    Args:
        schedule: the job's.
        first_seen: since when the job has had it; what it names before that was never due.
        expect_within: how long after an occurrence its run may take to end.
        now: the present moment.
        last: of a schedule in local time, the last occurrence that was asked for, as the clocks showed it then.
    """
    due = schedule.occurrences.latest_at(now - expect_within)
    if due is None or due < first_seen:
        return None
    if last is not None and schedule.local is not None and last < due <= schedule.local.covered_by(last):
        return last.astimezone(UTC)  # The rules of the zone have changed since: its run has the earlier moment.
    return due


def missed(job: str, due: datetime, since: Iterable[Run], expect_within: timedelta) -> Finding | None:
    """Judge a job.

    Args:
        job: its name.
        due: the occurrence whose run must have ended.
        since: the runs recorded for `due` and later, newest first.
        expect_within: as configured, for the text.

    Returns:
        None if one of the runs has ended, whatever started it and however it went: a failed run is told elsewhere. A
        refused run has not happened.
    """
    latest: Run | None = None
    for run in since:
        if run.task != run.job:
            continue  # It applied a plan or made one to undo something, and has not looked at the estate.
        # A refused run that left something has looked, and was only forbidden to change what it saw.
        if run.status.ended and (run.status is not RunStatus.REFUSED or run.outputs):
            return None
        latest = latest or run
    if latest is None:
        what = "there is no run for it"
    elif latest.status is RunStatus.REFUSED:
        what = f"run {latest.id} was refused: {latest.error}"
    else:
        what = f"run {latest.id} is still {latest.status}"
    return Finding(
        rule=RULE,
        kind="missed",
        resource_id=f"{JOBS}{job}",
        severity=Severity.HIGH,
        detail=f"{job} was due at {text_of(due)} and has not ended within {duration_text(expect_within)}: {what}",
        evidence={"due": text_of(due), "run": latest.id if latest else ""},
    )
