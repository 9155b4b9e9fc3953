"""How far this machine's clock is off by Azure's, and when that is too far."""

from datetime import datetime, timedelta

import pytest

from shared_code.azure_clock import FAILS_AFTER, AzureClock, difference, words_of
from shared_code.errors import AzureError
from tests.fakes import NOW, Clock

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("before", "after", "told", "off"),
    [
        (NOW, NOW, NOW, 0),
        (NOW, NOW + 9 * SECOND, NOW + 4 * SECOND, 0),
        (NOW + 0.9 * SECOND, NOW + SECOND, NOW, 0),
        (NOW, NOW + SECOND, NOW + 61 * SECOND, -60),
        (NOW, NOW + 9 * SECOND, NOW - 61 * SECOND, 60),
        (NOW, NOW, NOW + timedelta(days=9), -9 * 86400),
    ],
    ids=["same", "slow answer", "fraction", "behind", "ahead", "days"],
)
def test_the_difference_is_what_nothing_else_explains(
    before: datetime, after: datetime, told: datetime, off: float
) -> None:
    """Neither the way there and back nor the seconds that the header leaves out."""
    assert difference(before, after, told) == timedelta(seconds=off)


def test_words() -> None:
    assert [words_of(each * SECOND) for each in (0, 61, -4000)] == ["right", "61 s ahead", "4,000 s behind"]


def test_the_limit_is_what_a_lock_bears() -> None:
    """Its 90 seconds, and the 60 that a takeover waits."""
    assert timedelta(seconds=150) == FAILS_AFTER


@pytest.mark.parametrize("off", [-151, 152])
def test_who_is_far_off_is_refused(off: int) -> None:
    clock = Clock()
    judge = AzureClock(clock)
    judge.check()

    judge.told((NOW - off * SECOND).strftime("%a, %d %b %Y %H:%M:%S GMT"))

    with pytest.raises(AzureError, match=r"^this machine's clock is 151 s (ahead|behind) by Azure's, so nobody"):
        judge.check()


@pytest.mark.parametrize("off", [-150, 151])
def test_who_is_nearly_right_is_not(off: int) -> None:
    judge = AzureClock(Clock())

    judge.told((NOW - off * SECOND).strftime("%a, %d %b %Y %H:%M:%S GMT"))

    judge.check()


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Nov 2026 99:00:00 GMT"])
def test_no_date_says_nothing(date: str | None) -> None:
    """What was told before holds."""
    judge = AzureClock(Clock())
    judge.told("Sun, 22 Nov 2026 05:00:00 GMT")

    judge.told(date)

    with pytest.raises(AzureError, match="3,599 s ahead"):
        judge.check()
