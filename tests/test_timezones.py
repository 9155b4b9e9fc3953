"""Time zones: names, the pinned rules, and where the clocks change by them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import tzdata  # type: ignore[import-untyped]  # it holds nothing but data and its own version

from shared_code import timezones
from shared_code.timezones import Change, changes, next_change, offset_at, offsets_ahead, problem_of, zone_of

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/berlin", "did you mean 'Europe/Berlin'"),
        ("Europe/Berln", "did you mean 'Europe/Berlin'"),
        ("Berlin", "did you mean 'Europe/Berlin'"),
        ("New York", "did you mean 'America/New_York'"),
        (" Asia/Kolkata ", "did you mean 'Asia/Kolkata'"),
        ("utc", "did you mean 'UTC'"),
        ("W. Europe Standard Time", "write an IANA name such as Europe/Berlin"),
        ("", "write an IANA name such as Europe/Berlin"),
        ("../../etc/passwd", "write an IANA name such as Europe/Berlin"),
        ("/", "write an IANA name such as Europe/Berlin"),
        ("Factory", "write an IANA name such as Europe/Berlin"),
        ("\x00\x1b[31m", "write an IANA name such as Europe/Berlin"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest(name: str, hint: str) -> None:
    problem = problem_of(name)

    assert problem is not None
    assert problem.endswith(hint)
    assert problem.isprintable()
    with pytest.raises(ValueError, match="there is no time zone"):
        zone_of(name)


def test_a_long_name_is_cut() -> None:
    assert len(problem_of("x" * 100_000) or "") < 200


def test_every_name_is_a_zone() -> None:
    """And its timers cover what the clocks will show in the coming years."""
    year = int(tzdata.IANA_VERSION[:4])
    assert len(timezones.names()) > 400
    for name in sorted(timezones.names()):
        assert problem_of(name) is None
        months = [datetime(year + ahead, month, 15, 12, tzinfo=UTC) for ahead in (1, 9) for month in (1, 3, 7, 10)]
        assert {offset_at(name, at) for at in months} <= offsets_ahead(name), name


def test_the_rules_are_the_pinned_ones() -> None:
    """Not those of the machine, which may be older or missing."""
    assert zone_of("Europe/Berlin") is zone_of("Europe/Berlin")
    assert zone_of("Europe/Berlin") is not ZoneInfo("Europe/Berlin")
    assert zone_of("Europe/Berlin").key == "Europe/Berlin"


def test_changes_are_exact() -> None:
    """To the second, in order, and at either end of a year too."""
    assert changes("Europe/Berlin", 2027) == (
        Change(datetime(2027, 3, 28, 1, tzinfo=UTC), HOUR, 2 * HOUR),
        Change(datetime(2027, 10, 31, 1, tzinfo=UTC), 2 * HOUR, HOUR),
    )
    assert changes("Africa/Monrovia", 1972) == (
        Change(datetime(1972, 1, 7, 0, 44, 30, tzinfo=UTC), -timedelta(minutes=44, seconds=30), timedelta()),
    )
    assert [change.shift for change in changes("Australia/Lord_Howe", 2027)] == [-HOUR / 2, HOUR / 2]
    assert changes("Asia/Kolkata", 2027) == ()
    (apia,) = [change for change in changes("Pacific/Apia", 2011) if change.shift == timedelta(days=1)]
    assert apia.at == datetime(2011, 12, 30, 10, tzinfo=UTC)


def test_a_change_in_the_first_second_of_a_year_is_of_that_year() -> None:
    """Singapore's came with its own midnight, which was in 1981 by UTC; Lisbon's with that of UTC."""
    assert [change.at for change in changes("Asia/Singapore", 1981)] == [datetime(1981, 12, 31, 16, tzinfo=UTC)]
    assert changes("Asia/Singapore", 1982) == ()
    assert [change.at for change in changes("Europe/Lisbon", 1912)] == [datetime(1912, 1, 1, tzinfo=UTC)]
    assert changes("Europe/Lisbon", 1911) == ()


def test_the_next_change() -> None:
    spring, autumn = changes("Europe/Berlin", 2027)

    assert next_change("Europe/Berlin", spring.at - timedelta(seconds=1)) == spring
    assert next_change("Europe/Berlin", spring.at) == autumn
    assert next_change("Europe/Berlin", datetime(2026, 12, 31, tzinfo=UTC)) == spring
    assert next_change("UTC", spring.at) is None
    assert next_change("Europe/Berlin", datetime(9999, 1, 1, tzinfo=UTC)) is None
