"""The custom roles: an action for each call that the app makes, and a call for each action."""

import inspect
import json
import re
from typing import Any

import pytest

from devkit.simulator.actions import action_of, asked_for
from devkit.simulator.roles import Role
from shared_code.cleanup_rules import RULES
from shared_code.model import Kind
from tests.azure_api.conftest import Script
from tests.docs.markdown import Page
from tests.infra.bicep import INFRA
from tests.infra.calls import CLIENTS, Azure

ROLES: dict[str, dict[str, Any]] = {
    name: json.loads((INFRA / "roles" / f"{name}.json").read_text()) for name in ("reader", "tagger", "deleter")
}


def permits(role: dict[str, Any], action: str) -> bool:
    """Whether a role has an action."""
    return Role(role["Name"], tuple(role["Actions"]), tuple(role["NotActions"])).permits(asked_for(action))


@pytest.fixture(name="needed")
def _needed(script: Script) -> dict[str, set[str]]:
    """By action without case, the methods that need it."""
    found: dict[str, set[str]] = {}
    for action, method in Azure(script).needed():
        found.setdefault(action.casefold(), set()).add(method)
    return found


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/subscriptions?api-version=1", "Microsoft.Resources/subscriptions/read"),
        ("GET", "/subscriptions/s/resourcegroups?a=1", "Microsoft.Resources/subscriptions/resourceGroups/read"),
        ("DELETE", "/subscriptions/s/resourceGroups/g", "Microsoft.Resources/subscriptions/resourceGroups/delete"),
        ("GET", "/subscriptions/s/resources", "Microsoft.Resources/subscriptions/resources/read"),
        (
            "GET",
            "/subscriptions/s/resourceGroups/g/resources",
            "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
        ),
        ("GET", "/subscriptions/s/providers", "Microsoft.Resources/subscriptions/providers/read"),
        ("GET", "/subscriptions/s/providers/Microsoft.Compute", "Microsoft.Resources/subscriptions/providers/read"),
        ("GET", "/subscriptions/s/providers/Microsoft.Authorization/locks", "Microsoft.Authorization/locks/read"),
        ("DELETE", "/subscriptions/s/resourceGroups/g/providers/A.B/c/d/e/f", "A.B/c/e/delete"),
        ("PATCH", "/subscriptions/s/providers/Microsoft.Resources/tags/default", "Microsoft.Resources/tags/write"),
        (
            "POST",
            "/subscriptions/s/resourceGroups/g/exportTemplate",
            "Microsoft.Resources/subscriptions/resourceGroups/exportTemplate/action",
        ),
        ("POST", "/providers/Microsoft.ResourceGraph/resources", "Microsoft.ResourceGraph/resources/read"),
    ],
)
def test_an_action_is_made_of_method_and_path(method: str, path: str, action: str) -> None:
    """As Azure Resource Manager makes it."""
    assert action_of(method, path) == action


def test_every_method_of_every_client_is_called(script: Script) -> None:
    """A client that learns to ask for more fails here until its action is looked at."""
    public = {
        f"{client.__name__}.{name}"
        for client in CLIENTS
        for name, _ in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_")
    }

    assert Azure(script).methods.keys() == public


def test_nobody_else_asks_azure() -> None:
    """What sends requests is in the modules of those clients, and in what they share."""
    shared = {"arm", "api_versions", "workspace"}
    known = {client.__module__.rpartition(".")[2] for client in CLIENTS} | shared
    folder = INFRA.parent / "shared_code" / "azure_api"
    asks = re.compile(r"\b_?arm\.(?:pages|send|exchange)\(|workspace\.rows\(|query_workspace\(|send_request\(")

    assert {path.stem for path in folder.glob("*.py") if asks.search(path.read_text())} == known


def test_no_call_is_without_an_action(needed: dict[str, set[str]]) -> None:
    """Reading needs the reader, tags the tagger besides, a deletion the deleter besides."""
    besides = {"AzureTags.merge": "tagger", "AzureTags.delete": "tagger", "AzureRemover.delete": "deleter"}
    for action, methods in needed.items():
        for method in methods:
            held = ["reader", *([besides[method]] if method in besides else [])]
            assert any(permits(ROLES[name], action) for name in held), f"{method} needs {action}"


def test_no_action_is_without_a_call(needed: dict[str, set[str]]) -> None:
    """Nor twice: each is in one role."""
    for name, role in ROLES.items():
        for pattern in role["Actions"]:
            alone = role | {"Actions": [pattern]}
            assert any(permits(alone, action) for action in needed), f"{name}: {pattern}"
    writes = [action for name in ("tagger", "deleter") for action in ROLES[name]["Actions"]]
    assert len(writes) == len({action.casefold() for action in writes})
    assert not [action for action in writes if permits(ROLES["reader"], action)]


def test_what_changes_azure_is_named_in_full() -> None:
    """No pattern: whoever reads the role sees all that it may do."""
    assert ROLES["reader"]["Actions"] == ["*/read"]
    assert ROLES["tagger"]["Actions"] == ["Microsoft.Resources/tags/write"]
    assert not [action for action in ROLES["deleter"]["Actions"] if "*" in action or not action.endswith("/delete")]


def test_every_type_that_a_rule_is_about_may_be_deleted() -> None:
    """And no other: what is only past its date may be anything, and is for the operator to add."""
    types = {type_ for rule in RULES.values() for type_ in rule.types}
    groups = {"microsoft.resources/subscriptions/resourcegroups"}
    assert any(Kind.RESOURCE_GROUP in rule.kinds for rule in RULES.values())

    actions = {action.casefold().removesuffix("/delete") for action in ROLES["deleter"]["Actions"]}
    assert actions == types | groups
    assert [name for name, rule in RULES.items() if Kind.RESOURCE in rule.kinds and not rule.types] == ["expired"]


@pytest.mark.parametrize("name", ROLES)
def test_a_role_is_whole(name: str) -> None:
    """As `az role definition create` takes it; without data actions, since those forbid a management group."""
    role = ROLES[name]

    assert role.keys() == {
        "Name", "IsCustom", "Description", "Actions", "NotActions", "DataActions", "NotDataActions", "AssignableScopes",
    }  # fmt: skip
    assert role["IsCustom"] is True
    assert (role["NotActions"], role["DataActions"], role["NotDataActions"]) == ([], [], [])
    assert role["AssignableScopes"] == ["SCOPE"]
    assert role["Actions"] == sorted(role["Actions"], key=str.casefold)


def test_the_table_is_what_is_called(needed: dict[str, set[str]]) -> None:
    """infra/README.md: every action, the role that has it, and what asks."""
    rows = Page(INFRA / "README.md").table("Action", "Role", "Asked by")
    told = {row[0].strip("`").casefold(): (row[1], {each.strip(" `") for each in row[2].split(",")}) for row in rows}

    assert len(told) == len(rows)
    assert told == {
        action: (next(name for name, role in ROLES.items() if permits(role, action)), methods)
        for action, methods in needed.items()
    }
