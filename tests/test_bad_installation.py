"""An installation that is not whole: the doctor says it in one line, and a cleanup in that situation deletes nothing.

The first test shows that the same cleanup deletes where all is well.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from devkit.simulator import OWNER, Fault, Simulator, load_estate
from devkit.simulator.estates.cleanup import WORKLOADS
from devkit.simulator.roles import shipped
from shared_code.apps import Apps
from shared_code.azure_api.activity import LogAnalytics
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.estate import AzureEstate
from shared_code.azure_api.graph import ResourceGraph
from shared_code.azure_api.permissions import AzurePermissions
from shared_code.azure_api.probes import Probes
from shared_code.azure_api.removals import AzureRemover
from shared_code.azure_api.workspace import Workspace
from shared_code.azure_clock import AzureClock
from shared_code.doctor.checks import Check, Result
from shared_code.doctor.doctor import Doctor, Machine
from shared_code.environment import read_environment
from shared_code.errors import StoreError
from shared_code.outputs import DECISIONS
from shared_code.ports import Clock
from shared_code.runs import Mode, Run, RunStatus
from shared_code.settings import configure
from shared_code.stop import Stop
from shared_code.store import open_store
from tests.app.conftest import small_estate, subscription_id, world_of
from tests.azure_api.conftest import Remembering
from tests.cleaning import ask, toml
from tests.memory_store import MemoryStore
from tests.world import World

if TYPE_CHECKING:
    from tests.azurite import Azurite

pytest_plugins = ["tests.azurite"]

DISKS: dict[str, dict[str, object]] = {"unattached-disk": {"mode": "automatic"}}
STALE: dict[str, dict[str, object]] = {
    "stale-resource-group": {"mode": "automatic", "minimum_age": "1d", "unused_for": "30d"}
}
NOWHERE = "10600000-0000-4000-8000-00000000dead"
"""No workspace has this id."""
NO_ROLE = "lacks Microsoft.Compute/disks/delete at the subscription, for cleanup"


@dataclass
class Installation:
    """An Azure, and the app that looks after it: everything is real but the store, and the host around it."""

    simulator: Simulator
    arm: Arm
    credential: Remembering
    world: World
    workspace: str

    def examine(
        self, *, clock: Clock = lambda: datetime.now(UTC), within: float = 20, **environ: str
    ) -> dict[str, Check]:
        """What the doctor says, by what it is about."""
        own = {**self.simulator.environment, "STEWARD_LOGS_WORKSPACE_ID": self.workspace, **environ}
        store = self.world.store
        doctor = Doctor(
            environ=own,
            environment=read_environment(own, Path("/app")),
            configuration=configure(self.world.toml, "steward.toml", own),
            machine=Machine((3, 13, 0), None, lambda _: None, lambda _: None),
            open_store=lambda: store,
            stop=lambda: Stop(store, clock),
            apps=lambda: Apps(store, clock, "func", "func"),
            prober=Probes(lambda: self.credential, None, managed_identity=True),
            estate=AzureEstate(self.arm),
            permissions=AzurePermissions(self.arm),
            clock=clock,
            monotonic=time.monotonic,
            token="0a",
        )
        return {each.what: each for each in doctor.checks(within)}

    def clean(self, mode: Mode = Mode.APPLY) -> Run:
        """Clean up as the timer does, and return the run as it ended."""
        run = ask(self.world, WORKLOADS, mode=mode)
        logs = LogAnalytics(
            Workspace(
                self.simulator.url,
                self.simulator.environment["STEWARD_LOGS_AUDIENCE"],
                self.workspace,
                lambda: self.credential,
            )
        )
        replace(self.world.worker(), activity=logs).perform(run.id)
        return self.world.records().get(run.id).run

    @property
    def deleted(self) -> list[str]:
        """The names of everything that a DELETE has reached."""
        return [each.id.rsplit("/", 1)[1] for each in self.simulator.deletions]


def installed(rules: Mapping[str, Mapping[str, object]]) -> Iterator[Installation]:
    """An installation that has looked a day ago, and would delete something now."""
    with Simulator(load_estate("cleanup")) as simulator, pytest.MonkeyPatch.context() as environ:
        for name, value in simulator.environment.items():
            environ.setenv(name, value)
        credential = Remembering()
        arm = Arm(simulator.url, simulator.environment["STEWARD_ARM_AUDIENCE"], lambda: credential)
        content = toml(WORKLOADS, mode="apply", rules=cast(Any, rules), schedule="0 0 5 1 1 *")
        watched = b'\n[jobs.watchdog]\nschedule = "0 */30 * * * *"\n'
        world = World(MemoryStore(), toml=content + watched, now=datetime.now(UTC) - timedelta(days=1))
        world.estate = cast(Any, AzureEstate(arm))
        world.inventory, world.remover = ResourceGraph(arm), AzureRemover(arm)
        found = Installation(simulator, arm, credential, world, simulator.environment["STEWARD_LOGS_WORKSPACE_ID"])
        found.clean(Mode.PLAN)
        assert found.deleted == []
        world.now = datetime.now(UTC)
        world.remover = AzureRemover(arm, AzureClock(world.clock))
        yield found


@pytest.fixture(name="whole")
def _whole() -> Iterator[Installation]:
    """Disks that nobody uses are deleted without asking anybody."""
    yield from installed(DISKS)


@pytest.fixture(name="by_log")
def _by_log() -> Iterator[Installation]:
    """Groups that nobody has written to are, by the activity log."""
    yield from installed(STALE)


def bad(checks: Mapping[str, Check]) -> dict[str, str]:
    """What is not as it should be, each in one line."""
    assert all("\n" not in each.sentence for each in checks.values())
    return {name: each.sentence for name, each in checks.items() if each.result in (Result.FAILED, Result.WARNING)}


def test_where_all_is_well_it_deletes(whole: Installation) -> None:
    """And the doctor has nothing to say but what is not configured."""
    checks = whole.examine()

    assert bad(checks) == {}
    assert [name for name, each in checks.items() if each.result is Result.OK] == [
        "python",
        "app settings",
        "steward.toml",
        "schedules",
        "changes",
        "identity",
        "resource manager",
        "clock by resource manager",
        "store",
        "log workspace",
        "subscriptions",
        "role Steward Reader",
        "role Steward Tagger",
        "role Steward Deleter",
        "roles too wide",
    ]
    assert checks["role Steward Deleter"].detail == "held in 1 subscription"
    run = whole.clean()
    assert (run.status, run.counts["deleted"]) == (RunStatus.SUCCEEDED, len(whole.deleted))
    assert "orphan-disk-2" in whole.deleted


def test_an_identity_without_a_role(whole: Installation) -> None:
    whole.simulator.assign([])

    assert bad(whole.examine()) == {
        "subscriptions": (
            "the identity sees none at all; give the identity the role Steward Reader or Reader on what it is to look "
            "after (runbooks/give-access-to-a-subscription.md)"
        )
    } | {"log workspace": whole.examine()["log workspace"].sentence}
    assert "Log Analytics Reader" in whole.examine()["log workspace"].sentence
    assert whole.clean().status is RunStatus.FAILED
    assert whole.deleted == []


def test_an_identity_that_may_only_read(whole: Installation) -> None:
    """Azure refuses each deletion; the doctor knows before."""
    whole.simulator.assign(shipped(names=("reader",)))

    found = bad(whole.examine())

    assert list(found) == ["role Steward Deleter"]
    assert NO_ROLE in found["role Steward Deleter"]
    assert "az role assignment create --role 'Steward Deleter'" in found["role Steward Deleter"]
    run = whole.clean()
    assert (run.status, run.counts["deleted"]) == (RunStatus.FAILED, 0)
    assert whole.deleted == []


def test_an_identity_that_may_do_anything(whole: Installation) -> None:
    """It works, and a security team wants to know."""
    whole.simulator.assign(OWNER)

    found = bad(whole.examine())

    assert list(found) == ["roles too wide"]
    assert (
        ": *, also roles for others; Steward Reader, Steward Tagger and Steward Deleter are enough"
        in found["roles too wide"]
    )


def test_an_identity_that_is_not_there(whole: Installation) -> None:
    """One line is about the identity; what needs a token says so, and is not held against anybody."""
    whole.simulator.faults.add(Fault(route="identity", kind="status", status=400, times=None))
    whole.credential = Remembering()
    whole.arm = Arm(whole.simulator.url, "https://management.azure.com", lambda: whole.credential)

    checks = whole.examine()

    assert list(bad(checks)) == ["identity"]
    assert "no token" in checks["identity"].detail
    unknown = [name for name, each in checks.items() if "see the identity above" in each.detail]
    assert unknown == ["log workspace", "subscriptions"]
    whole.world.estate = cast(Any, AzureEstate(whole.arm))
    whole.world.remover = AzureRemover(whole.arm)
    assert whole.clean().status is RunStatus.FAILED
    assert whole.deleted == []


def test_an_azure_that_does_not_answer(whole: Installation) -> None:
    """What hangs is a line when the time is up, and all else is told."""
    whole.simulator.faults.add(Fault(route="subscriptions", kind="delay", delay=60, times=None))

    begun = time.monotonic()
    checks = whole.examine(within=3)

    assert time.monotonic() - begun < 10
    assert bad(checks) == {"subscriptions": "no answer within 3 s; check the address and the network, then try again"}
    assert str(checks["store"].result) == "ok"


def test_with_its_workspace_it_deletes_what_nobody_writes_to(by_log: Installation) -> None:
    """So that the next test shows something."""
    assert by_log.clean().counts["deleted"] == len(by_log.deleted) > 0


def test_a_workspace_that_does_not_exist(by_log: Installation) -> None:
    """Nobody is known to have written, and nobody is known not to have."""
    by_log.workspace = NOWHERE

    found = bad(by_log.examine())

    assert list(found) == ["log workspace"]
    assert (
        f"'{NOWHERE}' does not exist, or not for this identity: Azure answered 404 PathNotFoundError"
        in found["log workspace"]
    )
    run = by_log.clean()
    assert run.counts["planned_changes"] == 0
    assert by_log.deleted == []
    kept = [*by_log.world.store.lines(f"runs/{run.id}/{DECISIONS}")]
    assert any(b"there is no evidence" in line for line in kept)


@pytest.mark.parametrize("hours", [-2, 2], ids=["behind", "ahead"])
def test_a_clock_that_is_off(whole: Installation, hours: int) -> None:
    """Dates are due too early or too late, and locks of others look expired, or ours is."""
    off = timedelta(hours=hours)
    whole.world.now += off

    found = bad(whole.examine(clock=lambda: datetime.now(UTC) + off))

    assert list(found) == ["clock by resource manager"]
    assert f" s {'ahead' if hours > 0 else 'behind'}; set this machine's clock" in found["clock by resource manager"]
    run = whole.clean()
    assert run.counts["planned_changes"] == 0
    assert run.counts["unread"] == run.counts["looked_at"] > 0
    assert run.status is not RunStatus.SUCCEEDED
    assert whole.deleted == []


def test_storage_without_the_container(whole: Installation, azurite: "Azurite") -> None:
    """No run can be recorded, so none begins."""
    url = f"{azurite.new_container()}-gone"
    whole.world.store = open_store(url)

    found = bad(whole.examine(STEWARD_STORE=url))

    assert "ContainerNotFound; create the container, or mend STEWARD_STORE" in found["store"]
    assert {"changes", "store"} <= set(found) <= {"changes", "store", "other apps"}
    with pytest.raises(StoreError, match="ContainerNotFound"):
        whole.clean()
    assert whole.deleted == []


def test_a_whole_store_in_azure_storage(whole: Installation, azurite: "Azurite") -> None:
    """It keeps what locks depend on, and its clock is compared too."""
    url = azurite.new_container()
    whole.world.store = open_store(url)

    checks = whole.examine(STEWARD_STORE=url)

    assert bad(checks) == {}
    assert str(checks["store"].result) == str(checks["clock by storage"].result) == "ok"
    assert checks["storage"].detail == f"{url} answers"


CLEANUP = f"""
[jobs.cleanup]
mode = "apply"
armed_subscriptions = ["{subscription_id(1)}"]
protected_resource_groups = ["rg-core"]
[jobs.cleanup.rules.expired]
mode = "automatic"
minimum_observations = 2
"""


@pytest.mark.parametrize(
    ("environ", "config", "what", "words"),
    [
        ({"STEWARD_ARM_ENDPOINT": "azure"}, CLEANUP, "app settings", "STEWARD_ARM_ENDPOINT is not an https address"),
        (
            {"WEBSITE_POD_NAME": "pod", "AzureWebJobsStorage__accountName": "st"},
            CLEANUP,
            "app settings",
            "STEWARD_RESOURCE_GROUP is not set",
        ),
        ({}, CLEANUP + "max_deletion = 5", "steward.toml", "there is no key 'max_deletion'"),
        ({}, CLEANUP.replace('["rg-core"]', "[]"), "steward.toml", "protected_resource_groups: is empty"),
    ],
    ids=["wrong setting", "missing setting", "wrong key", "nothing protected"],
)
def test_wrong_or_missing_settings(tmp_path: Path, environ: dict[str, str], config: str, what: str, words: str) -> None:
    """Exit code 2; a run is refused before it has asked anybody anything."""
    with world_of(tmp_path, small_estate(1), config) as world:
        asked = world.steward("doctor", "--json", environment=environ)
        before = len(world.simulator.requests)
        refused = world.steward("run", "cleanup", "--mode", "apply", environment=environ)

        assert (asked.code, asked.err) == (2, "")
        [check] = [each for each in asked.json()["checks"] if each["what"] == what]
        assert check["result"] == "failed"
        assert words in check["detail"]
        assert check["runbook"] == "runbooks/a-job-is-refused.md"
        assert refused.code == 2
        assert words in refused.err
        assert len(world.simulator.requests) == before
        assert world.simulator.deletions == []
