"""docs/foreign-text.md has every place where foreign text comes in, and each module and test that it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from shared_code.environment import SETTINGS
from tests.app.test_injections import PLACES as REQUESTS
from tests.docs.checkout import ROOT
from tests.docs.markdown import Page
from tests.test_hostile_arguments import BEYOND, COMMANDS
from tests.test_hostile_arguments import PLACES as ARGUMENTS

PAGE = Page(ROOT / "docs" / "foreign-text.md")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(?:(\w+)::)?(test_\w+)`")
MODULE = re.compile(r"`((?:shared_code|__app__)/[\w/]+\.py)`")
WITHIN = ("path", "query", "header", "body", "argument", "option", "setting")


def rows() -> list[list[str]]:
    """Every row of every table, without the headers."""
    return [row for table in PAGE.tables() for row in table[1:]]


def named(heading: str) -> list[tuple[str, str]]:
    """What the first cells under a heading name: each text in backticks, with the word that stands before it."""
    found = []
    for row in PAGE_SECTIONS[heading]:
        within = ""
        for word, name in re.findall(r"\b([a-z]+)\b|`([^`]+)`", row):
            within = word if word in WITHIN else within
            if name:
                found.append((within, name))
    return found


def first_cells(heading: str) -> list[str]:
    """The first cell of each row of the tables under a heading."""
    lines = re.findall(r"^\| (.+?) \|", PAGE.section(heading), re.MULTILINE)
    return [line for line in lines if line not in ("Place", "Goes into")]


PAGE_SECTIONS = {heading: first_cells(heading) for heading in PAGE.headings(2)}


@cache
def defined_in(path: str) -> frozenset[tuple[str, str]]:
    """Each test of a file, with its class, or with "" where it has none."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    alone = {("", each.name) for each in tree.body if isinstance(each, ast.FunctionDef)}
    classes = [each for each in tree.body if isinstance(each, ast.ClassDef)]
    return frozenset(
        alone | {(of.name, each.name) for of in classes for each in of.body if isinstance(each, ast.FunctionDef)}
    )


def test_every_test_is_there() -> None:
    """By file, class and function."""
    cited = TEST.findall(PAGE.text)

    assert [each for each in cited if not (ROOT / each[0]).is_file() or each[1:] not in defined_in(each[0])] == []
    assert len(cited) == PAGE.text.count("`tests/")
    assert len(set(cited)) > 100


def test_every_module_is_there() -> None:
    """And is named by its path."""
    modules = MODULE.findall(PAGE.text)

    assert [name for name in modules if not (ROOT / name).is_file()] == []
    assert len(modules) == PAGE.text.count("`shared_code/") + PAGE.text.count("`__app__/")


@pytest.mark.parametrize("row", rows(), ids=lambda row: str(row[0]))
def test_every_row_is_whole(row: list[str]) -> None:
    """It says what holds the text, and which test shows it."""
    assert all(row)
    assert TEST.fullmatch(row[-1].split()[0]), row[-1]
    assert TEST.sub("", row[-1]).strip() == ""


def test_every_place_of_the_api() -> None:
    """Each path, parameter, header and key of a body has one row; what is not declared has one of its own."""
    declared = {(place.within, place.name) for place in REQUESTS if place.name not in ("", "unknown")}
    cells = PAGE_SECTIONS["HTTP"]

    assert sorted(named("HTTP")) == sorted(declared)
    assert {"query, any other", "body, any other key", "body, as a whole"} <= set(cells)


def test_every_place_of_a_command() -> None:
    """Each argument by its name in the usage, and each option."""
    declared = set[tuple[str, str]]()
    for place in ARGUMENTS:
        parameter = next(each for each in COMMANDS[place.command].params if each.name == place.parameter)
        is_argument = parameter.param_type_name == "argument"
        declared.add(("argument", parameter.metavar) if is_argument else ("option", parameter.opts[0]))

    assert sorted(named("Commands")) == sorted(declared)
    assert len(BEYOND) == 4
    assert "what is no command, option or value" in PAGE_SECTIONS["Commands"]


def test_every_app_setting() -> None:
    """Each has one row."""
    found = [name for within, name in named("Settings and files beside the app") if within == "setting"]

    assert sorted(name for name in found if name.isupper()) == sorted(each.name for each in SETTINGS)


def test_a_module_with_foreign_text_in_its_name_is_named() -> None:
    """What makes foreign text safe is on the page."""
    made = ("foreign_text.py", "foreign.py", "spreadsheet.py", "envelopes.py", "links.py", "places.py")
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "shared_code").rglob("*.py") if path.name in made}

    assert there <= set(MODULE.findall(PAGE.text))
    assert len(there) == len(made)


def test_it_leads_somewhere() -> None:
    """Its links are relative."""
    assert {Path(link.partition("#")[0]).name for link in PAGE.links} == {"hostile.py", "configuration.md"}
