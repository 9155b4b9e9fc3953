"""Local views: a schedule by the clocks of a zone for whoever reads of it: both times, the next change, the cost."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared_code import timezones
from shared_code.foreign_text import one_line
from shared_code.local_schedules import LocalCron, calls_beside, registered
from shared_code.local_times import ClockChange, Effect, LocalTimes
from shared_code.times import duration_text

MANY_CALLS = 24
"""Calls a day for no occurrence from which a warning is due: more than one in an hour."""


def view_of(local: LocalCron, now: datetime, next_runs: Iterable[datetime]) -> LocalTimes:
    """Describe a schedule by the clocks of a zone.

    Args:
        local: the schedule.
        now: the moment, aware UTC, after which the next change of the clocks comes.
        next_runs: its next occurrences.
    """
    change = timezones.next_change(local.timezone, now)
    return LocalTimes(
        timezone=local.timezone,
        registered=registered(local).text,
        calls_beside=calls_beside(local),
        next_runs=tuple(map(local.local, next_runs)),
        clock_change=clock_change(local, change) if change else None,
    )


def clock_change(local: LocalCron, change: timezones.Change) -> ClockChange:
    """Say what a change of the clocks does to a schedule."""
    forward = change.shift > timedelta()
    affected = local.affected(change)
    shown, then = change.at + change.before, change.at + change.after
    words = f"on {shown:%Y-%m-%d} the clocks of {local.timezone} go from {_clock(shown)} to {_clock(then)}"
    if affected is None:
        effect = Effect.NONE
        moved = duration_text(abs(change.shift))
        words += (
            f"; no occurrence is touched, and in UTC all come {moved} {'earlier' if forward else 'later'} from then on"
        )
    elif forward:
        effect = Effect.SHIFTED
        words += f"; {_clock(affected)} does not exist on that day, and runs at {_clock(affected + change.shift)}"
        if lost := _lost(local, change, affected):
            words += f", and {_clock(lost)} not at all"
    elif local.is_interval:
        effect = Effect.BOTH
        words += f"; {_clock(affected)} comes twice, and runs both times, as the schedule is an interval"
    else:
        effect = Effect.ONCE
        words += f"; {_clock(affected)} comes twice, and runs once, the first time"
    return ClockChange(at=change.at, minutes=change.shift / timedelta(minutes=1), effect=effect, words=words)


def _lost(local: LocalCron, change: timezones.Change, affected: datetime) -> datetime | None:
    """Return the first time of day that the host passes over, as it goes on from where the shifted occurrence runs."""
    opens, runs = change.at + change.after, affected + change.shift
    following = local.cron.next_after(affected)
    if following is not None and following < opens:
        instead = following + change.shift
        if local.cron.latest_at(instead) != instead:
            return following
    kept = local.cron.next_after(opens - timedelta(seconds=1))
    return kept if kept is not None and kept < runs else None


def warnings_of(local: LocalCron) -> tuple[str, ...]:
    """Warn of a schedule whose timer would mostly call for nothing."""
    beside = calls_beside(local)
    if beside <= MANY_CALLS:
        return ()
    sentence = (
        f"'{one_line(local.cron.text, 100)}' by the clocks of '{local.timezone}' takes the timer "
        f"'{registered(local).text}' in UTC, of whose calls about {beside:,.0f} a day start nothing; write a time of "
        f"day that is on the same date in UTC, every day, or the schedule in UTC and no timezone"
    )
    return (sentence,)


def _clock(shown: datetime) -> str:
    return f"{shown:%H:%M:%S}" if shown.second else f"{shown:%H:%M}"
