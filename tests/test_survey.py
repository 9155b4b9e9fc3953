"""Surveys: each subscription is read once and counted once, wherever an attempt ends."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.errors import AccessDenied, StoreError
from shared_code.model import Reading, Subscription, Verdict
from shared_code.parts import Parts
from shared_code.runs import Mode, Progress, Run, RunScope, TriggeredBy
from shared_code.scope import Scope
from shared_code.settings import Configuration
from shared_code.snapshots import Snapshots
from shared_code.store import Store, open_store
from shared_code.survey import Survey, survey
from shared_code.work import OutOfTime, Work
from tests import fakes
from tests.fakes import NOW, FakeEstate, subscription
from tests.stores import DeadAfter, Killed

RUN = Run(
    id="20261122T060000Z-list-resource-groups-9c01f2ab",
    job="list-resource-groups",
    mode=Mode.PLAN,
    trigger=TriggeredBy.TIMER,
    requested=NOW,
    started=NOW,
)
ALL = [subscription(number) for number in range(1, 6)]


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """An empty local store."""
    return open_store(tmp_path.as_uri())


def work_on(
    store: Store,
    estate: FakeEstate,
    *,
    scope: Scope | None = None,
    requested: tuple[str, ...] | None = None,
    checkpoint: Callable[[], None] = lambda: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Work:
    run = msgspec.structs.replace(RUN, scope=RunScope(requested))
    configuration = Configuration(scope or Scope(), {}, {}, ())
    return fakes.work_on(run, store, estate, configuration, checkpoint=checkpoint, progress=progress)


class Reader:
    """Saves a part with one line for each subscription, and remembers which it was asked for."""

    def __init__(self, *, fail: Subscription | None = None, incomplete: Subscription | None = None) -> None:
        self.read: list[str] = []
        self._fail, self._incomplete = fail, incomplete

    def __call__(self, one: Subscription, parts: Parts) -> None:
        self.read.append(one.id)
        if one == self._fail:
            raise StoreError("the store is away")
        reading = Reading.INCOMPLETE if one == self._incomplete else Reading.COMPLETE
        verdict = Verdict(subscription_id=one.id, subscription_name=one.name, reading=reading)
        parts.save(verdict, things=[{"id": one.id}])


def counted(found: Survey) -> list[tuple[str, str]]:
    return [(each.subscription_id, each.reading) for each in found.verdicts]


COMPLETE = [(each.id, "complete") for each in ALL]
LINES = [f'{{"id":"{each.id}"}}'.encode() for each in ALL]


class TestSurvey:
    def test_reads_each_once_and_gives_all_in_id_order(self, store: Store) -> None:
        reader = Reader()

        found = survey(work_on(store, FakeEstate(ALL[::-1])), reader)

        assert sorted(reader.read) == [each.id for each in ALL]
        assert counted(found) == COMPLETE
        assert list(found.lines("things")) == LINES
        assert list(found.lines("others")) == []
        assert list(found.lines_of(ALL[2], "things")) == [LINES[2]]
        assert found.complete == ALL
        assert found.known == tuple(ALL)

    def test_incomplete_is_counted_and_not_among_the_complete(self, store: Store) -> None:
        found = survey(work_on(store, FakeEstate(ALL)), Reader(incomplete=ALL[1]))

        assert counted(found)[1] == (ALL[1].id, "incomplete")
        assert ALL[1] not in found.complete
        assert list(found.lines("things")) == LINES

    def test_one_error_ends_it_with_that_error(self, store: Store) -> None:
        """A list that cannot be read is a verdict; anything else is no verdict, so nothing may look finished."""
        with pytest.raises(StoreError, match="the store is away"):
            survey(work_on(store, FakeEstate(ALL)), Reader(fail=ALL[2]))

        again = Reader()
        assert counted(survey(work_on(store, FakeEstate(ALL)), again)) == COMPLETE
        assert ALL[2].id in again.read

    def test_what_lies_under_the_management_groups_is_their_union(self, store: Store) -> None:
        estate = FakeEstate(ALL, management_groups={"one": ALL[:2], "Two": ALL[1:3]})

        found = survey(work_on(store, estate, scope=Scope(management_groups=("one", "Two"))), Reader())

        assert counted(found) == COMPLETE[:3]

    def test_a_management_group_that_cannot_be_read_ends_it(self, store: Store) -> None:
        """Half of a scope is not the scope."""
        denied = AccessDenied("cannot read the subscriptions under management group 'two'")
        estate = FakeEstate(ALL, management_groups={"one": ALL}, fail_on={("subscriptions_under", "two", 1): denied})
        reader = Reader()

        with pytest.raises(AccessDenied):
            survey(work_on(store, estate, scope=Scope(management_groups=("one", "two"))), reader)
        assert reader.read == []

    def test_management_groups_are_asked_for_only_where_the_scope_names_some(self, store: Store) -> None:
        estate = FakeEstate(ALL)
        survey(work_on(store, estate), Reader())

        assert estate.reads == [("subscriptions", "")]

    def test_nothing_to_read_is_an_answer(self, store: Store) -> None:
        found = survey(work_on(store, FakeEstate(ALL), requested=("ffff",)), Reader())

        assert (counted(found), found.complete, found.known) == ([("ffff", "not visible")], [], None)


@pytest.mark.parametrize("readers", [1, 2])
def test_no_more_are_read_at_a_time_than_asked_for(store: Store, readers: int) -> None:
    """Each has two pages in memory."""
    reader = Counting(expected=readers)

    survey(work_on(store, FakeEstate(ALL)), reader, readers=readers)

    assert reader.most == readers


class Counting(Reader):
    """Knows how many were read at the same time; the first ones wait for as many as are expected."""

    def __init__(self, expected: int) -> None:
        super().__init__()
        self._together = threading.Barrier(expected)
        self._mutex = threading.Lock()
        self._now = self.most = 0

    def __call__(self, one: Subscription, parts: Parts) -> None:
        with self._mutex:
            self._now += 1
            self.most = max(self.most, self._now)
        with suppress(threading.BrokenBarrierError):
            self._together.wait(timeout=0.5)
        super().__call__(one, parts)
        with self._mutex:
            self._now -= 1


class TestProgress:
    def test_goes_up_by_one_to_the_end(self, store: Store) -> None:
        made: list[Progress] = []

        survey(work_on(store, FakeEstate(ALL), progress=made.append), Reader())

        assert (made[0], made[-1]) == (Progress(0, 5), Progress(5, 5))
        assert {each.done for each in made} == set(range(6))
        assert [each.done for each in made] == sorted(each.done for each in made)

    def test_begins_with_what_an_earlier_attempt_finished(self, store: Store) -> None:
        with pytest.raises(StoreError):
            survey(work_on(store, FakeEstate(ALL[:2])), _one_after_the_other(Reader(fail=ALL[1])))
        made: list[Progress] = []

        survey(work_on(store, FakeEstate(ALL), progress=made.append), Reader())

        assert made[0] == Progress(1, 5)
        assert made[-1] == Progress(5, 5)


def _one_after_the_other(reader: Reader) -> Callable[[Subscription, Parts], None]:
    """Let a reader take the subscriptions in their order, though threads would not."""
    turn, order = threading.Condition(), [each.id for each in ALL]

    def read(one: Subscription, parts: Parts) -> None:
        with turn:
            assert turn.wait_for(lambda: order[0] == one.id, timeout=30)
            try:
                reader(one, parts)
            finally:
                order.pop(0)
                turn.notify_all()

    return read


class Stops:
    """A checkpoint that raises from its nth call on."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    def __call__(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise OutOfTime


