"""Figures reach OpenTelemetry's real SDK where it is there, and nothing happens where it is not."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from shared_code.model import Reading, Verdict
from shared_code.run_requests import Wanted
from shared_code.runs import Mode, Order, Run, RunStatus, TriggeredBy
from shared_code.store import open_store
from shared_code.telemetry import Telemetry
from tests.world import World

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


class Watched:
    """Telemetry, and what the SDK has of it."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider(metric_readers=[self._reader])
        self.telemetry = Telemetry(self.provider.get_meter)

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """Attributes and value of each point of an instrument; of a histogram, number and sum."""
        data = self._reader.get_metrics_data()
        metrics = [] if data is None else [
            metric for of in data.resource_metrics for scope in of.scope_metrics for metric in scope.metrics
        ]  # fmt: skip
        return [
            ({**(point.attributes or {})}, point.value if hasattr(point, "value") else (point.count, point.sum))
            for metric in metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture(name="watched")
def _watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.provider.shutdown()


def run(**fields: Any) -> Run:
    """A run that has taken a minute and a half."""
    known: dict[str, Any] = {
        "id": "20261122T060000Z-tag-audit-9c01f2ab", "job": "tag-audit", "mode": Mode.PLAN,
        "trigger": TriggeredBy.TIMER, "requested": NOW, "status": RunStatus.SUCCEEDED,
        "started": NOW, "ended": NOW + timedelta(seconds=90),
    }  # fmt: skip
    return Run(**(known | fields))


class TestRuns:
    def test_a_run_and_its_duration(self, watched: Watched) -> None:
        watched.telemetry.ended(run())
        watched.telemetry.ended(run())
        watched.telemetry.ended(run(status=RunStatus.REFUSED, started=None))

        of_run = {"job": "tag-audit", "task": "tag-audit", "status": "succeeded"}
        assert watched.points("steward.runs") == [
            ({**of_run, "mode": "plan", "trigger": "timer"}, 2),
            ({**of_run, "status": "refused", "mode": "plan", "trigger": "timer"}, 1),
        ]
        assert watched.points("steward.run.duration") == [(of_run, (2, 180.0))]

    def test_what_it_read_and_found(self, watched: Watched) -> None:
        """Subscriptions by how much of them was read, and only the counts that are about findings."""
        verdicts = tuple(
            Verdict(subscription_id=str(number), subscription_name="s", reading=reading, reason=None)
            for number, reading in enumerate((Reading.COMPLETE, Reading.COMPLETE, Reading.INCOMPLETE))
        )
        watched.telemetry.ended(run(subscriptions=verdicts, counts={"findings": 7, "violations": 9, "checks": 100}))

        assert [(at["reading"], value) for at, value in watched.points("steward.reads")] == [
            ("complete", 2),
            ("incomplete", 1),
        ]
        assert [(at["kind"], value) for at, value in watched.points("steward.findings")] == [
            ("findings", 7),
            ("violations", 9),
        ]

    def test_what_it_wrote(self, watched: Watched) -> None:
        counts = {"deleted": 3, "skipped": 1, "failed": 0, "automatic_not_armed": 5}
        watched.telemetry.ended(run(order=Order(plan="p", digest="d"), counts=counts))

        assert watched.points("steward.writes") == [
            ({"job": "tag-audit", "outcome": "deleted"}, 3),
            ({"job": "tag-audit", "outcome": "skipped"}, 1),
            ({"job": "tag-audit", "outcome": "failed"}, 0),
        ]
        assert watched.points("steward.runs")[0][0]["task"] == "apply-plan"

    def test_by_the_worker(self, watched: Watched, tmp_path: Path) -> None:
        """Each run once, however it ends."""
        world = World(open_store(tmp_path.as_uri()))
        world.estate.unreadable = frozenset({0, 1, 2})
        for _ in range(2):
            asked = world.requests().by_hand("list-resource-groups", Wanted(), TriggeredBy.HTTP)
            world.worker(count=watched.telemetry.ended).perform(asked.id)
            world.worker(count=watched.telemetry.ended).perform(asked.id)
            world.estate.unreadable = frozenset()

        assert [(at["status"], value) for at, value in watched.points("steward.runs")] == [
            ("failed", 1),
            ("succeeded", 1),
        ]


def test_requests_and_waits(watched: Watched) -> None:
    watched.telemetry.asked("reads", 200)
    watched.telemetry.asked("reads", 429)
    watched.telemetry.waited(2.5)

    assert watched.points("steward.azure.requests") == [
        ({"kind": "reads", "status": "200"}, 1),
        ({"kind": "reads", "status": "429"}, 1),
    ]
    assert watched.points("steward.azure.wait") == [({}, (1, 2.5))]


def test_without_opentelemetry() -> None:
    """Nothing is counted, and it is looked for once."""
    asked: list[str] = []

    def missing(name: str) -> Any:
        asked.append(name)
        raise ModuleNotFoundError("No module named 'opentelemetry'")

    telemetry = Telemetry(missing)
    telemetry.ended(run())
    telemetry.waited(1.0)

    assert asked == ["steward"]


def test_a_package_that_breaks_breaks_nothing_else() -> None:
    def broken(name: str) -> Any:
        raise RuntimeError(name)

    Telemetry(broken).ended(run())


def test_nothing_is_loaded_before_the_first_figure() -> None:
    """And then what the process has is used: the worker sets it up, or nobody does."""
    code = """
import sys
import function_app
from shared_code.telemetry import Telemetry
telemetry = Telemetry()
print(sorted(name for name in sys.modules if name.startswith("opentelemetry")))
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
telemetry.waited(3.0)
(of,) = reader.get_metrics_data().resource_metrics
print([(scope.scope.name, [each.name for each in scope.metrics]) for scope in of.scope_metrics])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["[]", "[('steward', ['steward.azure.wait'])]"]
