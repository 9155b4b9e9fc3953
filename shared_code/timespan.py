"""Read a TimeSpan as .NET's `TimeSpan.TryParse` does in the invariant culture.

The rules are those of dotnet/runtime, `System.Private.CoreLib/src/System/Globalization/TimeSpanParse.cs`.
"""

import re

TICKS_PER_SECOND = 10_000_000
"""A tick, .NET's unit of time, is 100 ns."""

# char.IsWhiteSpace; str.strip() would also take U+001C to U+001F, which .NET keeps.
_WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))

# A third number may mean minutes or seconds, so the alternatives are tried in .NET's order and the first
# whose numbers fit wins: 23:59:00 is h:m:s, 24:00:00 is not and becomes d:h:m. A fraction may follow "m:".
_SHAPES = tuple(
    re.compile(shape, re.ASCII)
    for shape in (
        r"(?P<d>\d+)",
        r"(?P<h>\d+):(?P<m>\d+)",
        r"(?P<h>\d+):(?P<m>\d+):(?P<s>\d+)",
        r"(?P<d>\d+)[.:](?P<h>\d+):(?P<m>\d+)",
        r"(?P<h>\d+):(?P<m>\d+):(?P<s>\d*)\.(?P<f>\d+)",
        r"(?P<d>\d+)[.:](?P<h>\d+):(?P<m>\d+):(?P<s>\d+)",
        r"(?P<d>\d+)[.:](?P<h>\d+):(?P<m>\d+):(?P<s>\d*)\.(?P<f>\d+)",
    )
)
_LIMITS = {"d": 10_675_199, "h": 23, "m": 59, "s": 59}
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LARGEST_NUMBER = 0x0FFF_FFFF
_LARGEST_SPAN = 2**63 - 1


def parse_timespan(text: str) -> int | None:
    """Give the ticks `text` stands for, negative ones too, or None where .NET finds no TimeSpan."""
    body = text.strip(_WHITE_SPACE)
    negative = body.startswith("-")
    body = body.removeprefix("-")
    for shape in _SHAPES:
        match = shape.fullmatch(body)
        ticks = _to_ticks(match.groupdict()) if match else None
        if ticks is not None:
            # .NET's smallest TimeSpan lies one tick further from zero than its largest.
            fits = ticks <= _LARGEST_SPAN + negative
            return (-ticks if negative else ticks) if fits else None
    return None


def _to_ticks(parts: dict[str, str | None]) -> int | None:
    seconds = 0
    for part, limit in _LIMITS.items():
        number = _number(parts.get(part) or "0")
        if number is None or number > limit:
            return None
        seconds += number * _SECONDS[part]
    fraction = _fraction(parts.get("f") or "0")
    return None if fraction is None else seconds * TICKS_PER_SECOND + fraction


def _number(digits: str) -> int | None:
    significant = digits.lstrip("0") or "0"
    if len(significant) > len(str(_LARGEST_NUMBER)) or int(significant) > _LARGEST_NUMBER:
        return None
    return int(significant)


def _fraction(digits: str) -> int | None:
    """More than seven digits are rounded, but only when the first is a zero; .NET refuses the others."""
    number = _number(digits)
    if number is None or (digits[0] != "0" and len(digits) > 7):
        return None
    surplus = len(digits) - 7
    if surplus <= 0:
        return int(digits.ljust(7, "0"))
    divisor = int(10 ** min(surplus, 12))
    return (2 * number + divisor) // (2 * divisor)
