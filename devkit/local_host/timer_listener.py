"""Listens to one timer: waits, calls, remembers. Calls of one timer never overlap."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from devkit.local_host.datums import as_json
from devkit.local_host.functions import Function, TimerTrigger
from devkit.local_host.invoker import Invoker
from devkit.local_host.schedule_status import ScheduleStatus, ScheduleStatuses
from devkit.local_host.timers import Start, after_run, check_at_start, is_monitored, pause_until, payload

logger = logging.getLogger(__name__)

_LONGEST_PAUSE = timedelta(seconds=30)


class TimerListener:
    """One timer of the app.

    Args:
        function: the function to call.
        trigger: its timer.
        invoker: calls it.
        statuses: where its status is kept.
        clock: gives the present time, aware.
    """

    def __init__(
        self,
        function: Function,
        trigger: TimerTrigger,
        invoker: Invoker,
        statuses: ScheduleStatuses,
        clock: Callable[[], datetime],
    ) -> None:
        self.function = function
        self._trigger = trigger
        self._invoker = invoker
        self._statuses = statuses
        self._clock = clock
        self._monitored = is_monitored(trigger)
        self._stopping = asyncio.Event()
        self._start = self._look_back()

    @property
    def past_due(self) -> bool:
        """Whether an occurrence was missed while no host ran."""
        return self._start.past_due

    async def run(self) -> None:
        """Call the function at each occurrence until `stop`; a call that runs then is finished."""
        status = self._start.status
        if self._start.past_due:
            logger.info("%s is past due since %s: one call for all that was missed", self.function.name, status.next)
            status = await self._call(status, "past due", past_due=True, scheduled=False)
        elif self._trigger.run_on_startup:
            status = await self._call(status, "run on startup", past_due=False, scheduled=False)
        while await self._wait_for(status.next):
            status = await self._call(status, "timer", past_due=False, scheduled=True)

    def stop(self) -> None:
        """Call the function no more."""
        self._stopping.set()

    def _look_back(self) -> Start:
        now = self._clock()
        stored = self._statuses.load(self.function.name) if self._monitored else None
        start = check_at_start(self._trigger.schedule, stored, now)
        if self._monitored and start.status != stored:
            self._statuses.save(self.function.name, start.status)
        return start

    async def _call(self, status: ScheduleStatus, reason: str, *, past_due: bool, scheduled: bool) -> ScheduleStatus:
        started = self._clock()
        shown = status if self._monitored else None
        await self._invoker.invoke(self.function, as_json(payload(self._trigger, shown, past_due=past_due)), reason)
        # Written after the call: whoever is killed during it finds the timer past due and calls again.
        status = after_run(self._trigger.schedule, status, started, scheduled=scheduled)
        if self._monitored:
            self._statuses.save(self.function.name, status)
        return status

    async def _wait_for(self, occurrence: datetime | None) -> bool:
        while not self._stopping.is_set():
            now = self._clock()
            if occurrence is not None and now >= occurrence:
                return True
            try:
                async with asyncio.timeout(pause_until(occurrence, now, _LONGEST_PAUSE)):
                    await self._stopping.wait()
            except TimeoutError:
                continue
        return False
