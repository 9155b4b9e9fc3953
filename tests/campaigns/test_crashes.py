"""A handful of the moments that the campaign `crashes` draws, and a judge that notices what goes wrong."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from devkit.campaigns import crashes as campaign
from devkit.campaigns.crashes import Crashes, can_mount, crashes
from devkit.campaigns.mortal import Killed, Life, Mortal, MortalStore
from devkit.campaigns.scenes import AUDIT, CHANGE, CLEANUP, DELETE, LIST
from devkit.campaigns.session import Session
from shared_code.store_local import LocalStore


@pytest.fixture(scope="module", name="trials")
def _trials() -> Iterator[Crashes]:
    """One Azure for all trials here."""
    logging.disable(logging.CRITICAL)
    with crashes() as trials:
        yield trials
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("scene", [LIST, AUDIT, CLEANUP, CHANGE, DELETE])
def test_one_process_after_the_other_dies_at_a_write(trials: Crashes, scene: str) -> None:
    """At the first, in the middle and at the last, before and after it takes effect; the next one goes on."""
    most = trials.writes_of(scene)

    assert trials.killed_at_writes(scene, (1, True), (most // 2, False), (most // 2, True), (most, True)) == []


def test_kill_9(trials: Crashes) -> None:
    """Of a process that deletes, early and late."""
    before = trials.points

    assert trials.killed(DELETE, 0.3, 0.7) == []
    assert trials.points > before


def test_a_process_that_wakes_up_after_its_lock_has_expired(trials: Crashes) -> None:
    """It goes on with nothing, in Azure or in the store; what it was about to delete has been made anew since."""
    assert trials.paused(DELETE, 0.4) == []
    assert trials.paused(CHANGE, 0.5) == []


def test_three_processes_at_one_run(trials: Crashes) -> None:
    """One of them dies, and nothing is done twice."""
    assert trials.together(DELETE, 0.5) == []


@pytest.mark.parametrize("room", [0, 30_000], ids=["read-only", "full"])
def test_a_disk_that_takes_no_more(trials: Crashes, room: int, tmp_path: Path) -> None:
    """The run ends when it does again."""
    if not can_mount(tmp_path):
        pytest.skip("a disk of its own takes the right to mount one")

    assert trials.without_disk(DELETE, room) == []


def test_each_trial_follows_from_the_seed_and_its_number(trials: Crashes) -> None:
    """So that `--only` shows the same again."""
    sessions = [Session("crashes", seed=3, only="5") for _ in range(2)]
    for session in sessions:
        campaign._perform(session, trials)

    assert [session.figures["trials"] for session in sessions] == [1, 1]
    assert set(sessions[0].figures) == set(sessions[1].figures)
    assert [session.violations for session in sessions] == [[], []]


class TestTheDead:
    """They do nothing any more."""

    def test_before_or_after_a_write(self, tmp_path: Path) -> None:
        inner = LocalStore(tmp_path)
        for name, after in (("a", False), ("b", True)):
            store = MortalStore(inner, Life(1, after=after))
            with pytest.raises(Killed):
                store.write(name, b"x")
            with pytest.raises(Killed):
                store.read(name)
        assert inner.read("a") is None
        assert inner.read("b")

    @pytest.mark.parametrize(("calls", "there"), [(1, False), (2, False), (3, False), (4, True)])
    def test_within_a_stream(self, tmp_path: Path, calls: int, there: bool) -> None:
        """Before it, in its middle, or before it shows."""
        store = MortalStore(LocalStore(tmp_path), Life(calls))
        try:
            with store.writer("a") as sink:
                sink.write(b"lines")
        except Killed:
            pass

        assert bool(LocalStore(tmp_path).read("a")) is there

    def test_they_ask_nothing(self) -> None:
        life = Life(1)
        asked: list[str] = []
        mortal = Mortal(asked, life)
        mortal.append("one")
        with pytest.raises(Killed):
            life.call(lambda: None)
        with pytest.raises(Killed):
            mortal.append("two")

        assert asked == ["one"]
