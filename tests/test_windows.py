"""Windows: the hours in UTC in which something may be deleted, over midnight too."""

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from shared_code.windows import Window


def at(clock: str, offset: float = 0) -> datetime:
    """That time of a day, on clocks so many hours ahead of UTC."""
    moment = datetime.combine(datetime(2026, 11, 22, tzinfo=UTC), time.fromisoformat(clock))
    return moment.replace(tzinfo=timezone(timedelta(hours=offset)))


@pytest.mark.parametrize(
    ("window", "moment", "expected"),
    [
        ("08:00-17:00", at("07:59:59.999999"), False),
        ("08:00-17:00", at("08:00"), True),
        ("08:00-17:00", at("16:59:59.999999"), True),
        ("08:00-17:00", at("17:00"), False),
        ("08:00-17:00", at("00:00"), False),
        ("22:00-06:00", at("21:59:59"), False),
        ("22:00-06:00", at("22:00"), True),
        ("22:00-06:00", at("23:59:59.999999"), True),
        ("22:00-06:00", at("00:00"), True),
        ("22:00-06:00", at("05:59"), True),
        ("22:00-06:00", at("06:00"), False),
        ("22:00-06:00", at("12:00"), False),
        ("00:00-06:00", at("00:00"), True),
        ("00:00-06:00", at("23:59"), False),
        ("22:00-00:00", at("23:59:59"), True),
        ("22:00-00:00", at("00:00"), False),
        ("00:00-23:59", at("23:58"), True),
        ("00:00-23:59", at("23:59"), False),
        ("23:59-00:00", at("23:59:30"), True),
    ],
)
def test_it_opens_with_its_first_minute_and_closes_before_its_last(
    window: str, moment: datetime, expected: bool
) -> None:
    assert Window.parse(window).is_open(moment) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at("23:30", 2), False),
        (at("00:00", 2), True),
        (at("07:59", 2), True),
        (at("08:00", 2), False),
        (at("17:00", -5), True),
        (at("16:59", -5), False),
        (at("03:30", 5.5), True),
    ],
)
def test_it_is_in_utc_wherever_the_clock_stands(moment: datetime, expected: bool) -> None:
    assert Window.parse("22:00-06:00").is_open(moment) is expected


CLOCKS = some.times().map(lambda each: f"{each:%H:%M}")
MOMENTS = some.datetimes(
    timezones=some.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001  # hypothesis takes bounds without a zone
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001
)


@given(begins=CLOCKS, ends=CLOCKS, moment=MOMENTS)
def test_either_a_window_or_its_complement_is_open(begins: str, ends: str, moment: datetime) -> None:
    assume(begins != ends)

    assert Window.parse(f"{begins}-{ends}").is_open(moment) is not Window.parse(f"{ends}-{begins}").is_open(moment)


@given(begins=CLOCKS, ends=CLOCKS, moment=MOMENTS)
def test_a_window_is_the_same_every_day_and_on_every_clock(begins: str, ends: str, moment: datetime) -> None:
    assume(begins != ends)
    window = Window.parse(f"{begins}-{ends}")

    assert window.is_open(moment) is window.is_open(moment + timedelta(days=1))
    assert window.is_open(moment) is window.is_open(moment.astimezone(UTC))


@given(begins=CLOCKS, ends=CLOCKS)
def test_a_window_prints_itself_back(begins: str, ends: str) -> None:
    assume(begins != ends)
    window = Window.parse(f"{begins}-{ends}")

    assert str(window) == f"{begins}-{ends}"
    assert Window.parse(str(window)) == window
    assert hash(Window.parse(str(window))) == hash(window)
    assert window not in (Window.parse(f"{ends}-{begins}"), str(window))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22:00",
        "22:00-22:00",
        "24:00-06:00",
        "22:60-06:00",
        "22-06",
        "2:00-6:00",
        "22:00 - 06:00",
        "22:00-06:00 ",
        "22:00-06:00\n",
        "22:00-06:00 CET",
        "22:00\u201306:00",
        "٢٢:00-06:00",
        "10pm-6am",
        22,
        None,
        ["22:00-06:00"],
    ],
)
def test_anything_else_is_refused_with_what_to_write(text: object) -> None:
    with pytest.raises(ValueError, match="is no window; write two different times in UTC such as '22:00-06:00'") as no:
        Window.parse(text)

    assert str(no.value).startswith(f"'{text}' ")


def test_a_long_text_is_cut() -> None:
    with pytest.raises(ValueError, match=f"^'{'x' * 40}' is no window"):
        Window.parse("x" * 41)
