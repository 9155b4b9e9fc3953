"""`[jobs.cleanup]`: disarmed unless everything is said, every problem with its place, and what plans are made by."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.activity import LONGEST_SPAN
from shared_code.cleanup_rules import RULES
from shared_code.cleanup_settings import (
    LONGEST_UNUSED,
    CleanupRules,
    ExpiredSettings,
    RuleSettings,
    StaleSettings,
)
from shared_code.durations import Duration
from shared_code.runs import Mode
from shared_code.settings import WRITING, Cleanup, Configuration, Costs, configure
from shared_code.tag_rules import RuleMode
from shared_code.windows import Window
from tests.test_settings import VALUES, check_anything, quoted

SHIPPED = Path(__file__).parent.parent / "steward.toml"
PLACE = "steward.toml: jobs.cleanup"
SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
ARMED = f"armed_subscriptions = ['{SUBSCRIPTION}']\n"
KEPT = "protected_resource_groups = ['rg-core-*']\n"
EXPIRED = "[jobs.cleanup.rules.expired]\n"
DISK = "[jobs.cleanup.rules.unattached-disk]\n"
NO_DURATION = "is no duration; write a whole number and a unit in quotes, such as '90s', '60m', '6h' or '14d'"
NO_WINDOW = "is no window; write two different times in UTC such as '22:00-06:00'"
NO_ID = "is no id of a subscription; name each by its GUID, as nothing else arms one"


def cleaned(text: str, **environ: str) -> Configuration:
    """What is configured with `[jobs.cleanup]` saying this."""
    content = f"[jobs.watchdog]\nschedule = '0 0 * * * *'\n[jobs.cleanup]\n{text}".encode()
    return configure(content, "steward.toml", environ)


def cleanup_of(configuration: Configuration) -> Cleanup:
    settings = configuration.jobs["cleanup"]
    assert isinstance(settings, Cleanup)
    return settings


class TestRules:
    """The tables under `[jobs.cleanup.rules]` are those of the rules there are."""

    def test_each_rule_has_a_table_of_its_name(self) -> None:
        assert [field.encode_name for field in msgspec.structs.fields(CleanupRules)] == list(RULES)

    @pytest.mark.parametrize("name", RULES)
    def test_each_table_is_of_the_type_that_its_rule_reads(self, name: str) -> None:
        (on,) = cleanup_of(cleaned(f"[jobs.cleanup.rules.{name}]")).rules.on.items()

        assert on == (name, RULES[name].settings())
        assert type(on[1]) is RULES[name].settings

    def test_a_rule_is_off_unless_it_is_named(self) -> None:
        assert CleanupRules().on == {}
        assert list(cleanup_of(cleaned(DISK + EXPIRED)).rules.on) == ["expired", "unattached-disk"]

    def test_no_rule_is_automatic_by_itself(self) -> None:
        """What the job says about modes that are left out rests on it."""
        assert all(rule.mode is not RuleMode.AUTOMATIC for rule in RULES.values())

    def test_nobody_can_tell_further_back_than_the_log_is_kept(self) -> None:
        assert LONGEST_UNUSED == LONGEST_SPAN


class TestAGoodTable:
    def test_without_a_word_it_plans_is_armed_nowhere_and_has_no_rule(self) -> None:
        configuration = cleaned("")
        settings = cleanup_of(configuration)

        assert (configuration.problems, configuration.warnings) == ((), ())
        assert settings == Cleanup()
        assert (settings.mode, settings.armed_subscriptions, settings.rules.on) == (Mode.PLAN, (), {})
        assert (settings.max_deletions, settings.max_share, settings.delete_window) == (20, 0.1, None)
        assert settings.protected_tags == ("keep", "do-not-delete", "donotdelete")
        assert "cleanup" in WRITING

    def test_what_it_says_is_what_holds(self) -> None:
        configuration = cleaned(
            "schedule = '0 0 6 * * *'\nmode = 'apply'\narmed_subscriptions = ['%SUB%']\n"
            "protected_resource_groups = ['rg-core-*', '%MINE%']\nprotected_names = ['server/orders', '*-prod']\n"
            "protected_tags = ['hold']\nmax_deletions = 3\nmax_share = 0.5\ndelete_window = '22:00-06:00'\n"
            f"{EXPIRED}mode = 'automatic'\ntags = ['ends']\ngrace_period = '1d'\nlongest_renewal = '90d'\n"
            f"{DISK}minimum_age = '60d'\nminimum_observations = 5\n"
            "[jobs.cleanup.rules.stale-resource-group]\nunused_for = '90d'",
            SUB=SUBSCRIPTION,
            mine="rg-mine",
        )
        settings = cleanup_of(configuration)

        assert (configuration.problems, configuration.warnings) == ((), ())
        assert settings == Cleanup(
            schedule="0 0 6 * * *",
            mode=Mode.APPLY,
            armed_subscriptions=(SUBSCRIPTION,),
            protected_resource_groups=("rg-core-*", "rg-mine"),
            protected_names=("server/orders", "*-prod"),
            protected_tags=("hold",),
            max_deletions=3,
            max_share=0.5,
            delete_window=Window.parse("22:00-06:00"),
            rules=CleanupRules(
                expired=ExpiredSettings(
                    mode=RuleMode.AUTOMATIC,
                    tags=("ends",),
                    grace_period=Duration.parse("1d"),
                    longest_renewal=Duration.parse("90d"),
                ),
                unattached_disk=RuleSettings(minimum_age=Duration.parse("60d"), minimum_observations=5),
                stale_resource_group=StaleSettings(unused_for=Duration.parse("90d")),
            ),
        )

    def test_the_shipped_table_deletes_nothing(self) -> None:
        configuration = configure(SHIPPED.read_bytes(), "steward.toml", {})
        settings = cleanup_of(configuration)

        assert (configuration.problems, configuration.warnings) == ((), ())
        assert (settings.schedule, settings.mode, settings.armed_subscriptions) == ("0 0 6 * * *", Mode.PLAN, ())
        assert settings.protected_resource_groups
        assert set(settings.rules.on) == {"expired", "unattached-disk"}
        assert all(rule.mode is not RuleMode.AUTOMATIC for rule in settings.rules.on.values())

    def test_the_shipped_file_names_every_rule_and_each_can_be_switched_on(self) -> None:
        text = re.sub(r"(?m)^# (?=\[jobs\.cleanup\.rules\.)", "", SHIPPED.read_text("utf-8"))
        configuration = configure(text.encode(), "steward.toml", {})

        assert configuration.problems == ()
        assert set(cleanup_of(configuration).rules.on) == set(RULES)


class TestProblems:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "[jobs.cleanup.rules.unattached-disks]",
                ["rules: there is no rule 'unattached-disks'; did you mean 'unattached-disk'"],
            ),
            (
                "[jobs.cleanup.rules.unattached_disk]",
                ["rules: there is no rule 'unattached_disk'; did you mean 'unattached-disk'"],
            ),
            ("[jobs.cleanup.rules.zebra]", [f"rules: there is no rule 'zebra'; known are {', '.join(sorted(RULES))}"]),
            (
                "[[jobs.cleanup.rules]]\nname = 'expired'",
                ["rules: must be a table, not a list; write [jobs.cleanup.rules.expired], in single brackets"],
            ),
            (
                "rules = ['expired']",
                ["rules: must be a table, not a list; write [jobs.cleanup.rules.expired], in single brackets"],
            ),
            (
                "[[jobs.cleanup.rules.unattached-disk]]",
                [
                    (
                        "rules.unattached-disk: must be a table, not a list; write "
                        "[jobs.cleanup.rules.unattached-disk], in single brackets"
                    )
                ],
            ),
            (
                "[jobs.cleanup.rules]\nexpired = true\nunattached-disk = 'approve'",
                [
                    "rules.expired: must be a table, not true or false; write [jobs.cleanup.rules.expired]",
                    (
                        "rules.unattached-disk: must be a table, not a text in quotes; write "
                        "[jobs.cleanup.rules.unattached-disk]"
                    ),
                ],
            ),
            (
                f"{DISK}minimum-age = '30d'",
                ["rules.unattached-disk: there is no key 'minimum-age'; did you mean 'minimum_age'"],
            ),
            (
                f"{DISK}grace_period = '30d'",
                [
                    (
                        "rules.unattached-disk: there is no key 'grace_period'; known are minimum_age, "
                        "minimum_observations, mode"
                    )
                ],
            ),
            (
                f"{DISK}mode = 'delete'",
                ["rules.unattached-disk.mode: 'delete' is none of report, notify, approve, automatic"],
            ),
            (
                f"{DISK}mode = 'aprove'",
                [
                    (
                        "rules.unattached-disk.mode: 'aprove' is none of report, notify, approve, automatic; "
                        "did you mean 'approve'"
                    )
                ],
            ),
            (f"{DISK}minimum_age = 30", [f"rules.unattached-disk.minimum_age: '30' {NO_DURATION}"]),
            (f"{DISK}minimum_age = '30 days'", [f"rules.unattached-disk.minimum_age: '30 days' {NO_DURATION}"]),
            (
                f"{DISK}minimum_age = ['30d']",
                ["rules.unattached-disk.minimum_age: must be a text in quotes, not a list"],
            ),
            (
                f"{DISK}minimum_observations = 0",
                ["rules.unattached-disk.minimum_observations: expected a whole number >= 1"],
            ),
            (
                f"{DISK}minimum_observations = '3'",
                ["rules.unattached-disk.minimum_observations: expected a whole number, got a text in quotes"],
            ),
            (
                f"{EXPIRED}tags = []",
                ['rules.expired.tags: is empty, so nothing ever expires; name a tag such as ["delete-after"]'],
            ),
            (f"{EXPIRED}tags = 'ends'", ["rules.expired.tags: expected a list, got a text in quotes"]),
            (
                f"{EXPIRED}tags = ['ends', ' ', 'a/b']",
                [
                    "rules.expired.tags[1]: is blank; write the key of a tag",
                    "rules.expired.tags[2]: contains /, which Azure allows in no key; remove it",
                ],
            ),
            (f"{EXPIRED}grace_period = '0d'", [f"rules.expired.grace_period: '0d' {NO_DURATION}"]),
            (
                f"{EXPIRED}grace_period = '23h'",
                ["rules.expired.grace_period: '23h' is less than a day, and days differ by zone; write '1d' or more"],
            ),
            (
                "[jobs.cleanup.rules.stale-resource-group]\nunused_for = '91d'",
                [
                    (
                        "rules.stale-resource-group.unused_for: '91d' is longer than the activity log is kept; "
                        "write at most '90d'"
                    )
                ],
            ),
            (
                ARMED,
                [
                    (
                        "protected_resource_groups: is empty, and subscriptions are armed; name what must never be "
                        'touched, such as ["rg-core-*"]'
                    )
                ],
            ),
            (
                "armed_subscriptions = ['*', 'sub-dev', '/subscriptions/x']\n" + KEPT,
                [
                    f"armed_subscriptions[0]: '*' {NO_ID}",
                    f"armed_subscriptions[1]: 'sub-dev' {NO_ID}",
                    f"armed_subscriptions[2]: '/subscriptions/x' {NO_ID}",
                ],
            ),
            (
                f"armed_subscriptions = '{SUBSCRIPTION}'",
                ["armed_subscriptions: expected a list, got a text in quotes"],
            ),
            (ARMED + KEPT + "max_share = 1", ["max_share: is 1, which is no limit at all; write less, such as 0.1"]),
            ("max_share = 10", ["max_share: expected a number <= 1.0; a share such as 0.1 is 10 %"]),
            ("max_share = '10%'", ["max_share: expected a number, got a text in quotes"]),
            ("max_share = 0", ["max_share: expected a number > 0.0"]),
            ("max_deletions = 0", ["max_deletions: expected a whole number >= 1"]),
            ("max_deletions = 10_001", ["max_deletions: expected a whole number <= 10000"]),
            ("mode = 'approve'", ["mode: 'approve' is none of plan, apply"]),
            ("delete_window = '22:00'", [f"delete_window: '22:00' {NO_WINDOW}"]),
            ("delete_window = '22:00-24:00'", [f"delete_window: '22:00-24:00' {NO_WINDOW}"]),
            ("delete_window = '06:00-06:00'", [f"delete_window: '06:00-06:00' {NO_WINDOW}"]),
            ("delete_window = 22:00:00", [f"delete_window: '22:00:00' {NO_WINDOW}"]),
            ("delete_window = ['22:00-06:00']", ["delete_window: must be a text in quotes, not a list"]),
            (
                "protected_tags = ['keep', '', 'hidden-x']",
                [
                    "protected_tags[1]: '' is blank; write the key of a tag",
                    (
                        "protected_tags[2]: 'hidden-x' begins with 'hidden-'; such tags are the portal's, and Steward "
                        "leaves them alone"
                    ),
                ],
            ),
            ("minimum_age = '30d'", None),
            ("protected_groups = ['x']", ["there is no key 'protected_groups'; did you mean 'protected_tags'"]),
            (
                "protected_names = ['%CORE%']",
                ["protected_names[0]: '%CORE%' names no app setting; add the setting CORE to the app"],
            ),
        ],
    )
    def test_each_has_its_place(self, text: str, expected: list[str] | None) -> None:
        found = cleaned(text)

        if expected is None:  # a key of a rule, one table too high
            assert str(found.problems[0]).startswith(f"{PLACE}: there is no key 'minimum_age'; known are ")
        else:
            places = [each if each.startswith("there is") else f".{each}" for each in expected]
            assert sorted(map(str, found.problems)) == sorted(
                f"{PLACE}{': ' if each.startswith('there is') else ''}{each}" for each in places
            )
        assert found.problems_of("cleanup", Costs.RUNS)
        assert not found.problems_of("tag-audit", Costs.TIMER)

    @pytest.mark.parametrize("mode", [*RuleMode, None])
    @pytest.mark.parametrize("age", ["0", "'0d'", "'0s'", "''", "'-1d'", "false"])
    def test_nothing_is_ever_old_at_once(self, mode: RuleMode | None, age: str) -> None:
        """A minimum age of nothing is refused whatever a rule may do, and most of all where nobody is asked."""
        said = f"mode = '{mode}'\n" if mode else ""
        found = cleaned(f"mode = 'apply'\n{ARMED}{KEPT}{DISK}{said}minimum_age = {age}")

        (problem,) = found.problems
        assert problem.place == f"{PLACE}.rules.unattached-disk.minimum_age"
        assert NO_DURATION in problem.text
        assert problem.costs is Costs.RUNS

    @pytest.mark.parametrize(
        ("key", "pattern", "expected"),
        [
            ("protected_resource_groups", "", "is blank, so it protects nothing; "),
            ("protected_resource_groups", " rg-core", "begins or ends with a space, as no name does, "),
            ("protected_resource_groups", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-core", "is no name, "),
            ("protected_resource_groups", "sub-dev/rg-core", "is no name, so it protects nothing; "),
            ("protected_names", "  ", "is blank, so it protects nothing; "),
            ("protected_names", "orders ", "begins or ends with a space, as no name does, "),
            ("protected_names", "/subscriptions/*/orders", "is no name, so it protects nothing; "),
        ],
    )
    def test_what_would_protect_nothing_is_said(self, key: str, pattern: str, expected: str) -> None:
        """So the list that arming needs cannot be one that keeps nothing."""
        said = {"protected_resource_groups": ["rg-core-*"], "protected_names": []} | {key: ["rg-x", pattern]}
        found = cleaned(ARMED + "\n".join(f"{name} = {value}" for name, value in said.items()))

        (problem,) = found.problems
        assert problem.place == f"{PLACE}.{key}[1]"
        assert problem.text.startswith(f"'{pattern.strip()}' {expected}")

    def test_where_nothing_is_armed_the_lists_may_be_empty_and_the_share_whole(self) -> None:
        assert cleaned("max_share = 1").problems == ()

    def test_all_are_told_at_once(self) -> None:
        text = f"{ARMED}mode = 'x'\nmax_share = 1\ndelete_window = 'x'\n{EXPIRED}tags = []\n{DISK}x = 1"

        assert [problem.place.removeprefix(PLACE) for problem in cleaned(text).problems] == [
            ".mode",
            ".delete_window",
            ".rules.unattached-disk",
            ".protected_resource_groups",
            ".max_share",
            ".rules.expired.tags",
        ]


class TestCautions:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "schedule = '0 0 6 * * *'",
                ["rules: there is none, so that every run fails; name one, such as [jobs.cleanup.rules.expired]"],
            ),
            (
                f"mode = 'apply'\n{ARMED}{KEPT}{DISK}",
                ["mode: is 'apply', and no rule is 'automatic', so the timer applies nothing"],
            ),
            (
                f"mode = 'apply'\n{DISK}mode = 'automatic'",
                ["mode: is 'apply', and no subscription is armed, so nothing is applied; name some, or plan only"],
            ),
            (
                f"{ARMED}{KEPT}{DISK}mode = 'automatic'\n{EXPIRED}mode = 'automatic'",
                [
                    (
                        f"rules.{name}.mode: is 'automatic', and the job's mode is 'plan', so its changes wait for a "
                        'person; "approve" says so'
                    )
                    for name in ("expired", "unattached-disk")
                ],
            ),
            (f"mode = 'apply'\n{ARMED}{KEPT}{DISK}mode = 'automatic'", []),
            (f"{ARMED}{KEPT}{DISK}", []),
        ],
        ids=["no-rule", "nothing-automatic", "nothing-armed", "automatic", "all-said", "by-hand"],
    )
    def test_what_may_surprise_is_said_and_costs_nothing(self, text: str, expected: list[str]) -> None:
        configuration = cleaned(text)

        assert configuration.problems == ()
        assert [str(each) for each in configuration.warnings] == [f"{PLACE}.{each}" for each in expected]
        assert {each.job for each in configuration.warnings} <= {"cleanup"}


WHOLE = (
    "[scope]\nresource_groups = ['rg-*']\n[jobs.cleanup]\nprotected_resource_groups = ['rg-core-*']\n"
    "protected_names = ['a']\nprotected_tags = ['keep']\n"
    "[jobs.cleanup.rules.expired]\nmode = 'approve'\nminimum_age = '2d'\nminimum_observations = 2\ntags = ['ends']\n"
    "grace_period = '1d'\nlongest_renewal = '90d'\n[jobs.cleanup.rules.stale-resource-group]\nunused_for = '30d'\n"
)


def digest(text: str) -> str:
    configuration = configure(text.encode(), "steward.toml", {})
    assert configuration.problems == ()
    return configuration.digest_of("cleanup")


class TestDigest:
    """It tells whether a plan was made by what is configured now."""

    @pytest.mark.parametrize(
        ("said", "instead"),
        [
            ("['rg-*']", "['rg-a*']"),
            ("['rg-core-*']", "['rg-core-*', 'rg-b']"),
            ("protected_names = ['a']", "protected_names = []"),
            ("protected_tags = ['keep']", "protected_tags = ['hold']"),
            ("mode = 'approve'", "mode = 'automatic'"),
            ("minimum_age = '2d'", "minimum_age = '1d'"),
            ("minimum_age = '2d'\n", ""),
            ("minimum_observations = 2", "minimum_observations = 1"),
            ("tags = ['ends']", "tags = ['ends', 'until']"),
            ("grace_period = '1d'", "grace_period = '3d'"),
            ("longest_renewal = '90d'", "longest_renewal = '900d'"),
            ("unused_for = '30d'", "unused_for = '20d'"),
            ("[jobs.cleanup.rules.stale-resource-group]\nunused_for = '30d'\n", ""),
            ("unused_for = '30d'\n", f"unused_for = '30d'\n{DISK}"),
        ],
    )
    def test_what_decides_changes_it(self, said: str, instead: str) -> None:
        assert WHOLE.count(said) == 1
        assert digest(WHOLE.replace(said, instead)) != digest(WHOLE)

    @pytest.mark.parametrize(
        "more",
        [
            ARMED,
            "mode = 'apply'\n",
            "max_deletions = 1\n",
            "max_share = 0.9\n",
            "schedule = '0 0 6 * * *'\n",
            "expect_within = '6h'\n",
            "delete_window = '22:00-06:00'\n",
        ],
    )
    def test_what_only_allows_does_not(self, more: str) -> None:
        assert digest(WHOLE.replace("[jobs.cleanup]\n", f"[jobs.cleanup]\n{more}")) == digest(WHOLE)

    def test_other_jobs_do_not(self) -> None:
        other = (
            "[[jobs.tag-audit.rules]]\nname = 'x'\ntag = 'x'\nrequired = true\n[jobs.watchdog]\nretention_days = 9\n"
        )

        assert digest(other + WHOLE) == digest(WHOLE)

    def test_where_the_app_is_does_not(self) -> None:
        """Or a plan of the app could not be applied in a terminal."""
        configuration = configure(WHOLE.encode(), "steward.toml", {})
        somewhere = msgspec.structs.replace(configuration, own_resource_group="/subscriptions/x/resourceGroups/rg-x")

        assert somewhere.digest_of("cleanup") == configuration.digest_of("cleanup")

    def test_every_key_is_one_or_the_other(self) -> None:
        """A new key of the table has to be put down here as what decides or what only allows."""
        deciding = {"protected_resource_groups", "protected_names", "protected_tags", "rules"}
        allowing = {
            "schedule",
            "timezone",
            "expect_within",
            "mode",
            "armed_subscriptions",
            "max_deletions",
            "max_share",
            "delete_window",
        }

        assert deciding | allowing == set(Cleanup.__struct_fields__)


RULE_KEYS = some.sampled_from([*ExpiredSettings.__struct_fields__, "unused_for", "x"])
TABLES: some.SearchStrategy[dict[str, Any]] = some.dictionaries(RULE_KEYS, VALUES, max_size=4)


@given(tables=some.dictionaries(some.sampled_from([*RULES, "x"]), TABLES, max_size=3))
def test_random_rules_never_raise_and_never_run_half_understood(tables: dict[str, dict[str, str]]) -> None:
    lines = [
        line
        for name, table in tables.items()
        for line in (f"[jobs.cleanup.rules.{name}]", *(f"{quoted(key)} = {value}" for key, value in table.items()))
    ]

    configuration = check_anything("\n".join(lines).encode(), {})

    if configuration.problems:
        assert configuration.problems_of("cleanup", Costs.RUNS)
    else:
        written = tomllib.loads("\n".join(lines)).get("jobs", {}).get("cleanup", {}).get("rules", {})
        assert set(cleanup_of(configuration).rules.on) == set(written)


@given(table=some.dictionaries(some.sampled_from(Cleanup.__struct_fields__), VALUES, max_size=4))
def test_random_settings_never_raise_and_are_never_armed_by_accident(table: dict[str, str]) -> None:
    lines = ["[jobs.cleanup]", *(f"{name} = {value}" for name, value in table.items())]

    configuration = check_anything("\n".join(lines).encode(), {})

    settings = cleanup_of(configuration)
    if settings.armed_subscriptions:
        assert configuration.problems_of("cleanup", Costs.RUNS)
