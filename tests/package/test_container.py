"""The Dockerfile and .dockerignore, as far as they can be read: no test builds the image, or starts it."""

import json
import re
import shlex
from typing import NamedTuple

import pathspec

from devkit.package import DEPLOYED, PYTHON, sources
from tests.docs.checkout import ROOT

BASE = f"mcr.microsoft.com/azure-functions/python:4-python{PYTHON[0]}.{PYTHON[1]}"
KNOWN = {"ARG", "FROM", "COPY", "RUN", "USER", "EXPOSE", "ENV"}


class Instruction(NamedTuple):
    """One instruction of the Dockerfile."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its arguments, with quotes and options as a shell reads them."""
        return shlex.split(self.text)


def instructions() -> list[Instruction]:
    """Every instruction in order, continued lines joined, comments left out."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, its FROM first."""
    found: list[list[Instruction]] = []
    for each in instructions():
        if each.name == "FROM":
            found.append([])
        if found:
            found[-1].append(each)
    return found


def environment() -> dict[str, str]:
    """What the image sets."""
    return dict(word.split("=", 1) for each in stages()[-1] if each.name == "ENV" for word in each.words)


def in_context() -> set[str]:
    """The files of this folder that `docker build` reads; it and git agree on patterns that begin with `/` or `**/`."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert all(line.lstrip("!").startswith(("/", "**/")) for line in lines)
    ignored = pathspec.GitIgnoreSpec.from_lines(lines)
    everything = [path.relative_to(ROOT).as_posix() for path in ROOT.iterdir() if path.is_file()]
    for folder in ("__app__", "shared_code", "devkit", "infra", "tests/docs", ".github"):
        everything += [path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()]
    everything += ["local.settings.json", ".env", ".azure/dev/.env", ".steward/store/x", ".venv/bin/python"]
    return {name for name in everything if not ignored.match_file(name)}


def test_instructions() -> None:
    """Each is one that Docker has, and a stage begins with FROM, after nothing but ARG."""
    names = [each.name for each in instructions()]

    assert set(names) <= KNOWN
    assert names[: names.index("FROM")] == ["ARG"]


def test_every_stage_is_microsofts_image_for_this_python() -> None:
    """One place names it."""
    assert instructions()[0] == Instruction("ARG", f"BASE={BASE}")
    assert [stage[0].words[0] for stage in stages()] == ["${BASE}", "${BASE}"]


def test_the_context_is_what_the_package_has_of_the_app() -> None:
    """Nothing more gets into an image, and nothing is missing."""
    assert in_context() == set(sources(ROOT))


def test_what_is_copied_is_there() -> None:
    """From this folder, or from an earlier stage."""
    named = [stage[0].words[2] for stage in stages() if len(stage[0].words) == 3]
    for number, stage in enumerate(stages()):
        for each in (each for each in stage if each.name == "COPY"):
            source = each.words[-2]
            if each.words[0].startswith("--from="):
                assert each.words[0].removeprefix("--from=") in named[:number]
                assert source == DEPLOYED
            else:
                assert source == "." or source in in_context()
            assert each.words[-1] in (DEPLOYED, "/tmp/requirements.txt")


def test_packages_are_those_that_are_pinned() -> None:
    """Into the image's own Python, where the worker of a container looks, with nothing added and nothing built."""
    install = next(each for each in stages()[-1] if each.name == "RUN" and each.text.startswith("pip install"))

    assert {"--require-hashes", "--no-deps", "--only-binary=:all:", "--no-cache-dir"} <= set(install.words)
    assert install.words[install.words.index("--requirement") + 1] == "/tmp/requirements.txt"


def test_the_app_is_compiled() -> None:
    """As in the package."""
    assert "--invalidation-mode unchecked-hash /home/site/wwwroot" in stages()[0][-1].text


def test_the_app_runs_as_nobody_special() -> None:
    """With a number, so that Kubernetes can tell that it is not root; on a port that such a user may have."""
    last = stages()[-1]
    user = next(each.text for each in last if each.name == "USER")
    port = next(each.text for each in last if each.name == "EXPOSE")
    made = next(each.text for each in last if "useradd" in each.text)

    assert user.isdecimal()
    assert int(user) > 1000
    assert f"--uid {user} " in made
    assert int(port) >= 1024
    assert environment()["ASPNETCORE_URLS"] == f"http://+:{port}"
    assert [each.name for each in last[last.index(Instruction("USER", user)) :]] == ["USER", "EXPOSE", "ENV"]


def test_settings() -> None:
    """Where the app is and how the host logs; no setting of Steward and no secret, which come when it is started."""
    assert environment()["AzureWebJobsScriptRoot"] == DEPLOYED
    assert environment()["AzureFunctionsJobHost__Logging__Console__IsEnabled"] == "true"
    assert [name for name in environment() if name.startswith(("STEWARD_", "AZURE_", "AzureWebJobsStorage"))] == []


def test_the_host_of_the_image_is_the_one_of_host_json() -> None:
    """The tag begins with the major version that host.json and its bundle are for."""
    host = json.loads((ROOT / "host.json").read_bytes())

    assert host["extensionBundle"]["version"].startswith(f"[{BASE.split(':')[1][0]}.")
