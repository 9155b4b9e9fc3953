"""The schedule parser reads every text as the Azure Functions host does."""

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared_code.errors import StewardError
from shared_code.ncrontab import Cron, Interval, ScheduleError, parse

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = "9999-12-31T23:59:59"
VECTORS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "ncrontab-vectors.jsonl").read_text("utf-8").splitlines()
]


def cron(text: str) -> Cron:
    schedule = parse(text)
    assert isinstance(schedule, Cron)
    return schedule


def interval(text: str) -> Interval:
    schedule = parse(text)
    assert isinstance(schedule, Interval)
    return schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_rejected(text: str) -> bool:
    try:
        parse(text)
    except ScheduleError:
        return True
    return False


def occurrences(schedule: Cron, after: str, count: int) -> list[str]:
    moment: datetime | None = at(after)
    found: list[str] = []
    while moment is not None and len(found) < count:
        moment = schedule.next_after(moment)
        found.append(NEVER if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S"))
    return found


class TestVectors:
    """Every row answered by Azure's own parser is answered alike here."""

    def rows(self, *kinds: str) -> list[dict[str, Any]]:
        return [row for row in VECTORS if row["kind"] in kinds]

    def test_kinds(self) -> None:
        """The file holds the kinds tested below and no other."""
        assert len(self.rows("cron", "timespan", "reject", "throws")) == len(VECTORS) == 1870

    def test_cron(self) -> None:
        """Fields expand to the same values, which give the same occurrences."""
        wrong = []
        for row in self.rows("cron"):
            schedule = cron(row["expression"])
            got = schedule.expanded, occurrences(schedule, row["after"], len(row["next"]))
            if got != (row["expanded"], row["next"]) or str(schedule) != row["expression"]:
                wrong.append((row, got))
        assert wrong == []

    def test_timespan(self) -> None:
        """TimeSpans have the same length."""
        rows = self.rows("timespan")
        wrong = [row for row in rows if interval(row["expression"]).seconds != row["seconds"]]
        assert wrong == []

    def test_reject(self) -> None:
        """What the host rejects, or throws on, is a ScheduleError."""
        wrong = [row for row in self.rows("reject", "throws") if not is_rejected(row["expression"])]
        assert wrong == []


class TestFields:
    @pytest.mark.parametrize(
        ("text", "expanded"),
        [
            pytest.param("0 0 6 * * FRI-MON", "0 0 6 * * 1-5", id="reversed-range-swaps-its-ends"),
            pytest.param("0 0 6 * * t,s", "0 0 6 * * 0,2", id="shortest-prefix-first-name-wins"),
            pytest.param("0 0 6 * ju-DecembeR *", "0 0 6 * 6-12 *", id="names-in-any-case"),
            pytest.param("0 */-3 6 * * *", "0 * 6 * * *", id="negative-step-is-one"),
            pytest.param("0 */ +20\t 6 * * *", None, id="space-inside-a-step-splits-the-field"),
            pytest.param("0 */\t+20\n 6 * * *", "0 0,20,40 6 * * *", id="white-space-around-a-number"),
            pytest.param("0 5\t\0\0 6 * * *", "0 5 6 * * *", id="nul-after-a-number"),
            pytest.param("0 5\0\t 6 * * *", None, id="nothing-after-nul"),
            pytest.param("0 */\x1c5 6 * * *", None, id="separator-control-is-no-white-space"),
            pytest.param("0 */\u22125 6 * * *", None, id="minus-sign-is-not-hyphen"),
            pytest.param("0 " + "0" * 6000 + "7 6 * * *", "0 7 6 * * *", id="thousands-of-leading-zeros"),
            pytest.param("0 0/2147483647 6 * * *", "0 0 6 * * *", id="largest-step"),
            pytest.param("0 */2147483648 6 * * *", None, id="step-over-int32"),
            pytest.param("0 */-2147483649 6 * * *", None, id="step-under-int32"),
            pytest.param("0 0 6 2/2147483646 * *", "0 0 6 2 * *", id="counter-just-fits"),
            pytest.param("0 0 6 3/2147483646 * *", None, id="counter-overflows"),
            pytest.param("0 0 6 * 0/2 *", None, id="step-from-below-the-range"),
            pytest.param("0 60/5 6 * * *", None, id="step-from-above-the-range"),
            pytest.param("0 59/5 6 * * *", "0 59 6 * * *", id="step-from-the-last-value"),
            pytest.param("0 0 6 * * THU\0-\0fr", "0 0 6 * * 4-5", id="nul-around-a-name"),
            pytest.param("0 0 6 * * \0", "0 0 6 * * 0", id="nul-alone-is-the-first-name"),
            pytest.param("0 0 6 * * SUND\u00adAY", None, id="invisible-character-in-a-name"),
            pytest.param("0 0 6 * * \u017fUN", None, id="long-s-is-not-s"),
        ],
    )
    def test_grammar(self, text: str, expanded: str | None) -> None:
        """Fields follow NCrontab and int.Parse to the letter."""
        if expanded is None:
            assert is_rejected(text)
        else:
            assert str(cron(text).expanded) == expanded

    def test_values(self) -> None:
        """A schedule holds its values as ascending numbers, and equal texts are equal schedules."""
        schedule = cron("*/30 5 4 3,1 FEB SAT,sun")

        assert (schedule.seconds, schedule.minutes, schedule.hours) == ((0, 30), (5,), (4,))
        assert (schedule.days, schedule.months, schedule.weekdays) == ((1, 3), (2,), (0, 6))
        assert schedule == parse("*/30 5 4 3,1 FEB SAT,sun")

    def test_five_fields(self) -> None:
        """Five fields are minute first, at second 0."""
        schedule = cron("30 6 * * *")

        assert (schedule.seconds, schedule.has_seconds, schedule.expanded) == ((0,), False, "30 6 * * *")


class TestTimeSpans:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("5", 432_000),
            ("-5", -432_000),
            ("+5", None),
            ("- 5", None),
            ("--5", None),
            ("\u2003 5\u3000\x85", 432_000),
            ("\x1c5", None),
            ("5 \t \t \t \t", 432_000),
            ("\uff15", None),
            ("10675199", 10_675_199 * 86_400),
            ("10675200", None),
            ("300000000", None),
            ("0" * 5000 + "1", 86_400),
            ("9" * 5000, None),
            ("0:5", 300),
            ("24:00", None),
            ("5.5", None),
            ("00:59:59", 3_599),
            ("00:00:60", None),
            ("24:00:00", 24 * 86_400),
            ("24:23:59", 24 * 86_400 + 23 * 3600 + 59 * 60),
            ("24:24:00", None),
            ("1.02:03", 93_780),
            ("1:02:03", 3_723),
            ("1:02:03:04", 93_784),
            ("1.02:03:04", 93_784),
            ("1.24:00:00", None),
            ("1.2.3:4", None),
            ("1:02:03:04:05", None),
            ("1:2:3.", None),
            (":1", None),
            ("1:", None),
            ("0:0:.5", 0.5),
            ("0:0:0.5", 0.5),
            ("1.0:0:.5", 86_400.5),
            ("1:0:0:.5", 86_400.5),
            ("1.2:3:4.5", 93_784.5),
            ("1:2:3:4.5", 93_784.5),
            ("0:0:0.1234567", 0.1234567),
            ("0:0:0.12345678", None),
            ("0:0:0.01234567", 0.0123457),
            ("0:0:0.00000005", 0.0000001),
            ("0:0:0.00000004", 0),
            ("0:0:0." + "0" * 5000 + "9", 0),
            ("0:0:0.0268435455", 0.0268435),
            ("0:0:0.0268435456", None),
            ("10675199.02:48:05.4775807", 922_337_203_685.4775807),
            ("10675199.02:48:05.4775808", None),
            ("-10675199.02:48:05.4775808", -922_337_203_685.4775808),
            ("-10675199.02:48:05.4775809", None),
            ("00:05:00\0", None),
            ("P1D", None),
            ("00:05:00 x", None),
            ("", None),
            ("   ", None),
        ],
    )
    def test_grammar(self, text: str, seconds: float | None) -> None:
        """A text that is no cron follows TimeSpan.TryParse: limits, signs, white space, fractions."""
        if seconds is None:
            assert is_rejected(text)
        else:
            assert interval(text).seconds == pytest.approx(seconds, abs=1e-9)
            assert str(parse(text)) == text

    def test_next_after(self) -> None:
        """The host waits the whole interval from the start of a call."""
        assert interval("1.00:00:30").next_after(NEW_YEAR) == NEW_YEAR + timedelta(days=1, seconds=30)

    @pytest.mark.parametrize("text", ["00:00:00", "-00:05:00"])
    def test_without_pause(self, text: str) -> None:
        """Zero and negative intervals come again at once, still strictly after."""
        assert interval(text).next_after(NEW_YEAR) == NEW_YEAR + timedelta(microseconds=1)

    def test_beyond_the_calendar(self) -> None:
        """An interval that ends after the year 9999 has no next occurrence."""
        assert interval("10675199").next_after(NEW_YEAR) is None


