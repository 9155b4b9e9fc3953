"""How a set of tags breaks one rule."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.model import Tags
from shared_code.tag_check import Check
from shared_code.tag_keys import fold
from shared_code.tag_rules import TagRule
from shared_code.violations import Breach
from tests.tagging import RULES, TAGS, rule


def breaches(tags: Tags, **said: Any) -> list[tuple[str, str | None]]:
    return [(str(each.kind), each.key) for each in Check(rule(**said), {}).violations(tags)]


class TestRequired:
    @pytest.mark.parametrize("tags", [{"env": "dev"}, {"ENV": "dev"}])
    def test_is_kept_in_any_case(self, tags: Tags) -> None:
        assert breaches(tags, required=True) == []

    @pytest.mark.parametrize("tags", [{}, {"environment": "dev"}, {"env ": "dev"}])
    def test_is_broken_where_there_is_no_such_key(self, tags: Tags) -> None:
        assert breaches(tags, required=True) == [("missing", None)]

    @pytest.mark.parametrize("value", ["", "  ", None])
    def test_a_blank_value_is_none(self, value: str | None) -> None:
        assert breaches({"Env": value}, required=True) == [("empty", "Env")]

    def test_unless_it_is_allowed(self) -> None:
        """A tag such as DoNotDelete says all with its key."""
        assert breaches({"env": ""}, required=True, empty_allowed=True, allowed=("dev",)) == []

    def test_an_alias_is_no_missing_key_but_a_wrong_one(self) -> None:
        assert breaches({"Stage": "dev"}, required=True, aliases=("stage",)) == [("key", "Stage")]

    def test_an_alias_has_the_value_too(self) -> None:
        said: dict[str, Any] = {"aliases": ("stage",), "allowed": ("dev",)}

        assert breaches({"Stage": "x"}, **said) == [("key", "Stage"), ("value", "Stage")]


class TestValue:
    def test_must_be_accepted_wherever_the_key_is_there(self) -> None:
        assert breaches({"Env": "Dev"}, allowed=("dev",)) == [("value", "Env")]
        assert breaches({}, allowed=("dev",)) == []

    def test_a_blank_one_that_is_not_accepted_is_empty(self) -> None:
        assert breaches({"env": ""}, allowed=("dev",)) == [("empty", "env")]
        assert breaches({"env": ""}, allowed=("dev", "")) == []

    def test_the_violation_says_what_was_expected_and_what_is_near(self) -> None:
        (found,) = Check(rule(allowed=("dev", "prod"), message="Ask web."), {}).violations({"env": "Prod"})

        assert (found.value, found.expected, found.nearest) == ("Prod", "one of 'dev', 'prod'", "prod")
        assert found.detail == (
            "the tag 'env' has the value 'Prod'; expected one of 'dev', 'prod'; the nearest is 'prod'. Ask web."
        )


def test_spelling_is_exact_where_it_is_asked_for() -> None:
    assert breaches({"Env": "dev"}, spelling=True) == [("key", "Env")]
    assert breaches({"env": "dev"}, spelling=True) == []


def test_a_forbidden_tag_is_so_in_any_case_and_under_every_name() -> None:
    assert breaches({"ENV": ""}, forbidden=True) == [("forbidden", "ENV")]
    assert breaches({"stage": "x"}, forbidden=True, aliases=("Stage",)) == [("forbidden", "stage")]
    assert breaches({}, forbidden=True) == []


def test_tags_are_counted_all_of_them() -> None:
    tags: Tags = {**{f"k{number}": "" for number in range(4)}, "hidden-title": "x"}

    assert breaches(tags, tag=None, max_tags=4) == [("count", None)]
    assert breaches(tags, tag=None, max_tags=5) == []


def test_of_two_spellings_at_once_each_is_judged() -> None:
    assert breaches({"env": "dev", "ENV": "x"}, allowed=("dev",)) == [("value", "ENV")]


class TestAnything:
    @given(judged=RULES, tags=TAGS, order=some.randoms())
    def test_the_order_of_tags_does_not_matter(self, judged: TagRule, tags: Tags, order: Any) -> None:
        shuffled = list(tags.items())
        order.shuffle(shuffled)

        assert Check(judged, {}).violations(tags) == Check(judged, {}).violations(dict(shuffled))

    @given(judged=RULES, tags=TAGS)
    def test_each_kind_is_said_once(self, judged: TagRule, tags: Tags) -> None:
        kinds = [each.kind for each in Check(judged, {}).violations(tags)]

        assert len(kinds) == len(set(kinds))

    @given(judged=RULES, tags=TAGS)
    def test_keys_compare_without_case(self, judged: TagRule, tags: Tags) -> None:
        """Only the spelling itself is seen."""
        folded = {fold(key): value for key, value in tags.items()}
        if len(folded) == len(tags):
            found, again = ({each.kind for each in Check(judged, {}).violations(each)} for each in (tags, folded))

            assert found - {Breach.KEY} == again - {Breach.KEY}

    @given(judged=RULES, tags=TAGS)
    def test_what_was_seen_before_does_not_matter(self, judged: TagRule, tags: Tags) -> None:
        check = Check(judged, {})

        assert check.violations(tags) == check.violations(tags) == Check(judged, {}).violations(tags)

    @given(judged=RULES, tags=TAGS)
    def test_each_violation_reads_as_one_line(self, judged: TagRule, tags: Tags) -> None:
        for each in Check(judged, {}).violations(tags):
            assert each.detail.isprintable() or "\n" not in each.detail
            assert "\u202e" not in each.detail


class TestWhatBreaksARuleAlike:
    def test_is_one_violation_so_that_it_is_put_in_words_once(self) -> None:
        check = Check(rule(allowed=("dev",), aliases=("stage",), max_tags=2), {})
        other = {"a": "x", "b": "y"}

        (wrong, many), (again, as_many) = (check.violations({"Env": "x", **other, name: "1"}) for name in "cd")

        assert wrong is again
        assert many is as_many
        assert wrong is not check.violations({"Env": "y"})[0]
        assert check.violations({"Env": "x"})[0].detail is wrong.detail

    def test_is_forgotten_where_there_is_too_much_of_it(self) -> None:
        """Whoever writes tags decides how many values there are, and how long."""
        check = Check(rule(allowed=("dev",), max_tags=1), {})
        for number in range(3_000):
            check.violations({"env": f"x{number}"})
        held = len(check._known)

        check.violations({"env": "x" * 100_000})
        check.violations({f"k{number}": "" for number in range(5_000)})

        assert held <= 512
        assert len(check._known) == held
        assert check._counted == {}
