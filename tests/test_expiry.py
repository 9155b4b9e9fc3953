"""Expiry tags: what counts as a date, when it is over, and what is reported instead of acted on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.cleanup_rules import RULES, Doubt, DoubtKind, Judged, Match
from shared_code.cleanup_settings import ExpiredSettings
from shared_code.durations import Duration
from shared_code.expiry import moment_of
from shared_code.foreign_text import one_line
from shared_code.model import Kind, Tags
from shared_code.tag_formats import Format, has_format
from shared_code.targets import Around
from tests.cleanup import NOW, around, days_ago, group, judge, member, target


def expired(tags: Tags, settings: ExpiredSettings | None = None, **more: Any) -> Judged:
    return judge("expired", target("unattached-disk", tags=tags, **more), settings=settings)


def on_group(tags: Tags, near: Around | None = None) -> Judged:
    return judge("expired", target("expired", tags=tags), near)


class TestDates:
    @pytest.mark.parametrize(
        ("value", "moment"),
        [
            ("2026-03-31", "2026-04-01T00:00:00+00:00"),
            ("2026-03-31T18:00:00Z", "2026-03-31T18:00:00+00:00"),
            ("2026-03-31T18:00Z", "2026-03-31T18:00:00+00:00"),
            ("2026-03-31T18:00:00+02:00", "2026-03-31T16:00:00+00:00"),
            ("2026-03-31T23:30:00-07:00", "2026-04-01T06:30:00+00:00"),
            ("2026-03-31T18:00:00.1234567Z", "2026-03-31T18:00:00.123456+00:00"),
            ("2026-03-31T18:00:00", "2026-04-01T00:00:00+00:00"),
            ("2024-02-29", "2024-03-01T00:00:00+00:00"),
            ("9999-12-31", "9999-12-31T23:59:59.999999+00:00"),
        ],
    )
    def test_a_day_without_a_zone_ends_in_utc(self, value: str, moment: str) -> None:
        assert moment_of(value) == datetime.fromisoformat(moment)

    @pytest.mark.parametrize(
        "value",
        [
            None,
            "",
            " ",
            "tomorow",
            "never",
            "31.03.2026",
            "03/04/2026",
            "2026-3-31",
            "20260331",
            "2026-02-30",
            "2026-W14",
            "2026-03-31 18:00",
            "2026-03-31 ",
            "2026-03-31T24:30:00Z",
            "10/19/2019 1:59:57 PM",
            "1775001600",
            "0000-00-00",
            "\uff12\uff10\uff12\uff16-01-01",  # digits, but full-width ones
            "9999-12-31T23:59:59-01:00",
            "0001-01-01T00:00:00+01:00",
        ],
    )
    def test_anything_else_is_no_date(self, value: str | None) -> None:
        assert moment_of(value) is None

    @given(some.text())
    def test_never_raises(self, value: str) -> None:
        assert (moment_of(value) is not None) is has_format(value, Format.DATE)


class TestFinds:
    def test_what_is_past_with_its_grace_period(self) -> None:
        found = expired({"delete-after": "2026-11-01", "owner": "somebody@example.com"})

        assert isinstance(found, Match)
        assert found.detail == (
            "its tag 'delete-after' says '2026-11-01', and the grace period of 1d ended 2026-11-03T00:00:00Z"
        )
        assert found.evidence == {"tag": "delete-after", "value": "2026-11-01"}
        assert found.since == datetime(2026, 11, 3, tzinfo=UTC)

    def test_not_a_moment_sooner(self) -> None:
        at = NOW - timedelta(days=1)

        assert isinstance(expired({"delete-after": at.isoformat()}), Match)
        said = expired({"delete-after": (at + timedelta(seconds=1)).isoformat()})
        assert isinstance(said, str)
        assert "it expires 2026-11-22T06:00:01Z" in said

    def test_the_day_itself_is_not_past(self) -> None:
        assert isinstance(expired({"delete-after": "2026-11-22"}), str)
        assert isinstance(expired({"delete-after": "2026-11-21"}), str)
        assert isinstance(expired({"delete-after": "2026-11-20"}), Match)

    @pytest.mark.parametrize("key", ["delete-after", "Delete-After", "DELETE-AFTER", "expires-on", "Expires-On "])
    def test_whatever_the_case_of_the_key(self, key: str) -> None:
        assert isinstance(expired({key: "2026-11-01"}), Match)

    def test_resource_groups_too(self) -> None:
        assert isinstance(on_group({"delete-after": "2026-11-01"}), Match)

    def test_no_subscription(self) -> None:
        assert isinstance(expired({"delete-after": "2026-11-01"}, kind=Kind.SUBSCRIPTION), str)

    @pytest.mark.parametrize("tags", [{}, {"deleteafter": "2026-11-01"}, {"expires": "2020-01-01"}])
    def test_nothing_without_such_a_tag(self, tags: Tags) -> None:
        assert expired(tags) == "it has no tag that says when it expires"

    def test_by_tags_and_a_grace_period_of_the_operator(self) -> None:
        settings = ExpiredSettings(tags=("ttl",), grace_period=Duration.parse("30d"))

        assert isinstance(expired({"TTL": "2026-10-01"}, settings), Match)
        assert isinstance(expired({"ttl": "2026-11-01"}, settings), str)
        assert isinstance(expired({"delete-after": "2026-01-01"}, settings), str)
        spelled = ExpiredSettings(tags=(" TTL ",))
        assert isinstance(expired({"ttl": "2026-10-01"}, spelled), Match)

    def test_a_grace_period_is_never_less_than_a_day(self) -> None:
        settings = ExpiredSettings(grace_period=Duration.parse("1h"))

        assert isinstance(expired({"delete-after": "2026-11-22T04:00:00Z"}, settings), str)
        assert [place for place, _ in settings.problems()] == ["grace_period"]


class TestCandidates:
    """What a list may pick: all but what surely expires later."""

    def test_what_is_too_far_ahead_by_the_operators_word_is_looked_at(self) -> None:
        candidate = RULES["expired"].candidate
        assert candidate

        def picked(days: float, settings: ExpiredSettings) -> bool:
            return candidate(member(tags={"delete-after": days_ago(-days).isoformat()}), settings, NOW)

        near = ExpiredSettings(longest_renewal=Duration.parse("90d"))
        assert [picked(days, near) for days in (-1, 0, 1 / 86_400, 90, 91)] == [True, True, False, False, True]
        assert [picked(days, ExpiredSettings()) for days in (91, 400, 401)] == [False, False, True]


class TestSeveralTags:
    def test_the_latest_counts(self) -> None:
        tags: Tags = {"delete-after": "2026-01-01", "expires-on": "2027-01-01"}

        assert isinstance(expired(tags), str)
        assert isinstance(expired(tags | {"expires-on": "2026-02-01"}), Match)

    def test_every_one_must_be_readable(self) -> None:
        doubt = expired({"delete-after": "2026-01-01", "expires-on": "soon"})

        assert isinstance(doubt, Doubt)
        assert doubt.kind is DoubtKind.UNREADABLE

    def test_two_spellings_of_one_key_keep(self) -> None:
        """Even where both say the same: something is odd with what was read."""
        doubt = expired({"delete-after": "2026-01-01", "Delete-After": "2026-01-01"})

        assert isinstance(doubt, Doubt)
        assert "two spellings" in doubt.detail
        assert isinstance(expired({"delete-after": "2026-01-01", "delete-after ": "2027-01-01"}), Doubt)


class TestDoubts:
    @pytest.mark.parametrize("value", [None, "", "tomorow", "03/04/2026"])
    def test_what_cannot_be_read_is_reported_with_what_to_write(self, value: str | None) -> None:
        doubt = expired({"delete-after": value})

        assert isinstance(doubt, Doubt)
        assert doubt.kind == "unreadable"
        assert "write a date such as 2026-03-31 or 2026-03-31T18:00:00Z" in doubt.detail
        assert doubt.evidence == {"tag": "delete-after", "value": value or ""}

    def test_what_is_beyond_the_horizon(self) -> None:
        doubt = expired({"delete-after": "9999-12-31"})

        assert isinstance(doubt, Doubt)
        assert doubt.kind == "beyond-horizon"
        assert "more than 400d ahead" in doubt.detail
        assert isinstance(expired({"delete-after": "2027-12-01"}), str)
        near = ExpiredSettings(longest_renewal=Duration.parse("90d"))
        assert isinstance(expired({"delete-after": "2027-12-01"}, near), Doubt)

    def test_the_horizon_itself_is_not_beyond_it(self) -> None:
        at = NOW + timedelta(days=400)

        assert isinstance(expired({"delete-after": at.isoformat()}), str)
        assert isinstance(expired({"delete-after": (at + timedelta(seconds=1)).isoformat()}), Doubt)

    def test_what_was_over_before_it_was_created(self) -> None:
        """A tag that a policy or a template copied says nothing about this one."""
        doubt = expired({"delete-after": "2026-10-01"}, created=days_ago(30))

        assert isinstance(doubt, Doubt)
        assert doubt.kind == "before-creation"
        assert "which was before it was created, so" in doubt.detail

    def test_the_day_of_creation_is_a_date_like_any_other(self) -> None:
        created = datetime(2026, 10, 1, 9, tzinfo=UTC)

        assert isinstance(expired({"delete-after": "2026-10-01"}, created=created), Match)

    @pytest.mark.parametrize("value", ["0001-01-01", "1601-01-01", "1970-01-01", "2010-01-31"])
    @pytest.mark.parametrize("created", [None, datetime(1, 1, 1, tzinfo=UTC)])
    def test_what_was_over_before_azure_was_never_meant(self, value: str, created: datetime | None) -> None:
        assert isinstance(expired({"delete-after": value}, created=created), Doubt)

    def test_the_first_day_of_azure_was_meant(self) -> None:
        """What was never created in a time that anybody knows may have expired on it."""
        before, first = (expired({"delete-after": day}, created=None) for day in ("2010-01-31", "2010-02-01"))

        assert isinstance(before, Doubt)
        assert "which was before there was Azure, so" in before.detail
        assert isinstance(first, Match)

    def test_what_strangers_wrote_is_told_as_one_short_line(self) -> None:
        hostile = "x\r\nERROR forged\u202e" + "x" * 200
        settings = ExpiredSettings(tags=(hostile,))
        found, doubt = (expired({hostile: value}, settings) for value in ("2026-10-01", hostile))

        assert isinstance(found, Match)
        assert isinstance(doubt, Doubt)
        for text in (found.evidence["tag"], *doubt.evidence.values()):
            assert text.isprintable()
            assert len(text) == 80

    @given(value=some.text(), key=some.sampled_from(["delete-after", "Expires-On"]))
    def test_any_text_is_kept(self, value: str, key: str) -> None:
        said = expired({key: value})

        assert isinstance(said, Doubt)
        assert said.detail == one_line(said.detail)


class TestMembersOfAGroup:
    """A tag on a group means everything in it, so whatever is in it has a say."""

    def test_one_that_expires_later_keeps_its_group(self) -> None:
        near = around(group=group(resources=2), members=(member("a"), member("b", tags={"Expires-On": "2027-01-01"})))

        said = on_group({"delete-after": "2026-11-01"}, near)

        assert isinstance(said, str)
        assert "storageAccounts/b', which is in it, expires later: its tag 'Expires-On' = '2027-01-01'" in said

    def test_one_that_cannot_be_read_keeps_its_group(self) -> None:
        near = around(group=group(resources=1), members=(member(tags={"delete-after": "?"}),))

        assert "cannot be read" in str(on_group({"delete-after": "2026-11-01"}, near))

    def test_those_that_have_expired_too_do_not(self) -> None:
        near = around(group=group(resources=1), members=(member(tags={"delete-after": "2026-11-02"}),))

        assert isinstance(on_group({"delete-after": "2026-11-01"}, near), Match)

    def test_one_that_has_only_just_expired_keeps_its_group_for_the_grace_period(self) -> None:
        """It has one of its own, and is as much over as the group only when that has ended."""
        over = NOW - timedelta(days=1)

        def said(moment: datetime) -> Judged:
            near = around(group=group(resources=1), members=(member(tags={"delete-after": moment.isoformat()}),))
            return on_group({"delete-after": "2026-11-01"}, near)

        assert isinstance(said(over), Match)
        assert "expires later" in str(said(over + timedelta(seconds=1)))

    @pytest.mark.parametrize("known", [group(resources=None), group(resources=3)])
    def test_what_else_is_in_its_group_says_nothing_about_a_resource(self, known: object) -> None:
        near = around(group=known)

        assert isinstance(judge("expired", target("unattached-disk", tags={"delete-after": "2026-11-01"}), near), Match)

    @pytest.mark.parametrize("known", [None, group(resources=None), group(resources=1)])
    def test_unread_members_keep_their_group(self, known: object) -> None:
        assert "read" in str(on_group({"delete-after": "2026-11-01"}, around(group=known)))


def test_a_tag_is_somebodys_word_so_a_day_is_enough() -> None:
    assert (RULES["expired"].minimum_age, RULES["expired"].minimum_observations) == (Duration.parse("1d"), 2)


class TestSettings:
    def test_usual_ones_are_sound(self) -> None:
        assert ExpiredSettings().tags == ("delete-after", "expires-on")
        assert list(ExpiredSettings().problems()) == []

    def test_no_tags_and_impossible_tags_are_problems(self) -> None:
        assert [place for place, _ in ExpiredSettings(tags=()).problems()] == ["tags"]
        assert [place for place, _ in ExpiredSettings(tags=("ttl", "a<b", " ")).problems()] == ["tags[1]", "tags[2]"]


OVER: Tags = {"delete-after": "2026-10-01"}


class TestWhatGoesAlong:
    """An expired thing takes what hangs on it along, so that must have expired too."""

    @pytest.mark.parametrize("option", ["Delete", "delete", "Something", None])
    def test_what_azure_would_delete_along_keeps_it(self, option: str | None) -> None:
        """A machine whose disk goes with it; an option nobody knows counts as one that deletes."""
        definition = {"properties": {"storageProfile": {"osDisk": {"deleteOption": option}}}}
        found = judge("expired", target("expired", tags=OVER, definition=definition))

        assert found == "Azure would delete what hangs on it along: one of its deleteOption is 'Delete'"

    def test_one_of_several_is_enough(self) -> None:
        disks = [{"deleteOption": "Detach"}, {"deleteOption": "Delete"}, {"lun": 3}]
        definition = {"properties": {"storageProfile": {"dataDisks": disks}}}

        assert isinstance(judge("expired", target("expired", tags=OVER, definition=definition)), str)

    def test_what_stays_does_not(self) -> None:
        definition = {"properties": {"storageProfile": {"dataDisks": [{"deleteOption": "Detach"}]}}}

        assert isinstance(judge("expired", target("expired", tags=OVER, definition=definition)), Match)

    def test_a_child_that_is_wanted_for_longer_keeps_its_parent(self) -> None:
        """A server with a database of which somebody says that it lives until next year."""
        child = member(tags={"delete-after": "2027-06-01"})
        found = judge("expired", target("unattached-disk", tags=OVER), around(members=(child,)))

        assert isinstance(found, str)
        assert "expires later: its tag 'delete-after' = '2027-06-01'" in found
