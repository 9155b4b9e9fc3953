"""Which apps use a store: each leaves word now and then."""

from datetime import timedelta

import pytest

from shared_code.apps import EVERY, KEPT, RECENT, Apps, app_of
from shared_code.errors import StoreError
from tests.fakes import NOW, Clock
from tests.memory_store import MemoryStore

IN_AZURE = {"WEBSITE_POD_NAME": "pod"}
LONG = "func-steward-of-the-whole-company-dev"


@pytest.mark.parametrize(
    ("environ", "name", "host_id"),
    [
        (IN_AZURE | {"WEBSITE_SITE_NAME": "Func-Steward-Dev"}, "Func-Steward-Dev", "func-steward-dev"),
        (IN_AZURE | {"WEBSITE_SITE_NAME": LONG}, LONG, "func-steward-of-the-whole-company"[:32]),
        (IN_AZURE | {"WEBSITE_SITE_NAME": "a" * 31 + "-dev"}, "a" * 31 + "-dev", "a" * 31),
        (IN_AZURE | {"WEBSITE_SITE_NAME": LONG, "WEBSITE_SKU": "FlexConsumption"}, LONG, LONG),
        (IN_AZURE | {"WEBSITE_SITE_NAME": LONG, "AzureFunctionsWebHost__hostid": "own"}, LONG, "own"),
        (IN_AZURE, "outside Azure, on machine", ""),
        ({"WEBSITE_SITE_NAME": "func"}, "outside Azure, on machine", ""),
    ],
    ids=["name", "long", "hyphen", "flex", "set", "no name", "local"],
)
def test_the_host_id_is_made_of_the_name(environ: dict[str, str], name: str, host_id: str) -> None:
    """Cut to 32 characters, but on Flex Consumption, where it is a digest of all of it."""
    assert app_of(environ, "machine") == (name, host_id)


def apps(store: MemoryStore, clock: Clock, name: str = "func-a") -> Apps:
    return Apps(store, clock, name, name)


def test_word_is_left_once_an_hour() -> None:
    store, clock = MemoryStore(), Clock()
    own = apps(store, clock)
    own.leave_word()
    clock.move(EVERY - timedelta(seconds=1))
    own.leave_word()
    assert [each.seen for each in own.recent()] == [NOW]

    clock.move(timedelta(seconds=1))
    own.leave_word()

    assert [each.seen for each in own.recent()] == [NOW + EVERY]
    assert len(store.objects) == 1


def test_who_was_not_seen_for_days_is_gone() -> None:
    """And forgotten after a month, as is what cannot be read."""
    store, clock = MemoryStore(), Clock()
    apps(store, clock, "func-b").leave_word()
    clock.move(RECENT)
    own = apps(store, clock)
    own.leave_word()
    assert [each.name for each in own.recent()] == ["func-a", "func-b"]

    clock.move(timedelta(seconds=1))
    assert [each.name for each in own.recent()] == ["func-a"]
    assert len(store.objects) == 2

    clock.move(KEPT - RECENT)
    store.write("apps/odd.json", b"\xff")
    own.leave_word()
    assert len(store.objects) == 1


def test_a_store_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A run is more than its traces."""

    class Broken(MemoryStore):
        def write(self, key: str, data: bytes) -> None:
            raise StoreError(f"{key} of {len(data)} bytes cannot be written")

    caplog.set_level("INFO")

    apps(Broken(), Clock()).leave_word()

    assert "could not leave word in the store: apps/" in caplog.text
