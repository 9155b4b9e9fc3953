"""The options of every command that starts a simulator: which estate, and how it behaves."""

import argparse
from pathlib import Path
from typing import Any

from devkit.simulator.estates import GENERATED, Size, load_estate
from devkit.simulator.model import Estate
from devkit.simulator.recordings import load_recordings
from devkit.simulator.roles import EVERYWHERE, Assignment, load_role
from devkit.simulator.throttling import Buckets

DELETE_TIME = 1.0
"""How long a delete goes on, in seconds, where a command line says nothing."""
_SIZES = {
    "subscriptions": "subscriptions",
    "groups": "resource groups over all subscriptions",
    "resources": "resources over all subscriptions",
    "seed": "which estate of that size",
}


def add_estate_options(parser: argparse.ArgumentParser) -> None:
    """Let a command line name an estate."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--estate", default="demo", metavar="NAME", help=f"estate to serve: demo (default), cleanup, odd or {GENERATED}"
    )
    source.add_argument("--recordings", type=Path, metavar="FOLDER", help="serve recorded answers instead")
    usual = Size()
    for name, what in _SIZES.items():
        parser.add_argument(
            f"--{name}", type=int, metavar="N", help=f"of estate {GENERATED}: {what} (default {getattr(usual, name)})"
        )


def add_behaviour_options(parser: argparse.ArgumentParser) -> None:
    """Let a command line say how slow, strict and late the answers are."""
    parser.add_argument("--latency", type=_time, default=0.0, metavar="MS", help="wait this long before each answer")
    parser.add_argument(
        "--throttle",
        action="store_true",
        help="answer 429 when Resource Manager's buckets or Resource Graph's quota (15 in 5 s) are used up",
    )
    parser.add_argument(
        "--role",
        type=_assignment,
        action="append",
        metavar="FILE[@SCOPE]",
        help="role definition that the identity has, and where (default: those of infra/roles, everywhere)",
    )
    parser.add_argument(
        "--lag",
        type=_time,
        default=0.0,
        metavar="SECONDS",
        help="let lists and Resource Graph show what was there then",
    )
    parser.add_argument(
        "--late-tags",
        type=_time,
        default=0.0,
        metavar="SECONDS",
        help="accept writes of a resource's tags at once, and do them so much later",
    )


def add_delete_option(parser: argparse.ArgumentParser) -> None:
    """Let a command line say how long deletes go on."""
    parser.add_argument(
        "--delete-time",
        type=_time,
        default=DELETE_TIME,
        metavar="SECONDS",
        help="how long a delete goes on that is accepted first (default 1)",
    )


def chosen_estate(given: argparse.Namespace) -> Estate:
    """The estate that the options name.

    Raises:
        ValueError: when there is none such; one sentence.
    """
    size = {name: getattr(given, name) for name in _SIZES if getattr(given, name) is not None}
    if not given.recordings:
        return load_estate(given.estate, **size)
    if size:
        raise ValueError(f"recordings are as large as they are; {', '.join(size)} can be given for '{GENERATED}' only")
    return load_recordings(given.recordings)


def behaviour(given: argparse.Namespace) -> dict[str, Any]:
    """The arguments of `Simulator` that the options stand for."""
    throttle = Buckets() if given.throttle else None
    return {
        "latency": given.latency / 1000,
        "throttle": throttle,
        "lag": given.lag,
        "late_tags": given.late_tags,
        "assignments": given.role,
        "delete_time": getattr(given, "delete_time", DELETE_TIME),
    }


def _assignment(text: str) -> Assignment:
    file, _, scope = text.partition("@")
    try:
        return Assignment(load_role(Path(file)), scope or EVERYWHERE)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"'{file}': {error.strerror}") from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _time(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no time; give a number that is not negative")
    return value
