"""A schedule in words: one sentence, and a true one."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.ncrontab import Cron, Interval, parse
from shared_code.occurrences import FIELDS
from shared_code.schedule_words import FEW, listed, words_of, words_of_interval

ROOT = Path(__file__).parent.parent
VECTORS = [json.loads(line) for line in (ROOT / "tests/data/ncrontab-vectors.jsonl").read_text("utf-8").splitlines()]
ACCEPTED = [row for row in VECTORS if row["kind"] == "cron"]
EXAMPLES = """
0 0 5 * * *                -> At 05:00, every day (UTC).
0 30 6 * * 1-5             -> At 06:30, Monday through Friday (UTC).
0 */30 * * * *             -> Every 30 minutes (UTC).
0 */5 * * * *              -> Every 5 minutes (UTC).
0 0 * * * *                -> Every hour (UTC).
0 15 * * * *               -> At 15 minutes past the hour (UTC).
0 0 */6 * * *              -> At 00:00, 06:00, 12:00 and 18:00, every day (UTC).
0 0 */2 * * *              -> Every 2 hours from 00:00 to 22:00, every day (UTC).
0 0 */5 * * *              -> At 00:00, 05:00, 10:00, 15:00 and 20:00, every day (UTC).
0 0 9-17 * * 1-5           -> Every hour from 09:00 to 17:00, Monday through Friday (UTC).
0 0,30 9-17 * * 1-5        -> Every 30 minutes, between 09:00 and 17:59, Monday through Friday (UTC).
0 */10 9-17 * * *          -> Every 10 minutes, between 09:00 and 17:59 (UTC).
0 */10 9 * * *             -> At 09:00, 09:10, 09:20, 09:30, 09:40 and 09:50, every day (UTC).
0 */10 9,17 * * *          -> Every 10 minutes, at 09:00 through 09:59 and 17:00 through 17:59 (UTC).
0 0 6,18 * * *             -> At 06:00 and 18:00, every day (UTC).
0 0 1,2,4,8,12,16,20 * * * -> At 01:00, 02:00, 04:00, 08:00, 12:00, 16:00 and 20:00, every day (UTC).
0 15,45 6 * * *            -> At 06:15 and 06:45, every day (UTC).
30 15 6 * * *              -> At 06:15:30, every day (UTC).
*/10 * * * * *             -> Every 10 seconds (UTC).
* * * * * *                -> Every second (UTC).
0 * * * * *                -> Every minute (UTC).
* 30 6 * * *               -> Every second, at 30 minutes past the hour, between 06:00 and 06:59 (UTC).
0 * 6 * * *                -> Every minute, between 06:00 and 06:59 (UTC).
0 */7 * * * *              -> Every 7 minutes, minutes 0 through 56 past the hour (UTC).
0 5-10 * * * *             -> Minutes 5 through 10 past the hour (UTC).
0 5,10,40-50 * * * *       -> At 5, 10, and 40 through 50 minutes past the hour (UTC).
0 0 6 1 * *                -> At 06:00, on day 1 of the month (UTC).
0 0 6 1,15 * *             -> At 06:00, on day 1 and 15 of the month (UTC).
0 0 6 1-7 * *              -> At 06:00, between day 1 and 7 of the month (UTC).
0 0 6 */2 * *              -> At 06:00, every 2 days, between day 1 and 31 of the month (UTC).
0 0 6 1 */3 *              -> At 06:00, on day 1 of the month, only in January, April, July, and October (UTC).
0 0 6 1 6-8 *              -> At 06:00, on day 1 of the month, June through August (UTC).
0 0 6 * JAN *              -> At 06:00, every day, only in January (UTC).
0 0 6 * * 6,0              -> At 06:00, only on Sunday and Saturday (UTC).
0 0 6 * * MON              -> At 06:00, only on Monday (UTC).
0 0 6 * * FRI-MON          -> At 06:00, Monday through Friday (UTC).
0 0 6 1-7 * MON            -> At 06:00, between day 1 and 7 of the month, and only if it is a Monday (UTC).
0 0 6 15 6 MON,TUE -> At 06:00, on day 15 of the month, only in June, and only if it is a Monday or Tuesday (UTC).
0 0 6 29 2 *               -> At 06:00, on day 29 of the month, only in February (UTC).
0 0 6 31 2 *               -> At 06:00, on day 31 of the month, only in February, which never comes (UTC).
30 6 * * 1-5               -> At 06:30, Monday through Friday (UTC).
0 0 6 * * SAT-SUN          -> At 06:00, every day (UTC).
0 0 0 * * *                -> At 00:00, every day (UTC).
5 4 3 2 1 0                -> At 03:04:05, on day 2 of the month, only in January, and only if it is a Sunday (UTC).
"""
SENTENCE = re.compile(r"(?:Every|At|Seconds|Minutes) [A-Za-z0-9 ,:]+ \(UTC\)\.|Every \w+ \(UTC\)\.")
CLOCK = re.compile(r"\d\d:\d\d(?::\d\d)?")


def cron(text: str) -> Cron:
    meaning = parse(text)
    assert isinstance(meaning, Cron)
    return meaning


def clock(moment: datetime) -> str:
    return moment.strftime("%H:%M:%S").removesuffix(":00")


@pytest.mark.parametrize("row", EXAMPLES.strip().splitlines(), ids=lambda row: row.split(" -> ")[0].strip())
def test_examples(row: str) -> None:
    """Each sentence was read and compared with what Azure does by a person."""
    text, words = row.split(" -> ")

    assert words_of(cron(text.strip())) == words


def every_day_of(row: dict[str, Any]) -> list[datetime]:
    """The occurrences that Azure's own parser gave, but its sign for none."""
    return [datetime.fromisoformat(each) for each in row["next"] if not each.startswith("9999")]


