"""A subscription that Azure throttles waits by itself: the others are read meanwhile, over real TLS."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.identity import ManagedIdentityCredential

from devkit.simulator import Estate, Fault, Simulator
from devkit.simulator import Subscription as Simulated
from devkit.simulator.estates.drafting import group, resource
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.budgets import LONGEST_WAIT
from shared_code.azure_api.credential import Credential
from shared_code.azure_api.estate import AzureEstate
from shared_code.jobs.list_resource_groups import list_resource_groups
from shared_code.model import Reading
from shared_code.runs import RunStatus
from shared_code.store import open_store
from shared_code.survey import READERS
from tests.fakes import subscription
from tests.jobs.test_list_resource_groups import RUN, work_on

COUNT = 2 * READERS
THROTTLED = subscription(COUNT // 2)


@pytest.fixture(name="simulator")
def _simulator() -> Iterator[Simulator]:
    """Many small subscriptions."""
    subscriptions = tuple(
        Simulated(
            id=each.id,
            name=each.name,
            resource_groups=(group("rg-a", resource("Microsoft.Web/sites", "app")),),
        )
        for each in map(subscription, range(COUNT))
    )
    with Simulator(Estate(name="many", subscriptions=subscriptions)) as simulator, pytest.MonkeyPatch.context() as env:
        for name, value in simulator.environment.items():
            env.setenv(name, value)
        yield simulator


def parts_in(folder: Path) -> int:
    return len(list(folder.glob(f"runs/{RUN.id}/parts/*.json")))


def estate_of(simulator: Simulator, sleep: Callable[[float], None]) -> AzureEstate:
    audience = simulator.environment["STEWARD_ARM_AUDIENCE"]
    return AzureEstate(Arm(simulator.url, audience, lambda: Credential(ManagedIdentityCredential()), sleep))


def test_the_others_are_read_while_it_waits(simulator: Simulator, tmp_path: Path) -> None:
    """It is held in its first wait until every other part is there."""
    simulator.faults.add(Fault(subscription=THROTTLED.id, kind="throttled", retry_after=1200, times=1))
    waits: list[float] = []
    meanwhile: list[int] = []
    too_late = threading.Event()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            while parts_in(tmp_path) < COUNT - 1 and not too_late.wait(0.02):
                pass
            meanwhile.append(parts_in(tmp_path))

    release = threading.Timer(60, too_late.set)  # a failure must not hang
    release.start()
    found = list_resource_groups(work_on(open_store(tmp_path.as_uri()), estate_of(simulator, sleep)))
    release.cancel()

    assert meanwhile == [COUNT - 1]
    assert waits[0] == pytest.approx(LONGEST_WAIT, abs=1)
    assert (found.status, found.counts["subscriptions_read"], parts_in(tmp_path)) == (RunStatus.SUCCEEDED, COUNT, COUNT)


def test_one_that_is_throttled_for_ever_is_incomplete_and_no_other(simulator: Simulator, tmp_path: Path) -> None:
    """Its reason says so, and how many waits there were is bounded."""
    simulator.faults.add(Fault(subscription=THROTTLED.id, kind="throttled", retry_after=1200, times=None))
    waits: list[float] = []

    found = list_resource_groups(work_on(open_store(tmp_path.as_uri()), estate_of(simulator, waits.append)))

    unread = [verdict for verdict in found.verdicts if verdict.reading is not Reading.COMPLETE]
    assert [verdict.subscription_id for verdict in unread] == [THROTTLED.id]
    assert "Azure answered 429 SubscriptionRequestsThrottled" in (unread[0].reason or "")
    assert found.status is RunStatus.PARTIAL
    assert 0 < sum(waits) <= 10 * LONGEST_WAIT
