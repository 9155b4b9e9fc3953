"""Schedules: what Azure reads, less what surprises, and the occurrence that a timer call is for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.ncrontab import Cron, parse
from shared_code.schedules import Schedule, check
from tests.fakes import NOW

ANY = "six NCRONTAB fields, such as '0 0 6 * * *' for every day at 06:00"


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
                "'0 0 0 31 2 *' names a date that never comes; correct the day or the month",
            ),
            (
                "0 0 0 31 4,6,9,11 *",
                "'0 0 0 31 4,6,9,11 *' names a date that never comes; correct the day or the month",
            ),
        ],
    )
    def test_with_the_text_to_write(self, text: str, expected: str) -> None:
        assert refused(text) == expected

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


class TestUpcoming:
    def test_is_strictly_after(self) -> None:
        coming = checked("0 0 6 * * *").upcoming(NOW, 2)

        assert coming == [NOW + timedelta(days=1), NOW + timedelta(days=2)]

    def test_is_shorter_when_the_calendar_ends(self) -> None:
        assert checked("0 0 0 1 1 *").upcoming(datetime(9998, 6, 1, tzinfo=UTC), 3) == [
            datetime(9999, 1, 1, tzinfo=UTC)
        ]


def cron(text: str) -> Cron:
    parsed = parse(text)
    assert isinstance(parsed, Cron)
    return parsed
