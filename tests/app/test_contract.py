"""Every HTTP function answers as the document of the API says: schemathesis asks, and judges the answers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from devkit.local_host.process import HostProcess
from tests.app.conftest import start_run, wait_ended, world_of
from tests.app.test_changes import config, untidy

SEED = 20261122
EXAMPLES = 80
"""Of each operation and phase; with the whole of it this takes less than a minute."""
PATIENCE = 240


def closed(document: Any) -> Any:
    """Give the document for which an answer with anything more than it says is wrong."""
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if "properties" in schema and name != "Document":
            schema.setdefault("additionalProperties", False)
    return document


def settings(host: HostProcess, run: str, plan: str) -> str:
    """Write down how the document is to be tried."""
    return f"""
continue-on-failure = true
seed = {SEED}

[headers]
x-functions-key = "{host.keys.operator}"

[generation]
max-examples = {EXAMPLES}
deterministic = true
no-shrink = true
database = "none"

[dictionaries.runs]
values = ["{run}", "{plan}"]

[dictionaries.plans]
values = ["{plan}"]

[parameters]
"path.run" = {{ dictionary = "runs", probability = 0.6 }}
"path.plan" = {{ dictionary = "plans", probability = 0.6 }}

# Well-formed, and refused all the same: what Idempotency-Key and If-Match say depends on what is there.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 304, 401, 403, 404, 409, 412, 422]

# The host answers a method that there is not as an address that there is not, with 404.
[checks.unsupported_method]
enabled = false

[phases.coverage]
unexpected-methods = []

# The address of a snooze is made of what is in the body; what is shown is a run or a plan.
[[operations]]
include-operation-id = ["set_snooze", "dashboard_content"]

[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 401, 403, 404, 412]

[[operations]]
include-operation-id = "apply_plan"
headers = {{ x-functions-key = "{host.keys.approver}" }}
"""


def test_every_answer_is_as_documented(tmp_path: Path) -> None:
    """No request of those that the document allows, and none of those that it does not, is answered otherwise.

    Nothing is written to Azure, and nothing goes wrong unexpectedly.
    """
    with world_of(tmp_path, untidy(), config()) as world, world.host() as host:
        listed, audited = start_run(host), start_run(host, job="tag-audit")
        wait_ended(host, listed)
        assert wait_ended(host, audited)["plan"] == audited
        document = tmp_path / "openapi.json"
        document.write_text(json.dumps(closed(host.call("GET", "/api/openapi.json", key="reader").json())))
        options = tmp_path / "schemathesis.toml"
        options.write_text(settings(host, listed, audited))
        done = subprocess.run(
            [
                Path(sys.executable).with_name("schemathesis"),
                f"--config-file={options}",
                "run",
                str(document),
                f"--url={host.url}/api",
                "--no-color",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        log = host.log
        writes = [one for one in world.simulator.requests if one.method != "GET" and one.route != "logs"]

    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed unexpectedly" not in log
    assert writes == []
