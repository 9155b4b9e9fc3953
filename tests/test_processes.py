"""Which process holds a lock, and whether it certainly runs no more."""

import os
import subprocess
import sys

import pytest

from shared_code.processes import is_dead, this_process

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process from a later one of its number")


@LINUX
def test_a_running_process_is_not_dead() -> None:
    """This one runs."""
    assert not is_dead(this_process())


@LINUX
def test_an_ended_process_is_dead() -> None:
    """Its number is free, or belongs to another process by now."""
    code = "from shared_code.processes import this_process; print(this_process())"
    holder = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert str(os.getpid()) not in holder.split()
    assert is_dead(holder)


@LINUX
def test_a_number_that_was_given_again_is_another_process() -> None:
    """The start time tells them apart."""
    machine, number, started = this_process().rsplit(" ", 2)

    assert is_dead(f"{machine} {number} {int(started) - 1}")


@pytest.mark.parametrize(
    "holder",
    ["", "x", "other-boot/pid:[1] 1 1", "other-boot/pid:[1]  ", "a b c d e"],
    ids=["nobody", "a word", "another machine", "no number", "nonsense"],
)
def test_a_process_elsewhere_is_never_taken_for_dead(holder: str) -> None:
    """In doubt it lives, and everybody waits for the expiry."""
    assert not is_dead(holder)
