"""The catalog: what each job is, when it runs next, how it went last, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

import msgspec

from shared_code.local_times import LocalTimes
from shared_code.run_records import RunRecords
from shared_code.runs import Mode, Run, RunStatus, job_of
from shared_code.schedule_warnings import too_short
from shared_code.schedules import AzureVerdict, StewardVerdict
from shared_code.settings import Cleanup, Configuration, Costs, TagAudit

NEXT_RUNS = 3
"""How many coming occurrences are shown."""
RECENT = 5
"""How many runs are looked at for what is usual."""


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job as operators see it. Times are UTC; `timer` is False where the schedule is missing or wrong.

    `timezone` is the zone by whose clocks the schedule is meant, None for UTC; `local` says the same in its times, and
    what a timer in UTC costs, None where there is no timer or no zone.

    `words` says in a sentence when Azure would start it; `azure` and `steward` are the two verdicts on its schedule,
    None without one; `warnings` cost nothing. `mode` and `armed_subscriptions` say what the job may change in Azure.
    """

    name: str
    schedule: str | None
    timer: bool
    next_runs: tuple[datetime, ...]
    runnable: bool
    problems: tuple[str, ...]
    last_run: Run | None
    mode: Mode | None = None
    armed_subscriptions: tuple[str, ...] = ()
    words: str | None = None
    warnings: tuple[str, ...] = ()
    azure: AzureVerdict | None = None
    steward: StewardVerdict | None = None
    timezone: str | None = None
    local: LocalTimes | None = None


def views(configuration: Configuration, records: RunRecords, now: datetime) -> list[JobView]:
    """Describe every job of the configuration, by name.

    Raises:
        StoreError: the store cannot be read.
    """
    ids = list(records.newest())  # once for all: of a store with years of runs this takes a while

    def of(name: str) -> Iterator[Run]:
        return (run for run in records.readable(each for each in ids if job_of(each) == name) if run.task == name)

    return [describe(configuration, list(islice(of(name), RECENT)), name, now) for name in sorted(configuration.jobs)]


def view(configuration: Configuration, records: RunRecords, name: str, now: datetime) -> JobView:
    """Describe one job of the configuration.

    Raises:
        StoreError: the store cannot be read.
    """
    own = (run for run in records.newest_readable(name) if run.task == name)
    return describe(configuration, list(islice(own, RECENT)), name, now)


def describe(configuration: Configuration, recent: Sequence[Run], name: str, now: datetime) -> JobView:
    """Describe one job of the configuration; `recent` are its last performances, newest first."""
    settings = configuration.jobs[name]
    schedule = configuration.schedules.get(name)
    judgement = configuration.judgements.get(name)
    warnings = [str(warning) for warning in configuration.warnings if warning.job in (None, name)]
    if schedule is not None:
        durations = list(_durations(recent))
        warnings += [
            f"jobs.{name}.schedule: {text}" for text in too_short(schedule.cron, durations, now, schedule.occurrences)
        ]
    timer = schedule is not None and not configuration.problems_of(name, Costs.RUNS)
    next_runs = tuple(schedule.upcoming(now, NEXT_RUNS)) if schedule and timer else ()
    return JobView(
        name=name,
        schedule=configuration.jobs[name].schedule,
        timer=timer,
        next_runs=next_runs,
        runnable=not configuration.problems_of(name, Costs.RUNS),
        problems=tuple(map(str, configuration.problems_of(name, Costs.TIMER))),
        last_run=recent[0].brief if recent else None,
        mode=settings.mode if isinstance(settings, TagAudit | Cleanup) else None,
        armed_subscriptions=settings.armed_subscriptions if isinstance(settings, TagAudit | Cleanup) else (),
        words=judgement.words if judgement else None,
        warnings=tuple(warnings),
        azure=judgement.azure if judgement else None,
        steward=judgement.steward if judgement else None,
        timezone=settings.timezone,
        local=schedule.local_times(now, next_runs) if schedule and timer else None,
    )


def _durations(runs: Sequence[Run]) -> Iterator[float]:
    """Give the seconds that those runs took that succeeded."""
    for run in runs:
        if run.status is RunStatus.SUCCEEDED and run.started and run.ended:
            yield (run.ended - run.started).total_seconds()
