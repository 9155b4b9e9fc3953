"""Pending deletions: noted once, followed for a day, and never said to be done while anybody may doubt it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared_code.outcomes import Result
from shared_code.pending_deletions import LONGEST, SOON, Pending, PendingDeletions, follow_up
from shared_code.store import Stored
from tests.azure_model import FAULTS
from tests.cleaning import AGAIN, APPLYING, ONE, PLANNED, Fault, cleaning
from tests.fakes import NOW
from tests.memory_store import MemoryStore
from tests.stores import Passing

MOMENT = timedelta(microseconds=1)


def deletion(item: int = 0, plan: str = PLANNED, since: datetime = NOW, own: str = "/subscriptions/s") -> Pending:
    """A deletion that Azure has accepted."""
    return Pending(
        plan=plan,
        item=item,
        run=APPLYING,
        resource_id=own,
        subscription_id=ONE,
        rule="unattached-disk",
        since=since,
        tombstone=f"tombstones/{plan}/{item:06}.json",
    )


class TestNoted:
    @pytest.fixture(autouse=True)
    def _store(self) -> None:
        self.store = MemoryStore()
        self.pending = PendingDeletions(self.store)

    def all(self) -> list[Pending | str]:
        return list(self.pending.all())

    def test_all_of_it_is_kept(self) -> None:
        """In the order of the plans, and of the items in them."""
        each = [deletion(2), deletion(10), deletion(plan=AGAIN)]
        for one in reversed(each):
            self.pending.add(one)

        assert self.all() == each

    def test_the_first_note_counts(self) -> None:
        """Whoever notes it again does not make it younger, or it would be believed in for ever."""
        self.pending.add(deletion())
        self.pending.add(deletion(since=NOW + LONGEST))

        assert self.all() == [deletion()]

    def test_that_one_is_forgotten_and_no_other(self) -> None:
        for each in (deletion(1), deletion(2), deletion(3), deletion(1, AGAIN)):
            self.pending.add(each)

        self.pending.remove(deletion(1))
        self.pending.forget(PLANNED, 3)
        self.pending.forget(PLANNED, 3)

        assert self.all() == [deletion(2), deletion(1, AGAIN)]

    @pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff", b'{"plan": "\xff"}', b"[]"])
    def test_what_nobody_understands_is_told_and_stays(self, content: bytes) -> None:
        """The others are given all the same."""
        self.store.write(f"deleting/{PLANNED}-000000.json", content)
        self.pending.add(deletion(1))

        said, other = self.all()

        assert str(said).startswith(f"The pending deletion 'deleting/{PLANNED}-000000.json' cannot be read: ")
        assert str(said).endswith("; look what became of it, and remove it.")
        assert (other, len(self.all())) == (deletion(1), 2)

    def test_one_that_another_run_forgets_meanwhile_is_no_trouble(self) -> None:
        class Forgetting(Passing):
            def read(self, key: str) -> Stored | None:
                return None if key.endswith("000000.json") else super().read(key)

        self.pending.add(deletion(0))
        self.pending.add(deletion(1))

        assert list(PendingDeletions(Forgetting(self.store)).all()) == [deletion(1)]


class TestFollowed:
    """What is said of a deletion, by what is seen and how long ago it was accepted."""

    @pytest.fixture(autouse=True)
    def _estate(self) -> None:
        self.world, self.model = cleaning()
        self.group = self.model.new_group()
        self.disk = self.model.put(self.group, "disk", "one")
        self.since = self.world.now

    def say(self, waited: timedelta, own: str | None = None) -> tuple[Result, str]:
        return follow_up(deletion(since=self.since, own=own or self.disk), self.model, self.since + waited)

    def leave(self) -> None:
        self.model.things[self.disk.casefold()].state = "Deleting"

    def hide(self) -> None:
        self.model.vanish(self.disk)
        for call in range(9):
            self.model.script[f"group {self.disk.casefold()}", call] = [Fault("forbidden")]

    SEEN: tuple[tuple[Callable[["TestFollowed"], None], timedelta, str], ...] = (
        (lambda _: None, SOON, "Azure still shows it"),
        (leave, LONGEST, "Azure is still deleting it"),
        (hide, LONGEST, "it is not shown, and its parent cannot be read: no role"),
    )

    @pytest.mark.parametrize(("see", "longest", "said"), SEEN, ids=["there", "leaving", "unknown"])
    def test_it_is_waited_for_and_then_it_has_failed(
        self, see: Callable[["TestFollowed"], None], longest: timedelta, said: str
    ) -> None:
        """Nobody says deleted, however long it takes."""
        see(self)

        for waited in (timedelta(0), longest - MOMENT, longest):
            assert self.say(waited) == (Result.DELETING, said)
        failed = f"its deletion was begun, and Azure has not shown that it is done; {said}"
        for waited in (longest + MOMENT, LONGEST + timedelta(days=400)):
            assert self.say(waited) == (Result.FAILED, failed)

    @pytest.mark.parametrize("waited", [timedelta(0), SOON + MOMENT, LONGEST + timedelta(days=400)])
    def test_gone_is_gone_at_any_time(self, waited: timedelta) -> None:
        self.model.vanish(self.disk)

        assert self.say(waited) == (Result.DELETED, "it is gone")

    @pytest.mark.parametrize("waited", [timedelta(0), LONGEST + MOMENT])
    def test_what_was_made_since_is_another_thing(self, waited: timedelta) -> None:
        """What was there when the deletion was accepted is the thing itself."""
        thing = self.model.things[self.disk.casefold()]
        self.model.things[thing.key] = replace(thing, created=self.since + MOMENT)
        assert self.say(waited) == (Result.DELETED, "it is gone, and another of its name was made since")

        self.model.things[thing.key] = replace(thing, created=self.since)
        assert self.say(waited)[0] is (Result.FAILED if waited else Result.DELETING)

    def test_without_a_date_it_is_taken_for_the_thing_itself(self) -> None:
        """Azure does not always tell when something was made."""
        thing = self.model.things[self.disk.casefold()]
        thing.created = None  # type: ignore[assignment]  # in the model all have a date

        assert self.say(timedelta(0)) == (Result.DELETING, "Azure still shows it")

    @pytest.mark.parametrize("fault", sorted(FAULTS))
    def test_nobody_can_tell(self, fault: str) -> None:
        self.model.vanish(self.disk)
        self.model.script[f"target {self.disk.casefold()}", 0] = [Fault(fault)]

        assert self.say(timedelta(0)) == (
            Result.DELETING,
            f"nobody can tell whether it is there: {FAULTS[fault]()}",
        )
