"""Objects of the store that somebody, or a disk, has damaged: a run then says so, or does what it would have done."""

import json
import logging
import os
import random
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from devkit.campaigns.app import quick_folder
from devkit.campaigns.azure import Azure
from devkit.campaigns.estate import ESTATE
from devkit.campaigns.passing import Passing
from devkit.campaigns.scenes import CHANGE, DELETE, Scene, Scenes, things
from shared_code.errors import StewardError
from shared_code.resource_ids import key

HANGS = 60.0
DAMAGES = (
    "empty", "half", "null", "list", "other type", "no fields", "flipped bit", "no text", "deep", "huge number",
    "twice", "line lost", "line cut", "half a pair",
)  # fmt: skip
NEEDED_BY_NONE = ("report", ".csv", ".html")
"""What people read, and no run."""


class Case(NamedTuple):
    """One trial: what is performed, and which object is damaged how before."""

    scene: str
    object: str
    damage: str

    @property
    def place(self) -> str:
        """What names it."""
        return f"{self.scene}/{self.object}/{self.damage}"


class Damages:
    """All trials, each in a world of its own."""

    def __init__(self, scenes: Scenes, seed: int) -> None:
        self.scenes, self.seed = scenes, seed

    def cases(self, scene: str) -> Iterator[Case]:
        """Give the trials of a job: each object that is there when it begins, and each damage."""
        folder = self.scenes.scene(scene).folder
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and not name.startswith(".store") and not any(each in name for each in NEEDED_BY_NONE):
                yield from (Case(scene, name, damage) for damage in DAMAGES)

    def broken(self, case: Case) -> list[str]:
        """Perform one trial, and give what is wrong with what has come of it."""
        scene = self.scenes.scene(case.scene)
        app, folder = self.scenes.trial(scene)
        path = folder / case.object
        chance = random.Random(f"{self.seed} {case.place}")  # noqa: S311  # the same again for the same seed
        path.write_bytes(damaged(path.read_bytes(), case.damage, chance))
        self.scenes.azure.renew(scene.estate)
        raised: list[str] = []

        def perform() -> None:
            try:
                app.perform(scene.start(app))
            except StewardError as error:
                raised.append(str(error))
            except Exception as error:  # noqa: BLE001  # whatever it is, it is no answer
                raised.append(f"!{type(error).__name__}: {error}")
            raised.append("")

        thread = threading.Thread(target=perform, daemon=True)
        thread.start()
        thread.join(HANGS)
        try:
            return [*_words(raised), *self._changes(scene)]
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _changes(self, scene: Scene) -> Iterator[str]:
        was, wanted, now = things(scene.estate), things(scene.after), things(self.scenes.azure.estate)
        if scene.name not in (CHANGE, DELETE) and now != was:
            yield "a run that only plans has changed the estate"
        plan = scene.left.plan
        planned = {key(item.resource_id) for item in plan.items} if plan else set()
        for own in was:
            if own not in now and not any(own == each or own.startswith(f"{each}/") for each in planned):
                yield f"{own} is in no plan, and is gone"
            elif own in now and now[own] not in (was[own], wanted.get(own, was[own])):
                yield f"{own} has tags that nobody planned"


def _words(raised: list[str]) -> Iterator[str]:
    if not raised:
        yield f"after {HANGS:.0f} seconds the run is still at it"
    for text in raised:
        if text.startswith("!"):
            yield f"the worker raised {text[1:300]}"
        elif "\n" in text or len(text) > 2000:
            yield f"a reason that is none for people: {text[:300]!r}"


def damaged(content: bytes, damage: str, chance: random.Random) -> bytes:
    """Give a content with that damage."""
    place = chance.randrange(len(content)) if content else 0
    lines = content.splitlines(keepends=True)
    at = chance.randrange(len(lines)) if lines else 0
    match damage:
        case "half":
            return content[: len(content) // 2]
        case "flipped bit":
            flipped = bytes([content[place] ^ (1 << chance.randrange(8))]) if content else b"\x01"
            return content[:place] + flipped + content[place + 1 :]
        case "no text":
            return content[:place] + b"\xff\xfe" + content[place:]
        case "deep":
            return b"[" * 100_000
        case "twice":
            return content + content
        case "line lost":
            return b"".join(lines[:at] + lines[at + 1 :])
        case "line cut":
            return b"".join([*lines[:at], lines[at][: len(lines[at]) // 2], *lines[at + 1 :]]) if lines else b"{"
        case "other type" | "no fields" | "huge number" | "half a pair":
            return b"".join(_field(line, damage, chance) for line in lines)
        case _:
            return {"empty": b"", "null": b"null", "list": b"[]"}[damage]


def _field(line: bytes, damage: str, chance: random.Random) -> bytes:
    """Replace the value of one field of a JSON object."""
    end = line[len(line.rstrip()) :]
    try:
        known: Any = json.loads(line)
    except ValueError:
        return line
    if not isinstance(known, dict) or not known:
        return line
    name = chance.choice(list(known))
    if damage == "no fields":
        return b"{}" + end
    value = {"other type": [{"x": None}], "huge number": 10**400, "half a pair": "\ud83d"}[damage]
    return json.dumps(known | {name: value}).encode() + end


@contextmanager
def damages(seed: int) -> Iterator[Damages]:
    """Serve an Azure, and give the trials there."""
    time = Passing(datetime.now(UTC).replace(microsecond=0))
    before = dict(os.environ)
    silence = logging.NullHandler()
    logging.getLogger().addHandler(silence)  # else what a run complains of would be told on stderr
    with quick_folder() as folder, Azure(ESTATE, time) as azure:
        os.environ.update(azure.environment)
        try:
            yield Damages(Scenes(azure, time, folder), seed)
        finally:
            os.environ.clear()
            os.environ.update(before)
            logging.getLogger().removeHandler(silence)
