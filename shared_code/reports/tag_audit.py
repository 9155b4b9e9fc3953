"""The reports of a tag audit: what the page and the spreadsheet say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice

import msgspec

from shared_code.compliance import Compliance, Row
from shared_code.history import HistoryEntry
from shared_code.model import UNREAD, Finding, Reading, Verdict
from shared_code.reports.charts import Point, trend
from shared_code.reports.page import SHOWN, Markup, page
from shared_code.reports.spreadsheet import rows
from shared_code.runs import Run, RunStatus

WORST = 10
"""Resource groups and owners on top of the page."""


class TagAuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a tag audit has to say.

    `history` ends with this run. `findings` are in order, with `first_seen`; `number` is how many there are. `new` and
    `fixed` are None where there was no run to compare with. `unevaluated` says why a rule could not be evaluated, by
    its name; `changes` counts what the run has applied, by outcome, and `error` says why it did not end well. `csv` is
    the name of the file with all findings.
    """

    run: Run
    status: RunStatus
    ended: datetime
    compliance: Compliance
    verdicts: Sequence[Verdict]
    findings: Iterable[Finding]
    number: int
    new: int | None = None
    fixed: int | None = None
    history: Sequence[HistoryEntry] = ()
    unevaluated: Mapping[str, str] = {}
    changes: Mapping[str, int] = {}
    error: str | None = None
    csv: str = "findings.csv"


def tag_audit_page(report: TagAuditReport) -> Iterator[bytes]:
    """Give the page in pieces; of the findings no more than are shown are asked for."""
    compliance = report.compliance
    return page(
        "tag_audit.html",
        report=report,
        run=report.run,
        total=compliance.total,
        unread=[each for each in report.verdicts if each.reading in UNREAD],
        skipped=[each for each in report.verdicts if each.reading is Reading.SKIPPED],
        chart=Markup(_chart(report)),
        worst={
            "resource groups": compliance.resource_groups.worst(WORST),
            "owners": compliance.owners.worst(WORST),
        },
        subscriptions=_subscriptions(report),
        names=_names(report.verdicts),
        findings=islice(report.findings, SHOWN),
        shown=min(SHOWN, report.number),
        severities={"high": 3, "medium": 2, "low": 1},
    )


CSV_HEADER = (
    "severity", "rule", "kind", "resource_id", "subscription_id", "subscription_name", "detail", "first_seen", "new",
    "evidence",
)  # fmt: skip


def tag_audit_csv(findings: Iterable[Finding], verdicts: Sequence[Verdict], run: Run) -> Iterator[bytes]:
    """Give the findings as CSV in pieces.

    Args:
        findings: in order, with `first_seen`.
        verdicts: tell the names of the subscriptions.
        run: whose findings they are.
    """
    names = _names(verdicts)
    encode = msgspec.json.Encoder(order="deterministic").encode
    return rows(
        CSV_HEADER,
        (
            (
                one.severity,
                one.rule,
                one.kind,
                one.resource_id,
                one.subscription_id,
                names.get((one.subscription_id or "").casefold()),
                one.detail,
                _written(one.first_seen) if one.first_seen else None,
                "yes" if is_new(one, run) else "no",
                encode(one.evidence).decode() if one.evidence else None,
            )
            for one in findings
        ),
    )


def is_new(finding: Finding, run: Run) -> bool:
    """Whether no run before this one has seen it."""
    return finding.first_seen is not None and run.started is not None and finding.first_seen >= run.started


@lru_cache(1024)  # there are only so many runs that can have seen something first
def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _names(verdicts: Sequence[Verdict]) -> dict[str, str]:
    return {each.subscription_id.casefold(): each.subscription_name for each in verdicts}


def _chart(report: TagAuditReport) -> str:
    points = [Point(each.taken, each.percent, each.not_read == 0) for each in report.history]
    return trend(points, "Compliance of the last runs in percent")


def _subscriptions(report: TagAuditReport) -> list[tuple[Verdict, Row | None]]:
    counted = report.compliance.subscriptions
    return [(each, counted.get(each.subscription_id.casefold())) for each in report.verdicts]
