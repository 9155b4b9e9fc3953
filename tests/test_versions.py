"""Writes over what was seen: they happen over that alone."""

import pytest

from shared_code.errors import AlreadyExists, Changed
from shared_code.versions import Expected, put
from tests.memory_store import MemoryStore
from tests.stores import Lossy

KEY = "control/stop.json"


def content(store: MemoryStore) -> bytes | None:
    stored = store.read(KEY)
    return stored.data if stored else None


def test_anything_may_be_there() -> None:
    store = MemoryStore()
    for data in (b"1", b"2"):
        put(store, KEY, data, None)

    assert content(store) == b"2"


def test_only_the_version_that_was_seen_is_written_over() -> None:
    store = MemoryStore()
    seen = store.create(KEY, b"1")
    put(store, KEY, b"2", Expected(seen))

    with pytest.raises(Changed):
        put(store, KEY, b"3", Expected(seen))
    assert content(store) == b"2"


def test_nothing_is_written_where_nothing_was_seen_and_something_is() -> None:
    store = MemoryStore()
    put(store, KEY, b"1", Expected(None))

    with pytest.raises(AlreadyExists):
        put(store, KEY, b"2", Expected(None))
    assert content(store) == b"1"


def test_an_answer_that_is_lost_on_the_way() -> None:
    """What was written by the first try is not somebody else's."""
    store = MemoryStore()
    put(Lossy(store, "stop"), KEY, b"1", Expected(None))
    stored = store.read(KEY)
    assert stored is not None

    put(Lossy(store, "stop"), KEY, b"2", Expected(stored.etag))

    assert content(store) == b"2"
