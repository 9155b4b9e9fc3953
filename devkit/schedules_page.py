"""The page about schedules, from the code that judges them: `python -m devkit.schedules_page > docs/schedules.md`."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import cycle

from shared_code.local_schedules import LocalCron, calls_beside, registered
from shared_code.local_views import clock_change
from shared_code.ncrontab import Cron, parse
from shared_code.schedule_warnings import RULES, clashes, too_short, warnings_of
from shared_code.schedule_words import words_of
from shared_code.schedules import Judgement, judge
from shared_code.timezones import changes

REFUSED_ALTHOUGH_ACCEPTED = {
    "Five fields": "30 5 * * *",
    "A TimeSpan": "00:05:00",
    "24 hours that are 24 days": "24:00:00",
    "A date that never comes": "0 0 0 31 2 *",
}
REJECTED = {
    "7 for Sunday": "0 0 6 * * 7",
    "A range up to Sunday": "0 0 6 * * 5-7",
    "24 for midnight": "0 0 24 * * *",
    "? for any day": "0 0 6 ? * MON",
    "A year": "0 0 6 * * * *",
    "The last day of the month": "0 0 6 L * *",
    "A name of other crons": "@daily",
    "A name that goes on": "0 0 6 * * FRIDAYS",
    "Nothing": "",
    "A setting that the app has not": "%WHEN%",
    "% alone": "0 */5% * * * *",
}

HEAD = """\
# Schedules

