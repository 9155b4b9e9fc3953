"""Each action of the roles is needed: without it the outcome says so, and nothing is deleted.

The table of infra/README.md has every action; `test_roles` compares it with the requests that the app sends.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from devkit.simulator import Assignment
from devkit.simulator.actions import asked_for
from shared_code.azure_api.permissions import AzurePermissions
from shared_code.azure_api.removals import AzureRemover
from shared_code.cleanup_rules import RULES
from shared_code.errors import AccessDenied
from shared_code.model import Finding, Reading, ResourceGroup
from shared_code.model import Subscription as Known
from shared_code.outcomes import Result
from shared_code.outputs import FINDINGS, RESOURCE_GROUPS
from shared_code.run_requests import Wanted
from shared_code.runs import Run, RunStatus, TriggeredBy
from tests import cleaning
from tests.cleaning import lines
from tests.docs.markdown import Page
from tests.infra.bicep import INFRA
from tests.infra.privileges import (
    MANAGEMENT_GROUP,
    SHOP,
    SHOP_TWO,
    Steward,
    candidate,
    group,
    of_type,
    only,
    steward,
    without,
)

TABLE = {
    row[0].strip("`"): (row[1], [each.strip(" `") for each in row[2].split(",")])
    for row in Page(INFRA / "README.md").table("Action", "Role", "Asked by")
}
DELETIONS = [action for action, (role, _) in TABLE.items() if role == "deleter"]
READS = [action for action, (role, _) in TABLE.items() if role == "reader"]
ROOT = f"/subscriptions/{SHOP}"
ONE, TWO, FULL = (f"{ROOT}/resourceGroups/rg-{name}" for name in ("one", "two", "full"))
AT_GROUP = f"/providers/Microsoft.Management/managementGroups/{MANAGEMENT_GROUP}"
HIDDEN = "none of its roles has '*/read' without an exception"
KNOWN = Known(SHOP, "Shop", "Enabled")
ORPHANS = sorted({type_ for rule in RULES.values() for type_ in rule.types})
LIST = '[jobs.list-resource-groups]\nschedule = "0 0 5 * * *"\n'
UNDER = f'[scope]\nmanagement_groups = ["{MANAGEMENT_GROUP}"]\n'
TAGS = f"""
[jobs.tag-audit]
schedule = "0 0 5 * * *"
mode = "plan"
armed_subscriptions = ["{SHOP}"]
max_share = 1.0
[[jobs.tag-audit.rules]]
name = "owner"
tag = "owner"
required = true
default = "team@example.com"
mode = "approve"
applies_to = {{ kinds = ["resource-group"] }}
"""
OF_RESOURCES = TAGS.replace("resource-group", "resource")


def cleanup(*rules: str) -> str:
    """A configuration in which these rules are on and the subscription is armed."""
    return cleaning.toml(SHOP, rules={name: {} for name in rules}).decode()


def rule_of(action: str) -> str:
    """The rule of cleanup that needs an action; any does for what all need."""
    kind = action.rpartition("/")[0].casefold()
    if kind.startswith(("microsoft.resources/subscriptions/resourcegroups", "microsoft.resources/deployment")):
        return "empty-resource-group"
    return next((of_type(type_) for type_ in ORPHANS if f"{kind}/".startswith(f"{type_}/")), "unattached-disk")


def yard(rule: str) -> AbstractContextManager[Steward]:
    """An Azure with something for the rule to delete, and its like in a protected group, so that not all would go."""
    if rule == "empty-resource-group":
        groups = group("rg-one"), group("rg-core")
    else:
        groups = group("rg-one", candidate(rule)), group("rg-core", candidate(rule, "kept"))
    return steward(*groups, toml=cleanup(rule))


@pytest.fixture(scope="module", name="shop")
def _shop() -> Iterator[Steward]:
    """One of each type in a group, and a disk and a group that are being deleted for ever."""
    full = group("rg-full", *(candidate(of_type(type_)) for type_ in ORPHANS), tags={"owner": "team"})
    going = group("rg-going", candidate("unattached-disk", "going"))
    with steward(full, going, group("rg-empty"), group("rg-two"), toml=LIST, delete_time=1e6) as found:
        yield found


class TestClients:
    """A call that may not be made raises AccessDenied with Azure's sentence, which names the action."""

    @pytest.fixture(name="call")
    def _call(self, shop: Steward) -> Callable[[str], object]:
        """Calls a method as the jobs do, about all that it may be about."""
        estate, remover, tags = shop.estate, AzureRemover(shop.arm), shop.tags
        now = datetime.now(UTC)
        things = shop.ids("rg-full")
        plan = next(each for each in things if "/serverfarms/" in each)
        pool = next(each for each in things if "/elasticPools/" in each)
        made = f"{FULL}/providers/Microsoft.Resources"
        lists = f"{plan}/sites", f"{pool}/databases", f"{made}/deploymentStacks", f"{made}/deployments"
        shop.simulator.assign(None)
        going = *shop.ids("rg-going"), f"{ROOT}/resourceGroups/rg-empty"
        operations = [str(remover.delete(each).operation) for each in going]
        calls: dict[str, Callable[[], object]] = {
            "AzureEstate.subscriptions": estate.subscriptions,
            "AzureEstate.subscriptions_under": lambda: estate.subscriptions_under(MANAGEMENT_GROUP),
            "AzureEstate.resource_groups": lambda: list(estate.resource_groups(KNOWN)),
            "AzureEstate.resources": lambda: list(estate.resources(KNOWN)),
            "AzureEstate.types_without_tags": lambda: estate.types_without_tags(KNOWN),
            "AzureEstate.locks": lambda: list(estate.locks(KNOWN)),
            "AzurePermissions.held": lambda: AzurePermissions(shop.arm).held(KNOWN),
            "AzureRemover.target": lambda: [AzureRemover(shop.arm).target(each, KNOWN) for each in (FULL, *things)],
            "AzureRemover.group": lambda: remover.group(FULL, KNOWN),
            "AzureRemover.members": lambda: remover.members(FULL),
            "AzureRemover.locks": lambda: remover.locks(KNOWN),
            "AzureRemover.denials": lambda: remover.denials(KNOWN),
            "AzureRemover.items": lambda: [AzureRemover(shop.arm).items(each) for each in lists],
            "AzureRemover.template": lambda: remover.template(TWO),
            "AzureRemover.follow": lambda: [remover.follow(each) for each in operations],
            "AzureTags.tags": lambda: tags.tags(FULL),
            "AzureTags.merge": lambda: tags.merge(FULL, {"owner": "team"}),
            "AzureTags.delete": lambda: tags.delete(FULL, {"env": ""}),
            "ResourceGraph.candidates": lambda: shop.graph.candidates("resources | project id", [SHOP]),
            "LogAnalytics.writers": lambda: shop.activity.writers([SHOP], now - timedelta(days=1), now),
            "WorkspaceRequestLog.calls": lambda: shop.request_log.calls({"tag_audit": now}, now),
        }
        return lambda method: calls[method]()

    @pytest.mark.parametrize(
        ("action", "method"),
        [(action, each) for action in TABLE if action not in DELETIONS for each in TABLE[action][1]],
    )
    def test_without_it(self, shop: Steward, call: Callable[[str], object], action: str, method: str) -> None:
        """And with it the call is answered. Where not all is lost, the answer has the reason."""
        assert "Azure answered" not in str(call(method))

        shop.simulator.assign(without(action))
        try:
            said = str(call(method))
        except AccessDenied as error:
            said = str(error)

        if method == "AzureEstate.subscriptions":
            assert said == "[]"  # as Azure tells it; who has seen one before misses it
        elif method == "ResourceGraph.candidates":
            assert "403 AccessDenied" in said
        elif method in ("LogAnalytics.writers", "WorkspaceRequestLog.calls"):
            assert "403 InsufficientAccessError" in said
        else:
            assert f"to perform action '{asked_for(action)}' over scope '".casefold() in said.casefold()


