"""The store is tried with an object of its own, and left as it was; other apps on it are noticed."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared_code.apps import Apps
from shared_code.doctor.checks import Check
from shared_code.doctor.neighbours import neighbour_check
from shared_code.doctor.storage import store_check
from shared_code.errors import StoreError
from shared_code.store import Store, Stored
from shared_code.store_local import LocalStore
from tests.fakes import Clock
from tests.memory_store import MemoryStore


class Careless(MemoryStore):
    """A store that does one thing wrong."""

    def __init__(self, wrong: str) -> None:
        super().__init__()
        self._wrong = wrong

    def create(self, key: str, data: bytes) -> str:
        if self._wrong == "create":
            self.delete(key)
        return super().create(key, data)

    def replace(self, key: str, data: bytes, etag: str) -> str:
        return super().replace(key, data, self.objects[key].etag if self._wrong == "replace" else etag)

    def read(self, key: str) -> Stored | None:
        return Stored(b"other", "1") if self._wrong == "read" and key in self.objects else super().read(key)

    def delete(self, key: str) -> None:
        if self._wrong != "delete":
            super().delete(key)

    def keys(self, prefix: str) -> "object":  # type: ignore[override]  # it lists nothing
        return iter(()) if self._wrong == "keys" else super().keys(prefix)


class Refusing(MemoryStore):
    """A store that fails at one kind of call."""

    def create(self, key: str, data: bytes) -> str:
        raise StoreError(
            f"Object '{key}' of {len(data)} bytes cannot be written: Azure answered ContainerNotFound; create the "
            "container, or mend STEWARD_STORE."
        )

    def delete(self, key: str) -> None:
        raise StoreError(f"Object '{key}' cannot be deleted.")


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_a_good_store_is_left_as_it_was(kind: str, tmp_path: Path) -> None:
    store: Store = MemoryStore() if kind == "memory" else LocalStore(tmp_path / "store")

    check = store_check(store, "0a")

    assert str(check.result) == "ok"
    assert [*store.keys("")] == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("create", "wrote over an object that was to be new (If-None-Match)"),
        ("replace", "wrote over another version than the one that was read (If-Match)"),
        ("read", "does not give back what was written"),
        ("keys", "does not list what was written"),
        ("delete", "still has what was deleted"),
    ],
)
def test_a_store_that_cannot_be_relied_on(wrong: str, words: str) -> None:
    """Then two runs could hold one lock."""
    check = store_check(Careless(wrong), "0a")

    assert (str(check.result), check.detail) == ("failed", f"memory: {words}")
    assert "two processes could hold one lock" in check.sentence


def test_a_store_that_fails_says_why() -> None:
    check = store_check(Refusing(), "0a")

    assert str(check.result) == "failed"
    assert check.sentence.endswith("ContainerNotFound; create the container, or mend STEWARD_STORE")


class TestNeighbours:
    def check(self, *names: str, own: str = "func-a", host_id: str | None = None, is_app: bool = True) -> Check:
        store, clock = MemoryStore(), Clock()
        for name in names:
            Apps(store, clock, name, name[:32]).leave_word()
        clock.move(timedelta(hours=2))
        return neighbour_check(Apps(store, clock, own, own if host_id is None else host_id), is_app=is_app)

    def test_alone(self) -> None:
        assert str(self.check("func-a").result) == "ok"
        assert str(self.check("func-a", is_app=False, own="terminal").result) == "ok"

    def test_nobody_yet(self) -> None:
        """An app is there as it is asked; of a terminal nobody can tell."""
        assert str(self.check().result) == "ok"
        assert str(self.check(is_app=False).result) == "not checked"

    def test_another_one(self) -> None:
        """It takes our messages."""
        check = self.check("func-a", "func-b")

        assert (str(check.result), check.detail) == (
            "warning",
            "this is 'func-a', and 'func-b' (seen 2026-11-22T06:00:00Z) uses the same store",
        )

    def test_two_as_a_terminal_sees_them(self) -> None:
        check = self.check("func-a", "func-b", is_app=False, own="terminal")

        assert str(check.result) == "warning"
        assert (
            "'func-a' (seen 2026-11-22T06:00:00Z), 'func-b' (seen 2026-11-22T06:00:00Z) use one store" in check.detail
        )

    def test_two_with_one_host_id(self) -> None:
        """Their names begin with the same 32 characters."""
        one, other = f"{'f' * 32}-one", f"{'f' * 32}-two"

        check = self.check(one, other, own=one, host_id="f" * 32)

        assert str(check.result) == "failed"
        assert f"'{other}' has the host id '{'f' * 32}' too, so only one of them fires each timer" in check.detail

    def test_a_name_that_is_cut(self) -> None:
        """Nobody has the same id yet."""
        check = self.check(own=f"{'f' * 32}-one", host_id="f" * 32)

        assert str(check.result) == "warning"
        assert str(self.check(own=f"{'f' * 32}-one").result) == "ok"
