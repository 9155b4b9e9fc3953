"""Time that passes at once, and in which several threads sleep side by side, always in the same order."""

import heapq
import threading
from collections.abc import Callable
from itertools import count


class VirtualTime:
    """One thread runs at a time; whoever sleeps hands over to the one that wakes next."""

    def __init__(self) -> None:
        self._now = 0.0
        self._turn = count()
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._over = threading.Event()
        self._errors: list[BaseException] = []

    def now(self) -> float:
        """Seconds since the beginning."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Return when that much time has passed."""
        woken = self._enqueue(seconds)
        self._wake_next()
        woken.wait()

    def run(self, *calls: Callable[[], object]) -> float:
        """Run the calls side by side, and return the time at which the last one ended."""
        for call in calls:
            threading.Thread(target=self._perform, args=(call, self._enqueue(0)), daemon=True).start()
        self._wake_next()
        self._over.wait()
        if self._errors:
            raise self._errors[0]
        return self._now

    def _enqueue(self, seconds: float) -> threading.Event:
        woken = threading.Event()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._turn), woken))
        return woken

    def _wake_next(self) -> None:
        if not self._sleepers:
            self._over.set()
            return
        self._now, _, woken = heapq.heappop(self._sleepers)
        woken.set()

    def _perform(self, call: Callable[[], object], begin: threading.Event) -> None:
        begin.wait()
        try:
            call()
        except BaseException as error:  # noqa: BLE001  # run() raises it
            self._errors.append(error)
        finally:
            self._wake_next()
