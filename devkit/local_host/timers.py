"""When timers are due: the rules of the host's timer listener, without a clock.

azure-webjobs-sdk-extensions, TimerListener.cs and ScheduleMonitor.cs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from devkit.local_host.functions import TimerTrigger
from devkit.local_host.schedule_status import ScheduleStatus
from shared_code.ncrontab import Cron, Interval

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Start:
    """What the host finds when it starts listening to a timer."""

    status: ScheduleStatus
    past_due: bool = False


def is_monitored(trigger: TimerTrigger) -> bool:
    """Whether the status is kept; the host refuses to for schedules more frequent than once a minute.

    TimerSchedule.cs, ShouldDisableScheduleMonitor: an interval under a minute, or a cron with `*` everywhere but in its
    first field that has more than one occurrence in a minute.
    """
    schedule = trigger.schedule
    if not trigger.use_monitor:
        return False
    if isinstance(schedule, Interval):
        return schedule.seconds >= _MINUTE
    _, *others = schedule.expanded.split(" ")
    return any(field != "*" for field in others) or not schedule.has_seconds or len(schedule.seconds) == 1


def check_at_start(schedule: Cron | Interval, stored: ScheduleStatus | None, now: datetime) -> Start:
    """Decide at the start of the host whether an occurrence was missed.

    Only here a timer can be past due, and however many occurrences were missed, it is one call. A schedule that was
    changed since the status was stored is never past due.
    """
    if stored is None:
        return Start(ScheduleStatus(last=None, next=schedule.next_after(now), last_updated=now))
    basis = stored.last or stored.last_updated or now
    expected = schedule.next_after(basis)
    if stored.next != expected:
        if expected is not None and now > expected:
            expected, basis = schedule.next_after(now), now
        return Start(ScheduleStatus(last=None, next=expected, last_updated=basis))
    return Start(stored, past_due=stored.next is not None and now > stored.next)


def after_run(
    schedule: Cron | Interval, status: ScheduleStatus, started: datetime, *, scheduled: bool
) -> ScheduleStatus:
    """Give the status after a call that began at `started`, whether it succeeded or failed.

    The next occurrence follows the *start* of the call: one that outlasts its interval is followed at once by exactly
    one more, and then the schedule realigns.

    Args:
        schedule: the timer's.
        status: before the call.
        started: when the call began.
        scheduled: False for a catch-up and for a run on startup. A scheduled call that began a little early counts as
            begun on time, else the same occurrence would come twice.
    """
    if scheduled and status.next is not None and status.next > started:
        started = status.next
    return ScheduleStatus(last=started, next=schedule.next_after(started), last_updated=started)


def payload(trigger: TimerTrigger, status: ScheduleStatus | None, *, past_due: bool) -> dict[str, object]:
    """Give what a timer function is passed; `status` is None for a timer that is not monitored.

    AdjustForDST is obsolete and still there: true for cron, false for intervals.
    """
    return {
        "Schedule": {"AdjustForDST": isinstance(trigger.schedule, Cron)},
        "ScheduleStatus": None if status is None else status.to_json(),
        "IsPastDue": past_due,
    }


def pause_until(occurrence: datetime | None, now: datetime, longest: timedelta) -> float:
    """Give the seconds to sleep before looking at the clock again: a machine may have been asleep or set right."""
    if occurrence is None:
        return longest.total_seconds()
    return min(max(occurrence - now, timedelta()), longest).total_seconds()
