"""Timers: registered with the checked schedule, or left out."""

from collections.abc import Callable

import azure.functions as func

from __app__.queue import Work, send, sends_runs
from shared_code.settings import Costs
from shared_code.wiring import steward

type Timer = Callable[[func.TimerRequest, Work], None]


def scheduled(blueprint: func.Blueprint, job: str) -> Callable[[Timer], Timer]:
    """Register a timer function under the job's schedule, or what covers it in UTC.

    A job without a valid schedule, or whose runs the configuration forbids, gets no timer; the problem is in the log,
    in `GET health` and in `steward check`. Raising here would cost the app all its functions.
    """
    configuration = steward().configuration
    schedule = configuration.schedules.get(job)

    def register(function: Timer) -> Timer:
        if schedule is None or configuration.problems_of(job, Costs.RUNS):
            return function
        timer = blueprint.timer_trigger(arg_name="timer", schedule=schedule.timer, use_monitor=True)
        return timer(sends_runs(blueprint)(function))  # type: ignore[no-any-return]

    return register


def tick(job: str, timer: func.TimerRequest, work: Work) -> None:
    """Record the run of this call and send its message."""
    run = steward().requests.tick(job, past_due=timer.past_due)
    send(work, [run] if run else [])
