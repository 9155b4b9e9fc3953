"""What is asked over the network: who we are, whether anybody answers, whose clock is right, logs and queues."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

from shared_code.azure_clock import FAILS_AFTER, difference, words_of
from shared_code.doctor.checks import Check, failed, not_checked, ok, warning
from shared_code.doctor.ports import Answered, Prober
from shared_code.environment import Environment
from shared_code.errors import AzureError, StoreError, Unauthenticated
from shared_code.ports import Clock
from shared_code.store import Store
from shared_code.times import text_of

WARNS_AFTER = timedelta(seconds=60)
SHORTEST_TOKEN = timedelta(minutes=5)
STORAGE_AUDIENCE = "https://storage.azure.com"
QUEUES = ("steward-runs", "steward-runs-poison")
"""The queue of the runs, and that of messages which nobody could handle."""
# The first version that takes tokens for queues is older: learn.microsoft.com/rest/api/storageservices/versioning
_STORAGE_VERSION = "2021-12-02"
_ROLE_FOR_LOGS = "give the identity the role Log Analytics Reader on the workspace"
_ROLE_FOR_QUEUES = "give the identity the role Storage Queue Data Contributor on the storage account"
_FAILED_RUN = "runbooks/a-run-failed.md"


@dataclass(frozen=True)
class Network:
    """Everything that can be asked, and what the settings say of where."""

    environment: Environment
    environ: Mapping[str, str]
    prober: Prober
    clock: Clock
    open_store: Callable[[], Store]
    """Gives the store; raises StoreError where STEWARD_STORE names none."""

    @property
    def guessed(self) -> str | None:
        """Why Azure Resource Manager is not asked: what took the place of a wrong setting may be another cloud."""
        wrong = any(each.startswith("STEWARD_ARM_") for each in self.environment.problems)
        return "nobody knows where to ask; see the app settings above" if wrong else None

    def identity(self) -> list[Check]:
        """Say who we are for Azure Resource Manager, and until when."""
        if guessed := self.guessed:
            return [not_checked("identity", guessed)]
        try:
            token = self.prober.token(self.environment.arm_audience)
        except AzureError as error:
            return [failed("identity", str(error))]
        told = f"{token.kind}; object id {token.principal_id}" if token.principal_id else token.kind
        told += f"; token for {self.environment.arm_audience} until {text_of(token.expires)}"
        if token.expires - self.clock() < SHORTEST_TOKEN:
            advice = "look at the clock below; sign in again, or restart the app"
            return [failed("identity", f"{told}, which is too soon", advice)]
        return [ok("identity", told)]

    def resource_manager(self) -> list[Check]:
        """Look whether Azure Resource Manager answers, and compare its clock with ours."""
        if guessed := self.guessed:
            return [not_checked("resource manager", guessed)]
        address = f"{self.environment.arm_endpoint}/subscriptions?api-version=2022-12-01"
        return self._reach("resource manager", self.environment.arm_endpoint, address, "STEWARD_ARM_ENDPOINT")

    def storage(self) -> list[Check]:
        """Look whether the account of the store answers, and compare its clock with ours."""
        try:
            where = self.open_store().describe
        except StoreError:
            return [not_checked("storage", "there is no address to ask; see the app settings above")]
        if not where.startswith(("https:", "http:")):
            return [not_checked("storage", f"the store is {where}, so there is nothing to reach")]
        return self._reach("storage", where, f"{where}?restype=container", "STEWARD_STORE")

    def _reach(self, what: str, shown: str, address: str, setting: str) -> list[Check]:
        clock = f"clock by {what}"
        before = self.clock()
        try:
            answered = self.prober.ask(address, shown)
        except AzureError as error:
            advice = f"{setting} has the address"
            return [failed(what, str(error), advice), not_checked(clock, "nobody answered")]
        after = self.clock()
        told = f"{shown} answers" + (" over TLS" if shown.startswith("https:") else "")
        if answered.status >= 500:
            return [
                warning(what, f"{told}: {answered.text}", "try again later"),
                self._clock(clock, before, after, answered),
            ]
        return [ok(what, told), self._clock(clock, before, after, answered)]

    def _clock(self, what: str, before: datetime, after: datetime, answered: Answered) -> Check:
        if answered.date is None:
            return not_checked(what, "the answer does not say when it was sent")
        off = difference(before, after, answered.date)
        told = words_of(off)
        if abs(off) > FAILS_AFTER:
            advice = "set this machine's clock; until then nothing is deleted, since locks and dates depend on it"
            return failed(what, told, advice)
        if abs(off) > WARNS_AFTER:
            return warning(what, told, f"set this machine's clock: from {FAILS_AFTER.seconds} s on nothing is deleted")
        return ok(what, told)

    def workspace(self) -> list[Check]:
        """Ask the workspace of the activity log a harmless question."""
        what, environment = "log workspace", self.environment
        if environment.activity_problems:
            return [failed(what, environment.activity_problems[0])]
        workspace = environment.logs_workspace_id
        if workspace is None:
            return [not_checked(what, "STEWARD_LOGS_WORKSPACE_ID is not set, so nobody is suggested as owner")]
        answered = self.prober.ask(
            f"{environment.logs_endpoint}/v1/workspaces/{workspace}/query",
            f"workspace '{workspace}'",
            audience=environment.logs_audience,
            body=b'{"query":"print 1"}',
        )
        if answered.status == 200:
            return [ok(what, f"'{workspace}' answers a query")]
        if answered.status in (400, 404):
            told = f"'{workspace}' does not exist, or not for this identity: Azure answered {answered.text}"
            return [failed(what, told, f"correct STEWARD_LOGS_WORKSPACE_ID, or {_ROLE_FOR_LOGS}")]
        if answered.status in (401, 403):
            told = f"'{workspace}' may not be queried: Azure answered {answered.text}"
            return [failed(what, told, _ROLE_FOR_LOGS)]
        return [warning(what, f"Azure answered {answered.text}", "try again later")]

    def queues(self) -> Iterable[Check]:
        """Look at the queues without taking or sending anything: a message would start something."""
        service = _queue_service(self.environ)
        if service is None:
            told = "the queues are reached by an identity only where AzureWebJobsStorage__queueServiceUri or"
            yield not_checked(
                "queue", f"{told} __accountName is set; nothing is sent to look, since the app would take it"
            )
            return
        for name in QUEUES:
            yield self._queue(service, name)

    def _queue(self, service: str, name: str) -> Check:
        what = f"queue {name}"
        sent = {"x-ms-version": _STORAGE_VERSION, "x-ms-date": format_datetime(self.clock(), usegmt=True)}
        try:
            answered = self.prober.ask(
                f"{service}/{name}?comp=metadata", f"queue '{name}'", audience=STORAGE_AUDIENCE, headers=sent
            )
        except Unauthenticated:
            raise
        except AzureError as error:
            return failed(what, str(error))
        if answered.status == 200:
            return self._filled(what, name, answered.headers.get("x-ms-approximate-messages-count", "?"))
        if answered.status == 404:
            return failed(what, f"Azure answered {answered.text}", f"make the queue {name} in that account")
        if answered.status in (401, 403):
            return failed(what, f"Azure answered {answered.text}", _ROLE_FOR_QUEUES)
        return warning(what, f"Azure answered {answered.text}", "try again later")

    @staticmethod
    def _filled(what: str, name: str, count: str) -> Check:
        told = f"there, about {count} message{'' if count == '1' else 's'} in it"
        if name == QUEUES[1] and count not in ("0", "?"):
            return warning(
                what, told, "the app takes them and marks their runs as failed; see whether it runs", _FAILED_RUN
            )
        return ok(what, told)


def _queue_service(environ: Mapping[str, str]) -> str | None:
    service = environ.get("AzureWebJobsStorage__queueServiceUri", "").strip().rstrip("/")
    account = environ.get("AzureWebJobsStorage__accountName", "").strip()
    return service or (f"https://{account}.queue.core.windows.net" if account else None)
