"""Retention: what is old enough goes, whole; what may still be needed, or is not understood, stays."""

import logging
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from shared_code.history import History, HistoryEntry
from shared_code.outcomes import Mark
from shared_code.plan import LIFETIME
from shared_code.retention import remove_old
from shared_code.run_records import RunRecords
from shared_code.run_requests import KEY_KEPT, Promise
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy, stamp_of
from shared_code.settings import JOBS
from shared_code.snoozes import Snooze, snooze_id
from shared_code.store import Stored
from tests.fakes import NOW
from tests.memory_store import MemoryStore

DAYS = 30
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
OLDEST = NOW - DAYS * DAY
"""The moment from which on a run is kept."""


@pytest.fixture(name="store")
def _store() -> MemoryStore:
    return MemoryStore()


def remove(store: MemoryStore, days: int = DAYS) -> int:
    return remove_old(store, RunRecords(store), days, NOW, lambda: None)


def name_of(at: datetime, job: str = "cleanup") -> str:
    return f"{stamp_of(at)}-{job}-0000000a"


def run(store: MemoryStore, at: datetime, ended: datetime | None = None, **fields: object) -> str:
    """Leave the run of that occurrence, which ended then, or at once; return the folder of what it left."""
    name = name_of(at)
    record = Run(
        id=name,
        job="cleanup",
        mode=Mode.PLAN,
        trigger=TriggeredBy.TIMER,
        requested=at,
        status=RunStatus.SUCCEEDED,
        ended=ended or at,
    )
    store.write(f"runs/{name}/run.json", msgspec.json.encode(msgspec.structs.replace(record, **fields)))
    store.write(f"runs/{name}/findings.ndjson", b"")
    return f"runs/{name}"


def plan(store: MemoryStore, at: datetime, begun: datetime | None = None) -> str:
    """Leave the plan of a run, and of an item that was begun then the mark; return the name of both."""
    name = name_of(at)
    store.write(f"plans/{name}.json", b"{}")
    if begun is not None:
        store.write(f"applied/{name}/000000.json", msgspec.json.encode(Mark(run=name, begun=begun, before={})))
    return name


class TestRuns:
    def test_go_whole_when_they_are_older_than_the_days(self, store: MemoryStore) -> None:
        old, last = run(store, OLDEST - SECOND), run(store, OLDEST)

        assert remove(store) == 1
        assert sorted(store.objects) == [f"{last}/findings.ndjson", f"{last}/run.json"]
        assert remove(store) == 0
        assert old not in store.folders("runs")

    def test_stay_as_long_after_their_end(self, store: MemoryStore) -> None:
        """One that was past due, or took long, has the stamp of its occurrence."""
        run(store, OLDEST - 9 * DAY, ended=OLDEST - SECOND)
        late = run(store, OLDEST - 8 * DAY, ended=OLDEST)

        assert remove(store) == 1
        assert [f"runs/{each}" for each in store.folders("runs")] == [late]

    def test_stay_until_they_have_ended(self, store: MemoryStore) -> None:
        """As the mark beside the records says, or the record itself."""
        marked = run(store, OLDEST - 9 * DAY)
        store.write(marked.replace("runs/", "open/"), b"")
        unended = run(store, OLDEST - 8 * DAY, status=RunStatus.RUNNING)
        record = msgspec.json.decode(store.objects[f"{unended}/run.json"].data, type=Run)
        store.write(f"{unended}/run.json", msgspec.json.encode(msgspec.structs.replace(record, ended=None)))

        assert remove(store) == 0
        assert [f"runs/{each}" for each in store.folders("runs")] == [marked, unended]

    def test_whose_record_is_gone_or_damaged_go_by_their_name(self, store: MemoryStore) -> None:
        damaged, gone = run(store, OLDEST - DAY), run(store, OLDEST - 2 * DAY)
        store.write(f"{damaged}/run.json", b"{")
        store.delete(f"{gone}/run.json")

        assert remove(store) == 2
        assert store.objects == {}

    def test_a_young_one_stays_whatever_its_record_says(self, store: MemoryStore) -> None:
        young = run(store, OLDEST)
        store.write(f"{young}/run.json", b"{")

        assert remove(store) == 0
        assert len(store.objects) == 2

    def test_the_record_goes_last(self) -> None:
        """As long as anything is left of a run, it says what that was."""
        gone: list[str] = []

        class Noting(MemoryStore):
            def delete(self, key: str) -> None:
                gone.append(key)
                super().delete(key)

        store = Noting()
        old = run(store, OLDEST - DAY)
        store.write(f"{old}/things.ndjson", b"")

        remove(store)

        assert [key.rpartition("/")[2] for key in gone] == ["findings.ndjson", "things.ndjson", "run.json"]

    def test_one_that_stays_is_in_nobodys_way(self, store: MemoryStore) -> None:
        run(store, OLDEST - 9 * DAY, ended=NOW)
        run(store, OLDEST - 8 * DAY)

        assert remove(store) == 1


