"""Examinations: side by side, each with a time limit; what breaks or hangs is a line of its own and stops no other."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from shared_code.doctor.checks import Check, failed, not_checked
from shared_code.errors import StewardError, Unauthenticated

log = logging.getLogger(__name__)

NO_TOKEN = "there is no token for it; see the identity above"  # noqa: S105  # a sentence


class Examination(NamedTuple):
    """Something to look at: how it is called where it cannot be looked at, and what gives its checks."""

    what: str
    look: Callable[[], Iterable[Check]]
    limit: float = 15.0
    """Seconds."""


def examine(
    examinations: Sequence[Examination], monotonic: Callable[[], float], within: float = 30.0
) -> tuple[Check, ...]:
    """Perform all side by side, and return their checks in the order of the examinations.

    Args:
        examinations: what to look at.
        monotonic: seconds that only move forward.
        within: seconds that all of it may take.
    """
    begun = monotonic()
    performed = [_Performed(each) for each in examinations]
    for each in performed:
        each.start()
    checks: list[Check] = []
    for one, each in zip(examinations, performed, strict=True):
        limit = max(0.0, min(one.limit, within))
        checks += each.checks(max(0.0, begun + limit - monotonic()), limit)
    return tuple(checks)


class _Performed:
    """One examination on a thread of its own, which does not keep the process from ending."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._found: list[Check] | None = None
        self._thread = threading.Thread(target=self._run, name=f"doctor {examination.what}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        what = self._examination.what
        try:
            self._found = list(self._examination.look())
        except StewardError as error:
            told = str(error).removesuffix(".")
            # Said once, by who looks at the identity; a token that was refused is another matter.
            without = isinstance(error, Unauthenticated) and "no token" in told
            self._found = [not_checked(what, NO_TOKEN) if without else failed(what, told)]
        except Exception as error:
            log.exception("the check of %s broke", what)
            told = f"the check broke with an unexpected {type(error).__name__}"
            self._found = [failed(what, told, "report it, with what 'steward --verbose doctor' logs")]

    def checks(self, patience: float, limit: float) -> list[Check]:
        """Wait for the end, as long as there is time."""
        self._thread.join(patience)
        if self._found is None:
            told = f"no answer within {round(limit, 1):g} s"
            return [failed(self._examination.what, told, "check the address and the network, then try again")]
        return self._found
