"""What cleanup makes of what Azure says: who owns a thing, whether it is used, and whether it is gone."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from devkit.simulator import Assignment, Estate, Fault, Resource, ResourceGroup, Role, Simulator, Subscription
from devkit.simulator.estates.drafting import group as drafted
from devkit.simulator.estates.drafting import resource as draft
from devkit.simulator.roles import shipped
from shared_code.activity import Evidence
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.estate import AzureEstate
from shared_code.azure_api.graph import ResourceGraph
from shared_code.azure_api.removals import AzureRemover
from shared_code.change_requests import ChangeRequests
from shared_code.cleanup_rules import RULES, stage_of
from shared_code.eligibility import Decided, Decision, decide
from shared_code.ledger import Entry
from shared_code.model import Kind
from shared_code.model import Subscription as Known
from shared_code.outcomes import Outcome, Result
from shared_code.outputs import DECISIONS, OUTCOMES
from shared_code.plan import Action, Observed, PlanItem, Plans, make_plan
from shared_code.protection import Policy
from shared_code.runs import Mode, Order, Run, RunStatus, TriggeredBy
from shared_code.settings import configure
from shared_code.surroundings import GuardReader, around
from shared_code.tag_rules import RuleMode
from shared_code.work import Work
from tests import cleanup
from tests.azure_api.canned import DISK, GROUP, KNOWN, RESULT, ROOT, Canned, Json, empty, error, said
from tests.azure_api.conftest import Answer, Remembering
from tests.cleaning import JOB, PLANNED, ask, carry, cleaning, followed, lines, only, pending, tombstones, toml
from tests.cleanup import NOW, days_ago
from tests.memory_store import MemoryStore
from tests.oddities.recorded import Recording, Recordings, target
from tests.oddities.test_deletes import ADDRESSES, answer_of
from tests.oddities.wire import Wire
from tests.world import World

BY_TYPE = {type_: name for name, rule in RULES.items() for type_ in rule.types}
GROUPS = "Microsoft.Resources/resourceGroups"
MACHINE = f"{ROOT}/resourceGroups/rg-machines/providers/Microsoft.Compute/virtualMachines/vm"
EXPIRED = {"delete-after": "2026-10-01"}
COMPUTE, NETWORK = "Microsoft.Compute", "Microsoft.Network"

type Told = tuple[Decided, str]
"""What became of something, and why, as one text."""


@pytest.fixture(name="canned")
def _canned(wire: Wire) -> Canned:
    """A fresh reader of what is scripted."""
    return Canned(wire.script)


def thing(rule: str, changes: Json | None = None, name: str = "one") -> Json:
    """Something that the rule finds, in the group of these tests, unless the changes say otherwise."""
    found = cleanup.definition(rule, changes)
    inside = found["id"].partition("/providers/")[2].rpartition("/")[0]
    return found | {"id": f"{GROUP}/providers/{inside}/{name}", "name": name}


def group(name: str = "rg-one", **fields: object) -> Json:
    """A resource group as its GET shows it."""
    return {
        "id": f"{ROOT}/resourceGroups/{name}",
        "name": name,
        "type": GROUPS,
        "location": "westeurope",
        "createdTime": "2024-05-06T07:08:09.1234567Z",
        "properties": {"provisioningState": "Succeeded"},
    } | fields


def known(resource_id: str) -> Known:
    """The subscription of an id."""
    return Known(resource_id.split("/")[2], "Known", "Enabled")


def serve(canned: Canned, item: Json, members: Iterable[Json] = (), inside: Json | None = None) -> None:
    """Let there be a thing, in a group of its own, in which are these members; `inside` are fields of that group."""
    own = str(item["id"])
    root, place = "/".join(own.split("/")[:3]), "/".join(own.split("/")[:5])
    names = [each.partition("/")[2] for each in (str(item["type"]), *BY_TYPE)]
    names += ["deploymentStacks", "deployments", "sites", "servers/databases"]
    kinds = [{"resourceType": name, "apiVersions": ["2024-03-01"]} for name in names]
    canned.on("GET", f"{root}/providers/", said({"resourceTypes": kinds}))
    canned.list(f"{root}/providers/Microsoft.Authorization/permissions", {"actions": ["*/read"]})
    for name in ("locks", "denyAssignments"):
        canned.list(f"{root}/providers/Microsoft.Authorization/{name}")
    canned.list(f"{root}/resourcegroups")
    canned.on("GET", f"{place}?", said(group(place.rpartition("/")[2], id=place) | (inside or {})))
    canned.list(f"{place}/resources", *members)
    for rule in RULES.values():
        for path in rule.lists.values():
            canned.list(f"{own}{path}")
    canned.on("GET", f"{own}?", said(item))


def decided(canned: Canned, item: Json, rule: str = "", **served: Any) -> Decision:
    """What the rule for its type decides of a thing, read over the wire and watched for long."""
    serve(canned, item, **served)
    own, subscription, remover = str(item["id"]), known(item["id"]), canned.remover
    judging = RULES[rule or BY_TYPE[str(item["type"]).lower()]]
    found = remover.target(own, subscription)
    guards = GuardReader(remover, lambda: NOW).of(subscription)
    near = around(found, judging, remover, subscription, remover.group(own, subscription), guards, nobody)
    entry = Entry(rule=judging.name, resource_id=own, first_seen=days_ago(500), last_seen=NOW, times_seen=9)
    settings = judging.settings()
    said_of_it = judging.judge(found, near, settings, NOW)
    return decide(judging, settings, found, near, said_of_it, entry, Policy(), None, NOW)


def nobody() -> Evidence:
    """No rule here asks who wrote to something."""
    raise AssertionError("the activity log is not asked")


def told(canned: Canned, item: Json, rule: str = "", **served: Any) -> Told:
    """The decision and its reasons."""
    decision = decided(canned, item, rule, **served)
    return decision.decision, "; ".join(decision.reasons)


def is_kept(canned: Canned, item: Json, reason: str, rule: str = "", **served: Any) -> bool:
    """Whether it is kept for that reason, which tells it from what is found."""
    decision, reasons = told(canned, item, rule, **served)
    return decision is Decided.KEPT and reason in reasons


def steps(canned: Canned, recordings: Recordings, name: str, count: int) -> list[Answer]:
    """The recorded answer to a DELETE; what was answered to the questions after it is answered to them here."""
    first, *later = recordings.named(*(f"{name}__{number:02}" for number in range(1, count + 1)))
    answers = [answer_of(each, canned.script.url) for each in later]
    for header, value in first.headers.items():
        if header.lower() in ADDRESSES:
            canned.on("GET", target(value).partition("?")[0], *answers)
    return [answer_of(first, canned.script.url)]


def removed(canned: Canned, own: str, rule: str) -> tuple[Outcome, World]:
    """Plan to delete what is served, and apply that as approved; the outcome, and the world it happened in."""
    subscription = known(own)
    world, model = cleaning(toml(subscription.id, rules={rule: {}}))
    found = canned.remover.target(own, subscription)
    members = canned.remover.members(own) if found.kind is Kind.RESOURCE_GROUP else []
    item = PlanItem(
        resource_id=found.id,
        subscription_id=subscription.id,
        kind=found.kind,
        type=found.type,
        rule=rule,
        mode=RuleMode.APPROVE,
        reason="nobody needs it",
        action=Action.DELETE,
        seen=found.tags,
        stage=stage_of(found),
        members=tuple(each.id for each in members),
        observed=Observed(first_seen=days_ago(500), last_seen=world.now, times_seen=9),
        definition=found.definition,
    )
    record = Run(id=PLANNED, job=JOB, mode=Mode.PLAN, trigger=TriggeredBy.CLI, requested=world.now)
    types = (found.type, *(str(each.type) for each in members))
    read = {subscription.id: {each.casefold(): 1000 for each in types}}
    digest = configure(world.toml, "steward.toml", {}).digest_of(JOB)
    plan = Plans(world.store).save(make_plan(record, [item], read, world.now, rules=digest))
    canned.script.sent.clear()
    estate = cast(Any, SimpleNamespace(subscriptions=lambda: [subscription]))

    def given(work: Work) -> Work:
        return replace(work, estate=estate, remover=canned.remover)

    return only(carry(world, model, plan, work=given)), world


def serve_group(canned: Canned, own: str = GROUP, **fields: object) -> Json:
    """Let there be a group past its date, with a disk in it, that can be exported."""
    disk = {"id": f"{own}/providers/{COMPUTE}/disks/one", "name": "one", "type": f"{COMPUTE}/disks"}
    item = group(own.rpartition("/")[2], id=own, tags=EXPIRED, **fields)
    serve(canned, item, [disk])
    canned.on("POST", f"{own}/exportTemplate?", said({"template": {"resources": [{"name": "one"}]}}))
    return item


def once_deleted(canned: Canned, own: str, answer: Answer) -> None:
    """Answer a GET of it so from the moment a DELETE was sent."""
    before = canned.script.answers

    def answers(path: str) -> Answer:
        asked = canned.script.sent[-1][0] == "GET" and path.lower().startswith(f"{own}?".lower())
        return answer if asked and any(each.startswith("DELETE") for each in canned.sent) else before(path)

    canned.script.answers = answers


OTHER_TYPES = Assignment(
    Role("Other types", ("Microsoft.Compute/virtualMachines/delete", "Microsoft.KeyVault/vaults/delete"))
)
"""What an operator adds to the deleter for the rule `expired`."""


@contextmanager
def simulated(*groups: ResourceGroup, **options: Any) -> Iterator[tuple[Simulator, World]]:
    """An Azure with these groups, and a world in which its subscription is armed."""
    world = World(MemoryStore(), toml=toml(KNOWN.id))
    # All disks there are may not go at once.
    spare = drafted("rg-spare", draft(f"{COMPUTE}/disks", "spare", properties={"diskState": "Attached"}))
    subscription = Subscription(id=KNOWN.id, name=KNOWN.name, resource_groups=(*groups, spare))

    def seconds() -> float:
        return world.now.timestamp()

    options.setdefault("assignments", (*shipped(), OTHER_TYPES))
    with (
        Simulator(Estate(name="yard", subscriptions=(subscription,)), clock=seconds, **options) as simulator,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in simulator.environment.items():
            patch.setenv(name, value)
        credential, audience = Remembering(), simulator.environment["STEWARD_ARM_AUDIENCE"]
        arm = Arm(simulator.url, audience, lambda: credential, world.sleep, seconds)
        world.estate = cast(Any, AzureEstate(arm))
        world.remover, world.inventory = AzureRemover(arm), ResourceGraph(arm)
        yield simulator, world


def performed(world: World, run: Run) -> Run:
    """Perform a run, and give its record."""
    world.worker().perform(run.id)
    return world.records().get(run.id).run


def looked(world: World) -> tuple[Run, dict[str, Told]]:
    """Look at everything, eight days after a first look; the last run, and its decisions by name and rule."""
    performed(world, ask(world))
    world.pass_time(days=8)
    run = performed(world, ask(world))
    assert run.status is RunStatus.SUCCEEDED, run.error
    found = lines(world, run.id, DECISIONS, Decision)
    return run, {f"{name_of(each.resource_id)} {each.rule}": (each.decision, "; ".join(each.reasons)) for each in found}


def applied(world: World, run: Run) -> tuple[Run, dict[str, Outcome]]:
    """Approve and apply the plan of a run; its record, and the outcomes by name."""
    assert run.plan
    plan = Plans(world.store).get(run.plan)
    wanted = Order(plan=plan.id, digest=plan.digest)
    requested = ChangeRequests(world.requests(), world.stop()).apply(wanted, TriggeredBy.HTTP, "team@example.com", None)
    ended = performed(world, requested)
    return ended, {name_of(each.resource_id): each for each in lines(world, ended.id, OUTCOMES, Outcome)}


def name_of(resource_id: str) -> str:
    """The last part of an id."""
    return resource_id.rpartition("/")[2]


def there(simulator: Simulator) -> set[str]:
    """The names of all groups and resources of the test that are in Azure now."""
    (subscription,) = simulator.estate.subscriptions
    inside = [each.name for one in subscription.resource_groups for each in one.resources]
    return {*inside, *(each.name for each in subscription.resource_groups)} - {"rg-spare", "spare"}


def link(group_name: str, path: str) -> Json:
    """What refers to a resource."""
    return {"id": f"{ROOT}/resourceGroups/{group_name}/providers/{path}"}


def disk(name: str, **fields: Any) -> Resource:
    """A disk that no machine uses."""
    return draft(
        f"{COMPUTE}/disks", name, sku={"name": "Premium_LRS"}, properties={"diskState": "Unattached"}, **fields
    )


class TestOwnersBeyondTheGroup:
    """13: a disk whose machine is in another group stays, and so does its group; the machine's group goes alone."""

    def test_its_group_is_kept(self) -> None:
        """Its machine would lose it, however long ago both groups expired."""
        machine = draft(f"{COMPUTE}/virtualMachines", "vm", properties={"storageProfile": {}})
        held = draft(f"{COMPUTE}/disks", "held", managed_by=MACHINE, properties={"diskState": "Reserved"})
        with simulated(drafted("rg-disks", held, tags=EXPIRED), drafted("rg-machines", machine, tags=EXPIRED)) as (
            simulator,
            world,
        ):
            run, found = looked(world)
            decision, reasons = found["rg-disks expired"]
            _, outcomes = applied(world, run)

            assert decision is Decided.KEPT
            assert f"which is in it, is managed by '{MACHINE}', which is not" in reasons
            assert {name: each.outcome for name, each in outcomes.items()} == {"rg-machines": Result.DELETED}
            assert there(simulator) == {"rg-disks", "held"}

    def test_the_disk_is_kept_for_its_owner(self, canned: Canned) -> None:
        """Wherever that is, and whatever the state says."""
        assert is_kept(canned, thing("unattached-disk", {"managedBy": MACHINE}), f"it is managed by '{MACHINE}'")
        assert told(canned, thing("unattached-disk"))[0] is Decided.PLANNED


