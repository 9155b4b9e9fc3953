"""A local host as a process of its own, for tests: started, waited for, called, and always ended.

The worker library keeps one app for each process, so tests start one process for each host.
"""

import http.client
import json as json_text
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

from devkit.local_host.keys import Keys
from devkit.local_host.ready import Ready, read_ready

_ROOT = Path(__file__).resolve().parents[2]
_POLL = 0.02
_LOG = "host.log"
_READY = "ready.json"


class Reply(NamedTuple):
    """The answer to a call."""

    status: int
    headers: dict[str, str]
    """Names in lower case; the last of several values, `set-cookie` joined by line breaks."""
    body: bytes

    def json(self) -> Any:
        """Give the body as JSON."""
        return json_text.loads(self.body)

    @property
    def text(self) -> str:
        """Give the body as text."""
        return self.body.decode()


class HostDied(RuntimeError):
    """The host ended before it listened, or did not get there in time; the text ends with its log."""

    def __init__(self, sentence: str, log: str, exit_code: int | None) -> None:
        super().__init__(f"{sentence}\n{log}")
        self.log = log
        self.exit_code = exit_code


class HostProcess:
    """A running local host."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", ready: Ready, ready_path: Path, log_path: Path, state: Path
    ) -> None:
        self._process = process
        self.log_path = log_path
        self.ready_path = ready_path
        self.url = ready.url
        self.keys: Keys = ready.keys
        self.pid = ready.pid
        self.functions = ready.functions
        self.state = state

    @property
    def log(self) -> str:
        """What the host wrote so far: stdout and stderr."""
        return self.log_path.read_text()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def call(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        key: str | None = "operator",
        body: bytes | None = None,
        timeout: float = 30.0,
    ) -> Reply:
        """Send one request.

        Args:
            method: GET, POST, …
            path: with a slash first, query included.
            json: sent as JSON body unless None.
            headers: added to the request.
            key: which key to send, or None for none.
            body: sent as it is, instead of `json`.
            timeout: seconds for each step of the connection.
        """
        sent = dict(headers or {})
        if key is not None:
            sent.setdefault("x-functions-key", getattr(self.keys, key))
        if json is not None:
            body = json_text.dumps(json).encode()
            sent.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            received: dict[str, str] = {}
            for name, value in ((name.lower(), value) for name, value in answer.getheaders()):
                received[name] = f"{received[name]}\n{value}" if name == "set-cookie" and name in received else value
            return Reply(answer.status, received, answer.read())
        finally:
            connection.close()

    def trigger(self, function: str, given: str | None = None) -> Reply:
        """Call a function by hand, with the master key."""
        return self.call("POST", f"/admin/functions/{function}", {"input": given}, key="master")

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        self._process.kill()
        self._process.wait()

    def stop(self, timeout: float = 20.0) -> int:
        """End it politely (SIGTERM) and give its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout)


@contextmanager
def running(
    app: Path,
    *,
    state: Path | None = None,
    environment: Mapping[str, str | None] | None = None,
    arguments: tuple[str, ...] = (),
    port: int = 0,
    timeout: float = 30.0,
    log: Path | None = None,
    python: Sequence[str] = (sys.executable, "-m", "devkit.local_host"),
) -> Iterator[HostProcess]:
    """Run a local host for the length of a `with` block.

    Args:
        app: the folder with function_app.py.
        state: its state folder; None for a fresh one that is removed afterwards.
        environment: app settings, on top of this process's environment; None removes one.
        arguments: more arguments of the command, such as "--no-timers".
        port: 0 for a free one.
        timeout: seconds until it must listen.
        log: where what it writes is kept; None for a file that is removed afterwards.
        python: what starts it, where it is not to have the packages of this process.

    Raises:
        HostDied: it ended before it listened.
    """
    with tempfile.TemporaryDirectory(prefix="local-host-") as name:
        folder = Path(name)
        state, log, ready_path = state or folder / "state", log or folder / _LOG, folder / _READY
        command = [
            *python,
            "--app", str(app), "--state", str(state), "--port", str(port), "--ready", str(ready_path),
            "--stop-with-stdin", *arguments,
        ]  # fmt: skip
        with log.open("wb") as written:
            process = _start(command, environment, written)
        try:
            ready = _wait_ready(process, ready_path, log, timeout)
            yield HostProcess(process, ready, ready_path, log, state)
        finally:
            _end(process)


def _start(
    command: list[str], environment: Mapping[str, str | None] | None, log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=_ROOT,
        env={name: value for name, value in {**os.environ, **(environment or {})}.items() if value is not None},
        # The host ends when this end of the pipe does: with us, even if we are killed.
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
    )


def _wait_ready(process: "subprocess.Popen[bytes]", ready_path: Path, log_path: Path, timeout: float) -> Ready:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        ready = read_ready(ready_path)
        if ready is not None:
            return ready
        if process.poll() is not None:
            raise HostDied(
                f"The local host ended with exit code {process.returncode}:", log_path.read_text(), process.returncode
            )
        time.sleep(_POLL)
    raise HostDied(f"The local host did not listen within {timeout:g} s:", log_path.read_text(), None)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin:
        process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(12.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
