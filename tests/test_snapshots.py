"""Snapshots: what was kept comes back; what cannot be read is as good as none, said, and replaced."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from shared_code.errors import StoreError
from shared_code.group_changes import Snapshot
from shared_code.model import Subscription
from shared_code.scope import Scope
from shared_code.snapshots import Snapshots
from shared_code.store import Store, open_store
from tests.fakes import NOW, lock, resource_group, subscription
from tests.stores import Passing

SHOP = subscription(1, "Shop")
GROUP = msgspec.structs.replace(
    resource_group(SHOP, "rg-a", {"owner": None, "=x": "<b>"}, created=datetime(2026, 1, 1, 1, 1, 1, 517, UTC)),
    resources=2,
    resource_types={"a.b/c": 2},
    locks=(lock(f"/subscriptions/{SHOP.id}"),),
)
TAKEN = Snapshot("a-run", NOW, Scope(exclude_resource_groups=("mc_*",)), (GROUP,))
GROUPS_KEY = f"snapshots/a-job/resource-groups/{SHOP.id}.json"
SUBSCRIPTIONS_KEY = "snapshots/a-job/subscriptions.json"


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """An empty local store."""
    return open_store(tmp_path.as_uri())


@pytest.fixture(name="kept")
def _kept(store: Store) -> Snapshots:
    """The snapshots of one job."""
    return Snapshots(store, "a-job")


def test_there_is_nothing_at_first(kept: Snapshots) -> None:
    assert kept.groups(SHOP) is None
    assert kept.subscriptions() == ()


def test_what_was_saved_comes_back(kept: Snapshots) -> None:
    """Every field, and whatever the case in which Azure writes the subscription's id next time."""
    kept.save_groups(SHOP, TAKEN)
    kept.save_subscriptions((SHOP,))

    assert kept.groups(Subscription(SHOP.id.upper(), "Renamed", "Enabled")) == TAKEN
    assert kept.subscriptions() == (SHOP,)


def test_another_job_and_another_subscription_have_their_own(kept: Snapshots, store: Store) -> None:
    kept.save_groups(SHOP, TAKEN)

    assert kept.groups(subscription(2)) is None
    assert Snapshots(store, "another-job").groups(SHOP) is None


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b'{"run":1}', b"[" * 5000, msgspec.json.encode(TAKEN)[:-20]],
)
def test_a_damaged_one_warns_and_is_replaced(
    kept: Snapshots, store: Store, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    """Nothing is compared with it; the next complete reading takes its place."""
    store.write(GROUPS_KEY, damage)

    assert kept.groups(SHOP) is None
    (said,) = caplog.records
    assert said.levelno == logging.WARNING
    assert said.getMessage().startswith(f"snapshot={GROUPS_KEY} cannot be read, so nothing is compared with it: ")
    kept.save_groups(SHOP, TAKEN)
    assert kept.groups(SHOP) == TAKEN


def test_damaged_subscriptions_warn_and_are_replaced(
    kept: Snapshots, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(SUBSCRIPTIONS_KEY, b'[{"id": 1}]')

    assert kept.subscriptions() == ()
    assert SUBSCRIPTIONS_KEY in caplog.text
    kept.save_subscriptions((SHOP,))
    assert kept.subscriptions() == (SHOP,)


def test_of_a_scope_with_keys_of_a_later_version_is_damaged(
    kept: Snapshots, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """Under a scope that is not understood nobody knows what was left out."""
    store.write(GROUPS_KEY, msgspec.json.encode(TAKEN).replace(b'"scope":{', b'"scope":{"another_key":[],'))

    assert kept.groups(SHOP) is None
    assert "another_key" in caplog.text


def test_a_store_that_is_away_is_an_error(store: Store) -> None:
    """It is not the same as having nothing to compare with."""

    class Away(Passing):
        def _call[T](self, action: Callable[[], T]) -> T:
            raise StoreError(f"the store is away, {action}")

    with pytest.raises(StoreError):
        Snapshots(Away(store), "a-job").groups(SHOP)
