"""Windows: the hours of the day in which something may be done, `22:00-06:00`, UTC."""

import re
from datetime import UTC, datetime, time
from typing import Self

_FORM = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")


class Window:
    """From one time of the day until another, over midnight where the second is earlier; prints itself back."""

    __slots__ = ("begins", "ends", "text")

    def __init__(self, text: str, begins: time, ends: time) -> None:
        self.text = text
        self.begins = begins
        self.ends = ends

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read a window; raises ValueError with what to write instead."""
        match = _FORM.fullmatch(text) if isinstance(text, str) else None
        if match is None or (match[1], match[2]) == (match[3], match[4]):
            shown = str(text)[:40]
            raise ValueError(f"'{shown}' is no window; write two different times in UTC such as '22:00-06:00'")
        hours = [int(match[group]) for group in (1, 2, 3, 4)]
        return cls(match[0], time(hours[0], hours[1]), time(hours[2], hours[3]))

    def is_open(self, now: datetime) -> bool:
        """Tell whether an aware moment lies in it; its first minute does, its last is the one before it ends."""
        present = now.astimezone(UTC).time()
        if self.begins < self.ends:
            return self.begins <= present < self.ends
        return present >= self.begins or present < self.ends

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)
