"""The queues over HTTPS, with a token, at Microsoft's emulator: what is asked is understood, and takes no message."""

import base64
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from shared_code.azure_api.probes import Probes
from shared_code.doctor.network import QUEUES, Network
from shared_code.environment import read_environment
from shared_code.store import EMULATOR_ACCOUNT
from tests.memory_store import MemoryStore

if TYPE_CHECKING:
    from tests.azurite import Azurite

pytest_plugins = ["tests.azurite"]

VERSION = {"x-ms-version": "2021-12-02"}


def signed_in() -> Any:
    """A credential with a token that Azurite believes."""
    now = int(time.time())
    claims = {
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 3600,
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)] + [b"S3CRET"]
    token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    return SimpleNamespace(get_token=lambda _: SimpleNamespace(token=token, expires_on=now + 3600))


@pytest.fixture(name="service")
def _service(azurite_https: "Azurite", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the queues; its certificate is trusted."""
    assert azurite_https.root_certificate
    (tmp_path / "ca.pem").write_bytes(azurite_https.root_certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    return f"https://127.0.0.1:{azurite_https.queue_port}/{EMULATOR_ACCOUNT}"


def test_as_in_azure(service: str) -> None:
    """One that is missing is told; the others are there, with what is in them, and it stays there."""
    credential = signed_in()
    token = {"Authorization": f"Bearer {credential.get_token('').token}"} | VERSION
    content = base64.b64encode(json.dumps({"run": "x"}).encode()).decode()
    message = f"<QueueMessage><MessageText>{content}</MessageText></QueueMessage>"
    environ = {"AzureWebJobsStorage__queueServiceUri": service}
    network = Network(
        read_environment(environ, Path("/app")),
        environ,
        Probes(lambda: credential, None, managed_identity=True),
        lambda: datetime.now(UTC),
        MemoryStore,
    )
    trust = os.environ["REQUESTS_CA_BUNDLE"]

    assert [str(each.result) for each in network.queues()] == ["failed", "failed"]
    assert all("404 QueueNotFound" in each.detail for each in network.queues())

    for name in QUEUES:
        assert requests.put(f"{service}/{name}", headers=token, verify=trust, timeout=10).status_code == 201
    sent = requests.post(f"{service}/{QUEUES[1]}/messages", data=message, headers=token, verify=trust, timeout=10)
    assert sent.status_code == 201
    for _ in range(2):
        assert [(str(each.result), each.detail) for each in network.queues()] == [
            ("ok", "there, about 0 messages in it"),
            ("warning", "there, about 1 message in it"),
        ]
