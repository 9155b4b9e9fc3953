"""`./dev package`: a zip with exactly what runs, compiled, and the same bytes for the same files."""

import importlib.util
import marshal
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from email.parser import Parser
from pathlib import Path

import pytest

from devkit.package import (
    DEPLOYED,
    PACKAGES,
    PYTHON,
    CannotPackage,
    Packed,
    _compile,
    not_committed,
    package,
    sources,
)
from devkit.supply import bill
from devkit.supply.pins import read_pins
from tests.docs.checkout import ROOT
from tests.infra.bicep import TREES
from tests.test_dev import CLOSED
from tests.test_package import deployed

PINNED = {each.name: each.version for each in read_pins((ROOT / "requirements.txt").read_text())}
UNCHECKED = 0b01
"""The flags of a compiled module that is taken without a look at its source: PEP 552."""


def own(archive: zipfile.ZipFile) -> set[str]:
    """The files of the app itself."""
    packages = {name for name in archive.namelist() if name.startswith(PACKAGES) or "__pycache__" in name}
    return set(archive.namelist()) - packages - {bill.NAME}


def metadata(archive: zipfile.ZipFile) -> Mapping[str, Mapping[str, list[str]]]:
    """What each package says of itself, by its name."""
    found = {}
    for name in archive.namelist():
        if name.endswith(".dist-info/METADATA"):
            told = Parser().parsestr(archive.read(name).decode(), headersonly=True)
            fields = {key: told.get_all(key, []) for key in ("Version", "License-File")}
            found[re.sub(r"[-_.]+", "-", str(told["Name"])).lower()] = {**fields, "folder": [name.rsplit("/", 1)[0]]}
    return found


