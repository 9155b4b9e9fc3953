"""Rules that cannot be kept, contradict themselves or each other, or do not do what they look like."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.audits import TagRules
from shared_code.model import Kind
from shared_code.rule_problems import cautions_of, is_file_name, problems_of
from shared_code.tag_formats import Format
from shared_code.tag_rules import AppliesTo, Parent, RuleMode, TagRule
from tests.tagging import RULES, rule


def problems(*rules: TagRule, **lists: list[str] | None) -> list[str]:
    found = problems_of([(f"rules[{index}]", each) for index, each in enumerate(rules)], lists)
    return [f"{place}: {text}" for place, text in found]


def cautions(*rules: TagRule) -> list[str]:
    return [f"{place}: {text}" for place, text in cautions_of([("r", each) for each in rules])]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {"name": "A b", "required": True},
            (
                "r.name: 'A b' is no name of a rule; write at most 80 lower-case letters, digits and single hyphens, "
                "as in 'cost-center'"
            ),
        ),
        ({"required": True, "message": " "}, "r.message: must have 1 to 1000 characters"),
        (
            {"tag": "a/b", "required": True},
            "r.tag: 'a/b' contains /, which Azure allows in no key; remove it",
        ),
        (
            {"aliases": ("stage", "ENV")},
            ("r.aliases[1]: 'ENV' is the tag itself or an earlier alias, since keys compare without case; remove it"),
        ),
        (
            {"aliases": ("hidden-x",)},
            (
                "r.aliases[0]: 'hidden-x' begins with 'hidden-'; such tags are the portal's, and Steward leaves them "
                "alone"
            ),
        ),
        (
            {},
            "r: checks nothing; add required, allowed, pattern, format, spelling, aliases, forbidden or max_tags",
        ),
        ({"tag": None, "required": True}, "r: has no 'tag'; add the key that it is about"),
        ({"max_tags": 51}, "r.max_tags: 51 is not from 1 to 50, which is as many as Azure keeps"),
        (
            {"required": True, "forbidden": True, "default": "x"},
            "r.forbidden: contradicts required, default in the same rule; make two rules, or remove one side",
        ),
        (
            {"allowed": ()},
            "r.allowed: is empty, so that no value would do; name the values, or remove it",
        ),
        (
            {"allowed": ("dev", "x" * 257)},
            f"r.allowed[1]: '{'x' * 79}…' has 257 characters; Azure allows a value 256",
        ),
        (
            {"allowed": ("a", "B"), "pattern": "[a-z]"},
            "r.allowed[1]: 'B' does not match the pattern of the same rule; mend one of the two",
        ),
        (
            {"allowed": ("1", "x"), "format": Format.NUMBER},
            "r.allowed[1]: 'x' is not a number such as 1200 or 0.5, as the format of the same rule wants it",
        ),
        (
            {"pattern": "(?<=a)b"},
            (
                "r.pattern: is no pattern of RE2: invalid perl operator: (?<=; see "
                "https://github.com/google/re2/wiki/Syntax"
            ),
        ),
        ({"pattern": ""}, "r.pattern: has 0 characters; write 1 to 1000"),
        (
            {"required": True, "default": ""},
            "r.default: '' breaks its own rule (empty); expected a value",
        ),
        (
            {"required": True, "allowed": ("dev",), "default": "x"},
            "r.default: 'x' breaks its own rule (value); expected 'dev'",
        ),
        (
            {"allowed": ("dev",), "replace": {"x": "y"}},
            "r.replace: 'y', which replaces 'x', breaks its own rule (value); expected 'dev'",
        ),
        (
            {"replace": {"a": "b", "b": "c"}},
            "r.replace: 'b', which replaces 'a', breaks its own rule (value); expected a value",
        ),
        (
            {"allowed": ("dev", "x"), "replace": {"x": "dev"}},
            "r.replace: 'x' is to be replaced, and is allowed as well; remove it from one",
        ),
        (
            {"required": True, "applies_to": AppliesTo(types=())},
            "r.applies_to.types: is empty, so that the rule is about nothing; remove it, or name what is meant",
        ),
        (
            {"required": True, "applies_to": AppliesTo(tags={" ": "x"})},
            "r.applies_to.tags: has a blank key; write the key of a tag",
        ),
        (
            {"allowed": ("a",), "allowed_from": "x.txt"},
            "r.allowed_from: stands beside allowed; write one of the two",
        ),
    ],
)
def test_a_rule_alone(said: dict[str, Any], expected: str) -> None:
    found = problems_of([("r", rule(**said))], {"x.txt": ["a"]})

    assert [f"{place}: {text}" for place, text in found] == [expected]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (None, "the file 'x.txt' cannot be read; put it beside steward.toml, one value a line"),
        ([], "the file 'x.txt' has no values; write one a line"),
        (["ok", "9", "8"], "in 'x.txt' '9' does not match the pattern of the same rule; mend one of the two"),
    ],
)
def test_a_file_of_values(lines: list[str] | None, expected: str) -> None:
    found = problems_of([("r", rule(allowed_from="x.txt", pattern="[a-z]+"))], {"x.txt": lines})

    assert list(found) == [("r.allowed_from", expected)]


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a\\b", "c:x", "", "..", "a\nb"])
def test_a_file_is_beside_steward_toml(name: str) -> None:
    assert not is_file_name(name)
    assert next(problems_of([("r", rule(allowed_from=name))], {}))[1].endswith("without folders")


class TestTwoRules:
    REQUIRED = rule(name="one", required=True)

    def test_of_one_name(self) -> None:
        assert problems(self.REQUIRED, rule("x", name="one", required=True)) == [
            "rules[1].name: 'one' is the name of an earlier rule; choose another"
        ]

    def test_that_require_and_forbid(self) -> None:
        assert problems(self.REQUIRED, rule("ENV", name="two", forbidden=True)) == [
            (
                "rules[1]: forbids 'ENV' against the rule 'one', and both can apply to the same thing; part them by "
                "applies_to, or remove one"
            )
        ]

    def test_that_are_about_different_things(self) -> None:
        apart = AppliesTo(kinds=(Kind.RESOURCE_GROUP,))

        assert problems(self.REQUIRED, rule(name="two", forbidden=True, applies_to=apart)) == []

    def test_that_spell_one_key_in_two_ways(self) -> None:
        assert problems(rule(name="one", spelling=True), rule("Env", name="two", spelling=True)) == [
            "rules[1]: spells 'Env' against the rule 'one', and both can apply to the same thing; choose one spelling"
        ]

    def test_that_share_no_value(self) -> None:
        assert problems(rule(name="one", allowed=("a",)), rule(name="two", allowed=("b",))) == [
            (
                "rules[1]: allows no value that is allowed by the rule 'one', and both can apply to the same thing; "
                "part them by applies_to, or allow one in both"
            )
        ]
        assert problems(rule(name="one", allowed=("a", "b")), rule(name="two", allowed=("b",))) == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {"required": True, "default": "x"},
            "r.default: is only suggested while mode is 'report'; write mode = \"approve\" to have changes planned",
        ),
        (
            {"required": True, "mode": RuleMode.APPROVE},
            "r.mode: 'approve' plans nothing, as no inherit_from, default, replace or rename says what to change",
        ),
        (
            {"allowed": ("x",), "default": "x", "mode": RuleMode.APPROVE},
            "r.default: does nothing for a missing tag unless the rule has required = true",
        ),
        (
            {"required": True, "rename": True, "mode": RuleMode.APPROVE},
            "r.rename: does nothing without spelling = true or aliases",
        ),
        (
            {"pattern": "x", "ignore_case": True},
            "r.ignore_case: does nothing without allowed, allowed_from or replace; a pattern can begin with (?i)",
        ),
        (
            {
                "required": True,
                "inherit_from": Parent.RESOURCE_GROUP,
                "mode": RuleMode.AUTOMATIC,
                "applies_to": AppliesTo(kinds=(Kind.RESOURCE_GROUP,)),
            },
            "r.inherit_from: does nothing, as none of applies_to.kinds is in a resource group",
        ),
    ],
)
def test_what_may_surprise(said: dict[str, Any], expected: str) -> None:
    assert cautions(rule(**said)) == [expected]
    assert problems(rule(**said)) == []


@given(rules=some.lists(RULES, max_size=3))
def test_rules_without_a_problem_can_be_compiled(rules: list[TagRule]) -> None:
    """Whatever is written, problems are sentences, and without one there is nothing to raise."""
    found = problems(*rules)

    assert all("\n" not in each for each in [*found, *cautions(*rules)])
    if not found:
        TagRules(rules)
