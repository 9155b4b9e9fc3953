"""A Python that has the unpacked package and nothing else of this machine but what the caller adds."""

import re
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

from devkit.package import PACKAGES
from tests.docs.checkout import ROOT

HOST = ("aiohttp", "azure-functions-runtime")
"""What the local host needs besides what the app brings."""
_START = "import runpy, sys; sys.path[:0] = {path!r}; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def interpreter(*options: str) -> list[str]:
    """Give a Python without site-packages, without the environment's PYTHON variables, and without this folder."""
    return [str(Path(sys.executable).resolve()), "-I", "-S", *options]


def search_path(unpacked: Path) -> list[str]:
    """Give what the worker in Azure searches for modules, without its own."""
    return [str(unpacked), str(unpacked / PACKAGES)]


def start(module: str, path: list[str]) -> list[str]:
    """Give the command that runs a module as `python -m` does, on this path."""
    return interpreter("-c", _START.format(path=path, module=module))


def local_host(folder: Path, pinned: set[str]) -> str:
    """Make a folder with the local host and what it needs, but nothing that the app has to bring.

    Args:
        folder: where to, not there yet.
        pinned: the names of the packages that the app brings.
    """
    folder.mkdir()
    (folder / "devkit").symlink_to(ROOT / "devkit")
    for each in _needed(set(HOST), pinned):
        for name in {file.parts[0] for file in each.files or ()} - {"..", "__pycache__"}:
            (folder / name).symlink_to(Path(str(each.locate_file(name))))
    return str(folder)


def _needed(names: set[str], brought: set[str]) -> list[Distribution]:
    found: dict[str, Distribution] = {}
    while names:
        name = names.pop()
        found[name] = distribution(name)
        required = [_name(line) for line in found[name].requires or () if "extra ==" not in line]
        names |= {each for each in required if _is_installed(each)} - brought - found.keys()
    return list(found.values())


def _name(requirement: str) -> str:
    matched = re.match(r"[\w.-]+", requirement)
    assert matched, requirement
    return re.sub(r"[-_.]+", "-", matched[0]).lower()


def _is_installed(name: str) -> bool:
    """Some requirements are for other systems, or for older versions of Python."""
    return any(True for _ in Distribution.discover(name=name))