class TestEveryAcceptedRow:
    """All texts that Azure's own parser accepted, against the occurrences it gave."""

    def test_is_one_sentence(self) -> None:
        """Plain words, times, one full stop; nothing of the library, no 12-hour time, no 'or on'."""
        for row in ACCEPTED:
            words = words_of(cron(row["expression"]))

            assert SENTENCE.fullmatch(words), (row["expression"], words)
            assert not re.search(r"\b(AM|PM|None|or on|cron|error)\b", words), words

    def test_is_the_same_each_time(self) -> None:
        """A schedule of the same values has the same sentence, however it is written."""
        for row in ACCEPTED[::7]:
            meaning = cron(row["expression"])

            assert words_of(meaning) == words_of(meaning) == words_of(cron(meaning.expanded))

    def test_names_the_times_of_azure(self) -> None:
        """Where times of day are listed, they are those of the occurrences."""
        seen = 0
        for row in ACCEPTED:
            words = words_of(cron(row["expression"]))
            if not re.match(r"At \d\d:", words):
                continue
            times = set(CLOCK.findall(words))
            seen += 1
            for moment in every_day_of(row):
                assert clock(moment) in times, row
        assert seen > 100

    def test_names_the_days_of_azure(self) -> None:
        """A lone weekday, month or day of the month that is named is that of every occurrence."""
        for row in ACCEPTED:
            words = words_of(cron(row["expression"]))
            weekday = re.search(r"(?:only on|if it is a) (\w+day)(?:,? only in .*)? \(UTC\)", words)
            month = re.search(r"only in ([A-Z]\w+)(?: \(|, and only if)", words)
            day = re.search(r"on day (\d+) of the month", words)
            for moment in every_day_of(row):
                assert weekday is None or moment.strftime("%A") == weekday[1], row
                assert month is None or moment.strftime("%B") == month[1], row
                assert day is None or moment.day == int(day[1]), row

    def test_says_never(self) -> None:
        """And only of dates that never come."""
        for row in ACCEPTED:
            never = bool(row["next"]) and row["next"][0].startswith("9999")

            assert ("which never comes" in words_of(cron(row["expression"]))) is never


def values(place: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Some values of a field, or all."""
    everything = range(FIELDS[place].low, FIELDS[place].high + 1)
    some = st.sets(st.sampled_from(everything), min_size=1)
    return (some | st.just(set(everything))).map(lambda found: tuple(sorted(found)))


def crons() -> st.SearchStrategy[Cron]:
    """Any schedule of six fields."""
    return st.builds(Cron, st.just(""), *map(values, range(len(FIELDS))), st.just(True))


@given(crons())
def test_any_values_have_a_sentence(meaning: Cron) -> None:
    """Whatever the six sets of values are; few times of day are listed completely."""
    words = words_of(meaning)

    assert words.endswith(" (UTC).")
    assert words[0].isupper()
    times = list(product(meaning.hours, meaning.minutes, meaning.seconds))
    if len(times) <= FEW:
        expected = {f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "") for hour, minute, second in times}
        assert set(CLOCK.findall(words)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:05:00", "Every 5 minutes, counted from the start of each call."),
        ("24:00:00", "Every 24 days, counted from the start of each call."),
        ("1.02:03:04", "Every 1 day 2 hours 3 minutes 4 seconds, counted from the start of each call."),
        ("-00:05:00", "Every instant, counted from the start of each call."),
    ],
)
def test_intervals(text: str, expected: str) -> None:
    """A TimeSpan is named by its parts; none and less than none is a call without pause."""
    interval = parse(text)
    assert isinstance(interval, Interval)

    assert words_of_interval(interval) == expected


def test_lists() -> None:
    """Commas, and one conjunction."""
    assert listed(["a"], "or") == "a"
    assert listed(["a", "b", "c"], "or") == "a, b or c"


def test_the_library_is_imported_on_first_use() -> None:
    """The app is indexed without it."""
    code = "import sys, shared_code.settings; print('cron_descriptor' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_the_environment_changes_nothing() -> None:
    """Times are those of 24 hours in every locale."""
    code = (
        "from shared_code.ncrontab import parse; from shared_code.schedule_words import words_of; "
        "print(words_of(parse('0 0 18 1 3 MON')))"
    )
    for locale in ("C", "en_US.UTF-8", "de_DE.UTF-8"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=ROOT, env={"LANG": locale, "LC_ALL": locale}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout == "At 18:00, on day 1 of the month, only in March, and only if it is a Monday (UTC).\n"


def test_a_moment_of_each_example() -> None:
    """Examples fire, but for the one that never does."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for row in EXAMPLES.strip().splitlines():
        text, words = row.split(" -> ")
        assert (cron(text.strip()).next_after(start) is None) is ("never" in words)
