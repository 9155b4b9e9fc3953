"""The history of a job: one line for each run, however often it is told."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.errors import Changed, Damaged
from shared_code.history import History, HistoryEntry
from shared_code.runs import RunStatus
from shared_code.store import Store, open_store
from tests.fakes import NOW
from tests.stores import Lossy, Passing

DAY = timedelta(days=1)


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """An empty local store."""
    return open_store(tmp_path.as_uri())


def entry(day: int, **fields: Any) -> HistoryEntry:
    return HistoryEntry(
        run=f"run-{day}",
        taken=NOW + day * DAY,
        status=RunStatus.SUCCEEDED,
        percent=99.5,
        rules={"owner": 99.5, "none": None},
        **fields,
    )


def test_there_is_none_at_first(store: Store) -> None:
    assert History(store, "tag-audit").last(10) == []


@given(days=some.lists(some.integers(0, 6), max_size=12), number=some.integers(0, 4))
@settings(deadline=None, max_examples=30)
def test_each_run_has_one_line_in_the_order_of_time(
    tmp_path_factory: pytest.TempPathFactory, days: list[int], number: int
) -> None:
    """Told again, as by a run that was resumed, it replaces what it said."""
    history = History(open_store(tmp_path_factory.mktemp("history").as_uri()), "tag-audit")
    for new, day in enumerate(days):
        history.append(entry(day, new=new))

    latest = {day: new for new, day in enumerate(days)}
    everything = [entry(day, new=latest[day]) for day in sorted(latest)]
    assert history.last(100) == everything
    assert history.last(number) == (everything[-number:] if number else [])


def test_what_is_too_old_is_removed(store: Store) -> None:
    history = History(store, "tag-audit")
    for day in range(4):
        history.append(entry(day))

    assert history.prune(NOW + 2 * DAY) == 2
    assert history.prune(NOW + 2 * DAY) == 0
    assert [each.run for each in history.last(9)] == ["run-2", "run-3"]


def test_an_answer_that_got_lost_does_not_double_a_line(store: Store) -> None:
    for inner in (Lossy(store, "history"), store):
        history = History(FirstOnly(inner, store), "tag-audit")
        history.append(entry(1))
        history.append(entry(2))

    assert [each.run for each in History(store, "tag-audit").last(9)] == ["run-1", "run-2"]


class FirstOnly(Passing):
    """A store whose first conditional write goes another way than all that follow."""

    def __init__(self, first: Store, inner: Store) -> None:
        super().__init__(inner)
        self._first: Store | None = first

    def create(self, key: str, data: bytes) -> str:
        first, self._first = self._first, None
        return (first or self._inner).create(key, data)

    def replace(self, key: str, data: bytes, etag: str) -> str:
        first, self._first = self._first, None
        return (first or self._inner).replace(key, data, etag)


def test_another_writer_is_not_overwritten(store: Store) -> None:
    class Raced(Passing):
        left = 3

        def replace(self, key: str, data: bytes, etag: str) -> str:
            if self.left:
                self.left -= 1
                History(store, "tag-audit").append(entry(self.left))
            return super().replace(key, data, etag)

    History(store, "tag-audit").append(entry(9))
    History(Raced(store), "tag-audit").append(entry(8))

    assert [each.run for each in History(store, "tag-audit").last(9)] == [f"run-{day}" for day in (0, 1, 2, 8, 9)]


def test_one_that_never_can_be_written_is_an_error(store: Store) -> None:
    class Busy(Passing):
        def replace(self, key: str, *_: object) -> str:
            raise Changed(key)

    History(store, "tag-audit").append(entry(9))

    with pytest.raises(Changed):
        History(Busy(store), "tag-audit").append(entry(8))


@pytest.mark.parametrize("content", [b"{]", b'{"run":1}\n', b"\xff"])
def test_a_damaged_one_is_an_error_and_stays(store: Store, content: bytes) -> None:
    store.write("history/tag-audit.ndjson", content)
    history = History(store, "tag-audit")

    with pytest.raises(
        Damaged, match=r"^The history 'history/tag-audit.ndjson' cannot be read: .*; remove it to start"
    ):
        history.append(entry(1))
    stored = store.read("history/tag-audit.ndjson")
    assert stored is not None
    assert stored.data == content
