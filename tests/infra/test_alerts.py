"""The alert rules, each asked its own KQL about what the code really logs."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb_kql
import pytest

from __app__ import queue
from shared_code.errors import Refused
from shared_code.run_requests import Wanted
from shared_code.runs import RunStatus, TriggeredBy
from shared_code.store import open_store
from shared_code.work import Summary, Work
from tests.infra.bicep import ALERTS_FILE, INFRA, TREES, Tree, body, named, only, words
from tests.infra.conftest import ROOT
from tests.world import World

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ALERTS = TREES[ALERTS_FILE]
RULES: dict[str, Tree] = {each["name"]: each for each in named("rules", ALERTS["variables"])}
SILENCE = body(ALERTS["resources"]["silence"])["properties"]
JOB = "list-resource-groups"
_SEVERITY = {logging.DEBUG: 0, logging.INFO: 1, logging.WARNING: 2, logging.ERROR: 3, logging.CRITICAL: 4}


class Line(NamedTuple):
    """A row of the table `traces`."""

    severity: int
    message: str


class Telemetry:
    """What Application Insights would have of the app, in its tables `traces` and `requests`."""

    def __init__(self, connection: "DuckDBPyConnection") -> None:
        self._connection = connection
        connection.execute("CREATE TABLE traces (message VARCHAR, severityLevel BIGINT)")
        connection.execute("CREATE TABLE requests (operation_Name VARCHAR, success BOOLEAN)")

    def heard(self, lines: list[Line]) -> "Telemetry":
        """Add lines of the log."""
        for line in lines:
            self._connection.execute("INSERT INTO traces VALUES (?, ?)", [line.message, line.severity])
        return self

    def called(self, function: str) -> "Telemetry":
        """Add a call of a function."""
        self._connection.execute("INSERT INTO requests VALUES (?, true)", [function])
        return self

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What a query finds."""
        found: list[tuple[object, ...]] = duckdb_kql.kql(self._connection, query, allow_write=False).fetchall()
        return found

    @property
    def alerts(self) -> set[str]:
        """The names of the rules that would raise an alert now."""
        raised = {name for name, rule in RULES.items() if len(self.rows(rule["query"])) > 0}
        criterion = SILENCE["criteria"]["allOf"][0]
        ((hits,),) = self.rows(criterion["query"])
        assert isinstance(hits, int)
        return raised | ({"watchdog-silent"} if hits < criterion["threshold"] else set())


@pytest.fixture(name="telemetry")
def _telemetry() -> Iterator[Telemetry]:
    connection = duckdb_kql.connect(config={"threads": 1})
    yield Telemetry(connection)
    connection.close()


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> World:
    """The evening before an occurrence; the watchdog has seen the schedule."""
    world = World(open_store(tmp_path.as_uri()), now=datetime(2026, 11, 21, 21, 0, tzinfo=UTC))
    run(world, "watchdog")
    return world


@pytest.fixture(name="heard")
def _heard(caplog: pytest.LogCaptureFixture) -> Callable[[], list[Line]]:
    caplog.set_level(logging.INFO)
    return lambda: [Line(_SEVERITY[each.levelno], each.getMessage()) for each in caplog.records]


def run(world: World, job: str) -> RunStatus:
    asked = world.requests().by_hand(job, Wanted(), TriggeredBy.HTTP)
    world.worker().perform(asked.id)
    return world.records().get(asked.id).run.status


def test_nothing_is_raised_where_all_is_well(
    telemetry: Telemetry, world: World, heard: Callable[[], list[Line]]
) -> None:
    """A watchdog that has just succeeded, and a run that did."""
    assert run(world, JOB) is RunStatus.SUCCEEDED
    assert run(world, "watchdog") is RunStatus.SUCCEEDED

    assert telemetry.heard(heard()).called("run_worker").alerts == set()


def test_a_run_that_has_failed_is_one(telemetry: Telemetry, world: World, heard: Callable[[], list[Line]]) -> None:
    """By its last line."""
    world.estate.unreadable = frozenset({0, 1, 2})
    assert run(world, JOB) is RunStatus.FAILED
    assert run(world, "watchdog") is RunStatus.SUCCEEDED

    assert telemetry.heard(heard()).alerts == {"run-failed"}


def test_a_run_that_was_refused_is_one(telemetry: Telemetry, world: World, heard: Callable[[], list[Line]]) -> None:
    """Nobody would look for it otherwise."""

    def refuse(_: Work) -> Summary:
        raise Refused("over the limit")

    asked = world.requests().by_hand(JOB, Wanted(), TriggeredBy.HTTP)
    world.worker(jobs={JOB: refuse}).perform(asked.id)
    assert world.records().get(asked.id).run.status is RunStatus.REFUSED
    assert run(world, "watchdog") is RunStatus.SUCCEEDED

    assert telemetry.heard(heard()).alerts == {"run-failed"}


