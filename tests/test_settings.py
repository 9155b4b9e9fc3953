"""steward.toml: every problem at once, each with its place, and never more allowed than was understood."""

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from shared_code import timezones
from shared_code.exemptions import Exemption
from shared_code.foreign_text import one_line
from shared_code.jobs import JOBS as PERFORMED
from shared_code.runs import Mode
from shared_code.schedules import Schedule
from shared_code.scope import Scope
from shared_code.settings import JOBS, Configuration, Costs, ListResourceGroups, TagAudit, configure
from shared_code.tag_rules import AppliesTo, RuleMode, TagRule

FIVE_FIELDS = "'30 5 * * *' has five fields, which stop firing when the app scales; write '0 30 5 * * *'"
SHIPPED = Path(__file__).parent.parent / "steward.toml"


def configured(text: str, **environ: str) -> Configuration:
    return configure(text.encode(), "steward.toml", environ)


def problems(text: str, **environ: str) -> list[str]:
    return [str(problem) for problem in configured(text, **environ).problems]


class TestAGoodFile:
    def test_the_shipped_file_has_no_problem(self) -> None:
        configuration = configure(SHIPPED.read_bytes(), "steward.toml", {})

        assert configuration.problems == ()
        assert set(configuration.schedules) == set(JOBS) == set(PERFORMED)

    def test_what_it_says_is_what_holds(self) -> None:
        configuration = configured(
            '[scope]\nsubscriptions = ["prod-*"]\nexclude_subscriptions = ["prod-x"]\n'
            'exclude_resource_groups = ["mc_*"]\n[jobs.list-resource-groups]\nschedule = "%WHEN%"',
            when="0 0 5 * * *",
        )

        assert configuration.problems == ()
        assert configuration.scope == Scope(
            subscriptions=("prod-*",), exclude_subscriptions=("prod-x",), exclude_resource_groups=("mc_*",)
        )
        assert configuration.jobs["list-resource-groups"] == ListResourceGroups("%WHEN%")
        assert configuration.schedules["list-resource-groups"].resolved == "0 0 5 * * *"

    def test_an_empty_file_is_all_defaults_and_no_timers(self) -> None:
        configuration = configured("")

        assert configuration.problems == ()
        assert configuration.scope == Scope()
        assert configuration.schedules == {}
        assert set(configuration.jobs) == set(JOBS)

    def test_an_empty_list_of_subscriptions_is_none_and_not_all(self) -> None:
        assert configured("[scope]\nsubscriptions = []").scope.subscriptions == ()

    def test_a_byte_order_mark_is_no_problem(self) -> None:
        """Windows editors write one."""
        content = b"\xef\xbb\xbf[jobs.watchdog]\r\nschedule = '0 0 * * * *'\r\n"

        assert configure(content, "steward.toml", {}).problems == ()

    def test_scope_may_name_app_settings(self) -> None:
        text = '[scope]\nsubscriptions = ["%MAIN%", "x-%TEAM%-*"]\nexclude_resource_groups = ["%KEEP%"]'

        scope = configured(text, MAIN="sub-1", team="web", KEEP="rg-core-*").scope

        assert scope == Scope(subscriptions=("sub-1", "x-web-*"), exclude_resource_groups=("rg-core-*",))


