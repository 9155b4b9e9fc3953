"""Every query of infra/queries, executed on what the app in a local host has really sent to Application Insights."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from devkit.local_host.process import HostProcess
from devkit.simulator import Fault
from devkit.simulator.logs_engine import Engine
from devkit.simulator.logs_tables import NAMES, sources
from shared_code.jobs import TASKS
from shared_code.telemetry import _COUNTERS, _HISTOGRAMS
from tests.app.conftest import World, start_run, wait_ended, wait_until, world_of
from tests.app.test_changes import ONE, config, untidy
from tests.docs.markdown import Page
from tests.infra.bicep import INFRA

QUERIES = {path.stem: path.read_text() for path in sorted((INFRA / "queries").glob("*.kql"))}
PAGE = Page(INFRA / "queries" / "README.md")
LISTED, AUDITED = "list-resource-groups", "tag-audit"

type Row = dict[str, Any]
type Ask = Callable[[str], list[Row]]


class Happened(NamedTuple):
    """The ids of what has run."""

    listed: str
    failed: str
    audited: str
    applied: str
    watched: str
    given_up: str


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    due = datetime.now(UTC) - timedelta(hours=3)
    daily = f"{due.second} {due.minute} {due.hour} * * *"
    missed = f'[jobs.{LISTED}]\nschedule = "{daily}"\nexpect_within = "1s"\n'
    watchdog = '[jobs.watchdog]\nschedule = "0 0 5 1 1 *"\n'
    with world_of(tmp_path_factory.mktemp("queries"), untidy(1), missed + watchdog + config(ONE)) as world:
        sighting = world.store / "schedules" / f"{LISTED}.json"
        sighting.parent.mkdir(parents=True)
        sighting.write_text(json.dumps({"schedule": daily, "first_seen": (due - timedelta(days=3)).isoformat()}))
        yield world


@pytest.fixture(scope="module", name="happened")
def _happened(world: World) -> Happened:
    """The watchdog over a missed run, a throttled run, a failed one, a plan and its application, a poison message."""
    with world.host() as host:
        watched = ended(host, start_run(host, job="watchdog"))
        world.simulator.faults.add(Fault(route="resource-groups", kind="throttled", retry_after=1, times=1))
        listed = ended(host, start_run(host))
        world.simulator.faults.add(Fault(route="subscriptions", kind="forbidden", times=None))
        failed = ended(host, start_run(host), "failed")
        world.simulator.faults.clear()
        audited = ended(host, start_run(host, job=AUDITED))
        plan = host.call("GET", f"/api/plans/{host.call('GET', f'/api/runs/{audited}').json()['plan']}").json()
        order = {"digest": plan["digest"]}
        applied = host.call("POST", f"/api/plans/{plan['id']}/apply", order, key="approver").json()["id"]
        ended(host, applied)
        assert host.call("POST", f"/api/plans/{plan['id']}/apply", order).status == 401
        given_up = f"20261122T050000Z-{LISTED}-00000000"
        assert host.trigger("run_worker_poison", json.dumps({"run": given_up})).status == 202
        wait_until(lambda: [each for each in world.simulator.telemetry.requests if "poison" in each.name], "its call")
    return Happened(listed, failed, audited, applied, watched, given_up)


def ended(host: HostProcess, run: str, status: str = "succeeded") -> str:
    assert wait_ended(host, run)["status"] == status
    return run


@pytest.fixture(scope="module", name="ask")
def _ask(world: World, happened: Happened) -> Iterator[Ask]:
    """Execute a query, once the host has sent everything."""
    assert happened
    engine = Engine(sources(world.simulator.activity, world.simulator.telemetry, ""))
    now = datetime.now(UTC)

    def ask(name: str) -> list[Row]:
        table = engine.query(QUERIES[name], now - timedelta(days=30), now + timedelta(days=1))
        return [dict(zip([column for column, _ in table.columns], row, strict=True)) for row in table.rows]

    yield ask
    engine.close()


def test_runs_per_day(ask: Ask) -> None:
    found: Counter[tuple[str, str]] = Counter()
    for row in ask("runs-per-day"):
        found[row["Job"], row["Status"]] += row["Runs"]

    assert found == {
        (LISTED, "failed"): 1,
        (LISTED, "succeeded"): 1,
        (AUDITED, "succeeded"): 2,
        ("watchdog", "succeeded"): 2,
    }


def test_failed_runs(ask: Ask, happened: Happened) -> None:
    (row,) = ask("failed-runs")

    assert (row["Job"], row["Run"], row["Status"]) == (LISTED, happened.failed, "failed")
    assert row["Reason"].startswith("cannot read the list of subscriptions: Azure answered 403")


def test_durations(ask: Ask) -> None:
    found = {(row["Job"], row["Task"]): row for row in ask("durations")}

    assert {at: row["Runs"] for at, row in found.items()} == {
        (LISTED, LISTED): 2,
        (AUDITED, AUDITED): 1,
        (AUDITED, "apply-plan"): 1,
        ("watchdog", "watchdog"): 2,
    }
    listed = found[LISTED, LISTED]
    assert 0 <= listed["Median"] <= listed["P95"] <= listed["P99"] <= listed["Longest"]
    assert listed["Longest"] >= 1, "it waited a second, as Azure asked"


def test_throttling(ask: Ask) -> None:
    found = [(row["Subscription"], row["Kind"], row["Refused"], row["LongestWait"]) for row in ask("throttling")]
    assert found == [(ONE, "reads", 1, 1.0)]


def test_writes(ask: Ask, happened: Happened, world: World) -> None:
    (row,) = ask("writes")

    counts = world.record(happened.applied)["counts"]
    assert counts["changed"] > 0
    assert {name: row[name] for name in ("Job", "Runs", "Changed", "Deleted", "Skipped", "Failed")} == {
        "Job": AUDITED, "Runs": 1, "Changed": counts["changed"], "Deleted": 0, "Skipped": counts["skipped"],
        "Failed": 0,
    }  # fmt: skip


def test_poison_messages(ask: Ask, happened: Happened) -> None:
    assert [row["Run"] for row in ask("poison-messages")] == [happened.given_up]


def test_missed_runs(ask: Ask) -> None:
    """Oldest last; that it runs again is told by a later run of the watchdog only."""
    found = ask("missed-runs")

    assert {row["Rule"] for row in found} == {"missed-run"}
    assert found[-1]["Told"].startswith(f"{LISTED} was due at ")
    assert "there is no run for it; the request log" in found[-1]["Told"]


def test_timer_calls(ask: Ask) -> None:
    """The sweep at start, and the worker for each run."""
    calls: dict[str, tuple[int, int]] = {}
    for row in ask("timer-calls"):
        number, failed = calls.get(row["Function"], (0, 0))
        calls[row["Function"]] = (number + row["Calls"], failed + row["Failed"])

    assert calls == {"watchdog": (1, 0), "run_worker": (6, 0), "run_worker_poison": (1, 0)}


def test_evidence(ask: Ask) -> None:
    found = ask("evidence")

    assert len(found) == 2
    assert all(re.match(r"[12] occurrences? judged by ", row["Evidence"]) for row in found)


def test_api_calls(ask: Ask) -> None:
    """Whoever has no key, or another one's, is refused by the host before a function is called."""
    found = {(row["Function"], row["ResultCode"]): row["Calls"] for row in ask("api-calls")}

    assert found["start_run", "202"] == 4
    assert found["apply_plan", "202"] == 1
    assert ("apply_plan", "401") not in found


def test_every_query_is_asked_and_told() -> None:
    """Here by a test of its own, and in the table of the page."""
    tests = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")}
    assert QUERIES.keys() <= tests
    told = [re.findall(r"\(([\w-]+)\.kql\)", row[0]) for row in PAGE.table("Query", "Answers")]
    assert sorted(name for names in told for name in names) == sorted(QUERIES)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_says_what_it_is(name: str) -> None:
    """Its first line is a comment; it looks back by itself, and names one table and the functions that there are."""
    text = QUERIES[name]

    assert text.startswith("// ")
    assert re.search(r"TimeGenerated > ago\(\d+d\)", text)
    assert sum(table in text for table in NAMES) == 1
    functions = set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', text))
    assert functions <= {job.replace("-", "_") for job in TASKS} | {"run_worker", "run_worker_poison"}


def test_every_instrument_is_in_the_table() -> None:
    rows = PAGE.table("Instrument", "Unit")
    assert {row[0].strip("`") for row in rows} == _COUNTERS.keys() | _HISTOGRAMS.keys()


def test_links_lead_somewhere() -> None:
    for target in PAGE.links:
        assert (Path(INFRA / "queries") / target).exists(), target
