"""The templates fit together: what a compiler would look for, as far as a parser can tell."""

import json
import re
from typing import Any

import pytest

from tests.infra.bicep import FILES, INFRA, TREES, Tree, accessed, body, only, words

FIRST = TREES["main.bicep"]
every_file = pytest.mark.parametrize("file", TREES)
FUNCTIONS = {"environment", "subscription", "resourceGroup"}
"""Those of Bicep that give something with properties."""


def modules() -> list[tuple[str, Tree, Tree]]:
    """Each module that is called, with its name, how it is called, and its file."""
    return [
        (name, body(called), TREES[called["detail"]["path"]])
        for tree in TREES.values()
        for name, called in tree.get("modules", {}).items()
    ]


def test_every_file_is_parsed_and_used() -> None:
    """A file that nobody calls would never be deployed."""
    called = {each["detail"]["path"] for each in FIRST["modules"].values()}

    assert {path.relative_to(INFRA).as_posix() for path in FILES} == {"main.bicep", *called}


@every_file
def test_everything_that_is_asked_for_or_given_is_described(file: str) -> None:
    """Whoever deploys sees the descriptions in the portal and in the editor."""
    tree = TREES[file]
    for name, each in (tree.get("parameters", {}) | tree.get("outputs", {})).items():
        said = [one["argument"] for one in each["decorators"] if one["type"] == "description"]
        assert len(said) == 1, name
        assert said[0].endswith("."), name


@every_file
def test_every_parameter_and_variable_is_used(file: str) -> None:
    """One that is not says that something is missing."""
    tree = TREES[file]
    said = list(words([tree.get(kind, {}) for kind in ("resources", "modules", "outputs", "variables", "parameters")]))
    for name in [*tree.get("parameters", {}), *tree.get("variables", {})]:
        assert said.count(name) > 1, name  # once where it is declared


@every_file
def test_every_version_is_of_a_day_and_no_preview(file: str) -> None:
    """A preview goes away."""
    for each in TREES[file].get("resources", {}).values():
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", each["api_version"]), each["type"]


@pytest.mark.parametrize(
    ("name", "called", "tree"), modules(), ids=lambda given: given if isinstance(given, str) else ""
)
def test_a_module_is_given_what_it_asks_for(name: str, called: Tree, tree: Tree) -> None:
    """Nothing more, and nothing less but what has a default."""
    known = tree.get("parameters", {})
    needed = {each for each, declared in known.items() if declared["default"] is None}

    assert needed <= called["params"].keys() <= known.keys(), name


def test_outputs_that_are_read_exist() -> None:
    """`storage.outputs.name` is an output of that module."""
    files = {name: tree for name, _, tree in modules()}
    read = [chain for chain in accessed(FIRST) if len(chain) > 2 and chain[1] == "outputs"]

    assert {chain[0] for chain in read} == {"identity", "storage", "monitoring", "network", "app"}
    for name, _, output, *_ in read:
        assert output in files[name]["outputs"], f"{name}.outputs.{output}"


@every_file
def test_every_name_is_declared(file: str) -> None:
    """What has properties, and what stands in a text: parameters, variables, resources, modules, items of loops."""
    tree = TREES[file]
    kinds = ("parameters", "variables", "resources", "modules")
    known = {name for kind in kinds for name in tree.get(kind, {})}
    for each in tree.get("resources", {}).values():
        loop = each["config"].get("loop_type")
        known |= {loop["detail"]["item_name"]} if loop else set()

    for chain in accessed(tree):
        assert chain[0] in known | FUNCTIONS, chain


@every_file
def test_parents_are_declared(file: str) -> None:
    """What lies in something else names it."""
    tree = TREES[file]
    for each in tree.get("resources", {}).values():
        parent = body(each).get("parent")
        deep = each["type"].count("/") > 1
        assert each["existing"] or deep == (parent is not None), each["type"]


def test_secrets_are_secret() -> None:
    """An address that lets whoever has it send in our name is in no log of a deployment."""
    secret = {
        (file, name)
        for file, tree in TREES.items()
        for name, each in tree.get("parameters", {}).items()
        if {"type": "secure"} in each["decorators"]
    }

    urls = {"heartbeatUrl", "noticeUrl", "ownerUrl", "fallbackUrl"}
    assert secret == {(file, name) for file in ("main.bicep", "modules/app.bicep") for name in urls}
    said = {word for tree in TREES.values() for word in words(tree.get("outputs", {}))}
    assert not urls & said


def test_the_parameter_file_names_parameters() -> None:
    """Each is one of main.bicep, and those without a default are all there."""
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    known = FIRST["parameters"]

    assert given.keys() <= known.keys()
    assert {name for name, each in known.items() if each["default"] is None} <= given.keys()
    for name, each in given.items():
        default = known[name]["default"]
        if default is not None:
            written = default if isinstance(default, dict) else str(default).lower()
            assert each["value"] == written or re.fullmatch(rf"\$\{{[A-Z_]+={written}}}", each["value"]), name


def test_what_the_runbooks_need_is_an_output() -> None:
    """`azd env get-values` says what the runbooks ask for at their beginning."""
    asked: set[str] = set()
    for runbook in (INFRA.parent / "runbooks").glob("*.md"):
        for names in re.findall(r"^export (.*-dev.*)$", runbook.read_text(), re.MULTILINE):
            asked |= set(re.findall(r"(\w+)=", names))
        asked |= set(re.findall(r"^export (STEWARD_RESOURCE_GROUP|STEWARD_STORE)=", runbook.read_text(), re.MULTILINE))

    assert {"APP", "GROUP", "URL"} <= asked
    assert asked | {"PRINCIPAL_ID"} == FIRST["outputs"].keys()


def test_the_app_is_on_flex_consumption_with_the_python_it_needs() -> None:
    """Nothing older than 3.13 loads it, and only Flex Consumption is what it is made for."""
    plan, app = only("Microsoft.Web/serverfarms"), only("Microsoft.Web/sites")
    config = app["properties"]["functionAppConfig"]

    assert plan["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    assert app["properties"]["httpsOnly"] is True
    assert app["identity"]["type"] == "UserAssigned"
    assert config["deployment"]["storage"]["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": "identityId",
    }


def test_azd_finds_the_app() -> None:
    """By a tag that is the name of the service in azure.yaml."""
    tags: dict[str, Any] = only("Microsoft.Web/sites")["tags"]["function"]["parameters"]["arg_2"]
    azure = (INFRA.parent / "azure.yaml").read_text()

    assert re.findall(r"^services:\n  (\w+):$", azure, re.MULTILINE) == list(tags.values())
    assert list(tags) == ["'azd-service-name'"]
    assert "'azd-env-name'" in FIRST["variables"]["tags"]["value"]
    hook = re.search(r"^hooks:\n  postdeploy:\n    shell: sh\n    run: (\S+)$", azure, re.MULTILINE)
    assert hook is not None
    assert (INFRA.parent / hook[1]).stat().st_mode & 0o100


def test_private_networking_has_a_way_out_and_a_way_to_storage() -> None:
    """Azure Resource Manager is outside, and each of the three services has an address of its own."""
    network = only("Microsoft.Network/virtualNetworks")
    app, storage = network["properties"]["subnets"]

    assert app["properties"]["delegations"][0]["properties"] == {"serviceName": "Microsoft.App/environments"}
    assert "natGateway" in app["properties"]
    assert "natGateway" not in storage["properties"]
    assert TREES["modules/network.bicep"]["variables"]["services"]["value"] == ["blob", "queue", "table"]