class TestDeletions:
    """Without the action to delete a type: `failed`, with the role and the action, and it is there."""

    @pytest.mark.parametrize("action", DELETIONS)
    def test_each_type(self, action: str) -> None:
        with yard(rule_of(action)) as at:
            run = at.looked()
            at.simulator.assign(without(action))
            ended, outcomes = at.applied(run)
            (outcome,) = outcomes.values()

            assert (ended.status, outcome.outcome) == (RunStatus.FAILED, Result.FAILED)
            assert f"needs the role Steward Deleter there, with '{action}'".casefold() in str(outcome.reason).casefold()
            assert (
                f"perform action '{action}' over scope '{outcome.resource_id}'".casefold()
                in str(outcome.reason).casefold()
            )
            assert outcome.resource_id.rpartition("/")[2] in {each.rpartition("/")[2] for each in at.there()}

            at.simulator.assign(None)
            ended, outcomes = at.applied(at.looked())
            assert (ended.status, [each.outcome for each in outcomes.values()]) == (
                RunStatus.SUCCEEDED,
                [Result.DELETED],
            )


class TestCleanup:
    """Without any one reading nothing is deleted, and the run says why."""

    @pytest.mark.parametrize("action", READS)
    def test_each_reading(self, action: str) -> None:
        """Whether it is lost before cleanup looks, or between a plan and its application."""
        with yard(rule_of(action)) as at:
            before = at.there()
            at.simulator.assign(without(action))
            looked = at.looked()
            assert (looked.status in (RunStatus.FAILED, RunStatus.PARTIAL), looked.plan) == (True, None)
            assert says_why(looked, action)

            at.simulator.assign(None)
            planned = at.looked()
            at.simulator.assign(without(action))
            ended, outcomes = at.applied(planned)
            assert (ended.status, at.there()) == (RunStatus.FAILED, before)
            assert says_why(ended, action)
            # Where no subscription is seen at all nothing is looked at.
            assert all(each.outcome is Result.SKIPPED and each.unread for each in outcomes.values())
            assert bool(outcomes) is (action != "Microsoft.Resources/subscriptions/read")

    @pytest.mark.parametrize("hidden", ["Microsoft.Compute/disks/read", "Microsoft.Compute/*", "*/disks/read"])
    @pytest.mark.parametrize("tags", [{}, {"delete-after": "2025-06-01"}], ids=["empty", "expired"])
    def test_what_is_hidden(self, hidden: str, tags: dict[str, str]) -> None:
        """A group that looks empty, or without what protects it, since Azure does not list what may not be read."""
        disk = replace(candidate("unattached-disk"), tags={"protected": "true"})
        rule = "expired" if tags else "empty-resource-group"
        with steward(group("rg-one", disk, tags=tags), group("rg-core"), toml=cleanup(rule)) as at:
            at.simulator.assign(without(hidden))
            looked = at.looked()

            assert (looked.status, looked.plan) == (RunStatus.FAILED, None)
            assert HIDDEN in str(looked.error)

    @pytest.mark.parametrize(
        ("scope", "deleted"),
        [(AT_GROUP, {"one", "two"}), (ROOT, {"one", "two"}), (ONE, {"one"}), (f"/subscriptions/{SHOP_TWO}", set())],
        ids=["management group", "subscription", "group", "another subscription"],
    )
    def test_the_deleter_at_a_scope(self, scope: str, deleted: set[str]) -> None:
        """What is in it goes, and nothing else."""
        rule = "unattached-disk"
        groups = [group(f"rg-{name}", candidate(rule, name)) for name in ("one", "two")]
        roles = only("reader") + only("deleter", at=scope)
        with steward(*groups, group("rg-core", candidate(rule, "kept")), toml=cleanup(rule), assignments=roles) as at:
            _, outcomes = at.applied(at.looked())

            assert {name for name, each in outcomes.items() if each.outcome is Result.DELETED} == deleted
            assert {name for name, each in outcomes.items() if each.outcome is Result.FAILED} == {
                "one",
                "two",
            } - deleted
            assert at.there() == {"rg-one", "rg-two", "rg-core", "one", "two", "kept"} - deleted

    def test_the_deleter_at_the_group_that_goes(self) -> None:
        """Its assignment goes with it; the reader's at the subscription tells that it is gone."""
        roles = only("reader", at=ROOT) + only("deleter", at=ONE)
        with steward(group("rg-one"), group("rg-core"), toml=cleanup("empty-resource-group"), assignments=roles) as at:
            _, outcomes = at.applied(at.looked())

            assert outcomes["rg-one"].outcome is Result.DELETED
            assert at.there() == {"rg-core"}

    def test_the_reader_alone(self) -> None:
        """It plans, and what is applied fails with the role that it takes."""
        with yard("unattached-disk") as at:
            at.simulator.assign(only("reader"))
            ended, outcomes = at.applied(at.looked())

            assert (ended.status, outcomes["one"].outcome) == (RunStatus.FAILED, Result.FAILED)
            assert "needs the role Steward Deleter there" in str(outcomes["one"].reason)


