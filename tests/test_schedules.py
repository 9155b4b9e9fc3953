"""Schedules: what Azure reads, less what surprises, and the occurrence that a timer call is for."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared_code.ncrontab import parse
from shared_code.schedules import AzureVerdict, Reading, Schedule, check, judge
from tests.fakes import NOW

ANY = "six NCRONTAB fields, such as '0 0 6 * * *' for every day at 06:00"


UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
PIECES = ("*", "*/", "0 ", "7", "-", ",", " ", "%A%", "MON", "T", "24:00:00", "?", "\0", "\u202e", "\x1b[31m", "\ud800")


def hostile() -> some.SearchStrategy[str]:
    """Texts up to 10,000 characters, many of them almost a schedule."""
    anything = some.text(some.characters(codec=None, exclude_categories=()))
    fields = some.lists(some.sampled_from(["*", "0", "5-1", "*/7", "31", "T", "%A%", "1,2", "2/0", "\t5"]), max_size=7)
    pieces = some.lists(some.sampled_from(PIECES), max_size=30).map("".join)
    long = some.tuples(some.sampled_from(PIECES), some.integers(1, 10_000)).map(
        lambda made: (made[0] * made[1])[:10_000]
    )
    return anything | pieces | long | fields.map(" ".join)


def checked(text: str, **environ: str) -> Schedule:
    schedule = check(text, environ)
    assert isinstance(schedule, Schedule), schedule
    return schedule


def refused(text: str, **environ: str) -> str:
    sentence = check(text, environ)
    assert isinstance(sentence, str)
    return sentence


class TestSettings:
    """`%NAME%` reads an app setting, as the Functions host does."""

    @pytest.mark.parametrize(
        ("text", "environ", "resolved"),
        [
            ("0 0 5 * * *", {}, "0 0 5 * * *"),
            ("%WHEN%", {"WHEN": "0 0 5 * * *"}, "0 0 5 * * *"),
            ("%when%", {"WHEN": "0 0 5 * * *"}, "0 0 5 * * *"),
            ("0 %M% %H% * * *", {"M": "30", "H": "5"}, "0 30 5 * * *"),
            ("0 %M%%M% 5 * * *", {"M": "3"}, "0 33 5 * * *"),
        ],
        ids=["none", "whole", "case", "parts", "adjacent"],
    )
    def test_are_filled_in(self, text: str, environ: dict[str, str], resolved: str) -> None:
        schedule = checked(text, **environ)

        assert (schedule.text, schedule.resolved) == (text, resolved)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("%WHEN%", "'%WHEN%' names no app setting; add the setting WHEN to the app\n    %WHEN%\n    ^^^^^^"),
            ("%%", "'%%' names no app setting; add the setting NAME to the app\n    %%\n    ^^"),
            (
                "0 5% * * * *",
                "a % has no partner; write %NAME% to read the app setting NAME\n    0 5% * * * *\n       ^",
            ),
        ],
        ids=["unset", "nameless", "alone"],
    )
    def test_that_are_missing_are_named(self, text: str, expected: str) -> None:
        assert refused(text) == expected

    @pytest.mark.parametrize("secret", ["AccountName=a;AccountKey=c2VjcmV0", "https://u:c2VjcmV0@h/", "?sig=c2VjcmV0"])
    def test_that_hold_no_schedule_are_not_shown(self, secret: str) -> None:
        """Whoever writes %AzureWebJobsStorage% does not find its key in the log."""
        sentence = refused("%CONNECTION%", CONNECTION=secret)

        assert sentence == (
            "the app setting in '%CONNECTION%' holds no schedule; its value is not shown, as it may be a secret"
        )

    def test_a_filled_in_value_is_not_filled_in_again(self) -> None:
        assert "%B%" in refused("%A%", A="%B%", B="0 0 5 * * *")


class TestRefused:
    """What the host accepts and the platform or common sense does not is refused, with the text to write."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "30 5 * * *",
                "'30 5 * * *' has five fields, which stop firing when the app scales; write '0 30 5 * * *'",
            ),
            (
                "  30  5 * * 1-5 ",
                "'  30  5 * * 1-5 ' has five fields, which stop firing when the app scales; write '0 30  5 * * 1-5'",
            ),
            ("00:00:30", "'00:00:30' is a TimeSpan, every 30 seconds, which drifts; write '*/30 * * * * *'"),
            ("00:05:00", "'00:05:00' is a TimeSpan, every 5 minutes, which drifts; write '0 */5 * * * *'"),
            ("01:00:00", "'01:00:00' is a TimeSpan, every 1 hour, which drifts; write '0 0 * * * *'"),
            ("06:00:00", "'06:00:00' is a TimeSpan, every 6 hours, which drifts; write '0 0 */6 * * *'"),
            ("1.00:00:00", "'1.00:00:00' is a TimeSpan, every 1 day, which drifts; write '0 0 0 * * *'"),
            (
                "24:00:00",
                "'24:00:00' is a TimeSpan, every 24 days, which drifts; write " + ANY,
            ),
            (
                "01:30:05",
                "'01:30:05' is a TimeSpan, every 1 hour 30 minutes 5 seconds, which drifts; write " + ANY,
            ),
            (
                "00:00:00",
                "'00:00:00' is a TimeSpan, every instant, which drifts; write " + ANY,
            ),
            (
                "0 0 0 31 2 *",
                "'0 0 0 31 2 *' never fires: there is no day 31 in February; write '0 0 0 28 2 *'",
            ),
            (
                "0 0 0 31 4,6,9,11 *",
                (
                    "'0 0 0 31 4,6,9,11 *' never fires: there is no day 31 in April, June, September or November; "
                    "write '0 0 0 30 4,6,9,11 *'"
                ),
            ),
            (
                "0 0 0 31/1 FEB,Apr MON",
                (
                    "'0 0 0 31/1 FEB,Apr MON' never fires: there is no day 31 in February or April; "
                    "write '0 0 0 28 FEB,Apr MON'"
                ),
            ),
            (
                "0 0 31 2 *",
                "'0 0 31 2 *' never fires: there is no day 31 in February; write '0 0 0 28 2 *'",
            ),
            (
                "*/\t5 6 * * *",
                (
                    "'*/ 5 6 * * *' has five fields, which stop firing when the app scales; "
                    "write '0 0,5,10,15,20,25,30,35,40,45,50,55 6 * * *'"
                ),
            ),
            (
                "0 0 */\t6 31 2 *",
                "'0 0 */ 6 31 2 *' never fires: there is no day 31 in February; write '0 0 0,6,12,18 28 2 *'",
            ),
        ],
    )
    def test_with_the_text_to_write(self, text: str, expected: str) -> None:
        assert refused(text) == expected
        judged = judge(text, {}).steward
        assert judged.write == (None if ANY in expected else expected.rpartition("write '")[2].removesuffix("'"))

    @pytest.mark.parametrize("text", ["", "never", "0 0 25 * * *", "0 0 5 * * MON,", "* * * *", "0 0 5 * * * *"])
    def test_what_the_host_rejects_is_shown_with_a_caret(self, text: str) -> None:
        sentence, shown, caret = refused(text).split("\n")

        assert sentence.endswith(".")
        assert shown == f"    {text}"
        assert caret.strip("^ ") == ""

    @pytest.mark.parametrize("every", ["00:00:10", "00:02:00", "00:20:00", "04:00:00", "01:00:00", "1.00:00:00"])
    def test_the_text_to_write_instead_of_a_time_span_fires_as_often(self, every: str) -> None:
        interval = parse(every)
        schedule = checked(refused(every).rpartition("write ")[2].strip("'"))

        first, second, third = schedule.upcoming(NOW, 3)
        assert second - first == third - second == (interval.next_after(NOW) or NOW) - NOW

    @given(text=some.text() | some.text("0123456789*/,-%: ").map(str.strip))
    def test_any_text_is_a_schedule_of_six_fields_or_one_sentence(self, text: str) -> None:
        schedule = check(text, {})

        assert schedule
        if isinstance(schedule, Schedule):
            assert schedule.cron.has_seconds
            assert schedule.upcoming(datetime(2026, 1, 1, tzinfo=UTC), 1)

    @pytest.mark.parametrize(
        ("text", "write"),
        [
            ("0 0 6 * * 7", "0 0 6 * * 0"),
            ("0 0 6 * * 5-7", "0 0 6 * * 5,6,0"),
            ("0 0 6 * * 1-7", "0 0 6 * * *"),
            ("0 0 24 * * *", "0 0 0 * * *"),
            ("0 0 6 ? * MON-FRI", "0 0 6 * * MON-FRI"),
            ("0 0 6 * * ? *", "0 0 6 * * *"),
            ("0\t0\t6 * * *\n", "0 0 6 * * *"),
            ("30 6 * * 7", "0 30 6 * * 0"),
        ],
    )
    def test_what_other_crons_accept_is_written_anew(self, text: str, write: str) -> None:
        """The whole corrected text is there to paste, and is accepted."""
        judged = judge(text, {})

        assert judged.steward.write == write
        assert f" The whole: '{write}'." in refused(text).split("\n")[0]
        assert judge(write, {}).steward.accepted

    @pytest.mark.parametrize("text", ["never", "0 0 6 L * *", "0 0 25 * * *", "@daily", "0 0\0 6 ? * *", "?" * 500])
    def test_what_can_only_be_guessed_is_not(self, text: str) -> None:
        assert judge(text, {}).steward.write is None

    @settings(deadline=None)
    @given(text=hostile())
    def test_the_text_to_paste_is_accepted(self, text: str) -> None:
        """Whatever is refused, and even where the original cannot be shown."""
        write = judge(text, {}).steward.write

        assert write is None or judge(write, {}).steward.accepted

    def test_more_than_is_read(self) -> None:
        """Also where settings make it so long."""
        sentence = "the schedule has 10,001 characters, of which 10,000 are read; write " + ANY

        assert refused("0" * 10_001) == sentence
        assert refused("%A%%A%1", A="0" * 5000) == sentence