A schedule in `steward.toml` is NCRONTAB, Azure's cron: six fields, separated by spaces, in UTC or
[in local time](#in-local-time).

```text
{second} {minute} {hour} {day} {month} {day-of-week}
0        30       6      *     *       1-5             06:30 from Monday to Friday
```

It resembles the cron of Unix and that of Quartz, and differs from both. This page lists where it surprises, what Azure
makes of it in silence, and what Steward says. `steward schedule EXPR` says the same of any text, with the next runs;
`steward check` says it of `steward.toml`.

This page is printed by the code that judges schedules, `python -m devkit.schedules_page`; the tests compare the two.
"""

WARNED = """\
## Accepted, with a warning

A warning costs nothing: the job runs as Azure reads its schedule.
"""

TWO_JOBS = """\
Two more warnings come from more than the text:
"""

REFUSED = """\
## Accepted by Azure, refused by Steward

The job has no timer until the schedule is mended. It can still be started by hand.
"""

REJECTS = """\
## Rejected by Azure

Azure would put the function in error and say so in its log alone. Steward leaves the timer out, and says what to write.
"""


LOCAL = """\
## In local time

With `timezone = "Europe/Berlin"` beside `schedule` a job runs by the clocks of that zone, summer and winter, on plans
whose timers know UTC alone. Steward registers a timer in UTC that covers the schedule under all offsets which the
zone has in the coming years, by the rules of the pinned `tzdata`; where a shift can cross midnight, day, month and
weekday become `*`. A call of it that is for no occurrence starts nothing, and leaves a line in the log for whoever
debugs.

When the clocks change, a job runs as the Functions host has it in a local zone. A time that is skipped runs later by
the length of the gap, and what comes next is looked for from there on. A time that comes twice runs once, the first
time; an interval, which has `*` or a range of neighbours in seconds, minutes or hours, runs both times.
"""

LOCAL_NOTES = """\
`steward schedule EXPR --timezone TZ` says the same of any schedule and zone, with the next runs in both times. A
schedule whose timer would call for nothing more often than once in an hour comes with a warning.

- A run is known by its job and its moment in UTC, and Steward remembers what the clocks showed at the last one. An
  update of `tzdata` that moves a time of day which has run today does not make it run again; one that moves it to
  before the update is noticed by the watchdog as missed.
- A call by hand in the portal within two minutes after a call that is for nothing is taken for it. `steward run` and
  `POST jobs/{job}/runs` always start a run.
- Of two occurrences less than five seconds apart, such as at 05:59:59 and 06:00:00, only the later one runs, in UTC
  as in local time: a call of a timer does not say which one it is for.
- `WEBSITE_TIME_ZONE` must not be set beside it, as it moves the timers themselves.
"""

IN_LOCAL_TIME = (
    ("0 0 6 * * *", "Europe/Berlin"),
    ("0 30 2 * * *", "Europe/Berlin"),
    ("0 0,30 2 * * *", "Europe/Berlin"),
    ("0 */20 * * * *", "Europe/Berlin"),
    ("0 0 0 * * MON-FRI", "America/New_York"),
    ("0 0 0 * * *", "America/Santiago"),
    ("0 15 2 * * *", "Australia/Lord_Howe"),
    ("0 0 5 1 * *", "Asia/Kolkata"),
)
"""Schedules with a zone; the changes are those of 2027."""


def page() -> str:
    """Return the whole page."""
    warned = [
        (rule.title, _code(rule.example), words_of(cron), ". ".join(warnings_of(cron)))
        for rule, cron in ((rule, _cron(rule.example)) for rule in RULES)
    ]
    more = [
        *clashes({"one-job": _cron("0 0 6 * * *"), "other-job": _cron("0 0 */6 * * MON")}, {"one-job", "other-job"}),
        *too_short(_cron("0 */5 * * * *"), [720.0] * 3, datetime(2026, 1, 1, tzinfo=UTC)),
    ]
    return "\n".join(
        [
            HEAD,
            WARNED,
            *_table(("Surprise", "Written", "Azure runs it", "Steward warns"), warned),
            "",
            TWO_JOBS,
            *(f"- {_prose(sentence)}." for sentence in more),
            "",
            REFUSED,
            *_table(("Surprise", "Written", "Azure runs it", "Steward refuses"), _judged(REFUSED_ALTHOUGH_ACCEPTED)),
            "",
            REJECTS,
            *_table(("Mistake", "Written", "Steward refuses"), [(*row[:2], row[3]) for row in _judged(REJECTED)]),
            "",
            LOCAL,
            *_table(
                ("Written", "Zone", "Timer in UTC", "Calls for nothing a day", "Clocks go forward", "Clocks go back"),
                map(_local, *zip(*IN_LOCAL_TIME, strict=True)),
            ),
            "",
            LOCAL_NOTES,
        ]
    )


def _local(text: str, zone: str) -> tuple[str, ...]:
    local = LocalCron(_cron(text), zone)
    found = changes(zone, 2027)
    forward, back = (
        [
            clock_change(local, change).words.partition("; ")[2]
            for change in found
            if (change.shift > timedelta()) is way
        ]
        for way in (True, False)
    )
    timer = registered(local).text
    told = ["; ".join(words) or "never" for words in (forward, back)]
    return _code(text), _code(zone), _code(timer), f"{calls_beside(local):g}", *told


def _judged(texts: dict[str, str]) -> list[tuple[str, ...]]:
    return [(title, _code(text), judged.words or "", _reason(judged)) for title, text, judged in _all(texts)]


def _all(texts: dict[str, str]) -> Iterable[tuple[str, str, Judgement]]:
    return ((title, text, judge(text, {})) for title, text in texts.items())


def _reason(judged: Judgement) -> str:
    """Return the sentence without the lines that point at the place."""
    return (judged.steward.reason or "").partition("\n")[0]


def _cron(text: str) -> Cron:
    cron = parse(text)
    if not isinstance(cron, Cron):
        raise TypeError(text)
    return cron


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _prose(sentence: str) -> str:
    """Show what a sentence quotes as code; elsewhere an asterisk would begin emphasis."""
    pieces = re.split(r"'([^']+)'", sentence)
    return "".join(
        _code(piece) if quoted else piece.replace("*", r"\*")
        for piece, quoted in zip(pieces, cycle((False, True)), strict=False)
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    cells = [[cell if cell.startswith("`") else _prose(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" if row else f"|{'---|' * len(header)}" for row in (header, (), *cells)]


if __name__ == "__main__":
    print(page(), end="")
