"""Ticks: the occurrence that a timer call is for; the call itself does not name one."""

from datetime import datetime, timedelta

import msgspec

from shared_code.schedules import Schedule

EARLY = timedelta(seconds=5)
"""A timer may call this much before its occurrence."""
FRESH = timedelta(minutes=2)
"""A call later than this after the latest occurrence was started by hand."""


class Tick(msgspec.Struct, frozen=True):
    """What a timer call is for: an occurrence, or nothing but somebody's wish to run the job now.

    `ours` is False for a call of a timer in UTC that is for no occurrence of the schedule in local time. `again` says
    that the occurrence has been asked for before, so that no other run may come of it.
    """

    scheduled_for: datetime | None
    past_due: bool
    ours: bool = True
    again: bool = False


def tick_at(schedule: Schedule, now: datetime, *, past_due: bool, last: datetime | None = None) -> Tick:
    """Find the occurrence that a timer call at `now` is for.

    Args:
        schedule: the job's schedule.
        now: when the call came, aware UTC.
        past_due: what the Functions host says: it calls later than it should have.
        last: of a schedule in local time, the last occurrence that was asked for, as the clocks showed it then.
    """
    latest = schedule.occurrences.latest_at(now + EARLY)
    local = schedule.local
    if latest is not None and (past_due or now - latest <= FRESH):
        if local is None or last is None or latest > local.covered_by(last):
            return Tick(latest, past_due)
        if latest == last:
            return Tick(latest, past_due, again=True)
        return Tick(None, past_due=False, ours=False)
    if local is None:
        return Tick(None, past_due=False)
    called_for = schedule.registered.latest_at(now + EARLY)
    return Tick(None, past_due=False, ours=called_for is None or now - called_for > FRESH)
