"""Stale resource groups: no evidence is never no activity."""

from datetime import datetime

import pytest

from shared_code.cleanup_rules import RULES, Match
from shared_code.cleanup_settings import StaleSettings
from shared_code.durations import Duration
from shared_code.tag_rules import RuleMode
from tests.cleanup import around, days_ago, group, judge, ref, target

RULE = "stale-resource-group"


def test_finds_one_that_nobody_has_written_to() -> None:
    found = judge(RULE, near=around(group=group(resources=7)))

    assert isinstance(found, Match)
    assert found.detail == "nobody has written to it or to anything in it for 60d"
    assert found.evidence == {
        "last_write": "none since 2026-08-25T06:00:00Z",
        "log_since": "2026-08-25T06:00:00Z",
        "resources": "7",
    }
    assert found.since == days_ago(89)


def test_or_not_for_long() -> None:
    found = judge(RULE, near=around(last_write=days_ago(70)))

    assert isinstance(found, Match)
    assert found.evidence["last_write"] == "2026-09-13T06:00:00Z"
    assert found.since == days_ago(70)


@pytest.mark.parametrize("last", [days_ago(0), days_ago(59.9), days_ago(-1)])
def test_not_one_that_somebody_has_written_to(last: datetime) -> None:
    assert "somebody wrote to it" in str(judge(RULE, near=around(last_write=last)))


@pytest.mark.parametrize("since", [None, days_ago(59.9), days_ago(1), days_ago(-1)])
@pytest.mark.parametrize("last", [None, days_ago(80)])
def test_not_one_of_which_the_log_does_not_tell_for_the_whole_span(
    since: datetime | None, last: datetime | None
) -> None:
    said = judge(RULE, near=around(written_since=since, last_write=last))

    assert isinstance(said, str)
    assert said.startswith("there is no evidence")


def test_the_span_of_the_operator() -> None:
    near = around(last_write=days_ago(40))

    assert isinstance(judge(RULE, near=near, settings=StaleSettings(unused_for=Duration.parse("30d"))), Match)
    assert isinstance(judge(RULE, near=near, settings=StaleSettings(unused_for=Duration.parse("45d"))), str)


def test_it_says_which_span() -> None:
    found = judge(RULE, settings=StaleSettings(unused_for=Duration.parse("30d")))

    assert isinstance(found, Match)
    assert found.detail == "nobody has written to it or to anything in it for 30d"


def test_exactly_the_span_is_enough() -> None:
    """For the log, for the last write and for the creation."""
    span = days_ago(60)

    assert isinstance(judge(RULE, near=around(written_since=span)), Match)
    assert isinstance(judge(RULE, near=around(last_write=span)), Match)
    assert isinstance(judge(RULE, target(RULE, created=span)), Match)


def test_a_span_beyond_the_log_is_a_problem() -> None:
    assert list(StaleSettings(unused_for=Duration.parse("90d")).problems()) == []
    ((place, text),) = StaleSettings(unused_for=Duration.parse("91d")).problems()
    assert place == "unused_for"
    assert "'91d' is longer than the activity log is kept; write at most '90d'" in text


def test_not_one_younger_than_the_span() -> None:
    assert "it was created" in str(judge(RULE, target(RULE, created=days_ago(59))))
    assert isinstance(judge(RULE, target(RULE, created=None)), Match)


def test_not_one_that_is_managed_or_being_deleted() -> None:
    owner = ref("Microsoft.Databricks/workspaces/w")["id"]

    assert isinstance(judge(RULE, target(RULE, managed_by=owner)), str)
    assert isinstance(judge(RULE, target(RULE, state="Deleting")), str)


def test_use_without_writes_leaves_no_trace_so_it_is_only_reported() -> None:
    assert RULES[RULE].mode is RuleMode.REPORT


def test_without_the_activity_log_there_is_no_such_rule() -> None:
    """It is asked for, and the rule waits as long as the span, and for three looks."""
    rule = RULES[RULE]

    assert (rule.needs_activity, rule.minimum_age, rule.minimum_observations) == (True, Duration.parse("60d"), 3)
