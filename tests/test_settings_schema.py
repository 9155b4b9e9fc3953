"""docs/steward.schema.json is what its generator prints, and knows each key that the reader knows."""

import json
from pathlib import Path
from typing import Any

from devkit.schema_page import page
from shared_code.settings import JOBS
from shared_code.settings_schema import schema
from shared_code.tag_rules import TagRule

PAGE = Path(__file__).parent.parent / "docs" / "steward.schema.json"
WHOLE = schema()


def table(name: str) -> dict[str, Any]:
    found: dict[str, Any] = WHOLE["$defs"][name]
    return found


def test_the_file_is_up_to_date() -> None:
    """`python -m devkit.schema_page > docs/steward.schema.json` mends this."""
    assert PAGE.read_text("utf-8") == page()


def test_every_job_has_its_table() -> None:
    assert set(schema()["properties"]["jobs"]["properties"]) == set(JOBS)


def test_unknown_keys_are_refused_everywhere() -> None:
    tables = [each for each in (WHOLE, *WHOLE["$defs"].values()) if "properties" in each]

    assert len(tables) >= 7
    assert all(each["additionalProperties"] is False for each in tables)


def test_toml_has_no_null() -> None:
    assert "null" not in json.dumps(WHOLE)


def test_a_rule_needs_a_name_and_documents_each_key() -> None:
    found = table("TagRule")

    assert found["required"] == ["name"]
    assert set(found["properties"]) == set(TagRule.__struct_fields__)
    assert all("description" in each for each in found["properties"].values())
    assert found["properties"]["tag"]["maxLength"] == 512


def test_words_are_listed() -> None:
    assert set(table("RuleMode")["enum"]) == {"report", "notify", "approve", "automatic"}
    assert table("Exemption")["properties"]["expires"]["format"] == "date"
