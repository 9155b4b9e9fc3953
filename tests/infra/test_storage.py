"""Storage: the containers and queues that the code names, and who may do what there."""

import re

from __app__ import queue
from shared_code.environment import read_environment
from tests.infra.bicep import INFRA, TREES, looped, only

STORAGE, ACCESS = TREES["modules/storage.bicep"], TREES["modules/access.bicep"]
NEEDED = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
"""learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity and
learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage. The owner is what the host asks for, and the
store and the deployment need less; the queues have a trigger, an output and a poison queue."""
LOGS = {"Log Analytics Reader": "73c42c96-874c-492b-b04d-ab87d138a893"}
TELEMETRY = {"Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb"}


def made(name: str) -> list[str]:
    return looped(STORAGE["resources"][name], STORAGE["variables"])


def test_the_queues_are_those_of_the_code(registered: dict[str, dict[str, str]]) -> None:
    """Both ways, the poison queue too; and all are reached by the connection that has an identity."""
    listened = {each["queueName"] for each in registered.values() if each["type"] == "queueTrigger"}

    assert sorted(made("queues")) == sorted(listened) == sorted([queue.NAME, queue.POISON])
    assert {each["connection"] for each in registered.values() if "connection" in each} == {"AzureWebJobsStorage"}


def test_the_containers_are_those_of_the_app_and_of_its_deployment() -> None:
    """The store where the code looks for it, and the package where the app is told to."""
    environ = {"AzureWebJobsStorage__accountName": "ststeward"}
    store = read_environment(environ, INFRA).store.rpartition("/")[2]

    package = only("Microsoft.Web/sites")["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert package["value"] == "${account.properties.primaryEndpoints.blob}${deploymentContainer}"
    assert STORAGE["outputs"]["deploymentContainer"]["value"] == "deployments"
    assert sorted(made("containers")) == sorted([store, STORAGE["variables"]["deployments"]["value"]])


def test_the_account_has_no_keys_and_nothing_public() -> None:
    """Whoever reads or writes has signed in."""
    properties = only("Microsoft.Storage/storageAccounts")["properties"]

    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert properties["supportsHttpsTrafficOnly"] is True
    assert properties["minimumTlsVersion"] == "TLS1_2"


def test_the_identity_has_the_roles_that_are_needed_and_no_other() -> None:
    """On the account, the component and the workspace, not on the group or the subscription."""
    assert {each["name"]: each["id"] for each in ACCESS["variables"]["onStorage"]["value"]} == NEEDED
    assert {each["name"]: each["id"] for each in ACCESS["variables"]["onComponent"]["value"]} == TELEMETRY
    assert {each["name"]: each["id"] for each in ACCESS["variables"]["onWorkspace"]["value"]} == LOGS

    assigned = [
        (tree["config"]["loop_type"]["detail"]["array_name"], tree["config"]["config"]["scope"])
        for file in TREES.values()
        for tree in file.get("resources", {}).values()
        if tree["type"] == "Microsoft.Authorization/roleAssignments"
    ]
    assert assigned == [("onStorage", "account"), ("onComponent", "component"), ("onWorkspace", "workspace")]


def test_telemetry_needs_a_sign_in() -> None:
    """So the connection string is no secret."""
    assert only("Microsoft.Insights/components")["properties"]["DisableLocalAuth"] is True


def test_the_component_is_found_by_the_apps_name() -> None:
    """The runbooks ask for it by that."""
    modules = TREES["main.bicep"]["modules"]
    names = [modules[each]["config"]["params"]["name"] for each in ("app", "monitoring", "alerts")]

    assert names == ["appName"] * 3
    said = [text for path in (INFRA.parent / "runbooks").glob("*.md") for text in re.findall(
        r"az monitor app-insights query .*--app \"\$\{(\w+)\?}\"", path.read_text()
    )]  # fmt: skip
    assert set(said) == {"APP"}
