"""The page about schedules, from the code that judges them: `python -m devkit.schedules_page > docs/schedules.md`."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import cycle

from shared_code.ncrontab import Cron, parse
from shared_code.schedule_warnings import RULES, clashes, too_short, warnings_of
from shared_code.schedule_words import words_of
from shared_code.schedules import Judgement, judge

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

A schedule in `steward.toml` is NCRONTAB, Azure's cron: six fields, separated by spaces, in UTC.

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
        ]
    )


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
