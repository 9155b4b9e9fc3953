"""Run records: first written, changed only from the version that was read, listed newest first."""

from pathlib import Path

import msgspec
import pytest

from shared_code.errors import Changed, StoreError, Unknown
from shared_code.run_records import RunRecords
from shared_code.runs import Mode, Run, RunStatus, TriggeredBy
from shared_code.store import open_store
from tests.stores import DeadAfter, Killed
from tests.world import NOON, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(open_store(tmp_path.as_uri()))


def run_of(day: int, job: str = "watchdog") -> Run:
    run_id = f"202611{day:02}T050000Z-{job}-0000000a"
    return Run(id=run_id, job=job, mode=Mode.PLAN, trigger=TriggeredBy.TIMER, requested=NOON)


def test_a_run_is_created_once(world: World) -> None:
    """A second creation changes nothing and says so."""
    run = run_of(1)
    assert world.records().create(run)

    assert not world.records().create(msgspec.structs.replace(run, requested_by="somebody else"))
    assert world.records().get(run.id).run == run


def test_a_change_from_an_old_version_is_refused(world: World) -> None:
    """Two processes never write over each other."""
    run = run_of(1)
    world.records().create(run)
    old = world.records().get(run.id)
    world.records().change(msgspec.structs.replace(run, attempt=1), old.etag)

    with pytest.raises(Changed):
        world.records().change(msgspec.structs.replace(run, attempt=2), old.etag)
    assert world.records().get(run.id).run.attempt == 1


def test_runs_are_listed_newest_first(world: World) -> None:
    """By job and before a run, if asked; foreign folders are no runs."""
    for day, job in ((1, "watchdog"), (2, "list-resource-groups"), (3, "watchdog")):
        world.records().create(run_of(day, job))
    world.store.write("runs/not-a-run/run.json", b"{}")

    newest = list(world.records().newest())

    assert [run_id[:8] for run_id in newest] == ["20261103", "20261102", "20261101"]
    assert list(world.records().newest("watchdog")) == [newest[0], newest[2]]
    assert list(world.records().newest(before=newest[0])) == newest[1:]


def test_an_open_run_is_marked_until_it_ends(world: World) -> None:
    """So that the sweeper finds it without reading every record."""
    run = run_of(1)
    world.records().create(run)
    assert world.records().open() == [run.id]

    recorded = world.records().get(run.id)
    world.records().change(msgspec.structs.replace(run, status=RunStatus.FAILED), recorded.etag)

    assert world.records().open() == []


def test_a_missing_run_is_unknown(world: World) -> None:
    """The text says where to look."""
    with pytest.raises(
        Unknown, match=r"There is no run '20261101T.*'; list the runs with 'steward runs' or GET /api/runs"
    ):
        world.records().get(run_of(1).id)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"id": 1}'], ids=["empty", "no fields", "bytes", "type"])
def test_a_damaged_record_is_an_error_and_not_a_missing_run(world: World, content: bytes) -> None:
    """Half-written or foreign: it says which run, and never looks absent."""
    run = run_of(1)
    world.store.write(f"runs/{run.id}/run.json", content)

    with pytest.raises(StoreError, match=rf"^The record of run '{run.id}' cannot be read: "):
        world.records().get(run.id)


def test_a_key_of_a_later_version_is_left_alone(world: World) -> None:
    """As long as that version does not say that whoever does not know the key does wrong."""
    run = run_of(1)
    document = {**msgspec.to_builtins(run), "something_new": {"a": 1}}
    world.store.write(f"runs/{run.id}/run.json", msgspec.json.encode(document))

    assert world.records().get(run.id).run == run


def test_the_mark_is_written_before_the_record(world: World) -> None:
    """A process killed in between leaves a mark without a run, never a run without a mark."""
    run = run_of(1)
    with pytest.raises(Killed):
        RunRecords(DeadAfter(world.store, 1, after=True)).create(run)

    assert world.records().open() == [run.id]
    assert world.store.folders("runs") == []


def test_creating_an_ended_run_again_leaves_no_mark(world: World) -> None:
    """As a tick that is delivered twice does."""
    run = run_of(1)
    world.records().create(run)
    recorded = world.records().get(run.id)
    world.records().change(msgspec.structs.replace(run, status=RunStatus.SUCCEEDED), recorded.etag)

    assert not world.records().create(run)
    assert world.records().open() == []
