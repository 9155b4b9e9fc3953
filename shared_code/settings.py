"""steward.toml as typed values: every problem at once, each with its place, and what it costs."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated

import msgspec

from shared_code import exemptions, rule_problems
from shared_code.cleanup_settings import CleanupRules, RuleSettings
from shared_code.durations import Duration
from shared_code.exemptions import Exemption
from shared_code.foreign_text import one_line
from shared_code.meaning import says
from shared_code.notices.settings import TABLE as NOTICES_TABLE
from shared_code.notices.settings import Notices, Receivers, cautions_of, receivers_of
from shared_code.problems import Caution, Costs, Problem
from shared_code.runs import Mode
from shared_code.schedule_warnings import clashes
from shared_code.schedules import Judgement, Schedule, judge, named_zone
from shared_code.scope import INCLUDING, Globs, Scope
from shared_code.settings_reader import SettingsReader
from shared_code.tag_formats import is_guid
from shared_code.tag_keys import problem_of
from shared_code.tag_rules import RuleMode, TagRule
from shared_code.windows import Window

__all__ = [
    "JOBS",
    "WRITING",
    "AnyJob",
    "Caution",
    "Cleanup",
    "Configuration",
    "Costs",
    "JobSettings",
    "ListResourceGroups",
    "Problem",
    "TagAudit",
    "Watchdog",
    "configure",
]


_HOUR = "60m"
type SubscriptionId = Annotated[str, msgspec.Meta(title="the id of a subscription")]


class AnyJob(msgspec.Struct, frozen=True):
    """What every job's table may say.

    `schedule` is NCRONTAB; without one the job runs by hand only. `timezone` is the zone by whose clocks it is meant;
    a wrong one costs the job its timer, as a wrong schedule does. `expect_within` is how long after an occurrence its
    run may take to end before the watchdog calls it missed.
    """

    schedule: Annotated[
        str | None,
        says(
            "When it runs, in UTC or by the clocks of `timezone`; `%NAME%` reads an app setting.",
            "by hand only",
            title="NCRONTAB, six fields with the seconds first",
            examples=["0 30 5 * * *"],
        ),
    ] = None
    timezone: Annotated[
        str | None,
        says(
            "By whose clocks `schedule` is meant. The timer stays in UTC and is called at every moment that could be "
            "meant; a call that is for no occurrence starts nothing. A time that the clocks skip runs later by the "
            "length of the gap; a time that comes twice runs the first time, an interval both times. `%NAME%` reads "
            "an app setting.",
            "UTC",
            title="the IANA name of a time zone",
            examples=["Europe/Berlin"],
        ),
    ] = None
    # By a factory, since a schema cannot show this default by itself.
    expect_within: Annotated[
        Duration,
        says(
            "How long after an occurrence its run may take to end before the watchdog calls it missed. For the "
            "watchdog itself it has no effect: `STEWARD_HEARTBEAT_URL` is for that.",
            default=_HOUR,
        ),
    ] = msgspec.field(default_factory=lambda: Duration.parse(_HOUR))


class ListResourceGroups(AnyJob, frozen=True):
    """`[jobs.list-resource-groups]`."""


class TagAudit(AnyJob, frozen=True):
    """`[jobs.tag-audit]`.

    Changes are made in `armed_subscriptions` alone, by id and never by pattern. A plan of more than `max_changes`, or
    of more than `max_share` of what was audited, is not applied. `owner_tag` is the tag by whose values compliance is
    counted by owner.
    """

    mode: Annotated[
        Mode, says("Whether the timer applies what `automatic` rules plan; with `plan` a person applies all of it.")
    ] = Mode.PLAN
    armed_subscriptions: Annotated[
        tuple[SubscriptionId, ...], says("The subscriptions in which tags may be changed, never patterns.", "none")
    ] = ()
    max_changes: Annotated[
        int, msgspec.Meta(ge=1, le=100_000), says("More changes at once are refused, all of them.")
    ] = 500
    max_share: Annotated[
        float,
        msgspec.Meta(gt=0, le=1),
        says(
            "To touch more than this share of the resources, or of the resource groups, that the plan's run read in a "
            "subscription is refused too; one may always be touched."
        ),
    ] = 0.2
    owner_tag: Annotated[str, says("The tag by whose values compliance is counted by owner.")] = "owner"
    rules: Annotated[tuple[TagRule, ...], says("What is expected of tags.", "every run fails")] = ()
    exemptions: Annotated[tuple[Exemption, ...], says("Where rules need not be kept, until when, and why.")] = ()


class Cleanup(AnyJob, frozen=True):
    """`[jobs.cleanup]`.

    Deletions are made in `armed_subscriptions` alone, by id and never by pattern, and only where something is
    protected by name. A plan of more than `max_deletions`, or of more than `max_share` of the things of a type in a
    subscription, is not applied.
    """

    mode: Annotated[
        Mode, says("Whether the timer deletes what `automatic` rules plan; with `plan` a person applies all of it.")
    ] = Mode.PLAN
    armed_subscriptions: Annotated[
        tuple[SubscriptionId, ...],
        says("The subscriptions in which something may be deleted, never patterns.", "none"),
    ] = ()
    protected_resource_groups: Annotated[
        Globs,
        says("Names of resource groups that stay, with all that is in them; needed where a subscription is armed."),
    ] = ()
    protected_names: Annotated[Globs, says("Names of resources that stay.")] = ()
    protected_tags: Annotated[
        tuple[str, ...],
        says("Keys of tags that protect what carries them, and what is in it; any value but `false` does."),
    ] = (
        "keep",
        "do-not-delete",
        "donotdelete",
    )
    max_deletions: Annotated[
        int,
        msgspec.Meta(ge=1, le=10_000),
        says("More deletions at once are refused, all of them; what is in a resource group counts."),
    ] = 20
    max_share: Annotated[
        float,
        msgspec.Meta(gt=0, le=1),
        says(
            "To delete more than this share of the things of a type in a subscription, with those in resource groups, "
            "is refused too; one may always go. Where a subscription is armed it is under 1."
        ),
    ] = 0.1
    delete_window: Annotated[
        Window | None, says("The hours of the day in which something may be deleted, in UTC.", "at any time")
    ] = None
    rules: Annotated[CleanupRules, says("What is looked for; naming a rule switches it on.", "every run fails")] = (
        CleanupRules()
    )


class Watchdog(AnyJob, frozen=True):
    """`[jobs.watchdog]`; `retention_days` is how long runs and their reports are kept."""

    retention_days: Annotated[
        int,
        msgspec.Meta(ge=1, le=3650),
        says("For how many days runs and their reports are kept; one that has not ended is always kept."),
    ] = 90


type JobSettings = ListResourceGroups | TagAudit | Cleanup | Watchdog

JOBS: dict[str, type[ListResourceGroups] | type[TagAudit] | type[Cleanup] | type[Watchdog]] = {
    "list-resource-groups": ListResourceGroups,
    "tag-audit": TagAudit,
    "cleanup": Cleanup,
    "watchdog": Watchdog,
}
"""The jobs there are, by name, each with the type of its table in steward.toml."""

WRITING = frozenset({"tag-audit", "cleanup"})
"""The jobs that may change something in Azure."""


class Configuration(msgspec.Struct, frozen=True):
    """What steward.toml says, as far as it can be understood, and everything that is wrong with it."""

    scope: Scope
    jobs: dict[str, JobSettings]
    schedules: dict[str, Schedule]
    problems: tuple[Problem, ...]
    warnings: tuple[Caution, ...] = ()
    judgements: dict[str, Judgement] = {}
    """What Azure and Steward make of each schedule, also of those that are refused."""
    lists: dict[str, tuple[str, ...]] = {}
    """The values in each file that a rule's `allowed_from` names."""
    own_resource_group: str | None = None
    """The id of the resource group that the app itself is in, from the app settings; None where it runs elsewhere."""
    notices: Notices = Notices()
    receivers: Receivers = Receivers()
    """Who is told; nobody where anything is wrong with `[notices]`."""

    def digest_of(self, job: str) -> str:
        """Return the digest of what a job's plans are made by: scope, rules, and what is exempted from them."""
        settings = self.jobs.get(job)
        made_by: list[object] = [self.scope]
        if isinstance(settings, TagAudit):
            made_by += [settings.rules, settings.exemptions, self.lists]
        if isinstance(settings, Cleanup):
            made_by += [settings.rules, settings.protected_resource_groups, settings.protected_names]
            made_by += [settings.protected_tags]
        encoded = msgspec.json.encode(made_by, enc_hook=str, order="deterministic")
        return hashlib.sha256(encoded).hexdigest()

    def problems_of(self, job: str, costs: Costs) -> list[Problem]:
        """Return the problems that cost this job its timer or its runs."""
        mine = [problem for problem in self.problems if problem.job in (None, job)]
        return mine if costs is Costs.TIMER else [problem for problem in mine if problem.costs is Costs.RUNS]


