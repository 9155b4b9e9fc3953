"""The report of list-resource-groups: the page about every group, and what has changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from shared_code.group_changes import GroupChange
from shared_code.history import HistoryEntry
from shared_code.model import UNREAD, Reading, ResourceGroup, Verdict
from shared_code.reports.charts import Point, numbers
from shared_code.reports.page import SHOWN, Markup, page
from shared_code.runs import Run, RunStatus


class ResourceGroupsReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of resource groups has to say.

    `types` counts resources by type, the most frequent first; `history` is what earlier runs over the whole scope
    counted, and this one if it was one, in the order of time.
    """

    run: Run
    status: RunStatus
    ended: datetime
    counts: Mapping[str, int]
    verdicts: Sequence[Verdict]
    changes: Iterable[GroupChange]
    types: Sequence[tuple[str, int]]
    groups: Iterable[ResourceGroup]
    history: Sequence[HistoryEntry] = ()
    csv: str = "resource-groups.csv"


def resource_groups_page(report: ResourceGroupsReport) -> Iterator[bytes]:
    """Give the page in pieces; of groups and of changes no more than are shown are asked for."""
    compared = [each.changes for each in report.verdicts if each.changes is not None]
    points = [Point(each.taken, each.counts.get("resource_groups"), whole=not each.not_read) for each in report.history]
    return page(
        "resource_groups.html",
        report=report,
        run=report.run,
        unread=[each for each in report.verdicts if each.reading in UNREAD],
        skipped=[each for each in report.verdicts if each.reading is Reading.SKIPPED],
        compared=bool(compared),
        changed=sum(sum(each.values()) for each in compared),
        changes=islice(report.changes, SHOWN),
        groups=islice(report.groups, SHOWN),
        shown=SHOWN,
        # A chart of one point says no more than the number beside it.
        chart=Markup(numbers(points, "Resource groups over the last runs", "groups") if len(points) > 1 else ""),
    )
