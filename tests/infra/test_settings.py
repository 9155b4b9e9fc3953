"""The app settings in the templates are those that the code and the platform read."""

import re
from pathlib import Path

from shared_code.environment import SETTINGS, read_environment
from shared_code.settings import configure
from tests.infra.bicep import INFRA, TREES, named, settings

ROOT = INFRA.parent
NAMES = {each.name for each in SETTINGS}
DEFAULTS_HOLD = {
    "STEWARD_CONFIG": "steward.toml is deployed beside host.json",
    "STEWARD_STORE": "it follows from AzureWebJobsStorage__blobServiceUri",
    "STEWARD_ARM_ENDPOINT": "Flex Consumption is in public Azure alone",
    "STEWARD_ARM_AUDIENCE": "likewise",
    "STEWARD_LOGS_ENDPOINT": "likewise",
    "STEWARD_LOGS_AUDIENCE": "likewise",
}
"""What needs no value in Azure, and why."""
PLATFORM = {
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__queueServiceUri",
    "AzureWebJobsStorage__tableServiceUri",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
"""What the Functions host reads: learn.microsoft.com/azure/azure-functions/functions-app-settings."""


def test_every_setting_of_the_code_is_set_or_needs_none() -> None:
    """Both ways: no setting is forgotten, and none is set that nobody reads."""
    assert settings().keys() - PLATFORM == NAMES - DEFAULTS_HOLD.keys()
    assert settings().keys() >= PLATFORM


def test_nothing_is_set_that_flex_consumption_does_not_take() -> None:
    """learn.microsoft.com/azure/azure-functions/flex-consumption-plan lists them; its time is UTC."""
    refused = re.compile(r"FUNCTIONS_|WEBSITE_|SCM_|ENABLE_ORYX|TZ$|AzureWebJobsStorage$|AzureWebJobsDashboard")

    assert not [name for name in settings() if refused.match(name)]


def test_the_app_knows_its_own_group() -> None:
    """Cleanup leaves alone what it is told is its own, and does not run where nobody tells."""
    told = settings()["STEWARD_RESOURCE_GROUP"]["operator"]["operands"]

    assert told["operand_1"]["function"]["type"] == "resource_group"
    assert told["operand_1"]["function"]["parameters"] == {"resource_group_name": None, "subscription_id": None}
    assert told["operand_2"] == "id"


def test_an_operators_setting_cannot_take_the_place_of_one_of_these() -> None:
    """Of two with one name `union` takes the last: the group to be left alone is not up to a parameter."""
    union = TREES["modules/app.bicep"]["resources"]["settings"]["config"]["properties"]["function"]

    assert union["parameters"]["arg_1"] == "extraSettings"
    assert list(union["parameters"]) == ["arg_1", "arg_2"]


def test_the_app_makes_of_them_what_the_templates_mean(tmp_path: Path) -> None:
    """With these settings and none else: no problem, the store in the container that is made, and nothing else on."""
    group = "/subscriptions/5a000000-0000-4000-8000-000000000001/resourceGroups/rg-steward-dev"
    client = "5b000000-0000-4000-8000-000000000001"
    environ = dict.fromkeys(settings(), "") | {
        "AzureWebJobsStorage__blobServiceUri": "https://ststeward.blob.core.windows.net/",
        "AZURE_CLIENT_ID": client,
        "STEWARD_RESOURCE_GROUP": group,
        "STEWARD_READ_ONLY": "False",
        "WEBSITE_POD_NAME": "pod",
    }

    read = read_environment(environ, tmp_path)

    storage = TREES["modules/storage.bicep"]
    container = storage["variables"]["store"]["value"]
    assert container in named(
        storage["resources"]["containers"]["config"]["loop_type"]["detail"]["array_name"], storage["variables"]
    )
    assert read.store == f"https://ststeward.blob.core.windows.net/{container}"
    assert storage["outputs"]["storeUrl"]["value"] == "${account.properties.primaryEndpoints.blob}${store}"
    assert (read.own_resource_group, read.client_id, read.read_only) == (group, client, False)
    problems = (read.problems, read.watchdog_problems, read.activity_problems, read.cleanup_problems)
    assert problems == ((), (), (), ())
    assert (read.heartbeat_url, read.logs_workspace_id) == (None, None)
    assert read_environment(environ | {"STEWARD_READ_ONLY": "True"}, tmp_path).read_only


def test_what_steward_toml_reads_is_set() -> None:
    """Every %NAME% in it, in what is switched off too; as it is deployed it has no problem without any other."""
    content = (ROOT / "steward.toml").read_bytes()
    named_there = set(re.findall(r"%([A-Za-z_]\w*)%", content.decode())) - {"NAME"}

    assert named_there
    assert named_there <= settings().keys()
    assert configure(content, "steward.toml", dict.fromkeys(settings(), "")).problems == ()
