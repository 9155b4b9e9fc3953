"""Parts of a run: a finished subscription counts, half a part does not."""

from pathlib import Path

import pytest

from shared_code.errors import Damaged
from shared_code.model import Reading, Verdict
from shared_code.parts import Parts
from shared_code.scope import Scope
from shared_code.store import Store, open_store

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
