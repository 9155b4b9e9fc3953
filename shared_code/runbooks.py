"""Runbooks: which page helps with what was said; they are in the repository, beside the code."""

from shared_code.errors import AccessDenied, AzureError, SettingsError, Stopped, StoreError, Unavailable
from shared_code.runs import Run, RunStatus

CONFIGURATION = "runbooks/a-job-is-refused.md"
STOPPED = "runbooks/stop-all-changes-now.md"
MISSED = "runbooks/a-schedule-was-missed.md"
FAILED = "runbooks/a-run-failed.md"
_PLANS = {"cleanup": "runbooks/review-and-approve-a-cleanup-plan.md", "tag-audit": "runbooks/fix-tags-from-a-plan.md"}

_ERRORS: dict[type[Exception], str] = {
    Stopped: STOPPED,
    Unavailable: CONFIGURATION,
    SettingsError: CONFIGURATION,
    StoreError: "runbooks/check-an-installation.md",
    AccessDenied: "runbooks/give-access-to-a-subscription.md",
    AzureError: "runbooks/check-an-installation.md",
}


def runbook_for(error: Exception) -> str | None:
    """Return the page that helps with an error; None where its sentence says all there is."""
    return next((_ERRORS[kind] for kind in type(error).__mro__ if kind in _ERRORS), None)


def runbook_of(run: Run) -> str | None:
    """Return the page for a run that did not end well; None where there is nothing to do."""
    if run.status not in (RunStatus.FAILED, RunStatus.PARTIAL, RunStatus.REFUSED):
        return None
    if run.order:
        return _PLANS.get(run.job, FAILED)
    return "runbooks/a-run-is-partial.md" if run.status is RunStatus.PARTIAL else FAILED
