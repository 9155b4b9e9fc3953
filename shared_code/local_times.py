"""Local times: what operators are told of a schedule by the clocks of a time zone."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Effect(StrEnum):
    """What a change of the clocks does to a schedule."""

    NONE = "none"
    """No time of the schedule is skipped or comes twice."""
    SHIFTED = "shifted"
    """A time is skipped, and its occurrence comes later by the length of the gap."""
    ONCE = "once"
    """A time comes twice, and its occurrence comes the first time."""
    BOTH = "both"
    """Times come twice, and so do the occurrences of an interval."""


class ClockChange(msgspec.Struct, frozen=True, kw_only=True):
    """The next change of the clocks, at `at` (UTC), and what it does to a schedule.

    `minutes` is how far they go forward, negative where they go back.
    """

    at: datetime
    minutes: float
    effect: Effect
    words: str


class LocalTimes(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule by the clocks of a time zone, as operators see it.

    `registered` is the schedule of its timer, in UTC, and `calls_beside` how many of its calls on an average day are
    for no occurrence and start nothing. `next_runs` are as the clocks show them. `clock_change` is None where the
    rules know of none within two years.
    """

    timezone: str
    registered: str
    calls_beside: float
    next_runs: tuple[datetime, ...]
    clock_change: ClockChange | None