def dev_package(
    output: Path, root: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command, with no settings of pip but those that are given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "COVERAGE"))}
    return subprocess.run(
        [sys.executable, "-m", "devkit.package", "--output", str(output)],
        cwd=root,
        env={**kept, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


class TestContents:
    """What is in it."""

    def test_top_level(self, archive: zipfile.ZipFile) -> None:
        """The app, its configuration, its packages where the worker looks for them; nothing else."""
        assert {name.split("/")[0] for name in archive.namelist()} == {
            "__app__", "shared_code", "function_app.py", "host.json", "requirements.txt", "steward.toml",
            "__pycache__", ".python_packages", bill.NAME,
        }  # fmt: skip
        assert {"/".join(name.split("/")[:3]) for name in archive.namelist() if name[0] == "."} == {PACKAGES}

    def test_the_app(self, archive: zipfile.ZipFile, checkout: Path) -> None:
        """Each file that .funcignore lets through, as it is: every module, template and stylesheet."""
        assert own(archive) == set(sources(checkout))
        assert {"__app__/run_worker.py", "shared_code/wiring.py", "shared_code/reports/templates/plan.html"} <= own(
            archive
        )
        for name in own(archive):
            assert archive.read(name) == (checkout / name).read_bytes(), name

    def test_what_func_and_azd_would_deploy(self) -> None:
        """The same files: what git has or would have, without what .funcignore leaves out."""
        assert set(sources(ROOT)) == deployed()

    @pytest.mark.parametrize(
        "name",
        [
            "local.settings.json", ".steward/store/runs/run.json", ".azure/dev/.env", "tests/test_x.py", "devkit/up.py",
            "Dockerfile", ".dockerignore", ".vscode/launch.json", ".github/workflows/ci.yml", "build/steward.zip",
            "steward.zip", ".python_packages/lib/x.py", "shared_code/__pycache__/x.pyc", "__azurite_db_blob__.json",
            "infra/main.bicep", "bench/run.py", "runbooks/page.md",
        ],
    )  # fmt: skip
    def test_what_lies_around_is_left_out(self, tmp_path: Path, name: str) -> None:
        """Settings with secrets, state, and everything that only developers need."""
        shutil.copyfile(ROOT / ".funcignore", tmp_path / ".funcignore")
        for each in (name, "function_app.py"):
            (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / each).touch()

        assert sources(tmp_path) == ["function_app.py"]

    def test_a_file_of_values_beside_the_configuration_goes_along(self, tmp_path: Path) -> None:
        """`allowed_from` of a tag rule names one."""
        (tmp_path / ".funcignore").write_bytes((ROOT / ".funcignore").read_bytes())
        (tmp_path / "cost-centers.txt").touch()

        assert sources(tmp_path) == ["cost-centers.txt"]

    def test_packages(self, archive: zipfile.ZipFile) -> None:
        """Each that is pinned, in its version, and no other."""
        assert {name: fields["Version"] for name, fields in metadata(archive).items()} == {
            name: [version] for name, version in PINNED.items()
        }

    def test_licences(self, archive: zipfile.ZipFile) -> None:
        """Every licence that a package names is there."""
        names = set(archive.namelist())
        missing = [
            f"{package}: {file}"
            for package, fields in metadata(archive).items()
            for file in fields["License-File"]
            if not names & {f"{fields['folder'][0]}/{file}", f"{fields['folder'][0]}/licenses/{file}"}
        ]

        assert missing == []
        assert sum(len(fields["License-File"]) for fields in metadata(archive).values()) > len(PINNED) / 2

    def test_machine_code_is_for_where_it_runs(self, archive: zipfile.ZipFile) -> None:
        """Every library is for Linux on x86_64, and for this Python or for any."""
        libraries = [name for name in archive.namelist() if ".so" in Path(name).suffixes]

        assert len(libraries) > 5
        for name in libraries:
            assert archive.read(name)[:20] == b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00", name
            assert re.search(r"(\.cpython-313-x86_64-linux-gnu|\.abi3)?\.so$", name), name
        assert [name for name in archive.namelist() if name.endswith((".dll", ".pyd", ".dylib", ".exe"))] == []

    def test_no_needless_files(self, archive: zipfile.ZipFile) -> None:
        """No stubs, no tests, no commands, no notes of pip, nothing compiled for another Python."""
        packages = [name.removeprefix(f"{PACKAGES}/") for name in archive.namelist() if name.startswith(PACKAGES)]

        assert [name for name in packages if name.startswith("bin/") or "/tests/" in name] == []
        assert [name for name in packages if name.endswith((".pyi", "py.typed", "RECORD", "INSTALLER", ".c"))] == []
        assert [name for name in packages if name.endswith(".pyc") and ".cpython-313.pyc" not in name] == []

    def test_it_is_small(self, packed: Packed) -> None:
        """Most of it are the libraries for storage and for cryptography."""
        assert packed.size == packed.path.stat().st_size < 40_000_000


class TestCompiled:
    """No start has to compile anything, whatever dates unpacking gives to the files."""

    def test_every_module_is_compiled(self, archive: zipfile.ZipFile) -> None:
        """For the Python that runs it, from the source beside it, and to be taken without a look at that."""
        names = set(archive.namelist())
        modules = {name for name in names if name.endswith(".py")}

        assert len(modules) > 1000
        assert {importlib.util.cache_from_source(name) for name in modules} == {
            name for name in names if name.endswith(".pyc")
        }
        for name in modules:
            head = archive.read(importlib.util.cache_from_source(name))[:16]
            assert head[:4] == importlib.util.MAGIC_NUMBER, name
            assert int.from_bytes(head[4:8], "little") == UNCHECKED, name
            assert head[8:] == importlib.util.source_hash(archive.read(name)), name

    def test_it_is_compiled_for_the_path_in_azure(self, archive: zipfile.ZipFile) -> None:
        """And not for the folder in which the package was made."""
        content = archive.read("shared_code/__pycache__/wiring.cpython-313.pyc")
        compiled = marshal.loads(content[16:])  # noqa: S302  # made just before, of this repository

        assert compiled.co_filename == f"{DEPLOYED}/shared_code/wiring.py"

    def test_azure_runs_that_python(self) -> None:
        """The template names the version that the package is compiled for."""
        text = str(TREES["modules/app.bicep"]["resources"])

        assert f"'version': '{'.'.join(map(str, PYTHON))}'" in text

    def test_another_python_makes_no_package(self, tmp_path: Path) -> None:
        """What it compiles would be left unread."""
        with pytest.raises(CannotPackage, match=r"Azure runs the app on Python 3\.99, and \.venv has 3\.13, which"):
            package(ROOT, tmp_path / "steward.zip", (3, 99))

        assert list(tmp_path.iterdir()) == []

    def test_what_cannot_be_compiled(self, tmp_path: Path) -> None:
        """No package is made of it, and the sentence names the file."""
        (tmp_path / "broken.py").write_text("def :\n")

        with pytest.raises(CannotPackage, match=r"Not everything can be compiled: Error compiling '/broken\.py'"):
            _compile(tmp_path)


class TestReproducible:
    """The same commit, the same bytes."""

    def test_two_folders(self, packed: Packed, checkout: Path, tmp_path: Path) -> None:
        """Made again elsewhere, of files with other dates and modes, it is the same to the last bit."""
        elsewhere = tmp_path / "another folder"
        for name in [*sources(checkout), ".funcignore", "requirements.in"]:
            copied = elsewhere / name
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(checkout / name, copied)
            os.utime(copied, (1_000_000_000, 1_000_000_000))
            copied.chmod(0o700)

        again = package(elsewhere, tmp_path / "again.zip")

        assert again.sha256 == packed.sha256
        assert again.path.read_bytes() == packed.path.read_bytes()

    def test_nothing_of_the_machine(self, archive: zipfile.ZipFile) -> None:
        """Names in order, one date, one mode, and no folder of this machine in any file."""
        entries = archive.infolist()

        assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {(entry.create_system, entry.external_attr >> 16) for entry in entries} == {(3, stat.S_IFREG | 0o644)}
        assert archive.testzip() is None
        here = str(ROOT).encode()
        assert [name for name in archive.namelist() if here in archive.read(name)] == []


class TestCommand:
    """What it says."""

    def test_no_network_is_said_in_one_sentence(self, tmp_path: Path) -> None:
        """With what pip says last; and no package is left that is not whole."""
        done = dev_package(tmp_path / "out" / "steward.zip", environment={**CLOSED, "PIP_NO_CACHE_DIR": "1"})

        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(
            r"dev package: The pinned packages could not be installed; check the network, or set HTTPS_PROXY or"
            r" PIP_INDEX_URL if this machine needs them, and start again\. \(pip says: No matching distribution .*\)\n",
            done.stderr,
        )
        assert list(tmp_path.iterdir()) == []

    def test_what_is_not_as_committed_is_said(self, tmp_path: Path) -> None:
        """Of the files that are in the package: changed, new or gone ones."""
        (tmp_path / ".funcignore").write_text("tests/\n.funcignore\n")
        for name in ("function_app.py", "steward.toml", "host.json", "tests/test_app.py"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        identity = ["-c", "user.name=developer", "-c", "user.email=developer@example.com"]
        for command in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", "first"]):
            subprocess.run(["git", *command], cwd=tmp_path, check=True)

        assert not_committed(tmp_path) == []

        (tmp_path / "steward.toml").write_text("[jobs]\n")
        (tmp_path / "tests" / "test_app.py").write_text("changed\n")
        (tmp_path / "notes.txt").touch()
        (tmp_path / "host.json").unlink()

        assert not_committed(tmp_path) == ["host.json", "notes.txt", "steward.toml"]

    def test_without_git_nothing_is_said_of_it(self, tmp_path: Path) -> None:
        """The app may have come as an archive."""
        (tmp_path / ".funcignore").touch()

        assert not_committed(tmp_path) == []