class TestGroupsOfOthers:
    """26: a group that somebody manages is kept, whoever that is; those of the system have no owner, but a name."""

    @pytest.mark.parametrize("rule", ["expired", "empty-resource-group"])
    @pytest.mark.parametrize("owner", [MACHINE, MACHINE.upper(), "night_admin", "Team Shop <shop@example.com>", " "])
    def test_the_group(self, canned: Canned, rule: str, owner: str) -> None:
        item = group(managedBy=owner, tags=EXPIRED)

        assert is_kept(canned, item, "it is managed by ", rule)
        assert told(canned, group(tags=EXPIRED), rule)[0] is Decided.PLANNED

    @pytest.mark.parametrize("owner", [MACHINE, "night_admin"])
    def test_what_is_in_it(self, canned: Canned, owner: str) -> None:
        reason = f"resource group 'rg-one' is managed by '{owner}'"

        assert is_kept(canned, thing("unattached-disk"), reason, inside={"managedBy": owner})

    @pytest.mark.parametrize(
        "name",
        [
            *("NetworkWatcherRG", "networkwatcherrg", "DefaultResourceGroup-WEU", "Default-Storage-WestEurope"),
            *("cloud-shell-storage-westeurope", "MC_rg_aks_westeurope", "ME_env_rg_westeurope", "ai_app_1_managed"),
            *("databricks-rg-shop-1", "synapseworkspace-managedrg-1", "IT_rg_image_1", "AzureBackupRG_westeurope_1"),
        ],
    )
    def test_of_the_system(self, canned: Canned, name: str) -> None:
        """Empty, past its date, and without an owner."""
        for rule in ("expired", "empty-resource-group"):
            assert is_kept(canned, group(name, tags=EXPIRED), "is one that Azure makes", rule)
        inside = thing("unattached-disk")
        inside["id"] = inside["id"].replace("/rg-one/", f"/{name}/")
        assert is_kept(canned, inside, "is one that Azure makes")

    @pytest.mark.parametrize("name", ["rg-list__cli-page__01", "rg-get__cli-managedby-string"])
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        owned = [each for each in recording.items if each.get("managedBy")]

        assert owned
        for each in owned:
            assert is_kept(canned, each, f"it is managed by '{each['managedBy']}'", "empty-resource-group")
        other = owned[0] | {"managedBy": None, "id": f"{ROOT}/resourceGroups/rg-one", "name": "rg-one"}
        assert told(canned, other, "empty-resource-group")[0] is Decided.PLANNED


