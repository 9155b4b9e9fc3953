"""The ids of runs: they sort by time, and a tick has but one."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from shared_code.runs import job_of, run_id, stamp_of
from tests.fakes import NOW


@given(first=some.integers(0, 10**6), later=some.integers(1, 10**6))
def test_runs_by_hand_sort_by_the_millisecond(first: int, later: int) -> None:
    """However quickly one is asked for after another."""
    one = NOW + timedelta(milliseconds=first)
    other = one + timedelta(milliseconds=later)

    assert run_id("cleanup", one, occurrence=False) < run_id("cleanup", other, occurrence=False)


def test_an_id_says_when_and_of_what() -> None:
    name = run_id("tag-audit", NOW, occurrence=False)

    assert name.startswith(f"{stamp_of(NOW)}-tag-audit-000")
    assert job_of(name) == "tag-audit"
    assert name != run_id("tag-audit", NOW, occurrence=False)


def test_a_tick_delivered_twice_has_one_id() -> None:
    assert run_id("cleanup", NOW, occurrence=True) == run_id("cleanup", NOW, occurrence=True)
    assert run_id("cleanup", NOW, occurrence=True) != run_id("tag-audit", NOW, occurrence=True)