class TestTags:
    """What is read and written for tags."""

    @pytest.mark.parametrize(
        "action",
        [
            "Microsoft.Resources/subscriptions/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/subscriptions/resources/read",
        ],
    )
    def test_an_audit(self, action: str) -> None:
        """Without a reading that it needs it says so, and never that something has no tags."""
        with steward(group("rg-one", candidate("unattached-disk")), toml=OF_RESOURCES) as at:
            at.simulator.assign(without(action))
            run = at.run("tag-audit")

            assert (run.status, run.plan, run.counts.get("violations", 0)) == (RunStatus.FAILED, None, 0)
            assert says_why(run, action)

    @pytest.mark.parametrize(
        "roles",
        [without("Microsoft.Compute/disks/read"), without("Microsoft.Compute/*"), only("reader", at=ONE)],
        ids=["a type", "a provider", "all but a group"],
    )
    def test_what_is_hidden(self, roles: tuple[Assignment, ...]) -> None:
        """It is neither fixed nor compliant: Azure leaves out of its lists, without a word, what may not be read."""
        groups = group("rg-one"), group("rg-two", candidate("unattached-disk"))
        with steward(*groups, toml=OF_RESOURCES) as at:
            whole = at.run("tag-audit")
            at.simulator.assign(roles)
            run = at.run("tag-audit")

            assert (whole.status, whole.counts["violations"]) == (RunStatus.SUCCEEDED, 1)
            assert (run.status, run.counts["fixed_findings"]) == (RunStatus.FAILED, 0)
            assert says_why(run, "Microsoft.Authorization/permissions/read")

    @pytest.mark.parametrize(
        ("action", "told"),
        [
            (
                "Microsoft.Resources/subscriptions/providers/read",
                "so types that cannot carry tags are audited like all",
            ),
            ("Microsoft.OperationalInsights/workspaces/query/read", "Azure answered 403 InsufficientAccessError"),
            (
                "Microsoft.OperationalInsights/workspaces/query/AzureActivity/read",
                "Azure answered 403 InsufficientAccessError",
            ),
        ],
    )
    def test_what_an_audit_can_do_without(self, action: str, told: str) -> None:
        """The report says what could not be found out; with an exception in its role nothing else is vouched for."""
        with steward(group("rg-one", candidate("unattached-disk")), toml=OF_RESOURCES) as at:
            whole = at.run("tag-audit")
            at.simulator.assign(without(action))
            run = at.run("tag-audit")

            assert (run.status, run.counts["violations"]) == (RunStatus.FAILED, 1)
            assert HIDDEN in str(run.error)
            assert told in at.report(run)
            assert told not in at.report(whole)

    @pytest.mark.parametrize(
        ("action", "result"),
        [("Microsoft.Resources/tags/read", Result.SKIPPED), ("Microsoft.Resources/tags/write", Result.FAILED)],
    )
    def test_a_change(self, action: str, result: Result) -> None:
        """Nothing is written that was not read before, and nothing is called changed."""
        with steward(group("rg-one"), toml=TAGS) as at:
            run = at.run("tag-audit")
            at.simulator.assign(without(action))
            ended, outcomes = at.applied(run)

            assert (ended.status, outcomes["rg-one"].outcome) == (RunStatus.FAILED, result)
            assert f"to perform action '{action}' over scope '{ONE}" in str(outcomes["rg-one"].reason)
            assert at.tagged() == {}

            at.simulator.assign(None)
            _, outcomes = at.applied(at.run("tag-audit"))
            assert outcomes["rg-one"].outcome is Result.CHANGED
            assert at.tagged() == {"rg-one": {"owner": "team@example.com"}}

    @pytest.mark.parametrize(
        ("scope", "changed"),
        [(AT_GROUP, {"rg-one", "rg-two"}), (ROOT, {"rg-one", "rg-two"}), (ONE, {"rg-one"}), (None, set())],
        ids=["management group", "subscription", "group", "the reader alone"],
    )
    def test_the_tagger_at_a_scope(self, scope: str | None, changed: set[str]) -> None:
        """What is in it is changed, and nothing else; the reason names the role."""
        roles = only("reader") + (only("tagger", at=scope) if scope else ())
        with steward(group("rg-one"), group("rg-two"), toml=TAGS, assignments=roles) as at:
            _, outcomes = at.applied(at.run("tag-audit"))

            assert at.tagged().keys() == changed
            failed = [each for each in outcomes.values() if each.outcome is Result.FAILED]
            assert {each.resource_id for each in failed} == {ONE, TWO} - {f"{ROOT}/resourceGroups/{x}" for x in changed}
            assert all("needs the role Tag Contributor there, or Steward Tagger" in str(each.reason) for each in failed)