class TestDisksInUse:
    """28: a disk without owner that waits for an upload, is exported, or was kept for its machine, is not found."""

    STATES = ("ReadyToUpload", "ActiveUpload", "ActiveSAS", "ActiveSASFrozen", "Reserved", "Frozen", "Attached", "New")

    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize("owner", ["", None, cleanup.GONE], ids=["blank", "null", "absent"])
    def test_its_state_keeps_it(self, canned: Canned, state: str, owner: object) -> None:
        item = thing("unattached-disk", {"properties.diskState": state, "managedBy": owner})

        assert is_kept(canned, item, f"'{state}'")

    @pytest.mark.parametrize("state", [None, cleanup.GONE, "unattached", "", 0], ids=str)
    def test_no_state_is_no_sign(self, canned: Canned, state: object) -> None:
        assert is_kept(canned, thing("unattached-disk", {"properties.diskState": state}), "diskState")

    def test_unattached_is_found(self, canned: Canned) -> None:
        assert told(canned, thing("unattached-disk", {"managedBy": ""}))[0] is Decided.PLANNED

    def test_none_is_proposed(self) -> None:
        """Nor does the query, through which all of them come."""
        disks = [draft(f"{COMPUTE}/disks", each, properties={"diskState": each}) for each in self.STATES]
        with simulated(drafted("rg-one", disk("free"), *disks)) as (_, world):
            assert [name for name in looked(world)[1] if name.endswith("unattached-disk")] == ["free unattached-disk"]

    @pytest.mark.parametrize(
        "name",
        [
            "resource-get__net-disk-readytoupload",
            "resource-get__cli-disk-activesas",
            "list-disks__c7n-2020-states",
        ],
    )
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        """Whatever age Azure tells, its state alone keeps it."""
        (recording,) = recordings.named(name)
        used = [each for each in recording.items if each["properties"]["diskState"] != "Unattached"]

        assert used
        for each in used:
            state = each["properties"]["diskState"]
            old = each["properties"] | {"LastOwnershipUpdateTime": "2024-01-01T00:00:00+00:00"}
            item = each | {"managedBy": None, "properties": old}
            assert is_kept(canned, item, f"its disk state is '{state}'")
            free = item | {"properties": old | {"diskState": "Unattached"}}
            assert told(canned, free)[0] is Decided.PLANNED


