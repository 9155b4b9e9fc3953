"""Schedules: NCRONTAB as the Functions host reads it, less what Steward refuses."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from shared_code.foreign_text import one_line
from shared_code.ncrontab import Cron, Interval, ScheduleError, parse

_PLACEHOLDER = re.compile(r"%([^%]*)%")
# No schedule has these, and connection strings, addresses and keys do.
_NO_SCHEDULE = re.compile(r"[=;&?]|//")


class Schedule(msgspec.Struct, frozen=True):
    """A checked schedule: the text of steward.toml, the same with its settings filled in, and its meaning."""

    text: str
    resolved: str
    cron: Cron

    def upcoming(self, after: datetime, count: int) -> list[datetime]:
        """Return the next `count` occurrences strictly after `after`, fewer if the schedule ends."""
        found: list[datetime] = []
        following = self.cron.next_after(after)
        while following is not None and len(found) < count:
            found.append(following)
            following = self.cron.next_after(following)
        return found


def check(text: str, environ: Mapping[str, str]) -> Schedule | str:
    """Check the schedule text of a job; never raises.

    Args:
        text: NCRONTAB with six fields; `%NAME%` reads an app setting, as the Functions host does.
        environ: the app settings.

    Returns:
        The schedule, or one sentence that says what is wrong and what to write instead.
    """
    resolved = fill(text, environ)
    if isinstance(resolved, ScheduleError):
        return str(resolved)
    if resolved != text and _NO_SCHEDULE.search(resolved):
        return f"the app setting in '{one_line(text)}' holds no schedule; its value is not shown, as it may be a secret"
    try:
        cron = parse(resolved)
    except ScheduleError as error:
        return str(error)
    if isinstance(cron, Interval):
        every = timedelta(seconds=cron.seconds)
        return f"'{resolved}' is a TimeSpan, every {_in_words(every)}, which drifts; write {_fields_for(every)}"
    if len(resolved.split()) == 5:
        return f"'{resolved}' has five fields, which stop firing when the app scales; write '0 {resolved.strip()}'"
    if not cron.fires:
        return f"'{resolved}' names a date that never comes; correct the day or the month"
    return Schedule(text, resolved, cron)


def fill(text: str, environ: Mapping[str, str]) -> str | ScheduleError:
    """Replace each `%NAME%` by the app setting of that name, compared without case; an error names what is wrong."""
    folded = {name.casefold(): value for name, value in environ.items()}
    for match in _PLACEHOLDER.finditer(text):
        if match[1].casefold() not in folded:
            sentence = f"'{match[0]}' names no app setting; add the setting {match[1] or 'NAME'} to the app"
            return ScheduleError(sentence, text, match.start(), len(match[0]))
    if text.count("%") % 2:
        sentence = "a % has no partner; write %NAME% to read the app setting NAME"
        return ScheduleError(sentence, text, text.rindex("%"))
    return _PLACEHOLDER.sub(lambda match: folded[match[1].casefold()], text)


def _in_words(every: timedelta) -> str:
    """Name a TimeSpan by its largest parts, since 24:00:00 is meant as a day and means 24 of them."""
    seconds = every.seconds if every > timedelta() else 0
    parts = {"day": every.days, "hour": seconds // 3600, "minute": seconds // 60 % 60, "second": seconds % 60}
    named = [f"{number} {name}{'s' if number != 1 else ''}" for name, number in parts.items() if number > 0]
    return " ".join(named) or "instant"


def _fields_for(every: timedelta) -> str:
    """Write the six fields that fire as often, where there are any."""
    for unit, most, fields in ((1, 60, "{} * * * * *"), (60, 60, "0 {} * * * *"), (3600, 24, "0 0 {} * * *")):
        number, rest = divmod(every.total_seconds(), unit)
        if not rest and 0 < number < most and most % number == 0:
            return f"'{fields.format('*' if number == 1 else f'*/{number:g}')}'"
    if every == timedelta(days=1):
        return "'0 0 0 * * *'"
    return "six NCRONTAB fields, such as '0 0 6 * * *' for every day at 06:00"
