"""Stop: said once, it ends every write; and in doubt it counts."""

from datetime import timedelta

import pytest

from shared_code.errors import Damaged, Refused, Stopped, StoreError
from shared_code.stop import KEY, Stop
from shared_code.store import Stored
from tests.fakes import NOW, Clock
from tests.memory_store import MemoryStore


class Counting(MemoryStore):
    """Counts readings, and fails them when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.fails = False

    def read(self, key: str) -> Stored | None:
        self.reads += 1
        if self.fails:
            raise StoreError("the store does not answer")
        return super().read(key)


def test_nothing_is_stopped_at_first() -> None:
    stop = Stop(MemoryStore(), Clock())

    stop.check()
    assert stop.read() is None


def test_stop_says_who_why_and_since_when() -> None:
    store = MemoryStore()
    order = Stop(store, Clock()).set("ops@example.com", "a bad rule\nFORGED")

    assert Stop(store, Clock()).read() == order
    with pytest.raises(Stopped) as raised:
        Stop(store, Clock()).check()
    assert str(raised.value) == (
        "Changes are stopped since 2026-11-22T06:00:00Z by ops@example.com: a bad rule FORGED. "
        "'steward resume' or DELETE /api/stop ends it."
    )
    assert isinstance(raised.value, Refused)


def test_clear_allows_writes_again_at_once() -> None:
    stop = Stop(MemoryStore(), Clock())
    stop.set("a", "")
    stop.clear()

    stop.check()
    stop.clear()


def test_another_process_notices_within_five_seconds() -> None:
    store, clock = Counting(), Clock()
    mine = Stop(store, clock)
    mine.check()
    Stop(store, clock).set("a", "b")

    clock.move(timedelta(seconds=4.9))
    mine.check()
    assert store.reads == 1
    clock.move(timedelta(seconds=0.1))
    with pytest.raises(Stopped):
        mine.check()


def test_the_process_that_says_stop_believes_it_at_once() -> None:
    stop = Stop(MemoryStore(), Clock())
    stop.check()
    stop.set("a", "b")

    with pytest.raises(Stopped):
        stop.check()


def test_a_clock_that_was_set_back_makes_no_old_answer_last() -> None:
    store, clock = Counting(), Clock()
    mine = Stop(store, clock)
    mine.check()
    clock.now = NOW - timedelta(days=1)
    Stop(store, clock).set("a", "b")

    with pytest.raises(Stopped):
        mine.check()


def test_unreadable_means_stop() -> None:
    store = Counting()
    store.fails = True

    with pytest.raises(Stopped, match="Nobody can tell whether changes are stopped, so they are: the store does not"):
        Stop(store, Clock()).check()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"null", b"false", b'{"by": 1}'])
def test_an_order_that_cannot_be_understood_counts(content: bytes) -> None:
    store = MemoryStore()
    store.write(KEY, content)

    with pytest.raises(Stopped, match="cannot be read, so it counts; 'steward resume' removes it"):
        Stop(store, Clock()).check()
    with pytest.raises(Damaged):
        Stop(store, Clock()).read()


def test_read_only_stops_whatever_the_store_says() -> None:
    with pytest.raises(Stopped, match="STEWARD_READ_ONLY is set"):
        Stop(MemoryStore(), Clock(), read_only=True).check()
