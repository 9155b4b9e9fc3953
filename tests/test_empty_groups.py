"""Empty resource groups: what counts as empty, and what is empty only to the eye."""

from typing import Any

import pytest

from shared_code.cleanup_rules import RULES, Match
from shared_code.cleanup_settings import RuleSettings
from shared_code.durations import Duration
from shared_code.model import Resource, ResourceGroup
from shared_code.protection import Policy, protections
from tests.cleanup import GROUP, NOW, around, group, judge, member, ref, target

RULE = "empty-resource-group"
READ: dict[str, Any] = {"stacks": (), "deployments": ()}


def test_finds_one_in_which_nothing_is() -> None:
    found = judge(RULE)

    assert isinstance(found, Match)
    assert found.evidence == {"resources": "0", "tags": "0"}


def test_members_and_count_must_agree() -> None:
    """A list that stopped early has no members, and is no empty list."""
    near = around(group=group(resources=0), members=(member("one"), member("two")))
    assert judge(RULE, near=near) == f"it has members: 2, '{member('one').id}' among them"
    assert judge(RULE, near=around(group=group(resources=3))) == "it has resources: 3"
    assert judge(RULE, near=around(group=group(resources=None))) == "its resources were not counted to the end"
    assert judge(RULE, near=around(group=None)) == "the group was not read"


@pytest.mark.parametrize("state", [None, "", "Deleting", "Failed", "deleting"])
def test_one_that_is_not_settled_is_kept(state: str | None) -> None:
    assert isinstance(judge(RULE, target(RULE, state=state)), str)


@pytest.mark.parametrize("given", [None, 1, "Deleting", ["Succeeded"]])
def test_its_definition_must_not_say_otherwise(given: object) -> None:
    assert isinstance(judge(RULE, target(RULE, definition={"properties": {"provisioningState": given}})), str)


@pytest.mark.parametrize("state", ["Succeeded", "succeeded", "SUCCEEDED"])
def test_states_in_any_case(state: str) -> None:
    settled = target(RULE, state=state, definition={"properties": {"provisioningState": state}})

    assert isinstance(judge(RULE, settled), Match)


@pytest.mark.parametrize("owner", [ref("Microsoft.ContainerService/managedClusters/aks")["id"], "test_admin"])
def test_a_managed_one_is_kept_whoever_says_so(owner: str) -> None:
    """Seldom a free text stands where the id of the owner should."""
    assert isinstance(judge(RULE, target(RULE, managed_by=owner)), str)
    assert isinstance(judge(RULE, target(RULE, definition={"managedBy": owner})), str)
    assert isinstance(judge(RULE, near=around(group=group(managed_by=owner))), str)


@pytest.mark.parametrize(
    "name",
    [
        "NetworkWatcherRG",
        "AzureBackupRG_westeurope_1",
        "cloud-shell-storage-westeurope",
        "DefaultResourceGroup-WEU",
        "MC_rg_aks_westeurope",
        "databricks-rg-shop-x1",
    ],
)
def test_those_that_azure_makes_for_itself_are_kept_by_protection(name: str) -> None:
    own = GROUP.replace("rg-shop", name)

    assert protections(target(RULE, id=own, name=name), around(group=group(id=own, name=name)), Policy())


def test_nobody_manages_what_an_empty_text_manages() -> None:
    assert isinstance(judge(RULE, target(RULE, managed_by="", definition={"managedBy": None})), Match)


@pytest.mark.parametrize(("stack", "shown"), [({"name": "landing-zone"}, "landing-zone"), ({}, "without a name")])
def test_one_with_a_deployment_stack_is_kept(stack: dict[str, Any], shown: str) -> None:
    said = judge(RULE, near=around(lists=READ | {"stacks": (stack,)}))

    assert said == f"a deployment stack is in it: '{shown}'"


@pytest.mark.parametrize("state", ["Running", "Accepted", "Waiting", "", None, 5, "Finished"])
def test_one_into_which_something_is_being_deployed_is_kept(state: object) -> None:
    running = {"name": "shop-1", "properties": {"provisioningState": state}}

    said = judge(RULE, near=around(lists=READ | {"deployments": (running,)}))

    assert isinstance(said, str)
    assert said.startswith("a deployment has not ended: 'shop-1' is ")


def test_a_deployment_without_a_name_counts_too() -> None:
    said = judge(RULE, near=around(lists=READ | {"deployments": ({},)}))

    assert said == "a deployment has not ended: 'without a name' is null"


@pytest.mark.parametrize("state", ["Succeeded", "failed", "Canceled"])
def test_deployments_that_have_ended_say_nothing(state: str) -> None:
    ended = {"name": "shop-1", "properties": {"provisioningState": state}}

    assert isinstance(judge(RULE, near=around(lists=READ | {"deployments": (ended,)})), Match)


@pytest.mark.parametrize("missing", ["stacks", "deployments"])
def test_what_was_not_read_is_not_nothing(missing: str) -> None:
    lists = {name: items for name, items in READ.items() if name != missing}

    assert str(judge(RULE, near=around(lists=lists))).endswith("were not read")


def test_a_resource_is_no_group() -> None:
    assert isinstance(judge(RULE, target("unattached-disk", state="Succeeded")), str)


def test_only_groups_of_which_the_list_says_so_are_looked_at() -> None:
    candidate = RULES[RULE].candidate
    assert candidate

    given: list[ResourceGroup | Resource] = [group(resources=0), group(resources=1), group(resources=None), member()]
    assert [candidate(each, RuleSettings(), NOW) for each in given] == [True, False, False, False]


def test_it_waits_for_two_weeks_and_three_looks() -> None:
    """Between two deployments a group may well be empty for some days."""
    assert (RULES[RULE].minimum_age, RULES[RULE].minimum_observations) == (Duration.parse("14d"), 3)
