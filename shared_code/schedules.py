"""Schedules: NCRONTAB as the Functions host reads it, less what Steward refuses."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from shared_code.foreign_text import one_line
from shared_code.local_times import LocalTimes
from shared_code.ncrontab import Cron, Interval, ScheduleError, parse
from shared_code.occurrences import FIELDS, Occurrences
from shared_code.schedule_repairs import repaired
from shared_code.schedule_warnings import SHORTEST, warnings_of
from shared_code.schedule_words import length_of, listed, words_of, words_of_interval

if TYPE_CHECKING:
    from shared_code.local_schedules import LocalCron

LONGEST = 10_000
"""Characters of a schedule that are read, its settings filled in."""
LONGEST_TEXT = 200
"""Characters of a schedule that a sentence quotes."""
LONGEST_NAME = 80
"""Characters of a setting's name that a sentence quotes."""
EXAMPLE = "six NCRONTAB fields, such as '0 0 6 * * *' for every day at 06:00"
MONTHS = FIELDS[4].names

_PLACEHOLDER = re.compile(r"%([^%]*)%")
# No schedule has these; connection strings, addresses and keys do.
_NO_SCHEDULE = re.compile(r"[=;&?]|//|[A-Za-z0-9+_]{10}")


class Schedule(msgspec.Struct, frozen=True):
    """A checked schedule: the text of steward.toml, the same with its settings filled in, and its meaning.

    `timezone` is the zone by whose clocks it is meant, None for UTC.
    """

    text: str
    resolved: str
    cron: Cron
    timezone: str | None = None

    @property
    def words(self) -> str:
        """When it fires, in one sentence for people."""
        return words_of(self.cron, self.timezone or "UTC")

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where Azure's meaning is not what the text says to most readers."""
        return warnings_of(self.cron)

    @property
    def local(self) -> "LocalCron | None":
        """The schedule by the clocks of its zone, None for UTC."""
        if self.timezone is None:
            return None
        from shared_code.local_schedules import LocalCron  # here, since most apps have no zone

        return LocalCron(self.cron, self.timezone)

    @property
    def occurrences(self) -> Occurrences:
        """What finds the moments at which it fires."""
        return self.local or self.cron

    @property
    def registered(self) -> Cron:
        """The schedule of the timer, in UTC; with a zone some of its calls are for no occurrence."""
        if (local := self.local) is None:
            return self.cron
        from shared_code.local_schedules import registered

        return registered(local)

    @property
    def timer(self) -> str:
        """What the Functions host is given: the text as it is written, or what covers it in UTC."""
        return self.resolved if self.timezone is None else self.registered.text

    @property
    def sighted_as(self) -> str:
        """By what it is known again: a change of its zone makes it another one."""
        return self.resolved if self.timezone is None else f"{self.resolved} {self.timezone}"

    @property
    def local_warnings(self) -> tuple[str, ...]:
        """Where a timer in UTC would cost many calls; nothing for UTC."""
        if (local := self.local) is None:
            return ()
        from shared_code.local_views import warnings_of

        return warnings_of(local)

    def local_times(self, now: datetime, next_runs: Iterable[datetime]) -> LocalTimes | None:
        """Tell occurrences by the clocks of its zone, the next change of those, and the cost; None for UTC."""
        if (local := self.local) is None:
            return None
        from shared_code.local_views import view_of

        return view_of(local, now, next_runs)

    def upcoming(self, after: datetime, count: int) -> list[datetime]:
        """Return the next `count` occurrences strictly after `after`, fewer if the schedule ends."""
        return upcoming(self.occurrences, after, count)


class Reading(StrEnum):
    """What Azure takes a schedule for."""

    CRON = "cron"
    """Fields."""
    TIMESPAN = "timespan"
    """An interval, counted from the start of each call."""


class AzureVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the Functions host makes of a text; one that it rejects puts the function in error."""

    accepted: bool
    reads_as: Reading | None = None
    expanded: str | None = None
    """A cron in the host's own form: numbers only."""
    reason: str | None = None
    """Why it is rejected."""


class StewardVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What Steward makes of it; a job whose schedule is refused has no timer."""

    accepted: bool
    reason: str | None = None
    """Why it is refused, and what to write."""
    write: str | None = None
    """The text to paste instead, where there is one."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Both verdicts, and what a text means to Azure where it means something."""

    azure: AzureVerdict
    steward: StewardVerdict
    meaning: Cron | Interval | None = None
    schedule: Schedule | None = None
    """What is used; only where Steward accepts it."""
    timezone: str | None = None
    """The zone by whose clocks it is meant, also one that there is not; None for UTC."""

    @property
    def words(self) -> str | None:
        """What Azure would make of it, in one sentence for people."""
        match self.meaning:
            case Cron():
                return words_of(self.meaning, one_line(self.timezone, LONGEST_NAME) if self.timezone else "UTC")
            case Interval():
                return words_of_interval(self.meaning)
        return None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where that is not what the text says to most readers."""
        return warnings_of(self.meaning) if isinstance(self.meaning, Cron) else ()


def upcoming(occurrences: Occurrences, after: datetime, count: int) -> list[datetime]:
    """Return the next `count` occurrences strictly after `after` (aware), fewer if the schedule ends."""
    found: list[datetime] = []
    following = occurrences.next_after(after)
    while following is not None and len(found) < count:
        found.append(following)
        following = occurrences.next_after(following)
    return found


def check(text: str, environ: Mapping[str, str]) -> Schedule | str:
    """Check the schedule text of a job; never raises.

    Args:
        text: NCRONTAB with six fields; `%NAME%` reads an app setting, as the Functions host does.
        environ: the app settings.

    Returns:
        The schedule, or one sentence that says what is wrong and what to write instead.
    """
    judgement = judge(text, environ)
    return judgement.schedule or judgement.steward.reason or ""


def judge(text: str, environ: Mapping[str, str], timezone: str | None = None) -> Judgement:
    """Say what Azure makes of a schedule text and what Steward does; never raises.

    Args:
        text: any text; `%NAME%` reads an app setting, as the Functions host does.
        environ: the app settings.
        timezone: the zone by whose clocks it is meant, or `%NAME%`; None for UTC. With one that there is not, Steward
            refuses.
    """
    judgement = _judge(text, environ)
    if timezone is None:
        return judgement
    timezone = timezone.encode(errors="replace").decode()
    name, problem = named_zone(timezone, environ)
    if problem is None:
        schedule = judgement.schedule and msgspec.structs.replace(judgement.schedule, timezone=name)
        return msgspec.structs.replace(judgement, schedule=schedule, timezone=name)
    refused = StewardVerdict(accepted=False, reason=problem) if judgement.schedule else judgement.steward
    return msgspec.structs.replace(judgement, steward=refused, schedule=None, timezone=timezone)


def named_zone(text: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the name of a time zone, its settings filled in, and why it is none, or None; never raises."""
    from shared_code.timezones import EXAMPLE, problem_of  # here, since most apps have no zone

    name = fill(text, environ)
    if isinstance(name, ScheduleError):
        return text, name.sentence
    problem = problem_of(name)
    if problem and name != text:
        setting = f"the app setting in '{one_line(text, LONGEST_NAME)}'"
        problem = f"{setting} names no time zone; its value is not shown, as it may be a secret; write {EXAMPLE}"
    return name, problem


def _judge(text: str, environ: Mapping[str, str]) -> Judgement:
    resolved = fill(text, environ) if len(text) <= LONGEST else text
    if isinstance(resolved, ScheduleError):
        return _rejected(str(resolved))
    if len(resolved) > LONGEST:
        return _rejected(
            f"the schedule has {len(resolved):,} characters, of which {LONGEST:,} are read; write {EXAMPLE}"
        )
    try:
        meaning = parse(resolved)
    except ScheduleError as error:
        if resolved != text and _NO_SCHEDULE.search(resolved):
            setting = f"the app setting in '{one_line(text, LONGEST_NAME)}'"
            return _rejected(f"{setting} holds no schedule; its value is not shown, as it may be a secret")
        write = repaired(resolved)
        return _rejected(_with_whole(error, write), write)
    if isinstance(meaning, Interval):
        return _refused_interval(meaning)
    azure = AzureVerdict(accepted=True, reads_as=Reading.CRON, expanded=meaning.expanded)
    if reason := _refusal(meaning):
        return Judgement(
            azure=azure, steward=StewardVerdict(accepted=False, reason=reason[0], write=reason[1]), meaning=meaning
        )
    schedule = Schedule(text, resolved, meaning)
    return Judgement(azure=azure, steward=StewardVerdict(accepted=True), meaning=meaning, schedule=schedule)


