"""A slice of the campaign `faults`, whose outcomes are those of the page; and a judge that finds what is wrong."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from devkit.campaigns.azure import Asked
from devkit.campaigns.faults import LAG, LISTS, Cell, Matrix, matrix
from devkit.campaigns.judgement import broken_promises
from devkit.campaigns.reliability_page import of_call, page, title_of
from devkit.campaigns.scenes import AUDIT, CHANGE, CLEANUP, DELETE, LIST, UNDO, Left, Scene
from shared_code.outputs import OUTCOMES
from shared_code.runs import RunStatus

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
SLICE = (
    (LIST, "GET resource-groups", "401"),
    (LIST, "GET resources", "cut gzip"),
    (LIST, "GET resources", "page again"),
    (LIST, "GET locks", "drip"),
    (LIST, "GET identity", "429 1200 s"),
    (LIST, "GET subscriptions", "timeout"),
    (AUDIT, "POST logs", "403"),
    (AUDIT, "POST logs", "drip"),
    (CLEANUP, "POST resource-graph", "fewer rows"),
    (CLEANUP, "GET permissions", "403"),
    (CHANGE, "PATCH tags", "reset"),
    (CHANGE, "PATCH tags", "409 lock"),
    (DELETE, "DELETE resource-group", "503 page"),
    (DELETE, "POST export-template", "404 group"),
    (DELETE, LISTS, LAG),
    (UNDO, "GET tags", "500"),
)


@pytest.fixture(scope="module", name="trials")
def _trials() -> Iterator[Matrix]:
    """One Azure for all trials here."""
    before = dict(os.environ)
    with matrix() as trials:
        yield trials
    assert dict(os.environ) == before


@pytest.mark.parametrize(("scene", "call", "trouble"), SLICE)
def test_promises_are_kept_and_the_page_says_what_comes_of_it(
    trials: Matrix, scene: str, call: str, trouble: str
) -> None:
    """At the first, a middle and the last call, once and for good."""
    cells = [cell for cell in trials.cells(scene) if (cell.call, cell.trouble) == (call, trouble)]
    tried = {cell: trials.try_(cell) for cell in cells}

    assert {cell: one.broken for cell, one in tried.items() if one.broken} == {}
    outcomes = {cell: one.outcome for cell, one in tried.items() if one.struck}
    assert of_call(outcomes)[trouble] == _of_page(scene, call)[trouble]


def test_the_page_has_every_call_and_every_trouble(trials: Matrix) -> None:
    """Its text is the generator's, and each row stands where it belongs."""
    cells = [cell for scene in (LIST, AUDIT, CLEANUP, CHANGE, DELETE, UNDO) for cell in trials.cells(scene)]
    known = {(scene, call) for scene, call, *_ in cells}

    assert {(scene, call) for scene, call in known if not _of_page(scene, call)} == set()
    written = {
        Cell(scene, call, trouble, 1, lasts): outcome
        for scene, call in dict.fromkeys((cell.scene, cell.call) for cell in cells)
        for trouble, pair in _of_page(scene, call).items()
        for lasts, outcome in zip((False, True), pair, strict=True)
        if outcome
    }
    assert PAGE.read_text() == page(written)


def _of_page(scene: str, call: str) -> dict[str, tuple[str, str]]:
    """What the page says of each trouble at a call."""
    found: dict[str, tuple[str, str]] = {}
    section = PAGE.read_text().partition(f"\n## {title_of(scene)}\n")[2].partition("\n## ")[0]
    at = ""
    for line in section.splitlines():
        cells = [each.strip() for each in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if len(cells) == 4 and cells[0] != "Call":
            at = cells[0].strip("`") or at
            if at == call:
                found |= dict.fromkeys(cells[3].split(", "), (cells[1], cells[2]))
    return found


class TestTheJudge:
    """Each promise, broken on purpose."""

    @pytest.fixture(name="scene")
    def _scene(self, trials: Matrix) -> Scene:
        return trials.scenes.scene(DELETE)

    def judge(self, scene: Scene, left: Left | None = None, *asked: Asked) -> list[str]:
        return [*broken_promises(scene, left or scene.left, list(asked), scene.after)]

    def test_what_is_well_is_well(self, scene: Scene) -> None:
        assert self.judge(scene) == []

    def test_a_delete_that_is_in_no_plan(self, scene: Scene) -> None:
        other = Asked("DELETE resource", "DELETE", "/subscriptions/x/resourceGroups/other", struck=False, done=True)

        assert self.judge(scene, None, other) == ["DELETE /subscriptions/x/resourceGroups/other is in no plan"]

    def test_two_deletes_of_one_thing(self, scene: Scene) -> None:
        assert scene.left.plan
        own = scene.left.plan.items[0].resource_id
        once = Asked("DELETE resource-group", "DELETE", own, struck=False, done=True)

        assert self.judge(scene, None, once, once) == [f"{own.casefold()} was deleted 2 times"]

    def test_deleted_and_there(self, scene: Scene) -> None:
        there = scene._replace(after=scene.estate)

        assert all("is told to be deleted, and is there" in each for each in self.judge(there))
        assert len(self.judge(there)) == 6

    def test_left_alone_and_deleted(self, scene: Scene) -> None:
        lines = [each | {"outcome": "skipped", "reason": "so"} for each in scene.left.lines[OUTCOMES]]
        own = lines[0]["resource_id"]
        deleted = Asked("DELETE resource", "DELETE", own, struck=False, done=True)

        told = self.judge(scene, scene.left._replace(lines={OUTCOMES: lines}), deleted)

        assert told == [f"{own.casefold()} is told to be left alone, and was deleted"]

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (None, "the run is failed, and nobody is told why"),
            ("two\nlines", "a reason that is none for people: 'two\\nlines'"),
            (
                "Unexpected KeyError; see the log",
                "a reason that is none for people: 'Unexpected KeyError; see the log'",
            ),
        ],
    )
    def test_a_reason_for_people(self, scene: Scene, error: str | None, said: str) -> None:
        run = replace(scene.left.run, status=RunStatus.FAILED, error=error)

        assert self.judge(scene, scene.left._replace(run=run)) == [said]

    def test_a_complete_subscription_that_is_not(self, trials: Matrix) -> None:
        scene = trials.scenes.scene(LIST)
        fewer = {name: lines[1:] for name, lines in scene.left.lines.items()}

        told = self.judge(scene, scene.left._replace(lines=fewer))

        assert any("is complete, and resource-groups.ndjson is not what there is" in each for each in told)
