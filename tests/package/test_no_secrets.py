"""No secret of the machine that makes a package is in it: none of its environment, and of no file that lies around.

The package is made by the command itself in a copy of the app. It has one small package of its own, so that nothing is
asked of the network and making it takes seconds; the whole one, which all tests share, is looked through as well.
"""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from devkit.campaigns.canaries import Canaries
from devkit.package import PACKAGES
from tests.docs.checkout import ROOT
from tests.package.conftest import copy_app

VARIABLES = (
    "APPLICATIONINSIGHTS_CONNECTION_STRING", "AZURE_CLIENT_SECRET", "AZURE_DEVOPS_EXT_PAT", "AzureWebJobsStorage",
    "GITHUB_TOKEN", "IDENTITY_HEADER", "STEWARD_HEARTBEAT_URL", "STEWARD_NOTICE_URL", "STEWARD_OWNER_URL",
    "WEBSITE_AUTH_ENCRYPTION_KEY", "LOGNAME", "HOSTNAME",
)  # fmt: skip
FILES = (
    "local.settings.json", "local.settings.production.json", ".env", ".env.production", ".envrc", "steward.env",
    ".azure/config.json", ".azure/dev/.env", ".azure/dev/config.json", ".git/config", ".git/packed-refs",
    ".git/logs/HEAD", ".steward/store/runs/20261122T060000Z-tag-audit-9c01f2ab/run.json", ".steward/host/keys.json",
    "deploy.pem", "deploy.key", "terraform.tfstate", "app.PublishSettings",
    ".steward/store/tombstones/plan/item.json", ".venv/pyvenv.cfg", ".vscode/settings.json", ".coverage",
    ".hypothesis/examples/x", ".python_packages/lib/site-packages/old.py", "__azurite_db_blob__.json",
    "__blobstorage__/x", "__queuestorage__/x", "build/steward.zip", "steward.zip", "infra/main.parameters.json",
    "shared_code/__pycache__/wiring.cpython-313.pyc", "__pycache__/function_app.cpython-313.pyc", "tests/data/x.json",
)  # fmt: skip
"""What has secrets on a machine where somebody works with the app, or may be left there by earlier work."""

type Form = Callable[[str], bytes]


class Made(NamedTuple):
    """A package that was made among secrets."""

    path: Path
    canaries: Canaries
    hidden: list[str]


