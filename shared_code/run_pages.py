"""Runs, a page at a time."""

from typing import NamedTuple

from shared_code.run_records import RunRecords
from shared_code.runs import Run, RunStatus

LOOKED_AT = 500
"""Records that are read for one page at most, so that a rare status does not read them all."""


class RunPage(NamedTuple):
    """Some runs, newest first and without their verdicts, and before which run to go on; None at the end.

    Where runs are chosen by status, a page may be short, or empty, and yet not be the last.
    """

    runs: list[Run]
    before: str | None


def run_page(
    records: RunRecords,
    limit: int,
    *,
    job: str | None = None,
    status: RunStatus | None = None,
    before: str | None = None,
) -> RunPage:
    """Read a page.

    Args:
        records: the runs.
        limit: runs of a page at most.
        job: only this job's.
        status: only those that were so when they were read.
        before: only runs older than the one of this id.

    Raises:
        StoreError: the store cannot be read.
    """
    found: list[Run] = []
    last = None
    for number, run in enumerate(records.newest_readable(job, before)):
        if len(found) == limit or number == LOOKED_AT:
            return RunPage(found, last)
        last = run.id
        if status in (None, run.status):
            found.append(run.brief)
    return RunPage(found, None)
