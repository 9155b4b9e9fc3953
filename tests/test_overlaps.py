"""Whether two rules can be about the same thing, as far as their texts show."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.model import Kind
from shared_code.overlaps import can_overlap, meet
from shared_code.tag_rules import AppliesTo


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("*", "", True),
        ("rg-*", "RG-WEB", True),
        ("rg-*-prod", "rg-web-*", True),
        ("rg-a*", "rg-b*", False),
        ("*a", "*b", False),
        ("a?c", "abc", True),
        ("a?", "a", False),
        ("[ab]x", "bx", True),
        ("[ab]x", "cx", False),
        ("", "a", False),
    ],
)
def test_globs_meet(one: str, other: str, expected: bool) -> None:
    assert meet(one, other) is meet(other, one) is expected


GLOB = some.text("ab*?", max_size=6)


@given(one=GLOB, other=GLOB, text=some.text("ab", max_size=8))
def test_globs_that_match_one_text_meet(one: str, other: str, text: str) -> None:
    if fnmatchcase(text, one) and fnmatchcase(text, other):
        assert meet(one, other)


@given(one=some.text("ab", max_size=6), other=GLOB)
def test_a_text_meets_what_matches_it(one: str, other: str) -> None:
    assert meet(one, other) == fnmatchcase(one, other)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (AppliesTo(), AppliesTo(), True),
        (AppliesTo(kinds=(Kind.RESOURCE_GROUP,)), AppliesTo(), False),
        (AppliesTo(resource_groups=("rg-prod-*",)), AppliesTo(resource_groups=("rg-dev-*",)), False),
        (AppliesTo(exclude_resource_groups=("rg-x",)), AppliesTo(resource_groups=("RG-X",)), False),
        (AppliesTo(exclude_resource_groups=("rg-*",)), AppliesTo(resource_groups=("rg-a-*",)), False),
        (AppliesTo(exclude_resource_groups=("rg-?",)), AppliesTo(resource_groups=("rg-*",)), True),
        (AppliesTo(locations=("West Europe",)), AppliesTo(locations=("westeurope",)), True),
        (AppliesTo(tags={"env": "prod"}), AppliesTo(tags={"ENV": "dev"}), False),
        (AppliesTo(tags={"env": "prod"}), AppliesTo(exclude_tags={"Env": "pr*"}), False),
        (AppliesTo(exclude_tags={"Env": "*"}), AppliesTo(tags={"env": "prod"}), False),
        (AppliesTo(tags={"env": "prod"}), AppliesTo(tags={"tier": "1"}), True),
    ],
)
def test_conditions_overlap(one: AppliesTo, other: AppliesTo, expected: bool) -> None:
    assert can_overlap(one, other) is can_overlap(other, one) is expected
