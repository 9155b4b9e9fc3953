"""Warnings: what is written, what Azure makes of it, what to write instead."""

import json
import re
import time
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.ncrontab import Cron, parse
from shared_code.schedule_elements import elements_of
from shared_code.schedule_warnings import ENOUGH_RUNS, RULES, Rule, clashes, too_short, warnings_of

VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "ncrontab-vectors.jsonl").read_text("utf-8").splitlines()
]
START = datetime(2026, 1, 1, tzinfo=UTC)
SAFE = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")


def cron(text: str) -> Cron:
    meaning = parse(text)
    assert isinstance(meaning, Cron)
    return meaning


def warned(text: str) -> tuple[str, ...]:
    return warnings_of(cron(text))


def only(text: str) -> str:
    found = warned(text)
    assert len(found) == 1, found
    return found[0]


PLAIN = [
    "0 0 5 * * *",
    "0 */30 * * * *",
    "0 0 */6 * * *",
    "0 30 6 * * 1-5",
    "0 30 6 * * MON-FRI",
    "0 0 6 1 * *",
    "0 0 6 1,15,28 * *",
    "0 0 6 1-31 * *",
    "0 0 6 1 JAN,JUL *",
    "0 5-55/10 9-17 * * SUN,Wednesday",
    "0 5/15 * * * *",
    "0 0 6 30 4 *",
    "0 0 6 31 1,3,5 *",
    "0 * * * * *",
    "0 * 9-17 * * *",
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_schedules_have_none(text: str) -> None:
    """What means what it says is left in peace."""
    assert warned(text) == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_each_rule_finds_its_example_and_no_other_does(rule: Rule) -> None:
    """The examples of the page are of their own kind alone."""
    example = cron(rule.example)

    assert [each for each in RULES if list(each.find(example, tuple(elements_of(example))))] == [rule]


class TestBackwards:
    """The host swaps the ends of a range that runs backwards."""

    @pytest.mark.parametrize(
        ("text", "reads", "meant", "swapped"),
        [
            ("0 0 6 * * FRI-MON", "Monday to Friday", "FRI,SAT,SUN,MON", "MON-FRI"),
            ("0 0 6 * * 5-1", "Monday to Friday", "5,6,0,1", "1-5"),
            ("0 0 6 * * MON-SUN", "Sunday to Monday", "*", "SUN-MON"),
            ("0 0 6 * * SAT-SUN", "every day of the week", "SAT,SUN", "*"),
            ("0 0 22-2 * * *", "2 to 22", "22-23,0-2", "2-22"),
            ("0 0 23-0 * * *", "every hour", "23,0", "*"),
            ("0 50-10/15 * * * *", "10 to 50 in steps of 15", "50,5", "10-50/15"),
            ("0 0 6 1 NOV-FEB *", "February to November", "NOV,DEC,JAN,FEB", "FEB-NOV"),
            ("0 0 6 25-5 * *", "5 to 25", "25-31,1-5", "5-25"),
        ],
    )
    def test_says_what_is_read_and_what_was_meant(self, text: str, reads: str, meant: str, swapped: str) -> None:
        sentence = only(text)

        assert f"Azure swaps its ends and reads {reads}; write {meant} for " in sentence
        assert sentence.endswith(f", or {swapped} for what Azure reads")

    @given(place=st.sampled_from([1, 2, 4, 5]), first=st.integers(0, 59), last=st.integers(0, 59))
    def test_both_texts_to_write_are_right(self, place: int, first: int, last: int) -> None:
        """One means the wrap, the other what Azure reads of the original, and neither is warned of again."""
        low, high = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))[place]
        first, last = (low + value % (high - low + 1) for value in (first, last))
        if first <= last:
            return

        def values(part: str) -> set[int]:
            parts = ["0", "0", "0", "*", "*", "*"]
            parts[place] = part
            meaning = cron(" ".join(parts))
            assert "backwards" not in "".join(warnings_of(meaning))
            return set(
                (meaning.seconds, meaning.minutes, meaning.hours, meaning.days, meaning.months, meaning.weekdays)[place]
            )

        parts = ["0", "0", "0", "*", "*", "*"]
        parts[place] = f"{first}-{last}"
        sentence = next(each for each in warned(" ".join(parts)) if "backwards" in each)
        written = re.search(r"write (\S+) for .*, or (\S+) for what Azure reads", sentence)
        assert written
        assert values(written[1]) == {*range(first, high + 1), *range(low, last + 1)}
        assert values(written[2]) == set(range(last, first + 1))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "0 0 5-5 * * *",
            "'5-5' in the hour field ends where it begins; Azure reads 5 alone; write 5, or * for every hour",
        ),
        (
            "0 0 6 * * MON-MON",
            ("'MON-MON' in the day of the week field ends where it begins; Azure reads Monday alone; write MON, or * "
            "for "
            "every day of the week"),
        ),
        (
            "0 0 6 * * T",
            ("'T' in the day of the week field is short for Tuesday or Thursday; Azure takes the first name "
             "that begins "
            "so, Tuesday; write TUE for Tuesday or THU for Thursday"),
        ),
        (
            "0 0 6 1 Ju *",
            ("'Ju' in the month field is short for June or July; Azure takes the first name that begins so, June; "
            "write JUN for June or JUL for July"),
        ),
        (
            "0 0 6 * * W",
            ("'W' in the day of the week field is short for Wednesday; Azure takes the first name that begins so, "
            "Wednesday; write WED for Wednesday"),
        ),
        (
            "0 */0 * * * *",
            "the step of '*/0' in the minute field is 0; Azure counts in steps of 1 instead; write * if that is meant",
        ),
        (
            "0 0 8/-2 * * *",
            ("the step of '8/-2' in the hour field is -2; Azure counts in steps of 1 instead; write 8-23 if that is "
            "meant"),
        ),
        (
            "0 */90 * * * *",
            ("the step of '*/90' in the minute field leads beyond its end; Azure reads 0 alone, once in each hour; "
            "write 0 if that is meant, since no step goes on into the next hour"),
        ),
        (
            "0 0 6 * * 2-4/5",
            ("the step of '2-4/5' in the day of the week field leads beyond its end; Azure reads Tuesday alone, "
             "once in "
            "each week; write 2 if that is meant, since no step goes on into the next week"),
        ),
        (
            "0 */7 * * * *",
            ("'*/7' in the minute field is not every 7 minutes; Azure begins again at 0 in each hour, 4 minutes "
            "after 56; "
            "write */6 or */10"),
        ),
        (
            "0 20/15 * * * *",
            ("'20/15' in the minute field is not every 15 minutes; Azure begins again at 20 in each hour, 30 minutes "
            "after 50; write 5/15"),
        ),
        (
            "0 0 6 * * */2",
            ("'*/2' in the day of the week field is not every 2 days; Azure begins again at Sunday in each week, 1 day "
            "after Saturday; write the days that are meant, such as SUN,TUE,THU"),
        ),
        (
            "0 0 6 */2 * *",
            ("'*/2' in the day of the month field is not every 2 days; Azure begins again at 1 in each month, "
            "whatever day "
            "the last of them was; write the days that are meant, such as 1,3,5"),
        ),
        (
            "0 0 6 31 * *",
            ("'31' in the day of the month field begins with a day that February, April, June, September and "
            "November do "
            "not have; Azure skips what does not exist without a word; write 28, the last day that always comes"),
        ),
        (
            "0 0 6 29 2 *",
            ("'29' in the day of the month field begins with a day that February does not have but in leap "
             "years; Azure "
            "skips what does not exist without a word; write 28, the last day that always comes"),
        ),
        (
            "0 0 6 1 * 1",
            ("day of the month and day of the week are both restricted in '0 0 6 1 * 1'; Azure fires only on days that "
            "match both, where most crons take either; write '0 0 6 1 * *' or '0 0 6 * * 1' unless both is meant"),
        ),
        (
            "*/10 * * * * *",
            ("'*/10 * * * * *' fires 6 times a minute; Azure keeps no schedule monitor for it, so what is missed "
            "while the "
            "app is down is not caught up; write '0 * * * * *' for once a minute"),
        ),
        (
            "* 30 6 * * *",
            ("'* 30 6 * * *' fires 60 times in each minute that it names; Azure reads the first of six fields as "
            "seconds; "
            "write '0 30 6 * * *' for once"),
        ),
        (
            "0 * 6 * * *",
            ("'0 * 6 * * *' fires in every minute of an hour; Azure starts the job 60 times, from 06:00 to 06:59; "
            "write '0 0 6 * * *' for once at 06:00"),
        ),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)  # fmt: skip
