"""The bootstrap script: one sentence for everything that may be missing on a fresh machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

CLOSED = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
"""What a machine without network looks like to pip."""


def nothing_in(folder: Path) -> dict[str, str]:
    return {"PATH": str(folder), "HOME": str(folder), "PYENV_ROOT": str(folder)}


def dev(
    *arguments: str, cwd: Path = ROOT, old: bool = False, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the script, as an older Python would if `old`."""
    script = (
        f"import sys; sys.version_info = (3, 9, 2); sys.argv = {['dev', *arguments]}; __file__ = {str(cwd / 'dev')!r}"
    )
    code = ["-c", f"{script}; exec(open(__file__).read())"] if old else [str(cwd / "dev"), *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "COVERAGE"))}
    return subprocess.run(
        [sys.executable, *code],
        cwd=cwd,
        env={**kept, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A clone in which nothing is installed yet."""
    for name in ("dev", "requirements.txt", "requirements-dev.txt", "requirements.in", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("arguments", [[], ["dance"]], ids=["nothing", "an unknown command"])
def test_wrong_use_shows_the_commands(arguments: list[str]) -> None:
    """And exits with 2."""
    result = dev(*arguments)

    assert result.returncode == 2
    assert "./dev up [--once]" in result.stdout
    assert result.stderr == ""


def test_help_is_no_error() -> None:
    """It shows the same and exits with 0."""
    assert dev("--help").returncode == 0


def test_no_fitting_python_is_said_in_one_sentence(fresh: Path) -> None:
    """With where to get one."""
    result = dev("up", cwd=fresh, old=True, environment=nothing_in(fresh))

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "dev: Steward needs Python 3.13 or later, and none was found on PATH, in pyenv or in uv; get one with"
        " 'uv python install 3.13', 'pyenv install 3.13' or from https://www.python.org/downloads/.\n"
    )


@pytest.mark.parametrize("place", ["PATH", "pyenv", "uv"])
def test_a_fitting_python_is_found_wherever_it_is(fresh: Path, place: str) -> None:
    """On PATH by its version, below pyenv's root, or by asking uv."""
    binary = fresh / {"PATH": "python3.13", "pyenv": "versions/3.13.9/bin/python", "uv": "uv"}[place]
    binary.parent.mkdir(parents=True, exist_ok=True)
    answer = f'exec "{sys.executable}" "$@"' if place != "uv" else f'echo "{sys.executable}"'
    binary.write_text(f"#!/bin/sh\n{answer}\n")
    binary.chmod(0o755)

    result = dev("up", cwd=fresh, old=True, environment=nothing_in(fresh) | CLOSED)

    assert f"dev: Python {sys.version_info[0]}.{sys.version_info[1]}." in result.stderr
    assert (fresh / ".venv").exists()


def test_no_network_is_said_in_one_sentence(fresh: Path) -> None:
    """Without pip's pages of retries, which are kept in a file."""
    result = dev("up", cwd=fresh, environment=CLOSED)

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        "dev: The pinned packages could not be downloaded; check the network, or set HTTPS_PROXY or PIP_INDEX_URL"
        " if this machine needs them, and start again. (.venv/install.log has what pip said.)"
    )
    assert (fresh / ".venv" / "install.log").stat().st_size > 0


def test_an_environment_that_is_complete_is_not_touched() -> None:
    """A second start takes seconds: nothing is installed, and nothing is said."""
    dev("steward", "--help")

    result = dev("steward", "--help")

    assert "nothing is running" in result.stderr or "Usage: steward" in result.stdout
    assert "Installing" not in result.stderr
