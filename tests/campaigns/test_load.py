"""The campaign of load, with numbers that take a moment: what it judges holds, and what it cannot do is told."""

import io
from collections.abc import Callable

import pytest

from devkit.campaigns.load import PLACES, many_findings, many_runs, many_subscriptions, many_wishes
from devkit.campaigns.session import Session

SMALL: list[tuple[Callable[[Session, int], None], int]] = [
    (many_runs, 30),
    (many_wishes, 12),
    (many_findings, 6_000),
    (many_subscriptions, 24),
]


@pytest.mark.parametrize(("place", "number"), SMALL, ids=["runs", "wishes", "findings", "subscriptions"])
def test_it_holds(place: Callable[[Session, int], None], number: int) -> None:
    session = Session("load", out=io.StringIO())

    place(session, number)

    assert session.violations == []
    assert any(session.figures.values())


def test_every_place_is_here() -> None:
    assert {place.__name__ for place in PLACES.values()} == {place.__name__ for place, _ in SMALL}


def test_a_violation_is_seen() -> None:
    """A page without findings does not say where the others are."""
    session = Session("load", out=io.StringIO())

    many_findings(session, 0)

    assert [each.only for each in session.violations] == ["findings"]
