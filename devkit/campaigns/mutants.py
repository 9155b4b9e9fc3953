"""Campaign `mutants`: what decides about changes is broken, one place at a time, and the tests must notice.

The places are in `[tool.mutmut]` of pyproject.toml, and https://mutmut.readthedocs.io does the work. What no test
notices is a violation, unless `survivors.toml` says why it makes no difference.
"""

import ast
import difflib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from devkit.campaigns.session import Session

ROOT = Path(__file__).resolve().parents[2]
EXPLAINED = Path(__file__).with_name("survivors.toml")
NOT_COPIED = (".*", "__pycache__", "*.egg-info", "mutants", "node_modules")
_NAME = re.compile(r"(?P<module>.+)\.x(?:ǁ(?P<owner>\w+)ǁ|_)(?P<function>\w+)__mutmut_(?P<number>\d+)")
_TEXT = re.compile(r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """, re.VERBOSE)
_SURVIVED, _NOT_RUN = 0, 33
"""https://github.com/boxed/mutmut: exit codes of pytest, and one for what no test runs."""
_NOTICED = (1, 3)
_LOOK = 1.0
_CONFTEST = '''"""What the many starts of the tests in one process need."""

import functools
import gc

from hypothesis import HealthCheck, settings

repeatable = settings(derandomize=True, database=None, deadline=None, suppress_health_check=[*HealthCheck])
settings.register_profile("mutants", repeatable)
settings.load_profile("mutants")


def pytest_sessionstart():
    """What the code as it is has left in a cache must not hide what the mutant does."""
    for each in gc.get_objects():
        if isinstance(each, functools._lru_cache_wrapper) and each.__module__.startswith(("shared_code", "__app__")):
            each.cache_clear()
'''


class Change(msgspec.Struct, frozen=True):
    """What a mutant makes of a line."""

    function: str
    was: str
    becomes: str


class Explained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a change makes no difference that a test could notice."""

    function: str
    was: str
    becomes: str
    why: str

    @property
    def change(self) -> Change:
        """The change that it is about."""
        return Change(self.function, self.was, self.becomes)


class Mutant(NamedTuple):
    """One change, by the name that mutmut gives it."""

    name: str
    exit_code: int | None
    """None where it was not tried."""

    @property
    def function(self) -> str:
        """Where it is: `shared_code.ledger.Ledgers.keep`."""
        found = _NAME.fullmatch(self.name)
        if found is None:
            raise ValueError(f"mutmut has named a mutant '{self.name}', which nobody can take apart")
        return ".".join(filter(None, (found["module"], found["owner"], found["function"])))


def perform(session: Session) -> None:
    """Try module after module, in an order of the seed's, until the time is over; `--only` takes a name with stars."""
    modules = [path.removesuffix(".py").replace("/", ".") for path in settings()["only_mutate"]]
    random.Random(session.seed).shuffle(modules)  # noqa: S311  # an order is no secret
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
        (tree / "tests" / "conftest.py").write_text(_CONFTEST)
        for pattern in [session.only] if session.only else [f"{module}.*" for module in modules]:
            if session.goes_on:
                attempt(session, tree, pattern)
        judge(session, tree)


def settings() -> dict[str, list[str]]:
    """Return what pyproject.toml says of mutants."""
    found: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    return found


def explained() -> list[Explained]:
    """Read `survivors.toml`."""
    return msgspec.toml.decode(EXPLAINED.read_bytes(), type=dict[str, list[Explained]])["survivor"]


def mutants_in(tree: Path) -> Iterator[Mutant]:
    """Give all mutants that were made, with what became of them."""
    for path in sorted((tree / "mutants").rglob("*.py.meta")):
        for name, code in sorted(json.loads(path.read_text())["exit_code_by_key"].items()):
            yield Mutant(name, code)


def change_of(mutant: Mutant, tree: Path) -> Change:
    """Compare the mutant's function with the one that it was made of; only what differs is kept."""
    module, _, own = mutant.name.rpartition(".")
    source = (tree / "mutants" / f"{module.replace('.', '/')}.py").read_text()
    original = re.sub(r"\d+$", "orig", own)
    found = {
        each.name: (ast.get_source_segment(source, each) or "").splitlines()[1:]
        for each in ast.walk(ast.parse(source))
        if isinstance(each, ast.FunctionDef) and each.name in (own, original)
    }
    lines = [*difflib.unified_diff(found[original], found[own], n=0, lineterm="")][2:]
    was, becomes = (" ".join(" ".join(line[1:].split()) for line in lines if line[0] == sign) for sign in "-+")
    return Change(mutant.function, was, becomes)


def is_wording(change: Change) -> bool:
    """Tell whether only the text of a sentence has changed, as a reader would see it."""
    was, becomes = _TEXT.findall(change.was), _TEXT.findall(change.becomes)
    if len(was) != len(becomes) or _TEXT.sub("", change.was) != _TEXT.sub("", change.becomes):
        return False
    return all(" " in one.strip(" \"'") for one, other in zip(was, becomes, strict=True) if one != other)


def attempt(session: Session, tree: Path, pattern: str) -> None:
    """Have mutmut try the mutants of a pattern, for as long as the session goes on."""
    # It forks from a process that has imported the tests; -m would import its own modules twice.
    command = [str(Path(sys.executable).with_name("mutmut")), "run", pattern]
    log = tree / "mutmut.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=tree, stdout=out, stderr=out, start_new_session=True)
        try:
            while process.poll() is None and session.goes_on:
                time.sleep(_LOOK)
                with suppress(ValueError):  # of a file that is half written
                    found = [*mutants_in(tree)]
                    session.progress(sum(each.exit_code is not None for each in found), "mutants", len(found) or None)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if process.returncode not in (0, -signal.SIGKILL):
        session.violated(f"mutmut ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}", pattern)


def judge(session: Session, tree: Path) -> None:
    """Count what became of the mutants, and tell what no test has noticed."""
    known = {each.change for each in explained()}
    for mutant in mutants_in(tree):
        session.figures["mutants"] += 1
        if mutant.exit_code is None:
            session.figures["not_tried"] += 1
        elif mutant.exit_code in _NOTICED:
            session.figures["noticed"] += 1
        elif mutant.exit_code not in (_SURVIVED, _NOT_RUN):
            session.figures["noticed_by_time"] += 1
        else:
            _survived(session, mutant, change_of(mutant, tree), known)


def _survived(session: Session, mutant: Mutant, change: Change, known: set[Change]) -> None:
    if change in known:
        session.figures["explained"] += 1
    elif is_wording(change):
        session.figures["wording"] += 1
    else:
        session.figures["survived"] += 1
        what = "no test runs it" if mutant.exit_code == _NOT_RUN else "no test notices"
        session.violated(f"{change.function}: {what}: '{change.was}' became '{change.becomes}'", mutant.name)
