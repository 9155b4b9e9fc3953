"""Durations as operators write them."""

from datetime import timedelta

import pytest

from shared_code.durations import Duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("60m", timedelta(hours=1)),
        ("6h", timedelta(hours=6)),
        ("14d", timedelta(days=14)),
        ("2w", timedelta(days=14)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    """And prints itself back."""
    assert Duration.parse(text).length == length
    assert str(Duration.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "0d", "1", "d", "-1d", "1.5h", "1 d", "1D", "1y", "٣d", "9999999d", "1d\n", 5, None]
)
def test_anything_else_is_refused_with_an_example(text: object) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=r"is no duration; write a whole number and a unit in quotes, such as '90s'"):
        Duration.parse(text)