class TestJudgement:
    """Azure's verdict and Steward's."""

    @pytest.mark.parametrize(
        ("text", "azure", "steward"),
        [
            ("0 30 6 * * MON-FRI", AzureVerdict(accepted=True, reads_as=Reading.CRON, expanded="0 30 6 * * 1-5"), True),
            ("30 6 * * *", AzureVerdict(accepted=True, reads_as=Reading.CRON, expanded="30 6 * * *"), False),
            ("0 0 0 31 2 *", AzureVerdict(accepted=True, reads_as=Reading.CRON, expanded="0 0 0 31 2 *"), False),
            ("00:05:00", AzureVerdict(accepted=True, reads_as=Reading.TIMESPAN), False),
        ],
        ids=["six", "five", "never", "timespan"],
    )
    def test_of_what_azure_accepts(self, text: str, azure: AzureVerdict, steward: bool) -> None:
        judged = judge(text, {})

        assert (judged.azure, judged.steward.accepted) == (azure, steward)
        assert judged.words
        assert (judged.schedule is not None) is steward
        assert (judged.steward.reason is None) is steward

    def test_of_what_azure_rejects(self) -> None:
        judged = judge("0 0 25 * * *", {})

        assert not judged.azure.accepted
        assert judged.azure.reason
        assert judged.azure.reason.startswith("Hour '25' is out of range: hours go from 0 to 23; write 23.\n")
        assert (judged.words, judged.warnings, judged.schedule) == (None, (), None)

    def test_words_and_warnings_are_those_of_the_schedule(self) -> None:
        schedule = checked("%WHEN%", WHEN="0 0 6 * * FRI-MON")

        assert schedule.words == "At 06:00, Monday through Friday (UTC)."
        assert [warning.split(" ", 1)[0] for warning in schedule.warnings] == ["'FRI-MON'"]


