"""What stands between the commas of an accepted text."""

import json
from pathlib import Path

import pytest

from shared_code.ncrontab import Cron, parse
from shared_code.occurrences import FIELDS
from shared_code.schedule_elements import Element, elements_of, fields_of, names_of, parts_of

VECTORS = Path(__file__).parent / "data" / "ncrontab-vectors.jsonl"


def cron(text: str) -> Cron:
    meaning = parse(text)
    assert isinstance(meaning, Cron)
    return meaning


def element(part: str, field: int = 1) -> Element:
    parts = ["*"] * 6
    parts[field] = part
    return next(
        each for each in elements_of(cron(" ".join(parts))) if each.field is FIELDS[field] and each.text == part
    )


def test_values_are_those_of_the_host() -> None:
    """The elements of every accepted row together are the values of its fields."""
    rows = [json.loads(line) for line in VECTORS.read_text("utf-8").splitlines()]
    for row in rows:
        if row["kind"] != "cron":
            continue
        meaning = cron(row["expression"])
        found: dict[str, set[int]] = {field.name: set() for field in fields_of(meaning)}
        for each in elements_of(meaning):
            found[each.field.name].update(each.values)
        names = ("seconds", "minutes", "hours", "days", "months", "weekdays")
        expected = {field.name: set(getattr(meaning, name)) for field, name in zip(FIELDS, names, strict=True)}
        assert found == {name: values for name, values in expected.items() if name in found}, row


@pytest.mark.parametrize(
    ("part", "field", "first", "last", "step", "open_"),
    [
        ("*", 1, 0, 59, None, False),
        ("*/5", 1, 0, 59, 5, True),
        ("7", 1, 7, 7, None, False),
        ("7/2", 1, 7, 59, 2, True),
        ("50-10/-3", 1, 50, 10, -3, False),
        ("0" * 5000 + "7", 1, 7, 7, None, False),
        ("*/\t+20\n", 1, 0, 59, 20, True),
        ("5\t\0\0", 1, 5, 5, None, False),
        ("fri-MONDAY", 5, 5, 1, None, False),
        ("\0", 5, 0, 0, None, False),
    ],
    ids=["all", "step", "value", "from", "backwards", "zeros", "sign", "nul", "names", "nothing"],
)
def test_is_read_as_written(part: str, field: int, first: int, last: int, step: int | None, open_: bool) -> None:
    """Ends keep their order and a step its sign; `*` alone is not open, since nothing is counted."""
    found = element(part, field)

    assert (found.first, found.last, found.step) == (first, last, step)
    assert found.open is (open_ or part == "*")


def test_each_once() -> None:
    """An element that is repeated is given once."""
    assert [each.text for each in elements_of(cron("0 1,1,2,1 * * * *"))][1:3] == ["1", "2"]


def test_five_fields_begin_with_the_minute() -> None:
    """The second has no text then."""
    meaning = cron(" 5  6 * * * ")

    assert parts_of(meaning) == ["5", "6", "*", "*", "*"]
    assert [field.name for field in fields_of(meaning)][:2] == ["minute", "hour"]


def test_names() -> None:
    """In the order in which the host looks."""
    assert names_of(FIELDS[5], "t") == ["Tuesday", "Thursday"]
    assert names_of(FIELDS[4], "Ju\0") == ["June", "July"]
