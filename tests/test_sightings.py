"""Sightings: since when a job has had its schedule, remembered by whoever looked first."""

from collections.abc import Callable
from datetime import timedelta, timezone

import msgspec
import pytest

from shared_code.errors import Damaged
from shared_code.schedules import Schedule, check
from shared_code.sightings import Sighting, first_seen, remember_last, sighting
from shared_code.store import Stored
from tests.fakes import NOW
from tests.memory_store import MemoryStore

KEY = "schedules/cleanup.json"
LATER = NOW + timedelta(hours=1)
MUCH_LATER = NOW + timedelta(days=1)


def schedule(text: str = "0 0 5 * * *") -> Schedule:
    made = check(text, {})
    assert isinstance(made, Schedule)
    return made


FIVE, SIX = schedule(), schedule("0 0 6 * * *")


def remembered(store: MemoryStore) -> Sighting:
    return msgspec.json.decode(store.objects[KEY].data, type=Sighting)


def test_a_schedule_counts_from_when_it_was_first_seen() -> None:
    """Not from when it was last seen."""
    store = MemoryStore()

    assert first_seen(store, "cleanup", FIVE, NOW) == NOW
    assert first_seen(store, "cleanup", FIVE, LATER) == NOW
    assert remembered(store) == Sighting(FIVE.resolved, NOW)


def test_a_changed_schedule_counts_from_its_change() -> None:
    store = MemoryStore()
    first_seen(store, "cleanup", FIVE, NOW)

    assert first_seen(store, "cleanup", SIX, LATER) == LATER
    assert first_seen(store, "cleanup", SIX, MUCH_LATER) == LATER
    assert first_seen(store, "cleanup", FIVE, MUCH_LATER) == MUCH_LATER


def test_each_job_has_its_own() -> None:
    store = MemoryStore()
    first_seen(store, "cleanup", FIVE, NOW)

    assert first_seen(store, "tag-audit", FIVE, LATER) == LATER
    assert sorted(store.objects) == [KEY, "schedules/tag-audit.json"]


def test_who_only_looks_leaves_nothing_behind() -> None:
    """Neither a first sighting nor a new one; what others have remembered still counts."""
    store = MemoryStore()

    assert first_seen(store, "cleanup", FIVE, NOW, remember=False) == NOW
    assert store.objects == {}
    first_seen(store, "cleanup", FIVE, NOW)
    assert first_seen(store, "cleanup", FIVE, LATER, remember=False) == NOW
    assert first_seen(store, "cleanup", SIX, LATER, remember=False) == LATER
    assert remembered(store) == Sighting(FIVE.resolved, NOW)


class Overtaken(MemoryStore):
    """Another process remembers what it saw just after the first reading."""

    def __init__(self, other: Callable[["Overtaken"], object]) -> None:
        super().__init__()
        self._other: Callable[[Overtaken], object] | None = other

    def read(self, key: str) -> Stored | None:
        stored = super().read(key)
        if self._other is not None:
            other, self._other = self._other, None
            other(self)
        return stored


def test_of_two_that_look_at_once_the_first_to_write_counts() -> None:
    new = Overtaken(lambda store: first_seen(store, "cleanup", FIVE, NOW))
    assert first_seen(new, "cleanup", FIVE, LATER) == NOW
    assert remembered(new) == Sighting(FIVE.resolved, NOW)

    changed = Overtaken(lambda store: first_seen(store, "cleanup", SIX, LATER))
    changed.write(KEY, msgspec.json.encode(Sighting(FIVE.resolved, NOW)))
    assert first_seen(changed, "cleanup", SIX, MUCH_LATER) == LATER
    assert remembered(changed) == Sighting(SIX.resolved, LATER)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"{]",
        b'{"schedule": "\xff"}',
        b'{"x": ' + b"[" * 100_000,
        b'{"schedule": "0 0 5 * * *", "first_seen": "monday"}',
    ],
    ids=["nothing", "empty", "broken", "no-text", "deep", "no-time"],
)
def test_one_that_cannot_be_read_is_said_and_left(content: bytes) -> None:
    """It is not taken for a new schedule, for which nothing could have been missed."""
    store = MemoryStore()
    store.write(KEY, content)

    with pytest.raises(
        Damaged, match=r"^The sighting of job 'cleanup' cannot be read: .*; delete schedules/cleanup\.json, and"
    ):
        first_seen(store, "cleanup", FIVE, NOW)

    assert store.objects[KEY].data == content


class TestLast:
    """The last occurrence of a schedule in local time."""

    BERLIN = msgspec.structs.replace(FIVE, timezone="Europe/Berlin")
    LONDON = msgspec.structs.replace(FIVE, timezone="Europe/London")
    AT = NOW.astimezone(timezone(timedelta(hours=1)))

    def test_is_remembered_with_its_offset(self) -> None:
        """The offset tells what the clocks showed."""
        store = MemoryStore()
        assert sighting(store, "cleanup", self.BERLIN, NOW).last is None
        remember_last(store, "cleanup", self.BERLIN, self.AT)

        assert remembered(store) == Sighting("0 0 5 * * * Europe/Berlin", NOW, self.AT)
        last = sighting(store, "cleanup", self.BERLIN, LATER).last
        assert last is not None
        assert last.utcoffset() == timedelta(hours=1)
        assert first_seen(store, "cleanup", self.BERLIN, LATER) == NOW

    def test_never_goes_back(self) -> None:
        """A call that comes late does not hide a later one."""
        store = MemoryStore()
        sighting(store, "cleanup", self.BERLIN, NOW)
        remember_last(store, "cleanup", self.BERLIN, self.AT + timedelta(hours=1))
        remember_last(store, "cleanup", self.BERLIN, self.AT)

        assert remembered(store).last == self.AT + timedelta(hours=1)

    def test_is_of_one_zone(self) -> None:
        """Another zone is another schedule, and begins anew."""
        store = MemoryStore()
        sighting(store, "cleanup", self.BERLIN, NOW)
        remember_last(store, "cleanup", self.BERLIN, self.AT)
        remember_last(store, "cleanup", self.LONDON, self.AT + timedelta(hours=1))
        assert remembered(store).last == self.AT

        assert sighting(store, "cleanup", self.LONDON, LATER) == Sighting("0 0 5 * * * Europe/London", LATER)

    def test_of_what_was_never_seen_is_nothing(self) -> None:
        store = MemoryStore()
        remember_last(store, "cleanup", self.BERLIN, self.AT)

        assert store.objects == {}

    def test_two_writers(self) -> None:
        """Whoever comes second looks again."""

        class Contested(MemoryStore):
            """Somebody else writes first, once."""

            contested = True

            def read(self, key: str) -> Stored | None:
                found = super().read(key)
                if found is not None and self.contested:
                    self.contested = False
                    remember_last(self, "cleanup", TestLast.BERLIN, TestLast.AT - timedelta(hours=1))
                return found

        store = Contested()
        sighting(store, "cleanup", self.BERLIN, NOW)
        remember_last(store, "cleanup", self.BERLIN, self.AT)

        assert remembered(store).last == self.AT
