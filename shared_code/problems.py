"""What can be wrong with the configuration, and what it costs."""

from enum import StrEnum

import msgspec


class Costs(StrEnum):
    """What a problem costs until it is mended."""

    TIMER = "timer"
    """The job's schedule; it can still be started by hand."""
    RUNS = "runs"
    """Every run of the job."""
    NOTICES = "notices"
    """That anybody is told; every job runs."""


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with the configuration: where, what, and which jobs pay for it (none named: all of them)."""

    place: str
    text: str
    costs: Costs
    job: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Caution(msgspec.Struct, frozen=True):
    """One thing that works and may surprise: where, and what to write instead. It costs nothing."""

    place: str
    text: str
    job: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"
