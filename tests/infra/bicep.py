"""The Bicep files of infra/, parsed; they were never compiled, so what a compiler would refuse is looked for here."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pycep import BicepParser

INFRA = Path(__file__).resolve().parents[2] / "infra"
FILES = sorted(INFRA.rglob("*.bicep"))

ALERTS_FILE = "modules/alerts.bicep"

type Tree = dict[str, Any]

_parser = BicepParser(add_line_numbers=False)


def parse(path: Path) -> Tree:
    """Parse a file; raises what lark raises where it is no Bicep."""
    tree: Tree = json.loads(json.dumps(_parser.parse(text=path.read_text())))
    return tree


TREES = {path.relative_to(INFRA).as_posix(): parse(path) for path in FILES}
"""By the name of the file."""


def body(declared: Tree) -> Tree:
    """What stands in the braces of a resource or a module, whatever loop or condition is around it."""
    inner: Tree = declared["config"]
    while "config" in inner and inner.keys() <= {"loop_type", "condition", "config"}:
        inner = inner["config"]
    return inner


def named(names: object, variables: Tree) -> list[Any]:
    """The values of a list that may be the name of a variable, as may each of them."""
    given = variables[names]["value"] if isinstance(names, str) else names
    assert isinstance(given, list)
    return [variables[each]["value"] if isinstance(each, str) and each in variables else each for each in given]


def looped(declared: Tree, variables: Tree) -> list[Any]:
    """What a resource is made for, one after the other."""
    return named(declared["config"]["loop_type"]["detail"]["array_name"], variables)


def of_type(kind: str) -> list[tuple[str, Tree]]:
    """Each resource of a type that is made, with the name of its file."""
    return [
        (file, each)
        for file, tree in TREES.items()
        for each in tree.get("resources", {}).values()
        if each["type"] == kind and not each["existing"]
    ]


def only(kind: str) -> Tree:
    """What stands in the braces of the one resource of a type."""
    found = of_type(kind)
    assert len(found) == 1, kind
    return body(found[0][1])


def words(value: object) -> Iterator[str]:
    """Every word in the texts of a tree: names stand in it as texts, and inside others as `${…}`."""
    if isinstance(value, str):
        yield from re.findall(r"\w+", value)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from words(key)
            yield from words(each)
    elif isinstance(value, list):
        for each in value:
            yield from words(each)


def accessed(value: object) -> Iterator[list[str]]:
    """Every chain of names joined by dots that is in a tree, and every name that stands in a text as `${name}`."""
    if isinstance(value, dict):
        operands = value.get("operands", {}) if value.get("type") == "property_accessor" else None
        if operands is not None:
            first = operands["operand_1"]
            yield [first if isinstance(first, str) else _called(first), *_rest(operands["operand_2"])]
            value = first
        for each in value.values() if isinstance(value, dict) else ():
            yield from accessed(each)
    elif isinstance(value, list):
        for each in value:
            yield from accessed(each)
    elif isinstance(value, str):
        for inside in re.findall(r"\$\{([^}]*)}", value):
            yield re.findall(r"\w+", inside)


def _called(value: Tree) -> str:
    """The name of a function, spelled as in Bicep, or of the list of which an item is taken."""
    if "function" in value:
        first, *others = str(value["function"]["type"]).split("_")
        return first + "".join(map(str.capitalize, others))
    return str(value["operator"]["operands"]["operand_1"])


def _rest(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    operands = value["operator"]["operands"]
    return [*_rest(operands["operand_1"]), *_rest(operands["operand_2"])]


def settings() -> Tree:
    """The app settings of the function app, by name."""
    union = only("Microsoft.Web/sites/config")["properties"]["function"]
    assert union["type"] == "union"
    made: Tree = union["parameters"]["arg_2"]
    return made