class TestInterfacesInUse:
    """29: an interface without machine may be that of an endpoint, a service or a workload, and then stays."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("privateEndpoint", {"id": f"{GROUP}/providers/{NETWORK}/privateEndpoints/one"}),
            ("privateLinkService", {"id": f"{GROUP}/providers/{NETWORK}/privateLinkServices/one"}),
            ("bareMetalServer", {"id": ""}),
            ("virtualMachine", {"id": MACHINE}),
            ("privateEndpoint", None),
            ("privateLinkService", {}),
            ("hostedWorkloads", [f"{GROUP}/providers/Microsoft.NetApp/netAppAccounts/a/capacityPools/p/volumes/v"]),
            ("hostedWorkloads", None),
        ],
        ids=str,
    )
    def test_it_is_kept(self, canned: Canned, name: str, value: object) -> None:
        assert is_kept(canned, thing("unattached-network-interface", {f"properties.{name}": value}), f"its {name} is ")

    def test_one_of_nobody_is_found(self, canned: Canned) -> None:
        assert told(canned, thing("unattached-network-interface"))[0] is Decided.PLANNED

    @pytest.mark.parametrize("name", ["list-nics__cli-private-endpoint-managedby", "list-nics__cli-2022-kind"])
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        users = ("privateEndpoint", "privateLinkService", "bareMetalServer", "virtualMachine")
        found = {False: 0, True: 0}
        for each in recording.items:
            used = [user for user in users if user in each["properties"]]
            decision, reasons = told(canned, {"type": f"{NETWORK}/networkInterfaces"} | each)
            found[decision is Decided.PLANNED] += 1
            assert decision in (Decided.KEPT, Decided.PLANNED)
            assert decision is Decided.KEPT or not used
            # It says the first reason it has, and an owner comes before a user.
            words = [f"its {user} is " for user in used] + ["it is managed by "]
            assert not used or any(word in reasons for word in words)
        assert found[False] > 0


class TestAddressesInUse:
    """30: an address without ipConfiguration may be that of a NAT gateway, and one in use need not have a number."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("natGateway", {"id": f"{GROUP}/providers/{NETWORK}/natGateways/one"}),
            ("natGateway", None),
            ("publicIPPrefix", {"id": f"{GROUP}/providers/{NETWORK}/publicIPPrefixes/one"}),
            ("ipConfiguration", {"id": f"{GROUP}/providers/{NETWORK}/networkInterfaces/n/ipConfigurations/c"}),
            ("ipConfiguration", {}),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("address", ["203.0.113.9", cleanup.GONE], ids=["static", "dynamic"])
    def test_it_is_kept(self, canned: Canned, name: str, value: object, address: object) -> None:
        item = thing("unused-public-ip", {f"properties.{name}": value, "properties.ipAddress": address})

        assert is_kept(canned, item, f"it is in use: its {name} is ")

    def test_no_number_is_no_use(self, canned: Canned) -> None:
        """A dynamic address has none exactly while nothing uses it."""
        changes = {"properties.ipAddress": cleanup.GONE, "properties.publicIPAllocationMethod": "Dynamic"}

        assert told(canned, thing("unused-public-ip", changes))[0] is Decided.PLANNED
        assert told(canned, thing("unused-public-ip"))[0] is Decided.PLANNED

    def test_that_of_a_gateway_is_not_even_proposed(self) -> None:
        gateway = draft(
            f"{NETWORK}/natGateways",
            "gateway",
            sku={"name": "Standard"},
            properties={"publicIpAddresses": [link("rg-one", f"{NETWORK}/publicIPAddresses/of-gateway")]},
        )
        addresses = [
            draft(f"{NETWORK}/publicIPAddresses", name, sku={"name": "Standard"}, properties={})
            for name in ("of-gateway", "of-nobody")
        ]
        with simulated(drafted("rg-one", gateway, *addresses)) as (_, world):
            found = looked(world)[1]

            assert "of-gateway unused-public-ip" not in found
            assert found["of-nobody unused-public-ip"][0] is Decided.PLANNED

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        (recording,) = recordings.named("list-publicips__cli-43")
        used = [each for each in recording.items if "ipConfiguration" in each["properties"]]

        assert any("ipAddress" not in each["properties"] for each in used)
        for each in used:
            assert is_kept(canned, each, "it is in use: its ipConfiguration is ")


