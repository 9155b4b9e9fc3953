"""Charts as SVG to be put into a page: shapes and numbers, and the same in words for those who do not see them."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from typing import NamedTuple

from shared_code.times import text_of

_WIDTH, _HEIGHT = 640, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 10, 24


class Point(NamedTuple):
    """A percentage at a time, None where there was nothing to judge; `whole` is False where not all could be read."""

    at: datetime
    percent: float | None
    whole: bool = True


def trend(points: Sequence[Point], name: str) -> str:
    """Draw percentages over time; the empty text where there is none to draw.

    Args:
        points: in the order of time; a line joins those between which none is missing.
        name: what they are the percentage of, in words; any text, as it is escaped.
    """
    known = [point.percent for point in points if point.percent is not None]
    if not known:
        return ""
    floor = min(90, int(min(known)) // 10 * 10)
    first, last = points[0].at, points[-1].at
    seconds = (last - first).total_seconds()

    def x(point: Point) -> float:
        share = (point.at - first).total_seconds() / seconds if seconds else 1
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(percent: float) -> float:
        return round(_TOP + (100 - percent) / (100 - floor) * (_HEIGHT - _TOP - _BOTTOM), 1)

    drawn = [
        f'<svg class="trend" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="trend-name trend-words">',
        f'<title id="trend-name">{escape(name)}</title>',
        f'<desc id="trend-words">{escape(_words(points))}</desc>',
    ]
    drawn += (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(percent)}" y2="{y(percent)}"/>'
        f'<text x="{_LEFT - 6}" y="{y(percent) + 4}" text-anchor="end">{percent:g} %</text>'
        for percent in (100, (100 + floor) / 2, floor)
    )
    drawn.append(f'<text x="{_LEFT}" y="{_HEIGHT - 4}">{first:%Y-%m-%d}</text>')
    if seconds:
        drawn.append(f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 4}" text-anchor="end">{last:%Y-%m-%d}</text>')
    for unknown, stretch in groupby(points, lambda point: point.percent is None):
        if unknown:
            continue
        placed = [(point, x(point), y(point.percent or 0)) for point in stretch]
        drawn.append(f'<polyline class="line" points="{" ".join(f"{across},{down}" for _, across, down in placed)}"/>')
        drawn += (
            f'<circle class="{"whole" if point.whole else "incomplete"}" cx="{across}" cy="{down}" r="3">'
            f"<title>{escape(_point_words(point))}</title></circle>"
            for point, across, down in placed
        )
    return "".join([*drawn, "</svg>"])


def _words(points: Sequence[Point]) -> str:
    judged = [point for point in points if point.percent is not None]
    lowest, highest = (choose(judged, key=lambda point: point.percent or 0) for choose in (min, max))
    return (
        f"{len(points)} {'run' if len(points) == 1 else 'runs'}. First: {_point_words(judged[0])}. "
        f"Last: {_point_words(judged[-1])}. Lowest: {_point_words(lowest)}. Highest: {_point_words(highest)}."
    )


def _point_words(point: Point) -> str:
    return f"{text_of(point.at)}: {point.percent} %" + ("" if point.whole else ", of what could be read")