class TestOccurrences:
    @pytest.mark.parametrize(
        ("text", "after", "expected"),
        [
            pytest.param("0 0 6 1 * 1", "2026-01-01", ["2026-06-01", "2027-02-01"], id="both-day-fields-match"),
            pytest.param("0 0 6 29 2 *", "2096-02-29T06:00", ["2104-02-29", "2108-02-29"], id="no-leap-day-2100"),
            pytest.param("0 0 6 29 2 1", "2088-03-01", ["2112-02-29", "2140-02-29"], id="leap-day-on-monday"),
            pytest.param("0 0 6 31 * *", "2026-01-31T06:00", ["2026-03-31", "2026-05-31"], id="short-months"),
        ],
    )
    def test_dates(self, text: str, after: str, expected: list[str]) -> None:
        """Dates that are rare are found, however far apart."""
        assert occurrences(cron(text), after, 2) == [f"{day}T06:00:00" for day in expected]

    @pytest.mark.parametrize("text", ["0 0 0 31 2 *", "0 0 0 30,31 FEB *", "0 0 0 31 4,6,9,11 MON"])
    def test_never(self, text: str) -> None:
        """A date the calendar does not have is known at once, not searched for."""
        schedule = cron(text)
        started = time.thread_time()

        assert not schedule.fires
        assert schedule.next_after(NEW_YEAR) is None
        assert schedule.latest_at(NEW_YEAR) is None
        assert time.thread_time() - started < 0.05

    def test_leap_days(self) -> None:
        """29 February on each weekday is found over a whole cycle of the calendar, up to 40 years apart."""
        leap_days = [datetime(y, 2, 29, tzinfo=UTC) for y in range(1996, 2405, 4) if y % 400 == 0 or y % 100]
        for weekday in range(7):
            days = [day for day in leap_days if day.isoweekday() % 7 == weekday]
            schedule = cron(f"0 0 0 29 2 {weekday}")

            assert [schedule.next_after(day) for day in days[:-1]] == days[1:]
            assert [schedule.latest_at(day - timedelta(seconds=1)) for day in days[1:]] == days[:-1]

    def test_strictly_after(self) -> None:
        """The occurrence itself is not its next one, and is its latest; fractions of a second count."""
        schedule, six = cron("0 0 6 * * *"), at("2026-01-01T06:00:00")
        instant = timedelta(microseconds=1)

        assert schedule.next_after(six - instant) == six
        assert schedule.next_after(six) == schedule.next_after(six + instant) == six + timedelta(days=1)
        assert schedule.latest_at(six) == schedule.latest_at(six + instant) == six
        assert schedule.latest_at(six - instant) == six - timedelta(days=1)

    def test_ends_of_the_calendar(self) -> None:
        """Before year 1 and after 9999 there is nothing, and that is no error."""
        schedule = cron("59 59 23 31 12 *")
        start, end = at("0001-01-01"), at("9999-12-31T23:59:59.999999")

        assert (schedule.latest_at(start), schedule.next_after(start)) == (None, at("0001-12-31T23:59:59"))
        assert (schedule.latest_at(end), schedule.next_after(end)) == (at("9999-12-31T23:59:59"), None)

    def test_other_zones(self) -> None:
        """Any aware time is taken; the answer is in UTC."""
        eastern = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=-5)))

        assert cron("0 0 * * * *").next_after(eastern) == at("2026-01-01T07:00:00")

    @pytest.mark.parametrize("text", ["0 0 6 * * *", "00:05:00"])
    def test_naive_time(self, text: str) -> None:
        """A time without a zone is a mistake of the caller."""
        with pytest.raises(ValueError, match="2026-01-01T00:00:00 has no time zone"):
            parse(text).next_after(datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test

    @settings(max_examples=150, deadline=None)
    @given(data=st.data())
    def test_like_a_walk_through_the_calendar(self, data: st.DataObject) -> None:
        """Next and latest occurrence agree with looking at one second after another."""

        def some(low: int, high: int) -> str:
            values = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=4))
            return data.draw(st.sampled_from(["*", ",".join(map(str, values))]))

        text = " ".join(map(some, (0, 0, 0, 1, 1, 0), (59, 59, 23, 31, 12, 6)))
        when = at("2023-01-01") + timedelta(milliseconds=data.draw(st.integers(0, 190_000_000_000)))
        schedule = cron(text)

        assert schedule.next_after(when) == walk(schedule, when, 1)
        assert schedule.latest_at(when) == walk(schedule, when, -1)


