"""The JSON Schema of steward.toml, from the types that read it."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, TypeAliasType, get_args

import msgspec

from shared_code.cleanup_rules import RULES
from shared_code.durations import Duration
from shared_code.notices.settings import Notices
from shared_code.scope import Scope
from shared_code.settings import JOBS
from shared_code.windows import Window

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the schema, by which editors complete and check steward.toml.

    What one key means for another is `steward check`'s alone.
    """
    tables = (Scope, Notices, *JOBS.values())
    references, parts = msgspec.json.schema_components(tables, schema_hook=_own)
    for words in {each for kind in tables for each in _words_in(kind)}:
        parts[words.__name__]["enum"] = [each.value for each in words]  # in their own order: low, medium, high
    for name, rule in RULES.items():
        parts["CleanupRules"]["properties"][name]["description"] = rule.sentence
    for part in parts.values():
        _close(part)
    scope, notices, *jobs = references
    return {
        "$schema": _DRAFT,
        "title": "steward.toml",
        "description": "What Steward looks after, and when.",
        "type": "object",
        "properties": {
            "scope": scope,
            "jobs": {
                "description": "The jobs, each in a table of its own.",
                "type": "object",
                "properties": dict(zip(JOBS, jobs, strict=True)),
                "additionalProperties": False,
            },
            "notices": notices,
        },
        "additionalProperties": False,
        "$defs": parts,
    }


def _words_in(kind: Any) -> Iterator[type[Enum]]:
    """Give the enumerations in a type, however deep."""
    if isinstance(kind, TypeAliasType):
        yield from _words_in(kind.__value__)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield kind
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield from _words_in(field.type)
    else:
        for inner in get_args(kind):
            yield from _words_in(inner)


def _own(kind: type) -> dict[str, Any]:
    if kind is Duration:
        return {
            "type": "string",
            "title": "a whole number and `s`, `m`, `h`, `d` or `w`",
            "pattern": "^[0-9]{1,6}[smhdw]$",
            "examples": ["90s", "6h", "14d"],
        }
    if kind is Window:
        return {
            "type": "string",
            "title": "two times of the day, over midnight where the second is earlier",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$",
            "examples": ["22:00-06:00"],
        }
    raise NotImplementedError(kind)


def _written(default: Any) -> Any:
    """Return a default without the keys that have no value."""
    if not isinstance(default, dict):
        return default
    return {key: _written(each) for key, each in default.items() if each is not None}


def _close(part: dict[str, Any]) -> None:
    """Refuse unknown keys, as the reader does."""
    if "description" in part:
        part["description"] = " ".join(part["description"].split())
    if "properties" in part:
        part["additionalProperties"] = False
        part["properties"] = {name: _without_null(each) for name, each in part["properties"].items()}


def _without_null(value: dict[str, Any]) -> dict[str, Any]:
    """TOML has no null: what has no value is not written."""
    if "default" in value:
        default = _written(value["default"])
        value = {key: each for key, each in value.items() if key != "default"}
        value |= {} if default is None else {"default": default}
    choices: list[dict[str, Any]] = [each for each in value.get("anyOf", ()) if each != {"type": "null"}]
    if len(choices) != 1:
        return value
    return {key: each for key, each in value.items() if key != "anyOf"} | choices[0]
