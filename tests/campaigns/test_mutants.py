"""The campaign of mutants: what no test notices is told, unless somebody has said why it makes no difference."""

import ast
import io
from pathlib import Path

import pytest

from devkit.campaigns.mutants import ROOT, Change, Mutant, attempt, change_of, explained, is_wording, judge, settings
from devkit.campaigns.session import Session

MODULE = """
def is_large(number: int) -> bool:
    return number > 10


def said(number: int) -> str:
    return f"{number} is " + ("a large number" if is_large(number) else "a small number")


def unused(number: int) -> int:
    return number + 1
"""
TEST = """
from shared_code.numbers import is_large, said


def test_numbers():
    assert is_large(20) and not is_large(5)
    assert said(20).startswith("20 is ")
"""
PROJECT = """
[tool.mutmut]
source_paths = ["shared_code"]
only_mutate = ["shared_code/numbers.py"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:schemathesis"]
pytest_add_cli_args_test_selection = ["tests/test_numbers.py"]
"""


@pytest.fixture(scope="module", name="tree")
def _tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of three functions, one of which no test runs, whose mutants were tried."""
    tree = tmp_path_factory.mktemp("numbers")
    files = {"pyproject.toml": PROJECT, "shared_code/numbers.py": MODULE, "tests/test_numbers.py": TEST}
    for path, text in files.items() | {"shared_code/__init__.py": "", "tests/__init__.py": ""}.items():
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_text(text)
    session = Session("mutants", out=io.StringIO())
    attempt(session, tree, "shared_code.numbers.*")
    assert session.violations == []
    return tree


def test_what_no_test_notices_is_told(tree: Path) -> None:
    session = Session("mutants", out=io.StringIO())

    judge(session, tree)

    found = {each.what for each in session.violations}
    assert "shared_code.numbers.is_large: no test notices: 'return number > 10' became 'return number >= 10'" in found
    assert "shared_code.numbers.unused: no test runs it: 'return number + 1' became 'return number - 1'" in found
    assert not any("XXa large numberXX" in each for each in found)
    counted = session.figures
    assert counted["wording"] > 0
    assert counted["noticed"] > 0
    assert counted["mutants"] == sum(number for name, number in counted.items() if name != "mutants")


def test_the_time_is_kept(tree: Path) -> None:
    """Nothing is tried when it is over, and what was not tried is neither noticed nor survived."""
    (tree / "mutants/shared_code/numbers.py.meta").unlink()
    session = Session("mutants", minutes=0, out=io.StringIO())

    attempt(session, tree, "shared_code.numbers.*")
    judge(session, tree)

    assert session.violations == []
    assert set(session.figures) <= {"mutants", "not_tried"}


def test_a_mutant_has_the_name_of_its_function() -> None:
    assert Mutant("shared_code.plan.x_choose__mutmut_7", 0).function == "shared_code.plan.choose"
    assert Mutant("shared_code.plan.xǁPlansǁ_get__mutmut_12", 0).function == "shared_code.plan.Plans._get"
    assert Mutant("shared_code.plan.xǁ_Planǁ__init____mutmut_1", 0).function == "shared_code.plan._Plan.__init__"
    with pytest.raises(ValueError, match="nobody can take apart"):
        _ = Mutant("shared_code.plan", 0).function


def test_only_what_differs_is_compared(tmp_path: Path) -> None:
    source = tmp_path / "mutants/shared_code/plan.py"
    source.parent.mkdir(parents=True)
    source.write_text(
        "def x_f__mutmut_orig(a):\n    b = a\n    return (\n        b + 1\n    )\n"
        "def x_f__mutmut_1(a):\n    b = a\n    return (\n        b - 1\n    )\n"
    )

    assert change_of(Mutant("shared_code.plan.x_f__mutmut_1", 0), tmp_path) == Change(
        "shared_code.plan.f", "b + 1", "b - 1"
    )


@pytest.mark.parametrize(
    ("was", "becomes", "wording"),
    [
        ('x = "two words"', 'x = "XXtwo wordsXX"', True),
        ('x = "two words"', 'x = "TWO WORDS"', True),
        ('f("two words", "key")', 'f("two words", "KEY")', False),
        ('x = "key"', 'x = "XXkeyXX"', False),
        ('x = "two words"', "x = None", False),
        ('x = "two words" or y', 'x = "two words" and y', False),
        ('x = ""', 'x = "XXXX"', False),
    ],
)
def test_the_wording_of_a_sentence_is_no_decision(was: str, becomes: str, *, wording: bool) -> None:
    assert is_wording(Change("f", was, becomes)) is wording


def test_what_is_explained_is_there() -> None:
    """Each function, in what is mutated, with the line that is spoken of; and each for a reason of its own words."""
    found = explained()
    assert len({each.change for each in found}) == len(found)
    for each in found:
        assert each.why.strip()
        path = next(path for path in settings()["only_mutate"] if each.function.startswith(_module_of(path) + "."))
        assert each.was in " ".join(_source_of(each.function, ROOT / path).split()), each


def test_all_that_is_named_is_there() -> None:
    for path in (*settings()["only_mutate"], *settings()["pytest_add_cli_args_test_selection"]):
        assert (ROOT / path).is_file(), path


def _module_of(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def _source_of(function: str, path: Path) -> str:
    source, name = path.read_text(), function.rpartition(".")[2]
    return "\n".join(
        ast.get_source_segment(source, each) or ""
        for each in ast.walk(ast.parse(source))
        if isinstance(each, ast.FunctionDef) and each.name == name
    )
