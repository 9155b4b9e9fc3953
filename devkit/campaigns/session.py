"""One performance of a campaign: its seed and its time, how far it is, and what it has found."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TextIO

from msgspec import Struct

from shared_code.progress_line import left

EVERY = 10.0
"""Seconds between two lines of progress where none is drawn again."""
_DRAWN_EVERY = 0.2


class Violation(Struct, frozen=True):
    """A promise that was not kept: what was seen, and what names the place for `--only`."""

    what: str
    only: str = ""


class Session:
    """Tells how far a campaign is on `out`, and ends it when its minutes are over."""

    def __init__(
        self,
        campaign: str,
        seed: int = 1,
        minutes: float = 10.0,
        only: str = "",
        *,
        out: TextIO = sys.stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin; time runs from here.

        Args:
            campaign: its name.
            seed: what all that is drawn follows from.
            minutes: after which nothing new is begun.
            only: the one place to try; "" for all.
            out: where progress and violations are told.
            clock: monotonic seconds.
        """
        self.campaign, self.seed, self.only = campaign, seed, only
        self.figures: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self._out, self._clock = out, clock
        self._begun = clock()
        self._ends = self._begun + minutes * 60
        self._told = self._begun
        self._redrawn = out.isatty()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._clock() - self._begun

    @property
    def goes_on(self) -> bool:
        """Whether something new may be begun."""
        return self._clock() < self._ends

    def progress(self, done: int, things: str, total: int | None = None) -> None:
        """Tell what is done, of how many if that is known; now and then, however often this is called."""
        now = self._clock()
        if now - self._told < (_DRAWN_EVERY if self._redrawn else EVERY):
            return
        self._told = now
        rate = done / (now - self._begun)
        rest = max(0.0, self._ends - now)
        if total is not None and rate:
            rest = min(rest, (total - done) / rate)
        of = "" if total is None else f" of {total:,}"
        found = f", {len(self.violations):,} violations" if self.violations else ""
        line = f"{self.campaign}: {done:,}{of} {things}, {rate:.1f}/s, about {left(rest)} left{found}"
        self._out.write(f"\r{line:<100}" if self._redrawn else f"{line}\n")
        self._out.flush()

    def violated(self, what: str, only: str = "") -> None:
        """Note a promise that was not kept, and tell at once how to see it again."""
        self.violations.append(Violation(what, only))
        again = f"./dev campaign {self.campaign} --seed {self.seed}" + (f" --only '{only}'" if only else "")
        before = "\n" if self._redrawn else ""
        self._out.write(f"{before}violation: {what}\n  seed {self.seed}; again: {again}\n")
        self._out.flush()

    def result(self) -> dict[str, Any]:
        """Return what it came to, for one JSON line."""
        found = [{"what": each.what, "only": each.only} for each in self.violations]
        return {
            "campaign": self.campaign,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            **dict(sorted(self.figures.items())),
            "violations": found,
        }

    def end(self, result: TextIO = sys.stdout) -> int:
        """Write the result as one line of JSON, and return the exit code: 1 where a promise was not kept."""
        if self._redrawn:
            self._out.write("\n")
        counted = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sorted(self.figures.items()))
        self._out.write(f"{self.campaign}: {counted}, {len(self.violations):,} violations in {left(self.seconds)}\n")
        self._out.flush()
        result.write(json.dumps(self.result()) + "\n")
        result.flush()
        return 1 if self.violations else 0
