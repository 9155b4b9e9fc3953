"""What the host sends to Application Insights: each call of a function, and each line of the app's log."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devkit.local_host.telemetry import telemetry_of
from devkit.simulator import Estate, RequestRow, Simulator, TraceRow
from tests.app.conftest import wait_until
from tests.local_host.sample_host import Sample, run_sample

SENT = ("APPLICATIONINSIGHTS_CONNECTION_STRING", "WEBSITE_SITE_NAME")


@pytest.fixture(scope="module", name="simulator")
def _simulator() -> Iterator[Simulator]:
    with Simulator(Estate(name="none", subscriptions=())) as simulator:
        yield simulator


@pytest.fixture(scope="module", name="sample")
def _sample(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[Sample]:
    settings = {name: simulator.environment[name] for name in SENT}
    with run_sample(tmp_path_factory.mktemp("telemetry"), settings=settings) as sample:
        yield sample


@pytest.fixture(name="request_of")
def _request_of(simulator: Simulator, sample: Sample) -> Callable[[str], RequestRow]:
    """Call a function by hand, and give its call as it was sent."""

    def call(name: str) -> RequestRow:
        assert sample.host.trigger(name).status == 202
        return _first(simulator, name)

    return call


def _first(simulator: Simulator, name: str) -> RequestRow:
    def look() -> RequestRow | None:
        return next((each for each in simulator.telemetry.requests if each.name == name), None)

    return wait_until(look, f"a call of {name}")


def test_a_call_that_succeeds(request_of: Callable[[str], RequestRow]) -> None:
    """With its function, its app, its id and how long it took."""
    row = request_of("tick")

    assert (row.success, row.code, row.app) == (True, "0", "func-simulated")
    assert len(row.properties["InvocationId"]) == 36
    assert row.operation == row.properties["InvocationId"].replace("-", "")
    assert 0 <= row.milliseconds < 30_000


def test_a_call_that_fails(request_of: Callable[[str], RequestRow]) -> None:
    assert request_of("failing_timer").success is False


def test_a_call_over_http_has_its_status(simulator: Simulator, sample: Sample) -> None:
    assert sample.host.call("GET", "/api/jobs/one").status == 200

    assert (_first(simulator, "read_job").code, _first(simulator, "read_job").success) == ("200", True)


def test_a_line_of_the_log(simulator: Simulator, sample: Sample) -> None:
    """The message alone, with the function and the call that it belongs to; the host's own lines are none."""
    assert sample.host.call("GET", "/api/broken").status == 500

    def look() -> TraceRow | None:
        return next((each for each in simulator.telemetry.traces if each.name == "broken"), None)

    line = wait_until(look, "a line of the log")
    assert (line.message, line.severity, line.app) == ("about to break\nin two lines", 1, "func-simulated")
    assert line.properties["Category"] == "Function.broken.User"
    row = _first(simulator, "broken")
    assert row.success is False
    assert line.properties["InvocationId"] == row.properties["InvocationId"]
    assert not [each for each in simulator.telemetry.traces if each.message.startswith("Called: ")]


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "InstrumentationKey=k",
        "InstrumentationKey=k;IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/",
        "IngestionEndpoint=http://198.51.100.7:80/",
        "IngestionEndpoint=http://[::1",
    ],
    ids=["none", "no endpoint", "Azure", "another machine", "no address"],
)
def test_nothing_leaves_the_machine(setting: str) -> None:
    """A real connection string in local.settings.json sends nothing to Azure."""
    assert telemetry_of({"APPLICATIONINSIGHTS_CONNECTION_STRING": setting}, lambda: None) is None


def test_a_simulator_that_has_gone() -> None:
    """What cannot be sent is lost, and nobody waits for it."""
    setting = "InstrumentationKey=k;IngestionEndpoint=http://127.0.0.1:9/"
    telemetry = telemetry_of({"APPLICATIONINSIGHTS_CONNECTION_STRING": setting}, lambda: None)
    assert telemetry is not None
    telemetry.emit(logging.LogRecord("steward", logging.INFO, "", 0, "text", (), None))
    telemetry.close()


def test_the_state_is_untouched(sample: Sample) -> None:
    """Telemetry is no part of what the host keeps."""
    assert not [path for path in Path(sample.host.state).rglob("*") if "telemetry" in path.name]
