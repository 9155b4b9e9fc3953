"""A process of its own that performs a run, to be killed, stopped and woken up; forked from one that is ready."""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, NamedTuple

# What a run imports when it first needs it; here so that no process of a campaign has to.
import azure.mgmt.resource.resources
import azure.monitor.query  # noqa: F401

import shared_code.reports.page  # noqa: F401
from devkit.campaigns.app import App
from devkit.campaigns.passing import Shared
from shared_code.errors import StoreError
from shared_code.processes import is_dead, this_process
from shared_code.wiring import Steward

STORE_FAILED, RAISED = 3, 4
"""Exit codes: the store failed, so that the queue would deliver the message again; anything else was raised."""
PATIENCE = 60.0


class Order(NamedTuple):
    """What a process is told: where Azure and the store are, when it is, and which run to perform."""

    environment: dict[str, str]
    store: str
    epoch: float
    toml: bytes
    run: str
    notes: Path
    place: int
    """Where it writes how long it has waited."""


def context() -> ForkServerContext:
    """Return what forks processes that have all they need in memory already."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["devkit.campaigns.process"])
    return found


class Process:
    """One of them, from its first line of the run on."""

    def __init__(self, order: Order, waited: Any, within: ForkServerContext) -> None:
        """Start, and return once it is about to perform the run."""
        begun = within.Event()
        self._process = within.Process(target=_live, args=(order, waited, begun), daemon=True)
        self._process.start()
        if not begun.wait(PATIENCE):
            self.kill()
            raise TimeoutError("a process did not begin")

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or is stopped."""
        return self._process.is_alive()

    def end_soon(self, seconds: float) -> None:
        """Let it go on for so long, or to its end if that comes first."""
        self._process.join(seconds)

    def ended_after(self) -> float:
        """Wait for its end, and return how many seconds that took."""
        begun = time.monotonic()
        if self.end() is None:
            raise TimeoutError("a process that nothing happens to did not end")
        return time.monotonic() - begun

    def kill(self) -> bool:
        """End it as by kill -9; whether there was anything to end."""
        alive = self.is_alive
        self._process.kill()
        self._process.join()
        return alive

    def stop(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def end(self, patience: float = PATIENCE) -> int | None:
        """Wait for its end; return its exit code, or None where it goes on and was killed."""
        self._process.join(patience)
        if self.is_alive:
            self.kill()
            return None
        return self._process.exitcode

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid or 0, number)


def _live(order: Order, waited: Any, begun: Any) -> None:
    os.environ.update(order.environment)
    logging.disable(logging.CRITICAL)
    clock = Shared(waited, order.place, order.epoch)
    app = app_of(order.environment, order.store, clock, order.toml)
    worker = app.worker()
    begun.set()
    sys.exit(performed(worker.perform, order.run, order.notes))


def performed(perform: Callable[[str], tuple[str, ...]], run: str, notes: Path) -> int:
    """Perform a run and all that waited for it; what should never be raised is noted in a file."""
    messages = [run]
    try:
        while messages:
            messages += perform(messages.pop(0))
    except StoreError:
        return STORE_FAILED
    except Exception as error:  # noqa: BLE001  # the queue would see it, whatever it is
        notes.write_text(f"{type(error).__name__}: {error}")
        return RAISED
    return 0


def app_of(environment: dict[str, str], store: str, clock: Shared, toml: bytes) -> App:
    """Make the app of this process."""
    opened = Steward({**environment, "STEWARD_STORE": store}).store
    return App(environment, opened, clock, toml, this_process(), is_dead)