class TestListing:
    """What is listed, and what is said of the rest."""

    @pytest.mark.parametrize("hidden", ["Microsoft.Compute/disks/read", "Microsoft.Compute/*"])
    def test_what_is_hidden(self, hidden: str) -> None:
        """A group with something that may not be read is not called empty; its resources are not counted."""
        with steward(group("rg-one", candidate("unattached-disk")), toml=LIST) as at:
            at.simulator.assign(without(hidden))
            run = at.run("list-resource-groups")

            assert run.status is RunStatus.FAILED
            assert HIDDEN in str(run.error)
            found = lines(at.world, run.id, RESOURCE_GROUPS, ResourceGroup)
            assert {each.name: each.resources for each in found} == {"rg-one": None}

    @pytest.mark.parametrize(
        "action",
        [
            "Microsoft.Authorization/locks/read",
            "Microsoft.Management/managementGroups/descendants/read",
            "Microsoft.Resources/subscriptions/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Resources/subscriptions/resources/read",
        ],
    )
    def test_without_a_reading(self, action: str) -> None:
        """The run fails and says why; none of what it knew is gone."""
        with steward(group("rg-one"), toml=LIST + UNDER) as at:
            assert at.run("list-resource-groups").status is RunStatus.SUCCEEDED
            at.simulator.assign(without(action))
            run = at.run("list-resource-groups")

            assert run.status is RunStatus.FAILED
            assert says_why(run, action)
            assert not run.counts.get("gone_groups")

    @pytest.mark.parametrize(
        ("scope", "status", "read"),
        [
            ("/", RunStatus.SUCCEEDED, {SHOP, SHOP_TWO}),
            (AT_GROUP, RunStatus.PARTIAL, {SHOP}),
            (ROOT, RunStatus.PARTIAL, {SHOP}),
            (ONE, RunStatus.FAILED, set()),
        ],
        ids=["all", "management group", "subscription", "group"],
    )
    def test_the_reader_at_a_scope(self, scope: str, status: RunStatus, read: set[str]) -> None:
        """What is in it is read; what was read before is missed; of a group the locks of its subscription are."""
        with steward(group("rg-one"), toml=LIST) as at:
            at.run("list-resource-groups")
            at.simulator.assign(only("reader", at=scope))
            run = at.run("list-resource-groups")

            assert run.status is status
            assert {each.subscription_id for each in run.subscriptions if each.reading is Reading.COMPLETE} == read
            assert all(each.reason for each in run.subscriptions if each.reading is not Reading.COMPLETE)


