"""What values a rule accepts, and what it offers instead."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.errors import SettingsError
from shared_code.tag_values import Values, compile_pattern
from tests.tagging import rule


def values(**said: Any) -> Values:
    return Values(rule(**said), {})


class TestAccepted:
    def test_values_compare_with_case(self) -> None:
        assert values(allowed=("dev",)).accepts("dev")
        assert not values(allowed=("dev",)).accepts("Dev")

    def test_unless_the_rule_says_otherwise(self) -> None:
        assert values(allowed=("dev",), ignore_case=True).accepts("DEV")

    def test_a_pattern_is_for_the_whole_value(self) -> None:
        code = values(pattern="CC-[0-9]+")

        assert code.accepts("CC-12")
        assert not code.accepts("x CC-12")
        assert not code.accepts("CC-12\n")

    def test_a_value_to_replace_is_not_accepted(self) -> None:
        mapped = values(replace={"prd": "prod"})

        assert not mapped.accepts("prd")
        assert mapped.accepts("prod")
        assert mapped.replaced("prd") == "prod"

    def test_every_check_counts(self) -> None:
        both = values(allowed=("a1", "b"), pattern="[a-z][0-9]")

        assert both.accepts("a1")
        assert not both.accepts("b")
        assert not both.accepts("c3")

    def test_values_may_come_from_a_file(self) -> None:
        listed = Values(rule(allowed_from="owners.txt"), {"owners.txt": ["web", "data"]})

        assert listed.accepts("web")
        assert not listed.accepts("dev")

    @pytest.mark.parametrize("lists", [{}, {"owners.txt": []}])
    def test_a_file_that_was_not_read_accepts_nothing_and_says_so(self, lists: dict[str, list[str]]) -> None:
        """A rule that cannot be evaluated never yields compliance."""
        with pytest.raises(SettingsError, match=r"'a-rule' takes its values from 'owners\.txt', which was not read"):
            Values(rule(allowed_from="owners.txt"), lists)

    @given(value=some.text(some.characters(), max_size=40))
    def test_any_value_is_judged_the_same_twice(self, value: str) -> None:
        judge = values(allowed=("dev", "prod"), pattern="(a+)+b|dev", format=None)

        assert judge.accepts(value) == judge.accepts(value) == (value == "dev")

    def test_what_is_remembered_is_bounded(self) -> None:
        judge = values(pattern="[0-9]+")

        assert all(judge.accepts(str(number)) for number in range(10_000))
        assert not judge.accepts("x" * 100_000)
        assert len(judge._judged) <= 4096


class TestTheEngine:
    """RE2 has no backtracking, so that no tag makes a run slow."""

    def test_patterns_are_compiled_by_re2(self) -> None:
        assert type(compile_pattern("(a+)+b")).__module__ == "re2"

    def test_a_nasty_pattern_meets_a_long_value(self) -> None:
        assert not values(pattern="(a+)+b").accepts("a" * 100_000)

    @pytest.mark.parametrize(
        ("pattern", "reason"),
        [
            ("(?<=a)b", r"invalid perl operator: \(\?<="),
            ("[", r"missing \]: \["),
            ("a{2000}", "invalid repetition size"),
            (r"(a)\1", r"invalid escape sequence: \\1"),
            ("\ud800", "surrogates not allowed"),
        ],
    )
    def test_what_needs_backtracking_is_refused(self, pattern: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            compile_pattern(pattern)


class TestNearest:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [("Prod", "prod"), (" prod ", "prod"), ("prodd", "prod"), ("devel", "dev"), ("zzz", None), ("p" * 100, None)],
    )
    def test_is_an_allowed_value(self, value: str, expected: str | None) -> None:
        assert values(allowed=("dev", "prod")).nearest(value) == expected

    def test_is_what_replaces_the_value(self) -> None:
        assert values(allowed=("dev", "live"), replace={"prod": "live"}).nearest("prod") == "live"

    def test_of_thousands_is_found_among_its_neighbours(self) -> None:
        many = tuple(f"{letter}{number:04}" for letter in "abcdefghij" for number in range(500))

        assert values(allowed=many).nearest("C0123x") == "c0123"

    def test_there_is_none_without_a_list(self) -> None:
        assert values(pattern="x+").nearest("y") is None


class TestWords:
    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ({}, "a value"),
            ({"allowed": ("dev",)}, "'dev'"),
            ({"allowed": ("dev", "pro\nd")}, "one of 'dev', 'pro d'"),
            ({"allowed": tuple("abcdefghij")}, "one of 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' and 2 more"),
            ({"pattern": "CC-[0-9]+"}, "a value that matches CC-[0-9]+"),
        ],
    )
    def test_say_what_is_expected(self, said: dict[str, Any], expected: str) -> None:
        assert values(**said).expected == expected
