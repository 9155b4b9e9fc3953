"""The sample app in a local host of its own, and the journal in which its functions write what they saw."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from devkit.local_host.process import HostProcess, running

SAMPLE = Path(__file__).parent / "sample"
_PATIENCE = 10.0


class Journal(NamedTuple):
    """What the sample's functions wrote."""

    path: Path

    def lines(self, what: str) -> list[dict[str, Any]]:
        """Give the lines of one kind so far."""
        text = self.path.read_text() if self.path.exists() else ""
        whole, _, _ = text.rpartition("\n")  # the last one may be on its way
        return [line for line in map(json.loads, whole.splitlines()) if line["what"] == what]

    def wait(self, what: str, count: int = 1, *, body: str | None = None) -> list[dict[str, Any]]:
        """Give the lines of one kind as soon as there are `count`."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            found = [line for line in self.lines(what) if body is None or line["body"] == body]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"waited {_PATIENCE:g} s for {count} x {what}, saw {self.lines(what)}")


class Sample(NamedTuple):
    """A running sample."""

    host: HostProcess
    journal: Journal


def wait_for_log(host: HostProcess, text: str) -> str:
    """Give the log as soon as it has `text` in it."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if text in host.log:
            return host.log
        time.sleep(0.01)
    raise AssertionError(f"waited {_PATIENCE:g} s for {text!r} in:\n{host.log}")


@contextmanager
def run_sample(
    folder: Path,
    *,
    settings: Mapping[str, str] | None = None,
    arguments: tuple[str, ...] = ("--no-sweep",),
    app: Path = SAMPLE,
) -> Iterator[Sample]:
    """Run the sample with its state and its journal in `folder`, so that it can be run there again."""
    journal = Journal(folder / "journal.ndjson")
    environment = {"SAMPLE_JOURNAL": str(journal.path), "SAMPLE_TICK": "0 0 4 * * *", **(settings or {})}
    with running(app, state=folder / "state", environment=environment, arguments=arguments) as host:
        yield Sample(host, journal)


def write_app(folder: Path, code: str, host_json: str = '{"version": "2.0"}') -> Path:
    """Write a function app and give its folder."""
    folder.mkdir(exist_ok=True)
    (folder / "function_app.py").write_text(code)
    (folder / "host.json").write_text(host_json)
    return folder
