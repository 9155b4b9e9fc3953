"""The app's functions as the host sees them: trigger, outputs, and for each one whether it can run.

What the host checks and the worker library does not, is checked here, function by function: one that is wrong is put in
error with the reason, the others run (azure-webjobs-sdk, FunctionIndexer.cs).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from devkit.local_host.app_settings import AppSettings, UnresolvedSetting
from devkit.local_host.routes import Route, RouteError, parse_route
from devkit.local_host.worker import Binding, Indexed
from shared_code.ncrontab import Cron, Interval, ScheduleError, parse

# azure-functions-host, Utility.cs.
_NAME = re.compile(r"(?!host$)[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
# https://learn.microsoft.com/rest/api/storageservices/naming-queues-and-metadata
_QUEUE = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_LEVELS = frozenset({"anonymous", "function", "admin"})


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """Called by a request."""

    parameter: str
    route: Route
    methods: frozenset[str] | None
    """Upper case; None for all."""
    level: str
    """anonymous, function or admin."""


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """Called by the clock."""

    parameter: str
    schedule: Cron | Interval
    run_on_startup: bool = False
    use_monitor: bool = True


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """Called by a message."""

    parameter: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function of the app."""

    name: str
    bindings: tuple[Binding, ...]
    trigger: HttpTrigger | TimerTrigger | QueueTrigger | None
    """None if the function is in error."""
    queues: Mapping[str, str] = field(default_factory=dict)
    """The queue each queue output writes to, by binding name."""
    problem: str | None = None
    """Why the function is in error."""
    disabled: bool = False
    has_retry: bool = False

    @property
    def runs(self) -> bool:
        """Whether its trigger is listened to."""
        return self.trigger is not None and not self.disabled


class _InError(ValueError):
    pass


def read_functions(indexed: Iterable[Indexed], settings: AppSettings, route_prefix: str) -> list[Function]:
    """Give every function with its trigger or its problem, in the app's order.

    Args:
        indexed: what the worker library found.
        settings: the app settings, for `%NAME%` and for what is disabled.
        route_prefix: of host.json, without slashes.
    """
    return [_read(function, settings, route_prefix) for function in indexed]


def _read(indexed: Indexed, settings: AppSettings, route_prefix: str) -> Function:
    trigger, queues, problem = None, {}, None
    try:
        if not _NAME.fullmatch(indexed.name):
            raise _InError(
                f"'{indexed.name}' is not a function name: a letter, then at most 127 letters, digits, _ or -"
            )
        queues = _queue_outputs(indexed.bindings, settings)
        trigger = _trigger(indexed, settings, route_prefix)
    except (_InError, UnresolvedSetting, RouteError) as error:
        problem = str(error)
    except ScheduleError as error:
        problem = error.sentence
    return Function(
        name=indexed.name,
        bindings=indexed.bindings,
        trigger=trigger,
        queues=queues,
        problem=problem,
        disabled=settings.disables(indexed.name),
        has_retry=indexed.has_retry,
    )


def _trigger(indexed: Indexed, settings: AppSettings, route_prefix: str) -> HttpTrigger | TimerTrigger | QueueTrigger:
    binding = next(binding for binding in indexed.bindings if str(binding["type"]).endswith("Trigger"))
    match binding["type"]:
        case "httpTrigger":
            return _http(indexed.name, binding, route_prefix)
        case "timerTrigger":
            return TimerTrigger(
                binding["name"],
                parse(settings.resolve(str(binding.get("schedule") or ""))),
                run_on_startup=_flag(binding, "runOnStartup", default=False),
                use_monitor=_flag(binding, "useMonitor", default=True),
            )
        case "queueTrigger":
            return QueueTrigger(binding["name"], _queue_name(binding, settings))
        case kind:
            raise _InError(
                f"the trigger '{kind}' is not played by the local host; it knows HTTP, timer and queue triggers"
            )


def _http(name: str, binding: Binding, route_prefix: str) -> HttpTrigger:
    level = str(binding.get("authLevel") or "function").lower()
    if level not in _LEVELS:
        raise _InError(f"the authorization level '{level}' is not one of anonymous, function and admin")
    route = str(binding.get("route") or name).strip("/")
    methods = [str(method).upper() for method in binding.get("methods") or ()]
    return HttpTrigger(
        binding["name"],
        parse_route(f"{route_prefix}/{route}".strip("/")),
        frozenset(methods) if methods else None,
        level,
    )


def _queue_outputs(bindings: Iterable[Binding], settings: AppSettings) -> dict[str, str]:
    queues = {}
    for binding in bindings:
        kind, direction = str(binding["type"]), str(binding.get("direction", "")).upper()
        if kind.endswith("Trigger") or kind == "http":
            continue
        if kind != "queue" or direction != "OUT":
            raise _InError(
                f"the {direction.lower()} binding '{kind}' is not played by the local host; it knows queue outputs"
            )
        queues[str(binding["name"])] = _queue_name(binding, settings)
    return queues


def _queue_name(binding: Binding, settings: AppSettings) -> str:
    # azure-sdk-for-net, QueueTriggerAttributeBindingProvider: the name is resolved, then put in lower case.
    name = settings.resolve(str(binding.get("queueName") or "")).lower()
    if not _QUEUE.fullmatch(name):
        raise _InError(f"'{name}' is not a queue name: 3 to 63 lower-case letters, digits and single hyphens")
    return name


def _flag(binding: Binding, name: str, *, default: bool) -> bool:
    value = binding.get(name)
    return default if value is None else str(value).strip().lower() == "true"