_UNWATCHED = (
    'without a schedule nobody notices runs that are missed, or get lost on the way; write schedule = "0 */30 * * * *"'
)


def _no_list(_: str) -> None:
    return None


def configure(
    content: bytes | None,
    place: str,
    environ: Mapping[str, str],
    read_list: Callable[[str], Sequence[str] | None] = _no_list,
) -> Configuration:
    """Read the bytes of steward.toml; never raises.

    Args:
        content: the file's bytes; None if it could not be read.
        place: the file's name, with which every problem begins.
        environ: the app settings, for `%NAME%`.
        read_list: gives the lines of a file beside it; None if that cannot be read. It must not raise.
    """
    place = one_line(place) or "STEWARD_CONFIG"  # it is whatever that app setting ends in
    reader = SettingsReader(place, environ)
    document = reader.document(content)
    reader.only_known(document, ("scope", "jobs", "notices"), place)
    scope = _scope(document, place, reader)
    tables = document.get("jobs", {})
    if not isinstance(tables, dict):
        reader.problem(f"{place}: jobs", "must be a table, such as [jobs.list-resource-groups]", Costs.RUNS)
        tables = {}
    jobs: dict[str, JobSettings] = {}
    schedules: dict[str, Schedule] = {}
    judgements: dict[str, Judgement] = {}
    warnings: list[Caution] = []
    lists: dict[str, tuple[str, ...]] = {}
    for name in [name for name in tables if name not in JOBS]:
        # Nothing of that name can be started, and the other jobs do not pay for it.
        reader.unknown("job", name, tuple(JOBS), f"{place}: jobs", name)
    for name, kind in JOBS.items():
        where = f"{place}: jobs.{name}"
        jobs[name] = settings = reader.struct(tables.get(name, {}), kind, where, name)
        if isinstance(settings, TagAudit):
            lists = _lists(settings.rules, read_list)
            _tag_problems(settings, where, reader, lists)
            warnings += [Caution(at, text, name) for at, text in _tag_cautions(settings, where, reader)]
        if isinstance(settings, Cleanup):
            for at, text in _cleanup_problems(settings, where):
                reader.problem(at, text, Costs.RUNS, name)
            warnings += [Caution(at, text, name) for at, text in _cleanup_cautions(settings, where)]
        if settings.schedule is None and name == "watchdog" and not reader.problems:
            warnings.append(Caution(where, _UNWATCHED, name))
        if judgement := _judged(settings, where, name, environ, reader):
            judgements[name] = judgement
            if judgement.schedule:
                schedules[name] = judgement.schedule
        warnings += [
            Caution(f"{where}.{key}", text, name) for key, text in _timer_cautions(settings, judgement, environ)
        ]
    watchdog = jobs["watchdog"]
    kept = watchdog.retention_days if isinstance(watchdog, Watchdog) else Watchdog().retention_days
    for name, settings in jobs.items():
        if settings.expect_within.length >= timedelta(days=kept):
            text = (
                f"is not shorter than the watchdog's retention_days of {kept}, so no missed run is noticed; shorten it"
            )
            warnings.append(Caution(f"{place}: jobs.{name}.expect_within", f"'{settings.expect_within}' {text}", name))
    notices, receivers = _notices(document, place, environ, reader, warnings)
    warnings += [Caution(f"{place}: jobs", text) for text in _clashes(schedules)]
    return Configuration(
        scope,
        jobs,
        schedules,
        tuple(reader.problems),
        tuple(warnings),
        judgements,
        lists,
        notices=notices,
        receivers=receivers,
    )


