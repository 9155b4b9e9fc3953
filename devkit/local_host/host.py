"""The host: everything put together for one app, from the lock on its state folder to the last running function."""

import asyncio
import errno
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from aiohttp import web
from filelock import FileLock, Timeout

from devkit.local_host.admin import Admin
from devkit.local_host.app_settings import AppSettings, add_local_settings, prepare_environment
from devkit.local_host.errors import LocalHostError
from devkit.local_host.functions import Function, QueueTrigger, TimerTrigger, read_functions
from devkit.local_host.host_json import HostJson, read_host_json
from devkit.local_host.invoker import Invoker
from devkit.local_host.keys import Keys, keep_keys
from devkit.local_host.queue import Queues
from devkit.local_host.queue_listener import QueueListener
from devkit.local_host.schedule_status import ScheduleStatuses
from devkit.local_host.server import Server
from devkit.local_host.telemetry import Telemetry, telemetry_of
from devkit.local_host.timer_listener import TimerListener
from devkit.local_host.worker import Worker, check_app, current_invocation

logger = logging.getLogger(__name__)

_LOOPBACK = "127.0.0.1"
_SWEEPER = "watchdog"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to run the host."""

    app: Path
    state: Path
    port: int = 7071
    """0 for any free port."""
    timers: bool = True
    sweep: bool = True
    """Call the timer function `watchdog` once at start: it picks up what a killed process left."""


def _now() -> datetime:
    return datetime.now(UTC)


class Failure(msgspec.Struct, frozen=True):
    """Why the host cannot go on."""

    sentence: str
    restart: bool
    """Whether a fresh process mends it."""


class LocalHost:
    """One app, loaded and running; one for each process.

    After `start`, `url`, `keys` and `functions` tell what runs; `failed` is done once the host cannot go on.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = FileLock(options.state / "host.lock", blocking=False)
        self._listeners: list[TimerListener | QueueListener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._worker: Worker | None = None
        self._invoker: Invoker | None = None
        self._queues: Queues | None = None
        self._runner: web.AppRunner | None = None
        self._telemetry: Telemetry | None = None
        self.functions: list[Function] = []
        self.url = ""
        self.port = options.port
        self.keys: Keys
        self.failed: asyncio.Future[Failure]

    async def start(self) -> None:
        """Load the app, listen, take messages and mind the clock.

        Raises:
            LocalHostError: something is in the way; nothing is left running.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop(grace=0.0)
            raise

    async def stop(self, grace: float = 10.0) -> bool:
        """Take nothing new and let what runs finish.

        Args:
            grace: seconds to wait for running functions.

        Returns:
            False if something still ran after that; its message comes back at the next start.
        """
        for listener in self._listeners:
            listener.stop()
        if self._runner:
            for site in list(self._runner.sites):
                await site.stop()
        finished = self._invoker is None or await self._invoker.drain(grace)
        if not finished and self._invoker:
            logger.warning("Still running after %g s and left behind: %s", grace, ", ".join(self._invoker.running))
        for task in self._tasks:
            if not finished:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner:
            await self._runner.cleanup()
        if self._queues and finished:
            self._queues.close()
        if self._worker and finished:
            self._worker.close()
        if self._telemetry:
            logging.getLogger().removeHandler(self._telemetry)
            self._telemetry.close()
        self._lock.release()
        return finished

    async def _start(self) -> None:
        options = self._options
        check_app(options.app)
        host_json = read_host_json(options.app)
        self._take_state()
        self.keys = keep_keys(options.state / "keys.json")
        added = add_local_settings(options.app, os.environ)
        prepare_environment(os.environ)
        self._telemetry = telemetry_of(os.environ, self._called)
        if self._telemetry:
            logging.getLogger().addHandler(self._telemetry)
        self._worker = await Worker.load(options.app)
        settings = AppSettings(os.environ)
        self.functions = read_functions(self._worker.functions, settings, host_json.route_prefix)
        self._report(added)
        self.failed = asyncio.get_running_loop().create_future()
        self._queues = Queues(options.state / "queues.sqlite", _now)
        recovered = self._queues.recover()
        if recovered:
            logger.info("Messages in flight when the last host ended, visible again now: %d", recovered)
        invoker = Invoker(self._worker, self._queues, host_json.function_timeout, self._time_out, self._telemetry)
        self._invoker = invoker
        statuses = ScheduleStatuses(options.state / "timers")
        admin = Admin(self.functions, invoker, statuses)
        await self._listen(Server(self.functions, invoker, admin, self.keys).application())
        self._start_listeners(host_json, invoker, self._queues, statuses)
        self._sweep(admin)

    def function_of(self, invocation_id: str) -> str | None:
        """Give the function a running invocation belongs to, for the log."""
        return self._invoker.function_of(invocation_id) if self._invoker else None

    def _called(self) -> tuple[str, str] | None:
        """Give the function and the invocation that the calling code is part of."""
        invocation_id = current_invocation()
        function = self.function_of(invocation_id) if invocation_id else None
        return (function, invocation_id) if function and invocation_id else None

    def _take_state(self) -> None:
        state = self._options.state
        try:
            state.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise LocalHostError(
                f"Another local host uses '{state}'; stop it, or name another folder with --state"
            ) from None
        except OSError as error:
            raise LocalHostError(f"'{state}' cannot be used as state folder: {error}") from None

    def _report(self, added: int) -> None:
        if added:
            logger.info("%d settings come from local.settings.json", added)
        if not self.functions:
            logger.warning("The app has no functions")
        for function in self.functions:
            if function.problem:
                logger.error("Function %s is in error and does not run: %s", function.name, function.problem)
            if function.has_retry:
                logger.warning("Function %s has a retry policy, which the local host does not follow", function.name)

    async def _listen(self, application: web.Application) -> None:
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, _LOOPBACK, self._options.port)
        try:
            await site.start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise LocalHostError(
                    f"Port {self._options.port} is taken; stop what listens there, or name another with --port"
                ) from None
            raise LocalHostError(f"Port {self._options.port} cannot be listened on: {error}") from None
        self.port = self._runner.addresses[0][1]
        self.url = f"http://{_LOOPBACK}:{self.port}"

    def _start_listeners(
        self, host_json: HostJson, invoker: Invoker, queues: Queues, statuses: ScheduleStatuses
    ) -> None:
        for function in self.functions:
            if not function.runs:
                continue
            if isinstance(function.trigger, QueueTrigger):
                self._listeners.append(
                    QueueListener(function, function.trigger, invoker, queues, host_json.queues, _now)
                )
            elif isinstance(function.trigger, TimerTrigger) and self._options.timers:
                self._listeners.append(TimerListener(function, function.trigger, invoker, statuses, _now))
        self._tasks = [asyncio.create_task(self._watch(listener)) for listener in self._listeners]

    async def _watch(self, listener: TimerListener | QueueListener) -> None:
        try:
            await listener.run()
        except Exception as error:
            logger.exception("A listener ended")
            self._fail(Failure(f"A listener ended: {type(error).__name__}: {error}", restart=False))

    def _sweep(self, admin: Admin) -> None:
        sweeper = admin.find(_SWEEPER)
        if (
            not self._options.sweep
            or sweeper is None
            or not sweeper.runs
            or not isinstance(sweeper.trigger, TimerTrigger)
        ):
            return
        if any(
            isinstance(each, TimerListener) and each.past_due and each.function is sweeper for each in self._listeners
        ):
            return  # its catch-up call does the same
        admin.call(sweeper, None, reason="sweep at start")

    def _time_out(self, sentence: str) -> None:
        # WebScriptHostExceptionHandler.cs: the host restarts the worker process, and all that runs in it is lost.
        self._fail(Failure(f"{sentence}; the process starts anew, as the worker does in Azure", restart=True))

    def _fail(self, failure: Failure) -> None:
        if not self.failed.done():
            self.failed.set_result(failure)
