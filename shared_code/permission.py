"""Permission: what steward.toml lets a job change in Azure, and how much of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from shared_code.errors import Refused, Stopped
from shared_code.foreign_text import one_line
from shared_code.runs import Mode
from shared_code.settings import Cleanup, Configuration, TagAudit
from shared_code.times import text_of


class Terms(NamedTuple):
    """What the configuration allows: exact subscription ids, the limits of `limits.excess`, and the rules' digest."""

    armed: Iterable[str]
    most: int
    share: float
    rules: str = ""


def terms_of(configuration: Configuration, job: str) -> Terms:
    """Return what the configuration lets a job change.

    Raises:
        Refused: the job changes nothing.
    """
    settings = configuration.jobs.get(job)
    if not isinstance(settings, TagAudit | Cleanup):
        raise Refused(f"Job '{one_line(job, 80)}' changes nothing in Azure, so there is nothing to apply.")
    most = settings.max_changes if isinstance(settings, TagAudit) else settings.max_deletions
    return Terms(settings.armed_subscriptions, most, settings.max_share, configuration.digest_of(job))


def check_window(configuration: Configuration, job: str, now: datetime) -> None:
    """Return if the job may change something at this moment.

    Raises:
        Stopped: its delete_window is not open.
    """
    settings = configuration.jobs.get(job)
    window = settings.delete_window if isinstance(settings, Cleanup) else None
    if window is not None and not window.is_open(now):
        raise Stopped(
            f"It is {text_of(now)}, and jobs.{job}.delete_window is {window} (UTC), so nothing is deleted now; what is "
            "left of the plan can be applied then."
        )


def allow_automatic(configuration: Configuration, job: str) -> None:
    """Return if a run of the job may apply what automatic rules plan, without a person.

    Raises:
        Refused: steward.toml does not, or no longer, say so.
    """
    settings = configuration.jobs.get(job)
    if not isinstance(settings, TagAudit | Cleanup):
        raise Refused(
            f"Job '{one_line(job, 80)}' changes nothing in Azure, so there is nothing to apply; use mode 'plan'."
        )
    if settings.mode is not Mode.APPLY:
        raise Refused(
            f"jobs.{job}.mode is 'plan' in steward.toml, so nothing is applied without a person; approve a plan with "
            "'steward apply', or write mode = \"apply\"."
        )
    if not settings.armed_subscriptions:
        raise Refused(
            f"Job '{job}' has no armed subscription, so nothing could be applied; add exact ids to "
            f"jobs.{job}.armed_subscriptions in steward.toml."
        )
