"""The package, made once for all tests, and unpacked as in Azure."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from devkit.package import Packed, package, sources
from tests.docs.checkout import ROOT

KEPT = "package.txt"


def copy_app(folder: Path) -> Path:
    """Copy what the package is made of, with dates of its own."""
    for name in [*sources(ROOT), ".funcignore", "requirements.in"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that the processes of one test run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def checkout(shared_folder: Path) -> Path:
    """The app as it was when the package was made."""
    folder = shared_folder / "packaged" / "checkout"
    with FileLock(shared_folder / "packaged.lock"):
        if not folder.exists():
            copy_app(folder)
    return folder


@pytest.fixture(scope="session")
def packed(shared_folder: Path, checkout: Path) -> Packed:
    """The package: whichever test comes first makes it."""
    kept = shared_folder / "packaged" / KEPT
    with FileLock(shared_folder / "packaged.lock"):
        if not kept.exists():
            made = package(checkout, shared_folder / "packaged" / "steward.zip")
            kept.write_text(f"{made.files} {made.size} {made.sha256}")
    files, size, sha256 = kept.read_text().split()
    return Packed(kept.with_name("steward.zip"), int(files), int(size), sha256)


@pytest.fixture(scope="session")
def archive(packed: Packed) -> Iterator[zipfile.ZipFile]:
    """The package, opened."""
    with zipfile.ZipFile(packed.path) as opened:
        yield opened


@pytest.fixture(scope="session")
def unpacked(packed: Packed, archive: zipfile.ZipFile) -> Path:
    """The package, unpacked."""
    folder = packed.path.parent / "unpacked"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            archive.extractall(folder)
    return folder
