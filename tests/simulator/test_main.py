"""`python -m devkit.simulator`, as a process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from devkit.simulator import Simulator, load_estate
from devkit.simulator.estates.demo import DEVELOPMENT

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-m", "devkit.simulator"]


@contextmanager
def running(*arguments: str, environment: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A simulator process, once it has written its environment."""
    command = [*COMMAND, *arguments, "--environment", str(environment)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 20
            while not environment.exists():
                assert process.poll() is None, process.stderr and process.stderr.read()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield process, json.loads(environment.read_text())
        finally:
            process.kill()


def token(environment: dict[str, str]) -> str:
    """A token, as any client gets one."""
    answer = requests.get(
        environment["IDENTITY_ENDPOINT"],
        params={"api-version": "2019-08-01", "resource": environment["STEWARD_ARM_AUDIENCE"]},
        headers={"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]},
        timeout=10,
    )
    return str(answer.json()["access_token"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    """One line says what is served; the environment file is for its owner; a signal ends it with 0."""
    file = tmp_path / "environment.json"
    with running("--estate", "demo", environment=file) as (process, environment):
        assert file.stat().st_mode & 0o777 == 0o600
        assert [each.name for each in tmp_path.iterdir()] == ["environment.json"]
        answer = requests.get(
            f"{environment['STEWARD_ARM_ENDPOINT']}/subscriptions?api-version=2022-12-01",
            headers={"Authorization": f"Bearer {token(environment)}"},
            verify=environment["REQUESTS_CA_BUNDLE"],
            timeout=10,
        )
        assert len(answer.json()["value"]) == 4

        process.send_signal(number)
        out, errors = process.communicate(timeout=10)

    assert process.returncode == 0
    assert out == (
        f"{environment['STEWARD_ARM_ENDPOINT']} serves estate 'demo': 4 subscriptions, 16 resource groups, "
        "58 resources. Ctrl+C stops it.\n"
    )
    assert errors == ""
    assert not Path(environment["REQUESTS_CA_BUNDLE"]).exists()


def test_faults_and_log_from_the_command_line(tmp_path: Path) -> None:
    """Faults come from a JSON file, the log goes to another."""
    faults, log = tmp_path / "faults.json", tmp_path / "log.ndjson"
    faults.write_text('[{"route": "subscriptions", "kind": "throttled", "retry_after": 3}]')
    arguments = ("--estate", "odd", "--faults", str(faults), "--log", str(log))
    with running(*arguments, environment=tmp_path / "environment.json") as (_, environment):
        answer = requests.get(
            f"{environment['STEWARD_ARM_ENDPOINT']}/subscriptions?api-version=2022-12-01",
            headers={"Authorization": f"Bearer {token(environment)}"},
            verify=environment["REQUESTS_CA_BUNDLE"],
            timeout=10,
        )
        lines = [json.loads(line) for line in log.read_text().splitlines()]

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert [(each["route"], each["fault"]) for each in lines] == [("identity", ""), ("subscriptions", "throttled")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--estate", "huge"],
            "simulator: there is no estate 'huge'; there are 'demo', 'cleanup', 'odd', 'generated'\n",
        ),
        (
            ["--recordings", "/nowhere"],
            "simulator: /nowhere is not a folder; name one that holds recorded interactions\n",
        ),
        (["--faults", "/nowhere.json"], "simulator: /nowhere.json: No such file or directory\n"),
        (["--log", "/nowhere/log"], "simulator: /nowhere/log: No such file or directory\n"),
        (["--environment", "/nowhere/environment"], "No such file or directory\n"),
        (["--port", "70000"], "error: argument --port: '70000' is no port; ports are 0 to 65535\n"),
        (["--seed", "2"], "simulator: estate 'demo' is as large as it is; seed can be given for 'generated' only\n"),
        (
            ["--estate", "generated", "--subscriptions", "2", "--groups", "1961"],
            "simulator: 1961 resource groups do not fit into 2 subscriptions; each holds 980 at most\n",
        ),
        (
            ["--recordings", "/nowhere", "--groups", "1"],
            "simulator: recordings are as large as they are; groups can be given for 'generated' only\n",
        ),
        (["--resources", "many"], "error: argument --resources: invalid int value: 'many'\n"),
        (["--latency", "-1"], "error: argument --latency: '-1' is no time; give a number that is not negative\n"),
        (["--lag", "soon"], "error: argument --lag: 'soon' is no time; give a number that is not negative\n"),
        (["--late-tags", "-1"], "error: argument --late-tags: '-1' is no time; give a number that is not negative\n"),
        (["--port", "x"], "error: argument --port: 'x' is no port; ports are 0 to 65535\n"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_wrong_use_is_one_sentence_and_exit_code_2(arguments: list[str], sentence: str) -> None:
    """Never a traceback."""
    done = subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)

    assert done.returncode == 2
    assert done.stderr.endswith(sentence)
    assert "Traceback" not in done.stderr


def test_a_generated_estate_slow_strict_and_late(tmp_path: Path) -> None:
    """Its numbers are totals; each answer waits, and the headers count down."""
    size = ("--subscriptions", "3", "--groups", "12", "--resources", "500", "--seed", "7")
    log = tmp_path / "log.ndjson"
    arguments = ("--estate", "generated", *size, "--latency", "30", "--throttle", "--lag", "5", "--log", str(log))
    with running(*arguments, environment=tmp_path / "environment.json") as (process, environment):
        answers = [
            requests.get(
                f"{environment['STEWARD_ARM_ENDPOINT']}/subscriptions?api-version=2022-12-01",
                headers={"Authorization": f"Bearer {token(environment)}"},
                verify=environment["REQUESTS_CA_BUNDLE"],
                timeout=10,
            )
            for _ in range(2)
        ]
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
        lines = [json.loads(line) for line in log.read_text().splitlines()]

    assert "'generated-3-12-500-7': 3 subscriptions, 12 resource groups, 500 resources." in out
    assert len(answers[0].json()["value"]) == 3
    left = [int(each.headers["x-ms-ratelimit-remaining-tenant-reads"]) for each in answers]
    assert left[0] == 249
    assert all(each["milliseconds"] >= 30 for each in lines if each["route"] == "subscriptions")


def test_late_tags_from_the_command_line(tmp_path: Path) -> None:
    """A write to a resource is accepted, and has two addresses to poll."""
    group = f"/subscriptions/{DEVELOPMENT}/resourceGroups/rg-load-test"
    disk = f"{group}/providers/Microsoft.Compute/disks/vm-load-01_data0"
    with running("--late-tags", "60", environment=tmp_path / "environment.json") as (_, environment):
        answer = requests.patch(
            f"{environment['STEWARD_ARM_ENDPOINT']}{disk}/providers/Microsoft.Resources/tags/default",
            params={"api-version": "2022-09-01"},
            json={"operation": "Merge", "properties": {"tags": {"owner": "operator@example.com"}}},
            headers={"Authorization": f"Bearer {token(environment)}"},
            verify=environment["REQUESTS_CA_BUNDLE"],
            timeout=10,
        )

    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "60")
    assert {"Location", "Azure-AsyncOperation"} <= set(answer.headers)


def test_a_taken_port_is_one_sentence_and_exit_code_2() -> None:
    """It names the port."""
    with Simulator(load_estate("demo")) as simulator:
        port = simulator.url.rpartition(":")[2]
        done = subprocess.run(
            [*COMMAND, "--port", port], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
        )

    assert (done.returncode, done.stderr) == (2, f"simulator: port {port}: Address already in use\n")


def test_the_environment_replaces_what_an_earlier_run_left(tmp_path: Path) -> None:
    """A file with wider rights does not stay."""
    file = tmp_path / "environment.json"
    file.write_text("{}")
    file.chmod(0o644)
    process = subprocess.Popen([*COMMAND, "--environment", str(file)], cwd=ROOT, stdout=subprocess.PIPE, env=os.environ)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)

    assert "STEWARD_ARM_ENDPOINT" in json.loads(file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
