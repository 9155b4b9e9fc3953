"""The checks for whoever asks over HTTP: many who ask at the same time make the app look once."""

import threading
from collections.abc import Callable

from shared_code.doctor.checks import Check

TRUSTED_FOR = 5.0
"""Seconds for which what was found is told again."""


class Checkup:
    """Looks at everything, one at a time; safe for many threads."""

    def __init__(self, look: Callable[[], tuple[Check, ...]], monotonic: Callable[[], float]) -> None:
        """Prepare.

        Args:
            look: gives the checks.
            monotonic: seconds that only move forward.
        """
        self._look = look
        self._monotonic = monotonic
        self._mutex = threading.Lock()
        self._found: tuple[Check, ...] = ()
        self._until = float("-inf")

    def checks(self) -> tuple[Check, ...]:
        """Return the checks, those of a few seconds ago where somebody has just asked."""
        with self._mutex:
            if self._monotonic() >= self._until:
                self._found = self._look()
                self._until = self._monotonic() + TRUSTED_FOR
            return self._found
