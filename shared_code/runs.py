"""A run: one performance of a job, as a value, and the words for its life."""

import hashlib
import re
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from shared_code.foreign_text import one_line
from shared_code.model import UNREAD, Reading, Verdict
from shared_code.outputs import FINDINGS

VERSION = 1
"""Of records: one more where an earlier Steward would do wrong by what it does not know, not for every new key."""


class Mode(StrEnum):
    """Whether a run may change Azure."""

    PLAN = "plan"
    """Says what would be done; writes nothing."""
    APPLY = "apply"
    """Does it: what a person has approved, or what automatic rules plan in armed subscriptions."""


class TriggeredBy(StrEnum):
    """What started a run."""

    TIMER = "timer"
    """The job's schedule."""
    HTTP = "http"
    """A POST to the app."""
    CLI = "cli"
    """The steward command."""
    ADMIN = "admin"
    """Somebody in the portal, or through the admin endpoint."""


class RunStatus(StrEnum):
    """How far a run is, or how it ended."""

    QUEUED = "queued"
    """Recorded; waits for a worker."""
    RUNNING = "running"
    """A worker is at it."""
    SUCCEEDED = "succeeded"
    """Everything in scope was read and done."""
    PARTIAL = "partial"
    """Done, but some of the scope could not be read."""
    FAILED = "failed"
    """Nothing could be read, or something went wrong; `error` says what."""
    CANCELLED = "cancelled"
    """Somebody cancelled it."""
    REFUSED = "refused"
    """It was not allowed to start; `error` says why."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the run."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


LEFT_BEHIND = "The process that ran it ended before it did; start it again."
"""What is said of a run of a terminal that is gone."""


# For the document of the API alone; who asks for something else is told in words.
type _SubscriptionId = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[ -~]*$"})]
type _Subscriptions = Annotated[tuple[_SubscriptionId, ...], msgspec.Meta(extra_json_schema={"minItems": 1})]


class RunScope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the caller narrows the run to; None means all of the configured scope."""

    subscriptions: _Subscriptions | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wants applied.

    `digest` is what they saw. `only` are exact resource ids, None for all. `automatic` is the timer's order: of the
    items in armed subscriptions, those whose rule may act without a person.
    """

    plan: str
    digest: str
    only: tuple[str, ...] | None = None
    automatic: bool = False


class Progress(msgspec.Struct, frozen=True):
    """How many of the things the run goes through are finished, and how many there are."""

    done: int
    total: int
    things: str = "subscriptions"


APPLY_PLAN, UNDO_RUN = "apply-plan", "undo-run"
"""What a run may be that is no performance of its job's own work."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a run, `run.json`. Times are UTC.

    `scheduled_local` is `scheduled_for` as the clocks of `timezone` showed it, if the schedule has one. `plan` is the
    plan it has made or applies. `order` is what it applies, if a person approved a plan; `undoes` the id of the run
    whose changes it plans to take back.
    """

    id: str
    job: str
    mode: Mode
    trigger: TriggeredBy
    requested: datetime
    requested_by: str | None = None
    requested_by_verified: bool = False
    scheduled_for: datetime | None = None
    scheduled_local: datetime | None = None
    timezone: str | None = None
    past_due: bool = False
    scope: RunScope = RunScope()
    status: RunStatus = RunStatus.QUEUED
    attempt: int = 0
    started: datetime | None = None
    ended: datetime | None = None
    progress: Progress | None = None
    counts: dict[str, int] = {}
    subscriptions: tuple[Verdict, ...] = ()
    outputs: tuple[str, ...] = ()
    plan: str | None = None
    order: Order | None = None
    undoes: str | None = None
    invocation_id: str | None = None
    error: str | None = None
    version: int = VERSION

    @property
    def brief(self) -> "Run":
        """The record without the verdict of each subscription, for lists: a thousand of them are 150 kB."""
        return msgspec.structs.replace(self, subscriptions=())

    @property
    def task(self) -> str:
        """What is to be performed: the job itself, or something about its plans."""
        return APPLY_PLAN if self.order else UNDO_RUN if self.undoes else self.job

    @property
    def links(self) -> dict[str, str]:
        """The addresses of the run in the HTTP API."""
        own = f"/api/runs/{self.id}"
        links = {"self": own}
        if self.outputs:
            links["report"] = f"{own}/report"
        if FINDINGS in self.outputs:
            links["findings"] = f"{own}/findings"
        if self.plan:
            links["plan"] = f"/api/plans/{self.plan}"
        return links

    @property
    def cancelled_sentence(self) -> str:
        """What a cancellation of a queued run means; one that ran out of time is queued again."""
        return "Cancelled before it started." if self.started is None else "Cancelled before it went on."

    @property
    def figures(self) -> str:
        """What happened, as `key=value` for queries: `task=… mode=… trigger=… status=… attempt=… seconds=…`, counts."""
        took = (self.ended - self.started).total_seconds() if self.ended and self.started else 0.0
        values = {
            "task": self.task, "mode": self.mode, "trigger": self.trigger, "status": self.status,
            "attempt": self.attempt, "seconds": f"{max(took, 0.0):.1f}", **self.counts,
        }  # fmt: skip
        return " ".join(f"{name.replace(' ', '_')}={value}" for name, value in values.items())

    @property
    def closing_sentence(self) -> str:
        """What happened, in one line for people: status, counts, and the error if there is one."""
        counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in self.counts.items())
        text: str = self.status
        if counts:
            text += f": {counts}"
        return one_line(f"{text}. {self.error}", 2000) if self.error else text


def status_of(verdicts: list[Verdict]) -> tuple[RunStatus, str | None]:
    """Judge a finished reading: succeeded, partial, or failed where nothing in scope could be read.

    Returns:
        The status, and one sentence for the record where it is not `succeeded`.
    """
    unread = [verdict for verdict in verdicts if verdict.reading in UNREAD]
    complete = sum(verdict.reading is Reading.COMPLETE for verdict in verdicts)
    if unread and not complete:
        return RunStatus.FAILED, f"No subscription could be read completely; the first: {_named(unread[0])}"
    if unread:
        more = f", and {len(unread) - 1} more" if len(unread) > 1 else ""
        return RunStatus.PARTIAL, f"Not read completely: {_named(unread[0])}{more}"
    if not complete:
        return (
            RunStatus.FAILED,
            "No enabled subscription is visible in scope; check [scope] and the identity's role",
        )
    return RunStatus.SUCCEEDED, None


def _named(verdict: Verdict) -> str:
    name = (
        f"{verdict.subscription_name} ({verdict.subscription_id})"
        if verdict.subscription_name
        else verdict.subscription_id
    )
    return one_line(f"{name}: {verdict.reason}", 1000)


RUN_ID = r"[0-9]{8}T[0-9]{6}Z-([a-z][a-z-]{0,60}[a-z])-[0-9a-f]{8}"
"""The form of a run's id."""
_RUN_ID = re.compile(RUN_ID)


def job_of(run_id: str) -> str | None:
    """Return the job in a run's id, or None if this is no run id."""
    match = _RUN_ID.fullmatch(run_id)
    return match[1] if match else None


def stamp_of(moment: datetime) -> str:
    """Return the moment, aware, as run ids begin; it sorts before every run of that second and later."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def run_id(job: str, at: datetime, *, occurrence: bool) -> str:
    """Make the id of a run; ids sort by time, those requested by hand to the millisecond.

    Args:
        job: the job's name.
        at: for a tick its occurrence, else when the run was requested; aware.
        occurrence: True for a tick: the id is then derived, so that a tick delivered twice makes one run.
    """
    stamp = stamp_of(at)
    if occurrence:
        suffix = hashlib.sha256(f"{job}|{stamp}".encode()).hexdigest()[:8]
    else:
        suffix = f"{at.microsecond // 1000:03x}{secrets.token_hex(3)[:5]}"
    return f"{stamp}-{job}-{suffix}"
