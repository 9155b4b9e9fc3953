"""Figures for OpenTelemetry: counted where the Functions host's own switches have brought its packages, else nowhere.

`PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY` lets the worker set up what exports them, and needs the package
azure-monitor-opentelemetry; infra/queries/README.md has the steps. Nothing of it is loaded while the app is indexed.
"""

import importlib
from collections.abc import Callable
from typing import Any

from shared_code.outcomes import Result
from shared_code.runs import Run

NAME = "steward"

_COUNTERS = {
    "steward.runs": ("{run}", "Runs that have ended, by job, task, mode, trigger and status."),
    "steward.reads": ("{subscription}", "Subscriptions that runs were to read, by job and what came of it."),
    "steward.findings": ("{finding}", "What runs have found, by job and kind of finding."),
    "steward.writes": ("{item}", "Items of plans that runs have applied, by job and outcome."),
    "steward.azure.requests": ("{request}", "Requests to Azure, by kind and status."),
}
_HISTOGRAMS = {
    "steward.run.duration": ("s", "How long runs took from their start, by job, task and status."),
    "steward.azure.wait": ("s", "How long requests waited, since Azure refused them or soon would have."),
}
FINDINGS = frozenset({"findings", "new_findings", "violations", "missed_runs", "failed_invocations"})
"""The counts of runs that are about findings."""
WRITES = frozenset(map(str, Result))
"""The counts of runs that are about what was written to Azure."""


def global_meter(name: str) -> Any:
    """Return the meter that the process has; raises ImportError where there is no OpenTelemetry."""
    return importlib.import_module("opentelemetry.metrics").get_meter(name)


class Telemetry:
    """Counts and measures; it never raises, and does nothing where there is no OpenTelemetry."""

    def __init__(self, meter: Callable[[str], Any] = global_meter) -> None:
        """Prepare; nothing is loaded before the first figure.

        Args:
            meter: gives the meter of that name.
        """
        self._meter = meter
        self._instruments: dict[str, Any] | None = None

    def ended(self, run: Run) -> None:
        """Count a run that has ended, and what it says of itself."""
        of_run = {"job": run.job, "task": run.task, "status": str(run.status)}
        self.count("steward.runs", 1, {**of_run, "mode": str(run.mode), "trigger": str(run.trigger)})
        if run.started and run.ended:
            self._record("steward.run.duration", (run.ended - run.started).total_seconds(), of_run)
        for verdict in run.subscriptions:
            self.count("steward.reads", 1, {"job": run.job, "reading": str(verdict.reading)})
        for name, number in run.counts.items():
            if name in FINDINGS:
                self.count("steward.findings", number, {"job": run.job, "kind": name})
            if name in WRITES:
                self.count("steward.writes", number, {"job": run.job, "outcome": name})

    def asked(self, kind: str, status: int) -> None:
        """Count a request to Azure that was answered."""
        self.count("steward.azure.requests", 1, {"kind": kind, "status": str(status)})

    def waited(self, seconds: float) -> None:
        """Measure a wait before a request."""
        self._record("steward.azure.wait", seconds, {})

    def count(self, name: str, number: int, of: dict[str, str]) -> None:
        """Add to a counter."""
        if instrument := self._known().get(name):
            instrument.add(number, of)

    def _record(self, name: str, value: float, of: dict[str, str]) -> None:
        if instrument := self._known().get(name):
            instrument.record(value, of)

    def _known(self) -> dict[str, Any]:
        if self._instruments is None:
            self._instruments = self._made()
        return self._instruments

    def _made(self) -> dict[str, Any]:
        try:
            meter: Any = self._meter(NAME)
        except Exception:  # noqa: BLE001  # whatever a package does while it is loaded, nothing depends on it
            return {}
        counters = {name: meter.create_counter(name, *told) for name, told in _COUNTERS.items()}
        return counters | {name: meter.create_histogram(name, *told) for name, told in _HISTOGRAMS.items()}
