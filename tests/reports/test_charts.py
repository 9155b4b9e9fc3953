"""Charts: what they show is also said, and nothing in them is markup of others."""

import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some

from shared_code.reports.charts import Point, numbers, trend
from tests.fakes import NOW
from tests.reports.test_page import FOREIGN, Outline

DAY = timedelta(days=1)
PERCENTAGES = some.floats(0, 100).map(lambda percent: round(percent, 1))
POINTS = some.lists(some.tuples(some.integers(0, 400), some.none() | PERCENTAGES, some.booleans()), max_size=12)


def points(*percentages: float | None) -> list[Point]:
    return [Point(NOW + day * DAY, percent) for day, percent in enumerate(percentages)]


@given(days=POINTS)
def test_every_percentage_is_a_point_within_the_picture(days: list[tuple[int, float | None, bool]]) -> None:
    """Times and values of any spread, and several at once."""
    given_points = [Point(NOW + day * DAY, percent, whole) for day, percent, whole in sorted(days, key=lambda d: d[0])]

    drawn = trend(given_points, "Compliance")

    judged = [point for point in given_points if point.value is not None]
    assert drawn.count("<circle") == len(judged)
    assert drawn.count('class="incomplete"') == sum(not point.whole for point in judged)
    for across, down in re.findall(r'cx="(.*?)" cy="(.*?)"', drawn):
        assert 0 <= float(across) <= 640
        assert 0 <= float(down) <= 180


def test_there_is_no_chart_of_nothing() -> None:
    assert trend([], "Compliance") == trend(points(None, None), "Compliance") == ""


def test_a_gap_is_not_bridged() -> None:
    """Between two runs of which one had nothing to judge, nothing is claimed."""
    assert trend(points(90, 91, None, 92), "Compliance").count("<polyline") == 2


def test_the_same_is_said_in_words() -> None:
    shown = trend([*points(91.5, 88.0, 95.0), Point(NOW + 3 * DAY, 93.0, whole=False)], "Compliance")

    assert Outline(shown).texts[:2] == [
        "Compliance",
        (
            "4 runs. First: 2026-11-22T06:00:00Z: 91.5 %. Last: 2026-11-25T06:00:00Z: 93 %, of what could be read. "
            "Lowest: 2026-11-23T06:00:00Z: 88 %. Highest: 2026-11-24T06:00:00Z: 95 %."
        ),
    ]
    assert 'role="img" aria-labelledby="trend-name trend-words"' in shown


def test_higher_is_better_compliance() -> None:
    low, high = re.findall(r'cy="(.*?)"', trend(points(50, 100), "Compliance"))

    assert float(high) < float(low)


@given(name=FOREIGN)
def test_a_name_never_becomes_markup(name: str) -> None:
    assert Outline(trend(points(90), name)).markup == Outline(trend(points(90), "x")).markup


def test_nothing_in_it_needs_the_policy_of_the_page_to_be_wider() -> None:
    drawn = trend(points(90, 91), "Compliance")

    assert not re.search(r"\bstyle=|\bon\w+=|href|url\(|<script|<style", drawn)


@given(values=some.lists(some.integers(0, 10**12), min_size=1, max_size=12))
def test_numbers_of_things_are_drawn_from_zero(values: list[int]) -> None:
    """However many there are, each is within the picture, and none lies below what is less."""
    drawn = numbers([Point(NOW + day * DAY, value) for day, value in enumerate(values)], "Resources", "resources")

    heights = [float(down) for down in re.findall(r'cy="(.*?)"', drawn)]
    assert len(heights) == len(values)
    assert all(0 <= down <= 180 for down in heights)
    pairs = sorted(zip(values, heights, strict=True))
    assert [down for _, down in pairs] == sorted((down for _, down in pairs), reverse=True)


def test_several_charts_fit_on_one_page() -> None:
    """Each has ids of its own, and says its numbers as people write them."""
    shown = numbers([Point(NOW, 1234567)], "Resources", "resources")

    assert 'aria-labelledby="resources-name resources-words"' in shown
    said = "2026-11-22T06:00:00Z: 1,234,567"
    assert Outline(shown).texts[1] == f"1 run. First: {said}. Last: {said}. Lowest: {said}. Highest: {said}."
