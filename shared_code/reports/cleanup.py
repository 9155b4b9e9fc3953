"""The reports of a cleanup: what the page and the spreadsheet say about every decision."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest

import msgspec

from shared_code.eligibility import Decided, Decision
from shared_code.model import UNREAD, Reading, Verdict
from shared_code.pending_deletions import FollowedUp
from shared_code.reports.page import SHOWN, page
from shared_code.reports.spreadsheet import rows
from shared_code.runs import Run, RunStatus
from shared_code.times import text_of

_ORDER = {decided: place for place, decided in enumerate((Decided.PLANNED, Decided.UNREAD, Decided.WAITING))}

CSV_HEADER = (
    "decision", "rule", "resource_id", "type", "subscription_id", "detail", "reasons", "due", "mode", "first_seen",
    "last_seen", "times_seen", "created", "evidence",
)  # fmt: skip


class CleanupReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a cleanup has to say.

    `number` is how many decisions there are; `followed` is what became of deletions that earlier runs began;
    `error` says why the run did not end well.
    """

    run: Run
    status: RunStatus
    ended: datetime
    counts: Mapping[str, int]
    verdicts: Sequence[Verdict]
    decisions: Iterable[Decision]
    number: int
    followed: Sequence[FollowedUp] = ()
    plan: str | None = None
    error: str | None = None
    csv: str = "decisions.csv"


def cleanup_page(report: CleanupReport) -> Iterator[bytes]:
    """Give the page in pieces: what is planned first, then what nobody could look at, then what waits."""
    first = nsmallest(SHOWN, report.decisions, key=lambda each: _ORDER.get(each.decision, len(_ORDER)))
    return page(
        "cleanup.html",
        report=report,
        run=report.run,
        unread=[each for each in report.verdicts if each.reading in UNREAD],
        skipped=[each for each in report.verdicts if each.reading is Reading.SKIPPED],
        names={each.subscription_id.casefold(): each.subscription_name for each in report.verdicts},
        decisions=first,
        shown=len(first),
    )


def cleanup_csv(decisions: Iterable[Decision]) -> Iterator[bytes]:
    """Give the decisions as CSV in pieces, in their order."""
    encode = msgspec.json.Encoder(order="deterministic").encode

    def moment(value: datetime | None) -> str | None:
        return text_of(value) if value else None

    return rows(
        CSV_HEADER,
        (
            (
                one.decision,
                one.rule,
                one.resource_id,
                one.type,
                one.subscription_id,
                one.detail,
                "; ".join(one.reasons),
                moment(one.due),
                one.mode,
                moment(one.first_seen),
                moment(one.last_seen),
                one.times_seen,
                moment(one.created),
                encode(one.evidence).decode() if one.evidence else None,
            )
            for one in decisions
        ),
    )
