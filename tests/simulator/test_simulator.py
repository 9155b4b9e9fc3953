"""The simulator from start to stop: environment, log, port, threads and files."""

import gc
import json
import os
import threading
import time
from pathlib import Path

import pytest
import requests
from azure.core.rest import HttpRequest
from azure.identity import ManagedIdentityCredential
from azure.mgmt.resource.resources import ResourceManagementClient

from devkit.simulator import Fault, Simulator, load_estate
from devkit.simulator.estates.demo import DEVELOPMENT
from tests.simulator.client import Client


def test_the_environment_points_a_client_here() -> None:
    """Everything a client needs is in the environment; nothing else is."""
    with Simulator(load_estate("demo")) as simulator:
        environment = simulator.environment

        assert environment.keys() == {
            "STEWARD_ARM_ENDPOINT",
            "STEWARD_ARM_AUDIENCE",
            "STEWARD_LOGS_ENDPOINT",
            "STEWARD_LOGS_AUDIENCE",
            "STEWARD_LOGS_WORKSPACE_ID",
            "IDENTITY_ENDPOINT",
            "IDENTITY_HEADER",
            "REQUESTS_CA_BUNDLE",
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
            "WEBSITE_SITE_NAME",
        }
        assert environment["STEWARD_ARM_ENDPOINT"] == simulator.url
        assert simulator.url.startswith("https://127.0.0.1:")
        assert environment["STEWARD_ARM_AUDIENCE"] == "https://management.azure.com"


def test_the_sdk_works_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """azure-identity and ResourceManagementClient need no option made for tests."""
    with Simulator(load_estate("demo")) as simulator:
        for name, value in simulator.environment.items():
            monkeypatch.setenv(name, value)
        endpoint, audience = os.environ["STEWARD_ARM_ENDPOINT"], os.environ["STEWARD_ARM_AUDIENCE"]
        with (
            ManagedIdentityCredential() as credential,
            ResourceManagementClient(
                credential, DEVELOPMENT, base_url=endpoint, credential_scopes=[f"{audience}/.default"]
            ) as client,
        ):
            names = []
            target = f"/subscriptions/{DEVELOPMENT}/resourcegroups?api-version=2025-04-01"
            while target:
                with client.send_request(HttpRequest("GET", target), stream=True) as answer:
                    answer.read()
                    assert answer.status_code == 200
                    page = json.loads(answer.content)
                names += [each["name"] for each in page["value"]]
                target = page.get("nextLink", "")

            subscription = simulator.estate.subscription(DEVELOPMENT)
            assert subscription is not None
            assert names == [group.name for group in subscription.resource_groups]
            assert client.resource_groups.check_existence("rg-nothing") is False
        assert simulator.requests[0].route == "identity"


def test_the_sdks_own_pager_works() -> None:
    """The SDK decodes and encodes the token anew, rightly."""
    with Simulator(load_estate("odd")) as simulator, pytest.MonkeyPatch.context() as patch:
        for name, value in simulator.environment.items():
            patch.setenv(name, value)
        subscription = simulator.estate.subscriptions[1]
        with (
            ManagedIdentityCredential() as credential,
            ResourceManagementClient(credential, subscription.id, base_url=simulator.url) as client,
        ):
            assert [group.id for group in client.resource_groups.list()] == [
                group.id for group in subscription.resource_groups
            ]


def test_stop_leaves_nothing_behind() -> None:
    """The certificate's folder, the thread and the port are gone; the request log can still be read."""
    with Simulator(load_estate("demo")) as simulator:
        authority = Path(simulator.environment["REQUESTS_CA_BUNDLE"])
        assert authority.parent.stat().st_mode & 0o777 == 0o700
        assert [each.name for each in authority.parent.iterdir()] == ["ca.pem"]
        assert "PRIVATE" not in authority.read_text()
        client = Client(simulator)
        client.get("/subscriptions")

    assert not authority.parent.exists()
    assert not any(thread.name == "simulator" for thread in threading.enumerate())
    with pytest.raises((requests.ConnectionError, OSError)):
        client.get("/subscriptions")
    client.close()
    assert [each.route for each in simulator.requests] == ["identity", "subscriptions"]
    gc.collect()


def test_stop_does_not_wait_for_a_slow_answer() -> None:
    """An answer that is being delayed is given up."""
    with Simulator(load_estate("demo"), faults=[Fault(kind="delay", delay=60)]) as simulator:
        client = Client(simulator)
        failed: list[Exception] = []

        def ask() -> None:
            try:
                client.get("/subscriptions")
            except requests.RequestException as error:
                failed.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    asking.join(timeout=5)
    client.close()
    assert failed


def test_a_taken_port_is_an_error_at_start() -> None:
    """And leaves nothing behind either."""
    with Simulator(load_estate("demo")) as first:
        port = int(first.url.rpartition(":")[2])
        second = Simulator(load_estate("demo"), port=port)
        with pytest.raises(OSError, match="Address already in use"):
            second.start()


def test_a_port_can_be_chosen_again_at_once() -> None:
    """A restart on the same port does not have to wait."""
    with Simulator(load_estate("demo")) as simulator, Client(simulator) as client:
        port = int(simulator.url.rpartition(":")[2])
        client.get("/subscriptions")
    with Simulator(load_estate("demo"), port=port) as again:
        assert again.url.endswith(f":{port}")


def test_the_request_log(tmp_path: Path) -> None:
    """Each request is in memory and, as one line of JSON, in the file; no token is in either."""
    file = tmp_path / "requests.ndjson"
    with Simulator(load_estate("demo"), log=file) as simulator, Client(simulator) as client:
        token = client.token()
        client.get(f"/subscriptions/{DEVELOPMENT.upper()}/resourceGroups?api-version=2022-09-01")
        client.get("/subscriptions?api-version=2022-12-01", Authorization="")
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert len(lines) == len(simulator.requests) == 4

    listed, refused = lines[2:]
    assert (listed["method"], listed["route"], listed["status"], listed["authorised"]) == (
        "GET",
        "resource-groups",
        200,
        True,
    )
    assert listed["path"] == f"/subscriptions/{DEVELOPMENT.upper()}/resourceGroups"
    assert listed["query"] == "api-version=2022-09-01"
    assert listed["time"].endswith("Z")
    assert (refused["status"], refused["authorised"]) == (401, False)
    assert token not in file.read_text()


def test_a_log_that_cannot_be_written_is_an_error_at_start(tmp_path: Path) -> None:
    """Before anything listens."""
    with pytest.raises(FileNotFoundError):
        Simulator(load_estate("demo"), log=tmp_path / "missing" / "log").start()


def test_many_clients_at_once() -> None:
    """Threads share a simulator; the log has every request."""
    with Simulator(load_estate("demo")) as simulator, Client(simulator) as client:
        token = client.session.headers["Authorization"]

        def ask() -> None:
            with requests.Session() as session:
                session.trust_env = False
                for _ in range(5):
                    session.get(
                        f"{simulator.url}/subscriptions?api-version=2022-12-01",
                        headers={"Authorization": str(token)},
                        verify=simulator.environment["REQUESTS_CA_BUNDLE"],
                        timeout=10,
                    ).raise_for_status()

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sum(each.route == "subscriptions" for each in simulator.requests) == 40
