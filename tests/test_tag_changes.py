"""The writes of one change of tags, what forbids it, and what takes it back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.simulator import tagging
from shared_code.model import TagChange, Tags
from shared_code.tag_changes import (
    Course,
    Operation,
    Write,
    course_of,
    difference,
    inverse,
    obstacle,
    problem_of,
    retreat,
)
from tests.tag_model import Plain, carried, changes_of, tag_sets, untouched, wanted_of


def made(present: Plain, write: Write) -> Plain:
    body = {"operation": write.operation.capitalize(), "properties": {"tags": write.tags}}
    return tagging.written(present, "PATCH", msgspec.json.encode(body))


def states(course: Course, before: Plain) -> list[Plain]:
    """The tags before the first write and after each."""
    found = [before]
    for write in course.writes:
        found.append(made(found[-1], write))
    return found


class TestCourse:
    def test_a_new_tag_is_one_merge(self) -> None:
        course = course_of(TagChange(set={"owner": "x"}), {"env": "prod"})

        assert course.writes == (Write(Operation.MERGE, {"owner": "x"}),)

    def test_a_rename_adds_the_new_key_before_it_removes_the_old_one_by_its_value(self) -> None:
        course = course_of(TagChange(set={"env": "prod"}, remove=("Environment",)), {"Environment": "prod"})

        assert course.writes == (
            Write(Operation.MERGE, {"env": "prod"}),
            Write(Operation.DELETE, {"Environment": "prod"}),
        )

    def test_another_case_goes_by_way_of_a_copy(self) -> None:
        course = course_of(TagChange(set={"Env": "prod"}, remove=("env",)), {"env": "prod"})

        assert course.writes == (
            Write(Operation.MERGE, {"steward-renaming-Env": "prod"}),
            Write(Operation.DELETE, {"env": "prod"}),
            Write(Operation.MERGE, {"Env": "prod"}),
            Write(Operation.DELETE, {"steward-renaming-Env": "prod"}),
        )

    def test_what_is_there_already_is_not_written(self) -> None:
        assert course_of(TagChange(set={"owner": "x"}, remove=("gone",)), {"OWNER": "x"}).writes == ()

    @given(st.data())
    def test_leads_to_what_is_wanted_and_never_drops_a_value(self, data: st.DataObject) -> None:
        before = data.draw(tag_sets())
        change = data.draw(changes_of(before))
        course = course_of(change, dict(before))
        passed = states(course, before)

        assert passed[-1] == wanted_of(change, before)
        for place, state in enumerate(passed):
            assert course.place(dict(state)) == place
            assert untouched(change, state) == untouched(change, before)
        kept = carried(change, before) & carried(change, passed[-1])
        assert all(kept <= carried(change, state) for state in passed)

    def test_the_spelling_of_a_key_matters_only_where_it_is_what_changes(self) -> None:
        """Azure keeps the spelling that is there, and somebody may have made it another one."""
        course = course_of(TagChange(set={"Owner": "x"}), {"owner": "y"})
        assert [course.place({spelled: value}) for spelled in ("owner", "Owner", "OWNER") for value in "yx"] == [
            0,
            1,
        ] * 3

        recased = course_of(TagChange(set={"Env": "prod"}, remove=("env",)), {"env": "prod"})
        places = [recased.place({spelled: "prod"}) for spelled in ("env", "Env", "ENV")]
        assert places == [0, recased.end, None]

    def test_says_which_tag_does_not_fit(self) -> None:
        course = course_of(TagChange(set={"env": "prod"}, remove=("Environment",)), {"Environment": "prod"})

        assert course.place({"Environment": "test", "env": "prod"}) is None
        assert (
            difference(course, {"Environment": "test", "env": "prod"}) == "the tag 'Environment' has the value 'test'"
        )


class TestObstacle:
    @pytest.mark.parametrize(
        ("change", "seen", "present", "reason"),
        [
            (TagChange(set={"a": "1"}), {}, {"A": "2"}, "the tag 'a' was added, with the value '2', since"),
            (TagChange(set={"a": "1"}), {"a": "0"}, {"a": "2"}, "the tag 'a' was changed to '2' since the plan"),
            (TagChange(remove=("a",)), {"a": "0"}, {"a": "2"}, "the tag 'a' was changed to '2' since the plan"),
            (TagChange(set={"a": "1"}), {"a": "0"}, {}, "the tag 'a' was removed since the plan was made"),
            (TagChange(set={"a": "1"}), {"a": "0"}, {"A": "1"}, "it is already as wanted"),
            (TagChange(remove=("a",)), {"a": "0"}, {}, "it is already as wanted"),
            (TagChange(remove=("a",)), {"a": "0"}, {"a": "0", "A": "1"}, "several keys 'a' that differ in case alone"),
            (TagChange(set={"a": "1"}), {}, {str(n): "" for n in range(50)}, "there would be 51 tags"),
            (TagChange(set={"strasse": "1"}), {}, {"straße": "0"}, "Azure may take the key 'straße' for one"),
            (
                TagChange(set={"Env": "1"}, remove=("env",)),
                {"env": "1"},
                {"env": "1", "Steward-renaming-env": "0"},
                "the key 'Steward-renaming-env' is left from an earlier change",
            ),
            (TagChange(set={"hidden-link:x": "1"}), {}, {}, "what cannot be: the key 'hidden-link:x' is not one"),
        ],
    )
    def test_says_what_is_in_the_way(self, change: TagChange, seen: Tags, present: Tags, reason: str) -> None:
        assert reason in (obstacle(change, seen, present) or "")

    def test_other_tags_may_change_as_they_like(self) -> None:
        assert obstacle(TagChange(set={"a": "1"}), {"b": "0", "A": None}, {"a": "", "c": "2"}) is None

    def test_the_last_tag_that_azure_keeps_has_room(self) -> None:
        assert obstacle(TagChange(set={"a": "1"}), {}, {str(n): "" for n in range(49)}) is None

    def test_a_value_that_differs_in_case_is_another_value(self) -> None:
        assert obstacle(TagChange(remove=("a",)), {"a": "x"}, {"a": "X"}) is not None

    def test_hostile_text_is_shown_as_one_line(self) -> None:
        said = obstacle(TagChange(remove=("a",)), {"a": "x"}, {"a": "one\ntwo\u202e" + "z" * 300})

        assert said is not None
        assert said.isprintable()
        assert len(said) < 200


@pytest.mark.parametrize(
    "change",
    [
        TagChange(set={"": "x"}),
        TagChange(set={"k" * 513: "x"}),
        TagChange(set={"k": "x" * 257}),
        TagChange(set={"a/b": "x"}),
        TagChange(set={"a": "x", "A": "y"}),
        TagChange(remove=("a", "A")),
        TagChange(set={"a": "x"}, remove=("a",)),
        TagChange(remove=("hidden-title",)),
        TagChange(set={"Steward-Renaming-x": "y"}),
    ],
)
def test_what_no_change_may_be(change: TagChange) -> None:
    assert problem_of(change) is not None


@pytest.mark.parametrize(
    "change", [TagChange(set={"k" * 512: "x" * 256}), TagChange(set={"k": ""}, remove=("o" * 512,))]
)
def test_as_long_as_azure_allows(change: TagChange) -> None:
    assert problem_of(change) is None


class TestRetreat:
    CHANGE = TagChange(set={"Env": "prod"}, remove=("env",))

    def test_a_copy_goes_when_its_key_is_there(self) -> None:
        write = retreat(self.CHANGE, {"env": "prod", "steward-renaming-Env": "prod"})

        assert write == Write(Operation.DELETE, {"steward-renaming-Env": "prod"})

    def test_a_copy_stays_when_it_is_all_that_is_left_or_is_not_ours(self) -> None:
        assert retreat(self.CHANGE, {"steward-renaming-Env": "prod"}) is None
        assert retreat(self.CHANGE, {"env": "prod", "steward-renaming-Env": "other"}) is None


class TestInverse:
    @given(st.data())
    def test_gives_back_exactly_what_was_there_from_any_place_of_the_course(self, data: st.DataObject) -> None:
        before = data.draw(tag_sets())
        change = data.draw(changes_of(before))
        passed = states(course_of(change, dict(before)), before)
        present = data.draw(st.sampled_from(passed))
        known = data.draw(st.booleans())

        back = inverse(change, dict(before), dict(present) if known else None, dict(present))

        if present == before:
            assert back == "it is as it was before"
        else:
            assert isinstance(back, TagChange)
            assert states(course_of(back, dict(present)), present)[-1] == before

    def test_leaves_what_somebody_changed_since(self) -> None:
        change = TagChange(set={"env": "prod"}, remove=("Environment",))
        before: Tags = {"Environment": "prod"}
        after: Tags = {"env": "prod"}

        assert inverse(change, before, after, {"env": "test"}) == "the tag 'env' has the value 'test' by now"
        assert (
            inverse(change, before, None, {"env": "test"})
            == "its tags were changed since, and what this change left is not known"
        )

    @pytest.mark.parametrize(
        ("present", "reason"),
        [
            ({}, "the tag 'env' is not there by now"),
            ({"ENV": "test"}, "the tag 'ENV' has the value 'test' by now"),
            ({"ENV": "prod", "env": "prod"}, "the tag 'ENV' has the value 'prod' by now"),
        ],
    )
    def test_says_what_there_is_in_its_place(self, present: Tags, reason: str) -> None:
        assert inverse(TagChange(set={"env": "prod"}), {"env": "dev"}, {"env": "prod"}, present) == reason

    def test_keys_that_differ_in_case_alone_are_left(self) -> None:
        """Azure takes them for one, so nobody can tell which of their values would be there afterwards."""
        change = TagChange(remove=("Env", "env"))

        assert inverse(change, {"Env": "a", "env": "b"}, {}, {}) == "the tag 'env' is not there by now"

    def test_what_the_change_did_not_come_to_may_be_anybodys(self) -> None:
        """It left 'b' as it was, so it is nothing of its own that somebody has changed there."""
        change = TagChange(set={"a": "1", "b": "1"})

        back = inverse(change, {"a": "0", "b": "0"}, {"a": "1", "b": "0"}, {"a": "1", "b": "9"})

        assert back == TagChange(set={"a": "0"})