def walk(schedule: Cron, when: datetime, step: int) -> datetime | None:
    """Find the occurrence by trying days, then the times of the day: no shared idea with croniter."""
    times = [(h, m, s) for h in schedule.hours for m in schedule.minutes for s in schedule.seconds][::step]
    for distance in range(41 * 366):
        day = when.date() + timedelta(days=distance * step)
        in_month = day.day in schedule.days and day.month in schedule.months
        if not in_month or day.isoweekday() % 7 not in schedule.weekdays:
            continue
        for hour, minute, second in times:
            moment = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)
            if (moment > when) if step > 0 else (moment <= when):
                return moment
    return None


class TestMessages:
    """An error names field, value, allowed range and what to write, and points at the place."""

    @pytest.mark.parametrize(
        "message",
        [
            """\
Hour '24' is out of range: hours go from 0 to 23; write 0 for midnight.
    0 0 24 * * *
        ^^""",
            """\
Day of the week '7' is out of range: days of the week go from 0 to 6; write 0 or SUN for Sunday.
    0 0 6 * * MON,7
                  ^""",
            """\
Minute '75' is out of range: minutes go from 0 to 59; write 59.
    0 0-75/5 6 * * *
        ^^""",
            """\
'?' is not a day of the month; write * for every one, alone or with a step as in */5.
    0 0 6 ? * MON
          ^""",
            """\
'L' is not a day of the month; Azure has no last day and no nearest weekday; write a number from 1 to 31.
    0 0 6 L * *
          ^""",
            """\
'w' is not a day of the month; Azure has no last day and no nearest weekday; write a number from 1 to 31.
    0 0 6 w * *
          ^""",
            """\
'LW' is not a day of the month; Azure has no last day and no nearest weekday; write a number from 1 to 31.
    0 0 6 LW * *
          ^^""",
            """\
'*5' is not a minute; write * for every one, alone or with a step as in */5.
    0 *5 6 * * *
      ^^""",
            """\
'X' is not a minute; write a number from 0 to 59.
    0 X 6 * * *
      ^""",
            """\
'x\N{REPLACEMENT CHARACTER}y' is not a minute; write a number from 0 to 59.
    0 x\N{REPLACEMENT CHARACTER}y 6 * * *
      ^^^""",
            """\
'123456789012345678901234' is not a day of the month; write a number from 1 to 31.
    0 0 6 123456789012345678901234 * *
          ^^^^^^^^^^^^^^^^^^^^^^^^""",
            """\
'123456789012345678901...' is not a day of the month; write a number from 1 to 31.
    0 0 6 1234567890123456789012345 * *
          ^^^^^^^^^^^^^^^^^^^^^^^^^""",
            """\
'FRIDAYS' is not a day of the week; write FRI.
    0 0 6 * * FRIDAYS
              ^^^^^^^""",
            """\
'SOON' is not a month; write a number from 1 to 12 or a name such as FEB.
    0 0 6 * SOON *
            ^^^^""",
            """\
'+5' is not a minute; write a number from 0 to 59 without a sign.
    0 +5 6 * * *
      ^^""",
            """\
'1_0' is not a minute; write a number from 0 to 59.
    0 1_0 6 * * *
      ^^^""",
            """\
A value of the minute field is missing; write a number from 0 to 59.
    0 1,,2 6 * * *
        ^""",
            """\
The step 'x' in the minute field is not a whole number of at most 2147483647; write it as in */5.
    0 */x 6 * * *
        ^""",
            """\
The step 2147483647 in the minute field is more than Azure can count to; write 59 or less.
    0 1/2147483647 6 * * *
        ^^^^^^^^^^""",
            """\
'XMON' is not a day of the week; write a number from 0 to 6 or a name such as MON.
    0 0 6 * * XMON
              ^^^^""",
            """\
'2-3' is not a hour; write a number from 0 to 23.
    0 0 1-2-3 * * *
          ^^^""",
            """\
'@fortnightly' is not known to Azure; write {six}.
    @fortnightly
    ^^^^^^^^^^^^""",
            """\
'@daily' is not known to Azure; write '0 0 0 * * *'.
    @daily
    ^^^^^^""",
            """\
There are 4 fields: six are needed; write {six}.
    * * * *
           ^""",
            """\
There are 7 fields: six are allowed, and no year; write {six}.
    0 0 6 * * * 2026
                ^^^^""",
            """\
There is 1 field: only the space character separates fields; write {six}.
    0\N{REPLACEMENT CHARACTER}0
     ^""",
            """\
'00:60:00' is not a TimeSpan: days go up to 10675199, hours to 23, minutes and seconds to 59; write {six}.
    00:60:00
    ^^^^^^^^""",
        ],
        # Pytest finds no test by an id with a backslash in it, as it would write this character.
        ids=lambda message: message.splitlines()[1].strip().replace("\N{REPLACEMENT CHARACTER}", "TAB"),
    )
    def test_full_text(self, message: str) -> None:
        message = message.replace(
            "{six}",
            "six fields {second} {minute} {hour} {day} {month} {day-of-week}, as in '0 30 6 * * 1-5'",
        )
        text = message.splitlines()[1].strip().replace("\N{REPLACEMENT CHARACTER}", "\t")

        with pytest.raises(ScheduleError) as caught:
            parse(text)

        assert str(caught.value) == message
        assert caught.value.sentence == message.splitlines()[0]

    @pytest.mark.parametrize("before", [0, 7, 300])
    @pytest.mark.parametrize("after", [0, 7, 300])
    def test_the_carets_are_below_the_place_in_a_long_text_too(self, before: int, after: int) -> None:
        with pytest.raises(ScheduleError) as caught:
            parse(f"0 0 0 {'1,' * before}never{',1' * after} * *")

        _, shown, carets = str(caught.value).splitlines()
        start = len(carets) - len(carets.lstrip())
        assert shown[start : len(carets)] == "never"
        assert set(carets[start:]) == {"^"}
        assert len(shown) < 130

    def test_empty(self) -> None:
        """An empty text has a caret too."""
        with pytest.raises(ScheduleError, match="The schedule is empty; write six fields"):
            parse("")

    def test_kind(self) -> None:
        """Callers may catch it as Steward's error or as a ValueError."""
        assert issubclass(ScheduleError, StewardError)
        assert issubclass(ScheduleError, ValueError)


