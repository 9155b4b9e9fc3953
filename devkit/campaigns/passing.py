"""Time that passes only while somebody waits."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ctypes import Array, c_double


class Time(Protocol):
    """What a process of the app is told about time."""

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        ...

    def slept(self) -> float:
        """Return seconds that only move forward, as those count who pace themselves."""
        ...

    def elapsed(self) -> float:
        """Return seconds that only move forward, as those count who hold a lock."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        ...


class Movable(Time, Protocol):
    """Time that whoever plays all parts may set."""

    def seconds(self) -> float:
        """Return the present moment, as Azure counts."""
        ...

    def set(self, now: datetime) -> None:
        """Begin anew there."""
        ...


class Passing:
    """A clock set by hand, which waiting moves on at once; safe for many threads."""

    def __init__(self, now: datetime) -> None:
        self._mutex = threading.Lock()
        self._now = now
        self._slept = 0.0

    def now(self) -> datetime:
        """The present moment, UTC."""
        return self._now

    def seconds(self) -> float:
        """The present moment, as Azure counts."""
        return self._now.timestamp()

    def slept(self) -> float:
        """How long all have waited, as those count who pace themselves."""
        return self._slept

    def elapsed(self) -> float:
        """Seconds of this machine: nobody loses a lock by what only seems to pass."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        with self._mutex:
            self._slept += seconds
            self._now += timedelta(seconds=seconds)

    def set(self, now: datetime) -> None:
        """Begin anew there."""
        with self._mutex:
            self._now, self._slept = now.astimezone(UTC), 0.0


class Shared:
    """The time of several processes: that of the machine, and what any of them has waited besides."""

    def __init__(self, waited: "Array[c_double]", place: int, epoch: float) -> None:
        """Begin.

        Args:
            waited: the seconds that each of them has waited; no lock guards it, for its holder may be killed.
            place: where this process writes its own.
            epoch: the moment at which the machine's seconds began, as a timestamp.
        """
        self.waited, self.epoch = waited, epoch
        self._place, self._mutex = place, threading.Lock()

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def seconds(self) -> float:
        """The present moment, as Azure counts."""
        return self.epoch + self.elapsed()

    def elapsed(self) -> float:
        """Seconds of the machine and those waited, for whoever holds a lock."""
        return time.monotonic() + sum(self.waited)

    def slept(self) -> float:
        """The same, for those who pace themselves."""
        return self.elapsed()

    def sleep(self, seconds: float) -> None:
        """Let so much time pass for all."""
        with self._mutex:
            self.waited[self._place] += seconds
        time.sleep(0.001)  # A thread that waits lets others go on.

    def set(self, now: datetime) -> None:
        """Begin anew there; processes that are there already do not notice."""
        self.epoch = now.timestamp() - self.elapsed()
