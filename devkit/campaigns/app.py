"""The app in one process: the product's own client, jobs and store, in time that passes only while somebody waits."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from devkit.campaigns.passing import Time
from devkit.campaigns.trouble import PATIENCE
from shared_code.azure_api.activity import LogAnalytics
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.credential import platform_identity
from shared_code.azure_api.estate import AzureEstate
from shared_code.azure_api.graph import ResourceGraph
from shared_code.azure_api.removals import AzureRemover
from shared_code.azure_api.tags import AzureTags
from shared_code.azure_api.workspace import Workspace
from shared_code.azure_clock import AzureClock
from shared_code.change_requests import ChangeRequests
from shared_code.locks import Locks
from shared_code.run_records import RunRecords
from shared_code.run_requests import RunRequests
from shared_code.runs import Run
from shared_code.settings import configure
from shared_code.stop import Stop
from shared_code.store import Store
from shared_code.store_local import LocalStore
from shared_code.sweeper import sweep
from shared_code.wiring import Steward
from shared_code.worker import Worker

MEMORY = Path("/dev/shm")  # noqa: S108  # memory that is a file system, where there is one


@contextmanager
def quick_folder() -> Iterator[Path]:
    """Give a folder for stores that are written often, and remove it."""
    with tempfile.TemporaryDirectory(prefix="campaign-", dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name)


class App:
    """One process of the app: what it is given, it was given by whoever starts it."""

    def __init__(
        self,
        environment: dict[str, str],
        store: Store,
        time: Time,
        toml: bytes,
        holder: str = "process",
        is_dead: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Begin.

        Args:
            environment: what points a client at Azure.
            store: where the runs are.
            time: passes while somebody waits.
            toml: the operator's file.
            holder: the process.
            is_dead: tells of a process whether it runs no more.
        """
        self.environment, self.store, self.time = environment, store, time
        self.records = RunRecords(store)
        self.locks = Locks(store, time.now, holder, is_dead)
        self.stop = Stop(store, time.now)
        self.configuration = configure(toml, "steward.toml", {})
        self.requests = RunRequests(self.configuration, self.records, store, time.now, time.sleep)
        self.changes = ChangeRequests(self.requests, self.stop)

    def worker(self, **given: Any) -> Worker:
        """Make what performs runs, with a client that has no connection yet."""
        environment = self.environment
        credential = platform_identity(None, PATIENCE, self.time.sleep)
        arm = Arm(
            environment["STEWARD_ARM_ENDPOINT"],
            environment["STEWARD_ARM_AUDIENCE"],
            lambda: credential,
            self.time.sleep,
            self.time.slept,
            time_limit=PATIENCE,
            answer_limit=PATIENCE * 2,
        )
        fields: dict[str, Any] = {
            "configuration": self.configuration,
            "records": self.records,
            "locks": self.locks,
            "estate": AzureEstate(arm),
            "activity": LogAnalytics(
                Workspace(
                    environment["STEWARD_LOGS_ENDPOINT"],
                    environment["STEWARD_LOGS_AUDIENCE"],
                    environment["STEWARD_LOGS_WORKSPACE_ID"],
                    lambda: credential,
                    self.time.sleep,
                    time_limit=PATIENCE,
                    answer_limit=PATIENCE * 2,
                )
            ),
            "writer": AzureTags(arm),
            "remover": AzureRemover(arm, AzureClock(self.time.now)),
            "inventory": ResourceGraph(arm),
            "store": self.store,
            "stop": self.stop,
            "clock": self.time.now,
            "heartbeat": lambda: True,
            "sleep": self.time.sleep,
            "elapsed": self.time.elapsed,
            "tell": lambda _: None,
        }
        wired = Steward({**environment, "STEWARD_STORE": "file:///nowhere"}).worker(None)
        return replace(wired, **fields | given)

    def perform(self, run: Run, **given: Any) -> Run:
        """Perform a run, and all that wait for it, to their end; return its record."""
        worker, messages = self.worker(**given), [run.id]
        for _ in range(20):
            if not messages:
                break
            messages += worker.perform(messages.pop(0))
        return self.records.get(run.id).run

    def lost(self) -> list[str]:
        """Give the runs that need a message again."""
        return sweep(self.records, self.locks, self.time.now)


def copied(template: Path, folder: Path) -> LocalStore:
    """Make a store in `folder` that holds what the one in `template` does."""
    shutil.copytree(template, folder)
    return LocalStore(folder)
