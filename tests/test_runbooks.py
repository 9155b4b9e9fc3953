"""Which page helps with a run; tests/docs checks that each page is there."""

import pytest

from shared_code.errors import (
    AccessDenied,
    Damaged,
    Refused,
    SettingsError,
    Stopped,
    Throttled,
    Unavailable,
    Unknown,
)
from shared_code.runbooks import runbook_for, runbook_of
from shared_code.runs import Order, RunStatus
from tests.fakes import NOW
from tests.showing import ended

ORDER = Order(plan="20261122T060000Z-cleanup-00000001", digest="d")


@pytest.mark.parametrize(
    ("job", "status", "order", "page"),
    [
        ("cleanup", RunStatus.SUCCEEDED, None, None),
        ("cleanup", RunStatus.CANCELLED, None, None),
        ("cleanup", RunStatus.RUNNING, ORDER, None),
        ("cleanup", RunStatus.FAILED, None, "runbooks/a-run-failed.md"),
        ("cleanup", RunStatus.PARTIAL, None, "runbooks/a-run-is-partial.md"),
        ("watchdog", RunStatus.REFUSED, None, "runbooks/a-run-failed.md"),
        ("cleanup", RunStatus.FAILED, ORDER, "runbooks/review-and-approve-a-cleanup-plan.md"),
        ("tag-audit", RunStatus.PARTIAL, ORDER, "runbooks/fix-tags-from-a-plan.md"),
    ],
)
def test_the_page_for_a_run(job: str, status: RunStatus, order: Order | None, page: str | None) -> None:
    """None where there is nothing to do; what applied a plan has a page of its own."""
    assert runbook_of(ended(job, NOW, status=status, order=order)) == page


@pytest.mark.parametrize(
    ("error", "page"),
    [
        (Stopped("s"), "runbooks/stop-all-changes-now.md"),
        (Unavailable("u"), "runbooks/a-job-is-refused.md"),
        (SettingsError(["s"]), "runbooks/a-job-is-refused.md"),
        (Damaged("d"), "runbooks/check-an-installation.md"),
        (AccessDenied("a"), "runbooks/give-access-to-a-subscription.md"),
        (Throttled("t"), "runbooks/check-an-installation.md"),
        (Refused("r"), None),
        (Unknown("u"), None),
        (ValueError("v"), None),
    ],
)
def test_the_page_for_an_error(error: Exception, page: str | None) -> None:
    """None where its sentence says what to do."""
    assert runbook_for(error) == page
