"""Resource Manager's token buckets, and the headers that say what is left in them (oddity 58)."""

import math
import threading
import time
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from devkit.simulator.model import Subscription

Operation = Literal["read", "write", "delete"]

GLOBAL_FACTOR = 15
"""All callers of a subscription together may do this many times what one of them may."""
_HOURLY = {"read": 11999, "write": 1199, "delete": 14999}


class Rate(Struct, frozen=True):
    """A bucket's size in requests, and how many come back each second."""

    burst: int
    per_second: float


READS = Rate(250, 25)
WRITES = Rate(200, 10)
DELETES = Rate(200, 10)


class Left(Struct, frozen=True):
    """What is left after a request, for the caller and for all callers; `wait` is 0, or the whole seconds to wait."""

    own: int
    everyone: int
    wait: int = 0


def operation(method: str) -> Operation:
    """The kind of bucket a request draws from."""
    return "read" if method in ("GET", "HEAD") else "delete" if method == "DELETE" else "write"


class Buckets:
    """Token buckets for each subscription and kind of operation, and for calls of the tenant; any thread may take."""

    def __init__(
        self,
        reads: Rate = READS,
        writes: Rate = WRITES,
        deletes: Rate = DELETES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates: dict[Operation, Rate] = {"read": reads, "write": writes, "delete": deletes}
        self._clock = clock
        self._lock = threading.Lock()
        self._filled: dict[tuple[str, Operation, int], tuple[float, float]] = {}

    def take(self, subscription: str, kind: Operation) -> Left:
        """Take one token for a call to that subscription, or to the tenant (""); without any left, say how long."""
        rate = self._rates[kind]
        with self._lock:
            now = self._clock()
            own = self._level((subscription.casefold(), kind, 1), rate, now)
            everyone = self._level((subscription.casefold(), kind, GLOBAL_FACTOR), rate, now)
            short = max((1 - own) / rate.per_second, (1 - everyone) / rate.per_second / GLOBAL_FACTOR)
            if short > 0:
                return Left(int(own), int(everyone), wait=max(1, math.ceil(short)))
            self._filled[subscription.casefold(), kind, 1] = (own - 1, now)
            self._filled[subscription.casefold(), kind, GLOBAL_FACTOR] = (everyone - 1, now)
            return Left(int(own - 1), int(everyone - 1))

    def _level(self, key: tuple[str, Operation, int], rate: Rate, now: float) -> float:
        factor = key[2]
        level, since = self._filled.get(key, (float(rate.burst * factor), now))
        return min(rate.burst * factor, level + (now - since) * rate.per_second * factor)


def untouched(kind: Operation) -> Left:
    """What is left to whoever calls rarely."""
    burst = (READS if kind == "read" else WRITES if kind == "write" else DELETES).burst
    return Left(burst - 1, burst * GLOBAL_FACTOR - 1)


def headers(kind: Operation, left: Left, subscription: Subscription | None, *, limited: bool) -> dict[str, str]:
    """What an answer says about the buckets of its subscription, or of the tenant (None)."""
    prefix = "x-ms-ratelimit-remaining-"
    if subscription is None:
        return {f"{prefix}tenant-{kind}s": str(left.own)}
    if subscription.budget == "hourly":
        # The counts of the years before 2024: by the hour, and none for all callers together.
        return {f"{prefix}subscription-{kind}s": str(left.own if limited else _HOURLY[kind])}
    told = {
        f"{prefix}subscription-{kind}s": str(left.own),
        f"{prefix}subscription-global-{kind}s": str(left.everyone),
    }
    return {name.title(): value for name, value in told.items()} if subscription.budget == "title-case" else told
