"""Words: what a schedule means, in one sentence for people; times are in 24 hours, and UTC unless a zone is named.

cron-descriptor writes what is left once its three differences from Azure are out of the way: it is given the values the
host reads, not the text; day and weekday, which it joins by "or", are joined here; and few times of day are listed
here, since for those it drops or repeats the minutes.
"""

from itertools import pairwise, product

from shared_code.occurrences import Cron, Interval, consecutive

FEW = 6
"""Times of day that are listed one by one."""
ENOUGH = 4
"""Values from which a series is worth calling one."""

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def words_of(cron: Cron, timezone: str = "UTC") -> str:
    """Say when a schedule of fields fires by the clocks of a zone; the same cron always gives the same sentence."""
    every_day = len(cron.days) == 31 and len(cron.weekdays) == 7
    time, by_the_clock = _time_of_day(cron)
    parts = [time, ", every day" if by_the_clock and every_day else "", _days(cron)]
    if len(cron.weekdays) < 7 and len(cron.days) == 31:
        parts.append(_described(f"0 0 0 * * {_pieces(cron.weekdays)}", "DAYOFWEEK"))
    parts.append(_described(f"0 0 0 * {_months(cron)} *", "MONTH"))
    if len(cron.weekdays) < 7 and len(cron.days) < 31:
        parts.append(f", and only if it is a {listed([_WEEKDAYS[day] for day in cron.weekdays], 'or')}")
    if not cron.fires:
        parts.append(", which never comes")
    return f"{''.join(parts)} ({timezone})."


def words_of_interval(interval: Interval) -> str:
    """Say what a TimeSpan means: it names no time of day."""
    return f"{length_of(interval)[0].upper()}{length_of(interval)[1:]}, counted from the start of each call."


def length_of(interval: Interval) -> str:
    """Name a TimeSpan by its largest parts, since 24:00:00 is meant as a day and means 24 of them."""
    seconds = max(0, int(interval.seconds))
    sizes = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
    named = []
    for name, size in sizes.items():
        number, seconds = divmod(seconds, size)
        if number:
            named.append(f"{number} {name}{'s' if number != 1 else ''}")
    return f"every {' '.join(named) or 'instant'}"


def listed(texts: list[str], conjunction: str) -> str:
    """Join texts with commas and, before the last, a conjunction."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {conjunction} {texts[-1]}"


def _time_of_day(cron: Cron) -> tuple[str, bool]:
    """Say the times of day, and whether as clock times."""
    times = len(cron.seconds) * len(cron.minutes) * len(cron.hours)
    if times <= FEW:
        clocks = [_clock(*time) for time in product(cron.hours, cron.minutes, cron.seconds)]
        return f"At {listed(clocks, 'and')}", True
    if len(cron.seconds) == len(cron.minutes) == 1 and len(cron.hours) < 24:
        clocks = [_clock(hour, cron.minutes[0], cron.seconds[0]) for hour in cron.hours]
        step = _step(cron.hours)
        if step:
            return f"Every {'hour' if step == 1 else f'{step} hours'} from {clocks[0]} to {clocks[-1]}", True
        return f"At {listed(clocks, 'and')}", True
    seconds, minutes = _series(cron.seconds), _series(cron.minutes)
    return _described(f"{seconds} {minutes} {_hours(cron.hours)} * * *", "FULL"), False


def _days(cron: Cron) -> str:
    if len(cron.days) == 31:
        return ""
    step = _step(cron.days) if len(cron.days) >= ENOUGH else None
    text = f"{cron.days[0]}-{cron.days[-1]}/{step}" if step and step > 1 else _pieces(cron.days)
    return _described(f"0 0 0 {text} * *", "DAYOFMONTH")


def _months(cron: Cron) -> str:
    return "*" if len(cron.months) == 12 else _pieces(cron.months)


def _series(values: tuple[int, ...]) -> str:
    """Write seconds or minutes as `*`, as `*/n` only where that is even, as `a-b/n`, or as pieces."""
    step = _step(values)
    if step and values[0] == 0 and values[-1] + step == 60:
        return "*" if step == 1 else f"*/{step}"
    step = step if len(values) >= ENOUGH else None
    return f"{values[0]}-{values[-1]}/{step}" if step and step > 1 else _pieces(values)


def _hours(values: tuple[int, ...]) -> str:
    """Write hours during which something goes on: a lone one as `h-h`, so that it is not taken for a time of day."""
    if len(values) == 24:
        return "*"
    step = _step(values) if len(values) >= ENOUGH else None
    if step and step > 1:
        return f"{values[0]}-{values[-1]}/{step}"
    return ",".join(f"{run[0]}-{run[-1]}" for run in consecutive(values))


def _pieces(values: tuple[int, ...]) -> str:
    """Write values as a list, three and more in a row as `a-b`."""
    pieces: list[str] = []
    for run in consecutive(values):
        pieces.extend([f"{run[0]}-{run[-1]}"] if len(run) > 2 else map(str, run))
    return ",".join(pieces)


def _step(values: tuple[int, ...]) -> int | None:
    """Return the one distance between neighbours, if it is one."""
    steps = {later - earlier for earlier, later in pairwise(values)}
    return steps.pop() if len(steps) == 1 else None


def _clock(hour: int, minute: int, second: int) -> str:
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")


def _described(expression: str, part: str) -> str:
    # imported on first use, as indexing needs no words; the package has types and does not say so
    from cron_descriptor import DescriptionTypeEnum, ExpressionDescriptor, Options  # type: ignore[import-untyped]

    options = Options(locale_code="en_US", use_24hour_time_format=True)
    text: str = ExpressionDescriptor(expression, options).get_description(DescriptionTypeEnum[part])
    return text
