"""docs/steward.schema.json is what its generator prints, and knows each key that the reader knows."""

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from devkit.schema_page import page
from shared_code.cleanup_rules import RULES
from shared_code.cleanup_settings import RuleSettings
from shared_code.durations import Duration
from shared_code.settings import JOBS, Cleanup
from shared_code.settings_schema import schema
from shared_code.tag_rules import TagRule
from shared_code.windows import Window

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


def test_cleanup_documents_each_key() -> None:
    found = table("Cleanup")["properties"]

    assert set(found) == set(Cleanup.__struct_fields__)
    assert all("description" in each for each in found.values())
    assert found["rules"]["default"] == {}
    assert (found["mode"]["default"], found["armed_subscriptions"]["default"]) == ("plan", ())


def test_each_rule_of_cleanup_has_its_table_under_its_own_name() -> None:
    """Kebab-case, with the rule's own sentence, so that an editor shows what the rule finds."""
    found = table("CleanupRules")["properties"]

    assert {name: each["description"] for name, each in found.items()} == {
        name: rule.sentence for name, rule in RULES.items()
    }
    assert {name: each["$ref"] for name, each in found.items()} == {
        name: f"#/$defs/{rule.settings.__name__}" for name, rule in RULES.items()
    }
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", name) for name in found)


@pytest.mark.parametrize("kind", sorted({rule.settings for rule in RULES.values()}, key=str))
def test_what_is_said_of_a_rule_may_be_left_out(kind: type[RuleSettings]) -> None:
    found = table(kind.__name__)

    assert not found["required"]
    assert set(found["properties"]) == set(kind.__struct_fields__)
    assert all("description" in each for each in found["properties"].values())
    assert all("anyOf" not in each for each in found["properties"].values())
    assert found["properties"]["minimum_observations"]["minimum"] == 1
    assert found["properties"]["mode"]["$ref"] == "#/$defs/RuleMode"


@pytest.mark.parametrize(
    ("kind", "place", "texts"),
    [
        (Duration, table("RuleSettings")["properties"]["minimum_age"], ["14d", "0x", "1.5h", " 1d", "d", "999999s"]),
        (
            Window,
            table("Cleanup")["properties"]["delete_window"],
            [
                f"{begins}-{ends}"
                for begins, ends in product(["00:00", "19:59", "23:59", "24:00", "29:00", "2:00"], ["06:00", "06:60"])
            ],
        ),
    ],
    ids=["duration", "window"],
)
def test_the_form_of_a_text_is_what_the_reader_takes(
    kind: type[Duration | Window], place: dict[str, Any], texts: list[str]
) -> None:
    def is_read(text: str) -> bool:
        try:
            kind.parse(text)
        except ValueError:
            return False
        return True

    assert all(is_read(text) for text in place["examples"])
    assert {text: bool(re.search(place["pattern"], text)) for text in texts} == {text: is_read(text) for text in texts}


def test_words_are_listed() -> None:
    assert set(table("RuleMode")["enum"]) == {"report", "notify", "approve", "automatic"}
    assert table("Exemption")["properties"]["expires"]["format"] == "date"
