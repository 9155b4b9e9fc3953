"""Who may import whom, and who may touch the outside world, read from the source of every module."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted([ROOT / "function_app.py", *ROOT.glob("__app__/**/*.py"), *ROOT.glob("shared_code/**/*.py")])


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


TREES = {name_of(file): ast.parse(file.read_text("utf-8")) for file in FILES}


def imports(module: str) -> Iterator[str]:
    """Every name a module imports, at its top or within a function, unless it is for type checkers alone."""
    skipped = {
        inner
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(TREES[module]):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in TREES else node.module or ""


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def used_names(module: str) -> set[str]:
    """Dotted names that are used, such as `os.environ` and `datetime.now`."""
    return {ast.unparse(node) for node in ast.walk(TREES[module]) if isinstance(node, ast.Attribute)}


WIRED = {"shared_code.wiring", "shared_code.cli", "shared_code.__main__"}
"""What stands above the jobs although it lies in shared_code: it joins the parts, or starts the join."""

ADAPTERS = {
    "shared_code.store_azure": "the store in Azure",
    "shared_code.store_local": "the store in a folder",
    "shared_code.processes": "asks the system whether a process lives",
    "shared_code.terminal": "prints",
    "shared_code.reports.page": "reads its own templates",
    "shared_code.telemetry": "counts for whoever watches",
    "shared_code.timezones": "reads the pinned rules of time zones",
    "shared_code.heartbeat": "calls the monitor outside",
    "shared_code.notices.apprise_sender": "sends notices",
}
"""What touches files, the system or the network, besides azure_api and what is wired; each with its reason."""

TIMED = {
    "shared_code.attempts": {"time.monotonic"},  # a lock's age must not follow a clock that is set
    "shared_code.notices.apprise_sender": {"time.monotonic"},  # nor how long a receiver may take
    "shared_code.azure_api.arm": {"time.monotonic"},  # the pace of requests must not follow a clock that is set
}
"""Who reads a clock besides wiring, which one, and why."""

CLOCKS = {
    "date.today",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "time.monotonic",
    "time.perf_counter",
    "time.time",
    "time.time_ns",
}

PURE = sorted(
    module
    for module in TREES
    if within(module, "shared_code")
    and not within(module, "shared_code.azure_api")
    and module not in WIRED | {*ADAPTERS}
)


def test_there_is_something_to_look_at() -> None:
    assert len(TREES) > 40
    assert len(PURE) > 20


def importers(*packages: str) -> dict[str, set[str]]:
    """Who imports something of these packages from outside them, and what."""
    found = {
        module: {name for name in imports(module) if within(name, *packages)}
        for module in TREES
        if not within(module, *packages)
    }
    return {module: names for module, names in found.items() if names}


class TestDirection:
    """function_app -> __app__ -> wiring -> jobs -> pure modules."""

    def test_function_app_imports_the_app_alone(self) -> None:
        assert set(imports("function_app")) == {"sys", "azure.functions", "__app__"}

    def test_shared_code_never_imports_its_callers(self) -> None:
        assert set(importers("__app__")) == {"function_app"}
        assert importers("function_app") == {}

    def test_nothing_that_is_deployed_imports_the_devkit_or_tests(self) -> None:
        assert importers("devkit", "tests", "bench", "pytest") == {}

    def test_jobs_are_imported_by_wiring_alone(self) -> None:
        assert set(importers("shared_code.jobs")) == {"shared_code.wiring"}

    def test_azure_api_is_imported_by_wiring_alone(self) -> None:
        assert set(importers("shared_code.azure_api")) == {"shared_code.wiring"}

    def test_azure_api_knows_values_and_errors_alone(self) -> None:
        known = {
            name
            for module in TREES
            if within(module, "shared_code.azure_api")
            for name in imports(module)
            if within(name, "shared_code") and not within(name, "shared_code.azure_api")
        }

        values = {"activity", "foreign_text", "model", "ports", "resource_ids", "targets", "times"}
        values |= {"azure_clock", "azure_permissions", "doctor.ports", "invocations"}
        assert known == {"shared_code.errors", *(f"shared_code.{name}" for name in values)}

    def test_wiring_is_imported_by_those_who_are_called(self) -> None:
        assert all(within(module, "__app__", "shared_code.cli") for module in importers("shared_code.wiring"))

    def test_the_command_is_imported_by_main_alone(self) -> None:
        assert set(importers("shared_code.cli")) == {"shared_code.__main__"}


class TestTheOutside:
    def test_azure_functions_is_for_the_app(self) -> None:
        assert all(within(module, "__app__", "function_app") for module in importers("azure.functions"))

    def test_the_other_azure_packages_are_for_azure_api(self) -> None:
        foreign = {module for module in TREES if any(is_azure_sdk(name) for name in imports(module))}

        assert foreign
        assert all(within(module, "shared_code.azure_api") for module in foreign)

    def test_the_environment_is_read_by_wiring(self) -> None:
        readers = {module for module in TREES if used_names(module) & {"os.environ", "os.getenv"}}

        assert readers == {"shared_code.wiring"}

    def test_the_clock_is_read_by_wiring(self) -> None:
        readers = {module: used_names(module) & CLOCKS for module in TREES if used_names(module) & CLOCKS}

        assert readers == {"shared_code.wiring": {"datetime.now", "time.monotonic"}} | TIMED

    def test_clock_and_environment_are_imported_as_modules(self) -> None:
        """By name they would not be seen here."""
        by_name = [
            module
            for module in TREES
            for node in ast.walk(TREES[module])
            if isinstance(node, ast.ImportFrom) and node.module in ("time", "os")
        ]

        assert by_name == []

    def test_nothing_is_asynchronous(self) -> None:
        asynchronous = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)

        assert [
            module for module, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, asynchronous)
        ] == []


def is_azure_sdk(name: str) -> bool:
    return within(name, "azure", "msal") and not within(name, "azure.functions")


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_does_no_io(module: str) -> None:
    """It works on values, and on the ports it is given."""
    outside = (
        "os",
        "socket",
        "subprocess",
        "urllib.request",
        "http.client",
        "requests",
        "apprise",
        "obstore",
        "shutil",
        "tempfile",
    )
    assert [name for name in imports(module) if within(name, *outside)] == []
    calls = {ast.unparse(node.func) for node in ast.walk(TREES[module]) if isinstance(node, ast.Call)}
    assert not calls & {"open", "print", "input", "Path.cwd", "Path.home"}
    methods = {call.rpartition(".")[2] for call in calls}
    assert not methods & {"read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "iterdir"}


@pytest.mark.parametrize("module", ["shared_code.jobs", "function_app"])
def test_importing_the_app_loads_nothing_heavy(module: str, tmp_path: Path) -> None:
    """Indexing is on every cold start."""
    heavy = (
        "azure.identity",
        "azure.mgmt",
        "azure.core",
        "azure.monitor",
        "msal",
        "requests",
        "apprise",
        "jinja2",
        "obstore",
        "rich",
        "shared_code.local_schedules",
        "shared_code.timezones",
        "tzdata",
    )
    code = f"import sys, {module}\nprint(sorted(name for name in sys.modules if name.startswith({heavy!r})))"
    environ = {"STEWARD_STORE": (tmp_path / "store").as_uri(), "PYTHONDONTWRITEBYTECODE": "1"}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
