"""The dashboard's view of the store: what counts as last, what waits for a person, and what damage costs."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared_code.dashboard import RUNS, Overview, overview
from shared_code.history import History
from shared_code.outputs import COMPLIANCE, UPCOMING
from shared_code.plan import LIFETIME
from shared_code.run_records import folder
from shared_code.runs import Order, RunScope, RunStatus
from shared_code.settings import configure
from shared_code.stop import Stop
from shared_code.store import Store, open_store
from tests.fakes import NOW
from tests.memory_store import MemoryStore
from tests.showing import SUBSCRIPTION, ended, fill, record

CONFIG = b'[jobs.cleanup]\nschedule = "0 0 6 * * *"\n[jobs.cleanup.rules.expired]\n'


def told(store: Store, config: bytes = CONFIG) -> Overview:
    """What one look tells."""
    return overview(configure(config, "steward.toml", {}), store, Stop(store, lambda: NOW), NOW)


@pytest.fixture(name="store")
def _store() -> MemoryStore:
    return MemoryStore()


def test_an_empty_store_shows_the_jobs_and_nothing_else(store: MemoryStore) -> None:
    found = told(store)

    assert [job.name for job in found.jobs] == ["cleanup", "list-resource-groups", "tag-audit", "watchdog"]
    assert (found.runs, found.last, found.approvals, found.standing, found.upcoming) == ((), {}, (), None, None)
    assert (found.stopped, found.left_out, found.older) == (None, (), False)


def test_everything_there_is(store: MemoryStore) -> None:
    """The last run of each job, what it has left, its history, and the names it has told."""
    runs = fill(store, NOW)

    found = told(store)

    assert {job: run.id for job, run in found.last.items()} == {job: run.id for job, run in runs.items() if run.outputs}
    assert len(found.runs) == 8
    assert [run.id for run in found.runs] == sorted((run.id for run in found.runs), reverse=True)
    assert found.upcoming is not None
    assert [each.resource_id[-7:] for each in found.upcoming.planned] == ["planned"]
    assert found.standing is not None
    assert found.standing.subscriptions[SUBSCRIPTION].name == "Shop"
    assert [len(found.history[job]) for job in ("cleanup", "tag-audit")] == [2, 2]
    assert found.names == {SUBSCRIPTION: "Shop"}
    assert found.left_out == ()


class TestLast:
    @pytest.mark.parametrize(
        "more",
        [
            {"status": RunStatus.FAILED},
            {"status": RunStatus.RUNNING, "ended": None},
            {"scope": RunScope((SUBSCRIPTION,))},
            {"undoes": "20261120T060000Z-cleanup-00000001"},
            {"outputs": ()},
        ],
        ids=["failed", "running", "narrowed", "undo", "left nothing"],
    )
    def test_only_what_tells_about_everything(self, store: MemoryStore, more: dict[str, object]) -> None:
        """A later run that failed, goes on, or saw less does not take the place of what an earlier one has shown."""
        runs = fill(store, NOW)
        late = record(store, ended("cleanup", NOW, **more))

        found = told(store)

        assert found.last["cleanup"].id == runs["cleanup"].id
        assert found.runs[0].id == late.id

    def test_a_partial_run_does(self, store: MemoryStore) -> None:
        fill(store, NOW)
        late = record(store, ended("cleanup", NOW, status=RunStatus.PARTIAL))

        assert told(store).last["cleanup"].id == late.id


class TestApprovals:
    def test_the_last_plan_waits_for_a_person(self, store: MemoryStore) -> None:
        """Of several plans the last is the one to look at."""
        runs = fill(store, NOW)

        [found] = told(store).approvals

        cleanup = runs["cleanup"]
        assert (found.plan, found.job, found.items) == (cleanup.id, "cleanup", 1)
        assert cleanup.started
        assert found.expires == cleanup.started + LIFETIME

    def test_one_that_was_applied_does_not(self, store: MemoryStore) -> None:
        plan = fill(store, NOW)["cleanup"].id
        record(store, ended("cleanup", NOW, plan=plan, order=Order(plan=plan, digest="d")))

        assert told(store).approvals == ()

    def test_one_that_was_refused_does(self, store: MemoryStore) -> None:
        plan = fill(store, NOW)["cleanup"].id
        order = Order(plan=plan, digest="d")
        record(store, ended("cleanup", NOW, plan=plan, order=order, status=RunStatus.REFUSED))

        assert [each.plan for each in told(store).approvals] == [plan]

    def test_one_that_has_expired_does_not(self, store: MemoryStore) -> None:
        fill(store, NOW - LIFETIME)

        assert told(store).approvals == ()

    def test_nothing_planned_is_nothing_to_approve(self, store: MemoryStore) -> None:
        run = ended("cleanup", NOW, counts={"planned_changes": 0})
        record(store, ended("cleanup", NOW, plan=run.id, counts={"planned_changes": 0}))

        assert told(store).approvals == ()


def test_what_was_deleted_is_told_by_run(store: MemoryStore) -> None:
    fill(store, NOW)
    deleted = record(store, ended("cleanup", NOW, counts={"deleted": 3}))
    record(store, ended("cleanup", NOW + timedelta(hours=1), counts={"skipped": 3}))

    assert [run.id for run in told(store).deletions] == [deleted.id]


def test_only_the_newest_runs_are_listed(store: MemoryStore) -> None:
    for hours in range(RUNS + 3):
        record(store, ended("watchdog", NOW - timedelta(hours=hours)))

    found = told(store)

    assert (len(found.runs), found.older) == (RUNS, True)
    assert found.runs[0].requested == NOW


def test_stop_is_told(store: MemoryStore) -> None:
    Stop(store, lambda: NOW).set("operator@example.com", "wrong tags")

    stopped = told(store).stopped

    assert stopped is not None
    assert stopped.startswith("Changes are stopped since 2026-11-22T06:00:00Z by operator@example.com: wrong tags.")


class TestDamage:
    @pytest.mark.parametrize(
        "content", [b'{"id": "half', b"\xff", b'{"odd":' + b"[" * 9999], ids=["half", "bytes", "deep"]
    )
    def test_a_record_that_cannot_be_read(self, store: MemoryStore, content: bytes) -> None:
        """It is left out, and named; all others are shown."""
        runs = fill(store, NOW)
        broken = runs["cleanup"].id
        store.write(f"runs/{broken}/run.json", content)

        found = told(store)

        assert broken not in {run.id for run in found.runs}
        assert len(found.runs) == 7
        assert found.last["cleanup"].id < broken
        assert [text for text in found.left_out if broken in text] == list(found.left_out)
        assert len(found.left_out) == 1

    def test_a_record_that_would_fill_the_memory(self, tmp_path: Path) -> None:
        """Whatever somebody has put there, the page is shown, and says what it left out."""
        store = open_store(tmp_path.as_uri())
        broken = fill(store, NOW)["cleanup"].id
        with (tmp_path / "runs" / broken / "run.json").open("r+b") as file:
            file.truncate(2**40)

        found = told(store)

        assert broken not in {run.id for run in found.runs}
        assert [text for text in found.left_out if f"{broken}/run.json" in text] == list(found.left_out)
        assert [f"has {2**40} bytes" in text for text in found.left_out] == [True]

    @pytest.mark.parametrize("content", [b"", b"[", b'{"planned": 5}', b"\xff\xfe", b'{"odd":' + b"[" * 9999])
    def test_what_a_run_has_left(self, store: MemoryStore, content: bytes) -> None:
        runs = fill(store, NOW)
        store.write(f"{folder(runs['cleanup'].id)}/{UPCOMING}", content)
        store.write(f"{folder(runs['tag-audit'].id)}/{COMPLIANCE}", content if content != b'{"planned": 5}' else b"5")

        found = told(store)

        assert (found.upcoming, found.standing) == (None, None)
        assert [name in text for name, text in zip((COMPLIANCE, UPCOMING), found.left_out, strict=True)] == [True, True]

    def test_what_an_earlier_version_has_not_left(self, store: MemoryStore) -> None:
        record(store, ended("cleanup", NOW, outputs=("report.html",)))

        found = told(store)

        assert (found.upcoming, found.left_out) == (None, ())

    def test_a_history(self, store: MemoryStore) -> None:
        fill(store, NOW)
        store.write("history/cleanup.ndjson", b"no history\n")

        found = told(store)

        assert found.history["cleanup"] == ()
        assert len(found.history["tag-audit"]) == len(History(store, "tag-audit").last(9))
        assert len(found.left_out) == 1

    def test_what_is_not_ours(self, store: MemoryStore) -> None:
        """Folders that no run has made are nobody's business here."""
        store.write("runs/lost+found/x".replace("+", "-"), b"")
        store.write("runs/20261122T060000Z-cleanup-00000000/notes.txt", b"mine")

        found = told(store)

        assert (found.runs, found.left_out) == ((), ())