def _judged(
    settings: JobSettings, where: str, name: str, environ: Mapping[str, str], reader: SettingsReader
) -> Judgement | None:
    """Judge a job's schedule and its time zone; None without a schedule."""
    if settings.schedule is None or any(problem.place == f"{where}.timezone" for problem in reader.problems):
        return None  # Of a zone that is no text nobody knows by whose clocks the schedule is meant.
    judgement = judge(settings.schedule, environ, settings.timezone)
    zone = named_zone(settings.timezone, environ)[1] if settings.timezone is not None else None
    if not judgement.steward.accepted and judgement.steward.reason != zone:
        reader.problem(f"{where}.schedule", judgement.steward.reason or "", Costs.TIMER, name)
    if zone:
        reader.problem(f"{where}.timezone", zone, Costs.TIMER, name)
    return judgement


def _timer_cautions(
    settings: JobSettings, judgement: Judgement | None, environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Say where a job's schedule, or its time zone, may surprise."""
    if settings.schedule is None and settings.timezone is not None:
        yield "timezone", "has no effect, as there is no schedule; remove it"
    if judgement is None or judgement.schedule is None:
        return
    yield from (("schedule", text) for text in judgement.warnings)
    yield from (("timezone", text) for text in judgement.schedule.local_warnings)
    hosts = next((value for name, value in environ.items() if name.casefold() == "website_time_zone"), "UTC")
    if hosts not in ("", "UTC", "Etc/UTC"):
        key, what = ("schedule", "it") if judgement.timezone is None else ("timezone", f"'{judgement.timezone}'")
        instead = 'remove that setting, and write timezone = "Europe/Berlin", or whichever it is, where it is wanted'
        sentence = (
            f"{what} is reckoned from UTC, and the app setting WEBSITE_TIME_ZONE puts every timer of the app into a "
            f"zone of its own where the plan knows it; {instead}"
        )
        yield key, sentence


def _clashes(schedules: Mapping[str, Schedule]) -> tuple[str, ...]:
    """Compare schedules of one zone by its clocks, and those of several in UTC."""
    zones = {schedule.timezone for name, schedule in schedules.items() if name in WRITING}
    if len(zones) == 1:
        crons = {name: schedule.cron for name, schedule in schedules.items()}
        return clashes(crons, WRITING, zones.pop() or "UTC")
    return clashes({name: schedule.registered for name, schedule in schedules.items()}, WRITING)


def _notices(
    document: Mapping[str, object],
    place: str,
    environ: Mapping[str, str],
    reader: SettingsReader,
    warnings: list[Caution],
) -> tuple[Notices, Receivers]:
    """Read `[notices]`; with a problem nobody is told, and every job runs as if the table were not there."""
    where = f"{place}: notices"
    before = len(reader.problems)
    notices = reader.struct(document.get("notices", {}), Notices, where, NOTICES_TABLE)
    receivers, problems = receivers_of(notices, environ)
    for key, text in problems:
        reader.problem(f"{where}.{key}", text, Costs.NOTICES, NOTICES_TABLE)
    if len(reader.problems) > before:
        found = [msgspec.structs.replace(each, costs=Costs.NOTICES) for each in reader.problems[before:]]
        reader.problems[before:] = found
        return Notices(), Receivers()
    warnings += [Caution(f"{where}.{key}", text, NOTICES_TABLE) for key, text in cautions_of(notices)]
    return notices, receivers


def _scope(document: Mapping[str, object], place: str, reader: SettingsReader) -> Scope:
    scope = reader.struct(document.get("scope", {}), Scope, f"{place}: scope", None)
    for key in INCLUDING:
        if not getattr(scope, key):
            reader.problem(f"{place}: scope.{key}", 'is empty, so nothing is in scope; write ["*"] for all', Costs.RUNS)
    return scope


def _lists(rules: Sequence[TagRule], read_list: Callable[[str], Sequence[str] | None]) -> dict[str, tuple[str, ...]]:
    """Read the files that rules take their values from; one that cannot be read is left out."""
    lists: dict[str, tuple[str, ...]] = {}
    for name in {rule.allowed_from: None for rule in rules if rule.allowed_from}:
        lines = read_list(name) if rule_problems.is_file_name(name) else None
        if lines is not None:
            lists[name] = tuple(dict.fromkeys(filter(None, map(str.strip, lines))))
    return lists


def _tag_problems(settings: TagAudit, where: str, reader: SettingsReader, lists: Mapping[str, Sequence[str]]) -> None:
    found = list(_arming_problems(settings.armed_subscriptions, where))
    if wrong := problem_of(settings.owner_tag):
        found.append((f"{where}.owner_tag", f"'{one_line(settings.owner_tag, 80)}' {wrong}"))
    found += rule_problems.problems_of(reader.items_of(TagRule), lists)
    found += exemptions.problems_of(reader.items_of(Exemption))
    for place, text in found:
        reader.problem(place, text, Costs.RUNS, where.rpartition(".")[2])


def _arming_problems(armed: Sequence[str], where: str) -> Iterator[tuple[str, str]]:
    for position, identifier in enumerate(armed):
        if not is_guid(identifier):
            text = "is no id of a subscription; name each by its GUID, as nothing else arms one"
            yield f"{where}.armed_subscriptions[{position}]", f"'{one_line(identifier, 80)}' {text}"


def _cleanup_problems(settings: Cleanup, where: str) -> Iterator[tuple[str, str]]:
    yield from _arming_problems(settings.armed_subscriptions, where)
    if settings.armed_subscriptions and not settings.protected_resource_groups:
        text = 'is empty, and subscriptions are armed; name what must never be touched, such as ["rg-core-*"]'
        yield f"{where}.protected_resource_groups", text
    if settings.armed_subscriptions and settings.max_share >= 1:
        yield f"{where}.max_share", "is 1, which is no limit at all; write less, such as 0.1"
    for key in ("protected_resource_groups", "protected_names"):
        for position, pattern in enumerate(getattr(settings, key)):
            if wrong := _pattern_problem(pattern, of_groups=key == "protected_resource_groups"):
                yield f"{where}.{key}[{position}]", f"'{one_line(pattern, 80)}' {wrong}"
    for position, key in enumerate(settings.protected_tags):
        if wrong := problem_of(key):
            yield f"{where}.protected_tags[{position}]", f"'{one_line(key, 80)}' {wrong}"
    for name, rule in settings.rules.on.items():
        yield from ((f"{where}.rules.{name}.{key}", text) for key, text in rule.problems())
        if rule.mode is RuleMode.AUTOMATIC:
            yield from ((f"{where}.rules.{name}.{key}", text) for key, text in _haste(rule))


def _haste(rule: RuleSettings) -> Iterator[tuple[str, str]]:
    """Say where a rule that needs no person would delete what it has hardly watched."""
    if rule.minimum_age is not None and rule.minimum_age.length < timedelta(days=1):
        yield "minimum_age", f"'{rule.minimum_age}' is too short for mode 'automatic'; write '1d' or more, or 'approve'"
    if rule.minimum_observations == 1:
        yield "minimum_observations", "is 1, and mode 'automatic' needs a second look; write 2 or more, or 'approve'"


def _pattern_problem(pattern: str, *, of_groups: bool) -> str | None:
    """Return why a glob on names protects nothing, or None."""
    if not pattern.strip():
        return "is blank, so it protects nothing; write a name such as 'rg-core-*', or remove it"
    if pattern != pattern.strip():
        return "begins or ends with a space, as no name does, so it protects nothing; remove the space"
    # A resource within another is named with a slash, 'server/orders'.
    if "/" in pattern if of_groups else pattern.startswith("/"):
        return "is no name, so it protects nothing; write the name alone, such as 'rg-core-*', not an id"
    return None


def _cleanup_cautions(settings: Cleanup, where: str) -> Iterator[tuple[str, str]]:
    on = settings.rules.on
    if settings.schedule is not None and not on:
        yield f"{where}.rules", "there is none, so that every run fails; name one, such as [jobs.cleanup.rules.expired]"
    automatic = [name for name, rule in on.items() if rule.mode is RuleMode.AUTOMATIC]
    yield from _mode_cautions(
        settings.mode, settings.armed_subscriptions, [f"rules.{name}" for name in automatic], where
    )


def _mode_cautions(mode: Mode, armed: Sequence[str], automatic: Sequence[str], where: str) -> Iterator[tuple[str, str]]:
    """Say where the mode of the job and those of its rules do not go together."""
    if mode is Mode.APPLY and not armed:
        yield (
            f"{where}.mode",
            "is 'apply', and no subscription is armed, so nothing is applied; name some, or plan only",
        )
    if mode is Mode.APPLY and not automatic:
        yield f"{where}.mode", "is 'apply', and no rule is 'automatic', so the timer applies nothing"
    if mode is Mode.PLAN:
        text = "is 'automatic', and the job's mode is 'plan', so its changes wait for a person; \"approve\" says so"
        yield from ((f"{where}.{rule}.mode", text) for rule in automatic)


def _tag_cautions(settings: TagAudit, where: str, reader: SettingsReader) -> Iterator[tuple[str, str]]:
    if settings.schedule is not None and not reader.items_of(TagRule):
        yield f"{where}.rules", "there is none, so that every run fails; write one under [[jobs.tag-audit.rules]]"
    automatic = [f"rules[{number}]" for number, rule in enumerate(settings.rules) if rule.mode is RuleMode.AUTOMATIC]
    yield from _mode_cautions(settings.mode, settings.armed_subscriptions, automatic, where)
    yield from rule_problems.cautions_of(reader.items_of(TagRule))
    yield from exemptions.cautions_of(reader.items_of(Exemption), {rule.name for rule in settings.rules})
