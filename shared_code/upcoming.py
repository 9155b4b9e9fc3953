"""Upcoming: what cleanup has planned, and what it will plan next if nothing changes, the soonest first."""

from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest

import msgspec

from shared_code.eligibility import Decided, Decision
from shared_code.resource_ids import key
from shared_code.tag_rules import RuleMode
from shared_code.times import text_of

SHOWN = 100
"""Decisions of a sort that are told one by one; the run's own report has them all."""
DAYS = 60
"""Days that are told apart; what is due later counts together."""
LATER = "later"


class Upcoming(msgspec.Struct, frozen=True, kw_only=True):
    """`upcoming.json` of a cleanup, from its decisions.

    `planned` and `waiting` are the first of each sort: what rules may delete by themselves, then by id; and what is due
    soonest. `modes` counts what is planned by the mode of its rule, and `due` what waits by the day (UTC) on which it
    would be planned, `later`, or "" for what would not be, however long one waits.
    """

    planned: tuple[Decision, ...] = ()
    waiting: tuple[Decision, ...] = ()
    modes: dict[str, int] = {}
    due: dict[str, int] = {}


def upcoming(decisions: Iterable[Decision]) -> Upcoming:
    """Tell what is planned and what waits, of all decisions of a run in any order."""
    modes: Counter[str] = Counter()
    due: Counter[str] = Counter()
    planned: list[Decision] = []
    waiting: list[Decision] = []
    for decision in decisions:
        if decision.decision is Decided.PLANNED:
            modes[decision.mode] += 1
            planned.append(decision)
        elif decision.decision is Decided.WAITING:
            due[text_of(decision.due)[:10] if decision.due else ""] += 1
            waiting.append(decision)
        if len(planned) > 2 * SHOWN:
            planned = _first_planned(planned)
        if len(waiting) > 2 * SHOWN:
            waiting = _first_waiting(waiting)
    return Upcoming(
        planned=tuple(_first_planned(planned)),
        waiting=tuple(_first_waiting(waiting)),
        modes=dict(sorted(modes.items())),
        due=_days(due),
    )


def _first_planned(decisions: list[Decision]) -> list[Decision]:
    return nsmallest(
        SHOWN, decisions, key=lambda each: (each.mode is not RuleMode.AUTOMATIC, key(each.resource_id), each.rule)
    )


def _first_waiting(decisions: list[Decision]) -> list[Decision]:
    return nsmallest(
        SHOWN, decisions, key=lambda each: (text_of(each.due) if each.due else "~", key(each.resource_id), each.rule)
    )


def _days(due: Counter[str]) -> dict[str, int]:
    never = due.pop("", 0)
    days = sorted(due)
    told = {day: due[day] for day in days[:DAYS]}
    if later := sum(due[day] for day in days[DAYS:]):
        told[LATER] = later
    return told | ({"": never} if never else {})