def test_a_run_that_is_partial_is_none(telemetry: Telemetry, world: World, heard: Callable[[], list[Line]]) -> None:
    """It has told what it could not read, and may do so every day."""
    world.estate.unreadable = frozenset({1})
    assert run(world, JOB) is RunStatus.PARTIAL
    assert run(world, "watchdog") is RunStatus.SUCCEEDED

    assert telemetry.heard(heard()).alerts == set()


def test_a_run_that_was_missed_is_one(telemetry: Telemetry, world: World, heard: Callable[[], list[Line]]) -> None:
    """The watchdog says it once, when it is new."""
    world.pass_time(hours=9, minutes=1)
    assert run(world, "watchdog") is RunStatus.SUCCEEDED

    assert telemetry.heard(heard()).alerts == {"run-missed"}


def test_a_poison_message_is_one(
    telemetry: Telemetry, world: World, heard: Callable[[], list[Line]], registered: dict[str, dict[str, str]]
) -> None:
    """By the call of the function that listens to its queue, whatever that says."""
    (listener,) = [name for name, each in registered.items() if each.get("queueName") == queue.POISON]
    assert run(world, "watchdog") is RunStatus.SUCCEEDED

    assert telemetry.heard(heard()).called(listener).alerts == {"poison-message"}


def test_a_configuration_with_problems_is_one(telemetry: Telemetry, tmp_path: Path) -> None:
    """By the lines that are logged when the app loads."""
    config = tmp_path / "steward.toml"
    config.write_text('[jobs.tag-audit]\nschedule = "0 5 * * *"\n')
    program = "import logging; logging.basicConfig(format='%(levelname)s %(message)s', level=20); import function_app"
    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env={**os.environ, "STEWARD_CONFIG": str(config)}, capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    lines = [Line(3, text.removeprefix("ERROR ")) for text in told.splitlines() if text.startswith("ERROR ")]
    assert lines

    assert telemetry.heard(lines).alerts == {"configuration", "watchdog-silent"}


def test_silence_is_one(telemetry: Telemetry, world: World, heard: Callable[[], list[Line]]) -> None:
    """No line at all, and lines of other jobs and of other ends of the watchdog, are silence."""
    assert telemetry.alerts == {"watchdog-silent"}
    before = len(heard())

    def fail(_: Work) -> Summary:
        raise Refused("no")

    asked = world.requests().by_hand("watchdog", Wanted(), TriggeredBy.HTTP)
    world.worker(jobs={"watchdog": fail}).perform(asked.id)
    assert run(world, JOB) is RunStatus.SUCCEEDED

    assert telemetry.heard(heard()[before:]).alerts == {"run-failed", "watchdog-silent"}


def test_silence_is_looked_for_over_two_hours() -> None:
    """The watchdog succeeds every half hour; one row with a number is compared, so that no rows are not no answer."""
    criterion = SILENCE["criteria"]["allOf"][0]

    assert SILENCE["windowSize"] == "PT2H"
    assert (criterion["timeAggregation"], criterion["metricMeasureColumn"]) == ("Total", "Hits")
    assert (criterion["operator"], criterion["threshold"]) == ("LessThan", 1)


def test_no_rule_forgets_what_came_late() -> None:
    """Each looks back further than it is asked, and none asks what Azure does not take."""
    minutes = {"PT15M": 15, "PT30M": 30, "PT1H": 60}
    for rule in RULES.values():
        assert minutes[rule["window"]] == 2 * minutes[rule["every"]]
        assert not {"union", "search", "take"} & set(words(rule["query"]))
    criterion = body(ALERTS["resources"]["seen"])["properties"]["criteria"]["allOf"][0]
    assert (criterion["timeAggregation"], criterion["operator"], criterion["threshold"]) == ("Count", "GreaterThan", 0)


def test_every_rule_names_a_runbook() -> None:
    """Whoever is woken knows where to look."""
    for said in [*(rule["description"] for rule in RULES.values()), SILENCE["description"]]:
        names = [word for word in said.replace(",", " ").split() if word.rstrip(".").endswith(".md")]
        assert names
        for name in names:
            assert (INFRA.parent / "runbooks" / name.rstrip(".")).exists()


def test_nobody_is_mailed_unless_somebody_is_named() -> None:
    """Without a receiver there is no action group."""
    group = ALERTS["resources"]["receivers"]["config"]

    assert group["condition"]["operator"]["type"] == "not"
    assert only("Microsoft.Insights/actionGroups")["properties"]["emailReceivers"][0]["emailAddress"] == "email"
