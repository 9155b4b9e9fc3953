"""The workflows of GitHub: what they may do, what they call, and that it is there. No test runs them."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from devkit.package import OUTPUT, PYTHON
from tests.docs.checkout import ROOT
from tests.infra.bicep import INFRA

FOLDER = ROOT / ".github" / "workflows"
PATHS = sorted(FOLDER.iterdir())
ON = True
"""What YAML makes of the key `on`."""
every_workflow = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)

type Document = dict[Any, Any]


def read(path: Path) -> Document:
    """The workflow."""
    document: Document = msgspec.yaml.decode(path.read_bytes())
    return document


def jobs(path: Path) -> dict[str, Document]:
    """Its jobs, by name."""
    found: dict[str, Document] = read(path)["jobs"]
    return found


def steps(path: Path) -> list[Document]:
    """All steps of all jobs."""
    return [step for job in jobs(path).values() for step in job["steps"]]


def step_of(job: Document, action: str) -> Document:
    """The step of a job that uses an action."""
    found: Document = next(step for step in job["steps"] if step.get("uses", "").startswith(f"{action}@"))
    return found


def test_there_are_two() -> None:
    """One checks every change, one deploys when somebody says so."""
    assert [path.name for path in PATHS] == ["ci.yml", "deploy.yml"]
    assert set(read(FOLDER / "ci.yml")[ON]) == {"push", "pull_request"}
    assert set(read(FOLDER / "deploy.yml")[ON]) == {"workflow_dispatch"}


@every_workflow
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """With the version as a comment; a tag can be moved, and one action has the same commit everywhere."""
    used = [line.split("uses: ", 1)[1] for line in path.read_text().splitlines() if "uses: " in line]
    everywhere = {each for other in PATHS for each in re.findall(r"uses: (.+)", other.read_text())}

    assert used
    for each in used:
        assert re.fullmatch(r"(actions|Azure)/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each
        assert len({other for other in everywhere if other.startswith(each.split("@")[0] + "@")}) == 1


@every_workflow
def test_commands_are_there(path: Path) -> None:
    """Each is a script of this repository, called as it knows to be."""
    usage = subprocess.run([ROOT / "dev", "--help"], capture_output=True, text=True, check=True).stdout
    for step in (step for step in steps(path) if "run" in step):
        program, *arguments = shlex.split(step["run"])
        assert (ROOT / program).stat().st_mode & 0o111, program
        if program == "./dev":
            assert f"./dev {arguments[0]} " in usage
            assert all(option in usage for option in arguments[1:])


@every_workflow
def test_nobody_may_more_than_needed(path: Path) -> None:
    """Reading the code, and in the job that deploys a token for Azure; no job keeps the token of the checkout."""
    document = read(path)
    allowed = {name: job.get("permissions", document["permissions"]) for name, job in jobs(path).items()}

    for name, permissions in allowed.items():
        assert permissions == {"contents": "read"} | ({"id-token": "write"} if name == "deploy" else {}), name
    for job in jobs(path).values():
        assert step_of(job, "actions/checkout")["with"]["persist-credentials"] is False
        assert "timeout-minutes" in job


@every_workflow
def test_no_secrets(path: Path) -> None:
    """None is used, and what a person types is in no script."""
    text = path.read_text()

    assert "secrets." not in text
    for step in steps(path):
        assert "${{" not in step.get("run", "")


def test_changes_are_checked_by_the_command_of_the_documents() -> None:
    """And the app is started, and packaged, once."""
    runs = [step["run"] for step in steps(FOLDER / "ci.yml") if "run" in step]

    assert runs == ["./dev test", "./dev up --once", "./dev package"]
    assert jobs(FOLDER / "ci.yml")["test"]["env"] == {"STEWARD_REQUIRE": "azurite"}


def test_python_is_the_one_of_the_package() -> None:
    """The workflows read its version where everybody does."""
    for path in PATHS:
        for step in (step for step in steps(path) if step.get("uses", "").startswith("actions/setup-python")):
            assert (ROOT / step["with"]["python-version-file"]).read_text().strip() == ".".join(map(str, PYTHON))


class TestDeploy:
    """The workflow that deploys."""

    def test_what_was_tested_is_what_is_deployed(self) -> None:
        """The package of the first job goes from hand to hand, and Azure builds nothing."""
        made, deployed = jobs(FOLDER / "deploy.yml").values()
        up, down = step_of(made, "actions/upload-artifact"), step_of(deployed, "actions/download-artifact")
        action = step_of(deployed, "Azure/functions-action")

        assert [step["run"] for step in made["steps"] if "run" in step] == ["./dev test", "./dev package"]
        assert deployed["needs"] == "package"
        assert up["with"]["name"] == down["with"]["name"]
        assert up["with"]["path"] == action["with"]["package"] == OUTPUT.relative_to(ROOT).as_posix()
        assert down["with"]["path"] == str(Path(action["with"]["package"]).parent)
        assert up["with"]["if-no-files-found"] == "error"
        assert action["with"]["remote-build"] is False

    def test_it_signs_in_without_a_secret(self) -> None:
        """By variables of the environment, which say who, not what proves it."""
        job = jobs(FOLDER / "deploy.yml")["deploy"]

        assert job["environment"] == "${{ inputs.environment }}"
        assert step_of(job, "Azure/login")["with"] == {
            "client-id": "${{ vars.AZURE_CLIENT_ID }}",
            "tenant-id": "${{ vars.AZURE_TENANT_ID }}",
            "subscription-id": "${{ vars.AZURE_SUBSCRIPTION_ID }}",
        }

    def test_it_ends_with_the_check_after_a_deployment(self) -> None:
        """With every setting that the script asks for, and with what it reads beside it."""
        job = jobs(FOLDER / "deploy.yml")["deploy"]
        script = (INFRA / "postdeploy.sh").read_text()
        asked = set(re.findall(r"\$\{([A-Z]+):\?", script))

        assert job["steps"][-1]["run"] == "./infra/postdeploy.sh"
        assert set(job["steps"][-1]["env"]) == asked | {"AZURE_SUBSCRIPTION_ID"}
        assert step_of(job, "actions/checkout")["with"]["sparse-checkout"] == "infra"
        assert {path.name for path in INFRA.iterdir()} >= {"postdeploy.sh", "functions.txt"}

    def test_one_deployment_at_a_time(self) -> None:
        """And none is broken off for the next."""
        assert read(FOLDER / "deploy.yml")["concurrency"] == {
            "group": "deploy-${{ inputs.environment }}",
            "cancel-in-progress": False,
        }
