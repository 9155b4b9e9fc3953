"""The start-up listing: what the app offers, for the person who started it."""

from collections.abc import Iterable
from datetime import datetime

from devkit.local_host.functions import Function, HttpTrigger, QueueTrigger, TimerTrigger


def list_functions(functions: Iterable[Function], url: str, now: datetime) -> str:
    """Give the listing as lines of text.

    Args:
        functions: all of the app's.
        url: where the server listens, without a slash at the end.
        now: for the next occurrence of each timer.
    """
    every = sorted(functions, key=lambda function: function.name)
    blocks = (
        ("HTTP", [_http(f, f.trigger, url) for f in every if isinstance(f.trigger, HttpTrigger)]),
        ("Timers", [_timer(f, f.trigger, now) for f in every if isinstance(f.trigger, TimerTrigger)]),
        ("Queues", [_queue(f, f.trigger) for f in every if isinstance(f.trigger, QueueTrigger)]),
        ("In error", [(f.name, str(f.problem), "") for f in every if f.trigger is None]),
    )
    return "\n".join(line for title, rows in blocks if rows for line in (f"{title}:", *_aligned(rows)))


def _http(function: Function, trigger: HttpTrigger, url: str) -> tuple[str, str, str]:
    methods = ",".join(sorted(trigger.methods)) if trigger.methods else "any method"
    return function.name, f"{methods} {url}/{trigger.route}", trigger.level + _off(function)


def _timer(function: Function, trigger: TimerTrigger, now: datetime) -> tuple[str, str, str]:
    following = trigger.schedule.next_after(now)
    shown = "never" if following is None else following.strftime("%Y-%m-%dT%H:%M:%SZ")
    return function.name, str(trigger.schedule), f"next {shown}{_off(function)}"


def _queue(function: Function, trigger: QueueTrigger) -> tuple[str, str, str]:
    return function.name, trigger.queue, _off(function).removeprefix(", ")


def _off(function: Function) -> str:
    return ", disabled" if function.disabled else ""


def _aligned(rows: list[tuple[str, str, str]]) -> list[str]:
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"  {name:<{first}}  {middle:<{second}}  {last}".rstrip() for name, middle, last in rows]
