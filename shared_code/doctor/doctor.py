"""The doctor: everything that is looked at, in the order in which it is told."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared_code.apps import Apps
from shared_code.doctor.access import SUBSCRIPTIONS, Access
from shared_code.doctor.checks import Check, not_checked, ok, warning
from shared_code.doctor.examination import Examination, examine
from shared_code.doctor.installation import (
    heartbeat_check,
    host_storage_check,
    package_check,
    python_check,
    schedule_check,
    settings_checks,
)
from shared_code.doctor.neighbours import neighbour_check
from shared_code.doctor.network import Network
from shared_code.doctor.ports import Permissions, Prober
from shared_code.doctor.storage import store_check
from shared_code.environment import Environment, is_in_azure
from shared_code.errors import AzureError, Stopped
from shared_code.ports import Clock, Estate
from shared_code.runbooks import STOPPED
from shared_code.settings import Configuration
from shared_code.stop import Stop
from shared_code.store import Store

QUICK = 5.0
"""Seconds for what asks nobody."""
SLOW = 18.0
"""Seconds for what asks somebody often."""


class Machine:
    """What the doctor asks of the machine itself."""

    def __init__(
        self,
        version: Sequence[int],
        pinned: Iterable[str] | None,
        version_of: Callable[[str], str | None],
        imports: Callable[[str], str | None],
    ) -> None:
        """Take what `python_check` and `package_check` want."""
        self.version, self.pinned, self.version_of, self.imports = version, pinned, version_of, imports


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Everything there is to look at."""

    environ: Mapping[str, str]
    environment: Environment
    configuration: Configuration
    machine: Machine
    open_store: Callable[[], Store]
    """Gives the store; raises StoreError where STEWARD_STORE names none."""
    stop: Callable[[], Stop]
    apps: Callable[[], Apps]
    prober: Prober
    estate: Estate
    permissions: Permissions
    clock: Clock
    monotonic: Callable[[], float]
    token: str
    """Part of a key of the store, which no other process has."""

    def checks(self, within: float) -> tuple[Check, ...]:
        """Look at everything, within so many seconds in all."""
        begun = self.monotonic()
        # First alone: packages that import each other in circles break where several threads load them at once.
        machine = (
            Examination("python", lambda: [python_check(self.machine.version)], QUICK),
            Examination("packages", lambda: [self._packages()]),
        )
        first = examine(machine, self.monotonic, within)
        return first + examine(self.examinations(), self.monotonic, within - (self.monotonic() - begun))

    def examinations(self) -> tuple[Examination, ...]:
        """Return what is looked at side by side."""
        network = Network(self.environment, self.environ, self.prober, self.clock, self.open_store)
        return (
            Examination("settings", lambda: settings_checks(self.configuration, self.environment), QUICK),
            Examination("schedules", lambda: [schedule_check(self.configuration, self.clock())], QUICK),
            Examination("changes", lambda: [self._changes()]),
            Examination("heartbeat", lambda: [heartbeat_check(self.environment)], QUICK),
            Examination("host storage", lambda: [host_storage_check(self.environ)], QUICK),
            Examination("identity", network.identity),
            Examination("resource manager", network.resource_manager),
            Examination("storage", network.storage),
            Examination("store", lambda: [store_check(self.open_store(), self.token)], SLOW),
            Examination("other apps", lambda: [self._neighbours()]),
            Examination("queue", network.queues),
            Examination("log workspace", network.workspace),
            Examination(SUBSCRIPTIONS, lambda: self._access(network), SLOW),
        )

    def _access(self, network: Network) -> Iterable[Check]:
        if guessed := network.guessed:
            return [not_checked(SUBSCRIPTIONS, guessed)]
        return Access(self.configuration, self.estate, self.permissions, self._principal, self.monotonic).checks()

    def _packages(self) -> Check:
        machine = self.machine
        return package_check(machine.pinned, machine.version_of, machine.imports)

    def _changes(self) -> Check:
        """Say whether anything may be changed at all."""
        what = "changes"
        try:
            self.stop().check()
        except Stopped as error:
            advice = "remove it" if self.environment.read_only else "'steward resume' ends it, once it may"
            return warning(what, str(error).removesuffix("."), advice, STOPPED)
        armed = sorted(
            name for name, each in self.configuration.jobs.items() if getattr(each, "armed_subscriptions", ())
        )
        return ok(what, f"not stopped; armed: {', '.join(armed) or 'nothing, so nothing is changed'}")

    def _neighbours(self) -> Check:
        return neighbour_check(self.apps(), is_app=is_in_azure(self.environ))

    def _principal(self) -> str | None:
        try:
            return self.prober.token(self.environment.arm_audience).principal_id
        except AzureError:
            return None
