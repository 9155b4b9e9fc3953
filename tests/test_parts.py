"""Parts of a run: a finished subscription counts, half a part does not."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from shared_code.errors import Damaged, StoreError
from shared_code.model import Reading, Verdict
from shared_code.parts import Parts
from shared_code.scope import Scope
from shared_code.store import Sink, Store, Stored, open_store
from tests.stores import Passing

RUN = "20261122T050000Z-list-resource-groups-0000000a"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path.as_uri())


def verdict(name: str) -> Verdict:
    return Verdict(subscription_id=name, subscription_name="", reading=Reading.COMPLETE)


def test_a_saved_part_is_finished(store: Store) -> None:
    """By its id's key, with its records in order."""
    parts = Parts(store, RUN, Scope())
    parts.save(verdict("SUB-B"), things=[{"n": 1}, {"n": 2}], others=[])
    parts.save(verdict("sub-a"), things=[])

    assert list(parts.finished()) == ["sub-a", "sub-b"]
    assert parts.finished()["sub-b"] == verdict("SUB-B")
    assert list(parts.lines("sub-b", "things")) == [b'{"n":1}', b'{"n":2}']
    assert list(parts.lines("sub-a", "things")) == []


def test_records_without_a_verdict_are_not_finished(store: Store) -> None:
    """A process killed in between leaves the subscription to be read again."""
    store.write(f"runs/{RUN}/parts/sub-a.things.ndjson", b"{}\n")

    assert Parts(store, RUN, Scope()).finished() == {}


def test_a_damaged_verdict_is_an_error(store: Store) -> None:
    """It is not taken for a missing one, nor for a complete one."""
    store.write(f"runs/{RUN}/parts/sub-a.json", b"{]")

    with pytest.raises(Damaged, match=rf"^The part 'runs/{RUN}/parts/sub-a.json' cannot be read: "):
        Parts(store, RUN, Scope()).finished()


def test_a_part_of_another_scope_does_not_count(store: Store) -> None:
    """A run that goes on after a deployment must not mix what two scopes allowed."""
    Parts(store, RUN, Scope()).save(verdict("sub-a"))

    assert Parts(store, RUN, Scope(exclude_resource_groups=("rg-*",))).finished() == {}


class Counting(Passing):
    """Remembers the longest piece that was written or read at once, and which objects were read whole."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.longest = 0
        self.whole: list[str] = []

    def read(self, key: str) -> Stored | None:
        stored = super().read(key)
        self.whole.append(key)
        self.longest = max(self.longest, len(stored.data) if stored else 0)
        return stored

    def write(self, key: str, data: bytes) -> None:
        self.longest = max(self.longest, len(data))
        super().write(key, data)

    def writer(self, key: str) -> AbstractContextManager[Sink]:
        return self._counted(super().writer(key))

    @contextmanager
    def _counted(self, opened: AbstractContextManager[Sink]) -> Iterator[Sink]:
        with opened as sink:
            yield CountingSink(sink, self)


class CountingSink:
    def __init__(self, sink: Sink, counting: Counting) -> None:
        self._sink, self._counting = sink, counting

    def write(self, data: bytes, /) -> int:
        self._counting.longest = max(self._counting.longest, len(data))
        return self._sink.write(data)


MANY = [{"n": number, "text": "x" * 500} for number in range(4_000)]
"""Two megabytes of records."""


class TestManyRecords:
    def test_are_written_and_read_as_a_stream(self, store: Store) -> None:
        """In the same lines as few; of several kinds at a time."""
        counting = Counting(store)
        parts = Parts(counting, RUN, Scope())
        with parts.writer("SUB-A") as part:
            for record in MANY:
                part.add("things", record)
                part.add("others", record)
            part.add("few", {"n": 1})
            part.end(verdict("SUB-A"))

        again = Parts(counting, RUN, Scope())
        for kind in ("things", "others"):
            assert list(map(msgspec.json.decode, again.lines("sub-a", kind))) == MANY
        assert list(again.lines("sub-a", "few")) == [b'{"n":1}']
        assert counting.longest < 300_000
        assert f"runs/{RUN}/parts/sub-a.few.ndjson" in counting.whole
        assert f"runs/{RUN}/parts/sub-a.things.ndjson" not in counting.whole

    def test_come_in_order_between_few(self, store: Store) -> None:
        parts = Parts(store, RUN, Scope())
        for name in ("a", "c"):
            parts.save(verdict(name), things=[{"n": name}])
        parts.save(verdict("b"), things=MANY)

        lines = list(map(msgspec.json.decode, parts.all_lines("abc", "things")))

        assert lines == [{"n": "a"}, *MANY, {"n": "c"}]

    @pytest.mark.parametrize("records", [MANY, MANY[:2]], ids=["many", "few"])
    def test_of_an_attempt_that_failed_do_not_count(self, store: Store, records: list[object]) -> None:
        parts = Parts(store, RUN, Scope())
        with suppress(ZeroDivisionError), parts.writer("a") as part:
            for record in records:
                part.add("things", record)
            raise ZeroDivisionError
        with parts.writer("b") as part:
            for record in records:
                part.add("things", record)

        assert parts.finished() == Parts(store, RUN, Scope()).finished() == {}

    def test_replace_what_an_attempt_under_another_scope_left(self, store: Store) -> None:
        Parts(store, RUN, Scope(exclude_resource_groups=("rg",))).save(verdict("a"), things=MANY, others=MANY)
        Parts(store, RUN, Scope()).save(verdict("a"), things=[{"n": 1}])

        again = Parts(store, RUN, Scope())
        assert list(again.lines("a", "things")) == [b'{"n":1}']
        assert list(again.lines("a", "others")) == []

    @pytest.mark.parametrize("records", [MANY, MANY[:2]], ids=["many", "few"])
    def test_that_are_gone_are_an_error(self, store: Store, records: list[object]) -> None:
        parts = Parts(store, RUN, Scope())
        parts.save(verdict("a"), things=records)
        store.delete(f"runs/{RUN}/parts/a.things.ndjson")

        with pytest.raises(StoreError, match="is not"):
            list(parts.lines("a", "things"))


def test_sixteen_small_parts_are_read_side_by_side(store: Store) -> None:
    """A store in Azure takes some milliseconds for each, and there may be a thousand."""
    parts = Parts(store, RUN, Scope())
    names = [f"s-{number:02}" for number in range(16)]
    for name in names:
        parts.save(verdict(name), things=[{"n": name}])

    lines = list(Parts(Meeting(store, 16), RUN, Scope()).all_lines(names, "things"))

    assert lines == [f'{{"n":"{name}"}}'.encode() for name in names]


def test_more_parts_than_are_read_at_once_come_in_order(store: Store) -> None:
    parts = Parts(store, RUN, Scope())
    names = [f"s-{number:02}" for number in range(40)]
    for name in names:
        parts.save(verdict(name), things=[{"n": name}])

    lines = list(Parts(store, RUN, Scope()).all_lines(names, "things"))

    assert lines == [f'{{"n":"{name}"}}'.encode() for name in names]


class Meeting(Passing):
    """A store that answers no read before so many are under way, so that readers one by one would fail."""

    def __init__(self, inner: Store, together: int) -> None:
        super().__init__(inner)
        self._barrier = threading.Barrier(together, timeout=60)

    def read(self, key: str) -> Stored | None:
        self._barrier.wait()
        return super().read(key)
