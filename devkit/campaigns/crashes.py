"""Campaign `crashes`: processes end, stand still and start again at every moment, and so do disks and hosts.

Whatever happens, each run ends, each item of a plan has one outcome, and nothing is deleted twice or out of turn.
"""

import logging
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import c_double
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from devkit.campaigns.app import App, quick_folder
from devkit.campaigns.azure import Azure
from devkit.campaigns.emulator import Emulator
from devkit.campaigns.estate import ESTATE, TOML
from devkit.campaigns.judgement import broken_promises
from devkit.campaigns.mortal import Killed, Life, Mortal, MortalStore
from devkit.campaigns.passing import Shared
from devkit.campaigns.process import PATIENCE, Order, Process, app_of, context
from devkit.campaigns.scenes import CHANGE, DELETE, SCENES, Scene, Scenes, left_by
from devkit.campaigns.session import Session
from devkit.local_host.process import running
from shared_code.errors import StoreError
from shared_code.locks import EXPIRY, TAKEOVER_AFTER
from shared_code.runs import Run, RunStatus
from shared_code.store_local import LocalStore

WRITES, KILLS, PAUSES, BESIDE, DISKS = "writes", "kills", "pauses", "beside", "disks"
HOSTS, EMULATORS = "hosts", "emulators"
TAKEN_OVER = (EXPIRY + TAKEOVER_AFTER).total_seconds() + 1
ROOT = Path(__file__).parents[2]
_DELIVERIES = 12
"""How often a message is delivered before a run counts as one that never ends."""
_SHARES = {WRITES: 30, KILLS: 12, PAUSES: 8, BESIDE: 6, DISKS: 4, HOSTS: 1, EMULATORS: 1}
"""How often each kind is drawn, of all of them."""
_AT_ONCE = 64
"""Places for processes that wait; one is used again long after its last owner is gone."""
_FAILS, _HELD = "a store that is whole fails: ", "another process has held its lock"
_EVEN = 0.5
_QUICK = 0.5
"""Seconds that a deletion takes where nobody can make time pass."""
_ROOM = 128 * 1024
"""Bytes left on a disk that is about to be full, at most."""


class Trial(NamedTuple):
    """One world in which something ends: its folder, its run, and what happens there."""

    kind: str
    scene: Scene
    folder: Path
    run: Run
    store: str
    """Its URL."""


