"""The storage emulator, which keeps what it has on a disk, so that it can be ended and started again."""

import base64
import hashlib
import hmac
import http.client
import shutil
import socket
import subprocess
import time
from email.utils import formatdate
from pathlib import Path
from uuid import uuid4

from shared_code.store import EMULATOR_ACCOUNT

SCRIPT = Path(__file__).parents[2] / ".venv/azurite/node_modules/azurite/dist/src/azurite.js"
"""Where the tests install it."""
# Azurite publishes it: learn.microsoft.com/azure/storage/common/storage-use-azurite
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_VERSION = "2021-12-02"
_PATIENCE = 30.0


class Emulator:
    """One of them: on one port from its first start to its last end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = _free_ports()
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_there() -> bool:
        """Whether it can be started on this machine."""
        return SCRIPT.is_file() and shutil.which("node") is not None

    def start(self) -> None:
        """Start it, and return when it answers."""
        names = ("--blobPort", "--queuePort", "--tablePort")
        ports = [part for name, port in zip(names, self._ports, strict=True) for part in (name, str(port))]
        command = [shutil.which("node") or "node", str(SCRIPT), "--silent", "--skipApiVersionCheck"]
        command += ["--disableTelemetry", "--location", str(self._folder), *ports]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self._ports[0]), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("the storage emulator did not start")

    def stop(self) -> None:
        """End it as whoever starts a machine anew does: what it has answered for is on its disk then."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def new_container(self) -> str:
        """Make a container, and return its URL."""
        path, date = f"/{EMULATOR_ACCOUNT}/runs-{uuid4().hex[:12]}", formatdate(usegmt=True)
        # learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
        signed = f"PUT{12 * chr(10)}x-ms-date:{date}\nx-ms-version:{_VERSION}\n/{EMULATOR_ACCOUNT}{path}\n"
        signature = hmac.new(base64.b64decode(_KEY), f"{signed}restype:container".encode(), hashlib.sha256).digest()
        headers = {
            "x-ms-date": date,
            "x-ms-version": _VERSION,
            "Content-Length": "0",
            "Authorization": f"SharedKey {EMULATOR_ACCOUNT}:{base64.b64encode(signature).decode()}",
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[0], timeout=_PATIENCE)
        try:
            connection.request("PUT", f"{path}?restype=container", headers=headers)
            if (status := connection.getresponse().status) != http.client.CREATED:
                raise OSError(f"the storage emulator answered {status} to a new container")
        finally:
            connection.close()
        return f"http://127.0.0.1:{self._ports[0]}{path}"


def _free_ports() -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    try:
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()