class TestNoUsers:
    """31: lists of users are absent where there are none; a balancer without members may still be in use."""

    @pytest.mark.parametrize("rule", ["unused-network-security-group", "unused-route-table"])
    def test_absent_is_unused(self, canned: Canned, rule: str) -> None:
        item = thing(rule)

        assert not {"subnets", "networkInterfaces"} & item["properties"].keys()
        assert told(canned, item)[0] is Decided.PLANNED

    @pytest.mark.parametrize(
        ("rule", "name"),
        [
            ("unused-network-security-group", "subnets"),
            ("unused-network-security-group", "networkInterfaces"),
            ("unused-route-table", "subnets"),
        ],
    )
    @pytest.mark.parametrize("users", [[{"id": f"{GROUP}/providers/{NETWORK}/x/y"}], [{}], None, {}, ""], ids=str)
    def test_anything_but_nothing_is_use(self, canned: Canned, rule: str, name: str, users: object) -> None:
        assert is_kept(canned, thing(rule, {f"properties.{name}": users}), f"it is in use: its {name} is ")

    @pytest.mark.parametrize("rule", ["unused-network-security-group", "unused-route-table"])
    def test_half_an_answer_is_no_sign(self, canned: Canned, rule: str) -> None:
        """Without the rules and routes that every whole one has, the absence of users says nothing."""
        item = thing(rule, {"properties": {"provisioningState": "Succeeded"}})

        assert is_kept(canned, item, "the answer is not whole")

    @pytest.mark.parametrize("pools", [[], [{"name": "empty", "properties": {}}]], ids=["none", "empty"])
    def test_inbound_rules_alone_are_use(self, canned: Canned, pools: list[Json]) -> None:
        rules = [{"name": "ssh", "properties": {"frontendPort": 22}}]
        changes = {"properties.backendAddressPools": pools, "properties.inboundNatRules": rules}
        reason = "its backendAddressPools is " if pools else "its inboundNatRules is "

        assert is_kept(canned, thing("load-balancer-without-backends", changes), reason)
        assert told(canned, thing("load-balancer-without-backends"))[0] is Decided.PLANNED

    @pytest.mark.parametrize("status", ["Ready", 0])
    def test_a_plan_of_no_apps(self, canned: Canned, status: object) -> None:
        """Its status is a word or a number; and what counts is the list of its apps too."""
        item = thing("app-service-plan-without-apps", {"properties.status": status})
        assert told(canned, item)[0] is Decided.PLANNED

        assert is_kept(canned, thing("app-service-plan-without-apps", {"properties.status": False}), "its status is")

    @pytest.mark.parametrize("name", ["list-nsgs__c7n-many", "list-routetables__c7n"])
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        """Each is kept as it is; without its users, and without other marks, it is found."""
        (recording,) = recordings.named(name)
        for each in recording.items:
            users = {"subnets", "networkInterfaces"} & each["properties"].keys()
            reasons = [f"it is in use: its {user} is " for user in users] or ["flow"]
            assert all(is_kept(canned, each, reason) for reason in reasons)
            left = {name: value for name, value in each["properties"].items() if name not in {*users, "flowLogs"}}
            free = each | {"tags": {}, "id": f"{GROUP}/providers/{each['type']}/one", "name": "one", "properties": left}
            assert told(canned, free)[0] is Decided.PLANNED

    def test_recorded_balancer(self, canned: Canned, recordings: Recordings) -> None:
        """Kept as it is, and without its pool too."""
        (recording,) = recordings.named("resource-get__xplat-lb-inboundnat-only")
        bare = recording.body | {"properties": recording.body["properties"] | {"backendAddressPools": []}}

        assert is_kept(canned, recording.body, "its backendAddressPools is ")
        assert is_kept(canned, bare, "its inboundNatRules is ")

    def test_recorded_plans(self, canned: Canned, recordings: Recordings) -> None:
        """A number of apps keeps it; one that says none is found if it costs anything."""
        (recording,) = recordings.named("list-serverfarms__cli-nextlink-null")
        found = {each["name"]: told(canned, each) for each in recording.items}

        for each in recording.items:
            decision, reasons = found[each["name"]]
            number = each["properties"]["numberOfSites"]
            paid = each["sku"]["tier"] in ("Basic", "Standard")
            assert number == 0 or decision is Decided.KEPT
            assert number == 0 or not paid or f"its numberOfSites is {number}" in reasons
        assert Decided.PLANNED in {decision for decision, _ in found.values()}


class TestMadeByTheSystem:
    """32: what a service made for itself goes with what it is part of, and never alone."""

    def test_a_database_of_the_server(self, canned: Canned) -> None:
        server = f"{GROUP}/providers/Microsoft.Sql/servers/srv"
        master = {
            "id": f"{server}/databases/master",
            "name": "master",
            "type": "Microsoft.Sql/servers/databases",
            "kind": "v12.0,system",
            "tags": EXPIRED,
            "properties": {"status": "Online"},
        }

        assert is_kept(canned, master | {"managedBy": server}, f"it is managed by '{server}'", "expired")

    def test_it_is_no_use(self) -> None:
        """A pool is empty though its server has a master; a group is not empty that holds only a solution."""
        named = "Microsoft.Sql/servers"
        solution = draft("Microsoft.OperationsManagement/solutions", "Updates(log)", plan={"name": "Updates(log)"})
        master = draft(f"{named}/databases", "srv/master", kind="v12.0,system", properties={})
        pool = draft(
            f"{named}/elasticPools",
            "srv/pool",
            sku={"name": "GP_Gen5", "tier": "GeneralPurpose", "capacity": 2},
            properties={},
        )
        server = draft(named, "srv", kind="v12.0", properties={})
        with simulated(drafted("rg-sql", server, master, pool), drafted("rg-logs", solution)) as (simulator, world):
            run, found = looked(world)
            _, outcomes = applied(world, run)

            assert [*found] == ["pool sql-elastic-pool-without-databases"]
            assert outcomes["pool"].outcome is Result.DELETED
            assert {"srv", "srv/master", "rg-logs", "Updates(log)"} <= there(simulator)

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        """Its owner is the server, in the recorded answer too."""
        (recording,) = recordings.named("list-sqldbs__c7n")
        (master,) = [each for each in recording.items if "system" in each["kind"]]

        assert is_kept(canned, master | {"tags": EXPIRED}, f"it is managed by '{master['managedBy']}'", "expired")


