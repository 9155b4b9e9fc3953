"""Killed in the middle: started again, a run completes once, and what was read is not read again."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devkit.simulator import Fault
from tests.app.conftest import JOB, World, small_estate, start_run, subscription_id, wait_until, world_of

QUICK, HANGING = (1, 2, 3), (4, 5, 6)
SOON = 8.0
"""Seconds in which a run goes on: far less than the 150 a lock of an unknown owner would be respected."""


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[World]:
    """Three subscriptions that answer, and three that keep their reader waiting until `release`."""
    with world_of(tmp_path, small_estate(6)) as world:
        for number in HANGING:
            fault = Fault(
                route="resource-groups", subscription=subscription_id(number), kind="delay", delay=60, times=None
            )
            world.simulator.faults.add(fault)
        yield world


def wait_for_parts(world: World) -> str:
    """Wait until the run has finished what it can, and give its id."""
    run = wait_until(world.run_ids, "the run")[0]
    finished = [subscription_id(number) for number in QUICK]
    wait_until(lambda: world.parts(run) == finished, "the finished parts")
    return run


def release(world: World) -> None:
    """Let every subscription answer from now on."""
    world.simulator.faults.clear()


def check_completed_once(world: World, run: str) -> None:
    """Check that the run was completed by its second attempt, and that nothing was counted or read twice."""
    record = world.record(run)
    assert (record["status"], record["attempt"], record["error"]) == ("succeeded", 2, None)
    assert record["counts"]["subscriptions_read"] == record["counts"]["resource_groups"] == 6
    everyone = [subscription_id(number) for number in range(1, 7)]
    assert [verdict["subscription_id"] for verdict in record["subscriptions"]] == everyone
    assert [group["subscription_id"] for group in world.groups(run)] == everyone
    assert [world.reads(subscription_id(number)) for number in QUICK] == [1, 1, 1]
    assert [world.reads(subscription_id(number), "resources") for number in range(1, 7)] == [1] * 6
    assert record["started"] < record["ended"]
    assert not (world.store / "open" / run).exists()


def test_the_host_is_killed(hanging: World) -> None:
    """After kill -9 the next host takes the lock of the dead one over at once and completes the run."""
    with hanging.host() as host:
        run = start_run(host)
        assert wait_for_parts(hanging) == run
        host.kill()
    assert hanging.record(run)["status"] == "running"
    release(hanging)

    begun = time.monotonic()
    with hanging.host():
        hanging.ended(run)
        took = time.monotonic() - begun

    check_completed_once(hanging, run)
    assert took < SOON
    assert hanging.run_ids() == [run]


def test_the_host_is_killed_and_its_queue_is_lost(hanging: World) -> None:
    """Without its message, on a fresh state folder, the sweep at start finds the run and completes it."""
    with hanging.host() as host:
        run = start_run(host)
        wait_for_parts(hanging)
        host.kill()
    release(hanging)
    (hanging.folder / "state").rename(hanging.folder / "lost")

    with hanging.host():
        hanging.ended(run, SOON)

    check_completed_once(hanging, run)


def test_a_run_that_waited_is_not_lost(hanging: World) -> None:
    """A run that was queued behind the killed one is performed after it."""
    with hanging.host() as host:
        first = start_run(host)
        wait_for_parts(hanging)
        second = start_run(host)
        host.kill()
    release(hanging)

    with hanging.host():
        records = [hanging.ended(first, SOON), hanging.ended(second, SOON)]

    assert [(record["status"], record["attempt"]) for record in records] == [("succeeded", 2), ("succeeded", 1)]


LEFT = "The process that ran it ended before it did; start it again."


def test_the_terminal_is_killed(hanging: World) -> None:
    """After kill -9 of `steward run` the next one takes the lock at once; the run that was left has failed."""
    left = kill_terminal(hanging)

    begun = time.monotonic()
    done = hanging.steward("run", JOB, "--json")
    took = time.monotonic() - begun

    run = done.json()
    assert (done.code, run["status"], run["attempt"]) == (0, "succeeded", 1)
    assert run["id"] != left
    assert took < SOON
    assert [group["subscription_id"] for group in hanging.groups(run["id"])] == [
        subscription_id(n) for n in range(1, 7)
    ]
    check_given_up(hanging, left)


def test_the_host_ends_what_a_terminal_left(hanging: World) -> None:
    """A run whose terminal was killed is marked failed by the next host, which does not go on with it."""
    left = kill_terminal(hanging)

    with hanging.host():
        hanging.ended(left, SOON)

    check_given_up(hanging, left)
    assert [hanging.reads(subscription_id(number)) for number in QUICK] == [1, 1, 1]


def kill_terminal(world: World) -> str:
    """Kill `steward run` when it has read a part, let everything answer, and give the run's id."""
    with world.start_steward("run", JOB) as process:
        run = wait_for_parts(world)
        process.kill()
        process.communicate()
    assert world.record(run)["status"] == "running"
    release(world)
    return run


def check_given_up(world: World, run: str) -> None:
    """Check that the run of a killed terminal has an end, and says why."""
    record = world.record(run)
    assert (record["status"], record["attempt"], record["error"], record["outputs"]) == ("failed", 1, LEFT, [])
    assert not (world.store / "open" / run).exists()