class Crashes:
    """All trials, on one Azure and with one time, which several processes share."""

    def __init__(self, azure: Azure, shared: Shared, folder: Path) -> None:
        self.scenes = Scenes(azure, shared, folder)
        self._azure, self._time, self._folder = azure, shared, folder
        self._context = context()
        self._writes: dict[str, int] = {}
        self._took: dict[str, float] = {}
        self._started = 0
        self.in_flight = 0
        """How often a process that was stopped with a request in its hand sent that when it woke up."""
        self.points = 0
        """How often something was ended, stopped or filled up."""

    def writes_of(self, scene: str) -> int:
        """Count the writes to the store of a run that nothing happens to."""
        if scene not in self._writes:
            life = Life()
            with self._trial(WRITES, scene) as trial:
                self._die(trial, life)
            self._writes[scene] = life.calls
        return self._writes[scene]

    def killed_at_writes(self, scene: str, *points: tuple[int, bool]) -> list[str]:
        """Let one process after the other die at a write to the store, before it or after it, and look what is left.

        Args:
            scene: what they perform.
            points: of each process, the number of the write, from 1, and whether that takes effect.
        """
        with self._trial(WRITES, scene) as trial:
            for calls, after in points:
                life = Life(calls, after=after)
                self._die(trial, life)
                self.points += life.is_over
            return [*self._judged(trial)]

    def killed(self, scene: str, *shares: float) -> list[str]:
        """Kill one process after the other at these shares of the time that a run takes."""
        took = self._usual(scene)
        with self._trial(KILLS, scene) as trial:
            for share in shares:
                process = self._start(trial)
                process.end_soon(share * took)
                self.points += process.kill()
            return [*self._judged(trial)]

    def paused(self, scene: str, share: float) -> list[str]:
        """Stop a process, let another take its run over, make anew what it has changed, and wake the first one up."""
        took = self._usual(scene)
        with self._trial(PAUSES, scene) as trial:
            process = self._start(trial)
            process.end_soon(share * took)
            self.points += process.is_alive
            process.stop()
            self._time.sleep(TAKEN_OVER)
            found = [*self._performed(trial)]
            if any(_HELD in each for each in found):
                # It was stopped in the middle of a write, so that nobody else can write there until it wakes up.
                process.wake()
                process.end()
                return [*self._judged(trial)]
            found += self._judged(trial)
            run, asked = self._record(trial), len(self._azure.asked)
            for held in trial.scene.estate.subscriptions:
                self._azure.change(held.id, held)
            process.wake()
            if process.end() is None:
                found.append("a process that was woken up never ended")
            late = [f"{each.method} {each.path}" for each in self._azure.asked[asked:] if each.done]
            # Azure has no fence: what was stopped between the last look at the lock and its first byte is sent.
            self.in_flight += len(late) == 1
            if len(late) > 1:
                found.append(f"a process that was taken over went on writing: {', '.join(late)}")
            if self._record(trial) != run:
                found.append("a process that was taken over has changed the record of the run")
            return found

    def _record(self, trial: Trial) -> Run:
        return app_of(self._azure.environment, trial.store, self._time, TOML).records.get(trial.run.id).run

    def together(self, scene: str, share: float) -> list[str]:
        """Start three processes at the same run, and kill one of them."""
        took = self._usual(scene)
        with self._trial(BESIDE, scene) as trial:
            processes = [self._start(trial) for _ in range(3)]
            processes[0].end_soon(share * took)
            self.points += processes[0].kill()
            late = [each for each in processes[1:] if each.end() is None]
            found = ["a process beside others never ended" for _ in late]
            return [*found, *self._judged(trial)]

    def without_disk(self, scene: str, room: int) -> list[str]:
        """Let the disk be full after so many bytes, or from then on be read-only where there are none; then mend it."""
        with self._trial(DISKS, scene) as trial, _disk(trial.folder, room) as mend:
            self.points += 1
            process = self._start(trial)
            if process.end() is None:
                return ["a process without a disk never ended"]
            mend()
            return [*self._judged(trial)]

    def host_killed(self, scene: str, *seconds: float) -> list[str]:
        """Kill one local host after the other so many seconds after it is ready; the last one goes on to the end."""
        with self._trial(HOSTS, scene) as trial:
            # Hosts live in the time of the machine, and find a run that has lost its message.
            self._time.set(datetime.now(UTC))
            self._azure.renew(trial.scene.estate, delete_time=_QUICK)
            folder = trial.folder.with_name(f"{trial.folder.name}-host")
            folder.mkdir()
            (folder / "steward.toml").write_bytes(TOML)
            environment = {
                **self._azure.environment,
                "STEWARD_CONFIG": str(folder / "steward.toml"),
                "STEWARD_STORE": trial.store,
            }
            for each in seconds:
                with running(ROOT, state=folder / "state", environment=environment) as host:
                    time.sleep(each)
                    host.kill()
                    self.points += 1
            with running(ROOT, state=folder / "state", environment=environment):
                deadline = time.monotonic() + PATIENCE
                while not (ended := self._record(trial).status.ended) and time.monotonic() < deadline:
                    time.sleep(0.1)
            shutil.rmtree(folder, ignore_errors=True)
            found = [] if ended else [f"after {PATIENCE:.0f} seconds a host has not ended the run"]
            return [*found, *self._judged(trial)]

    def without_emulator(self, scene: str, share: float, seconds: float) -> list[str]:
        """End the store's server while a process performs a run, and start it again after so many seconds."""
        took = self._usual(scene)
        with self._trial(EMULATORS, scene) as local, tempfile.TemporaryDirectory(prefix="emulator-") as folder:
            emulator = Emulator(Path(folder))
            emulator.start()
            try:
                trial = local._replace(store=emulator.new_container())
                store = app_of(self._azure.environment, trial.store, self._time, TOML).store
                mine = LocalStore(trial.folder)
                for key in mine.keys(""):
                    store.write(key, b"".join(mine.chunks(key)))
                process = self._start(trial)
                process.end_soon(share * took)
                emulator.stop()
                self.points += 1
                time.sleep(seconds)
                emulator.start()
                if process.end() is None:
                    return ["a process whose store came back never ended"]
                return [*self._judged(trial)]
            finally:
                emulator.stop()

    @contextmanager
    def _trial(self, kind: str, name: str) -> Iterator[Trial]:
        scene = self.scenes.scene(name)
        self._azure.renew(scene.estate)
        app, folder = self.scenes.trial(scene)
        try:
            yield Trial(kind, scene, folder, scene.start(app), folder.as_uri())
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            folder.with_suffix(".txt").unlink(missing_ok=True)

    def _usual(self, name: str) -> float:
        """How long a process takes for a run that nothing happens to, in seconds."""
        if name not in self._took:
            with self._trial(KILLS, name) as trial:
                process = self._start(trial)
                self._took[name] = process.ended_after()
        return self._took[name]

    def _start(self, trial: Trial) -> Process:
        order = Order(
            self._azure.environment,
            trial.store,
            self._time.epoch,
            TOML,
            trial.run.id,
            trial.folder.with_suffix(".txt"),
            1 + self._started % (_AT_ONCE - 1),
        )
        self._started += 1
        return Process(order, self._time.waited, self._context)

    def _die(self, trial: Trial, life: Life) -> None:
        """Perform the run in a process that lives so long, as far as this one can play it."""
        app = app_of(self._azure.environment, trial.store, self._time, TOML)
        holder = f"mortal {id(life)}"
        mortal = App(self._azure.environment, MortalStore(app.store, life), self._time, TOML, holder)
        worker = mortal.worker()
        adapters = {name: Mortal(getattr(worker, name), life) for name in ("estate", "writer", "remover", "inventory")}
        try:
            mortal.perform(trial.run, **adapters)
        except Killed:
            # Nobody can tell that it is dead, as of a process on another machine.
            self._time.sleep(TAKEN_OVER)

    def _performed(self, trial: Trial) -> Iterator[str]:
        """Deliver the message until the run has ended, as the queue and the sweeper do."""
        app = app_of(self._azure.environment, trial.store, self._time, TOML)
        for _ in range(_DELIVERIES):
            try:
                app.perform(trial.run)
            except StoreError as error:
                yield f"{_FAILS}{error}"
                if _HELD in str(error):
                    return
            except Exception as error:  # noqa: BLE001  # the queue would see it, whatever it is
                yield f"the worker raised {type(error).__name__}: {error}"
            run = app.records.get(trial.run.id).run
            if run.status.ended:
                return
            self._time.sleep(TAKEN_OVER)
        yield f"after {_DELIVERIES} deliveries the run is {run.status}"

    def _judged(self, trial: Trial) -> Iterator[str]:
        yield from self._performed(trial)
        app = app_of(self._azure.environment, trial.store, self._time, TOML)
        app.lost()
        run = app.records.get(trial.run.id).run
        left, after = left_by(app.store, run), self._azure.estate
        yield from broken_promises(trial.scene, left, list(self._azure.asked), after, crashed=True)
        # A host that has just started has a run of its own in hand, which looks for lost ones.
        if run.id in app.records.open():
            yield "the run is still marked as open"
        if (lock := app.locks.read(run.job)).run is not None and not app.locks.is_abandoned(lock):
            yield "the lock of the job is still held"
        if trial.scene.name not in (CHANGE, DELETE) and run.status is not RunStatus.SUCCEEDED:
            yield f"the run is {run.status}, and nothing was the matter with Azure: {run.error}"
        notes = trial.folder.with_suffix(".txt")
        if notes.exists():
            yield f"a process raised {notes.read_text()}"


