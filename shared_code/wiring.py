"""Where everything is joined: the only reader of os.environ and of the clock."""

import getpass
import os
import platform
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shared_code.azure_api.credential import credential
from shared_code.environment import Environment, read_environment
from shared_code.errors import StoreError
from shared_code.foreign_text import one_line
from shared_code.heartbeat import heartbeat
from shared_code.locks import Locks
from shared_code.processes import is_dead, this_process
from shared_code.run_records import RunRecords
from shared_code.run_requests import RunRequests
from shared_code.settings import Cleanup, Configuration, Costs, Problem, configure
from shared_code.stop import Stop
from shared_code.store import Store, open_store

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from shared_code.apps import Apps
    from shared_code.change_requests import ChangeRequests
    from shared_code.doctor.checkup import Checkup
    from shared_code.doctor.doctor import Doctor
    from shared_code.worker import Worker

APP_FOLDER = Path(__file__).resolve().parent.parent
"""The folder of host.json and function_app.py."""

TIME_LIMIT = 20 * 60.0
"""Seconds after which a run goes on in a new message; host.json's functionTimeout is half as long again."""

CHECKUP_LIMIT = 20.0
"""Seconds that all checks together may take over HTTP; Azure ends an answer after 230."""


def utc_now() -> datetime:
    """Return the present moment, aware, UTC."""
    return datetime.now(UTC)


_LONGEST_LIST = 1024 * 1024


def read_list(folder: Path, name: str) -> list[str] | None:
    """Return the lines of a file in that folder; None if it is no file, not UTF-8, or over a mebibyte."""
    path = folder / name
    try:
        if not path.is_file() or path.stat().st_size > _LONGEST_LIST:
            return None
        return path.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError):
        return None


def user_name() -> str | None:
    """Return the name of whoever runs this process, for the record, on one line; None where nobody says it."""
    try:
        return one_line(getpass.getuser()) or None
    except OSError:
        return None


def version_of(package: str) -> str | None:
    """Return the version of a package that is installed; None if it is not."""
    from importlib import metadata  # on first use: only the doctor asks, and it brings zipfile along

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def reason_not_to_import(module: str) -> str | None:
    """Load a module; return why that is not possible, None if it is."""
    try:
        import_module(module)
    except Exception as error:  # noqa: BLE001  # whatever a package does while it is loaded
        return f"{type(error).__name__}: {one_line(str(error), 200)}"
    return None


def _cleans(configuration: Configuration) -> bool:
    settings = configuration.jobs["cleanup"]
    return isinstance(settings, Cleanup) and bool(settings.rules.on)


