"""Durations as operators write them: `90s`, `60m`, `6h`, `14d`, `2w`."""

import re
from datetime import timedelta
from typing import Self

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=3650)
_FORM = re.compile(r"([0-9]{1,6})([smhdw])")


class Duration:
    """A length of time that prints itself back; no dataclass, since msgspec would read that as a table."""

    __slots__ = ("length", "text")

    def __init__(self, text: str, length: timedelta) -> None:
        self.text = text
        self.length = length

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read a duration; raises ValueError with what to write instead."""
        match = _FORM.fullmatch(text) if isinstance(text, str) else None
        length = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
        if match is None or not timedelta() < length <= LONGEST:
            example = "write a whole number and a unit in quotes, such as '90s', '60m', '6h' or '14d'"
            raise ValueError(f"'{str(text)[:40]}' is no duration; {example}")
        return cls(match[0], length)

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.length == other.length

    def __hash__(self) -> int:
        return hash(self.length)
