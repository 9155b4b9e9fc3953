"""`./dev up`: everything on one machine, readable, and gone after Ctrl-C."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent


def command(state: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "devkit.up", "--state", str(state), "--port", "0", *arguments]


def once(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(state, "--once", *arguments), cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_demonstration_succeeds_and_is_readable(tmp_path: Path) -> None:
    """Exit code 0, a table, the totals, and the subscription that was skipped with its reason."""
    result = once(tmp_path)

    assert (result.returncode, result.stderr) == (0, "")
    assert "Resource group" in result.stdout
    assert "rg-shop-prod-web" in result.stdout
    assert re.search(r"^\d{8}T\d{6}Z-list-resource-groups-[0-9a-f]{8}  succeeded$", result.stdout, re.MULTILINE)
    assert re.search(r"^  resource groups +15$", result.stdout, re.MULTILINE)
    assert "skipped: Shop Legacy (closed) " in result.stdout


def test_the_odd_estate_is_partial_and_says_why(tmp_path: Path) -> None:
    """Exit code 3, and each subscription that could not be read is named."""
    result = once(tmp_path, "--estate", "odd")

    assert (result.returncode, result.stderr) == (3, "")
    for name in ("No role", "Not visible", "HTML on the second page", "Cut off", "Throttled for ever"):
        assert f"not read completely: {name} (" in result.stdout
    assert "not read" in result.stdout
    assert "Traceback" not in result.stdout


def test_a_generated_estate_of_a_given_size(tmp_path: Path) -> None:
    """All of it is read, slow and throttled as Azure is."""
    size = ("--subscriptions", "2", "--groups", "30", "--resources", "2500", "--seed", "3")
    result = once(tmp_path, "--estate", "generated", *size, "--latency", "5", "--throttle", "--lag", "1")

    assert (result.returncode, result.stderr) == (0, "")
    assert "Simulated estate 'generated-2-30-2500-3': 2 subscriptions.\n" in result.stdout
    assert re.search(r"^  resource groups +30$", result.stdout, re.MULTILINE)
    assert re.search(r"^  resources +2,?500$", result.stdout, re.MULTILINE)


def test_recorded_answers_are_served_and_listed(tmp_path: Path) -> None:
    """Real input, where there is a folder of it."""
    folder = os.environ.get("STEWARD_RECORDINGS")
    if not folder:
        if "recordings" in os.environ.get("STEWARD_REQUIRE", "").split(","):
            pytest.fail("STEWARD_REQUIRE names recordings, and STEWARD_RECORDINGS names no folder of them")
        pytest.skip("STEWARD_RECORDINGS names no folder of recorded interactions")
    result = once(tmp_path, "--recordings", folder)

    assert (result.returncode, result.stderr) == (0, "")
    assert "  subscriptions not read   0\n" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--estate", "bogus"], "there is no estate 'bogus'"),
        (["--recordings", "/nowhere"], "/nowhere"),
        (["--estate", "odd", "--groups", "7"], "estate 'odd' is as large as it is"),
        (["--estate", "generated", "--subscriptions", "0"], "0 subscriptions are too few; an estate has 1 or more"),
        (["--port", "99999"], "99999"),
    ],
    ids=["unknown estate", "missing folder", "size of another estate", "impossible size", "no port"],
)
def test_wrong_use_is_one_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """On stderr, with exit code 2."""
    result = once(tmp_path, *arguments)

    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    """It names the port and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = once(tmp_path, "--port", str(port))

    assert result.returncode == 2
    assert result.stderr == (
        f"dev up: local host: Port {port} is taken; stop what listens there, or name another with --port\n"
    )


def get(url: str, path: str, key: str = "") -> bytes:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={"x-functions-key": key})
        return connection.getresponse().read()
    finally:
        connection.close()


@contextmanager
def up(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Give the process and what it printed until it says that Ctrl-C stops everything."""
    process = subprocess.Popen(command(state), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C stops everything." in line:
                break
        yield process, printed
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_it_goes_on_until_ctrl_c_which_stops_everything(tmp_path: Path) -> None:
    """The API answers with the key it names, and nothing is left afterwards."""
    with up(tmp_path) as (process, printed):
        url = re.search(r"The API is at (http://127\.0\.0\.1:\d+)/api", printed)
        assert url is not None
        key = (tmp_path / "demo" / "local_host" / "operator.key").read_text()
        assert key not in printed
        jobs = json.loads(get(url[1], "/api/jobs", key))["jobs"]
        assert {job["name"] for job in jobs} >= {"list-resource-groups", "watchdog"}
        assert f"The dashboard is at {url[1]}/api/dashboard; " in printed
        assert b"list-resource-groups" in get(url[1], "/api/dashboard/content", key)
        assert (tmp_path / "environment.json").stat().st_mode & 0o777 == 0o600

        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 0
        with pytest.raises(OSError, match="refused"):
            get(url[1], "/api/live")
        assert not (tmp_path / "environment.json").exists()


def test_a_second_start_leaves_the_first_alone(tmp_path: Path) -> None:
    """It says who is in the way, and the first one's second terminal still finds it."""
    with up(tmp_path):
        result = once(tmp_path)

        assert result.returncode == 2
        assert result.stderr == (
            f"dev up: '{tmp_path}' is in use by another './dev up'; stop that one, or name another --state\n"
        )
        assert (tmp_path / "environment.json").exists()


def test_an_interrupted_run_of_once_is_no_success(tmp_path: Path) -> None:
    """Whoever waits for the exit code must not take it for done."""
    process = subprocess.Popen(
        command(tmp_path, "--once", "--estate", "odd"), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)

    output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in output
