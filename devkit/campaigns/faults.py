"""Campaign `faults`: each call to Azure of each job meets each kind of trouble; and the page about what comes of it.

`python -m devkit.campaigns.faults > docs/reliability.md` tries them all, and prints the page.
"""

import logging
import os
import random
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from devkit.campaigns.app import App, quick_folder
from devkit.campaigns.azure import Azure, Blow
from devkit.campaigns.estate import ESTATE, OWNED
from devkit.campaigns.judgement import broken_promises
from devkit.campaigns.passing import Passing
from devkit.campaigns.scenes import CHANGE, DELETE, SCENES, Scene, Scenes, left_by
from devkit.campaigns.session import Session
from devkit.campaigns.trouble import TROUBLES
from devkit.simulator import Lock, Resource
from shared_code.outputs import OUTCOMES
from shared_code.runs import Run

HANGS = 60.0
"""Seconds after which a run counts as one that never ends."""
LISTS, LAG = "all lists", "lists that are an hour old"
LONG_AGO = 3600.0
_OWN_PATIENCE = {"GET identity": ("drip",)}
"""What would take the minutes that this client waits, which nobody here can shorten."""


class Cell(NamedTuple):
    """One trial: which trouble meets which call of a job, from which one on, and whether it lasts."""

    scene: str
    call: str
    trouble: str
    first: int
    lasts: bool

    @property
    def place(self) -> str:
        """What names it."""
        return f"{self.scene}/{self.call}/{self.trouble}/{self.first}{'+' if self.lasts else ''}"


class Tried(NamedTuple):
    """What has come of one: in words, and the promises that were broken; `struck` where the trouble has met a call."""

    outcome: str
    broken: tuple[str, ...]
    struck: bool


