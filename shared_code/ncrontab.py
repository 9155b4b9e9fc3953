"""Read a timer schedule exactly as the Azure Functions host reads it.

The host takes six fields (`{second} {minute} {hour} {day} {month} {day-of-week}`), five fields (classic cron)
or a .NET TimeSpan. The rules are those of atifaziz/NCrontab 3.3.3 (`CrontabSchedule.cs`, `CrontabFieldImpl.cs`,
`CrontabField.cs`) and of Azure/azure-webjobs-sdk-extensions (`CronSchedule.cs`, `TimerSchedule.cs`).
What Steward refuses or warns about on top of them is not decided here.
"""

import re

from shared_code.errors import StewardError
from shared_code.occurrences import FIELDS, Cron, Field, Interval
from shared_code.timespan import TICKS_PER_SECOND, parse_timespan

__all__ = ["Cron", "Interval", "ScheduleError", "parse"]

_SIX = "six fields {second} {minute} {hour} {day} {month} {day-of-week}, as in '0 30 6 * * 1-5'"
_SHOWN = 72
_QUOTED = 24
_INT32 = range(-(2**31), 2**31)

# int.Parse with NumberStyles.Integer: ASCII white space around it, a sign, and NUL characters after it.
_INTEGER = re.compile(r"[\t-\r ]*([+-]?)([0-9]+)[\t-\r ]*\0*")

_ALIASES = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}


