"""The whole app with its runs in Blob Storage."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from devkit.local_host.process import running
from devkit.simulator import Simulator, load_estate

if TYPE_CHECKING:
    from tests.azurite import Azurite

pytest_plugins = ["tests.azurite"]

ROOT = Path(__file__).resolve().parent.parent


def test_host_and_terminal_share_one_store(azurite: "Azurite", tmp_path: Path) -> None:
    """What the worker wrote through the host is what the terminal reads; no file of it is on this disk."""
    with Simulator(load_estate("demo")) as simulator:
        environment = {**simulator.environment, "STEWARD_STORE": azurite.new_container()}
        with running(ROOT, state=tmp_path / "state", environment=environment) as host:
            run = host.call("POST", "/api/jobs/list-resource-groups/runs").json()["id"]
            deadline = time.monotonic() + 30
            while host.call("GET", f"/api/runs/{run}").json()["ended"] is None and time.monotonic() < deadline:
                time.sleep(0.05)
            table = host.call("GET", f"/api/runs/{run}/report?format=csv").text
        shown = subprocess.run(
            [sys.executable, "-m", "shared_code", "show", run],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"{run}  succeeded\n")
    enabled = [each for each in simulator.estate.subscriptions if each.state == "Enabled"]
    assert table.count("\n") == 1 + sum(each.group_count for each in enabled)
    assert not (tmp_path / "store").exists()