@contextmanager
def _disk(folder: Path, room: int) -> Iterator[Callable[[], None]]:
    """Put what a folder holds on a disk with that room, none for one that cannot be written; give what mends it."""
    size = sum(file.stat().st_size + 4096 for file in folder.rglob("*")) + room
    before = folder.with_suffix(".before")
    shutil.copytree(folder, before)
    try:
        _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
        try:
            shutil.copytree(before, folder, dirs_exist_ok=True)
            if not room:
                _mount("-o", "remount,ro", str(folder))
            yield lambda: _mount("-o", "remount,rw,size=64m", str(folder))
        finally:
            subprocess.run(["/bin/umount", "-l", str(folder)], check=True)
    finally:
        shutil.rmtree(before)


def _mount(*arguments: str) -> None:
    subprocess.run(["/bin/mount", *arguments], check=True, capture_output=True)


def can_mount(folder: Path) -> bool:
    """Whether this process may mount a disk of its own, as an administrator may."""
    place = folder / "mounted"
    place.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place))
    except (OSError, subprocess.CalledProcessError):
        return False
    else:
        subprocess.run(["/bin/umount", str(place)], check=True)
        return True
    finally:
        place.rmdir()


@contextmanager
def crashes() -> Iterator[Crashes]:
    """Serve an Azure, and give the trials there."""
    shared = Shared(context().RawArray(c_double, _AT_ONCE), 0, 0)
    # The scenes take two and a half days, and what comes after them is no later than now.
    shared.set(datetime.now(UTC) - timedelta(days=3))
    before = dict(os.environ)
    with quick_folder() as folder, Azure(ESTATE, shared) as azure:
        os.environ.update(azure.environment)
        try:
            yield Crashes(azure, shared, folder)
        finally:
            os.environ.clear()
            os.environ.update(before)