class TestOnlyAccepted:
    """36: accepted is not deleted: a failure in a poll is the outcome, with what Azure said, and never `deleted`."""

    @pytest.mark.parametrize(
        ("kind", "code"),
        [("failed-delete", "ResourceGroupDeletionBlocked"), ("timeout-delete", "ResourceGroupDeletionTimeout")],
    )
    def test_a_group_of_which_half_is_gone(self, kind: Any, code: str) -> None:
        with simulated(drafted("rg-old", disk("a"), disk("b"), tags=EXPIRED)) as (simulator, world):
            run, _ = looked(world)
            simulator.faults.add(Fault(route="resource-group", method="DELETE", kind=kind, delay=20))
            ended, outcomes = applied(world, run)

            assert ended.status is RunStatus.FAILED
            assert outcomes["rg-old"].outcome is Result.FAILED
            assert f"Azure says {code}: " in (outcomes["rg-old"].reason or "")
            assert there(simulator) == {"rg-old", "b"}
            assert [len(each.members) for each in tombstones(world.store)] == [2]

    def test_a_resource(self) -> None:
        with simulated(drafted("rg-one", disk("a"))) as (simulator, world):
            run, _ = looked(world)
            simulator.faults.add(Fault(route="resource", method="DELETE", kind="failed-delete", delay=20))
            _, outcomes = applied(world, run)

            assert outcomes["a"].outcome is Result.FAILED
            assert (outcomes["a"].reason or "").startswith("it is still there: Azure says ")
            assert "a" in there(simulator)

    def test_what_has_no_end_yet(self) -> None:
        """It is not called deleted, and the next run goes on looking."""
        with simulated(drafted("rg-one", disk("a"))) as (simulator, world):
            run, _ = looked(world)
            simulator.faults.add(Fault(route="resource", method="DELETE", kind="endless-delete"))
            _, outcomes = applied(world, run)

            assert outcomes["a"].outcome is Result.DELETING
            assert [name_of(each) for each in pending(world)] == ["a"]

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        item = thing("unattached-disk")
        serve(canned, item)
        canned.deleting(item["id"], *steps(canned, recordings, "resource-delete__net-privatedns-failed", 2))
        outcome, world = removed(canned, item["id"], "unattached-disk")

        assert outcome.outcome is Result.FAILED
        assert "it is still there: Azure says Failed, PreconditionFailed: " in (outcome.reason or "")
        assert pending(world) == []

    def test_recorded_group(self, canned: Canned, recordings: Recordings) -> None:
        serve_group(canned)
        canned.deleting(GROUP, *steps(canned, recordings, "rg-delete__net-blocked", 4))
        outcome, _ = removed(canned, GROUP, "expired")

        assert outcome.outcome is Result.FAILED
        assert "ResourceGroupDeletionBlocked" in (outcome.reason or "")


class TestReasonsInCapitals:
    """37: the reason of a failed item is what Azure said, out of capitals and of JSON within a text."""

    def test_what_blocks_a_group(self) -> None:
        """It is used from outside; what else was in the group is gone."""
        rules = draft(f"{NETWORK}/networkSecurityGroups", "nsg", properties={})
        part = {"name": "c", "properties": {"privateIPAllocationMethod": "Static"}}
        user = draft(
            f"{NETWORK}/networkInterfaces",
            "nic",
            properties={
                "ipConfigurations": [part],
                "networkSecurityGroup": link("rg-old", f"{NETWORK}/networkSecurityGroups/nsg"),
            },
        )
        with simulated(drafted("rg-old", disk("a"), rules, tags=EXPIRED), drafted("rg-other", user)) as (
            simulator,
            world,
        ):
            run, _ = looked(world)
            _, outcomes = applied(world, run)
            reason = outcomes["rg-old"].reason or ""

            assert outcomes["rg-old"].outcome is Result.FAILED
            assert reason.startswith("it is still there: it is in use; Azure says ResourceGroupDeletionBlocked: ")
            assert "InUseNetworkSecurityGroupCannotBeDeleted: " in reason
            assert there(simulator) == {"rg-old", "nsg", "rg-other", "nic"}

    @pytest.mark.parametrize("status", [409, 400])
    def test_of_our_own(self, canned: Canned, status: int) -> None:
        inner = {"error": {"code": "OperationNotAllowed", "message": "There is an active shared access signature."}}
        details = [{"Code": None, "Target": DISK, "Message": json.dumps(inner), "Details": None}]
        body = {"Error": {"Code": "ResourceGroupDeletionBlocked", "Message": "blocked", "Details": details}}
        serve_group(canned)
        canned.deleting(GROUP, empty(202, Location=RESULT))
        canned.on("GET", RESULT, empty(202), said(body, status))
        outcome, _ = removed(canned, GROUP, "expired")

        assert outcome.outcome is Result.FAILED
        assert "ResourceGroupDeletionBlocked: blocked; OperationNotAllowed: There is an active" in (
            outcome.reason or ""
        )

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        """The reason within the text of the details is told too."""
        serve_group(canned)
        answers = steps(canned, recordings, "rg-delete__net-blocked", 4)
        canned.deleting(GROUP, *answers)
        (last,) = recordings.named("rg-delete__net-blocked__04")
        inner = json.loads(last.body["Error"]["Details"][0]["Message"])["error"]["code"]
        outcome, _ = removed(canned, GROUP, "expired")

        assert outcome.outcome is Result.FAILED
        assert f"{inner}: " in (outcome.reason or "")


class TestShownAfterwards:
    """38: what is still shown is being deleted, whatever the operation says, and deleted once it is not."""

    def test_a_later_run_sees_the_end(self) -> None:
        with simulated(drafted("rg-one", disk("a")), drafted("rg-old", tags=EXPIRED)) as (simulator, world):
            run, _ = looked(world)
            for route in ("resource", "resource-group"):
                simulator.faults.add(Fault(route=route, method="DELETE", kind="kept-delete", delay=3600))
            ended, outcomes = applied(world, run)

            assert ended.counts["deleted"] == 0
            assert {each.outcome for each in outcomes.values()} == {Result.DELETING}
            assert {"a", "rg-old"} <= there(simulator)
            world.pass_time(days=1)
            later = performed(world, ask(world))
            assert {name_of(each.pending.resource_id): each.outcome for each in followed(world, later)} == {
                "a": Result.DELETED,
                "rg-old": Result.DELETED,
            }
            assert pending(world) == []

    @pytest.mark.parametrize(
        ("state", "said_of_it"), [(None, "Azure is still deleting it"), ("Succeeded", "Azure still shows it")]
    )
    def test_recorded(self, canned: Canned, recordings: Recordings, state: str | None, said_of_it: str) -> None:
        """The operation has succeeded, and the snapshot is there, as recorded or in a state that tells nothing."""
        (first, second) = recordings.named(
            *(f"resource-delete__c7n-snapshot-still-there__{each:02}" for each in (1, 2))
        )
        own = second.body["id"]
        item = thing("old-snapshot") | {"id": own, "name": second.body["name"]}
        serve(canned, item)
        for name, value in first.headers.items():
            if name.lower() in ADDRESSES:
                canned.on("GET", target(value).partition("?")[0], said({"status": "Succeeded"}))
        canned.deleting(own, answer_of(first, canned.script.url))
        properties = second.body["properties"] | ({"provisioningState": state} if state else {})
        once_deleted(canned, own, said(second.body | {"properties": properties}))
        outcome, world = removed(canned, own, "old-snapshot")
        assert outcome.outcome is Result.DELETING
        assert outcome.reason == f"Azure accepted the deletion; {said_of_it}"
        assert pending(world) == [own]

    def test_recorded_group(self, canned: Canned, recordings: Recordings) -> None:
        (recording,) = recordings.named("rg-get__cli-deleting__02")
        own = recording.body["id"]
        serve_group(canned, own)
        canned.deleting(own, empty(202, Location=RESULT))
        canned.on("GET", RESULT, empty(202))
        once_deleted(canned, own, answer_of(recording, canned.script.url))
        outcome, world = removed(canned, own, "expired")

        assert outcome.outcome is Result.DELETING
        assert outcome.reason == "Azure accepted the deletion; Azure is still deleting it"
        assert pending(world) == [own]


