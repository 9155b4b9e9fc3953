"""The custom roles are defined once: what is printed is what infra/roles/ has, and what the clients call."""

import json
from pathlib import Path

import pytest

from shared_code.azure_permissions import covers
from shared_code.azure_roles import DELETER, GROUP_DELETE, READER, READS, ROLES, check_scope, deletions_of, role_for
from shared_code.cleanup_rules import RULES
from shared_code.errors import InvalidRequest, Unknown
from shared_code.settings import JOBS
from tests.azure_api.conftest import Script, _script, _simulator
from tests.infra.calls import Azure

script, simulator = _script, _simulator
FILES = Path(__file__).resolve().parent.parent / "infra" / "roles"
ELSEWHERE = {
    "microsoft.management/managementgroups/descendants/read": "asked at the management group",
    "microsoft.operationalinsights/workspaces/query/read": "asked at the workspace",
    "microsoft.resources/subscriptions/resourcegroups/exporttemplate/action": "no role has it by that name",
}
"""What a subscription's permissions do not tell, or what no role names."""


@pytest.mark.parametrize("name", ROLES)
def test_the_file_is_what_is_printed(name: str) -> None:
    """`steward doctor --role-for JOB > infra/roles/NAME.json` mends this."""
    assert (FILES / f"{name}.json").read_text() == ROLES[name].text()
    assert {path.stem for path in FILES.glob("*.json")} == set(ROLES)


def test_what_jobs_read_is_what_the_clients_ask_for(script: Script) -> None:
    """Both ways, so that the doctor misses nothing and asks for nothing."""
    asked = {action.casefold() for action, _ in Azure(script).needed()}
    named = {action.casefold() for actions in READS.values() for action in actions}
    own = {each for each in asked if each.startswith("microsoft.operationalinsights/")} | ELSEWHERE.keys()
    # Where a provider tells how far it is with a deletion, by the address that it gives.
    own |= {each for each in asked if "/locations/" in each}
    writes = {action.casefold() for role in ROLES.values() for action in role.actions} - {"*/read"}

    assert named - asked == set()
    assert asked - named - own - writes - {"microsoft.authorization/permissions/read"} == set()
    assert all(covers(READER.actions, action) for action in named)


def test_a_job_reads_what_it_is_for() -> None:
    """Each reads the lists; only cleanup looks at locks of everybody and at Resource Graph."""
    assert set(READS["list-resource-groups"]) < set(READS["tag-audit"]) | set(READS["cleanup"])
    assert "Microsoft.ResourceGraph/resources/read" not in READS["tag-audit"]
    assert "Microsoft.Web/serverfarms/sites/read" in READS["cleanup"]


def test_deletions_are_those_of_the_rules() -> None:
    """By their types, spelled as Azure does; a rule about groups deletes groups; one about any type names none."""
    assert deletions_of(["unattached-disk"]) == ("Microsoft.Compute/disks/delete",)
    assert deletions_of(["empty-resource-group"]) == (GROUP_DELETE,)
    assert deletions_of(["expired"]) == (GROUP_DELETE,)
    assert deletions_of(["no-such-rule"]) == ()
    assert deletions_of(RULES) == DELETER.actions
    assert not [action for action in DELETER.actions if action.startswith("microsoft.")]


def test_each_job_has_the_role_beyond_reading() -> None:
    assert {job: role_for(job).name for job in JOBS if job != "watchdog"} == {
        "list-resource-groups": "Steward Reader",
        "tag-audit": "Steward Tagger",
        "cleanup": "Steward Deleter",
    }
    with pytest.raises(InvalidRequest, match="Job 'watchdog' asks Azure for nothing, so it needs no role"):
        role_for("watchdog")
    with pytest.raises(Unknown, match=r"There is no job 'paint'; there are cleanup, "):
        role_for("paint")


@pytest.mark.parametrize(
    "scope",
    [
        "/subscriptions/5a000000-0000-4000-8000-000000000001",
        "/subscriptions/5A000000-0000-4000-8000-000000000001/resourcegroups/rg-shop.prod_(1)",
        "/providers/Microsoft.Management/managementGroups/mg-landing-zones",
    ],
)
def test_a_role_is_printed_for_a_scope(scope: str) -> None:
    assert json.loads(READER.text(check_scope(scope)))["AssignableScopes"] == [scope]


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "/",
        "*",
        "/subscriptions/shop",
        "/subscriptions/5a000000-0000-4000-8000-000000000001/",
        "/subscriptions/5a000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/disks/d",
        "/providers/Microsoft.Management/managementGroups/a b",
        "\x1b[31m",
    ],
)
def test_no_role_is_printed_for_anything_else(scope: str) -> None:
    """Azure refuses it later, or takes it for everything."""
    with pytest.raises(
        InvalidRequest, match=r"^--scope is '.*', and a role is assigned at a management group"
    ) as error:
        check_scope(scope)
    assert "\x1b" not in str(error.value)