def perform(session: Session) -> None:
    """Draw trials from the seed until the time is over."""
    logging.disable(logging.CRITICAL)
    try:
        with crashes() as trials:
            _perform(session, trials)
    finally:
        logging.disable(logging.NOTSET)


def _perform(session: Session, trials: Crashes) -> None:
    shares = dict(_SHARES)
    with quick_folder() as folder:
        if not can_mount(folder):
            del shares[DISKS]
    if not Emulator.is_there():
        del shares[EMULATORS]
    number = int(session.only or 0)
    while session.goes_on:
        # Each trial follows from the seed and its number alone, so that it can be seen again.
        drawn = random.Random(f"{session.seed} {number}")  # noqa: S311  # a moment is no secret
        [kind] = drawn.choices(list(shares), list(shares.values()))
        scene = drawn.choice(SCENES)
        before = trials.points
        for what in _drawn(trials, kind, scene, drawn):
            session.violated(f"{kind}, {scene}: {what}", str(number))
        session.figures["trials"] += 1
        session.figures[f"points_of_{kind}"] += trials.points - before
        session.figures["points"] = trials.points
        session.figures["sent_late"] = trials.in_flight
        session.progress(trials.points, "points")
        number += 1
        if session.only:
            return


def _drawn(trials: Crashes, kind: str, scene: str, drawn: random.Random) -> list[str]:
    match kind:
        case "writes":
            most = trials.writes_of(scene)
            points = [(drawn.randint(1, most), drawn.random() < _EVEN) for _ in range(drawn.randint(1, 8))]
            return trials.killed_at_writes(scene, *points)
        case "kills":
            return trials.killed(scene, *(drawn.uniform(0, 1.1) for _ in range(drawn.randint(1, 3))))
        case "pauses":
            return trials.paused(scene, drawn.uniform(0, 1))
        case "beside":
            return trials.together(scene, drawn.uniform(0, 1))
        case "hosts":
            return trials.host_killed(scene, *(drawn.uniform(0, 2) for _ in range(drawn.randint(1, 2))))
        case "emulators":
            return trials.without_emulator(scene, drawn.uniform(0, 2), drawn.uniform(0, 4))
        case _:
            return trials.without_disk(scene, drawn.choice((0, drawn.randrange(_ROOM))))
