"""A small estate that Steward looks after over TLS, with the roles that a test gives its identity."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from devkit.simulator import Assignment, Estate, ManagementGroup, Resource, ResourceGroup, Simulator, Subscription
from devkit.simulator.actions import asked_for
from devkit.simulator.estates.drafting import group as drafted
from devkit.simulator.model import provider_path
from devkit.simulator.roles import EVERYWHERE, Role, shipped
from shared_code.azure_api.activity import LogAnalytics
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.estate import AzureEstate
from shared_code.azure_api.graph import ResourceGraph
from shared_code.azure_api.removals import AzureRemover
from shared_code.azure_api.request_log import WorkspaceRequestLog
from shared_code.azure_api.tags import AzureTags
from shared_code.azure_api.workspace import Workspace
from shared_code.change_requests import ChangeRequests
from shared_code.cleanup_rules import RULES
from shared_code.outcomes import Outcome
from shared_code.outputs import OUTCOMES
from shared_code.plan import Plans
from shared_code.run_requests import Wanted
from shared_code.runs import Mode, Order, Run, RunScope, TriggeredBy
from tests.azure_api.conftest import Remembering
from tests.cleaning import lines
from tests.cleanup import definition as unused
from tests.memory_store import MemoryStore
from tests.world import World

MANAGEMENT_GROUP = "mg-landing-zones"
SHOP, SHOP_TWO = (f"5e000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
OLD = "2025-01-01T00:00:00.0000000Z"


def without(action: str) -> tuple[Assignment, ...]:
    """The three roles of `infra/roles`, of which none has that action, or anything that fits it, any more."""
    return tuple(Assignment(_less(each.role, asked_for(action)), each.scope) for each in shipped())


def _less(role: Role, action: str) -> Role:
    left = tuple(each for each in role.actions if each.casefold() != action.casefold())
    return Role(role.name, left, (*role.not_actions, action))


def only(*names: str, at: str = EVERYWHERE) -> tuple[Assignment, ...]:
    """Some of the three roles, at one scope."""
    return shipped(at, names)


def candidate(rule: str, name: str = "one") -> Resource:
    """Something that nothing uses, as the rule is about."""
    told = unused(rule)
    full = f"server/{name}" if told["type"].count("/") > 1 else name
    more = {each: told[each] for each in ("sku", "kind") if each in told}
    own = f"/subscriptions/{SHOP}/resourceGroups/rg-one/providers/{provider_path(told['type'], full)}"
    properties = told["properties"]
    for each in properties.get("ipConfigurations", ()):
        each["id"] = f"{own}/ipConfigurations/{each['name']}"
    properties.pop("networkSecurityGroup", None)
    return Resource(
        name=full, type=told["type"], location="westeurope", tags={}, created_time=OLD, properties=properties, **more
    )


def of_type(type_: str) -> str:
    """The rule that is about a type."""
    return next(name for name, rule in RULES.items() if type_.casefold() in rule.types)


def group(name: str, *resources: Resource, **fields: Any) -> ResourceGroup:
    """A resource group that has been there for long."""
    return drafted(name, *resources, created_time=OLD, **{"tags": {}} | fields)


class Steward:
    """The app's own jobs and clients in one process, and the Azure they ask."""

    def __init__(
        self, simulator: Simulator, world: World, arm: Arm, activity: LogAnalytics, request_log: WorkspaceRequestLog
    ) -> None:
        self.simulator = simulator
        self.request_log = world.request_log = request_log
        self.world = world
        self.arm = arm
        self.activity = activity
        self.estate, self.tags, self.graph = AzureEstate(arm), AzureTags(arm), ResourceGraph(arm)
        world.estate = cast(Any, self.estate)
        world.writer, world.remover, world.inventory = self.tags, AzureRemover(arm), self.graph

    def run(self, job: str, *, mode: Mode = Mode.PLAN) -> Run:
        """Ask for a run, and perform it; no two in one second."""
        self.world.pass_time(seconds=1)
        asked = self.world.requests().by_hand(job, Wanted(mode=mode, scope=RunScope(None)), TriggeredBy.CLI)
        return self._performed(asked)

    def _performed(self, asked: Run) -> Run:
        replace(self.world.worker(), activity=self.activity).perform(asked.id)
        return self.world.records().get(asked.id).run

    def looked(self) -> Run:
        """Look for what nobody needs, eight days after a first look."""
        self.run("cleanup")
        self.world.pass_time(days=8)
        return self.run("cleanup")

    def applied(self, run: Run) -> tuple[Run, dict[str, Outcome]]:
        """Approve and apply the plan of a run; its record, and the outcomes by name."""
        assert run.plan, run.error
        plan = Plans(self.world.store).get(run.plan)
        order = Order(plan=plan.id, digest=plan.digest)
        requests = ChangeRequests(self.world.requests(), self.world.stop())
        ended = self._performed(requests.apply(order, TriggeredBy.HTTP, "team@example.com", None))
        told = lines(self.world, ended.id, OUTCOMES, Outcome) if OUTCOMES in ended.outputs else []
        return ended, {each.resource_id.rpartition("/")[2]: each for each in told}

    def report(self, run: Run) -> str:
        """The report of a run."""
        return b"".join(self.world.store.chunks(f"runs/{run.id}/report.html")).decode()

    def there(self) -> set[str]:
        """The names of all groups and resources that are in Azure now."""
        inside = (each.name for one in self._groups for each in one.resources)
        return {each.name for each in self._groups} | {name.rpartition("/")[2] for name in inside}

    def ids(self, name: str) -> list[str]:
        """The ids of what is in a group."""
        return [each.id for one in self._groups if one.name == name for each in one.resources]

    def tagged(self) -> dict[str, object]:
        """The tags of each group that has any, by its name."""
        return {each.name: each.tags for each in self._groups if each.tags}

    @property
    def _groups(self) -> list[ResourceGroup]:
        return [each for one in self.simulator.estate.subscriptions for each in one.resource_groups]


@contextmanager
def steward(
    *groups: ResourceGroup, toml: str, assignments: Sequence[Assignment] | None = None, **options: Any
) -> Iterator[Steward]:
    """Let Steward look after these groups in one subscription, beside which there is an empty one.

    `options` are those of the simulator.
    """
    world = World(MemoryStore(), toml=toml.encode())
    estate = Estate(
        name="shop",
        subscriptions=(
            Subscription(id=SHOP, name="Shop", resource_groups=groups),
            Subscription(id=SHOP_TWO, name="Shop 2"),
        ),
        management_groups=(ManagementGroup(id=MANAGEMENT_GROUP, name="Landing zones", subscriptions=(SHOP,)),),
    )

    def seconds() -> float:
        return world.now.timestamp()

    with (
        Simulator(estate, clock=seconds, assignments=assignments, **options) as simulator,
        pytest.MonkeyPatch.context() as patch,
    ):
        environment = simulator.environment
        for name, value in environment.items():
            patch.setenv(name, value)
        credential = Remembering()
        arm = Arm(simulator.url, environment["STEWARD_ARM_AUDIENCE"], lambda: credential, world.sleep, seconds)
        logs = (simulator.url, environment["STEWARD_LOGS_AUDIENCE"], environment["STEWARD_LOGS_WORKSPACE_ID"])
        workspace = Workspace(*logs, lambda: credential, world.sleep)
        activity = LogAnalytics(workspace)
        request_log = WorkspaceRequestLog(workspace, environment["WEBSITE_SITE_NAME"])
        yield Steward(simulator, world, arm, activity, request_log)
        if arm._client:
            arm._client.close()
