"""Pages of runs: each run that is wanted on one page, newest first, and no page reads them all."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.model import Reading, Verdict
from shared_code.run_pages import LOOKED_AT, run_page
from shared_code.run_records import RunRecords
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy, run_id
from shared_code.store import Stored
from tests.fakes import NOW
from tests.memory_store import MemoryStore

JOBS = ("tag-audit", "watchdog")


class Counting(MemoryStore):
    """Counts the records that are read."""

    reads = 0

    def read(self, key: str) -> Stored | None:
        self.reads += 1
        return super().read(key)


def recorded(statuses: list[RunStatus]) -> tuple[Counting, list[Run]]:
    """Record a run for each status, a minute apart, and give them newest first."""
    store = Counting()
    runs: list[Run] = []
    for number, status in enumerate(statuses):
        job, at = JOBS[number % 2], NOW + timedelta(minutes=number)
        verdict = Verdict(subscription_id="s", subscription_name="S", reading=Reading.COMPLETE)
        run = Run(
            id=run_id(job, at, occurrence=True),
            job=job,
            mode=Mode.PLAN,
            trigger=TriggeredBy.TIMER,
            requested=at,
            status=status,
            subscriptions=(verdict,),
        )
        store.write(f"runs/{run.id}/run.json", msgspec.json.encode(run))
        runs.append(run)
    return store, runs[::-1]


@given(
    statuses=some.lists(some.sampled_from(list(RunStatus)), max_size=12), limit=some.integers(1, 5), data=some.data()
)
def test_every_wanted_run_is_on_one_page(statuses: list[RunStatus], limit: int, data: some.DataObject) -> None:
    store, runs = recorded(statuses)
    job = data.draw(some.sampled_from([None, *JOBS]))
    status = data.draw(some.sampled_from([None, *RunStatus]))

    pages = [run_page(RunRecords(store), limit, job=job, status=status)]
    while (before := pages[-1].before) is not None:
        pages.append(run_page(RunRecords(store), limit, job=job, status=status, before=before))

    wanted = [each.brief for each in runs if job in (None, each.job) and status in (None, each.status)]
    assert [run for page in pages for run in page.runs] == wanted
    assert all(len(page.runs) == limit for page in pages[:-1])


def test_a_rare_status_does_not_read_them_all() -> None:
    """A page may be empty, and leads on to the one that has it."""
    store, runs = recorded([RunStatus.FAILED, *[RunStatus.SUCCEEDED] * (LOOKED_AT + 5)])

    first = run_page(RunRecords(store), 10, status=RunStatus.FAILED)
    reads = store.reads
    second = run_page(RunRecords(store), 10, status=RunStatus.FAILED, before=first.before)

    assert (first.runs, first.before) == ([], runs[LOOKED_AT - 1].id)
    assert reads == LOOKED_AT + 1
    assert ([run.id for run in second.runs], second.before) == ([runs[-1].id], None)


def test_before_a_run_that_is_gone() -> None:
    """A page is a place in time, so it stays where it is when runs are removed or begun meanwhile."""
    store, runs = recorded([RunStatus.SUCCEEDED] * 4)
    store.delete(f"runs/{runs[1].id}/run.json")

    assert [run.id for run in run_page(RunRecords(store), 10, before=runs[1].id).runs] == [runs[2].id, runs[3].id]


@pytest.mark.parametrize("limit", [1, 4])
def test_the_last_page_leads_nowhere(limit: int) -> None:
    store, runs = recorded([RunStatus.QUEUED] * 4)

    page = run_page(RunRecords(store), limit, before=runs[-2].id)

    assert (len(page.runs), page.before) == (1, None)