def says_why(run: Run, action: str) -> bool:
    """Whether a run names the action that is missing, or what else it comes to, for a person to mend it."""
    said = " ".join(filter(None, [run.error, *(each.reason for each in run.subscriptions)])).casefold()
    ways = (
        f"to perform action '{asked_for(action)}' over scope",
        f"{HIDDEN}; give it the role reader there",
        "steward's identity sees none at all",
        "steward's identity lost its role there",
        "403 accessdenied",
    )
    return any(each.casefold() in said for each in ways)


class TestWatchdog:
    """Without the request log the record alone decides, and the report says why."""

    @pytest.mark.parametrize(
        "action",
        [
            "Microsoft.OperationalInsights/workspaces/query/read",
            "Microsoft.OperationalInsights/workspaces/query/AppRequests/read",
        ],
    )
    def test_a_missed_run(self, action: str) -> None:
        with steward(group("rg-one"), toml='[jobs.tag-audit]\nschedule = "0 0 5 * * *"\n') as at:
            self.watched(at)
            at.world.pass_time(days=1)
            assert "the request log was not read" not in self.told(at)
            at.simulator.assign(without(action))

            assert "there is no run for it; the request log was not read" in self.told(at)
            assert "Azure answered 403 InsufficientAccessError" in self.told(at)

    def watched(self, at: Steward) -> Run:
        at.world.pass_time(seconds=1)
        return at._performed(at.world.requests().by_hand("watchdog", Wanted(), TriggeredBy.HTTP))

    def told(self, at: Steward) -> str:
        run = self.watched(at)
        assert (run.status, run.counts["missed_runs"]) == (RunStatus.SUCCEEDED, 1)
        (finding,) = lines(at.world, run.id, FINDINGS, Finding)
        return finding.detail