class TestTimezone:
    """The zone by whose clocks a schedule is meant."""

    @pytest.mark.parametrize("text", ["Asia/Tokyo", "%ZONE%", "Asia/%CITY%"])
    def test_is_that_of_the_schedule(self, text: str) -> None:
        judged = judge("0 0 6 * * *", {"ZONE": "Asia/Tokyo", "CITY": "Tokyo"}, text)

        assert judged.schedule
        assert (judged.schedule.timezone, judged.timezone, judged.steward.accepted) == (
            "Asia/Tokyo",
            "Asia/Tokyo",
            True,
        )
        assert judged.words == "At 06:00, every day (Asia/Tokyo)."
        local = judged.schedule.local_times(NOW, judged.schedule.upcoming(NOW, 1))
        assert local

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("asia/tokyo", "'asia/tokyo' is no time zone; did you mean 'Asia/Tokyo'"),
            ("%NONE%", "'%NONE%' names no app setting; add the setting NONE to the app"),
            (
                "%SECRET%",
                (
                    "the app setting in '%SECRET%' names no time zone; its value is not shown, as it may be a secret; "
                    "write an IANA name such as Europe/Berlin"
                ),
            ),
            ("T\ud800", "'T?' is no time zone; write an IANA name such as Europe/Berlin"),
        ],
    )
    def test_that_there_is_not_is_refused(self, text: str, reason: str) -> None:
        judged = judge("0 0 6 * * *", {"SECRET": "hunter2"}, text)

        assert (judged.schedule, judged.azure.accepted, judged.steward.accepted) == (None, True, False)
        assert judged.steward.reason == reason
        assert judged.timezone == text.replace("\ud800", "?")

    def test_does_not_hide_what_is_wrong_with_the_schedule(self) -> None:
        for zone in ("Asia/Tokyo", "Nowhere"):
            assert judge("0 6 * * *", {}, zone).steward == judge("0 6 * * *", {}).steward
            assert judge("0 6 * * *", {}, zone).schedule is None

    def test_without_one_there_are_no_local_times(self) -> None:
        assert checked("0 0 6 * * *").local_times(NOW, [NOW]) is None


@settings(deadline=None)
@given(text=hostile(), value=hostile())
def test_any_text_is_answered(text: str, value: str) -> None:
    """Up to 10,000 characters, with any setting: two verdicts that agree, and nothing that drives a terminal."""
    judged = judge(text, {"A": value})

    assert judged.azure.accepted or not judged.steward.accepted
    assert judged.steward.accepted is (judged.steward.reason is None) is (judged.schedule is not None)
    assert (judged.words is not None) is judged.azure.accepted
    for line in [*(judged.steward.reason or "").split("\n"), judged.words or "", *judged.warnings]:
        assert not UNSAFE.search(line), line
        assert len(line) < 900


class TestUpcoming:
    def test_is_strictly_after(self) -> None:
        coming = checked("0 0 6 * * *").upcoming(NOW, 2)

        assert coming == [NOW + timedelta(days=1), NOW + timedelta(days=2)]

    def test_is_shorter_when_the_calendar_ends(self) -> None:
        assert checked("0 0 0 1 1 *").upcoming(datetime(9998, 6, 1, tzinfo=UTC), 3) == [
            datetime(9999, 1, 1, tzinfo=UTC)
        ]
