"""What the request log says of a run that is missed, and of one that is not."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared_code.invocations import (
    ALONE,
    BOTH,
    LAG,
    LOOK_BACK,
    Calls,
    Testimony,
    asked_for,
    evidence_of,
    failed_invocation,
    function_of,
    witness,
    witnessed,
)
from shared_code.model import Finding, Severity
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy

DUE = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
NOW = DUE + timedelta(hours=1)
JOB = "tag-audit"
CALL = "11111111-2222-4333-8444-55555555555a"
RUN = Run(
    id="20261122T050000Z-tag-audit-9c01f2ab",
    job=JOB,
    mode=Mode.PLAN,
    trigger=TriggeredBy.TIMER,
    requested=DUE,
    status=RunStatus.SUCCEEDED,
    invocation_id=CALL.upper(),
)
ALL_ALONG = {"first": DUE - timedelta(hours=3), "last": DUE + timedelta(minutes=50)}
"""The log holds calls of the app from before the occurrence to after it."""


def calls(number: int = 1, failed: int = 0, code: str = "") -> Calls:
    last = DUE + timedelta(seconds=number) if failed else None
    return Calls(number=number, first=DUE, failed=failed, last_failed=last, result_code=code)


def said(
    *, of_timer: Calls | None = None, failed: dict[str, datetime] | None = None, span: dict[str, datetime] | None = None
) -> Testimony:
    """A log that was read, which holds calls of the app all along unless `span` says otherwise."""
    known = {"tag_audit": of_timer} if of_timer else {}
    whole = ALL_ALONG | (span or {})
    return Testimony(calls=known, failed=failed or {}, first=whole["first"], last=whole["last"])


def told(testimony: Testimony, run: Run | None = None, now: datetime = NOW) -> tuple[str, str]:
    """What is said of the occurrence, and by whom."""
    line = witness(JOB, DUE, run, testimony, now)
    assert (line.job, line.due, line.run) == (JOB, DUE, run.id if run else None)
    return line.witness, line.request_log


class TestNoRecord:
    def test_the_platform_did_not_call(self) -> None:
        """Calls before and after, and none of the timer."""
        assert told(said()) == (
            BOTH,
            "the request log has calls of the app, but none of tag_audit: the platform did not call it",
        )

    def test_it_was_called_and_failed(self) -> None:
        assert told(said(of_timer=calls(failed=1))) == (
            BOTH,
            (
                "the request log has that tag_audit was called once, first at 2026-11-22T05:00:00Z, and failed;"
                " the platform called, and the app left no record"
            ),
        )

    def test_it_was_called_and_succeeded(self) -> None:
        """Then the record was lost, or is in another store."""
        assert told(said(of_timer=calls()))[1] == (
            "the request log has that tag_audit was called once, first at 2026-11-22T05:00:00Z, and succeeded;"
            " the platform called, and the app left no record"
        )

    def test_it_was_called_often(self) -> None:
        assert told(said(of_timer=calls(4, failed=3, code="500")))[1] == (
            "the request log has that tag_audit was called 4 times, first at 2026-11-22T05:00:00Z,"
            " and 3 of these failed, last at 2026-11-22T05:00:04Z, with result code 500;"
            " the platform called, and the app left no record"
        )

    def test_it_was_called_for_another_time_alone(self) -> None:
        """The timer of a schedule in local time is also called for no occurrence: that is no call for this one."""
        later = msgspec.structs.replace(calls(), first=DUE + timedelta(hours=23))

        line = told(said(of_timer=later))[1]
        assert line.endswith("; the platform called later than that, and the app left no record")

    def test_a_call_counts_at_once(self) -> None:
        """What is there is evidence however young it is, and whatever else the log has not yet."""
        young = Testimony(calls={"tag_audit": calls()}, first=DUE, last=DUE)
        assert told(young, now=DUE + timedelta(seconds=1))[0] == BOTH

    @pytest.mark.parametrize(
        ("span", "after", "why"),
        [
            ({}, LAG - timedelta(seconds=1), "a call may take 15 minutes to show up there"),
            ({"first": DUE}, timedelta(hours=1), "it holds no call of this app before 2026-11-22T05:00:00Z"),
            ({"last": DUE}, timedelta(hours=1), "it holds no call of this app after 2026-11-22T05:00:00Z"),
        ],
        ids=["not yet there", "does not reach back", "nothing since"],
    )
    def test_what_is_not_there_proves_nothing(self, span: dict[str, datetime], after: timedelta, why: str) -> None:
        """Where the log may not have it yet, or has lost it."""
        assert told(said(span=span), now=DUE + after) == (
            ALONE,
            f"the request log has no call of tag_audit, which proves nothing: {why}",
        )

    def test_another_workspace(self) -> None:
        """Without any call of the app it is no log of this app."""
        assert told(Testimony()) == (
            ALONE,
            (
                "the request log has no call of tag_audit, which proves nothing: it holds no call of any function"
                " of this app; send the app's telemetry to that workspace"
            ),
        )

    def test_a_log_that_was_not_read(self) -> None:
        """Whatever it holds."""
        testimony = Testimony(reason="no workspace is configured", calls={"tag_audit": calls()})
        assert told(testimony) == (ALONE, "the request log was not read: no workspace is configured")


def test_a_run_whose_call_failed() -> None:
    """The id of the call is in the record; its case does not matter."""
    testimony = said(of_timer=calls(), failed={CALL: DUE + timedelta(minutes=2)})
    text = "the request log has that the call of run_worker at 2026-11-22T05:02:00Z that performed it failed"

    assert told(testimony, RUN) == (BOTH, text)
    assert told(said(of_timer=calls(), failed={"another": DUE}), RUN)[1].endswith("2026-11-22T05:00:00Z, and succeeded")


def test_a_finding_keeps_what_the_record_says() -> None:
    """The log is added, and never takes a missed run away."""
    finding = Finding(
        rule="missed-run", kind="missed", resource_id="jobs/tag-audit", severity=Severity.HIGH, detail="no run",
        evidence={"due": "then", "run": ""},
    )  # fmt: skip
    line = witness(JOB, DUE, None, said(), NOW)

    found = witnessed(finding, line)

    assert found.detail == f"no run; {line.request_log}"
    assert found.evidence == {"due": "then", "run": "", "witness": BOTH, "request_log": line.request_log}
    assert (found.rule, found.severity) == ("missed-run", Severity.HIGH)


class TestRecorded:
    """A run that is recorded as ended, while the call behind it failed."""

    def test_the_call_of_the_worker(self) -> None:
        found = failed_invocation(JOB, DUE, RUN, said(of_timer=calls(), failed={CALL: DUE}))

        assert found is not None
        assert (found.rule, found.resource_id, found.severity) == ("failed-invocation", "jobs/tag-audit", "medium")
        assert found.detail.startswith(
            "tag-audit was due at 2026-11-22T05:00:00Z and run 20261122T050000Z-tag-audit-9c01f2ab is recorded as"
            " succeeded, but the request log has that the call of run_worker at 2026-11-22T05:00:00Z that performed it"
            " failed;"
        )

    def test_the_call_of_the_timer(self) -> None:
        found = failed_invocation(JOB, DUE, RUN, said(of_timer=calls(2, failed=1)))

        assert found is not None
        assert "the request log has that tag_audit was called 2 times" in found.detail

    @pytest.mark.parametrize(
        "testimony",
        [said(of_timer=calls()), said(), Testimony(reason="no"), said(failed={"another": DUE})],
        ids=["succeeded", "not called", "not read", "another run's"],
    )
    def test_nothing_that_failed(self, testimony: Testimony) -> None:
        assert failed_invocation(JOB, DUE, RUN, testimony) is None


def test_a_result_code_is_foreign() -> None:
    """It is one line, and short."""
    text = calls(failed=1, code="5\n00" + "x" * 90).words
    assert "\n" not in text
    assert len(text) < 140


def test_what_is_asked_for() -> None:
    """From a little before each occurrence, since a timer may call early."""
    assert asked_for({JOB: DUE}) == {"tag_audit": DUE - timedelta(seconds=5)}
    assert function_of("list-resource-groups") == "list_resource_groups"
    assert timedelta(hours=1) < LOOK_BACK


@pytest.mark.parametrize(
    ("testimony", "jobs", "text"),
    [
        (None, 0, "no occurrence had to be judged yet"),
        (
            Testimony(reason="no workspace is configured"),
            2,
            "2 occurrences judged by the record alone, since the request log was not read: no workspace is configured",
        ),
        (Testimony(), 1, "1 occurrence judged by the record alone, since the request log holds no call of this app"),
        (
            said(),
            3,
            (
                "3 occurrences judged by record and request log, which holds calls of this app from"
                " 2026-11-22T02:00:00Z to 2026-11-22T05:50:00Z"
            ),
        ),
    ],
    ids=["nothing", "not read", "of another app", "read"],
)
def test_what_a_run_of_the_watchdog_knew(testimony: Testimony | None, jobs: int, text: str) -> None:
    assert evidence_of(testimony, jobs) == text
