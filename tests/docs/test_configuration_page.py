"""docs/configuration.md is what its generator prints, and what it says of keys is what the app does with them."""

import json
import re
import tomllib
from enum import StrEnum

import jsonschema_rs
import msgspec
import pytest

from devkit.configuration_page import page, value_of
from shared_code.cleanup_rules import RULES
from shared_code.cleanup_settings import ExpiredSettings, RuleSettings, StaleSettings
from shared_code.environment import SETTINGS
from shared_code.exemptions import Exemption
from shared_code.meaning import meanings_of
from shared_code.model import Kind, Severity
from shared_code.notices.settings import NoticeKind, Notices
from shared_code.runs import Mode
from shared_code.scope import Scope
from shared_code.settings import JOBS, AnyJob, Cleanup, Configuration, TagAudit, Watchdog, configure
from shared_code.settings_schema import schema
from shared_code.tag_formats import Format
from shared_code.tag_rules import AppliesTo, Parent, RuleMode, TagRule
from tests.docs.checkout import ROOT
from tests.docs.markdown import Page

PAGE = Page(ROOT / "docs" / "configuration.md")
SCHEMA = jsonschema_rs.validator_for(schema())
MUST = "must be there"
EXEMPTION = """
[[jobs.tag-audit.exemptions]]
scope = "/subscriptions/00000000-0000-0000-0000-000000000000"
rules = ["*"]
reason = "Closes."
author = "team@example.com"
expires = 2027-03-31
"""
TABLES: dict[str, tuple[type[msgspec.Struct], type[msgspec.Struct] | None]] = {
    "`[scope]`": (Scope, None),
    "`[jobs.NAME]`": (AnyJob, None),
    "`[jobs.tag-audit]`": (TagAudit, AnyJob),
    "`[[jobs.tag-audit.rules]]`": (TagRule, None),
    "`applies_to` of a rule": (AppliesTo, None),
    "`[[jobs.tag-audit.exemptions]]`": (Exemption, None),
    "`[jobs.cleanup]`": (Cleanup, AnyJob),
    "`[jobs.watchdog]`": (Watchdog, AnyJob),
    "`[notices]`": (Notices, None),
}
"""The parts of the page with a table of keys: the type, and the one whose keys are told elsewhere."""
every_table = pytest.mark.parametrize("heading", TABLES)


class Row(msgspec.Struct):
    """What is said of a key."""

    key: str
    meaning: str
    value: str
    without: str


def own_fields(heading: str) -> list[msgspec.structs.FieldInfo]:
    kind, told = TABLES[heading]
    elsewhere = told.__struct_fields__ if told else ()
    return [field for field in msgspec.structs.fields(kind) if field.name not in elsewhere]


def rows(heading: str) -> list[Row]:
    """The table of a part of the page."""
    body = re.split(r"^#", PAGE.text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in body.splitlines() if line.startswith("| ")]
    header, *cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert header == ["Key", "Meaning", "Value", "Without it"]
    return [Row(key.strip("`"), *rest) for key, *rest in cells]


def row(heading: str, key: str) -> Row:
    return next(each for each in rows(heading) if each.key == key)


def read(text: str) -> Configuration:
    return configure(text.encode(), "steward.toml", {})


