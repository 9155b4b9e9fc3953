"""The reports of an application of a plan: what became of every item."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

import msgspec

from shared_code.apply import Applied
from shared_code.outcomes import Outcome, Result
from shared_code.outputs import OUTCOMES_CSV
from shared_code.plan import Action
from shared_code.reports.page import SHOWN, page
from shared_code.reports.spreadsheet import rows
from shared_code.runs import Run, RunStatus

CSV_HEADER = (
    "outcome", "reason", "action", "rule", "resource_id", "subscription_id", "change", "writes", "at", "plan", "item",
    "before", "after", "tombstone",
)  # fmt: skip


def outcomes_page(run: Run, status: RunStatus, error: str | None, applied: Applied, ended: datetime) -> Iterator[bytes]:
    """Give the page in pieces: failed first, then what was left alone, then what was done.

    Args:
        run: that applied the plan.
        status: how it ended.
        error: why, in a sentence; None if all went well.
        applied: what became of the items.
        ended: UTC.
    """
    order = {Result.FAILED: 0, Result.DELETING: 1, Result.SKIPPED: 2}
    outcomes = sorted(applied.outcomes, key=lambda each: (order.get(each.outcome, 3), each.item))
    return page(
        "outcomes.html",
        run=run,
        status=status,
        error=error,
        counts=applied.counts,
        deletes=applied.plan.has(Action.DELETE),
        ended=ended,
        outcomes=islice(outcomes, SHOWN),
        number=len(outcomes),
        shown=min(SHOWN, len(outcomes)),
        csv=OUTCOMES_CSV,
    )


def outcomes_csv(outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """Give the outcomes as CSV in pieces, in their order; the tags before and after are JSON in their cells."""
    encode = msgspec.json.Encoder(order="deterministic").encode

    def tags(value: dict[str, str | None] | None) -> str | None:
        return None if value is None else encode(value).decode()

    return rows(
        CSV_HEADER,
        (
            (
                one.outcome,
                one.reason,
                one.action,
                one.rule,
                one.resource_id,
                one.subscription_id,
                one.words,
                one.writes,
                one.at.isoformat().replace("+00:00", "Z"),
                one.plan,
                one.item,
                tags(one.before),
                tags(one.after),
                one.tombstone,
            )
            for one in outcomes
        ),
    )
