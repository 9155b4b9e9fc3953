"""How a subject breaks a tag rule."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from shared_code.foreign_text import one_line
from shared_code.model import Severity

LONGEST_EVIDENCE = 300
"""Characters of a text of evidence; what stands in Azure may be longer."""


class Breach(StrEnum):
    """How a rule is broken: the `kind` of a finding."""

    MISSING = "missing"
    """There is no such key in any case, and no alias."""
    EMPTY = "empty"
    """It is there, and its value is blank."""
    VALUE = "value"
    """Its value is none the rule accepts."""
    KEY = "key"
    """Its key is spelled otherwise, or is an alias."""
    FORBIDDEN = "forbidden"
    """It is there, and must not be."""
    COUNT = "count"
    """There are too many tags."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One way in which a subject breaks a rule; the same one for all that break it alike, so it is put in words once.

    `key` is spelled as it is there, None where it is not; `value` is as received. `expected` is in words; `nearest` is
    the accepted value most like the one found.
    """

    rule: str
    kind: Breach
    severity: Severity
    tag: str | None = None
    key: str | None = None
    value: str | None = None
    expected: str
    nearest: str | None = None
    message: str | None = None

    @cached_property
    def detail(self) -> str:
        """One sentence fit for a report: what is wrong, and what was expected."""
        nearest = f"; the nearest is '{one_line(self.nearest, 80)}'" if self.nearest is not None else ""
        message = f". {one_line(self.message)}" if self.message else ""
        return f"{self._fact}; expected {self.expected}{nearest}{message}"

    @cached_property
    def evidence(self) -> dict[str, str]:
        """What a finding about it says, name by name; nobody changes it."""
        said = {
            "tag": self.key or self.tag,
            "value": self.value,
            "expected": self.expected,
            "nearest": self.nearest,
        }
        return {name: one_line(text, LONGEST_EVIDENCE) for name, text in said.items() if text is not None}

    @property
    def _fact(self) -> str:
        tag = f"the tag '{one_line(self.key or self.tag or '', 80)}'"
        match self.kind:
            case Breach.MISSING:
                return f"{tag} is missing"
            case Breach.EMPTY:
                return f"{tag} is empty"
            case Breach.VALUE:
                return f"{tag} has the value '{one_line(self.value or '', 80)}'"
            case Breach.KEY:
                return f"{tag} is another spelling or name of '{one_line(self.tag or '', 80)}'"
            case Breach.FORBIDDEN:
                return f"{tag} is forbidden"
            case Breach.COUNT:
                return f"there are {self.value} tags"