CRON_LIKE = st.text(alphabet="0123456789*/,- \t:.+LMTFS?#@%\0", max_size=60)


class TestAnyText:
    """Whatever the text, the answer is a schedule or a ScheduleError, and soon."""

    @settings(max_examples=300, deadline=None)
    @given(text=st.one_of(st.text(alphabet=st.characters(codec=None), max_size=10_000), CRON_LIKE))
    @example(text="9" * 10_000)
    @example(text="0 0 0 " + "9" * 9_000 + " * *")
    @example(text="0" * 10_000)
    @example(text="*/1," * 2_000 + "*/1 * * * * *")
    @example(text="1,2,3-9/2," * 900 + "1 " + "JAN-DEC," * 100 + "FEB * * *")
    @example(text=" " * 10_000)
    @example(text="\t" * 9_990 + "5")
    @example(text="0:0:0." + "0" * 9_000 + "1")
    @example(text="\0" * 10_000)
    @example(text="0 */" + "\t" * 9_000 + "x * * * *")
    @example(text="0 " + "-" * 9_000 + " * * * *")
    @example(text="\ud800 * * * * *")
    def test_answers(self, text: str) -> None:
        started = time.thread_time()
        try:
            answer = str(parse(text))
            assert answer == text
        except ScheduleError as error:
            answer = str(error)
        assert time.thread_time() - started < 0.05
        assert answer == text or len(answer.encode()) < 900

    @settings(max_examples=100, deadline=None)
    @given(data=st.data())
    def test_expanded_is_a_fixed_point(self, data: st.DataObject) -> None:
        """The expanded form means the same as the text, and expands to itself."""
        rows = [row["expression"] for row in VECTORS if row["kind"] == "cron"]
        schedule = cron(data.draw(st.sampled_from(rows)))
        again = cron(schedule.expanded)

        assert again.expanded == schedule.expanded
        assert occurrences(again, "2026-01-01", 3) == occurrences(schedule, "2026-01-01", 3)


def test_occurrences_ascend() -> None:
    """Successive occurrences ascend without repeating one."""
    found = occurrences(cron("*/7 */13 * 28-31 * *"), "2028-02-28", 200)

    assert all(earlier < later for earlier, later in pairwise(found))
