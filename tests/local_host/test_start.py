import os
import re
import socket
import stat
import time
from pathlib import Path

import pytest

from devkit.local_host.process import HostDied, running
from tests.local_host.sample_host import run_sample, wait_for_log, write_app

HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"
TIMER = '@app.timer_trigger(arg_name="timer", schedule="0 0 5 * * *")\n'


def start_and_fail(app: Path, **options: object) -> HostDied:
    with pytest.raises(HostDied) as raised, running(app, **options):  # type: ignore[arg-type]
        pass
    return raised.value


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (HEAD + "raise ValueError('no\\nluck')\n", r"ValueError: no luck \(at function_app\.py:3\)"),
        (HEAD + "import not_there\n", r"ModuleNotFoundError: No module named 'not_there' \(at function_app\.py:3\)"),
        (HEAD + "def broken(:\n", r"SyntaxError: invalid syntax.*\(at function_app\.py:3\)"),
        (HEAD + "import sys\nsys.exit(3)\n", r"sys\.exit\(3\) was called while it was imported"),
        (HEAD + TIMER + "def tick(other) -> None: ...\n", "FunctionLoadError: cannot load the tick function"),
        ("x = 1\n", r"ValueError: Could not find top level function app instances in function_app\.py"),
    ],
    ids=["raises", "module", "syntax", "exit", "parameter", "no-app"],
)
def test_an_app_that_cannot_be_indexed_is_one_sentence(tmp_path: Path, code: str, sentence: str) -> None:
    """Exit code 1, with type, reason, file and line; no traceback."""
    died = start_and_fail(write_app(tmp_path, code))

    assert died.exit_code == 1
    assert re.search(r"^local host: The app cannot be indexed: .*" + sentence, died.log, re.MULTILINE), died.log
    assert "Traceback" not in died.log
    assert len([line for line in died.log.splitlines() if "WARNING root Auth level" not in line]) == 1


def test_a_folder_without_app_is_one_sentence(tmp_path: Path) -> None:
    """Exit code 2."""
    write_app(tmp_path, HEAD)
    (tmp_path / "function_app.py").unlink()

    died = start_and_fail(tmp_path)

    assert (died.exit_code, died.log) == (
        2,
        f"local host: '{tmp_path}' has no function_app.py; name the app's folder with --app\n",
    )