def wheel(folder: Path) -> str:
    """Make a package to install, and give the line of requirements.txt that pins it."""
    folder.mkdir(parents=True)
    path = folder / "bystander-1.0-py3-none-any.whl"
    told = "Metadata-Version: 2.4\nName: bystander\nVersion: 1.0\nLicense-Expression: MIT\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bystander.py", "NAME = __name__\n")
        archive.writestr("bystander-1.0.dist-info/METADATA", told)
        archive.writestr(
            "bystander-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("bystander-1.0.dist-info/RECORD", "")
    return f"bystander==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    canaries, hidden = Canaries(1), list[str]()

    def secret(name: str) -> str:
        hidden.append(name)
        return canaries.make(name)

    folder = tmp_path_factory.mktemp("machine") / secret("the folder")
    copy_app(folder / "app")
    shutil.copytree(ROOT / "devkit", folder / "app" / "devkit", ignore=shutil.ignore_patterns("__pycache__"))
    wheels = folder / "wheels" / secret("where the packages are")
    (folder / "app" / "requirements.txt").write_text(wheel(wheels))
    (folder / "app" / "requirements.in").write_text("bystander\n")
    for name in FILES:
        path = folder / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"password": secret(name)}))
    (folder / "home" / ".config" / "pip").mkdir(parents=True)
    (folder / "home" / ".netrc").write_text(f"machine example.com login x password {secret('.netrc')}\n")
    (folder / "home" / ".config" / "pip" / "pip.conf").write_text(
        f"[global]\nindex-url = https://x:{secret('pip.conf')}@127.0.0.1:9/simple\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "COVERAGE"))}
    done = subprocess.run(
        [sys.executable, "-m", "devkit.package", "--output", str(folder / "made.zip")],
        cwd=folder / "app",
        env={
            **kept,
            **{name: secret(name) for name in VARIABLES},
            "HOME": str(folder / "home"),
            "PIP_EXTRA_INDEX_URL": f"https://x:{secret('PIP_EXTRA_INDEX_URL')}@127.0.0.1:9/simple",
            "PIP_FIND_LINKS": wheels.as_uri(),
            "PIP_NO_INDEX": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Made(folder / "made.zip", canaries, hidden)


def contents(archive: zipfile.ZipFile, where: str = "") -> Iterator[tuple[str, bytes]]:
    """Give every name and content, and those of archives within."""
    yield where, archive.comment
    for entry in archive.infolist():
        content = archive.read(entry)
        yield f"{where}{entry.filename}", entry.comment + entry.extra + content
        if zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(io.BytesIO(content)) as inner:
                yield from contents(inner, f"{where}{entry.filename}!")


def with_secrets(path: Path, canaries: Canaries) -> dict[str, list[str]]:
    """Give the files of a package that have secrets in their names or contents."""
    with zipfile.ZipFile(path) as archive:
        told = ((name, canaries.found_in(f"{name}\n".encode() + content)) for name, content in contents(archive))
        return {name: found for name, found in told if found}


def test_nothing_of_the_machine_is_in_it(made: Made) -> None:
    """No variable, no file beside the app, no folder, and not where its packages came from."""
    assert with_secrets(made.path, made.canaries) == {}
    assert len(made.hidden) == len(set(made.hidden)) == len(FILES) + len(VARIABLES) + 5


def test_it_is_a_package(made: Made, archive: zipfile.ZipFile) -> None:
    """What was looked through is the app with its package: the files of the whole one but for those of packages."""

    def own(names: list[str]) -> set[str]:
        return {name for name in names if not name.startswith(PACKAGES)}

    with zipfile.ZipFile(made.path) as looked_through:
        names = looked_through.namelist()
    assert own(names) == own(archive.namelist())
    assert f"{PACKAGES}/bystander.py" in names


@pytest.mark.parametrize(
    "form",
    [str.encode, lambda text: base64.b64encode(text.encode()), lambda text: text.encode().hex().encode()],
    ids=["plain", "base64", "hexadecimal"],
)
@pytest.mark.parametrize("place", ["name", "content", "compiled", "within a wheel"])
def test_a_secret_would_be_seen(made: Made, tmp_path: Path, place: str, form: Form) -> None:
    """Wherever it were, and however it were written."""
    canaries = Canaries(2)
    secret = form(canaries.make("it"))
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep.txt", secret)
    name, content = {
        "name": (f"shared_code/{secret.decode().replace('/', '_')}.py", b""),
        "content": ("cost-centers.txt", b"1\n" + secret),
        "compiled": ("__pycache__/x.pyc", bytes(range(256)) + secret + bytes(9)),
        "within a wheel": ("x.whl", inner.getvalue()),
    }[place]
    copied = tmp_path / "copy.zip"
    shutil.copyfile(made.path, copied)
    with zipfile.ZipFile(copied, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)

    assert {each for found in with_secrets(copied, canaries).values() for each in found} == {"it"}


def test_the_whole_package_has_no_archive_that_is_not_looked_into(archive: zipfile.ZipFile) -> None:
    """And no file of those that have secrets elsewhere."""
    names = archive.namelist()

    assert [
        name for name in names if name.endswith((".gz", ".xz", ".bz2", ".zst", ".tar", ".7z", ".zip", ".whl"))
    ] == []
    assert set(names) & set(FILES) <= {name for name in FILES if name.endswith(".pyc")}
    assert [name for name in names if not name.startswith(f"{PACKAGES}/") and Path(name).name.startswith(".")] == []
