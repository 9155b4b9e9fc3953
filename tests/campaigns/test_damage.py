"""A slice of what the campaign `hostile` does to objects of the store."""

import random
from collections.abc import Iterator
from contextlib import suppress

import pytest

from devkit.campaigns.damage import DAMAGES, Case, Damages, _words, damaged, damages
from devkit.campaigns.scenes import CHANGE, CLEANUP, DELETE
from shared_code.errors import StewardError
from shared_code.plan import Plan, Plans

SLICE = (
    (CLEANUP, "history/cleanup.ndjson"),
    (CLEANUP, "ledger/cleanup/"),
    (CLEANUP, "locks/cleanup.json"),
    (CLEANUP, "snapshots/cleanup/"),
    (DELETE, "plans/"),
    (CHANGE, "plans/"),
)
LINES = b'{"a": 1, "b": "two"}\n{"a": 3}\n{"c": []}\n'


def chance() -> random.Random:
    """The same each time."""
    return random.Random(1)  # noqa: S311  # it chooses what is damaged, and is no secret


@pytest.fixture(scope="module", name="trials")
def _trials() -> Iterator[Damages]:
    with damages(1) as trials:
        yield trials


@pytest.mark.parametrize(("scene", "begins"), SLICE)
def test_a_damaged_object_is_named_or_does_no_harm(trials: Damages, scene: str, begins: str) -> None:
    """The run is refused, or fails, or looks anew; nothing is changed that is in no plan, no library's error comes."""
    there = [case for case in trials.cases(scene) if case.object.startswith(begins)]
    chosen = chance().sample(there, 3)

    assert {case.place: broken for case in chosen if (broken := trials.broken(case))} == {}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_plan_is_never_applied_as_another(trials: Damages, damage: str) -> None:
    """Whatever is still read from it is what its digest stands for."""
    scene = trials.scenes.scene(DELETE)
    app, folder = trials.scenes.trial(scene)
    assert scene.left.plan
    path = folder / f"plans/{scene.left.plan.id}.json"
    path.write_bytes(damaged(path.read_bytes(), damage, chance()))

    found: Plan | None = scene.left.plan
    with suppress(StewardError):
        found = Plans(app.store).get(scene.left.plan.id)

    assert found == scene.left.plan


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_one(damage: str) -> None:
    """The content is another one; also of what has nothing in it, where that can be."""
    assert damaged(LINES, damage, chance()) != LINES
    damaged(b"", damage, chance())


def test_what_is_no_answer_is_found() -> None:
    """A run that hangs, an error of a library, and a reason of many lines."""
    assert list(_words([])) == ["after 60 seconds the run is still at it"]
    assert list(_words(["!KeyError: 'x'", ""])) == ["the worker raised KeyError: 'x'"]
    assert list(_words(["a\nb"])) == ["a reason that is none for people: 'a\\nb'"]
    assert list(_words(["Object 'x' is damaged; remove it.", ""])) == []


def test_the_place_names_the_trial() -> None:
    assert Case(DELETE, "plans/x.json", "half").place == "apply deletions/plans/x.json/half"
