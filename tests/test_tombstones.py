"""Tombstones: what a thing was is in the store, whole, before it is deleted."""

import msgspec
import pytest

from shared_code.errors import StoreError
from shared_code.model import Lock
from shared_code.tombstones import Member, Tombstone, Tombstones, tombstone_key
from tests.applying import AGAIN, APPLYING, PLANNED
from tests.fakes import NOW
from tests.memory_store import MemoryStore
from tests.stores import Lossy, Passing

GROUP = "/subscriptions/s/resourceGroups/g"


def of(run: str = APPLYING, item: int = 7) -> Tombstone:
    """What there is to say of a resource group."""
    return Tombstone(
        plan=PLANNED,
        item=item,
        run=run,
        rule="expired",
        reason="nobody needs it",
        resource_id=GROUP,
        subscription_id="s",
        saved=NOW,
        definition={"id": GROUP, "tags": {"owner": None}, "properties": {"x": [1, {"y": True}]}},
        template={"template": {"resources": []}, "error": {"code": "ExportTemplateCompletedWithErrors"}},
        members=(Member(f"{GROUP}/providers/a.b/c/one", "a.b/c", {"env": None}),),
        locks=(Lock("/x", "keep", "CanNotDelete", "/subscriptions/s"),),
    )


def kept(store: MemoryStore, key: str) -> Tombstone:
    return msgspec.json.decode(store.objects[key].data, type=Tombstone)


def test_all_of_it_is_found_where_the_outcome_says() -> None:
    """Under its plan and item, the items in their order."""
    store = MemoryStore()

    keys = [Tombstones(store).save(of(item=item)) for item in (7, 10)]

    assert keys == [tombstone_key(PLANNED, 7), tombstone_key(PLANNED, 10)]
    assert keys == [f"tombstones/{PLANNED}/000007.json", f"tombstones/{PLANNED}/000010.json"]
    assert [kept(store, key) for key in keys] == [of(), of(item=10)]
    assert [*store.keys("tombstones")] == keys


def test_what_is_there_now_counts() -> None:
    """An attempt that wrote one may have died before it deleted anything."""
    store = MemoryStore()
    key = Tombstones(store).save(of())

    assert Tombstones(store).save(of(AGAIN)) == key
    assert kept(store, key) == of(AGAIN)


def test_a_lost_answer_costs_nothing() -> None:
    store = MemoryStore()

    key = Tombstones(Lossy(store, "tombstones/")).save(of())

    assert kept(store, key) == of()


@pytest.mark.parametrize("there", [False, True], ids=["none yet", "one of an earlier attempt"])
def test_without_room_nobody_learns_that_it_was_saved(*, there: bool) -> None:
    """Whoever wants to delete ends here."""
    store = MemoryStore()
    if there:
        Tombstones(store).save(of())

    class Full(Passing):
        def create(self, key: str, data: bytes) -> str:
            if there:
                return super().create(key, data)
            raise StoreError("no room")

        def write(self, key: str, data: bytes) -> None:
            raise StoreError(f"no room for {key} of {len(data)} bytes")

    with pytest.raises(StoreError, match="no room"):
        Tombstones(Full(store)).save(of(AGAIN))
