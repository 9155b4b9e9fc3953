"""The catalog: what each job is, when it runs next, how it went last, and what is wrong with it."""

from datetime import datetime

import msgspec

from shared_code.run_records import RunRecords
from shared_code.runs import Run
from shared_code.settings import Configuration, Costs

NEXT_RUNS = 3
"""How many coming occurrences are shown."""


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job as operators see it. Times are UTC; `timer` is False where the schedule is missing or wrong."""

    name: str
    schedule: str | None
    timer: bool
    next_runs: tuple[datetime, ...]
    runnable: bool
    problems: tuple[str, ...]
    last_run: Run | None


def view(configuration: Configuration, records: RunRecords, name: str, now: datetime) -> JobView:
    """Describe one job of the configuration.

    Raises:
        StoreError: the store cannot be read.
    """
    schedule = configuration.schedules.get(name)
    last = next(records.newest(name), None)
    timer = schedule is not None and not configuration.problems_of(name, Costs.RUNS)
    return JobView(
        name=name,
        schedule=configuration.jobs[name].schedule,
        timer=timer,
        next_runs=tuple(schedule.upcoming(now, NEXT_RUNS)) if schedule and timer else (),
        runnable=not configuration.problems_of(name, Costs.RUNS),
        problems=tuple(map(str, configuration.problems_of(name, Costs.TIMER))),
        last_run=records.get(last).run if last else None,
    )
