"""One simulator and one scripted server for all, and the folder of recordings when there is one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devkit.simulator import Simulator, load_estate
from devkit.simulator.certificates import issue
from tests.azure_api.conftest import Azure, Script
from tests.oddities.recorded import Recordings
from tests.oddities.wire import Wire


@pytest.fixture(scope="package", name="simulator")
def _simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Simulator, Script]]:
    """The estate `odd`, and a server to be scripted; the environment trusts both."""
    folder = tmp_path_factory.mktemp("oddities")
    tls, authority = issue(folder)
    with Simulator(load_estate("odd")) as simulator, pytest.MonkeyPatch.context() as environ:
        for name, value in simulator.environment.items():
            environ.setenv(name, value)
        trusted = folder / "trusted.pem"
        trusted.write_text(authority.read_text() + Path(simulator.environment["REQUESTS_CA_BUNDLE"]).read_text())
        environ.setenv("REQUESTS_CA_BUNDLE", str(trusted))
        script = Script(tls)
        yield simulator, script
        script.close()


@pytest.fixture(name="azure")
def _azure(simulator: tuple[Simulator, Script]) -> Azure:
    """A fresh reader of the estate `odd`, and no faults besides the estate's own."""
    simulator[0].faults.clear()
    return Azure(simulator[0])


@pytest.fixture(name="wire")
def _wire(simulator: tuple[Simulator, Script]) -> Wire:
    """A fresh reader of the scripted server."""
    simulator[0].faults.clear()
    return Wire(simulator[1])


@pytest.fixture(scope="session", name="recordings")
def _recordings() -> Recordings:
    """The folder named by STEWARD_RECORDINGS. Without it the test is skipped, or fails where it is required."""
    named = os.environ.get("STEWARD_RECORDINGS", "")
    if named and Path(named).is_dir():
        return Recordings(Path(named))
    reason = f"STEWARD_RECORDINGS is '{named}'; set it to a folder of recorded interactions to run this test"
    if "recordings" in os.environ.get("STEWARD_REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)
