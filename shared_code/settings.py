"""steward.toml as typed values: every problem at once, each with its place, and what it costs."""

import codecs
import difflib
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from shared_code.durations import Duration
from shared_code.foreign_text import one_line
from shared_code.ncrontab import ScheduleError
from shared_code.schedule_warnings import clashes
from shared_code.schedules import Judgement, Schedule, fill, judge
from shared_code.scope import INCLUDING, Scope


class Costs(StrEnum):
    """What a problem costs until it is mended."""

    TIMER = "timer"
    """The job's schedule; it can still be started by hand."""
    RUNS = "runs"
    """Every run of the job."""


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with the configuration: where, what, and which jobs pay for it (none named: all of them)."""

    place: str
    text: str
    costs: Costs
    job: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Caution(msgspec.Struct, frozen=True):
    """One thing that works and may surprise: where, and what to write instead. It costs nothing."""

    place: str
    text: str
    job: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class AnyJob(msgspec.Struct, frozen=True):
    """What every job's table may say.

    `schedule` is NCRONTAB; without one the job runs by hand only. `expect_within` is how long after an occurrence its
    run may take to end before the watchdog calls it missed.
    """

    schedule: str | None = None
    expect_within: Duration = Duration.parse("60m")


class ListResourceGroups(AnyJob, frozen=True):
    """`[jobs.list-resource-groups]`."""


class Watchdog(AnyJob, frozen=True):
    """`[jobs.watchdog]`; `retention_days` is how long runs and their reports are kept."""

    retention_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 90


type JobSettings = ListResourceGroups | Watchdog

JOBS: dict[str, type[ListResourceGroups] | type[Watchdog]] = {
    "list-resource-groups": ListResourceGroups,
    "watchdog": Watchdog,
}
"""The jobs there are, by name, each with the type of its table in steward.toml."""

WRITING: frozenset[str] = frozenset()
"""The jobs that change something in Azure: none yet."""


class Configuration(msgspec.Struct, frozen=True):
    """What steward.toml says, as far as it can be understood, and everything that is wrong with it."""

    scope: Scope
    jobs: dict[str, JobSettings]
    schedules: dict[str, Schedule]
    problems: tuple[Problem, ...]
    warnings: tuple[Caution, ...] = ()
    judgements: dict[str, Judgement] = {}
    """What Azure and Steward make of each schedule, also of those that are refused."""

    def problems_of(self, job: str, costs: Costs) -> list[Problem]:
        """Return the problems that cost this job its timer or its runs."""
        mine = [problem for problem in self.problems if problem.job in (None, job)]
        return mine if costs is Costs.TIMER else [problem for problem in mine if problem.costs is Costs.RUNS]


_UNWATCHED = (
    'without a schedule nobody notices runs that are missed, or get lost on the way; write schedule = "0 */30 * * * *"'
)


def configure(content: bytes | None, place: str, environ: Mapping[str, str]) -> Configuration:
    """Read the bytes of steward.toml; never raises.

    Args:
        content: the file's bytes; None if it could not be read.
        place: the file's name, with which every problem begins.
        environ: the app settings, for `%NAME%`.
    """
    place = one_line(place) or "STEWARD_CONFIG"  # it is whatever that app setting ends in
    reader = _Reader(place, environ)
    document = reader.document(content)
    reader.only_known(document, ("scope", "jobs"), place)
    scope = reader.struct(document.get("scope", {}), Scope, f"{place}: scope", None)
    for key in INCLUDING:
        if not getattr(scope, key):
            reader.problem(f"{place}: scope.{key}", 'is empty, so nothing is in scope; write ["*"] for all', Costs.RUNS)
    tables = document.get("jobs", {})
    if not isinstance(tables, dict):
        reader.problem(f"{place}: jobs", "must be a table, such as [jobs.list-resource-groups]", Costs.RUNS)
        tables = {}
    jobs: dict[str, JobSettings] = {}
    schedules: dict[str, Schedule] = {}
    judgements: dict[str, Judgement] = {}
    warnings: list[Caution] = []
    for name in [name for name in tables if name not in JOBS]:
        # Nothing of that name can be started, and the other jobs do not pay for it.
        reader.unknown("job", name, tuple(JOBS), f"{place}: jobs", name)
    for name, kind in JOBS.items():
        where = f"{place}: jobs.{name}"
        jobs[name] = settings = reader.struct(tables.get(name, {}), kind, where, name)
        if settings.schedule is None:
            if name == "watchdog" and not reader.problems:
                warnings.append(Caution(where, _UNWATCHED, name))
            continue
        judgements[name] = judgement = judge(settings.schedule, environ)
        if judgement.schedule:
            schedules[name] = judgement.schedule
            warnings += [Caution(f"{where}.schedule", text, name) for text in judgement.warnings]
        else:
            reader.problem(f"{where}.schedule", judgement.steward.reason or "", Costs.TIMER, name)
    watchdog = jobs["watchdog"]
    kept = watchdog.retention_days if isinstance(watchdog, Watchdog) else Watchdog().retention_days
    for name, settings in jobs.items():
        if settings.expect_within.length >= timedelta(days=kept):
            text = (
                f"is not shorter than the watchdog's retention_days of {kept}, so no missed run is noticed; shorten it"
            )
            warnings.append(Caution(f"{place}: jobs.{name}.expect_within", f"'{settings.expect_within}' {text}", name))
    crons = {name: schedule.cron for name, schedule in schedules.items()}
    warnings += [Caution(f"{place}: jobs", text) for text in clashes(crons, WRITING)]
    return Configuration(scope, jobs, schedules, tuple(reader.problems), tuple(warnings), judgements)


class _Reader:
    """Collects problems while values are read; what cannot be understood keeps its default."""

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        self._place = place
        self._environ = environ
        self.problems: list[Problem] = []

    def problem(self, place: str, text: str, costs: Costs, job: str | None = None) -> None:
        self.problems.append(Problem(place, text, costs, job))

    def document(self, content: bytes | None) -> dict[str, Any]:
        """Parse the TOML; an unreadable file costs every job its runs, since their scope and limits are unknown."""
        if content is None:
            self.problem(self._place, "the file cannot be read; put steward.toml beside host.json", Costs.RUNS)
            return {}
        try:
            return tomllib.loads(content.removeprefix(codecs.BOM_UTF8).decode())  # some editors begin with one
        except UnicodeDecodeError as error:
            self.problem(self._place, f"byte {error.start} is not UTF-8; save the file as UTF-8 text", Costs.RUNS)
        except tomllib.TOMLDecodeError as error:
            self.problem(self._place, f"not valid TOML: {one_line(str(error))}", Costs.RUNS)
        except ValueError:  # from int(), which tomllib lets through
            self.problem(self._place, "not valid TOML: a number has too many digits", Costs.RUNS)
        except RecursionError:
            self.problem(self._place, "not valid TOML: nested too deeply", Costs.RUNS)
        return {}

    def only_known(self, table: Mapping[str, Any], known: tuple[str, ...], place: str, job: str | None = None) -> None:
        for key in table:
            if key not in known:
                self.unknown("key", key, known, place, job)

    def unknown(self, noun: str, name: str, known: tuple[str, ...], place: str, job: str | None) -> None:
        nearest = difflib.get_close_matches(name, known, 1, 0.5)
        hint = f"did you mean '{nearest[0]}'" if nearest else f"known are {', '.join(sorted(known))}"
        self.problem(place, f"there is no {noun} '{one_line(name, 80)}'; {hint}", Costs.RUNS, job)

    def struct[T: msgspec.Struct](self, table: object, kind: type[T], place: str, job: str | None) -> T:
        """Convert a table key by key, so that one wrong value hides no other."""
        if not isinstance(table, dict):
            self.problem(place, f"must be a table, not {_toml_type(table)}", Costs.RUNS, job)
            return kind()
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        self.only_known(table, tuple(fields), place, job)
        values: dict[str, Any] = {}
        for name, type_ in fields.items():
            if name not in table:
                continue
            before = len(self.problems)
            value = table[name] if name == "schedule" else self._filled(table[name], f"{place}.{name}", job)
            if len(self.problems) > before:
                continue
            try:
                values[name] = msgspec.convert(value, type_, dec_hook=_from_toml)
            except msgspec.ValidationError as error:
                reason, _, inner = str(error).partition(" - at `$")
                costs = Costs.TIMER if name == "schedule" else Costs.RUNS
                self.problem(f"{place}.{name}{inner.rstrip('`')}", _plain(reason), costs, job)
        return kind(**values)

    def _filled(self, value: object, place: str, job: str | None) -> object:
        """Fill `%NAME%` in a list of texts; an exclusion that names a setting must not silently exclude nothing."""
        if not isinstance(value, list):
            return value
        filled: list[object] = []
        for position, item in enumerate(value):
            text = fill(item, self._environ) if isinstance(item, str) else item
            if isinstance(text, ScheduleError):
                self.problem(f"{place}[{position}]", text.sentence, Costs.RUNS, job)
            filled.append(text)
        return filled


_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "date": "a date",
    "datetime": "a date with a time",
    "float": "a number",
    "int": "a whole number",
    "object": "a table",
    "str": "a text in quotes",
    "time": "a time",
}


def _from_toml(kind: type, value: object) -> object:
    if kind is Duration:
        return Duration.parse(value)
    raise NotImplementedError(kind)


def _toml_type(value: object) -> str:
    kind = type(value).__name__
    return _WORDS[{"dict": "object", "list": "array"}.get(kind, kind)]


_NO_MANAGEMENT_GROUP = (
    "must be the id of a management group, not its display name or path: letters, digits, '-', '_', '.', '(' and ')', "
    "at most 90"
)


def _plain(reason: str) -> str:
    """Turn msgspec's sentence into the operator's words."""
    if "matching regex" in reason:
        return _NO_MANAGEMENT_GROUP  # the only pattern there is
    text = reason[0].lower() + reason[1:].replace(" | null`", "`")
    for theirs, ours in _WORDS.items():
        text = text.replace(f"`{theirs}`", ours)
    return text
