"""Invocations: what the app's own request log says of calls of its functions, and what follows from it for a run.

The Functions host notes each call in Application Insights, which keeps it in the table AppRequests. It shows up there
minutes later, so what is there is evidence at once, and what is not there is evidence only after a while.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from shared_code.foreign_text import one_line
from shared_code.model import Finding, Severity
from shared_code.runs import Run
from shared_code.ticks import EARLY, FRESH
from shared_code.times import text_of

RULE = "failed-invocation"
WORKER = "run_worker"
"""The function that performs runs."""
LAG = timedelta(minutes=15)
"""How late a call may show up in the log."""
LOOK_BACK = timedelta(days=1)
"""How much before an occurrence the log is read, to see that it reaches back to it."""
BOTH = "record and request log"
ALONE = "the record alone"


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """The calls of one function since some moment: how many, the first, how many failed, and the last that did."""

    number: int = 0
    first: datetime | None = None
    failed: int = 0
    last_failed: datetime | None = None
    result_code: str = ""
    """Of the last one that failed, as the host has noted it."""

    @property
    def words(self) -> str:
        """How often, since when, and with what success."""
        often = "once" if self.number == 1 else f"{self.number:,} times"
        text = f"was called {often}" + (f", first at {text_of(self.first)}" if self.first else "")
        if not self.failed:
            return f"{text}, and succeeded"
        failed = f"{self.failed:,} of these failed" if self.failed < self.number else "failed"
        when = f", last at {text_of(self.last_failed)}" if self.last_failed and self.number > 1 else ""
        code = one_line(self.result_code, 40)
        return f"{text}, and {failed}{when}" + (f", with result code {code}" if code not in ("", "0") else "")


class Testimony(msgspec.Struct, frozen=True, kw_only=True):
    """What the request log says.

    `reason` is why it says nothing; None where it was read to its end. `calls` are by the names of functions. `failed`
    has, by its id, when each call of the worker that failed began. `first` and `last` are the calls of any function of
    this app that the log holds, from `LOOK_BACK` before the earliest moment asked for.
    """

    reason: str | None = None
    calls: dict[str, Calls] = {}
    failed: dict[str, datetime] = {}
    first: datetime | None = None
    last: datetime | None = None

    def failure_of(self, run: Run | None) -> datetime | None:
        """Return when the call began that performed a run and failed; None if none did, or nobody knows."""
        return self.failed.get(run.invocation_id.lower()) if run is not None and run.invocation_id else None

    def silence(self, due: datetime, now: datetime) -> str | None:
        """Return why it means nothing that the log has no call at `due`; None where that means something."""
        if self.first is None or self.last is None:
            return "it holds no call of any function of this app; send the app's telemetry to that workspace"
        if now - due < LAG:
            return f"a call may take {_minutes(LAG)} to show up there"
        if self.first >= due - EARLY:
            return f"it holds no call of this app before {text_of(self.first)}"
        if self.last <= due + EARLY:
            return f"it holds no call of this app after {text_of(self.last)}"
        return None


def function_of(job: str) -> str:
    """Return the name of the function that is a job's timer."""
    return job.replace("-", "_")


def asked_for(dues: Mapping[str, datetime]) -> dict[str, datetime]:
    """Return since when the timer of each job is to be looked for.

    Args:
        dues: by the names of jobs, the occurrence that is judged.
    """
    return {function_of(job): due - EARLY for job, due in dues.items()}


def _minutes(length: timedelta) -> str:
    return f"{length // timedelta(minutes=1)} minutes"


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `witnesses.ndjson`: what was known when the run of an occurrence was judged. Times are UTC."""

    job: str
    due: datetime
    run: str | None
    witness: str
    request_log: str


def witness(job: str, due: datetime, run: Run | None, said: Testimony, now: datetime) -> Witness:
    """Say what the request log has of an occurrence, or why that says nothing.

    Args:
        job: the job's name.
        due: the occurrence that is judged.
        run: recorded for it or later, the newest that counts; None where there is none.
        said: the request log.
        now: the present moment.
    """
    told, counts = _told(job, due, run, said, now)
    return Witness(job=job, due=due, run=run.id if run else None, witness=BOTH if counts else ALONE, request_log=told)


def witnessed(finding: Finding, told: Witness) -> Finding:
    """Add to a missed run what the request log has of it."""
    evidence = {**finding.evidence, "witness": told.witness, "request_log": told.request_log}
    return msgspec.structs.replace(finding, detail=f"{finding.detail}; {told.request_log}", evidence=evidence)


def _told(job: str, due: datetime, run: Run | None, said: Testimony, now: datetime) -> tuple[str, bool]:
    """Return what the log says, and whether that is evidence."""
    if said.reason is not None:
        return f"the request log was not read: {said.reason}", False
    function = function_of(job)
    if at := said.failure_of(run):
        return f"the request log has that the call of {WORKER} at {text_of(at)} that performed it failed", True
    calls = said.calls.get(function, Calls())
    if calls.number:
        late = calls.first is not None and calls.first - due > FRESH
        when = "the platform called later than that" if late else "the platform called"
        at_fault = "" if run is not None else f"; {when}, and the app left no record"
        return f"the request log has that {function} {calls.words}{at_fault}", True
    if why := said.silence(due, now):
        return f"the request log has no call of {function}, which proves nothing: {why}", False
    return f"the request log has calls of the app, but none of {function}: the platform did not call it", True


def failed_invocation(job: str, due: datetime, run: Run, said: Testimony) -> Finding | None:
    """Judge a job whose run is recorded as ended: whether the call behind it failed nevertheless.

    Args:
        job: the job's name.
        due: the occurrence that is judged.
        run: the newest run since then that has ended.
        said: the request log.

    Returns:
        None if no call failed, or nobody knows.
    """
    function = function_of(job)
    calls = said.calls.get(function, Calls())
    if at := said.failure_of(run):
        what = f"the call of {WORKER} at {text_of(at)} that performed it failed"
    elif calls.failed:
        what = f"{function} {calls.words}"
    else:
        return None
    return Finding(
        rule=RULE,
        kind="failed",
        resource_id=f"jobs/{job}",
        severity=Severity.MEDIUM,
        detail=f"{job} was due at {text_of(due)} and run {run.id} is recorded as {run.status}, but the request log has"
        f" that {what}; what it had to send may be lost, and the next run of the watchdog sends it again",
        evidence={"due": text_of(due), "run": run.id, "witness": BOTH},
    )


def evidence_of(said: Testimony | None, jobs: int) -> str:
    """Say in a sentence what a run of the watchdog knew.

    Args:
        said: the request log; None where no occurrence had to be judged.
        jobs: how many were judged.
    """
    if said is None:
        return "no occurrence had to be judged yet"
    judged = f"{jobs} occurrence{'s' if jobs != 1 else ''} judged by"
    if said.reason is not None:
        return f"{judged} {ALONE}, since the request log was not read: {said.reason}"
    if said.first is None or said.last is None:
        return f"{judged} {ALONE}, since the request log holds no call of this app"
    return f"{judged} {BOTH}, which holds calls of this app from {text_of(said.first)} to {text_of(said.last)}"
