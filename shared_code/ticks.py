"""Ticks: the occurrence that a timer call is for; the call itself does not name one."""

from datetime import datetime, timedelta

import msgspec

from shared_code.schedules import Schedule

EARLY = timedelta(seconds=5)
"""A timer may call this much before its occurrence."""
FRESH = timedelta(minutes=2)
"""A call later than this after the latest occurrence was started by hand."""


class Tick(msgspec.Struct, frozen=True):
    """What a timer call is for: an occurrence, or nothing but somebody's wish to run the job now."""

    scheduled_for: datetime | None
    past_due: bool


def tick_at(schedule: Schedule, now: datetime, *, past_due: bool) -> Tick:
    """Find the occurrence that a timer call at `now` is for.

    Args:
        schedule: the job's schedule.
        now: when the call came, aware UTC.
        past_due: what the Functions host says: it calls later than it should have.
    """
    latest = schedule.cron.latest_at(now + EARLY)
    if latest is None or (now - latest > FRESH and not past_due):
        return Tick(None, past_due=False)
    return Tick(latest, past_due)
