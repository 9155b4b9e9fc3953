"""What a key means is said once, and is found again where it is needed."""

from typing import Annotated

import msgspec

from shared_code.meaning import Meaning, meanings_of, says

type Share = Annotated[float, msgspec.Meta(gt=0)]


class Table(msgspec.Struct, rename="kebab"):
    """A table of an operator's file."""

    how_much: Annotated[Share | None, says("How much of it.", "all of it")] = None
    name: Annotated[str, says("What it is called.", title="a short name", maxLength=9)] = "it"
    silent: Annotated[int, msgspec.Meta(description="Of another kind.")] = 0
    bare: int = 0


def test_it_is_found_by_the_name_in_the_file() -> None:
    """Whatever else is said of the type; a key of which nothing is said is left out."""
    assert meanings_of(Table) == {
        "how-much": Meaning("How much of it.", "all of it"),
        "name": Meaning("What it is called.", None),
    }


def test_the_schema_has_it() -> None:
    """With what holds without the key, and with what more is said for editors."""
    _, parts = msgspec.json.schema_components([Table])
    described = parts["Table"]["properties"]

    assert described["how-much"]["description"] == "How much of it. Without it: all of it."
    assert described["name"] == {
        "title": "a short name",
        "description": "What it is called.",
        "maxLength": 9,
        "type": "string",
        "default": "it",
    }


def test_it_checks_nothing() -> None:
    """A text that an editor calls too long is for the app's own sentences to refuse."""
    assert msgspec.convert({"name": "a" * 10}, Table).name == "a" * 10