class TestUsedByOthers:
    """44: what is in use is a failed item with that reason, asked for once; one plan deletes users before the used."""

    CODES = (
        "NicInUse",
        "InUseNetworkSecurityGroupCannotBeDeleted",
        "PublicIPAddressCannotBeDeleted",
        "InUseSubnetCannotBeDeleted",
        "InUseDdosProtectionPlanCannotBeDeleted",
    )

    @pytest.mark.parametrize("code", CODES)
    def test_it_is_said(self, canned: Canned, code: str) -> None:
        item = thing("unattached-disk")
        serve(canned, item)
        canned.deleting(item["id"], error(400, code, "used by vm-one"))
        outcome, _ = removed(canned, item["id"], "unattached-disk")

        assert (outcome.outcome, outcome.writes) == (Result.FAILED, 1)
        assert f"it is in use; Azure answered 400 {code}: used by vm-one" in (outcome.reason or "")
        assert sum(each.startswith("DELETE") for each in canned.sent) == 1

    def test_users_first(self) -> None:
        """In one plan: a machine, then an interface, then a security group, though nothing uses the latter two."""
        rules = draft(f"{NETWORK}/networkSecurityGroups", "nsg", properties={})
        part = {"name": "c", "properties": {"privateIPAllocationMethod": "Dynamic"}}
        card = draft(f"{NETWORK}/networkInterfaces", "nic", properties={"ipConfigurations": [part]})
        machine = draft(f"{COMPUTE}/virtualMachines", "vm", EXPIRED, properties={})
        with simulated(drafted("rg-machines", rules, card, machine)) as (simulator, world):
            simulator.faults.add(Fault(method="DELETE", kind="slow-delete", delay=30, times=None))
            run, _ = looked(world)
            _, outcomes = applied(world, run)

            assert {each.outcome for each in outcomes.values()} == {Result.DELETED}
            assert [name_of(each.id) for each in simulator.deletions] == ["vm", "nic", "nsg"]
            assert outcomes["vm"].at < outcomes["nic"].at < outcomes["nsg"].at

    def test_what_its_user_leaves_behind_follows(self) -> None:
        """What was in use when the plan was made is another thing afterwards, so the next plan looks at it anew."""
        with simulated(machine_with_parts(EXPIRED)) as (simulator, world):
            outcomes = []
            for _ in range(4):
                run, _ = looked(world)
                outcomes += [applied(world, run)[1]] if run.plan else []
            gone = [name_of(each.id) for each in simulator.deletions if each.outcome == "deleted"]

            assert outcomes[0]["vm"].outcome is Result.DELETED
            assert (outcomes[0]["nic"].outcome, outcomes[0]["nic"].reason) == (
                Result.SKIPPED,
                "it has changed since the plan was made: 'properties.virtualMachine' was removed",
            )
            for name, code in (
                ("nsg", "InUseNetworkSecurityGroupCannotBeDeleted"),
                ("pip", "PublicIPAddressCannotBeDeleted"),
            ):
                assert outcomes[0][name].outcome is Result.FAILED
                assert f"it is in use; Azure answered 400 {code}: " in (outcomes[0][name].reason or "")
            assert gone[:2] == ["vm", "nic"]
            assert {*gone[2:4]} == {"nsg", "pip"}

    @pytest.mark.parametrize("number", [2, 3, 4, 5, 9, 10, 11])
    def test_recorded(self, canned: Canned, recordings: Recordings, number: int) -> None:
        (recording,) = recordings.named(f"resource-delete__cli-dependent-resources__{number:02}")
        in_use(canned, recording)

        assert recording.status == 400

    def test_recorded_plan(self, canned: Canned, recordings: Recordings) -> None:
        (recording,) = recordings.named("resource-delete__cli-400-ddos-in-use")
        in_use(canned, recording)

        assert recording.status == 400


def in_use(canned: Canned, recording: Recording) -> None:
    """Delete something that is answered so; it fails, since it is in use."""
    item = thing("unattached-disk")
    serve(canned, item)
    canned.deleting(item["id"], answer_of(recording, canned.script.url))
    outcome, world = removed(canned, item["id"], "unattached-disk")
    assert outcome.outcome is Result.FAILED
    assert f"it is in use; Azure answered 400 {recording.body['error']['code']}: " in (outcome.reason or "")
    assert pending(world) == []


def machine_with_parts(tags: dict[str, str]) -> ResourceGroup:
    """A group with a machine, its interface, and the security group and the address of that."""
    where = "rg-machines"
    part = {
        "name": "c",
        "properties": {
            "privateIPAllocationMethod": "Dynamic",
            "publicIPAddress": link(where, f"{NETWORK}/publicIPAddresses/pip"),
        },
    }
    return drafted(
        where,
        draft(f"{NETWORK}/networkSecurityGroups", "nsg", tags, properties={}),
        draft(f"{NETWORK}/publicIPAddresses", "pip", tags, sku={"name": "Standard"}, properties={}),
        draft(
            f"{NETWORK}/networkInterfaces",
            "nic",
            tags,
            properties={
                "ipConfigurations": [part],
                "networkSecurityGroup": link(where, f"{NETWORK}/networkSecurityGroups/nsg"),
            },
        ),
        draft(
            f"{COMPUTE}/virtualMachines",
            "vm",
            tags,
            properties={
                "networkProfile": {"networkInterfaces": [link(where, f"{NETWORK}/networkInterfaces/nic")]},
            },
        ),
    )


