"""`./dev up`: the simulator, the local host and a first run, and then their timers until Ctrl-C."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from devkit.local_host.process import HostDied, HostProcess, running
from devkit.simulator import Estate, Simulator
from devkit.simulator.options import (
    add_behaviour_options,
    add_delete_option,
    add_estate_options,
    behaviour,
    chosen_estate,
)
from shared_code.cli import EXIT_CODES
from shared_code.model import ResourceGroup
from shared_code.runs import Run
from shared_code.terminal import progress_bar, show_groups, show_run

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".steward" / "up"
ENVIRONMENT = "environment.json"
"""In the state folder: where a second terminal finds the simulator and the store, while they run."""
JOB = "list-resource-groups"
POLL = 0.2


class CannotStart(Exception):
    """Ends the command with one sentence and exit code 2."""


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C, or with --once until the run has ended.

    Returns:
        With --once the exit code of the run, else 0 after Ctrl-C; 2 if something could not be started.
    """
    given = _parser().parse_args(arguments)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # whoever reads a pipe waits for lines too
    try:
        estate = chosen_estate(given)
        state, name = given.state.resolve(), "recordings" if given.recordings else estate.name
        with (
            _alone(state),
            Simulator(estate, **behaviour(given)) as simulator,
            _environment(simulator, state, name, given.config) as environment,
        ):
            _print_estate(estate)
            with _host(environment, state / name, given.port) as host:
                code = _first_run(host)
                if given.once:
                    return code
                _print_addresses(host)
                _watch(host)
    except (CannotStart, ValueError) as error:
        print(f"dev up: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.")
        return 1 if given.once else 0
    return 1


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Hold the state folder, so that a second start leaves what the first one runs alone."""
    lock = FileLock(state / "up.lock", timeout=0)
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise CannotStart(
            f"'{state}' is in use by another './dev up'; stop that one, or name another --state"
        ) from None
    except OSError as error:
        reason = f"'{state}' cannot be used: {error.strerror}; name another folder with --state"
        raise CannotStart(reason) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _environment(simulator: Simulator, state: Path, estate: str, config: Path | None) -> Iterator[dict[str, str]]:
    """Give the app settings of this estate, and leave them where a second terminal finds them."""
    environment = {**simulator.environment, "STEWARD_STORE": (state / estate / "store").as_uri()}
    if config:
        environment["STEWARD_CONFIG"] = str(config.resolve())
    file = state / ENVIRONMENT
    file.touch(mode=0o600)
    file.write_text(json.dumps(environment))
    try:
        yield environment
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _host(environment: dict[str, str], state: Path, port: int) -> Iterator[HostProcess]:
    try:
        state.mkdir(exist_ok=True)
        log = state / "host.log"
        with running(ROOT, state=state / "local_host", environment=environment, port=port, log=log) as host:
            yield host
    except HostDied as error:
        raise CannotStart(error.log.strip().rsplit("\n", 1)[-1] or str(error)) from error


def _first_run(host: HostProcess) -> int:
    """Start the main job through the app's own HTTP function, and print what it found."""
    run = _asked(host, "POST", f"/api/jobs/{JOB}/runs")
    with progress_bar(JOB) as watch:
        while not run.status.ended:
            time.sleep(POLL)
            run = _asked(host, "GET", f"/api/runs/{run.id}")
            if run.progress:
                watch(run.progress)
    if run.outputs:
        reply = host.call("GET", f"/api/runs/{run.id}/report?format=json")
        groups = msgspec.convert(reply.json()["resource_groups"], list[ResourceGroup])
        show_groups(groups, len(groups))
    show_run(run)
    return EXIT_CODES[run.status]


def _asked(host: HostProcess, method: str, path: str) -> Run:
    try:
        reply = host.call(method, path, headers={"X-Requested-By": "dev up"})
    except OSError as error:
        raise CannotStart(f"the local host does not answer: {error}; its log is in {host.log_path}") from error
    if reply.status >= 400:
        raise CannotStart(f"{method} {path} answered {reply.status}: {reply.json().get('detail', reply.text)}")
    return msgspec.json.decode(reply.body, type=Run)


def _print_estate(estate: Estate) -> None:
    for note in estate.notes:
        print(note)
    print(f"Simulated estate '{estate.name}': {len(estate.subscriptions)} subscriptions.")


def _print_addresses(host: HostProcess) -> None:
    key = host.state / "operator.key"
    key.touch(mode=0o600)
    key.write_text(host.keys.operator)
    shown, every = os.path.relpath(key, ROOT), os.path.relpath(host.state / "keys.json", ROOT)
    print(
        f"""
The API is at {host.url}/api and takes the key in {shown}:
    curl -s -H "x-functions-key: $(cat {shown})" {host.url}/api/jobs
The dashboard is at {host.url}/api/dashboard; it asks for that key too.
All keys, the approver's too, are in {every}.
The same estate from a second terminal:
    ./dev steward run {JOB}
Timers are firing; runs that end are shown here, and the whole log is in {os.path.relpath(host.log_path, ROOT)}.
Ctrl-C stops everything."""
    )


def _watch(host: HostProcess) -> None:
    """Print a line for each run that ends, until the host does."""
    seen = {run.id for run in _runs(host) if run.status.ended}
    while host.exit_code is None:
        time.sleep(1)
        for run in reversed(_runs(host)):
            if run.status.ended and run.id not in seen:
                seen.add(run.id)
                print(f"{run.id}  {run.trigger}: {run.closing_sentence}", flush=True)
    raise CannotStart(f"the local host ended with exit code {host.exit_code}: {host.log.strip()[-300:]}")


def _runs(host: HostProcess) -> list[Run]:
    try:
        reply = host.call("GET", "/api/runs?limit=20")
    except OSError:  # it is on its way down; the exit code says so
        return []
    return msgspec.convert(reply.json()["runs"], list[Run]) if reply.status == 200 else []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev up", description=__doc__)
    add_estate_options(parser)
    add_behaviour_options(parser)
    add_delete_option(parser)
    parser.add_argument("--once", action="store_true", help="end with the first run, with its exit code")
    parser.add_argument("--port", type=int, default=7071, metavar="N", help="of the API on 127.0.0.1 (default 7071)")
    parser.add_argument(
        "--state", type=Path, default=STATE, metavar="FOLDER", help="keep runs and keys here (default .steward/up)"
    )
    parser.add_argument("--config", type=_file, metavar="FILE", help="the operator's file (default steward.toml)")
    return parser


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"'{text}' is no file that can be read")
    return path


if __name__ == "__main__":
    sys.exit(main())