def test_sentences(text: str, sentence: str) -> None:
    """Word for word."""
    assert only(text) == sentence


@given(place=st.sampled_from([0, 1, 2, 4]), first=st.integers(0, 59) | st.just(-1), step=st.integers(2, 59))
def test_an_uneven_step_has_even_ones_to_write(place: int, first: int, step: int) -> None:
    """What is written instead is as far apart within the field as across its end."""
    low, high = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12))[place]
    size = high - low + 1
    body = "*" if first < 0 else str(low + first % size)

    def values(part: str) -> tuple[int, ...]:
        parts = ["0", "0", "0", "1", "1", "*"]
        parts[place] = part
        meaning = cron(" ".join(parts))
        return (meaning.seconds, meaning.minutes, meaning.hours, meaning.days, meaning.months)[place]

    def is_even(part: str) -> bool:
        found = values(part)
        return len({(later - earlier) % size for earlier, later in zip(found, found[1:] + found[:1], strict=True)}) == 1

    parts = ["0", "0", "0", "1", "1", "*"]
    parts[place] = f"{body}/{step}"
    sentences = [each for each in warned(" ".join(parts)) if "is not every" in each]
    if len(values(f"{body}/{step}")) > 1:
        assert bool(sentences) is not is_even(f"{body}/{step}")
    for sentence in sentences:
        assert all(map(is_even, sentence.rpartition("write ")[2].split(" or ")))