class TestVaultsMarkedAsDeleted:
    """49: a vault that is only marked as deleted is `deleted`, and what it was is in its tombstone."""

    def test_it_is_deleted(self) -> None:
        vault = draft("Microsoft.KeyVault/vaults", "kv", EXPIRED, properties={"tenantId": "t", "sku": {"name": "x"}})
        with simulated(drafted("rg-one", vault)) as (simulator, world):
            run, _ = looked(world)
            _, outcomes = applied(world, run)
            (tombstone,) = tombstones(world.store)

            assert (outcomes["kv"].outcome, outcomes["kv"].reason) == (Result.DELETED, None)
            assert there(simulator) == {"rg-one"}
            assert tombstone.definition["name"] == "kv"
            assert (tombstone.definition["tags"], tombstone.definition["location"]) == (EXPIRED, "westeurope")
            assert tombstone.definition["properties"]["tenantId"] == "t"
            assert outcomes["kv"].tombstone

    def test_recorded(self, canned: Canned, recordings: Recordings) -> None:
        """The tombstone has what the deleted vault shows of it, and all its properties besides."""
        answer, shown = recordings.named("resource-delete__net-keyvault-200-softdelete", "deleted-vault-get__cliext")
        told_of = shown.body["properties"]
        item = {
            "id": told_of["vaultId"],
            "name": shown.body["name"],
            "type": "Microsoft.KeyVault/vaults",
            "location": told_of["location"],
            "tags": told_of["tags"] | EXPIRED,
            "properties": {"provisioningState": "Succeeded", "sku": {"name": "standard"}},
        }
        serve(canned, item)
        canned.deleting(item["id"], answer_of(answer, canned.script.url))
        once_deleted(canned, item["id"], error(404, "ResourceNotFound"))
        outcome, world = removed(canned, item["id"], "expired")
        (tombstone,) = tombstones(world.store)

        assert (outcome.outcome, outcome.reason) == (Result.DELETED, None)
        assert tombstone.resource_id == told_of["vaultId"]
        assert tombstone.definition == item


class TestTemplatesInTombstones:
    """50: the template of a group is in its tombstone as it came, at once or later; without one it is not deleted."""

    @pytest.mark.parametrize("number", [1, 5, 6, 12])
    def test_at_once_or_later(self, number: int) -> None:
        """That of a larger group is asked for until it is there."""
        disks = [disk(f"disk-{each}") for each in range(number)]
        with simulated(drafted("rg-old", *disks, tags=EXPIRED)) as (_, world):
            run, _ = looked(world)
            _, outcomes = applied(world, run)
            (tombstone,) = tombstones(world.store)

            assert outcomes["rg-old"].outcome is Result.DELETED
            assert tombstone.template
            names = [each["name"] for each in tombstone.template["template"]["resources"]]
            assert sorted(names) == sorted(each.name for each in disks)

    def test_what_was_not_exported_is_told(self) -> None:
        with simulated(drafted("rg-old", disk("a"), disk("b"), tags=EXPIRED)) as (simulator, world):
            run, _ = looked(world)
            simulator.faults.add(Fault(route="export-template", method="POST", kind="partial"))
            _, outcomes = applied(world, run)
            (tombstone,) = tombstones(world.store)

            assert outcomes["rg-old"].outcome is Result.DELETED
            assert tombstone.template
            assert tombstone.template["error"]["code"] == "ExportTemplateCompletedWithErrors"
            assert [name_of(each.id) for each in tombstone.members] == ["a", "b"]

    def test_without_one_it_stays(self) -> None:
        with simulated(drafted("rg-old", disk("a"), tags=EXPIRED)) as (simulator, world):
            run, _ = looked(world)
            simulator.faults.add(Fault(route="export-template", method="POST", kind="forbidden", times=None))
            _, outcomes = applied(world, run)

            assert outcomes["rg-old"].outcome is Result.SKIPPED
            assert "the template of" in (outcomes["rg-old"].reason or "")
            assert (there(simulator), tombstones(world.store)) == ({"rg-old", "a"}, [])

    def test_an_empty_group_has_none(self) -> None:
        with simulated(drafted("rg-old", tags=EXPIRED)) as (_, world):
            run, _ = looked(world)
            applied(world, run)
            (tombstone,) = tombstones(world.store)

            assert (tombstone.template, tombstone.definition["name"]) == (None, "rg-old")

    @pytest.mark.parametrize("name", ["rg-export-template__net-2019", "rg-export-template__cli-empty"])
    def test_recorded(self, canned: Canned, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)

        assert exported(canned, answer_of(recording, canned.script.url)) == recording.body

    def test_recorded_later(self, canned: Canned, recordings: Recordings) -> None:
        first, second = recordings.named(*(f"rg-export-template__cli-202-poll__{each:02}" for each in (1, 2)))
        location = next(value for name, value in first.headers.items() if name.lower() == "location")
        canned.on("GET", target(location).partition("?")[0], empty(202), answer_of(second, canned.script.url))

        assert exported(canned, answer_of(first, canned.script.url)) == second.body


def exported(canned: Canned, answer: Answer) -> dict[str, Any] | None:
    """Delete a group whose export is answered so; the template in its tombstone."""
    serve_group(canned)
    canned.on("POST", f"{GROUP}/exportTemplate?", answer)
    canned.deleting(GROUP, empty(200))
    once_deleted(canned, GROUP, error(404, "ResourceGroupNotFound"))
    outcome, world = removed(canned, GROUP, "expired")
    assert (outcome.outcome, outcome.reason) == (Result.DELETED, None)
    (tombstone,) = tombstones(world.store)
    return tombstone.template
