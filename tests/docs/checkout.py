"""A copy of the repository as a reader of the documents has it, with `./dev up` running in it."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = Path(sys.executable).parent.parent
FOLDERS = ("__app__", "shared_code", "devkit", "infra")
PINNED = ("requirements.txt", "requirements-dev.txt", "pyproject.toml")
FILES = ("dev", ".funcignore", "function_app.py", "host.json", "steward.toml", "requirements.in", *PINNED)
LISTENING = "Ctrl-C stops everything."
PATIENCE = 60.0


def environment() -> dict[str, str]:
    """What a command of the documents inherits: this machine's environment without any setting of Steward's."""
    dropped = ("STEWARD_", "AZURE_", "IDENTITY_", "WEBSITE_", "COV_", "COVERAGE_", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


@dataclass
class Checkout:
    """The copy, and what is running in it."""

    folder: Path
    screen: str = ""

    @property
    def port(self) -> str:
        """The port of the API of what is up."""
        found = re.search(r"API is at http://127\.0\.0\.1:(\d+)/", self.screen)
        assert found, self.screen
        return found[1]

    @contextmanager
    def up(self, *arguments: str) -> Iterator[None]:
        """Run `./dev up` until the block ends; `screen` is what it printed until it was ready."""
        screen = self.folder / "screen.log"
        with screen.open("wb") as output:
            process = subprocess.Popen(
                ["./dev", "up", "--port", "0", *arguments],
                cwd=self.folder,
                env={**environment(), "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + PATIENCE
            while LISTENING not in screen.read_text():
                assert process.poll() is None, screen.read_text()
                assert time.monotonic() < deadline, screen.read_text()
                time.sleep(0.05)
            self.screen = screen.read_text()
            yield
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: to everything in the terminal
            process.wait(timeout=30)

    def dev(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `./dev` to its end."""
        command = ["./dev", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=environment(), capture_output=True, text=True, check=False, timeout=PATIENCE
        )


def check_out(folder: Path, python: Path | None = None) -> Checkout:
    """Copy the repository, with an environment in which nothing is left to install.

    Args:
        folder: where to, not there yet.
        python: the folder of its programs, instead of the ones that run the tests.
    """
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy2(ROOT / name, folder / name)
    venv = folder / ".venv"
    venv.mkdir()
    for name in ("lib", "pyvenv.cfg"):
        (venv / name).symlink_to(VENV / name)
    (venv / "bin").symlink_to(python or VENV / "bin")
    # The stamp by which ./dev knows that nothing is left to install.
    installed = hashlib.sha256(b"".join((folder / name).read_bytes() for name in PINNED))
    (venv / "installed-by-dev").write_text(installed.hexdigest())
    return Checkout(folder)
