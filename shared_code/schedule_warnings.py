"""Warnings: where Azure's meaning of a schedule is not what its text says to most readers.

Each is one sentence: what is written, what Azure makes of it, what to write instead. None costs a job anything. What
Azure makes of it was read in atifaziz/NCrontab 3.3.3 (`CrontabField.cs`, `CrontabFieldImpl.cs`, `CrontabSchedule.cs`)
and Azure/azure-webjobs-sdk-extensions (`TimerListener.cs`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import NamedTuple

from shared_code.foreign_text import one_line
from shared_code.occurrences import FIELDS, Cron, Field, Occurrences
from shared_code.schedule_elements import SHOWN, Element, elements_of, names_of, parts_of
from shared_code.schedule_words import listed, words_of
from shared_code.times import duration_text

SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY = FIELDS
NEXT_UNIT = dict(zip((field.name for field in FIELDS), ("minute", "hour", "day", "month", "year", "week"), strict=True))
SHORTEST = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

LONGEST_TEXT = 100
"""Characters of a schedule that are quoted."""
ENOUGH_RUNS = 3
"""Runs of a job from which its usual duration can be told."""
LOOK_AHEAD = 60
"""Coming occurrences among which the shortest interval is looked for."""

type Found = Iterator[str]


class Rule(NamedTuple):
    """One kind of surprise: its title and an example for people, and what finds it."""

    title: str
    example: str
    find: Callable[[Cron, Sequence[Element]], Found]


def warnings_of(cron: Cron) -> tuple[str, ...]:
    """Return every warning about a schedule; of each kind the first in each field, as mending it shows the next."""
    elements = tuple(elements_of(cron))
    return tuple(sentence for rule in RULES for sentence in rule.find(cron, elements))


def clashes(crons: Mapping[str, Cron], writing: Collection[str], timezone: str = "UTC") -> tuple[str, ...]:
    """Warn of jobs that change Azure and start in the same minute: each reads what the other is about to change.

    Args:
        crons: the schedule of each job, by the job's name.
        writing: the names of the jobs that change something.
        timezone: the zone by whose clocks all of them are meant.
    """
    found = []
    for one, other in combinations(sorted(set(crons) & set(writing)), 2):
        if both := _common_minutes(crons[one], crons[other], timezone):
            found.append(
                f"{one} and {other} both change Azure and start in the same minutes, {both}; "
                f"Azure starts them side by side; write another minute for one of them"
            )
    return tuple(found)


def too_short(
    cron: Cron, durations: Sequence[float], after: datetime, occurrences: Occurrences | None = None
) -> tuple[str, ...]:
    """Warn of a schedule that comes again before the job has usually ended.

    Args:
        cron: the job's schedule.
        durations: how long recent runs that succeeded took, in seconds; fewer than ENOUGH_RUNS tell nothing.
        after: the moment, aware UTC, after which the intervals are looked at.
        occurrences: when it fires, if not as it is written in UTC.
    """
    fires = occurrences or cron
    if len(durations) < ENOUGH_RUNS:
        return ()
    usual = timedelta(seconds=sorted(durations)[len(durations) // 2])
    if usual <= _apart(cron):
        return ()
    coming: list[datetime] = []
    following = fires.next_after(after)
    while following is not None and len(coming) < LOOK_AHEAD:
        coming.append(following)
        following = fires.next_after(following)
    shortest = min((later - earlier for earlier, later in pairwise(coming)), default=None)
    if shortest is None or usual <= shortest:
        return ()
    often = f"{_quote(cron.text)} comes again after {duration_text(shortest)}"
    long = f"the job usually takes {duration_text(usual)}"
    return (f"{often}, and {long}; its runs wait for one another and fall behind; write a longer interval",)


def _apart(cron: Cron) -> timedelta:
    """Return what two occurrences are apart at least, as far as that can be told without looking for them."""
    if len(cron.seconds) > 1:
        return timedelta(seconds=1)
    if len(cron.minutes) > 1:
        return timedelta(minutes=1)
    return timedelta(hours=1) if len(cron.hours) > 1 else timedelta(days=1)


def _common_minutes(one: Cron, other: Cron, timezone: str) -> str | None:
    """Say in words in which minutes both fire; every day of a month comes on every weekday some year."""
    fields = ("minutes", "hours", "days", "months", "weekdays")
    common = {name: tuple(sorted(set(getattr(one, name)) & set(getattr(other, name)))) for name in fields}
    if not all(common.values()):
        return None
    both = Cron("", seconds=(0,), has_seconds=True, **common)
    if not both.fires:
        return None
    words = words_of(both, timezone)
    return words[0].lower() + words[1:-1]


def _first_in_each_field(judge: Callable[[Element], str | None]) -> Callable[[Cron, Sequence[Element]], Found]:
    def find(cron: Cron, elements: Sequence[Element]) -> Found:  # noqa: ARG001  # every rule is asked alike
        said: set[str] = set()
        for element in elements:
            if element.field.name not in said and (sentence := judge(element)):
                said.add(element.field.name)
                yield sentence

    return find


def _runs_backwards(element: Element) -> str | None:
    if element.first <= element.last:
        return None
    field, step = element.field, max(1, element.step or 1)
    size = field.high - field.low + 1
    onward = [field.low + (value - field.low) % size for value in range(element.first, element.last + size + 1, step)]
    swapped = f"{_short(element, element.last)}-{_short(element, element.first)}" + (f"/{step}" if step > 1 else "")
    read = f"{_name(field, element.last)} to {_name(field, element.first)}"
    if len(element.values) == size:
        read, swapped = f"every {field.name}", "*"
    return (
        f"{element.quoted} in the {field.name} field runs backwards; Azure swaps its ends and reads {read}"
        f"{f' in steps of {step}' if step > 1 else ''}; write {_list(element, onward)} for "
        f"{_name(field, element.first)} on to {_name(field, element.last)}, or {swapped} for what Azure reads"
    )


def _is_one_value(element: Element) -> str | None:
    if "-" not in element.body or element.first != element.last:
        return None
    value = element.first
    return (
        f"{element.quoted} in the {element.field.name} field ends where it begins; Azure reads "
        f"{_name(element.field, value)} alone; write {_short(element, value)}, or * for every {element.field.name}"
    )


def _is_short_for_many(element: Element) -> str | None:
    if element.body == "*" or not element.field.names:
        return None
    for part in element.body.split("-"):
        names = names_of(element.field, part)
        if part[0].isdigit() or (len(part) > 1 and len(names) == 1):
            continue
        which = listed(names[:3], "or")
        written = listed([f"{name[:3].upper()} for {name}" for name in names[:3]], "or")
        return (
            f"'{one_line(part, SHOWN)}' in the {element.field.name} field is short for {which}; "
            f"Azure takes the first name that begins so, {names[0]}; write {written}"
        )
    return None


def _has_no_step(element: Element) -> str | None:
    if element.step is None or element.step > 0:
        return None
    to_the_end = element.open and element.body != "*" and element.first < element.field.high
    body = f"{element.body}-{element.field.high}" if to_the_end else element.body
    return (
        f"the step of {element.quoted} in the {element.field.name} field is {element.step}; "
        f"Azure counts in steps of 1 instead; write {one_line(body, SHOWN)} if that is meant"
    )


def _steps_too_far(element: Element) -> str | None:
    backwards_or_one = "-" in element.body and element.first >= element.last
    if element.step is None or element.step < 1 or len(element.values) > 1 or backwards_or_one:
        return None
    value, around = element.values[0], NEXT_UNIT[element.field.name]
    return (
        f"the step of {element.quoted} in the {element.field.name} field leads beyond its end; Azure reads "
        f"{_name(element.field, value)} alone, once in each {around}; write {_short(element, value)} if that is meant, "
        f"since no step goes on into the next {around}"
    )


def _is_uneven(element: Element) -> str | None:
    field, step, values = element.field, element.step, element.values
    if not element.open or step is None or step < 2 or len(values) < 2:
        return None
    size = field.high - field.low + 1
    pause = size - values[-1] + values[0]
    if pause == step and field is not DAY:
        return None
    if field in (DAY, WEEKDAY):
        days = ",".join(_short(element, value) for value in values[:3])
        last = "the last of them" if field is DAY else _name(field, values[-1])
        how = f"whatever day {last} was" if field is DAY else f"{pause} day{'s' if pause > 1 else ''} after {last}"
        instead = f"the days that are meant, such as {days}"
    else:
        how = f"{pause} {field.name if pause == 1 else field.plural} after {_name(field, values[-1])}"
        instead = " or ".join(f"{_start(element, even)}/{even}" for even in _even_steps(size, step))
    return (
        f"{element.quoted} in the {field.name} field is not every {step} {_unit(field)}; Azure begins again at "
        f"{_name(field, values[0])} in each {NEXT_UNIT[field.name]}, {how}; write {instead}"
    )


def _start(element: Element, step: int) -> str:
    if element.body == "*":
        return "*"
    return str(element.field.low + (element.first - element.field.low) % step)


def _even_steps(size: int, step: int) -> list[int]:
    """Return the step if it divides the field, else the nearest ones that do."""
    if size % step == 0:
        return [step]
    divisors = [number for number in range(2, size) if size % number == 0]
    below = [number for number in divisors if number < step][-1:]
    return below + [number for number in divisors if number > step][:1]


def _unit(field: Field) -> str:
    return "days" if field in (DAY, WEEKDAY) else field.plural


def _skips_months(cron: Cron, elements: Sequence[Element]) -> Found:
    last = min(SHORTEST[month - 1] for month in cron.months)
    for element in elements:
        first = element.values[0]
        if element.field is not DAY or element.body == "*" or first <= last:
            continue
        lacking = [_name(MONTH, month) for month in cron.months if SHORTEST[month - 1] < first]
        leap = " but in leap years" if first == 29 else ""
        yield (
            f"{element.quoted} in the day of the month field begins with a day that {listed(lacking, 'and')} "
            f"{'does' if len(lacking) == 1 else 'do'} not have{leap}; Azure skips what does not exist without a word; "
            f"write {last}, the last day that always comes"
        )
        return


def _needs_both_days(cron: Cron, elements: Sequence[Element]) -> Found:  # noqa: ARG001  # every rule is asked alike
    if len(cron.days) == 31 or len(cron.weekdays) == 7:
        return
    yield (
        f"day of the month and day of the week are both restricted in {_quote(cron.text)}; Azure fires only on days "
        f"that match both, where most crons take either; write {_with(cron, WEEKDAY, '*')} or {_with(cron, DAY, '*')} "
        f"unless both is meant"
    )


def _has_no_monitor(cron: Cron, elements: Sequence[Element]) -> Found:  # noqa: ARG001
    # TimerListener.ShouldDisableScheduleMonitor: every field but the first is full, and it fires twice in a minute
    if _is_always(cron) and len(cron.seconds) > 1:
        yield (
            f"{_quote(cron.text)} fires {len(cron.seconds)} times a minute; Azure keeps no schedule monitor for it, so "
            f"what is missed while the app is down is not caught up; write '0 * * * * *' for once a minute"
        )


def _fires_by_the_second(cron: Cron, elements: Sequence[Element]) -> Found:  # noqa: ARG001
    if not _is_always(cron) and len(cron.seconds) > 1:
        yield (
            f"{_quote(cron.text)} fires {len(cron.seconds)} times in each minute that it names; Azure reads the first "
            f"of six fields as seconds; write {_with(cron, SECOND, '0')} for once"
        )


def _fires_by_the_minute(cron: Cron, elements: Sequence[Element]) -> Found:
    if len(cron.hours) == 1 and any(each.field is MINUTE and each.text == "*" for each in elements):
        hour = f"{cron.hours[0]:02}"
        yield (
            f"{_quote(cron.text)} fires in every minute of an hour; Azure starts the job 60 times, from {hour}:00 to "
            f"{hour}:59; write {_with(cron, MINUTE, '0')} for once at {hour}:00"
        )


def _is_always(cron: Cron) -> bool:
    above = (cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays)
    return all(len(values) == field.high - field.low + 1 for field, values in zip(FIELDS[1:], above, strict=True))


RULES = (
    Rule("A range that runs backwards", "0 0 6 * * FRI-MON", _first_in_each_field(_runs_backwards)),
    Rule("A range of one", "0 0 5-5 * * *", _first_in_each_field(_is_one_value)),
    Rule("A name cut too short", "0 0 6 * * T", _first_in_each_field(_is_short_for_many)),
    Rule("A step of 0 or less", "0 */0 * * * *", _first_in_each_field(_has_no_step)),
    Rule("A step beyond the end of its field", "0 */90 * * * *", _first_in_each_field(_steps_too_far)),
    Rule("A step that does not come out even", "0 */7 * * * *", _first_in_each_field(_is_uneven)),
    Rule("A day that not every month has", "0 0 6 31 * *", _skips_months),
    Rule("Day of the month and day of the week", "0 0 6 1 * MON", _needs_both_days),
    Rule("Several times in every minute", "*/10 * * * * *", _has_no_monitor),
    Rule("Several times in one minute", "* 30 6 * * *", _fires_by_the_second),
    Rule("Every minute of an hour", "0 * 6 * * *", _fires_by_the_minute),
)


def _name(field: Field, value: int) -> str:
    return field.names[value - field.low] if field.names else str(value)


def _short(element: Element, value: int) -> str:
    """Write a value as the element writes its own, by name or by number; a weekday from `*` by name."""
    named = element.field is WEEKDAY if element.body == "*" else not element.body[0].isdigit()
    return _name(element.field, value)[:3].upper() if named else str(value)


def _list(element: Element, values: list[int]) -> str:
    field = element.field
    if len(values) == field.high - field.low + 1:
        return "*"
    if field.names or (element.step is not None and element.step > 1):
        return ",".join(_short(element, value) for value in values)
    ends = ((element.first, field.high), (field.low, element.last))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)


def _with(cron: Cron, field: Field, part: str) -> str:
    """Quote the schedule with another text in one field, or name that field where the whole cannot be pasted."""
    parts = parts_of(cron)
    parts[FIELDS.index(field) - (len(FIELDS) - len(parts))] = part
    whole = " ".join(parts)
    return f"'{whole}'" if whole == one_line(whole, LONGEST_TEXT) else f"{part} in the {field.name} field"


def _quote(text: str) -> str:
    return f"'{one_line(text, LONGEST_TEXT)}'"