class TestPlans:
    def test_go_with_their_marks_when_they_are_older_than_the_days(self, store: MemoryStore) -> None:
        plan(store, OLDEST - SECOND, begun=OLDEST - SECOND)
        last = plan(store, OLDEST, begun=OLDEST - DAY)

        remove(store)

        assert sorted(store.objects) == [f"applied/{last}/000000.json", f"plans/{last}.json"]

    def test_stay_as_long_after_they_were_applied(self, store: MemoryStore) -> None:
        """What was changed then may have to be undone."""
        lately = plan(store, OLDEST - DAY, begun=OLDEST)

        remove(store)

        assert list(store.keys("plans")) == [f"plans/{lately}.json"]

    def test_stay_while_they_may_be_applied(self, store: MemoryStore) -> None:
        """However few the days."""
        plan(store, NOW - LIFETIME - SECOND)
        fresh = plan(store, NOW - LIFETIME)

        remove(store, days=1)

        assert list(store.keys("plans")) == [f"plans/{fresh}.json"]

    def test_one_that_nobody_understands_stays_and_is_said(
        self, store: MemoryStore, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nobody knows what was done."""
        odd = plan(store, OLDEST - 2 * DAY)
        store.write(f"applied/{odd}/000000.json", b"{")
        plan(store, OLDEST - DAY)

        remove(store)

        assert list(store.keys("plans")) == [f"plans/{odd}.json"]
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "nobody knows what was done" in caplog.text


def test_tombstones_go_after_a_year(store: MemoryStore) -> None:
    """However few or many the days."""
    year = NOW - 365 * DAY
    old, last = (f"tombstones/{name_of(at)}/000000.json" for at in (year - SECOND, year))
    for each in (old, last):
        store.write(each, b"{}")

    remove(store, days=1)
    remove(store, days=9000)

    assert list(store.keys("tombstones")) == [last]


def test_history_goes_with_its_runs(store: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
    """That of a job which cannot be read is said, and does not stand in the way of the others."""
    store.write("history/cleanup.ndjson", b"{")
    audits = History(store, "tag-audit")
    for at in (OLDEST - SECOND, OLDEST):
        audits.append(HistoryEntry(run=name_of(at), taken=at, status=RunStatus.SUCCEEDED, percent=None))

    remove(store)

    assert [each.taken for each in audits.last(9)] == [OLDEST]
    assert store.objects["history/cleanup.ndjson"].data == b"{"
    assert "The history 'history/cleanup.ndjson' cannot be read" in caplog.text


def test_snoozes_can_be_seen_for_a_month_after_their_end(store: MemoryStore) -> None:
    ends = [NOW - timedelta(days=30, seconds=seconds) for seconds in (0, 1)]
    for number, until in enumerate(ends):
        snooze = Snooze(resource_id=f"/{number}", rule="r", until=until, by="operator", reason="so", at=OLDEST)
        store.write(f"snoozes/{snooze_id('r', f'/{number}')}.json", msgspec.json.encode(snooze))

    remove(store)

    assert list(store.keys("snoozes")) == [f"snoozes/{snooze_id('r', '/0')}.json"]


def test_an_idempotency_key_is_forgotten_after_a_day(store: MemoryStore, caplog: pytest.LogCaptureFixture) -> None:
    """One that cannot be read stays, so that nobody gets a second run for it; it is said."""
    for name, at in (("b", NOW - KEY_KEPT - SECOND), ("c", NOW - KEY_KEPT)):
        store.write(f"requests/{name}.json", msgspec.json.encode(Promise(run="r", wanted="w", job="cleanup", at=at)))
    store.write("requests/a.json", b"{")

    remove(store)

    assert list(store.keys("requests")) == ["requests/a.json", "requests/c.json"]
    assert "The request 'requests/a.json' cannot be read" in caplog.text


def test_an_idempotency_key_that_somebody_else_removes_meanwhile() -> None:
    """Two processes may tidy up at once."""

    class Raced(MemoryStore):
        def read(self, key: str) -> Stored | None:
            return None if key == "requests/a.json" else super().read(key)

    store = Raced()
    old = msgspec.json.encode(Promise(run="r", wanted="w", job="cleanup", at=NOW - 2 * KEY_KEPT))
    for name in "ab":
        store.write(f"requests/{name}.json", old)

    remove(store)

    assert "requests/b.json" not in store.objects


def test_what_is_none_of_stewards_stays(store: MemoryStore) -> None:
    """Whoever keeps something of his own in the store finds it again."""
    names = ["runs/0-notes/a.txt", "plans/0-notes.json", "tombstones/0-notes/a.json"]
    for name in names:
        store.write(name, b"")

    assert remove(store) == 0
    assert sorted(store.objects) == sorted(names)


def test_it_asks_before_each_removal_whether_to_go_on(store: MemoryStore) -> None:
    """Whoever is told to stop has removed nothing since."""
    for days in (1, 2):
        run(store, OLDEST - days * DAY)
        plan(store, OLDEST - (days + 2) * DAY, begun=OLDEST - DAY)
        store.write(f"tombstones/{name_of(NOW - (days + 400) * DAY)}/000000.json", b"{}")
        promise = Promise(run="r", wanted="w", job="cleanup", at=OLDEST)
        store.write(f"requests/{days}.json", msgspec.json.encode(promise))
    for job in JOBS:
        entry = HistoryEntry(run="r", taken=OLDEST - DAY, status=RunStatus.SUCCEEDED, percent=None)
        History(store, job).append(entry)
    snooze = Snooze(resource_id="/x", rule="r", until=OLDEST - DAY, by="operator", reason="so", at=OLDEST)
    store.write(f"snoozes/{snooze_id('r', '/x')}.json", msgspec.json.encode(snooze))
    states = [dict(store.objects)]

    assert remove_old(store, RunRecords(store), DAYS, NOW, lambda: states.append(dict(store.objects))) == 2

    assert {key: stored.data for key, stored in store.objects.items()} == {f"history/{job}.ndjson": b"" for job in JOBS}
    for before, after in pairwise([*states, store.objects]):
        changed = {key for key, stored in before.items() if after.get(key) != stored}
        things = {key.split("/")[1].partition(".")[0] for key in changed}
        assert len(things) <= 1
