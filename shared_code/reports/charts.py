"""Charts as SVG to be put into a page: shapes and numbers, and the same in words for those who do not see them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from itertools import groupby
from math import ceil
from typing import NamedTuple

from shared_code.times import text_of

_WIDTH, _HEIGHT = 640, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 10, 24


class Point(NamedTuple):
    """A value at a time, None where there was nothing to tell; `whole` is False where not all could be read."""

    at: datetime
    value: float | None
    whole: bool = True


class _Scale(NamedTuple):
    """The least and the most that fits in, and how a value is written."""

    least: float
    most: float
    words: Callable[[float], str]


def trend(points: Sequence[Point], name: str, place: str = "trend") -> str:
    """Draw percentages over time; the empty text where there is none to draw.

    Args:
        points: in the order of time; a line joins those between which none is missing.
        name: what they are the percentage of, in words; any text, as it is escaped.
        place: what the ids in it begin with, so that several charts fit on one page.
    """
    known = [point.value for point in points if point.value is not None]
    least = min(90, int(min(known)) // 10 * 10) if known else 0
    return _drawn(points, name, place, _Scale(least, 100, lambda value: f"{value:g} %"))


def numbers(points: Sequence[Point], name: str, place: str) -> str:
    """Draw numbers of things over time, from 0; the arguments are those of `trend`."""
    most = max((point.value for point in points if point.value is not None), default=0)
    return _drawn(points, name, place, _Scale(0, _round_up(most), lambda value: f"{value:,.10g}"))


def _round_up(number: float) -> int:
    """Return an even number of which only the first digits are not 0, and which is not below `number`."""
    step = 2 * int("1" + "0" * max(0, len(str(int(number))) - 2))
    return max(2, ceil(number / step) * step)


def _drawn(points: Sequence[Point], name: str, place: str, scale: _Scale) -> str:
    known = [point.value for point in points if point.value is not None]
    if not known:
        return ""
    first, last = points[0].at, points[-1].at
    seconds = (last - first).total_seconds()

    def x(point: Point) -> float:
        share = (point.at - first).total_seconds() / seconds if seconds else 1
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(value: float) -> float:
        share = (scale.most - value) / (scale.most - scale.least)
        return round(_TOP + share * (_HEIGHT - _TOP - _BOTTOM), 1)

    drawn = [
        f'<svg class="trend" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{place}-name {place}-words">',
        f'<title id="{place}-name">{escape(name)}</title>',
        f'<desc id="{place}-words">{escape(_words(points, scale))}</desc>',
    ]
    drawn += (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value)}" y2="{y(value)}"/>'
        f'<text x="{_LEFT - 6}" y="{y(value) + 4}" text-anchor="end">{scale.words(value)}</text>'
        for value in (scale.most, (scale.most + scale.least) / 2, scale.least)
    )
    drawn.append(f'<text x="{_LEFT}" y="{_HEIGHT - 4}">{first:%Y-%m-%d}</text>')
    if seconds:
        drawn.append(f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 4}" text-anchor="end">{last:%Y-%m-%d}</text>')
    for unknown, stretch in groupby(points, lambda point: point.value is None):
        if unknown:
            continue
        placed = [(point, x(point), y(point.value or 0)) for point in stretch]
        drawn.append(f'<polyline class="line" points="{" ".join(f"{across},{down}" for _, across, down in placed)}"/>')
        drawn += (
            f'<circle class="{"whole" if point.whole else "incomplete"}" cx="{across}" cy="{down}" r="3">'
            f"<title>{escape(_point_words(point, scale))}</title></circle>"
            for point, across, down in placed
        )
    return "".join([*drawn, "</svg>"])


def _words(points: Sequence[Point], scale: _Scale) -> str:
    judged = [point for point in points if point.value is not None]
    lowest, highest = (choose(judged, key=lambda point: point.value or 0) for choose in (min, max))
    return (
        f"{len(points)} {'run' if len(points) == 1 else 'runs'}. First: {_point_words(judged[0], scale)}. "
        f"Last: {_point_words(judged[-1], scale)}. Lowest: {_point_words(lowest, scale)}. "
        f"Highest: {_point_words(highest, scale)}."
    )


def _point_words(point: Point, scale: _Scale) -> str:
    value = scale.words(point.value or 0)
    return f"{text_of(point.at)}: {value}" + ("" if point.whole else ", of what could be read")
