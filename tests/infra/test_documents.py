"""infra/README.md says what is there: files, parameters, alerts, links and commands."""

import json
import re
import subprocess

import pathspec
import pytest

from tests.docs.markdown import Page
from tests.infra.bicep import ALERTS_FILE, FILES, INFRA, TREES, named

PAGE = Page(INFRA / "README.md")
FIRST = TREES["main.bicep"]


def test_every_file_is_in_the_table() -> None:
    """And nothing else; the roles have a section of their own."""
    told = {name for row in PAGE.table("File", "What it makes") for name in re.findall(r"\]\(([^)]+)\)", row[0])}
    there = {path.relative_to(INFRA).as_posix() for path in FILES} | {
        "functions.txt",
        "postdeploy.sh",
        "queries",
        "roles",
    }

    assert told == there
    others = {path.name for path in INFRA.iterdir()} - {name.partition("/")[0] for name in there}
    assert others == {"README.md", "main.parameters.json"}


def test_every_parameter_is_in_the_table() -> None:
    """With the name by which `azd env set` gives it."""
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    rows = PAGE.table("Parameter", "`azd env set`")
    told = {row[0].strip("`"): re.findall(r"^`(\w+)`", row[1]) for row in rows}

    assert told == {
        name: re.findall(r"^\$\{(\w+)", str(given[name]["value"])) if name in given else []
        for name in FIRST["parameters"]
    }


def test_every_alert_is_in_the_table() -> None:
    """By its name."""
    rules = {each["name"] for each in named("rules", TREES[ALERTS_FILE]["variables"])}

    assert {row[0].strip("`") for row in PAGE.table("Rule", "Raised by")} == rules | {"watchdog-silent"}


def test_every_output_is_named() -> None:
    """They are what an operator looks for."""
    assert FIRST["outputs"].keys() <= set(re.findall(r"`([A-Z_]+)`", PAGE.prose))


def test_links_lead_somewhere() -> None:
    """To files, and to headings of this page."""
    anchors = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in PAGE.headings(2)}
    for target in PAGE.links:
        path, _, anchor = target.partition("#")
        assert (INFRA / path).exists(), target
        assert path or anchor in anchors, target


def test_commands_are_valid_shell() -> None:
    """They cannot be run here."""
    assert PAGE.commands()
    for command in PAGE.commands():
        checked = subprocess.run(["bash", "-n"], input=command.text, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("name", ["infra/main.bicep", "azure.yaml", ".azure/dev/.env", "main_env/bin/python"])
def test_nothing_of_it_is_deployed(name: str) -> None:
    """Nor what azd leaves in the folder: its environments, and the packages it installs beside the app."""
    ignored = pathspec.GitIgnoreSpec.from_lines((INFRA.parent / ".funcignore").read_text().splitlines())

    assert ignored.match_file(name)
