"""What is deployed: exactly what runs."""

import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pathspec
import pytest

from devkit.supply.pins import read_pins
from shared_code.wiring import TIME_LIMIT

ROOT = Path(__file__).resolve().parent.parent
HOST = json.loads((ROOT / "host.json").read_text())


def deployed() -> set[str]:
    """The files of the repository that .funcignore lets through."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
    return {name for name in listed if not ignored.match_file(name)}


def test_only_what_runs_is_deployed() -> None:
    """The app, its configuration, its pins; no test, no devkit, no document."""
    files = deployed()

    assert {name for name in files if "/" not in name} == {
        "function_app.py", "host.json", "requirements.txt", "steward.toml",
    }  # fmt: skip
    assert {name.split("/")[0] for name in files if "/" in name} == {"__app__", "shared_code"}
    assert "shared_code/reports/templates/resource_groups.html" in files


@pytest.mark.parametrize("name", [".venv/x", "__pycache__/x.pyc", "local.settings.json", ".steward/store/x", "dev"])
def test_what_lies_around_on_a_machine_is_not_deployed(name: str) -> None:
    """A .funcignore switches the deployment tools' own exclusions off, so it names them."""
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())

    assert ignored.match_file(name)


def test_every_pin_is_exact() -> None:
    """The same files on every machine: pip refuses what somebody has put in the place of one that is known."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        for line in text.splitlines():
            assert re.fullmatch(r"[a-z0-9.-]+==[a-z0-9.]+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), (
                f"{name}: {line}"
            )
        pins = read_pins(text)
        assert len(pins) > 40
        assert [pin.name for pin in pins if not pin.hashes] == []


def test_the_worker_library_is_for_development_only() -> None:
    """In Azure the platform brings it; its seam is no public API, so one version is pinned here."""
    assert "azure-functions-runtime" not in (ROOT / "requirements.txt").read_text()
    assert "azure-functions-runtime==1.3.0" in (ROOT / "requirements-dev.txt").read_text()


def test_a_run_ends_itself_well_before_the_host_would() -> None:
    """A functionTimeout restarts the worker process, and every invocation in it is lost."""
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))
    limit = timedelta(hours=hours, minutes=minutes, seconds=seconds)

    assert timedelta(seconds=TIME_LIMIT) * 1.5 <= limit


def test_a_run_is_one_message_at_a_time_and_five_tries() -> None:
    """Two runs in one process would share its memory and its time limit."""
    queues = HOST["extensions"]["queues"]

    assert (queues["batchSize"], queues["newBatchThreshold"]) == (1, 0)
    assert (queues["maxDequeueCount"], queues["visibilityTimeout"]) == (5, "00:01:00")
    assert HOST["extensionBundle"]["version"] == "[4.*, 5.0.0)"


def test_requests_to_azure_are_not_logged_one_by_one() -> None:
    """A thousand of them would be a megabyte of traces."""
    levels = HOST["logging"]["logLevel"]

    assert levels["azure.core.pipeline.policies.http_logging_policy"] == "Warning"
