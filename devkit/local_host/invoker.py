"""Runs functions: every trigger comes through here, so every invocation is logged, timed and counted alike."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from devkit.local_host.datums import Datum
from devkit.local_host.functions import Function, HttpTrigger
from devkit.local_host.outputs import BadOutput, messages_of
from devkit.local_host.queue import MessageTooLarge, Queues
from devkit.local_host.telemetry import Telemetry
from devkit.local_host.worker import Outcome, Worker, invocation_scope, new_invocation_id

logger = logging.getLogger(__name__)


class Invoker:
    """Calls functions of one worker and puts their queue outputs on the queues.

    Args:
        worker: the loaded app.
        queues: where queue outputs go.
        timeout: seconds an invocation may take (host.json functionTimeout), or None.
        on_timeout: told a sentence when one took longer; the thread it runs on cannot be ended alone.
        telemetry: told of each call that has ended.
    """

    def __init__(
        self,
        worker: Worker,
        queues: Queues,
        timeout: float | None,
        on_timeout: Callable[[str], object],
        telemetry: Telemetry | None = None,
    ) -> None:
        self._worker = worker
        self._queues = queues
        self._timeout = timeout
        self._on_timeout = on_timeout
        self._telemetry = telemetry
        self._running: dict[str, str] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def running(self) -> list[str]:
        """The names of the functions that run now."""
        return sorted(self._running.values())

    def function_of(self, invocation_id: str) -> str | None:
        """Give the function a running invocation belongs to."""
        return self._running.get(invocation_id)

    async def invoke(
        self, function: Function, value: Datum, reason: str, metadata: Mapping[str, Datum] | None = None
    ) -> Outcome:
        """Call a function with its trigger's value, then write its outputs; never raises for what the app does.

        Args:
            function: one that has a trigger.
            value: what the trigger passes.
            reason: why it is called, for the log.
            metadata: the trigger's metadata.
        """
        if function.trigger is None:
            raise ValueError(f"function '{function.name}' is in error and cannot be called")
        invocation_id = new_invocation_id()
        with self._counted(invocation_id, function, reason), invocation_scope(invocation_id):
            logger.info("Called: %s", reason)
            began = datetime.now(UTC)
            outcome = await self._worker.invoke(
                function.name, {function.trigger.parameter: value}, metadata or {}, invocation_id
            )
            outcome = self._write_outputs(function, outcome)
            if outcome.error:
                logger.error("Failed after %.3f s: %s", outcome.seconds, outcome.error)
            else:
                logger.info("Succeeded in %.3f s", outcome.seconds)
            if self._telemetry:
                code = _code(function, outcome)
                self._telemetry.called(function.name, invocation_id, began, outcome.seconds, code, reason)
        return outcome

    async def drain(self, seconds: float) -> bool:
        """Wait until nothing runs; False if something still does after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    @contextmanager
    def _counted(self, invocation_id: str, function: Function, reason: str) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        guard = (
            loop.call_later(self._timeout, self._too_long, function, invocation_id, reason) if self._timeout else None
        )
        self._running[invocation_id] = function.name
        self._idle.clear()
        try:
            yield
        finally:
            if guard:
                guard.cancel()
            del self._running[invocation_id]
            if not self._running:
                self._idle.set()

    def _write_outputs(self, function: Function, outcome: Outcome) -> Outcome:
        if outcome.error or not function.queues:
            return outcome
        try:
            self._queues.put(messages_of(function, outcome))
        except (BadOutput, MessageTooLarge) as error:
            return replace(outcome, error=f"its outputs cannot be written: {error}", returned=None)
        return outcome

    def _too_long(self, function: Function, invocation_id: str, reason: str) -> None:
        if self._telemetry and self._timeout:
            began = datetime.now(UTC) - timedelta(seconds=self._timeout)
            self._telemetry.called(function.name, invocation_id, began, self._timeout, "", reason)
        self._on_timeout(
            f"Function '{function.name}' has run for longer than the functionTimeout of {self._timeout:g} s"
        )


def _code(function: Function, outcome: Outcome) -> str:
    """What the host notes as the result code: an HTTP status, or 0; nothing where the call failed."""
    if outcome.error:
        return ""
    value = outcome.returned.value if outcome.returned is not None else None
    if isinstance(function.trigger, HttpTrigger) and isinstance(value, dict) and "status_code" in value:
        return str(getattr(value["status_code"], "value", value["status_code"]))
    return "0"
