"""Moments are UTC, and unknown rather than guessed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.times import duration_text, from_azure, text_of

AWARE = some.datetimes(timezones=some.just(UTC))


class TestTextOf:
    def test_writes_utc_with_z_to_the_second(self) -> None:
        east = timezone(timedelta(hours=2))

        assert text_of(datetime(2026, 11, 22, 8, 0, 1, 999_999, tzinfo=east)) == "2026-11-22T06:00:01Z"

    def test_a_year_has_four_digits(self) -> None:
        """Azure writes the year 1 where it knows no time."""
        assert text_of(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00Z"

    def test_refuses_a_naive_moment(self) -> None:
        with pytest.raises(ValueError, match="a moment without a time zone cannot be written as UTC"):
            text_of(datetime(2026, 11, 22))  # noqa: DTZ001  # the fault under test

    @given(moment=AWARE)
    def test_what_is_written_is_read_again(self, moment: datetime) -> None:
        assert from_azure(text_of(moment)) == moment.replace(microsecond=0)


class TestFromAzure:
    """Every spelling seen in Azure's answers is read; what is no certain moment is None."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-05-12T15:46:05.1234567Z", "2026-05-12T15:46:05.123456+00:00"),
            ("2026-05-12T15:46:05.123456+00:00", "2026-05-12T15:46:05.123456+00:00"),
            ("2026-05-12T08:46:05.123-07:00", "2026-05-12T15:46:05.123000+00:00"),
            ("2026-05-12T23:46:05+08:00", "2026-05-12T15:46:05+00:00"),
            ("2026-05-12T15:46:05Z", "2026-05-12T15:46:05+00:00"),
            ("2026-05-12T15:46:05.1234567", "2026-05-12T15:46:05.123456+00:00"),
            (" 2026-05-12T15:46:05Z ", "2026-05-12T15:46:05+00:00"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999+00:00"),
        ],
        ids=["seven", "six", "three", "offset", "none", "no-zone", "blanks", "first", "last"],
    )
    def test_reads(self, text: str, expected: str) -> None:
        moment = from_azure(text)

        assert moment is not None
        assert moment.isoformat() == expected

    @pytest.mark.parametrize(
        "text",
        [
            None,
            "",
            " ",
            "2026-05-12",
            "20260512",
            "10/19/2019 1:59:57 PM",
            "tomorrow",
            "2026-02-30T00:00:00Z",
            "0001-01-01T00:00:00+05:00",
            "\0",
        ],
        ids=["none", "empty", "blank", "date", "basic-date", "us", "word", "no-such-day", "before-the-first", "nul"],
    )
    def test_leaves_unknown(self, text: str | None) -> None:
        assert from_azure(text) is None

    @given(text=some.text())
    def test_never_raises(self, text: str) -> None:
        moment = from_azure(text)

        assert moment is None or moment.utcoffset() == timedelta()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0.0 s"),
        (0.84, "0.8 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_a_duration_is_written_in_its_two_largest_units(seconds: float, expected: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == expected
