"""Fixtures: a simulator for each estate, and the folder of recordings when there is one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devkit.simulator import OWNER, Simulator, load_estate
from tests.simulator.client import Client


@pytest.fixture(scope="module")
def demo() -> Iterator[Client]:
    """A client of the estate `demo` that may do all there, shared by the tests of a module: they add no faults."""
    with Simulator(load_estate("demo"), assignments=OWNER) as simulator, Client(simulator) as client:
        yield client


@pytest.fixture(scope="module")
def odd() -> Iterator[Client]:
    """A client of the estate `odd`, shared by the tests of a module."""
    with Simulator(load_estate("odd")) as simulator, Client(simulator) as client:
        yield client


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder named by STEWARD_RECORDINGS. Without it the test is skipped, or fails where it is required."""
    named = os.environ.get("STEWARD_RECORDINGS", "")
    if named and Path(named).is_dir():
        return Path(named)
    reason = f"STEWARD_RECORDINGS is '{named}'; set it to a folder of recorded interactions to run this test"
    if "recordings" in os.environ.get("STEWARD_REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)