def test_a_bad_host_json_is_one_sentence(tmp_path: Path) -> None:
    """Exit code 2."""
    died = start_and_fail(write_app(tmp_path, HEAD, "{"))

    assert died.exit_code == 2
    assert died.log.startswith(f"local host: '{tmp_path / 'host.json'}' cannot be read")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--port", "65536"), "argument --port: '65536' is not a port; write 0 to 65535"),
        (("--unknown",), "unrecognized arguments: --unknown"),
    ],
)
def test_wrong_use_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """Exit code 2, after the usage."""
    died = start_and_fail(write_app(tmp_path, HEAD), arguments=arguments)

    assert died.exit_code == 2
    assert died.log.splitlines()[-1].endswith(sentence)


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    """Exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        died = start_and_fail(write_app(tmp_path, HEAD), port=port)

    assert died.exit_code == 2
    assert f"local host: Port {port} is taken; stop what listens there, or name another with --port" in died.log
    assert "Traceback" not in died.log


def test_a_second_host_on_the_same_state_is_one_sentence(tmp_path: Path) -> None:
    """The queue file has one owner; the first host goes on."""
    with run_sample(tmp_path) as sample:
        died = start_and_fail(write_app(tmp_path / "app", HEAD), state=tmp_path / "state")

        assert sample.host.call("GET", "/api/echo/").status == 200
    assert died.exit_code == 2
    assert f"local host: Another local host uses '{tmp_path / 'state'}'; stop it" in died.log


def test_an_app_without_functions_starts(tmp_path: Path) -> None:
    """It is told in the log."""
    with running(write_app(tmp_path, HEAD)) as host:
        assert "The app has no functions" in host.log
        assert host.functions == []


def test_the_listing_shows_every_function(tmp_path: Path) -> None:
    """By kind, with routes and levels, schedules and next occurrences, queues, and the reason of what is in error."""
    with run_sample(tmp_path, settings={"AzureWebJobs.work.Disabled": "true"}) as sample:
        log = wait_for_log(sample.host, "Stop with Ctrl+C.")

    url = re.escape(sample.host.url)
    for line in (
        r"HTTP:",
        rf"  apply_plan +POST {url}/api/plans/\{{plan\}}/apply +function",
        rf"  echo +any method {url}/api/echo/\{{\*rest\}} +anonymous",
        r"Timers:",
        r"  tick +0 0 4 \* \* \* +next \d{4}-\d\d-\d\dT04:00:00Z",
        r"Queues:",
        r"  bury +jobs-poison",
        r"  work +jobs +disabled",
        r"In error:",
        r"  bad_schedule +Hour '25' is out of range: hours go from 0 to 23; write 23\.",
    ):
        assert re.search(f"^{line}$", log, re.MULTILINE), f"{line}\n{log}"


def test_keys_are_not_shown(tmp_path: Path) -> None:
    """The path of the keys file is; with --show-key the operator key is, and no other."""
    with run_sample(tmp_path) as sample:
        log = wait_for_log(sample.host, "Stop with Ctrl+C.")
        keys = sample.host.keys
    with run_sample(tmp_path, arguments=("--show-key", "--no-sweep")) as sample:
        shown = wait_for_log(sample.host, "Stop with Ctrl+C.")

    assert str(tmp_path / "state" / "keys.json") in log
    assert not any(key in log for key in (keys.reader, keys.operator, keys.approver, keys.master))
    assert f"Operator key: {keys.operator}" in shown
    assert not any(key in shown for key in (keys.reader, keys.approver, keys.master))


def test_the_ready_file_is_private(tmp_path: Path) -> None:
    """It holds the keys, and is gone when the host is."""
    with run_sample(tmp_path) as sample:
        for path in (sample.host.ready_path, tmp_path / "state" / "keys.json"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert sample.host.stop() == 0
        assert not sample.host.ready_path.exists()


def test_local_settings_fill_in_the_environment(tmp_path: Path) -> None:
    """What the process has wins."""
    code = HEAD + (
        '@app.route("settings", auth_level=func.AuthLevel.ANONYMOUS)\n'
        "def settings(req: func.HttpRequest) -> func.HttpResponse:\n"
        "    import json, os\n"
        "    names = ['A', 'B', 'AZURE_FUNCTIONS_ENVIRONMENT', 'FUNCTIONS_WORKER_RUNTIME', 'CONTAINER_NAME']\n"
        "    return func.HttpResponse(json.dumps([os.environ.get(name) for name in names]))\n"
    )
    app = write_app(tmp_path / "app", code)
    (app / "local.settings.json").write_text('{"Values": {"A": "file", "B": "file"}}')

    with running(app, environment={"A": "process", "CONTAINER_NAME": "build"}) as host:
        assert host.call("GET", "/api/settings").json() == ["process", "file", "Development", "python", None]


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    """Nobody else on the network can reach it."""
    with run_sample(tmp_path) as sample:
        assert sample.host.url.startswith("http://127.0.0.1:")
        port = int(sample.host.url.rpartition(":")[2])
        with socket.socket() as other:
            other.settimeout(1)
            assert other.connect_ex(("127.0.0.2", port)) != 0


def test_a_stop_lets_running_functions_finish(tmp_path: Path) -> None:
    """Messages that wait are not begun; exit code 0."""
    with run_sample(tmp_path) as sample:
        sample.host.call("POST", "/api/jobs", ["sleep 0.7", "waits"])
        sample.journal.wait("work", body="sleep 0.7")
        started = time.monotonic()

        assert sample.host.stop() == 0

        assert 0.2 < time.monotonic() - started < 5.0
        assert len(sample.journal.lines("worked")) == 1
        assert len(sample.journal.lines("work")) == 1


def test_the_process_is_gone_after_the_block(tmp_path: Path) -> None:
    """Even when the block raises."""
    pids = []

    def use_it() -> None:
        with run_sample(tmp_path) as sample:
            pids.append(sample.host.pid)
            raise LookupError

    with pytest.raises(LookupError):
        use_it()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_what_takes_too_long_to_stop_is_left_behind(tmp_path: Path) -> None:
    """Its message comes back at the next start; exit code 0 all the same."""
    with run_sample(tmp_path, arguments=("--grace", "0.2", "--no-sweep")) as sample:
        sample.host.call("POST", "/api/jobs", ["sleep 30"])
        sample.journal.wait("work")
        assert sample.host.stop(timeout=5.0) == 0
        assert "Still running after 0.2 s and left behind: work" in sample.host.log

    with run_sample(tmp_path) as sample:
        assert [line["dequeue_count"] for line in sample.journal.wait("work", 2)] == [1, 2]
        sample.host.kill()


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """A test process that is killed leaves no host behind: its end of the pipe closes."""
    with run_sample(tmp_path) as sample:
        process = sample.host._process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5.0) == 0


def test_a_retry_policy_is_told(tmp_path: Path) -> None:
    """The local host does not follow it; Azure would call again."""
    retry = '@app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:10")\n'
    with running(
        write_app(tmp_path, HEAD + TIMER + retry + "def tick(timer: func.TimerRequest) -> None: ...\n")
    ) as host:
        assert "Function tick has a retry policy, which the local host does not follow" in host.log