class TestResume:
    @given(ends=some.lists(some.integers(0, 5), max_size=4), kills=some.lists(some.integers(1, 30), max_size=3))
    @settings(deadline=None, max_examples=40)
    def test_wherever_it_ends_each_subscription_is_counted_once(
        self, tmp_path_factory: pytest.TempPathFactory, ends: list[int], kills: list[int]
    ) -> None:
        """Out of time or killed, as often as it happens: the last attempt has every verdict and every line once."""
        store = open_store(tmp_path_factory.mktemp("survey").as_uri())
        for nth in ends:
            with suppress(OutOfTime):
                survey(work_on(store, FakeEstate(ALL), checkpoint=Stops(nth)), Reader())
        for nth in kills:
            with suppress(Killed):
                survey(work_on(DeadAfter(store, nth), FakeEstate(ALL)), Reader())
        already = _finished(store)
        reader = Reader()

        found = survey(work_on(store, FakeEstate(ALL)), reader)

        assert counted(found) == COMPLETE
        assert list(found.lines("things")) == LINES
        assert not already & set(reader.read)
        assert already | set(reader.read) == {each.id for each in ALL}

    def test_another_scope_reads_everything_again(self, store: Store) -> None:
        """After a deployment nothing of the old scope is mixed in."""
        survey(work_on(store, FakeEstate(ALL)), Reader())
        reader = Reader()

        survey(work_on(store, FakeEstate(ALL), scope=Scope(exclude_resource_groups=("x",))), reader)

        assert sorted(reader.read) == [each.id for each in ALL]

    def test_one_that_was_read_and_is_gone_when_the_run_goes_on_is_named(self, store: Store) -> None:
        """Even by the first run of all, which no other run can tell what there was."""
        survey(work_on(store, FakeEstate(ALL)), Reader())

        found = survey(work_on(store, FakeEstate(ALL[1:])), Reader())

        assert counted(found) == [(ALL[0].id, "not visible"), *COMPLETE[1:]]
        assert found.known == tuple(ALL)
        assert list(found.lines("things")) == LINES[1:]

    def test_one_that_was_disabled_when_the_run_goes_on_is_counted_once(self, store: Store) -> None:
        survey(work_on(store, FakeEstate(ALL)), Reader())
        disabled = Subscription(ALL[0].id, ALL[0].name, "Disabled")

        found = survey(work_on(store, FakeEstate([disabled, *ALL[1:]])), Reader())

        assert counted(found) == [(ALL[0].id, "skipped"), *COMPLETE[1:]]

    def test_one_that_comes_up_when_the_run_goes_on_is_read(self, store: Store) -> None:
        survey(work_on(store, FakeEstate(ALL[:4])), Reader())
        reader = Reader()

        assert counted(survey(work_on(store, FakeEstate(ALL)), reader)) == COMPLETE
        assert reader.read == [ALL[4].id]

    def test_known_ones_of_an_earlier_run_are_named(self, store: Store) -> None:
        Snapshots(store, RUN.job).save_subscriptions((ALL[0], subscription(9, "Closed", "Disabled")))

        found = survey(work_on(store, FakeEstate(ALL[1:])), Reader())

        assert counted(found) == [(ALL[0].id, "not visible"), *COMPLETE[1:], (subscription(9).id, "skipped")]


def _finished(store: Store) -> set[str]:
    rules = Configuration(Scope(), {}, {}, ()).digest_of(RUN.job)
    return set(Parts(store, RUN.id, Scope(), rules).finished())
