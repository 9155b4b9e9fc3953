"""The change a rule allows: it mends the rule, touches nothing else, and loses no value."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from shared_code.model import Subject, TagChange, Tags
from shared_code.tag_changes import course_of, matches, problem_of
from shared_code.tag_check import Check
from shared_code.tag_keys import MOST_TAGS, fold, is_hidden
from shared_code.tag_rules import Parent, TagRule
from shared_code.tag_suggestions import applied, propose
from tests.tagging import MENDING, NEAR_TAGS, RULES_ABOUT_ALL, SUBJECTS, TAGS, group, resource, rule, subscription

NOBODY: Tags = {}


def proposed(
    subject: Subject, *, group_tags: Tags | None = NOBODY, subscription_tags: Tags | None = NOBODY, **said: Any
) -> TagChange | str | None:
    """What is proposed for the first violation."""
    check = Check(rule(**said), {})
    violation = check.violations(subject.tags)[0]
    return propose(check, violation, subject, group_tags=group_tags, subscription_tags=subscription_tags)


INHERIT: dict[str, Any] = {"required": True, "inherit_from": Parent.RESOURCE_GROUP}


class TestInherit:
    def test_takes_the_value_of_the_group(self) -> None:
        assert proposed(resource(), group_tags={"ENV": "dev"}, **INHERIT) == TagChange(set={"env": "dev"})

    def test_takes_the_value_of_the_subscription(self) -> None:
        said = INHERIT | {"inherit_from": Parent.SUBSCRIPTION}

        assert proposed(group(), subscription_tags={"env": "dev"}, **said) == TagChange(set={"env": "dev"})

    def test_fills_the_key_that_is_there_as_it_is_spelled(self) -> None:
        assert proposed(resource({"Env": " "}), group_tags={"env": "dev"}, **INHERIT) == TagChange(set={"Env": "dev"})

    def test_knows_aliases_and_replacements(self) -> None:
        said = INHERIT | {"aliases": ("stage",), "replace": {"prd": "prod"}}

        assert proposed(resource(), group_tags={"Stage": "prd"}, **said) == TagChange(set={"env": "prod"})

    @pytest.mark.parametrize(
        ("subject", "group_tags", "expected"),
        [
            (resource(), None, "the tags of its resource group are not known"),
            (resource(), {}, "its resource group has no such tag"),
            (resource(), {"env": " "}, "its resource group has no such tag"),
            (resource(), {"env": "a", "ENV": "b"}, "its resource group has no such tag"),
            (resource(), {"env": "x"}, "its resource group has the value 'x', which breaks the rule"),
            (group(), {"env": "dev"}, "a resource group is in no resource group"),
            (subscription(), {"env": "dev"}, "a subscription is in no resource group"),
        ],
        ids=["unread", "none", "blank", "two", "wrong", "group", "subscription"],
    )
    def test_says_why_not(self, subject: Subject, group_tags: Tags | None, expected: str) -> None:
        said = INHERIT | {"allowed": ("dev", "a", "b")}

        assert proposed(subject, group_tags=group_tags, **said) == expected

    def test_the_default_is_for_where_there_is_none(self) -> None:
        said = INHERIT | {"default": "unknown"}

        assert proposed(resource(), group_tags={}, **said) == TagChange(set={"env": "unknown"})

    def test_and_not_for_where_nobody_knows(self) -> None:
        said = INHERIT | {"default": "unknown"}

        assert proposed(resource(), group_tags=None, **said) == "the tags of its resource group are not known"


REPLACE: dict[str, Any] = {"allowed": ("dev", "prod"), "replace": {"prd": "prod"}}


class TestReplace:
    def test_maps_the_value(self) -> None:
        assert proposed(resource({"Env": "prd"}), **REPLACE) == TagChange(set={"Env": "prod"})

    def test_says_nothing_of_another(self) -> None:
        assert proposed(resource({"Env": "x"}), **REPLACE) == "the rule says nothing about the value 'x'"

    def test_never_puts_a_default_in_its_place(self) -> None:
        said: dict[str, Any] = {"allowed": ("dev",), "required": True, "default": "dev", "inherit_from": "subscription"}

        assert proposed(resource({"env": "x"}), **said) is None


RENAME: dict[str, Any] = {"aliases": ("stage",), "spelling": True, "rename": True}


class TestRename:
    def test_moves_the_value_of_an_alias(self) -> None:
        expected = TagChange(set={"env": "dev"}, remove=("Stage",))

        assert proposed(resource({"Stage": "dev"}), **RENAME) == expected

    def test_spells_the_key_anew(self) -> None:
        assert proposed(resource({"ENV": "dev"}), **RENAME) == TagChange(set={"env": "dev"}, remove=("ENV",))

    def test_removes_an_alias_that_says_the_same(self) -> None:
        assert proposed(resource({"env": "dev", "Stage": "dev"}), **RENAME) == TagChange(remove=("Stage",))

    def test_does_not_choose_between_two_values(self) -> None:
        expected = "'env' and 'Stage' are there at once; decide by hand which one is meant"

        assert proposed(resource({"env": "dev", "Stage": "prod"}), **RENAME) == expected

    def test_mends_the_value_too(self) -> None:
        said = RENAME | {"allowed": ("prod",), "replace": {"prd": "prod"}}

        assert proposed(resource({"Stage": "prd"}), **said) == TagChange(set={"env": "prod"}, remove=("Stage",))

    def test_does_not_move_a_value_that_stays_wrong(self) -> None:
        said = RENAME | {"allowed": ("prod",)}

        assert proposed(resource({"Stage": "x"}), **said) == "the rule says nothing about the value 'x'"


class TestNothing:
    def test_is_said_of_what_a_rule_only_reports(self) -> None:
        assert proposed(resource(), required=True) is None
        assert proposed(resource({"env": "x"}), forbidden=True) is None
        assert proposed(resource({"a": "", "b": ""}), tag=None, max_tags=1) is None

    def test_is_done_beyond_what_azure_keeps(self) -> None:
        full: Tags = {f"k{number}": "" for number in range(MOST_TAGS)}
        expected = "there would be 51 tags, and Azure allows 50"

        assert proposed(resource(full), required=True, default="dev") == expected

    def test_is_done_that_needs_one_tag_too_many_for_a_moment(self) -> None:
        """The new key is there before the old one goes."""
        full: Tags = {**{f"k{number}": "" for number in range(MOST_TAGS - 1)}, "stage": "dev"}

        found = proposed(resource(full), aliases=("stage",), rename=True)

        assert found == "there would be 51 tags, and Azure allows 50"

    def test_is_done_that_leaves_the_rule_broken(self) -> None:
        said: dict[str, Any] = {"allowed": ("prod",), "replace": {"prd": "prod"}, "aliases": ("stage",)}
        check = Check(rule(**said), {})
        value = check.violations({"Stage": "prd"})[1]

        found = propose(check, value, resource({"Stage": "prd"}), group_tags={}, subscription_tags={})

        assert found == (
            "the rule would still be broken: the tag 'Stage' is another spelling or name of 'env'; "
            "expected the key 'env'"
        )

    def test_is_done_where_two_spellings_are_there(self) -> None:
        found = proposed(resource({"ENV": "", "Env": ""}), required=True, default="dev")

        assert found == "'ENV' and 'Env' are there at once; decide by hand which one is meant"


class TestAnything:
    @given(
        judged=MENDING | RULES_ABOUT_ALL,
        subject=some.builds(resource, NEAR_TAGS) | some.builds(group, NEAR_TAGS) | SUBJECTS,
        group_tags=some.none() | NEAR_TAGS | TAGS,
        subscription_tags=some.none() | NEAR_TAGS | TAGS,
    )
    @example(rule(required=True, default="dev", rename=True, spelling=True), resource({"Env": ""}), {}, {})
    @settings(max_examples=2000)
    def test_a_change_mends_its_rule_and_touches_nothing_else(
        self, judged: TagRule, subject: Subject, group_tags: Tags | None, subscription_tags: Tags | None
    ) -> None:
        check = Check(judged, {})
        own = {check.key, *check.aliases}
        for violation in check.violations(subject.tags):
            found = propose(check, violation, subject, group_tags=group_tags, subscription_tags=subscription_tags)
            if isinstance(found, TagChange):
                after = applied(subject.tags, found)

                assert check.violations(after) == []
                assert {fold(key) for key in (*found.set, *found.remove)} <= own
                assert not any(is_hidden(key) for key in (*found.set, *found.remove))
                assert {key: value for key, value in after.items() if fold(key) not in own} == {
                    key: value for key, value in subject.tags.items() if fold(key) not in own
                }
                assert set(found.remove) <= set(subject.tags)
                assert len({fold(key) for key in found.remove}) == len(found.remove)
                assert len({fold(key) for key in after}) <= MOST_TAGS
                assert found.set or found.remove
                assert problem_of(found) is None
                assert matches(after, course_of(found, subject.tags).views[-1])
            else:
                assert found is None or ("\n" not in found and found)

    @given(tags=NEAR_TAGS | TAGS)
    def test_renaming_loses_no_value(self, tags: Tags) -> None:
        check = Check(rule(aliases=("stage", "owner"), spelling=True, rename=True), {})
        before = {value or "" for key, value in tags.items() if fold(key) in {check.key, *check.aliases}}
        for violation in check.violations(tags):
            found = propose(check, violation, resource(tags), group_tags=None, subscription_tags=None)
            if isinstance(found, TagChange):
                assert before <= {value or "" for value in applied(tags, found).values()}
