"""The whole app as its callers meet it: a simulator, a configuration, a store, and a host or a terminal in front."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from devkit.local_host.process import HostProcess, running
from devkit.simulator import Estate, ResourceGroup, Simulator, Subscription, load_estate

ROOT = Path(__file__).resolve().parents[2]
JOB = "list-resource-groups"
RUNS = f"/api/jobs/{JOB}/runs"
YEARLY = """
[jobs.list-resource-groups]
schedule = "0 0 5 1 1 *"

[jobs.tag-audit]
schedule = "0 0 5 1 1 *"

[[jobs.tag-audit.rules]]
name = "owner"
tag = "owner"
required = true
severity = "high"
applies_to = { kinds = ["resource-group", "resource"] }

[jobs.watchdog]
schedule = "0 0 5 1 1 *"
"""
"""A configuration whose timers are registered and do not fire by themselves while tests run."""
PATIENCE = 20.0
UNCHANGED = {"new_groups": 0, "gone_groups": 0, "changed_groups": 0}
"""What a run adds to its counts that found every group as the run before did."""

type Json = dict[str, Any]


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Read stdout as one JSON document."""
        return json.loads(self.out)


def wait_until[Found](look: Callable[[], Found | None], what: str, patience: float = PATIENCE) -> Found:
    """Give what `look` finds as soon as that is true."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {patience:g} s for {what}")


@dataclass(frozen=True)
class World:
    """A simulator that serves an estate, and a folder with the configuration, the store and the host's state."""

    folder: Path
    simulator: Simulator

    @property
    def config(self) -> Path:
        """The operator's file."""
        return self.folder / "steward.toml"

    @property
    def store(self) -> Path:
        """The folder of the store."""
        return self.folder / "store"

    @cached_property
    def environment(self) -> dict[str, str]:
        """What points the app at all this."""
        return {
            **self.simulator.environment,
            "STEWARD_CONFIG": str(self.config),
            "STEWARD_STORE": self.store.as_uri(),
        }

    @contextmanager
    def host(self, app: Path = ROOT, environment: Mapping[str, str] | None = None) -> Iterator[HostProcess]:
        """Run a local host on this world; the second one finds what the first one left."""
        with running(app, state=self.folder / "state", environment=self.environment | dict(environment or {})) as host:
            yield host

    def full_environment(self, environment: Mapping[str, str] | None = None) -> dict[str, str]:
        """Give the environment of a `steward` process."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("STEWARD_", "AZURE_", "IDENTITY_", "WEBSITE_"))
            and name not in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR")
        }
        return {**inherited, "TERM": "xterm-256color", **self.environment, **(environment or {})}

    def start_steward(self, *arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """Start `steward` with its output in pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "shared_code", *arguments],
            cwd=ROOT,
            env=self.full_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def steward(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Done:
        """Run `steward` to its end."""
        with self.start_steward(*arguments, environment=environment) as process:
            out, err = process.communicate(timeout=60)
        return Done(process.returncode, out, err)

    def run_ids(self, job: str = JOB) -> list[str]:
        """Give the ids of the recorded runs of a job, oldest first."""
        return sorted(path.parent.name for path in self.store.glob(f"runs/*-{job}-*/run.json"))

    def record(self, run: str) -> Json:
        """Read a run's record from the store."""
        found: Json = json.loads((self.store / "runs" / run / "run.json").read_bytes())
        return found

    def groups(self, run: str) -> list[Json]:
        """Read the resource groups a run found."""
        content = (self.store / "runs" / run / "resource-groups.ndjson").read_text()
        return [json.loads(line) for line in content.splitlines()]

    def findings(self, run: str) -> list[Json]:
        """Read the findings of a run."""
        content = (self.store / "runs" / run / "findings.ndjson").read_text()
        return [json.loads(line) for line in content.splitlines()]

    def parts(self, run: str) -> list[str]:
        """Give the ids of the subscriptions a run has finished."""
        return sorted(path.stem for path in (self.store / "runs" / run / "parts").glob("*.json"))

    def ended(self, run: str, patience: float = PATIENCE) -> Json:
        """Wait for the end of a run and give its record."""
        return wait_until(lambda: _if_ended(self.record(run)), f"the end of {run}", patience)

    def reads(self, subscription: str, route: str = "resource-groups") -> int:
        """Count the answered requests for a list of a subscription."""
        return sum(
            request.route == route and request.subscription.casefold() == subscription.casefold()
            for request in self.simulator.requests
        )

    def secrets(self) -> list[str]:
        """Give what must never be seen in an output, a log or a record: every token, and the identity's header."""
        identity = self.simulator._identity
        return [*identity._issued, identity.secret]


def _if_ended(record: Json) -> Json | None:
    return None if record["status"] in ("queued", "running") else record


def start_run(host: HostProcess, body: Json | None = None, *, job: str = JOB, **headers: str) -> str:
    """Ask for a run over HTTP and give its id."""
    reply = host.call("POST", f"/api/jobs/{job}/runs", body, headers=headers)
    assert reply.status == 202, reply.text
    started: str = reply.json()["id"]
    return started


def wait_ended(host: HostProcess, run: str, patience: float = PATIENCE) -> Json:
    """Follow a run over HTTP to its end and give what GET says of it."""
    return wait_until(lambda: _if_ended(host.call("GET", f"/api/runs/{run}").json()), f"the end of {run}", patience)


@contextmanager
def world_of(folder: Path, estate: Estate, config: str = YEARLY) -> Iterator[World]:
    """Serve an estate and give everything around it."""
    with Simulator(estate) as simulator:
        world = World(folder, simulator)
        world.config.write_text(config)
        yield world


def small_estate(subscriptions: int = 1, *groups: ResourceGroup) -> Estate:
    """Make an estate of subscriptions with one resource group each, unless others are given."""
    return Estate(
        name="small",
        subscriptions=tuple(
            Subscription(
                id=subscription_id(number),
                name=f"Subscription {number}",
                resource_groups=groups or (ResourceGroup(name=f"rg-{number}", tags={"owner": "team@example.com"}),),
            )
            for number in range(1, subscriptions + 1)
        ),
    )


def subscription_id(number: int) -> str:
    """Give the id of a subscription of `small_estate`."""
    return f"5ba11000-0000-4000-8000-{number:012}"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[World]:
    """The estate `demo` and a fresh store."""
    with world_of(tmp_path, load_estate("demo")) as world:
        yield world


@pytest.fixture
def small(tmp_path: Path) -> Iterator[World]:
    """Six small subscriptions and a fresh store."""
    with world_of(tmp_path, small_estate(6)) as world:
        yield world


@pytest.fixture(scope="module")
def demo_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The estate `demo`, shared by the tests of a module."""
    with world_of(tmp_path_factory.mktemp("demo"), load_estate("demo")) as world:
        yield world


@pytest.fixture(scope="module")
def host(demo_world: World) -> Iterator[HostProcess]:
    """A local host on the estate `demo`, shared by the tests of a module, which add runs and take nothing away."""
    with demo_world.host() as process:
        yield process


@pytest.fixture(scope="module")
def finished(host: HostProcess) -> Json:
    """A run that has succeeded, as GET shows it."""
    return wait_ended(host, start_run(host))
