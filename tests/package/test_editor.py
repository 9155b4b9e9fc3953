"""What Visual Studio Code reads: every file and command that it names is there."""

import json
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.docs.checkout import ROOT, check_out

FOLDER = ROOT / ".vscode"
NAMES = ["extensions.json", "launch.json", "settings.json", "tasks.json"]


def read(name: str) -> Any:
    """One of the files; they have no comments, so that every parser takes them."""
    return json.loads((FOLDER / name).read_bytes())


def tasks() -> dict[str, dict[str, Any]]:
    """The tasks, by label."""
    return {task["label"]: task for task in read("tasks.json")["tasks"]}


def test_the_files() -> None:
    """No other is there."""
    assert sorted(path.name for path in FOLDER.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_a_machine(name: str) -> None:
    """Paths are relative, or begin at the folder that is open."""
    text = (FOLDER / name).read_text()

    assert not re.search(r'"(/|~/|[A-Z]:)', text)
    assert re.findall(r"\$\{(\w+)", text).count("workspaceFolder") == text.count("${")


def test_f5_starts_the_host_and_attaches() -> None:
    """As the Azure Functions extension does: the task starts `func`, which listens for the debugger there."""
    first = read("launch.json")["configurations"][0]
    task = tasks()[first["preLaunchTask"]]

    assert (first["name"], first["type"], first["request"]) == ("Attach to Python Functions", "debugpy", "attach")
    assert first["connect"] == {"host": "localhost", "port": 9091}
    assert (task["type"], task["command"], task["isBackground"]) == ("func", "host start", True)


def test_tasks_call_commands_that_are_there() -> None:
    """`./dev` does what their label says."""
    usage = subprocess.run([ROOT / "dev", "--help"], capture_output=True, text=True, check=True).stdout
    shells = [task for task in tasks().values() if task["type"] == "shell"]

    assert {"./dev up", "./dev test", "./dev package"} <= set(tasks())
    for task in shells:
        assert task["command"] == "./dev"
        assert f"./dev {task['args'][0]} " in usage
        assert task["label"].removeprefix("./dev ") == task["args"][0]


def test_install_does_nothing_else(tmp_path: Path) -> None:
    """Where everything is there already it is silent."""
    done = check_out(tmp_path / "checkout").dev("install")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_named_is_there() -> None:
    """Tasks by tasks and by launches, modules, and files in the settings."""
    launches, settings = read("launch.json")["configurations"], read("settings.json")
    named = [task["dependsOn"] for task in tasks().values() if "dependsOn" in task]

    assert {*named, *(launch["preLaunchTask"] for launch in launches)} <= set(tasks())
    assert all(find_spec(launch["module"]) for launch in launches if "module" in launch)
    for pattern, schema in settings["evenBetterToml.schema.associations"].items():
        assert (ROOT / schema).is_file()
        assert [path.name for path in ROOT.glob("*.toml") if re.search(pattern, path.name)] == ["steward.toml"]
    assert all((ROOT / path).is_dir() for path in settings["python.testing.pytestArgs"])
    assert settings["python.defaultInterpreterPath"] == "${workspaceFolder}/.venv/bin/python"


def test_the_project_is_what_the_extension_has_to_know() -> None:
    """Functions 4, Python, the model with decorators, and the environment that `./dev` makes."""
    settings = read("settings.json")

    assert settings["azureFunctions.projectRuntime"] == "~4"
    assert (settings["azureFunctions.projectLanguage"], settings["azureFunctions.projectLanguageModel"]) == (
        "Python",
        2,
    )
    assert settings["azureFunctions.pythonVenv"] == ".venv"


def test_what_it_needs_is_recommended() -> None:
    """Whoever opens the folder is asked to install the extension of each setting, task and launch."""
    recommended = set(read("extensions.json")["recommendations"])

    assert recommended >= {
        "ms-azuretools.vscode-azurefunctions", "ms-python.python", "ms-python.debugpy", "azurite.azurite",
        "charliermarsh.ruff", "tamasfe.even-better-toml",
    }  # fmt: skip
    assert all(re.fullmatch(r"[\w-]+\.[\w-]+", each) for each in recommended)


@pytest.mark.parametrize("name", ["azurite.location"])
def test_what_it_writes_is_neither_committed_nor_deployed(name: str) -> None:
    """It lies in a folder that .gitignore and .funcignore leave out."""
    folder = Path(read("settings.json")[name]).parts[0] + "/"

    assert folder in (ROOT / ".gitignore").read_text().split()
    assert folder in (ROOT / ".funcignore").read_text().split()
