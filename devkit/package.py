"""`./dev package`: a zip with exactly what runs in Azure, compiled; the same bytes for the same commit."""

import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

import pathspec
from packaging.requirements import Requirement

from devkit.supply import bill
from devkit.supply.licences import UnknownLicence
from devkit.supply.needs import canonical, read_asked

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "steward.zip"
PYTHON = (3, 13)
"""What the function app runs on; compiled modules are for one minor version of Python."""
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
"""Azure runs Python 3.13 on Debian 12, whose C library is newer than all of these."""
PACKAGES = ".python_packages/lib/site-packages"
"""Where the worker looks for the app's packages; a folder of this name anywhere else would not be found."""
DEPLOYED = "/home/site/wwwroot"
NEEDLESS = (
    "bin/*", "*/tests/*", "*/__pycache__/*", "*.pyi", "*/py.typed", "*.c", "*.h", "*.po", "*.pot",
    "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "*.dist-info/WHEEL",
    "*.dist-info/direct_url.json",
)  # fmt: skip
"""What packages bring that nobody reads there: commands, tests, types, sources of what is compiled, pip's notes."""
_WHEN = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_MODE = stat.S_IFREG | 0o644
_LEVEL = 6  # 9 takes four times as long for one percent


class CannotPackage(Exception):
    """Ends the command with one sentence and exit code 2."""


class Packed(NamedTuple):
    """A zip that was written."""

    path: Path
    files: int
    size: int
    sha256: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the package and say what it is.

    Returns:
        0, or 2 if it could not be made.
    """
    given = _parser().parse_args(arguments)
    try:
        packed = package(ROOT, given.output)
    except CannotPackage as error:
        print(f"dev package: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"dev package: {error.filename or given.output}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{_shown(packed.path)}  {packed.size / 1e6:.1f} MB  {packed.files} files  sha256 {packed.sha256}")
    if changed := not_committed(ROOT):
        print(f"Not as committed: {', '.join(changed)}")
    return 0


def package(root: Path, output: Path, python: tuple[int, int] = PYTHON) -> Packed:
    """Make the package of the app in a folder.

    Args:
        root: the folder with function_app.py.
        output: where the zip is written; what was there stays until there is a new one.
        python: the version that the app runs on.

    Raises:
        CannotPackage: the packages cannot be installed, something cannot be compiled, or this is another Python.
    """
    if sys.version_info[:2] != python:
        running, wanted = (".".join(map(str, version)) for version in (sys.version_info[:2], python))
        raise CannotPackage(
            f"Azure runs the app on Python {wanted}, and .venv has {running}, which compiles for itself alone;"
            f" remove .venv and start again where Python {wanted} is installed."
        )
    with tempfile.TemporaryDirectory(prefix="steward-package-") as made:
        folder = Path(made).resolve()
        wheels = _install(root / "requirements.txt", folder / PACKAGES)
        asked = read_asked((root / "requirements.in").read_text())
        (folder / bill.NAME).write_bytes(_bill(folder, asked, wheels))
        for name in sources(root):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, folder / name)
        _compile(folder)
        return _pack({path.relative_to(folder).as_posix(): path for path in _files(folder)}, output)


def sources(root: Path) -> list[str]:
    """Give the files of the app itself: those that .funcignore lets through, as for `func` and azd."""
    ignored = _ignored(root)
    found = []
    for path, folders, names in root.walk():
        within = path.relative_to(root)
        folders[:] = [name for name in folders if not ignored.match_file(f"{(within / name).as_posix()}/")]
        found += [(within / name).as_posix() for name in names]
    return sorted(name for name in found if not ignored.match_file(name))


def _ignored(root: Path) -> pathspec.GitIgnoreSpec:
    return pathspec.GitIgnoreSpec.from_lines((root / ".funcignore").read_text().splitlines())


def _install(requirements: Path, folder: Path) -> dict[str, str]:
    """Install what is pinned for where the app runs, whatever this machine is.

    Returns:
        The SHA-256 of the file that each package came from, by its name.
    """
    report = folder.parent / "installed.json"
    report.parent.mkdir(parents=True)
    command = [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet",
        "--target", str(folder), "--report", str(report), "--require-hashes", "--no-deps", "--no-compile",
        "--only-binary=:all:",
        "--implementation", "cp", "--python-version", ".".join(map(str, PYTHON)), "--abi", "cp{}{}".format(*PYTHON),
        *(word for platform in PLATFORMS for word in ("--platform", platform)),
        "--requirement", str(requirements),
    ]  # fmt: skip
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")] or ["ERROR: nothing"]
        raise CannotPackage(
            "The pinned packages could not be installed; check the network, or set HTTPS_PROXY or PIP_INDEX_URL if this"
            f" machine needs them, and start again. (pip says: {said[-1].removeprefix('ERROR: ')})"
        )
    for path in _files(folder):
        if any(fnmatch.fnmatch(path.relative_to(folder).as_posix(), pattern) for pattern in NEEDLESS):
            path.unlink()
    installed = json.loads(report.read_bytes())["install"]
    report.unlink()
    return {
        canonical(each["metadata"]["name"]): each["download_info"]["archive_info"]["hashes"]["sha256"]
        for each in installed
    }


def _bill(folder: Path, asked: Sequence[Requirement], wheels: Mapping[str, str]) -> bytes:
    """Write the bill of materials of what was installed."""
    metadata: dict[str, Message] = {}
    bills: dict[str, list[str]] = {}
    for path in sorted((folder / PACKAGES).glob("*.dist-info/METADATA")):
        told = Parser().parsestr(path.read_text("utf-8"), headersonly=True)
        metadata[name := canonical(told["Name"])] = told
        bills[name] = sorted(each.relative_to(folder).as_posix() for each in path.parent.glob("sboms/*.json"))
    try:
        return bill.bill(metadata, asked, wheels, bills)
    except UnknownLicence as error:
        raise CannotPackage(str(error)) from None


def _compile(folder: Path) -> None:
    """Compile every module so that its date does not matter, with the path that it has in Azure.

    A process of its own that compiles one after the other: what is compiled depends, in its bytes, on what else the
    process holds.
    """
    command = [
        sys.executable, "-I", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash",
        "-s", str(folder), "-p", DEPLOYED, str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in (done.stdout + done.stderr).splitlines() if line.startswith("***")), "nothing")
        raise CannotPackage(f"Not everything can be compiled: {said.removeprefix('*** ').replace(str(folder), '')}")


def _pack(files: Mapping[str, Path], output: Path) -> Packed:
    """Write the zip under another name first, so that there is a whole one or none."""
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f"{output.name}.partial")
    with zipfile.ZipFile(partial, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, _MODE << 16
            archive.writestr(entry, files[name].read_bytes(), compresslevel=_LEVEL)
    content = partial.read_bytes()
    partial.replace(output)
    return Packed(output, len(files), len(content), hashlib.sha256(content).hexdigest())


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def not_committed(root: Path) -> list[str]:
    """Give the files of the app that are not as git has them; none where there is no git."""
    command = ["git", "status", "--porcelain", "--no-renames", "--untracked-files=all", "-z"]
    try:
        asked = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return []
    names = [line[3:] for line in asked.stdout.split("\0") if line]
    ignored = _ignored(root)
    return sorted(name for name in names if not ignored.match_file(name))


def _shown(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev package", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, metavar="FILE", help="write it here (default build/steward.zip)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
