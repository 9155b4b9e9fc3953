"""What a check says, as a value."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Result(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """It works, and somebody should look at it."""
    FAILED = "failed"
    NOT_CHECKED = "not checked"
    """Nobody can tell, or there is nothing to look at."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what was looked at, how that ended, what was seen, what to do, and the page that helps."""

    what: str
    result: Result
    detail: str
    to_do: str | None = None
    runbook: str | None = None

    @property
    def sentence(self) -> str:
        """What was seen and what to do, as one line."""
        told = self.detail if self.to_do is None else f"{self.detail}; {self.to_do}"
        return told if self.runbook is None else f"{told} ({self.runbook})"


def ok(what: str, detail: str) -> Check:
    """Say that all is well."""
    return Check(what=what, result=Result.OK, detail=detail)


def warning(what: str, detail: str, to_do: str, runbook: str | None = None) -> Check:
    """Say what somebody should look at."""
    return Check(what=what, result=Result.WARNING, detail=detail, to_do=to_do, runbook=runbook)


def failed(what: str, detail: str, to_do: str | None = None, runbook: str | None = None) -> Check:
    """Say what is wrong; a text of an error says by itself what to do."""
    return Check(what=what, result=Result.FAILED, detail=detail, to_do=to_do, runbook=runbook)


def not_checked(what: str, detail: str, to_do: str | None = None) -> Check:
    """Say why nobody can tell."""
    return Check(what=what, result=Result.NOT_CHECKED, detail=detail, to_do=to_do)


def has_failed(checks: Iterable[Check]) -> bool:
    """Tell whether one of the checks has failed."""
    return any(each.result is Result.FAILED for each in checks)


def counted(checks: Iterable[Check]) -> str:
    """Return how many checks ended how, in words."""
    found = [each.result for each in checks]
    return ", ".join(f"{found.count(result)} {result}" for result in Result if result in found)
