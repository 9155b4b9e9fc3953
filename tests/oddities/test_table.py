"""The table of irregularities is whole, and says what is there."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.oddities.table import LATER, TABLE

FOLDER = Path(__file__).parent
SHOWN = [(number, test) for number, entry in TABLE.items() for test in entry.tests]
CHECKING = ("pytest.raises", " failed", " again", "kept")
"""What asserts by itself."""
type Named = ast.Module | ast.ClassDef | ast.FunctionDef


def found(test: str) -> Named | None:
    """The class or function of that name, read from the source; None where there is none."""
    module, *names = test.split("::")
    file = FOLDER / f"{module}.py"
    node: Named | None = ast.parse(file.read_text("utf-8")) if file.is_file() else None
    for name in names:
        inside = [each for each in getattr(node, "body", []) if isinstance(each, ast.ClassDef | ast.FunctionDef)]
        node = next((each for each in inside if each.name == name), None)
    return node


def functions_of(node: Named) -> list[ast.FunctionDef]:
    """The test functions of a class, or the function itself."""
    if isinstance(node, ast.FunctionDef):
        return [node]
    return [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")]


def checks(function: ast.FunctionDef) -> bool:
    """Whether it asserts something that may be wrong, expects an error, or has a helper that does so."""
    source = ast.unparse(function)
    asserted = [each.test for each in ast.walk(function) if isinstance(each, ast.Assert)]
    return any(not isinstance(test, ast.Constant) for test in asserted) or any(
        f"{each}(" in source for each in CHECKING
    )


def test_every_number_is_there_once() -> None:
    assert list(TABLE) == list(range(1, 66))


@pytest.mark.parametrize("number", TABLE)
def test_each_is_shown_or_comes_with_other_work(number: int) -> None:
    entry = TABLE[number]

    assert entry.about
    assert entry.tests or entry.comes_with
    assert entry.comes_with in ("", *LATER)


@pytest.mark.parametrize(("number", "test"), SHOWN, ids=str)
def test_what_is_named_is_there_and_no_empty_shell(number: int, test: str) -> None:
    """A class names its number in its docstring, and every test in it checks something."""
    node = found(test)

    assert node is not None
    assert functions_of(node)
    assert all(checks(each) for each in functions_of(node))
    if isinstance(node, ast.ClassDef):
        numbers = (ast.get_docstring(node) or "").partition(":")[0].split(", ")
        assert str(number) in numbers


def test_every_class_is_in_the_table() -> None:
    """Those of the replay and of this file are about no number."""
    named = {test.split("::")[1] for _, test in SHOWN}
    classes = {
        node.name
        for file in FOLDER.glob("test_*.py")
        if file.stem not in ("test_replay", "test_table")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    }

    assert classes == named


def test_it_prints_itself() -> None:
    command = [sys.executable, "-m", "tests.oddities"]
    printed = subprocess.run(command, cwd=FOLDER.parents[1], capture_output=True, text=True, check=True).stdout
    lines = printed.splitlines()

    assert [int(line.split()[0]) for line in lines[: len(TABLE)]] == list(TABLE)
    assert all(test in line for line, entry in zip(lines, TABLE.values(), strict=False) for test in entry.tests)
