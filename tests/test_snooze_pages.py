"""Pages of snoozes: in the order of their ids, each on one page."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from shared_code.snoozes import Snoozes, snooze_id
from tests.fakes import NOW
from tests.memory_store import MemoryStore

RULE = "empty-resource-group"


def group(number: int) -> str:
    return f"/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-{number}"


@given(count=some.integers(0, 9), limit=some.integers(1, 4))
def test_every_snooze_is_on_one_page(count: int, limit: int) -> None:
    store = MemoryStore()
    snoozes = Snoozes(store)
    for number in range(count):
        until = str((NOW + timedelta(days=2)).date())
        snoozes.set(RULE, group(number), until=until, by="ops", reason="needed", now=NOW)
    store.write("snoozes/notes.json", b"no snooze")

    pages = [snoozes.page(limit)]
    while (after := pages[-1][1]) is not None:
        pages.append(snoozes.page(limit, after))

    assert [name for found, _ in pages for name in found] == sorted(snooze_id(RULE, group(n)) for n in range(count))
    assert all(len(found) == limit for found, _ in pages[:-1])
    assert {name: each for found, _ in pages for name, each in found.items()} == snoozes.all()
