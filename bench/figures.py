"""Figures: how a measurement tells what it found, and which of its figures are asked for."""

import argparse
import json
from collections.abc import Callable, Mapping


def told(what: str, value: float, aim: float | None, *, least: bool = False, **also: float) -> bool:
    """Print a figure; return whether it is within its aim, which is the most, or with `least` the least."""
    shown = {"value": round(value, 2), "aim": aim, **{key: round(number, 2) for key, number in also.items()}}
    print(f"{what}: {json.dumps(shown)}", flush=True)
    if aim is None:
        return True
    return value >= aim if least else value <= aim


def choose(module: str, about: str | None, figures: Mapping[str, Callable[[], bool]]) -> int:
    """Measure the figure that the command line names, or all; return 1 if one is missed, else 0.

    Args:
        module: what is run, such as `bench.writes`.
        about: its docstring, which is the help.
        figures: by name, in the order in which they are measured.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figure", nargs="?", choices=figures, help="all, unless one is named")
    named = parser.parse_args().figure
    kept = [figure() for name, figure in figures.items() if named in (None, name)]
    return int(not all(kept))
