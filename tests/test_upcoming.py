"""Upcoming: what is planned and what is due next, of any number of decisions."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from shared_code.eligibility import Decided, Decision
from shared_code.tag_rules import RuleMode
from shared_code.upcoming import DAYS, SHOWN, upcoming
from tests.cleaning import ONE
from tests.fakes import NOW


def decision(number: int, decided: Decided, mode: RuleMode = RuleMode.APPROVE, due: int | None = None) -> Decision:
    """One about the thing of that number, due after so many days."""
    return Decision(
        rule="unattached-disk",
        resource_id=f"/subscriptions/{ONE}/resourceGroups/rg-a/providers/Microsoft.Compute/disks/disk-{number:05}",
        subscription_id=ONE,
        type="Microsoft.Compute/disks",
        decision=decided,
        reasons=("so",),
        due=None if due is None else NOW + timedelta(days=due),
        first_seen=NOW,
        last_seen=NOW,
        times_seen=1,
        created=None,
        mode=mode,
    )


MADE = some.builds(
    decision,
    some.integers(0, 99_999),
    some.sampled_from(Decided),
    some.sampled_from(RuleMode),
    some.none() | some.integers(0, 400),
)


def test_what_rules_delete_by_themselves_comes_first() -> None:
    by_hand, by_itself = decision(1, Decided.PLANNED), decision(2, Decided.PLANNED, RuleMode.AUTOMATIC)

    found = upcoming([by_hand, by_itself, decision(3, Decided.KEPT), decision(4, Decided.UNREAD)])

    assert (found.planned, found.modes) == ((by_itself, by_hand), {"approve": 1, "automatic": 1})
    assert (found.waiting, found.due) == ((), {})


def test_what_waits_is_told_by_when_it_is_due() -> None:
    """What would not be planned however long one waits comes last, and is no day."""
    never, later, soon = (decision(number, Decided.WAITING, due=due) for number, due in ((1, None), (2, 9), (3, 1)))

    found = upcoming([never, later, soon])

    assert found.waiting == (soon, later, never)
    assert found.due == {"2026-11-23": 1, "2026-12-01": 1, "": 1}
    assert list(found.due) == ["2026-11-23", "2026-12-01", ""]


def test_days_that_are_far_away_are_counted_together() -> None:
    found = upcoming(decision(number, Decided.WAITING, due=number) for number in range(DAYS + 5))

    assert len(found.due) == DAYS + 1
    assert found.due["later"] == 5


@given(some.lists(MADE, max_size=40), some.integers(1, 9))
def test_no_more_than_a_page_is_told_and_everything_is_counted(few: list[Decision], times: int) -> None:
    """However many there are: those told are the first of all."""
    every = few * (1 + SHOWN * times // max(1, len(few)))

    found = upcoming(every)

    waiting = [each for each in every if each.decision is Decided.WAITING]
    assert sum(found.modes.values()) == sum(each.decision is Decided.PLANNED for each in every)
    assert sum(found.due.values()) == len(waiting)
    assert len(found.waiting) == min(SHOWN, len(waiting))
    dues = [each.due or NOW + timedelta(days=1000) for each in waiting]
    assert [each.due or NOW + timedelta(days=1000) for each in found.waiting] == sorted(dues)[:SHOWN]