def document(text: str) -> object:
    """TOML as JSON has it, which knows no dates."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def is_valid(text: str) -> bool:
    """Whether an editor finds nothing wrong."""
    return SCHEMA.is_valid(document(text))


def defaults(heading: str, without: tuple[str, ...] = ()) -> str:
    """TOML that says the defaults which the page shows."""
    shown = [(each.key, re.match("`([^`]+)`", each.without)) for each in rows(heading)]
    return "".join(f"{key} = {found[1]}\n" for key, found in shown if found and key not in without)


def test_the_page_is_up_to_date() -> None:
    """`python -m devkit.configuration_page > docs/configuration.md` mends this."""
    assert PAGE.text == page()


@every_table
def test_keys(heading: str) -> None:
    """A table has each key of its type, in its order, what must be there, and nowhere an empty cell."""
    found, fields = rows(heading), own_fields(heading)

    assert [each.key for each in found] == [field.encode_name for field in fields]
    assert [each.key for each in found if each.without == MUST] == [field.name for field in fields if field.required]
    assert [each.key for each in found if not re.fullmatch(r"[A-Z`].*\.", each.meaning)] == []
    assert [each.key for each in found if not each.value or not each.without] == []


def test_every_job_is_there() -> None:
    """Those without a table of their own say that they have the keys of every job."""
    jobs = [f"`[jobs.{name}]`" for name in JOBS]

    assert PAGE.headings(2) == ["`[scope]`", "`[jobs.NAME]`", *jobs, "`[notices]`", "App settings"]
    assert set(TABLES) | {"`[jobs.list-resource-groups]`", "`[jobs.cleanup.rules.NAME]`", "App settings"} == {
        *PAGE.headings(2),
        *PAGE.headings(3),
    }
    assert JOBS["list-resource-groups"].__struct_fields__ == AnyJob.__struct_fields__


def test_keys_of_the_rules_of_cleanup() -> None:
    """Those of all rules come first, then those that one rule has, with a link to what it finds."""
    found = PAGE.table("Rules", "Key", "Meaning", "Value", "Without it")
    common = RuleSettings.__struct_fields__
    own = {"expired": ExpiredSettings, "stale-resource-group": StaleSettings}

    assert [(each[0], each[1]) for each in found] == [
        *(("all", f"`{key}`") for key in common),
        *(
            (f"[{name}](cleanup-rules.md#{name})", f"`{key}`")
            for name, kind in own.items()
            for key in kind.__struct_fields__
            if key not in common
        ),
    ]
    assert {name for name, rule in RULES.items() if rule.settings is not RuleSettings} == set(own)
    assert all(all(cells) for cells in found)


def test_app_settings() -> None:
    """The table of app settings is the list of the code, word for word."""
    assert PAGE.table("Setting", "Meaning", "Without it") == [
        [f"`{each.name}`", each.meaning, each.default] for each in SETTINGS
    ]
    assert all(each.meaning.endswith(".") and each.default for each in SETTINGS)


def test_what_is_shown_as_a_default_is_the_default() -> None:
    """Written into the file, it says what the file says without it."""
    tables = {f"[jobs.{name}]": defaults("`[jobs.NAME]`") for name in JOBS}
    for name in ("tag-audit", "cleanup", "watchdog"):
        tables[f"[jobs.{name}]"] += defaults(f"`[jobs.{name}]`")
    tables["[scope]"], tables["[notices]"] = defaults("`[scope]`"), defaults("`[notices]`")
    said = read("".join(f"{name}\n{keys}" for name, keys in tables.items()))
    silent = read("")

    assert said.problems == ()
    assert (said.scope, said.jobs, said.notices) == (silent.scope, silent.jobs, silent.notices)
    assert sum(keys.count("\n") for keys in tables.values()) >= 25


def test_what_is_shown_as_a_default_of_a_rule_is_the_default() -> None:
    """The same of rules, and of what they apply to."""
    bare = '[[jobs.tag-audit.rules]]\nname = "a"\nmax_tags = 45\n'
    applies = f"[jobs.tag-audit.rules.applies_to]\n{defaults('`applies_to` of a rule')}"
    said = read(bare + defaults("`[[jobs.tag-audit.rules]]`") + applies)

    assert said.problems == ()
    assert said.jobs == read(bare).jobs
    assert set(re.findall("^[a-z_]+(?= = )", applies, re.MULTILINE)) == set(AppliesTo.__struct_fields__)


@pytest.mark.parametrize(
    ("heading", "key", "words"),
    [
        ("`[jobs.tag-audit]`", "mode", Mode),
        ("`[jobs.cleanup]`", "mode", Mode),
        ("`[[jobs.tag-audit.rules]]`", "format", Format),
        ("`[[jobs.tag-audit.rules]]`", "severity", Severity),
        ("`[[jobs.tag-audit.rules]]`", "mode", RuleMode),
        ("`[[jobs.tag-audit.rules]]`", "inherit_from", Parent),
        ("`applies_to` of a rule", "kinds", Kind),
        ("`[notices]`", "on", NoticeKind),
    ],
)
def test_words_of_a_key(heading: str, key: str, words: type[StrEnum]) -> None:
    """Where a key takes one of a few words, all of them are named, in the order of their type."""
    assert re.findall(r'`"([a-z-]+)"`', row(heading, key).value) == list(words)


@pytest.mark.parametrize(
    ("heading", "key"), [("`[[jobs.tag-audit.rules]]`", "mode"), ("`[notices]`", "on")], ids=["mode", "on"]
)
def test_words_that_need_one_are_explained(heading: str, key: str) -> None:
    """What the words of a mode and of notices mean is told, word by word."""
    found = row(heading, key)

    assert set(re.findall(r'`"([a-z-]+)"`', found.value)) <= set(re.findall(r"`([a-z-]+)`", found.meaning))


NUMBERS = [
    ("`[jobs.tag-audit]`", "max_changes"),
    ("`[[jobs.tag-audit.rules]]`", "max_tags"),
    ("`[jobs.cleanup]`", "max_deletions"),
    ("`[jobs.watchdog]`", "retention_days"),
]


@pytest.mark.parametrize(("heading", "key"), NUMBERS, ids=[key for _, key in NUMBERS])
def test_numbers(heading: str, key: str) -> None:
    """The first and the last number that are named are taken, the ones beyond refused: by the app and by editors."""
    least, most = map(int, re.findall(r"\d+", row(heading, key).value))
    expected = {least - 1: False, least: True, most: True, most + 1: False}
    name = 'name = "a"\n' if heading.startswith("`[[") else ""
    texts = {number: f"{heading.strip('`')}\n{name}{key} = {number}\n" for number in expected}

    assert {number: read(text).problems == () for number, text in texts.items()} == expected
    assert {number: is_valid(text) for number, text in texts.items()} == expected


def test_every_number_has_its_bounds() -> None:
    """The keys that take a whole number are those that are tried."""
    found = [(heading, each.key) for heading in TABLES for each in rows(heading) if "whole number from" in each.value]

    assert found == NUMBERS


@pytest.mark.parametrize("job", ["tag-audit", "cleanup"])
@pytest.mark.parametrize(("share", "taken"), [("0.0", False), ("0.001", True), ("1.0", True), ("1.001", False)])
def test_shares(job: str, share: str, *, taken: bool) -> None:
    """A share is over 0 and at most 1, as is said."""
    text = f"[jobs.{job}]\nmax_share = {share}\n"

    assert row(f"`[jobs.{job}]`", "max_share").value == "a number over 0 and at most 1"
    assert (read(text).problems == ()) is taken
    assert is_valid(text) is taken


@pytest.mark.parametrize("key", ["name", "tag", "message", "pattern", "default"])
def test_lengths(key: str) -> None:
    """A text of a rule may be as long as is said, and no longer."""
    longest = max(map(int, re.findall(r"\d+", row("`[[jobs.tag-audit.rules]]`", key).value)))

    def text(length: int) -> str:
        said = {"name": "a", "tag": "b", "pattern": ".*"} | {key: "a" * length}
        return "[[jobs.tag-audit.rules]]\nrequired = true\n" + "".join(f'{each} = "{said[each]}"\n' for each in said)

    assert read(text(longest)).problems == ()
    assert [each.place.rpartition(".")[2] for each in read(text(longest + 1)).problems] == [key]
    assert is_valid(text(longest))
    assert not is_valid(text(longest + 1))


class TestSchema:
    """docs/steward.schema.json, which has the same texts."""

    def test_every_key_is_described(self) -> None:
        """As on the page, with what holds where it is left out."""
        kinds: list[type[msgspec.Struct]] = [Scope, Notices, TagRule, AppliesTo, Exemption]
        kinds += [*JOBS.values(), RuleSettings, ExpiredSettings, StaleSettings]
        for kind in kinds:
            described = schema()["$defs"][kind.__name__]["properties"]
            meanings = meanings_of(kind)
            assert set(described) == set(meanings) == set(kind.__struct_fields__)
            for key, meaning in meanings.items():
                suffix = f" Without it: {meaning.without}." if meaning.without else ""
                assert described[key]["description"] == meaning.text + suffix, key

    def test_it_takes_what_is_shown(self) -> None:
        """An editor finds nothing wrong with the file that ships, and with the examples of README."""
        examples = [block.text for block in Page(ROOT / "README.md").blocks if block.info == "toml"]

        assert len(examples) == 3
        for text in [(ROOT / "steward.toml").read_text(), *examples]:
            assert [str(error) for error in SCHEMA.iter_errors(document(text))] == [], text

    @pytest.mark.parametrize(
        ("text", "taken"),
        [
            ('[scope]\nmanagement_groups = ["mg-platform", "(a)"]', True),
            ('[scope]\nmanagement_groups = ["mg/platform"]', False),
            (f'[scope]\nmanagement_groups = ["{"a" * 90}"]', True),
            (f'[scope]\nmanagement_groups = ["{"a" * 91}"]', False),
            ('[scope]\nmanagement_groups = ["a\\n"]', False),
            ('[jobs.cleanup]\ndelete_window = "22:00-06:00"', True),
            ('[jobs.cleanup]\ndelete_window = "22-6"', False),
            ('[jobs.watchdog]\nexpect_within = "1 hour"', False),
            ('[jobs.watchdog]\nexpectwithin = "1h"', False),
            ("[jobs.tag-audit]\n" + EXEMPTION, True),
            (EXEMPTION.replace('"Closes."', '""'), False),
        ],
        ids=[
            "ids", "no id", "longest id", "too long", "two lines", "window", "no window", "no duration", "no key",
            "exemption", "no reason",
        ],
    )  # fmt: skip
    def test_an_editor_says_what_the_app_says(self, text: str, *, taken: bool) -> None:
        """What the app takes an editor takes, and what it refuses that is refused there too."""
        assert is_valid(text) is taken
        assert (read(text).problems == ()) is taken

    def test_patterns_are_those_of_editors(self) -> None:
        r"""No pattern has what only Python knows: \A and \Z are letters to the regular expressions of ECMA."""
        assert re.findall(r"\\\\[AZ]", json.dumps(schema())) == []


@pytest.mark.parametrize(
    ("described", "words"),
    [
        ({"type": "boolean"}, "`true` or `false`"),
        ({"type": "string"}, "a text"),
        ({"type": "string", "minLength": 1}, "a text, not blank"),
        ({"type": "string", "maxLength": 9}, "a text of at most 9 characters"),
        ({"type": "string", "minLength": 1, "maxLength": 9}, "a text of 1 to 9 characters"),
        ({"type": "string", "pattern": "a+", "title": "some a", "examples": ["a"]}, 'some a, such as `"a"`'),
        ({"type": "string", "title": "b", "examples": ["a", "b", "c"]}, 'b, such as `"a"`, `"b"` or `"c"`'),
        (
            {"type": "array", "minItems": 1, "items": {"type": "boolean"}},
            "a list of one or more, each `true` or `false`",
        ),
        ({"type": "array", "items": {"type": "string", "title": "a glob"}}, "a list, each a glob"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "a table, each value a text"),
    ],
)
def test_words_of_a_value(described: dict[str, object], words: str) -> None:
    assert value_of(described) == words


def test_a_pattern_needs_words() -> None:
    """One without them is not printed, so that nobody has to read a regular expression."""
    with pytest.raises(KeyError, match="title"):
        value_of({"type": "string", "pattern": "a+"})
