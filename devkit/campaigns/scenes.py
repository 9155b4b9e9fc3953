"""What each job does in a healthy estate, from a store in which it has run before; the same again for every trial."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from devkit.campaigns.app import App, copied
from devkit.campaigns.azure import Azure
from devkit.campaigns.estate import ESTATE, TOML
from devkit.campaigns.passing import Movable
from devkit.simulator import Estate, Resource, ResourceGroup
from shared_code.plan import Plan, Plans
from shared_code.resource_ids import key
from shared_code.run_requests import Wanted
from shared_code.runs import Order, Run, TriggeredBy
from shared_code.store import Store
from shared_code.store_local import LocalStore

LIST, AUDIT, CLEANUP = "list-resource-groups", "tag-audit", "cleanup"
CHANGE, DELETE, UNDO = "apply tag changes", "apply deletions", "undo"
SCENES = (LIST, AUDIT, CLEANUP, CHANGE, DELETE, UNDO)
"""What is performed, by the words for it."""

type Json = dict[str, Any]


class Left(NamedTuple):
    """What a run has left: its record, the lines of its outputs, and the plan it made or applied."""

    run: Run
    lines: dict[str, list[Json]]
    plan: Plan | None


class Scene(NamedTuple):
    """A run that is about to begin, in a world that is kept as it was."""

    name: str
    folder: Path
    estate: Estate
    since: datetime
    start: Callable[[App], Run]
    left: Left
    calls: dict[str, int]
    """How often each call comes where nothing is the matter."""
    after: Estate
    """What the estate is like then."""


def left_by(store: Store, run: Run) -> Left:
    """Read what a run has left."""
    lines: dict[str, list[Json]] = {}
    for name in run.outputs:
        if name.endswith(".ndjson"):
            lines[name] = [msgspec.json.decode(line) for line in store.lines(f"runs/{run.id}/{name}")]
    return Left(run, lines, Plans(store).get(run.plan) if run.plan else None)


def things(estate: Estate) -> dict[str, dict[str, str]]:
    """The tags of everything in an estate, by the key of its id."""
    found: dict[str, dict[str, str]] = {}
    for held in estate.subscriptions:
        every: tuple[ResourceGroup | Resource, ...] = (*held.resource_groups, *held.resources)
        for each in every:
            found[key(each.id)] = dict(each.tags) if isinstance(each.tags, dict) else {}
    return found


class Scenes:
    """Prepares each scene once, in folders of its own."""

    def __init__(self, azure: Azure, time: Movable, folder: Path) -> None:
        self.azure, self.time, self.folder = azure, time, folder
        self._known: dict[str, Scene] = {}
        self._trials = 0

    def scene(self, name: str) -> Scene:
        """Return the scene of that name."""
        if not self._known:
            self._prepare()
        return self._known[name]

    def trial(self, scene: Scene) -> tuple[App, Path]:
        """Begin the scene anew, in a folder that whoever asked removes."""
        self._trials += 1
        folder = self.folder / f"trial-{self._trials}"
        self.time.set(scene.since)
        return App(self.azure.environment, copied(scene.folder, folder), self.time, TOML), folder

    def _prepare(self) -> None:
        before = self.folder / "before"
        app = App(self.azure.environment, LocalStore(before), self.time, TOML)
        self.azure.renew(ESTATE)
        for _ in range(2):
            for job in (LIST, AUDIT, CLEANUP):
                self.time.sleep(3600)
                run = app.perform(_by_hand(job)(app))
                if job == AUDIT:
                    audit = run
            self.time.sleep(26 * 3600)
        self._keep(LIST, before, ESTATE, _by_hand(LIST))
        self._keep(AUDIT, before, ESTATE, _by_hand(AUDIT))
        self._keep(CLEANUP, before, ESTATE, _by_hand(CLEANUP))
        self._keep(DELETE, before, ESTATE, _approve(app, run))
        changed = self._keep(CHANGE, before, ESTATE, _approve(app, audit))
        self._keep(UNDO, changed, self._known[CHANGE].after, _undo(self._known[CHANGE].left.run.id))

    def _keep(self, name: str, folder: Path, estate: Estate, start: Callable[[App], Run]) -> Path:
        since = self.time.now()
        done = self.folder / f"{name.replace(' ', '-')}-done"
        self.azure.renew(estate)
        app = App(self.azure.environment, copied(folder, done), self.time, TOML)
        run = app.perform(start(app))
        calls = Counter(each.name for each in self.azure.asked)
        left, after = left_by(app.store, run), self.azure.estate
        self._known[name] = Scene(name, folder, estate, since, start, left, dict(sorted(calls.items())), after)
        return done


def _by_hand(job: str) -> Callable[[App], Run]:
    return lambda app: app.requests.by_hand(job, Wanted(), TriggeredBy.HTTP, "operator@example.com")


def _approve(app: App, run: Run) -> Callable[[App], Run]:
    plan = Plans(app.store).get(run.plan or "")
    order = Order(plan=plan.id, digest=plan.digest)
    return lambda app: app.changes.apply(order, TriggeredBy.HTTP, "operator@example.com")


def _undo(run: str) -> Callable[[App], Run]:
    return lambda app: app.changes.undo(run, TriggeredBy.HTTP, "operator@example.com")