class TestProblems:
    """The sentence names the place, what is wrong and what to write."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("scop = 1", "steward.toml: there is no key 'scop'; did you mean 'scope'"),
            ("[zebra]", "steward.toml: there is no key 'zebra'; known are jobs, notices, scope"),
            ("scope = 3", "steward.toml: scope: must be a table, not a whole number; write [scope]"),
            ("scope = []", "steward.toml: scope: must be a table, not a list; write [scope], in single brackets"),
            ("scope = 2026-05-27", "steward.toml: scope: must be a table, not a date; write [scope]"),
            (
                "scope = 2026-05-27T01:02:03Z",
                "steward.toml: scope: must be a table, not a date with a time; write [scope]",
            ),
            ("scope = 01:02:03", "steward.toml: scope: must be a table, not a time; write [scope]"),
            (
                "[scope]\nsubscription = ['x']",
                "steward.toml: scope: there is no key 'subscription'; did you mean 'subscriptions'",
            ),
            (
                "[scope]\nsubscriptions = 'x'",
                "steward.toml: scope.subscriptions: expected a list, got a text in quotes",
            ),
            (
                "[scope]\nsubscriptions = {a = 1}",
                "steward.toml: scope.subscriptions: expected a list, got a table",
            ),
            (
                "[scope]\nexclude_subscriptions = ['a', 3]",
                "steward.toml: scope.exclude_subscriptions[1]: expected a text in quotes, got a whole number",
            ),
            (
                "[scope]\nexclude_resource_groups = [1.5]",
                "steward.toml: scope.exclude_resource_groups[0]: expected a text in quotes, got a number",
            ),
            (
                "[scope]\nexclude_resource_groups = [true]",
                "steward.toml: scope.exclude_resource_groups[0]: expected a text in quotes, got true or false",
            ),
            (
                "[scope]\nexclude_resource_groups = [[]]",
                "steward.toml: scope.exclude_resource_groups[0]: expected a text in quotes, got a list",
            ),
            (
                "[scope]\nsubscriptions = ['%A%']",
                "steward.toml: scope.subscriptions[0]: '%A%' names no app setting; add the setting A to the app",
            ),
            ("jobs = 1", "steward.toml: jobs: must be a table, such as [jobs.list-resource-groups]"),
            (
                "[jobs.list-resource-group]",
                "steward.toml: jobs: there is no job 'list-resource-group'; did you mean 'list-resource-groups'",
            ),
            (
                "[jobs.zebra]",
                f"steward.toml: jobs: there is no job 'zebra'; known are {', '.join(sorted(JOBS))}",
            ),
            (
                "[jobs]\nwatchdog = true",
                "steward.toml: jobs.watchdog: must be a table, not true or false; write [jobs.watchdog]",
            ),
            (
                "[[jobs.watchdog]]",
                "steward.toml: jobs.watchdog: must be a table, not a list; write [jobs.watchdog], in single brackets",
            ),
            (
                "[jobs.watchdog]\nshedule = ''",
                "steward.toml: jobs.watchdog: there is no key 'shedule'; did you mean 'schedule'",
            ),
            (
                "[jobs.watchdog]\nschedule = 5",
                "steward.toml: jobs.watchdog.schedule: expected a text in quotes, got a whole number",
            ),
            (
                "[jobs.watchdog]\nschedule = ['0 0 * * * *']",
                "steward.toml: jobs.watchdog.schedule: expected a text in quotes, got a list",
            ),
            (
                "[jobs.watchdog]\nschedule = 2026-05-27T01:02:03Z",
                "steward.toml: jobs.watchdog.schedule: expected a text in quotes, got a date with a time",
            ),
            (
                "[jobs.watchdog]\nschedule = '30 5 * * *'",
                "steward.toml: jobs.watchdog.schedule: " + FIVE_FIELDS,
            ),
        ],
    )
    def test_names_the_place_and_the_remedy(self, text: str, expected: str) -> None:
        assert problems(text) == [expected]

    def test_reports_all_at_once(self) -> None:
        text = "a = 1\n[scope]\nb = 1\nsubscriptions = 1\n[jobs.c]\n[jobs.watchdog]\nd = 1\nschedule = '31'"

        places = [problem.partition(": ")[2].split("'")[0].split(":")[0] for problem in problems(text)]

        assert places == [
            "there is no key ",
            "scope",
            "scope.subscriptions",
            "jobs",
            "jobs.watchdog",
            "jobs.watchdog.schedule",
        ]

    def test_a_strange_key_stays_one_line(self) -> None:
        assert problems('"a\\n\\u001b[31m" = 1') == [
            "steward.toml: there is no key 'a [31m'; known are jobs, notices, scope"
        ]

    def test_a_strange_value_stays_one_line(self) -> None:
        text = "\n".join(problems('[jobs.watchdog]\nexpect_within = "a\\n\\u001b[31m"'))

        assert text.startswith("steward.toml: jobs.watchdog.expect_within: 'a [31m' is no duration; ")


class TestAFileThatCannotBeRead:
    """Scope and limits are unknown then, so that nothing may run."""

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (None, "steward.toml: the file cannot be read; put steward.toml beside host.json"),
            (b"[scope]\n\xff", "steward.toml: byte 8 is not UTF-8; save the file as UTF-8 text"),
            ("[scope]".encode("utf-16"), "steward.toml: byte 0 is not UTF-8; save the file as UTF-8 text"),
            (
                b"[scope]\nsubscriptions = [",
                "steward.toml: not valid TOML: Invalid value (at end of document)",
            ),
            (
                b"[scope]\nsubscriptions = *",
                "steward.toml: not valid TOML: Invalid value (at line 2, column 17)",
            ),
            (b"a = 1\na = 2\nb = 1", "steward.toml: not valid TOML: Cannot overwrite a value (at line 2, column 6)"),
            (b"a = " + b"[" * 100_000, "steward.toml: not valid TOML: nested too deeply"),
            (b"a = " + b"9" * 5_000, "steward.toml: not valid TOML: a number has too many digits"),
        ],
        ids=["missing", "latin-1", "utf-16", "open-list", "bare-star", "twice", "deep", "long-number"],
    )
    def test_forbids_every_run(self, content: bytes | None, expected: str) -> None:
        configuration = configure(content, "steward.toml", {})

        assert [str(problem) for problem in configuration.problems] == [expected]
        assert all(configuration.problems_of(job, Costs.RUNS) for job in JOBS)


class TestWhatAProblemCosts:
    """One bad job never takes the others down; an uncertain scope takes all of them."""

    @pytest.mark.parametrize(
        ("text", "no_timer", "no_runs"),
        [
            ("scope = 3", set(JOBS), set(JOBS)),
            ("[scopes]", set(JOBS), set(JOBS)),
            ("[scope]\nsubscription = []", set(JOBS), set(JOBS)),
            ("jobs = 3", set(JOBS), set(JOBS)),
            ("[jobs.watchdog]\nschedule = 'x'", {"watchdog"}, set()),
            ("[jobs.watchdog]\nschedule = 3", {"watchdog"}, set()),
            ("[jobs.watchdog]\nscedule = '0 0 5 * * *'", {"watchdog"}, {"watchdog"}),
            ("[jobs]\nlist-resource-groups = 3", {"list-resource-groups"}, {"list-resource-groups"}),
            ("[jobs.tag-audti]\nschedule = '0 0 5 * * *'", set(), set()),
        ],
        ids=[
            "scope",
            "misspelled-scope",
            "misspelled-scope-key",
            "jobs",
            "bad-schedule",
            "schedule-type",
            "misspelled-key",
            "job-type",
            "unknown-job",
        ],
    )
    def test_is_paid_by_the_right_jobs(self, text: str, no_timer: set[str], no_runs: set[str]) -> None:
        configuration = configured(text)

        assert configuration.problems
        assert {job for job in JOBS if configuration.problems_of(job, Costs.TIMER)} == no_timer
        assert {job for job in JOBS if configuration.problems_of(job, Costs.RUNS)} == no_runs

    def test_what_cannot_be_read_keeps_its_default_and_nothing_else_does(self) -> None:
        configuration = configured(
            "[scope]\nsubscriptions = 3\nexclude_subscriptions = ['x']\n"
            "[jobs.watchdog]\nschedule = 3\n[jobs.list-resource-groups]\nschedule = '0 0 5 * * *'"
        )

        assert configuration.scope == Scope(exclude_subscriptions=("x",))
        assert configuration.jobs["watchdog"].schedule is None
        assert set(configuration.schedules) == {"list-resource-groups"}


def quoted(text: str) -> str:
    escaped = "".join(f"\\U{ord(each):08x}" if not each.isalnum() and each != "-" else each for each in text)
    return f'"{escaped}"'


CHARACTERS = some.characters(codec="utf-8", exclude_characters="`")
KEYS = some.sampled_from(
    ["scope", "jobs", "subscriptions", "exclude_subscriptions", "schedule", "timezone", *JOBS]
) | some.text(CHARACTERS, max_size=5)
SCALARS = (
    some.booleans().map(lambda flag: str(flag).lower())
    | some.integers().map(str)
    | some.floats().map(str)
    | some.sampled_from(["2026-05-27", "2026-05-27T01:02:03Z", "01:02:03", "[]", "{}", "''", "'%X%'", "'%'", "'*'"])
    | some.text(CHARACTERS, max_size=12).map(quoted)
)
VALUES = some.recursive(
    SCALARS,
    lambda inner: (
        some.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | some.dictionaries(KEYS, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{quoted(name)} = {value}" for name, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)


RULE_KEYS = (
    some.sampled_from([*TagRule.__struct_fields__, *Exemption.__struct_fields__])
    | some.sampled_from(["name", "tag", "required"])
    | KEYS
)


def check_anything(content: bytes, environ: dict[str, str]) -> Configuration:
    configuration = configure(content, "steward.toml", environ)
    for problem in configuration.problems:
        assert problem.place.startswith("steward.toml")
        assert problem.text
        assert "`" not in problem.text, "msgspec's words, not the operator's"
        if not problem.place.endswith(".schedule"):  # whose second line points at the place in the first
            assert problem.text == one_line(problem.text, len(problem.text))
    assert set(configuration.jobs) == set(JOBS)
    assert all(isinstance(schedule, Schedule) for schedule in configuration.schedules.values())
    return configuration


def audited(text: str, read: dict[str, Sequence[str]] | None = None, **environ: str) -> Configuration:
    """What is configured with `[jobs.tag-audit]` saying this."""
    content = f"[jobs.watchdog]\nschedule = '0 0 * * * *'\n[jobs.tag-audit]\n{text}".encode()
    return configure(content, "steward.toml", environ, (read or {}).get)


def audit_of(configuration: Configuration) -> TagAudit:
    settings = configuration.jobs["tag-audit"]
    assert isinstance(settings, TagAudit)
    return settings


RULE = "[[rules]]\nname = 'owner'\ntag = 'owner'\n"
SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"
TAGS = "steward.toml: jobs.tag-audit"
AUTOMATIC = "[[jobs.tag-audit.rules]]\nname = 'x'\ntag = 'x'\nrequired = true\ndefault = 'y'\nmode = 'automatic'"


class TestTagAudit:
    def test_without_a_word_it_plans_and_is_armed_nowhere(self) -> None:
        settings = audit_of(audited(""))

        assert settings == TagAudit()
        assert (settings.mode, settings.armed_subscriptions) == (Mode.PLAN, ())
        assert (settings.max_changes, settings.max_share, settings.owner_tag) == (500, 0.2, "owner")

    def test_rules_and_exemptions_are_read(self) -> None:
        configuration = audited(
            f"armed_subscriptions = ['%SUB%']\n[[jobs.tag-audit.rules]]\nname = 'owner'\ntag = 'owner'\n"
            f"required = true\napplies_to = {{ types = ['*'], exclude_resource_groups = ['%KEEP%'] }}\n"
            f"inherit_from = 'resource-group'\nmode = 'approve'\n[[jobs.tag-audit.exemptions]]\n"
            f"scope = '/subscriptions/{SUBSCRIPTION}'\nrules = ['own*']\nreason = 'r'\nauthor = 'a'\n"
            f"expires = 2027-01-31\n",
            SUB=SUBSCRIPTION,
            keep="mc_*",
        )
        settings = audit_of(configuration)

        assert (configuration.problems, configuration.warnings) == ((), ())
        assert settings.armed_subscriptions == (SUBSCRIPTION,)
        (found,) = settings.rules
        assert found.applies_to == AppliesTo(exclude_resource_groups=("mc_*",))
        assert found.mode is RuleMode.APPROVE
        assert settings.exemptions == (
            Exemption(
                scope=f"/subscriptions/{SUBSCRIPTION}",
                rules=("own*",),
                reason="r",
                author="a",
                expires=date(2027, 1, 31),
            ),
        )

    def test_a_percent_sign_in_a_value_is_one(self) -> None:
        (found,) = audit_of(audited("[[jobs.tag-audit.rules]]\nname = 'x'\ntag = 'x'\nallowed = ['100%']")).rules

        assert found == TagRule(name="x", tag="x", allowed=("100%",))

    def test_values_come_from_a_file_without_blank_lines_and_copies(self) -> None:
        text = "[[jobs.tag-audit.rules]]\nname = 'x'\ntag = 'x'\nallowed_from = 'x.txt'"

        assert audited(text, {"x.txt": [" web ", "", "data", "web"]}).lists == {"x.txt": ("web", "data")}

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("mode = 'aply'", ["mode: 'aply' is none of plan, apply; did you mean 'apply'"]),
            ("max_share = 1.5", ["max_share: expected a number <= 1.0; a share such as 0.1 is 10 %"]),
            ("max_changes = 0", ["max_changes: expected a whole number >= 1"]),
            (
                "armed_subscriptions = ['prod-*']",
                [
                    (
                        "armed_subscriptions[0]: 'prod-*' is no id of a subscription; name each by its GUID, as "
                        "nothing else arms one"
                    )
                ],
            ),
            ("owner_tag = ' '", ["owner_tag: '' is blank; write the key of a tag"]),
            ("[rules]\nname = 'x'", ["rules: must be a list of tables, each under [[jobs.tag-audit.rules]]"]),
            ("[[rules]]\ntag = 'x'\nrequired = true", ["rules[0]: has no 'name'; add it"]),
            ("rules = [3]", ["rules[0]: must be a table, not a whole number"]),
            (
                f"{RULE}patern = 'x'\nrequired = true",
                ["rules[0]: there is no key 'patern'; did you mean 'pattern'"],
            ),
            (
                f"{RULE}required = 1\nformat = 'dat'\nspelling = true",
                [
                    "rules[0].required: expected true or false, got a whole number",
                    "rules[0].format: 'dat' is none of date, email, number, guid; did you mean 'date'",
                ],
            ),
            (
                f"{RULE}required = true\napplies_to = {{ type = ['x'], kinds = ['resources'], tags = {{a = 1}} }}",
                [
                    "rules[0].applies_to: there is no key 'type'; did you mean 'types'",
                    (
                        "rules[0].applies_to.kinds[0]: 'resources' is none of subscription, resource-group, resource; "
                        "did you mean 'resource'"
                    ),
                    "rules[0].applies_to.tags[...]: expected a text in quotes, got a whole number",
                ],
            ),
            (
                f"{RULE}required = true\napplies_to = {{ types = ['%X%'] }}",
                ["rules[0].applies_to.types[0]: '%X%' names no app setting; add the setting X to the app"],
            ),
            (
                f"{RULE}required = true\n{RULE.replace('owner', 'x')}pattern = '['\nallowed_from = 'gone.txt'",
                [
                    (
                        "rules[1].allowed_from: the file 'gone.txt' cannot be read; put it beside steward.toml, "
                        "one value a line"
                    ),
                    (
                        "rules[1].pattern: is no pattern of RE2: missing ]: [; see "
                        "https://github.com/google/re2/wiki/Syntax"
                    ),
                ],
            ),
            (
                "[[rules]]\ntag = 'x'\n[[rules]]\nname = 'y'\ntag = 'y'",
                [
                    "rules[0]: has no 'name'; add it",
                    (
                        "rules[1]: checks nothing; add required, allowed, pattern, format, spelling, aliases, "
                        "forbidden or max_tags"
                    ),
                ],
            ),
            (
                "[[exemptions]]\nscope = 'x'\nrules = ['*']\nreason = ''\nexpires = '31.12.2026'",
                [
                    "exemptions[0]: has no 'author'; add it",
                    "exemptions[0].expires: is no date; write one such as 2026-12-31",
                ],
            ),
            (
                "[[exemptions]]\nscope = 'x'\nrules = ['*']\nreason = 'r'\nauthor = 'a'\nexpires = 2026-12-31",
                [
                    (
                        "exemptions[0].scope: 'x' is no id of a subscription, a resource group or a resource; write "
                        "one such as /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-legacy"
                    )
                ],
            ),
        ],
    )
    def test_each_problem_has_its_place(self, text: str, expected: list[str]) -> None:
        found = audited(re.sub(r"(?m)^(\[+)(?=[re])", r"\1jobs.tag-audit.", text))

        assert sorted(map(str, found.problems)) == sorted(f"{TAGS}.{each}" for each in expected)
        assert found.problems_of("tag-audit", Costs.RUNS)
        assert not found.problems_of("list-resource-groups", Costs.TIMER)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "schedule = '0 30 5 * * *'",
                "rules: there is none, so that every run fails; write one under [[jobs.tag-audit.rules]]",
            ),
            (
                f"mode = 'apply'\narmed_subscriptions = ['{SUBSCRIPTION}']",
                "mode: is 'apply', and no rule is 'automatic', so the timer applies nothing",
            ),
            (
                f"mode = 'apply'\n{AUTOMATIC}",
                "mode: is 'apply', and no subscription is armed, so nothing is applied; name some, or plan only",
            ),
            (
                AUTOMATIC,
                (
                    "rules[0].mode: is 'automatic', and the job's mode is 'plan', so its changes wait for a person; "
                    '"approve" says so'
                ),
            ),
            (
                (
                    f"[[jobs.tag-audit.exemptions]]\nscope = '/subscriptions/{SUBSCRIPTION}'\nrules = ['gone']\n"
                    "reason = 'r'\nauthor = 'a'\nexpires = 2026-12-31"
                ),
                "exemptions[0].rules: 'gone' is the name of no rule",
            ),
        ],
        ids=["no-rule", "nothing-automatic", "nothing-armed", "automatic", "exempt-from-nothing"],
    )
    def test_what_may_surprise_is_said(self, text: str, expected: str) -> None:
        configuration = audited(text)

        assert configuration.problems == ()
        assert [str(each) for each in configuration.warnings] == [f"{TAGS}.{expected}"]


class TestAnything:
    @given(table=some.dictionaries(RULE_KEYS, VALUES, max_size=6), kind=some.sampled_from(["rules", "exemptions"]))
    def test_random_rules_never_raise_and_never_run_half_understood(self, table: dict[str, str], kind: str) -> None:
        said = "\n".join(f"{quoted(name)} = {value}" for name, value in table.items())

        configuration = audited(f"[[jobs.tag-audit.{kind}]]\n{said}")

        settings = audit_of(configuration)
        if configuration.problems:
            assert configuration.problems_of("tag-audit", Costs.RUNS)
        else:
            assert len(settings.rules) + len(settings.exemptions) == 1

    @given(content=some.binary())
    @example(content=b"")
    def test_random_bytes_never_raise(self, content: bytes) -> None:
        check_anything(content, {})

    @given(table=some.dictionaries(KEYS, VALUES, max_size=4), environ=some.dictionaries(some.just("X"), some.text()))
    def test_random_toml_never_raises(self, table: dict[str, str], environ: dict[str, str]) -> None:
        lines = [f"{quoted(name)} = {value}" for name, value in table.items()]

        check_anything("\n".join(lines).encode(), environ)

    @given(table=some.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
    def test_a_scope_is_understood_as_a_whole_or_nothing_runs(self, table: dict[str, str]) -> None:
        lines = ["[scope]", *(f"{quoted(name)} = {value}" for name, value in table.items())]

        configuration = check_anything("\n".join(lines).encode(), {})

        if configuration.problems:
            assert all(configuration.problems_of(job, Costs.RUNS) for job in JOBS)
        else:
            written = tomllib.loads("\n".join(lines))["scope"]
            assert configuration.scope == Scope(**{name: tuple(value) for name, value in written.items()})


def test_a_missed_run_that_could_never_be_noticed_is_said() -> None:
    """`expect_within` ends before the records that would show it are removed."""
    watchdog = '[jobs.watchdog]\nretention_days = 2\nschedule = "0 */30 * * * *"\n'
    content = f'[jobs.list-resource-groups]\nexpect_within = "2d"\n{watchdog}'.encode()

    configuration = configure(content, "steward.toml", {})

    assert configuration.problems == ()
    text = "'2d' is not shorter than the watchdog's retention_days of 2, so no missed run is noticed; shorten it"
    assert [str(warning) for warning in configuration.warnings] == [
        f"steward.toml: jobs.list-resource-groups.expect_within: {text}"
    ]


HIDDEN = "its value is not shown, as it may be a secret"


class TestTimezone:
    """By whose clocks a job's schedule is meant; a wrong one costs the timer, as a wrong schedule does."""

    def of(self, timezone: str, schedule: str = "0 0 6 * * *", **environ: str) -> Configuration:
        text = f"[jobs.watchdog]\nschedule = '{schedule}'\ntimezone = {timezone}"
        return configure(text.encode(), "steward.toml", environ)

    def test_is_taken(self) -> None:
        configuration = self.of("'Europe/Berlin'")

        assert (configuration.problems, configuration.warnings) == ((), ())
        schedule = configuration.schedules["watchdog"]
        assert (schedule.timezone, schedule.timer) == ("Europe/Berlin", "0 0 4-5 * * *")
        assert schedule.words == "At 06:00, every day (Europe/Berlin)."
        assert configuration.judgements["watchdog"].words == schedule.words

    def test_may_be_an_app_setting(self) -> None:
        """As every text that says when a job runs."""
        assert self.of("'%ZONE%'", ZONE="Asia/Kolkata").schedules["watchdog"].timer == "0 30 0 * * *"

    @pytest.mark.parametrize(
        ("timezone", "text"),
        [
            ("'Europe/Berln'", "'Europe/Berln' is no time zone; did you mean 'Europe/Berlin'"),
            ("''", "'' is no time zone; write an IANA name such as Europe/Berlin"),
            ("1", "expected a text in quotes, got a whole number"),
            ("'%NONE%'", "'%NONE%' names no app setting; add the setting NONE to the app"),
            ("'%KEY%'", f"the app setting in '%KEY%' names no time zone; {HIDDEN}; write {timezones.EXAMPLE}"),
        ],
        ids=["unknown", "empty", "number", "no-setting", "secret"],
    )
    def test_a_wrong_one_costs_the_timer(self, timezone: str, text: str) -> None:
        """Nothing runs by the clocks of another zone than the one that is meant."""
        configuration = self.of(timezone, KEY="c2VjcmV0")

        assert configuration.schedules == {}
        (problem,) = configuration.problems
        assert (problem.place, problem.text) == ("steward.toml: jobs.watchdog.timezone", text)
        assert (problem.costs, problem.job) == (Costs.TIMER, "watchdog")
        assert configuration.problems_of("watchdog", Costs.RUNS) == []
        assert "c2VjcmV0" not in repr(configuration.judgements)

    def test_a_wrong_schedule_is_said_too(self) -> None:
        configuration = self.of("'Mars/Olympus'", "0 6 * * *")

        assert [problem.place.rpartition(".")[2] for problem in configuration.problems] == ["schedule", "timezone"]
        assert configuration.schedules == {}

    def test_a_timer_that_would_mostly_call_for_nothing(self) -> None:
        """A day of the week by clocks whose days are not those of UTC."""
        configuration = self.of("'America/Santiago'", "0 */5 * * * MON")

        (warning,) = configuration.warnings
        assert warning.place == "steward.toml: jobs.watchdog.timezone"
        assert "of whose calls about 247 a day start nothing; write " in warning.text
        assert set(configuration.schedules) == {"watchdog"}

    def test_without_a_schedule(self) -> None:
        configuration = configure(b"[jobs.cleanup]\ntimezone = 'Europe/Berlin'", "steward.toml", {})

        texts = {warning.place: warning.text for warning in configuration.warnings}
        assert texts["steward.toml: jobs.cleanup.timezone"] == "has no effect, as there is no schedule; remove it"

    @pytest.mark.parametrize(("setting", "warned"), [("W. Europe Standard Time", True), ("UTC", False), ("", False)])
    def test_a_host_with_a_zone_of_its_own(self, setting: str, *, warned: bool) -> None:
        """It would move every timer, and steward.toml has reckoned with UTC."""
        configuration = self.of("'Europe/Berlin'", WEBSITE_TIME_ZONE=setting)

        assert [("WEBSITE_TIME_ZONE" in each.text) for each in configuration.warnings] == [True] * warned

    def test_a_host_with_a_zone_of_its_own_and_a_job_in_utc(self) -> None:
        """A job without a zone is moved just as well."""
        content = b"[jobs.watchdog]\nschedule = '0 */30 * * * *'"
        configuration = configure(content, "steward.toml", {"WEBSITE_TIME_ZONE": "W. Europe Standard Time"})

        (warning,) = configuration.warnings
        assert warning.place == "steward.toml: jobs.watchdog.schedule"
        assert "it is reckoned from UTC, and the app setting WEBSITE_TIME_ZONE puts every timer" in warning.text

    @pytest.mark.parametrize(
        ("one", "other", "clock"),
        [
            (("0 0 6", "Europe/Berlin"), ("0 0 6", "Europe/Berlin"), "at 06:00, every day (Europe/Berlin);"),
            (("0 0 6", "Europe/Berlin"), ("0 0 5", "Europe/London"), "at 04:00 and 05:00, every day (UTC);"),
            (("0 0 6", "Europe/Berlin"), ("0 0 6", "Europe/London"), "at 05:00, every day (UTC);"),
            (("0 0 6", "Europe/Berlin"), ("0 0 7", "Asia/Kolkata"), None),
        ],
    )
    def test_jobs_that_clash(self, one: tuple[str, str], other: tuple[str, str], clock: str | None) -> None:
        """By the clocks of one zone, or in UTC where there are several."""
        text = "".join(
            f"[jobs.{job}]\nschedule = '{schedule} * * *'\ntimezone = '{timezone}'\n"
            for job, (schedule, timezone) in (("cleanup", one), ("tag-audit", other))
        )
        warnings = configure(text.encode(), "steward.toml", {}).warnings

        clashes = [each.text for each in warnings if "side by side" in each.text]
        assert len(clashes) == (clock is not None)
        assert all(clock in each for each in clashes if clock)
