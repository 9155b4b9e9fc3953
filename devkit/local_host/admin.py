"""Calls by hand: what `POST /admin/functions/{name}` does.

azure-functions-host, FunctionsController.cs. The listener is bypassed: a timer called so may overlap a scheduled call,
is never past due, and leaves the stored status alone.
"""

import asyncio
from collections.abc import Iterable

import msgspec

from devkit.local_host import datums
from devkit.local_host.datums import Datum
from devkit.local_host.functions import Function, HttpTrigger, QueueTrigger, TimerTrigger
from devkit.local_host.invoker import Invoker
from devkit.local_host.schedule_status import ScheduleStatuses
from devkit.local_host.timers import is_monitored, payload


class Invocation(msgspec.Struct):
    """The body of a call by hand (azure-functions-host, FunctionInvocation.cs)."""

    input: str | None = None


class Admin:
    """Lists the functions and calls them by hand.

    Args:
        functions: all of them, those in error too.
        invoker: calls them.
        statuses: what timers are passed.
    """

    def __init__(self, functions: Iterable[Function], invoker: Invoker, statuses: ScheduleStatuses) -> None:
        self._functions = {function.name.casefold(): function for function in functions}
        self._invoker = invoker
        self._statuses = statuses
        self._tasks: set[asyncio.Task[object]] = set()

    def find(self, name: str) -> Function | None:
        """Give the function of that name, case ignored."""
        return self._functions.get(name.casefold())

    def call(self, function: Function, given: str | None, reason: str = "by hand") -> None:
        """Start a call and return at once; how it ends is in the log."""
        value, metadata = self._value(function, given)
        task: asyncio.Task[object] = asyncio.create_task(self._invoker.invoke(function, value, reason, metadata))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def list_functions(self, url: str) -> list[dict[str, object]]:
        """Give every function as the host describes it."""
        return [_description(function, url) for function in self._functions.values()]

    def status(self, function: Function) -> dict[str, object]:
        """Give the errors of one function (azure-functions-host, FunctionStatus.cs)."""
        return {"errors": [function.problem] if function.problem else [], "isDisabled": function.disabled}

    def _value(self, function: Function, given: str | None) -> tuple[Datum, dict[str, Datum]]:
        match function.trigger:
            case TimerTrigger() as trigger:
                status = self._statuses.load(function.name) if is_monitored(trigger) else None
                return datums.as_json(payload(trigger, status, past_due=False)), {}
            case QueueTrigger():
                return datums.text(given or ""), {}
            case HttpTrigger() as trigger:
                method = "POST" if trigger.methods is None or "POST" in trigger.methods else min(trigger.methods)
                return (
                    datums.http(
                        method=method,
                        url=f"/{trigger.route}",
                        headers={},
                        query={},
                        params={},
                        body=(given or "").encode(),
                    ),
                    {},
                )
            case _:
                raise ValueError(f"function '{function.name}' is in error and cannot be called")


def _description(function: Function, url: str) -> dict[str, object]:
    trigger = function.trigger
    return {
        "name": function.name,
        "language": "python",
        "isDisabled": function.disabled,
        "href": f"{url}/admin/functions/{function.name}",
        "invoke_url_template": f"{url}/{trigger.route}" if isinstance(trigger, HttpTrigger) else None,
        "config": {"name": function.name, "bindings": list(function.bindings)},
    }