@dataclass(frozen=True)
class Steward:
    """Everything a caller may need, each part built on first use and kept."""

    environ: dict[str, str]

    @cached_property
    def environment(self) -> Environment:
        """The app settings."""
        return read_environment(self.environ, APP_FOLDER)

    @cached_property
    def configuration(self) -> Configuration:
        """steward.toml and the app settings, with everything that is wrong with them; nothing runs on a guess."""
        path = self.environment.config
        try:
            content = path.read_bytes() if path.is_file() else None  # a pipe or a device would never end
        except (OSError, ValueError):
            content = None
        read = configure(content, path.name, self.environ, partial(read_list, path.parent))
        settings = [*self.environment.problems, *self._store_problem()]
        problems = [Problem("app settings", text, Costs.RUNS) for text in settings]
        of_one_job = {
            "watchdog": self.environment.watchdog_problems,
            "tag-audit": self.environment.activity_problems,
            # Where no rule is on, nothing is cleaned up, and nobody has to say where the app is.
            "cleanup": self.environment.cleanup_problems if _cleans(read) else (),
        }
        problems += [
            Problem("app settings", text, Costs.RUNS, job) for job, texts in of_one_job.items() for text in texts
        ]
        return msgspec.structs.replace(
            read,
            problems=(*problems, *read.problems),
            own_resource_group=self.environment.own_resource_group,
        )

    @cached_property
    def store(self) -> Store:
        """The store; raises StoreError if STEWARD_STORE is no address of one."""
        url = self.environment.store
        # Plain http is the storage emulator, which has a well-known key and takes no tokens that way.
        return open_store(url, azure_credential=None if url.startswith("http:") else self._credential)

    @cached_property
    def records(self) -> RunRecords:
        """The run records."""
        return RunRecords(self.store)

    @cached_property
    def requests(self) -> RunRequests:
        """What makes runs."""
        return RunRequests(self.configuration, self.records, self.store, utc_now)

    @cached_property
    def stop(self) -> Stop:
        """What ends every write to Azure."""
        return Stop(self.store, utc_now, read_only=self.environment.read_only)

    @cached_property
    def change_requests(self) -> "ChangeRequests":
        """What makes runs that apply plans, and runs that plan to undo them."""
        from shared_code.change_requests import ChangeRequests  # here, since indexing the app needs none of it

        return ChangeRequests(self.requests, self.stop)

    @cached_property
    def locks(self) -> Locks:
        """The locks of the jobs."""
        return Locks(self.store, utc_now, this_process(), is_dead)

    @cached_property
    def apps(self) -> "Apps":
        """The function apps that use the store."""
        from shared_code.apps import Apps, app_of  # here, since indexing the app needs none of it

        return Apps(self.store, utc_now, *app_of(self.environ, platform.node()))

    @cached_property
    def checkup(self) -> "Checkup":
        """What looks whether the installation is whole for whoever asks over HTTP."""
        from shared_code.doctor.checkup import Checkup  # here, since indexing the app needs none of it

        return Checkup(lambda: self.doctor().checks(CHECKUP_LIMIT), time.monotonic)

    def doctor(self) -> "Doctor":
        """Return what looks whether the installation is whole."""
        # Here, since nothing else needs it.
        from shared_code.azure_api.arm import Arm
        from shared_code.azure_api.estate import AzureEstate
        from shared_code.azure_api.permissions import AzurePermissions
        from shared_code.azure_api.probes import Probes
        from shared_code.doctor.doctor import Doctor, Machine

        environment = self.environment
        arm = Arm(environment.arm_endpoint, environment.arm_audience, self._credential)
        return Doctor(
            environ=self.environ,
            environment=environment,
            configuration=self.configuration,
            machine=Machine(
                sys.version_info[:3], read_list(APP_FOLDER, "requirements.txt"), version_of, reason_not_to_import
            ),
            open_store=lambda: self.store,
            stop=lambda: self.stop,
            apps=lambda: self.apps,
            prober=Probes(self._credential, environment.client_id, managed_identity=environment.managed_identity),
            estate=AzureEstate(arm),
            permissions=AzurePermissions(arm),
            clock=utc_now,
            monotonic=time.monotonic,
            token=uuid.uuid4().hex,
        )

    def worker(self, time_limit: float | None) -> "Worker":
        """Return what performs runs; `time_limit` in seconds, None for a terminal, where nothing cuts a run short."""
        # Here, since most of the code is theirs, and indexing the app needs none of it.
        from shared_code.azure_api.activity import LogAnalytics
        from shared_code.azure_api.arm import Arm
        from shared_code.azure_api.estate import AzureEstate
        from shared_code.azure_api.graph import ResourceGraph
        from shared_code.azure_api.removals import AzureRemover
        from shared_code.azure_api.request_log import WorkspaceRequestLog
        from shared_code.azure_api.tags import AzureTags
        from shared_code.azure_api.workspace import Workspace
        from shared_code.azure_clock import AzureClock
        from shared_code.jobs import TASKS
        from shared_code.notices.apprise_sender import AppriseSender
        from shared_code.notices.notifier import Notifier
        from shared_code.telemetry import Telemetry
        from shared_code.worker import Worker

        telemetry = Telemetry()
        where, own = self.environment, self.environment.logs_workspace_id
        workspace = Workspace(where.logs_endpoint, where.logs_audience, own, self._credential) if own else None
        arm = Arm(self.environment.arm_endpoint, self.environment.arm_audience, self._credential, figures=telemetry)
        estate = AzureEstate(arm)
        return Worker(
            configuration=self.configuration,
            jobs=TASKS,
            records=self.records,
            locks=self.locks,
            estate=estate,
            activity=LogAnalytics(workspace),
            request_log=WorkspaceRequestLog(workspace, self.environment.role_name),
            writer=AzureTags(arm),
            remover=AzureRemover(arm, AzureClock(utc_now)),
            inventory=ResourceGraph(arm),
            store=self.store,
            stop=self.stop,
            clock=utc_now,
            heartbeat=heartbeat(self.environment.heartbeat_url),
            time_limit=time_limit,
            count=telemetry.ended,
            tell=Notifier(
                configuration=self.configuration,
                records=self.records,
                locks=self.locks,
                store=self.store,
                estate=estate,
                sender=AppriseSender(),
                clock=utc_now,
                sleep=time.sleep,
            ),
        )

    def _store_problem(self) -> list[str]:
        try:
            _ = self.store
        except StoreError as error:
            return [str(error)]
        return []

    def _credential(self) -> "TokenCredential":
        return credential(self.environment.client_id, managed_identity=self.environment.managed_identity)


@cache
def steward() -> Steward:
    """Return the process's Steward, wired to its environment as it is now."""
    return Steward(dict(os.environ))