def fill(text: str, environ: Mapping[str, str]) -> str | ScheduleError:
    """Replace each `%NAME%` by the app setting of that name, compared without case; an error names what is wrong."""
    folded = {name.casefold(): value for name, value in environ.items()}
    for match in _PLACEHOLDER.finditer(text):
        if match[1].casefold() not in folded:
            name = one_line(match[1], LONGEST_NAME)
            sentence = f"'%{name}%' names no app setting; add the setting {name or 'NAME'} to the app"
            return ScheduleError(sentence, text, match.start(), len(match[0]))
    if text.count("%") % 2:
        sentence = "a % has no partner; write %NAME% to read the app setting NAME"
        return ScheduleError(sentence, text, text.rindex("%"))
    return _PLACEHOLDER.sub(lambda match: folded[match[1].casefold()], text)


def _rejected(reason: str, write: str | None = None) -> Judgement:
    return Judgement(
        azure=AzureVerdict(accepted=False, reason=reason),
        steward=StewardVerdict(accepted=False, reason=reason, write=write),
    )


def _with_whole(error: ScheduleError, write: str | None) -> str:
    """Add the whole corrected text to the sentence, before the lines that point at the place."""
    sentence, _, place = str(error).partition("\n")
    return f"{sentence} The whole: '{write}'.\n{place}" if write else str(error)


def _refused_interval(interval: Interval) -> Judgement:
    write = _fields_for(timedelta(seconds=interval.seconds))
    instead = f"'{write}'" if write else EXAMPLE
    reason = f"{_quote(interval.text)} is a TimeSpan, {length_of(interval)}, which drifts; write {instead}"
    return Judgement(
        azure=AzureVerdict(accepted=True, reads_as=Reading.TIMESPAN),
        steward=StewardVerdict(accepted=False, reason=reason, write=write),
        meaning=interval,
    )


def _refusal(cron: Cron) -> tuple[str, str] | None:
    """Say why Steward refuses what the host accepts, and the text to write."""
    if not cron.fires:
        write = _with_days(cron, str(min(SHORTEST[month - 1] for month in cron.months)))
        months = listed([MONTHS[month - 1] for month in cron.months], "or")
        day = f"day {cron.days[0]}"
        return f"{_quote(cron.text)} never fires: there is no {day} in {months}; write '{write}'", write
    if not cron.has_seconds:
        stripped = cron.text.strip(" ")
        write = f"0 {stripped if stripped == one_line(stripped, LONGEST_TEXT) else cron.expanded}"
        return f"{_quote(cron.text)} has five fields, which stop firing when the app scales; write '{write}'", write
    return None


def _with_days(cron: Cron, days: str) -> str:
    """Write the schedule in six fields with other days, as it was written where that can be pasted."""
    text = cron.text if cron.text == one_line(cron.text, LONGEST_TEXT) else cron.expanded
    parts = [part for part in text.split(" ") if part]
    parts = parts if cron.has_seconds else ["0", *parts]
    return " ".join(
        days if field.name == "day of the month" else part for field, part in zip(FIELDS, parts, strict=True)
    )


def _quote(text: str) -> str:
    shown = one_line(text, LONGEST_TEXT)
    # Spaces matter to nobody, and are kept so that the text can be found in the file.
    return f"'{text if shown == text.strip(' ') and len(text) <= LONGEST_TEXT else shown}'"


def _fields_for(every: timedelta) -> str | None:
    """Write the six fields that fire as often, where there are any."""
    for unit, most, fields in ((1, 60, "{} * * * * *"), (60, 60, "0 {} * * * *"), (3600, 24, "0 0 {} * * *")):
        number, rest = divmod(every.total_seconds(), unit)
        if not rest and 0 < number < most and most % number == 0:
            return fields.format("*" if number == 1 else f"*/{number:g}")
    return "0 0 0 * * *" if every == timedelta(days=1) else None
