"""The app starts from the package alone, and does its work."""

import ast
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devkit.local_host.process import HostProcess, running
from devkit.package import PACKAGES
from tests.app.conftest import JOB, World, small_estate, start_run, wait_ended, world_of
from tests.infra.bicep import INFRA
from tests.package.isolated import interpreter, local_host, search_path, start
from tests.package.test_zip import PINNED

IMPORTS = """
import importlib, json, pkgutil, sys, sysconfig
names, path = json.loads(sys.argv[1]), json.loads(sys.argv[2])
sys.path[:0] = path
import function_app
for package in (importlib.import_module(name) for name in ("shared_code", "__app__")):
    names += [each.name for each in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    if not name.endswith(".__main__"):
        importlib.import_module(name)
known = [*path, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
print(json.dumps({
    "functions": sorted(each.get_function_name() for each in function_app.app.get_functions()),
    "modules": len([file for file in files.values() if file and file.startswith(path[0])]),
    "elsewhere": [file for file in files.values() if file and not file.startswith(tuple(known))],
}))
"""


def imported(folder: Path) -> set[str]:
    """Every module that the app imports, now or when it first needs it."""
    found: set[str] = set()
    for path in [
        folder / "function_app.py",
        *(folder / "__app__").rglob("*.py"),
        *(folder / "shared_code").rglob("*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {each.name for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two subscriptions."""
    with world_of(tmp_path_factory.mktemp("world"), small_estate(2)) as served:
        yield served


@pytest.fixture(scope="module")
def host(world: World, unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """The local host with the packages of the package, and with its steward.toml."""
    tools = local_host(tmp_path_factory.mktemp("host") / "tools", set(PINNED))
    settings = {name: value for name, value in world.environment.items() if name != "STEWARD_CONFIG"}
    with running(
        unpacked,
        state=world.folder / "state",
        environment={**settings, "STEWARD_CONFIG": None, "PYTHONPATH": None},
        arguments=("--no-timers", "--no-sweep"),
        python=start("devkit.local_host", [*search_path(unpacked), tools]),
    ) as process:
        yield process


def test_everything_that_is_imported_is_in_it(unpacked: Path) -> None:
    """Also what is imported on first use; from nowhere else but the standard library."""
    names = sorted(name for name in imported(unpacked) if name not in ("__app__", "shared_code", "function_app"))
    done = subprocess.run(
        interpreter("-W", "error", "-c", IMPORTS, json.dumps(names), json.dumps(search_path(unpacked))),
        cwd=unpacked.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert {"azure.identity", "azure.mgmt.resource.resources", "apprise", "obstore", "re2", "typer"} <= set(names)
    assert told["elsewhere"] == []
    assert told["modules"] > 500
    assert told["functions"] == sorted(
        line.split()[0] for line in (INFRA / "functions.txt").read_text().splitlines() if not line.startswith("#")
    )


def test_what_is_compiled_is_what_runs(unpacked: Path) -> None:
    """The source is not looked at again, not even where its date and size say that it has changed."""
    changed = unpacked.parent / "changed"
    (changed / "shared_code" / "__pycache__").mkdir(parents=True)
    for name in ("__init__", "times"):
        cached = f"shared_code/__pycache__/{name}.cpython-313.pyc"
        (changed / cached).write_bytes((unpacked / cached).read_bytes())
        (changed / "shared_code" / f"{name}.py").write_text("raise SystemExit('compiled again')\n")
    path = [str(changed), str(unpacked / PACKAGES)]
    done = subprocess.run(
        interpreter("-c", f"import sys; sys.path[:0] = {path!r}; import shared_code.times as m; print(m.__file__)"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout.strip()) == (0, str(changed / "shared_code" / "times.py")), done.stderr


def test_it_answers(host: HostProcess) -> None:
    """`GET /api/live` needs no key, and says nothing but that it is there; its health is good as it ships."""
    live = host.call("GET", "/api/live", key=None)
    health = host.call("GET", "/api/health")

    assert live.status == 200
    assert (health.status, health.json()) == (200, {"status": "healthy", "problems": []})


def test_it_has_every_function(host: HostProcess) -> None:
    """Those that the check after a deployment waits for."""
    lines = (INFRA / "functions.txt").read_text().splitlines()

    assert sorted(host.functions) == sorted(line.split()[0] for line in lines if not line.startswith("#"))


def test_a_run(world: World, host: HostProcess) -> None:
    """A job reads the estate, and leaves its record and its report."""
    run = wait_ended(host, start_run(host))

    assert (run["status"], run["counts"]["resource_groups"]) == ("succeeded", 2), host.log
    assert len(world.groups(run["id"])) == 2
    report = host.call("GET", f"/api/runs/{run['id']}/report?format=html")
    assert report.status == 200
    assert f"{JOB}" in report.text
