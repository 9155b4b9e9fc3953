"""One run of a job at a time."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared_code.errors import StoreError
from shared_code.locks import EXPIRY, TAKEOVER_AFTER, Lock
from shared_code.store import open_store
from tests.world import NOON, World

JOB = "list-resource-groups"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(open_store(tmp_path.as_uri()))


def test_the_first_to_ask_holds_the_lock(world: World) -> None:
    """A free lock goes to whoever asks, until its expiry."""
    lock = world.locks().acquire(JOB, "run-1", "token-1")

    assert lock == Lock(run="run-1", token="token-1", holder="process-1", expires=NOON + EXPIRY)


def test_the_second_to_ask_waits(world: World) -> None:
    """A held lock stays with its run, and the other one is noted, once."""
    world.locks().acquire(JOB, "run-1", "token-1")

    for _ in range(2):
        lock = world.locks("process-2").acquire(JOB, "run-2", "token-2")

        assert (lock.run, lock.token, lock.waiting) == ("run-1", "token-1", ("run-2",))


def test_a_release_names_the_run_that_waited_longest(world: World) -> None:
    """It needs a message; it and those behind it go on waiting until they take the lock or leave."""
    world.locks().acquire(JOB, "run-1", "token-1")
    for run in ("run-3", "run-2"):
        world.locks().acquire(JOB, run, f"token-{run}")

    assert world.locks().release(JOB, "token-1") == ("run-2",)
    assert world.locks().read(JOB) == Lock(waiting=("run-2", "run-3"))
    assert world.locks().acquire(JOB, "run-2", "token-2").waiting == ("run-3",)
    assert world.locks().release(JOB, "token-2") == ("run-3",)


def test_a_run_that_has_ended_leaves_and_names_the_next(world: World) -> None:
    """While the lock is held, whoever holds it will."""
    world.locks().acquire(JOB, "run-1", "token-1")
    for run in ("run-2", "run-3"):
        world.locks().acquire(JOB, run, f"token-{run}")

    assert world.locks().leave(JOB, "run-2") == ()
    world.locks().release(JOB, "token-1")
    assert world.locks().leave(JOB, "run-9") == ("run-3",)
    assert world.locks().leave(JOB, "run-3") == ()
    assert world.locks().read(JOB) == Lock()


def test_only_the_owner_releases_and_renews(world: World) -> None:
    """An attempt that lost its lock neither frees nor prolongs it."""
    world.locks().acquire(JOB, "run-1", "token-1")

    assert world.locks().release(JOB, "token-9") == ()
    assert not world.locks().renew(JOB, "token-9")
    assert world.locks().read(JOB).token == "token-1"


def test_a_renewal_moves_the_expiry_and_keeps_those_who_wait(world: World) -> None:
    """Renewing is what tells everybody that the owner lives."""
    world.locks().acquire(JOB, "run-1", "token-1")
    world.locks().acquire(JOB, "run-2", "token-2")
    world.pass_time(seconds=30)

    assert world.locks().renew(JOB, "token-1")
    lock = world.locks().read(JOB)
    assert (lock.expires, lock.waiting) == (NOON + timedelta(seconds=30) + EXPIRY, ("run-2",))


@pytest.mark.parametrize(
    ("late", "taken"),
    [(EXPIRY, False), (EXPIRY + TAKEOVER_AFTER, False), (EXPIRY + TAKEOVER_AFTER + timedelta(seconds=1), True)],
    ids=["just expired", "at the end of the wait", "after the wait"],
)
def test_a_lock_is_taken_over_only_well_after_its_expiry(world: World, late: timedelta, *, taken: bool) -> None:
    """What the owner still has under way must have ended before somebody else begins."""
    world.locks().acquire(JOB, "run-1", "token-1")
    world.now += late

    lock = world.locks("process-2").acquire(JOB, "run-2", "token-2")

    assert (lock.token == "token-2") is taken
    assert lock.waiting == (("run-1",) if taken else ("run-2",))


def test_the_lock_of_a_dead_process_is_taken_over_at_once(world: World) -> None:
    """A process that certainly runs no more has nothing under way."""
    world.locks().acquire(JOB, "run-1", "token-1")
    world.dead.add("process-1")

    assert world.locks("process-2").acquire(JOB, "run-1", "token-2").token == "token-2"


def test_locks_of_different_jobs_are_independent(world: World) -> None:
    """The watchdog runs while a list is read."""
    world.locks().acquire(JOB, "run-1", "token-1")

    assert world.locks().acquire("watchdog", "run-2", "token-2").token == "token-2"


def test_a_damaged_lock_is_an_error_and_no_free_lock(world: World) -> None:
    """What cannot be read might be held."""
    world.store.write(f"locks/{JOB}.json", b"{]")

    with pytest.raises(StoreError, match=r"The lock of job 'list-resource-groups' cannot be read: .*; delete locks/"):
        world.locks().acquire(JOB, "run-1", "token-1")


def test_a_renewal_of_somebody_elses_lock_changes_nothing(world: World) -> None:
    """It would keep a lock alive whose owner is gone."""
    world.locks().acquire(JOB, "run-1", "token-1")
    before = world.locks().read(JOB)
    world.pass_time(seconds=30)

    world.locks("process-2").renew(JOB, "token-2")

    assert world.locks().read(JOB) == before


def test_a_run_never_waits_for_itself(world: World) -> None:
    """A second delivery of the run that holds the lock adds nobody to the queue."""
    world.locks().acquire(JOB, "run-1", "token-1")

    assert world.locks("process-2").acquire(JOB, "run-1", "token-2").waiting == ()
