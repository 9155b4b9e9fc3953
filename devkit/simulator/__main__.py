"""`python -m devkit.simulator`: serves an estate until it is told to stop."""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from devkit.simulator.faults import DELETING, load_faults
from devkit.simulator.model import Estate
from devkit.simulator.options import (
    add_behaviour_options,
    add_delete_option,
    add_estate_options,
    behaviour,
    chosen_estate,
)
from devkit.simulator.simulator import Simulator


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator until SIGINT or SIGTERM; 0 when it was stopped, 2 when it could not start."""
    wanted = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        estate = chosen_estate(wanted)
        faults = load_faults(wanted.faults) if wanted.faults else []
        with Simulator(estate, faults, wanted.port, wanted.log, **behaviour(wanted)) as simulator:
            print(describe(simulator.url, estate), flush=True)
            if wanted.environment:
                write_environment(wanted.environment, simulator.environment)
            stopped.wait()
    except ValueError as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        where = f"port {wanted.port}" if error.filename is None else error.filename
        print(f"simulator: {where}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


def describe(url: str, estate: Estate) -> str:
    """What is served where, with the estate's notes, for the person in front of the terminal."""
    subscriptions = estate.subscriptions
    groups = sum(each.group_count for each in subscriptions)
    resources = sum(each.resource_count for each in subscriptions)
    line = (
        f"{url} serves estate '{estate.name}': {len(subscriptions)} subscriptions, {groups} resource groups, "
        f"{resources} resources. Ctrl+C stops it."
    )
    return "\n".join([*estate.notes, line])


def write_environment(file: Path, environment: dict[str, str]) -> None:
    """Put the environment there as JSON, whole or not at all, for the owner's eyes only.

    Raises:
        OSError: when it cannot be written.
    """
    handle, draft = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(environment, stream, indent=2)
            stream.write("\n")
        Path(draft).replace(file)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise


_FAULTS = f"JSON list of faults; see faults.py. For DELETE: {', '.join(DELETING)}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devkit.simulator", description=__doc__)
    add_estate_options(parser)
    add_behaviour_options(parser)
    add_delete_option(parser)
    parser.add_argument("--port", type=_port, default=0, help="port on 127.0.0.1; 0 (default) takes a free one")
    parser.add_argument("--faults", type=Path, metavar="FILE", help=_FAULTS)
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="append each request, and what became of each DELETE, as a line of JSON",
    )
    parser.add_argument("--environment", type=Path, metavar="FILE", help="write the variables that point a client here")
    return parser


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port; ports are 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