class Matrix:
    """All trials, each in a world of its own."""

    def __init__(self, scenes: Scenes) -> None:
        self.scenes = scenes
        self._log = _Log()

    def cells(self, scene: str) -> Iterator[Cell]:
        """Give the trials of a job: at the first, a middle and the last of each call, once and for good."""
        for call, number in self.scenes.scene(scene).calls.items():
            for trouble in TROUBLES.values():
                if trouble.name in _OWN_PATIENCE.get(call, ()):
                    continue
                # How many threads ask for a token before one has it is anybody's guess.
                last = 1 if call == "GET identity" else number
                for first in sorted({1, (last + 1) // 2, last}):
                    yield Cell(scene, call, trouble.name, first, lasts=False)
                yield Cell(scene, call, trouble.name, 1, lasts=True)
        yield Cell(scene, LISTS, LAG, 1, lasts=True)

    def try_(self, cell: Cell) -> Tried:
        """Perform one trial, and judge it."""
        scene = self.scenes.scene(cell.scene)
        app, folder = self.scenes.trial(scene)
        azure, trouble = self.scenes.azure, TROUBLES.get(cell.trouble)
        if trouble:
            azure.renew(scene.estate, Blow(cell.call, trouble, cell.first, cell.lasts))
        else:
            azure.renew(scene.estate, lag=LONG_AGO)
            protect(azure)
        self._log.clear()
        try:
            performed = self._performed(app, scene)
            if isinstance(performed, str):
                return Tried("violation", (performed,), struck=True)
            asked = list(azure.asked)
            left = left_by(app.store, performed)
            lies = trouble is not None and trouble.lies
            broken = [*broken_promises(scene, left, asked, azure.estate, lies=lies, changed=trouble is None)]
            broken += self._tidiness(app, performed)
            broken += self._secrets(folder, azure.secrets)
            struck = trouble is None or any(each.struck for each in asked)
            return Tried(_words(cell.scene, left.run, left.lines.get(OUTCOMES, [])), tuple(broken), struck)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _performed(self, app: App, scene: Scene) -> Run | str:
        ended: list[Run | str] = []

        def perform() -> None:
            try:
                ended.append(app.perform(scene.start(app)))
            except Exception as error:  # noqa: BLE001  # whatever it is, the queue would see it
                ended.append(f"the worker raised {type(error).__name__}: {error}")

        thread = threading.Thread(target=perform, daemon=True)
        with self._log.listening():
            thread.start()
            thread.join(HANGS)
        return ended[0] if ended else f"after {HANGS:.0f} seconds the run is still at it"

    def _tidiness(self, app: App, run: Run) -> Iterator[str]:
        if app.records.open():
            yield "a run is still marked as open"
        if app.locks.read(run.job).run is not None:
            yield "the lock of the job is still held"

    def _secrets(self, folder: Path, secrets: list[str]) -> Iterator[str]:
        known = [each.encode() for each in secrets]
        for file in folder.rglob("*"):
            if file.is_file() and any(each in (content := file.read_bytes()) for each in known):
                yield f"a secret is in the store, in {file.name} of {len(content):,} bytes"
        if any(each in line for line in self._log.lines for each in secrets):
            yield "a secret is in the log"
        if any("Traceback" in line for line in self._log.lines):
            yield "a traceback is in the log"


class _Log(logging.Handler):
    """All that is logged of one run."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def clear(self) -> None:
        """Forget it."""
        self.lines = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take all that is logged meanwhile, and let nobody else hear it."""
        root = logging.getLogger()
        before, level = root.handlers[:], root.level
        root.handlers[:] = [self]
        root.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.handlers[:] = before
            root.setLevel(level)


def _words(name: str, run: Run, outcomes: Iterable[dict[str, object]]) -> str:
    """Say what has come of a run: its status and, where a plan is applied, what did not go as it goes otherwise."""
    if name not in (CHANGE, DELETE):
        return str(run.status)
    usual = "changed" if name == CHANGE else "deleted"
    ended = {str(each["outcome"]) for each in outcomes}
    other: list[str] = [each for each in ("deleting", "skipped", "failed") if each in ended]
    if not ended:
        other = [f"nothing {usual}"]
    return f"{run.status} ({', '.join(other)})" if other else str(run.status)


def protect(azure: Azure) -> None:
    """Protect one thing that is planned by a tag and all of one group by a lock, which lists do not show yet."""
    [one, two] = azure.estate.subscriptions
    within = f"/subscriptions/{one.id}/resourceGroups/rg-parts"
    azure.change(one.id, replace(one, locks=(*one.locks, Lock(name="late", scope=within))))
    groups = tuple(
        replace(each, resources=tuple(map(_kept, each.resources))) if each.name == "rg-parts" else each
        for each in two.resource_groups
    )
    azure.change(two.id, replace(two, resource_groups=groups))


def _kept(resource: Resource) -> Resource:
    return replace(resource, tags={**OWNED, "keep": "true"}) if resource.name == "disk-2" else resource


@contextmanager
def matrix() -> Iterator[Matrix]:
    """Serve an Azure, and give the trials there."""
    time = Passing(datetime.now(UTC).replace(microsecond=0))
    before = dict(os.environ)
    with quick_folder() as folder, Azure(ESTATE, time) as azure:
        os.environ.update(azure.environment)
        try:
            yield Matrix(Scenes(azure, time, folder))
        finally:
            os.environ.clear()
            os.environ.update(before)


def perform(session: Session) -> None:
    """Try as many as there is time for, in an order that follows from the seed."""
    with matrix() as trials:
        cells = [cell for scene in SCENES for cell in trials.cells(scene)]
        if session.only:
            cells = [cell for cell in cells if cell.place == session.only]
        random.Random(session.seed).shuffle(cells)  # noqa: S311  # an order is no secret
        for done, cell in enumerate(cells):
            if not session.goes_on:
                break
            session.progress(done, "cells", len(cells))
            tried = trials.try_(cell)
            session.figures["cells"] += 1
            session.figures["cells_met"] += tried.struck
            session.figures[f"runs_{tried.outcome.partition(' ')[0]}"] += 1
            for each in tried.broken:
                session.violated(f"{cell.place}: {each}", cell.place)
        session.figures["cells_there_are"] = len(cells)


def main() -> int:
    """Try all, and print the page."""
    tried: dict[Cell, Tried] = {}
    session = Session("faults", minutes=24 * 60)
    with matrix() as trials:
        cells = [cell for scene in SCENES for cell in trials.cells(scene)]
        for done, cell in enumerate(cells):
            session.progress(done, "cells", len(cells))
            tried[cell] = trials.try_(cell)
            for each in tried[cell].broken:
                session.violated(f"{cell.place}: {each}", cell.place)
    from devkit.campaigns.reliability_page import page

    print(page({cell: one.outcome for cell, one in tried.items() if one.struck}), end="")
    return 1 if session.violations else 0


if __name__ == "__main__":
    sys.exit(main())