class ScheduleError(StewardError, ValueError):
    """The host would not accept this schedule: one sentence, then the text with a caret under the place."""

    def __init__(self, sentence: str, text: str, at: int, width: int = 1) -> None:
        start = max(0, min(at - _SHOWN // 2, len(text) - _SHOWN))
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[start : start + _SHOWN])
        carets = "^" * max(1, min(width, start + len(shown) - at))
        super().__init__(f"{sentence}\n    {shown}\n    {' ' * (at - start)}{carets}")
        self.sentence = sentence


class _Problem(Exception):
    def __init__(self, sentence: str, at: int, width: int) -> None:
        super().__init__(sentence)
        self.sentence, self.at, self.width = sentence, at, width


def parse(text: str) -> Cron | Interval:
    """Read `text`, all app settings in it resolved, as the host does.

    Raises:
        ScheduleError: the host would put the function in error.
    """
    tokens = [(token.start(), token.group()) for token in re.finditer("[^ ]+", text)]
    problem = _wrong_shape(text, tokens)
    if problem is None:
        try:
            return _parse_fields(text, tokens)
        except _Problem as found:
            problem = found
    ticks = parse_timespan(text)
    if ticks is not None:
        return Interval(text, ticks / TICKS_PER_SECOND)
    raise ScheduleError(problem.sentence, text, problem.at, problem.width)


def _parse_fields(text: str, tokens: list[tuple[int, str]]) -> Cron:
    has_seconds = len(tokens) == len(FIELDS)
    fields = FIELDS if has_seconds else FIELDS[1:]
    values = [_parse_field(field, part, at) for field, (at, part) in zip(fields, tokens, strict=True)]
    second, minute, hour, day, month, weekday = values if has_seconds else [(0,), *values]
    return Cron(text, second, minute, hour, day, month, weekday, has_seconds)


def _parse_field(field: Field, part: str, at: int) -> tuple[int, ...]:
    values: set[int] = set()
    for element in part.split(","):
        values.update(_parse_element(field, element, at))
        at += len(element) + 1
    return tuple(sorted(values))


def _parse_element(field: Field, element: str, at: int) -> range:
    body, slash, step_text = element.partition("/")
    step = max(1, _parse_step(field, step_text, at + len(body) + 1)) if slash else 1
    first_text, dash, last_text = body.partition("-")
    if body == "*":
        first, last = field.low, field.high
    elif dash:
        first = _parse_value(field, first_text, at)
        last = _parse_value(field, last_text, at + len(first_text) + 1)
    else:
        first = _parse_value(field, body, at)
        last = field.high if slash else first
    if first > last:  # as the host does: FRI-MON is Monday to Friday
        first, last = last, first
    if first - field.low + step not in _INT32:  # the host's loop counter overflows and it throws
        raise _Problem(
            f"The step {step} in the {field.name} field is more than Azure can count to; write {field.high} or less.",
            at + len(body) + 1,
            len(step_text),
        )
    return range(first, last + 1, step)


def _parse_value(field: Field, part: str, at: int) -> int:
    if not part:
        raise _Problem(f"A value of the {field.name} field is missing; write {_allowed(field)}.", at, 1)
    if part[0] in "0123456789":
        number = _parse_int32(part)
        if number is None:
            raise _Problem(f"{_quote(part)} is not a {field.name}; write {_allowed(field)}.", at, len(part))
        if not field.low <= number <= field.high:
            rule = f"{field.plural} go from {field.low} to {field.high}"
            instead = field.instead.get(number, str(field.low if number < field.low else field.high))
            sentence = f"{field.name.capitalize()} {_quote(part)} is out of range: {rule}; write {instead}."
            raise _Problem(sentence, at, len(part))
        return number
    # CompareInfo.IsPrefix, first match wins: T is Tuesday, J is January. It ignores NUL at either end. What else
    # it ignores or equates beyond ASCII depends on the host's collation data, and is refused.
    prefix = part.strip("\0").lower()
    for index, name in enumerate(field.names):
        if part.isascii() and name.lower().startswith(prefix):
            return field.low + index
    raise _Problem(f"{_quote(part)} is not a {field.name}; {_advice(field, part)}.", at, len(part))


def _parse_step(field: Field, part: str, at: int) -> int:
    number = _parse_int32(part)
    if number is None:
        raise _Problem(
            f"The step {_quote(part)} in the {field.name} field is not a whole number of at most 2147483647; "
            f"write it as in */5.",
            at,
            len(part),
        )
    return number


def _parse_int32(part: str) -> int | None:
    match = _INTEGER.fullmatch(part)
    if match is None:
        return None
    digits = match[2].lstrip("0") or "0"
    # int() refuses texts of more than 4300 digits.
    number = int(match[1] + digits) if len(digits) <= len(str(_INT32.stop)) else _INT32.stop
    return number if number in _INT32 else None


def _wrong_shape(text: str, tokens: list[tuple[int, str]]) -> _Problem | None:
    if len(tokens) in (len(FIELDS) - 1, len(FIELDS)):
        return None
    if not tokens:
        return _Problem(f"The schedule is empty; write {_SIX}.", 0, 1)
    at, first = tokens[0]
    if first.startswith("@"):
        written = _ALIASES.get(first.lower())
        instead = f"'{written}'" if written else _SIX
        return _Problem(f"{_quote(first)} is not known to Azure; write {instead}.", at, len(first))
    if len(tokens) == 1 and not set(first) - set("-.:0123456789"):
        rule = "days go up to 10675199, hours to 23, minutes and seconds to 59"
        return _Problem(f"{_quote(first)} is not a TimeSpan: {rule}; write {_SIX}.", at, len(first))
    separator = re.search(r"(?! )\s", text)
    if separator:
        rule = "only the space character separates fields"
        return _Problem(f"{_count(tokens)}: {rule}; write {_SIX}.", separator.start(), 1)
    if len(tokens) > len(FIELDS):
        at = tokens[len(FIELDS)][0]
        return _Problem(f"{_count(tokens)}: six are allowed, and no year; write {_SIX}.", at, len(text) - at)
    return _Problem(f"{_count(tokens)}: six are needed; write {_SIX}.", len(text), 1)


def _count(tokens: list[tuple[int, str]]) -> str:
    return "There is 1 field" if len(tokens) == 1 else f"There are {len(tokens)} fields"


def _allowed(field: Field) -> str:
    name = f" or a name such as {field.names[1][:3].upper()}" if field.names else ""
    return f"a number from {field.low} to {field.high}{name}"


def _advice(field: Field, part: str) -> str:
    """Say what to write for what other cron dialects know and Azure does not."""
    lead = part[0]
    if lead in "?*":
        return "write * for every one, alone or with a step as in */5"
    if lead == "+":
        return f"write {_allowed(field)} without a sign"
    if part.upper() in {"L", "W", "LW"}:
        return f"Azure has no last day and no nearest weekday; write {_allowed(field)}"
    near = [name[:3].upper() for name in field.names if part[:3].lower() == name[:3].lower()]
    return f"write {near[0]}" if near else f"write {_allowed(field)}"


def _quote(part: str) -> str:
    return f"'{_printable(part if len(part) <= _QUOTED else part[: _QUOTED - 3] + '...')}'"


def _printable(text: str) -> str:
    """Keep logs readable and encodable: control characters, odd spaces and lone surrogates are replaced."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
