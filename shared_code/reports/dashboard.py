"""The dashboard's pages: a shell without any data, and what it fetches with the reader's key."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from shared_code import runbooks
from shared_code.compliance import Count, Row
from shared_code.dashboard import Overview
from shared_code.history import HistoryEntry
from shared_code.model import UNREAD
from shared_code.plan import Plan
from shared_code.reports.charts import Point, numbers, trend
from shared_code.reports.page import Markup, inline, page
from shared_code.runs import Run
from shared_code.snoozes import snooze_id
from shared_code.times import duration_text

POLICY = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What the shell may do besides its own script and styles: talk to where it comes from."""
_SCRIPTS, _STYLES = ("dashboard/dashboard.js", "tables.js"), ("report.css", "dashboard/dashboard.css")
ROWS = 10
"""Subscriptions and owners that are shown; the report of the audit has them all."""


def policy() -> str:
    """Return the Content-Security-Policy of the shell, which what it shows is under too."""
    scripts = " ".join(inline(name).source for name in _SCRIPTS)
    styles = " ".join(inline(name).source for name in _STYLES)
    return f"{POLICY}; script-src {scripts}; style-src {styles}"


def shell() -> bytes:
    """Return the page that asks for a key and shows nothing before it has one."""
    return b"".join(page("dashboard/shell.html"))


def overview_page(overview: Overview) -> Iterator[bytes]:
    """Give what one look tells, to be put into the shell."""
    return page(
        "dashboard/overview.html",
        overview=overview,
        links=_Links(overview.names),
        charts=_charts(overview.history),
        percent=_percent(overview.history.get("tag-audit", ())),
        subscriptions=_worst(list(overview.standing.subscriptions.values())) if overview.standing else [],
        owners=_worst(list(overview.standing.owners.rows.values())) if overview.standing else [],
        took=took,
        near=partial(near, overview.at),
        snooze_id=snooze_id,
        runbooks=runbooks,
    )


def run_page(run: Run) -> Iterator[bytes]:
    """Give one run, to be put into the shell."""
    unread = [each for each in run.subscriptions if each.reading in UNREAD]
    return page("dashboard/run.html", run=run, unread=unread, took=took, runbook=runbooks.runbook_of(run))


def approval_page(plan: Plan, refusal: str | None) -> Iterator[bytes]:
    """Give a plan with what approving it takes, to be put into the shell; or why it would be refused now."""
    return page("dashboard/plan.html", plan=plan, refusal=refusal)


def took(run: Run) -> str:
    """Return how long a run took, in words; nothing while it has not ended."""
    return duration_text(run.ended - run.started) if run.started and run.ended else ""


def near(now: datetime, moment: datetime) -> str:
    """Return how far a moment is from now, in words: `in 3 h 20 min`, `5 days ago`."""
    away = abs(moment - now)
    words = f"{away.days} days" if away >= timedelta(days=2) else duration_text(away)
    return f"in {words}" if moment > now else f"{words} ago"


class _Links(NamedTuple):
    """Names of subscriptions, for whoever reads their ids."""

    names: Mapping[str, str]

    def subscription(self, subscription_id: str) -> str:
        """Return its name where a run has told it, else its id."""
        return self.names.get(subscription_id.casefold()) or subscription_id


class Bar(NamedTuple):
    """A row of compliance: percent is None where there was nothing to judge."""

    name: str
    percent: float | None
    violated: int


def _worst(rows: Sequence[Row]) -> list[Bar]:
    def badness(row: Row) -> tuple[int, str]:
        return -row.count.violated, row.name

    return [_bar(row.name, row.count) for row in sorted(rows, key=badness)[:ROWS]]


def _bar(name: str, count: Count) -> Bar:
    return Bar(name, count.percent, count.violated)


def _percent(history: Sequence[HistoryEntry]) -> float | None:
    return history[-1].percent if history else None


def _charts(history: Mapping[str, Sequence[HistoryEntry]]) -> dict[str, Markup]:
    """Draw what is looked at over time; a chart of one point says no more than the number beside it."""

    def counted(job: str, name: str, words: str) -> str:
        entries = [each for each in history.get(job, ()) if each.counts]
        points = [Point(each.taken, each.counts.get(name), each.not_read == 0) for each in entries]
        return numbers(points, words, name) if len(points) > 1 else ""

    audits = [Point(each.taken, each.percent, each.not_read == 0) for each in history.get("tag-audit", ())]
    drawn = {
        "resources": counted("list-resource-groups", "resources", "Resources over the last runs"),
        "resource_groups": counted("list-resource-groups", "resource_groups", "Resource groups over the last runs"),
        "planned": counted("cleanup", "planned", "Deletions planned over the last runs"),
        "compliance": trend(audits, "Compliance of the last runs in percent", "compliance") if len(audits) > 1 else "",
    }
    return {name: Markup(chart) for name, chart in drawn.items()}