class TestClashes:
    """Two jobs that change something in the same minute."""

    def test_only_of_jobs_that_write(self) -> None:
        schedules = {"a": cron("0 0 6 * * *"), "b": cron("30 0 6 * * MON"), "c": cron("0 0 6 * * *")}

        assert clashes(schedules, {"a", "b"}) == (
            (
                "a and b both change Azure and start in the same minutes, at 06:00, only on Monday (UTC); Azure starts "
                "them "
                "side by side; write another minute for one of them"
            ),
        )
        assert clashes(schedules, set()) == ()
        assert len(clashes(schedules, {"a", "b", "c"})) == 3

    @pytest.mark.parametrize(
        "other",
        ["0 5 6 * * *", "0 0 7 * * *", "0 0 6 * 2 *", "0 0 6 31 * *", "0 0 6 * * SUN"],
        ids=["minute", "hour", "month", "day", "weekday"],
    )
    def test_never_of_those_that_never_meet(self, other: str) -> None:
        schedules = {"a": cron("0 0 6 1-29 4,6 MON"), "b": cron(other)}

        assert clashes(schedules, {"a", "b"}) == ()

    def test_a_common_date_that_never_comes(self) -> None:
        schedules = {"a": cron("0 0 6 30 1,2 *"), "b": cron("0 0 6 * 2,3 *")}

        assert clashes(schedules, {"a", "b"}) == ()


class TestTooShort:
    """An interval shorter than the job usually takes."""

    def test_is_said_with_both_durations(self) -> None:
        assert too_short(cron("0 */5 * * * *"), [700.0, 720.0, 9000.0], START) == (
            (
                "'0 */5 * * * *' comes again after 5 min 0 s, and the job usually takes 12 min 0 s; its runs "
                "wait for one "
                "another and fall behind; write a longer interval"
            ),
        )

    @pytest.mark.parametrize(
        ("text", "durations"),
        [
            ("0 */5 * * * *", [300.0] * 5),
            ("0 */5 * * * *", [10.0, 10.0, 9000.0]),
            ("0 */5 * * * *", [9000.0] * (ENOUGH_RUNS - 1)),
            ("0 0 6 31 2 *", [9000.0] * 5),
            ("0 0 5 * * *", [9000.0] * 5),
        ],
        ids=["just", "one-slow-run", "too-few", "never", "daily"],
    )
    def test_is_not_said(self, text: str, durations: list[float]) -> None:
        assert too_short(cron(text), durations, START) == ()

    def test_the_shortest_of_uneven_intervals_counts(self) -> None:
        assert "after 10 min 0 s" in too_short(cron("0 0,10 6 * * *"), [700.0] * 3, START)[0]


def test_every_accepted_text_is_answered() -> None:
    """One line of plain characters, whatever the host accepts."""
    for row in VECTORS:
        if row["kind"] == "cron":
            for sentence in warned(row["expression"]):
                assert SAFE.fullmatch(sentence), sentence
                assert "; Azure " in sentence
                assert len(sentence) < 500


def test_long_texts_are_answered_soon() -> None:
    """A generous guard: `bench.fuzz_schedules` has the figures."""
    parts = ",".join(f"{value}-{value + 1}/{step}" for value, step in product(range(58), range(9)))[:9900].rpartition(
        ","
    )[0]
    began = time.process_time()

    found = warned(f"0 {parts} * * * *")

    assert time.process_time() - began < 2
    assert found
    assert all(len(sentence) < 500 for sentence in found)
