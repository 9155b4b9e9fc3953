"""Incidents: each is told to each receiver once until it is over; the end of a missed run once to those who knew."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.errors import Damaged
from shared_code.missed_runs import RULE
from shared_code.model import Finding, Severity
from shared_code.notices.incidents import BAD, KEPT, Incident, Incidents, after_telling, noted
from shared_code.runs import Mode, Order, Run, RunScope, RunStatus, TriggeredBy, run_id
from tests.memory_store import MemoryStore

BEGIN = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
RECEIVERS = ("json://a.example.com", "json://b.example.com")


def ended(number: int, status: RunStatus, job: str = "cleanup", **more: Any) -> Run:
    at = BEGIN + number * timedelta(minutes=30)
    return Run(
        id=run_id(job, at, occurrence=True),
        job=job,
        mode=Mode.PLAN,
        trigger=TriggeredBy.TIMER,
        requested=at,
        ended=at,
        status=status,
        error=None if status is RunStatus.SUCCEEDED else f"error {number}",
        **more,
    )


def missed(*jobs: str) -> list[Finding]:
    return [
        Finding(rule=RULE, kind="missed", resource_id=f"jobs/{job}", severity=Severity.HIGH, detail=f"{job} was due")
        for job in jobs
    ]


def tell(incidents: tuple[Incident, ...], *receivers: str) -> tuple[tuple[Incident, ...], list[tuple[str, str]]]:
    """Tell each receiver what it is owed; return the incidents then, and what was told to whom."""
    told = [(each, receiver) for receiver in receivers for each in incidents if each.owes(receiver)]
    return after_telling(incidents, told), [(each.name, receiver) for each, receiver in told]


@given(some.lists(some.tuples(some.sampled_from([*BAD, RunStatus.SUCCEEDED]), some.booleans(), some.booleans())))
def test_each_bad_end_is_told_once_until_a_success(runs: list[tuple[RunStatus, bool, bool]]) -> None:
    """To each receiver, however often one of them does not answer."""
    incidents: tuple[Incident, ...] = ()
    open_: set[RunStatus] = set()
    knows: dict[str, set[RunStatus]] = {receiver: set() for receiver in RECEIVERS}
    for number, (status, *answers) in enumerate(runs):
        incidents = noted(incidents, ended(number, status), None)
        if status is RunStatus.SUCCEEDED:
            open_.clear()
            knows = {receiver: set() for receiver in RECEIVERS}
        else:
            open_.add(status)
        there = [receiver for receiver, answers_now in zip(RECEIVERS, answers, strict=True) if answers_now]
        incidents, told = tell(incidents, *there)
        expected = [(f"cleanup {each}", receiver) for receiver in there for each in open_ - knows[receiver]]
        assert sorted(told) == sorted(expected)
        for receiver in there:
            knows[receiver] |= open_


@given(some.lists(some.tuples(some.sets(some.sampled_from(["cleanup", "tag-audit"])), some.booleans())))
def test_a_missed_run_is_told_once_and_its_end_to_who_knew(looks: list[tuple[set[str], bool]]) -> None:
    incidents: tuple[Incident, ...] = ()
    knows: set[str] = set()
    for number, (jobs, answers) in enumerate(looks):
        incidents = noted(incidents, ended(number, RunStatus.SUCCEEDED, "watchdog"), missed(*sorted(jobs)))
        if not answers:
            knows -= {job for job in knows if job in jobs and _began_again(incidents, job)}
            continue
        begun_again = {job for job in knows & jobs if _began_again(incidents, job)}
        over = [each.job for each in incidents if each.over is not None]
        incidents, told = tell(incidents, RECEIVERS[0])
        assert sorted(name for name, _ in told) == sorted(
            f"{job} missed" for job in (jobs - knows) | begun_again | (knows - jobs)
        )
        assert sorted(over) == sorted(knows - jobs)
        knows = set(jobs)


def _began_again(incidents: tuple[Incident, ...], job: str) -> bool:
    """Whether it is told anew, as it was over in between and nobody could be told of that."""
    return any(each.job == job and each.over is None and not each.told for each in incidents)


def test_a_run_that_applies_a_plan_stands_for_itself() -> None:
    """Each was somebody's own order; the success of another says nothing about it."""
    order = Order(plan="p", digest="d")
    incidents: tuple[Incident, ...] = ()
    for number in range(2):
        incidents = noted(incidents, ended(number, RunStatus.FAILED, order=order), None)
    incidents = noted(incidents, ended(2, RunStatus.SUCCEEDED), None)

    assert [each.name for each in incidents] == [ended(number, RunStatus.FAILED).id for number in range(2)]


def test_what_was_told_of_such_a_run_is_forgotten_in_the_end() -> None:
    failed = ended(0, RunStatus.FAILED, order=Order(plan="p", digest="d"))
    incidents, _ = tell(noted((), failed, None), RECEIVERS[0])
    later = ended(int(KEPT / timedelta(minutes=30)), RunStatus.SUCCEEDED, "watchdog")
    much_later = ended(int(KEPT / timedelta(minutes=30)) + 1, RunStatus.SUCCEEDED, "watchdog")

    assert [each.name for each in noted(incidents, later, None)] == [failed.id]
    assert noted(incidents, much_later, None) == ()


@pytest.mark.parametrize("status", [RunStatus.SUCCEEDED, RunStatus.CANCELLED])
def test_neither_a_part_nor_a_cancellation_ends_a_failure(status: RunStatus) -> None:
    scope = RunScope() if status is RunStatus.CANCELLED else RunScope(("s",))
    incidents = noted((), ended(0, RunStatus.FAILED), None)

    assert noted(incidents, ended(1, status, scope=scope), None) == incidents


def test_damaged_incidents_are_named() -> None:
    store = MemoryStore()
    store.write("notified/incidents.json", b"{")

    with pytest.raises(Damaged, match=r"notified/incidents\.json"):
        Incidents(store).note(ended(0, RunStatus.FAILED), None)


def test_a_telling_of_an_earlier_incident_of_that_name_counts_for_nothing() -> None:
    """It was over, and began again, while somebody told."""
    before = noted((), ended(0, RunStatus.FAILED), None)
    after = noted(noted(before, ended(1, RunStatus.SUCCEEDED), None), ended(2, RunStatus.FAILED), None)

    assert after_telling(after, [(before[0], RECEIVERS[0])]) == after
