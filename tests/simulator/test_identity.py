"""The identity endpoint, and what Resource Manager says to tokens."""

import time

import pytest
import requests

from devkit.simulator import Fault, Simulator, load_estate
from devkit.simulator.identity import CLIENT
from tests.simulator.client import Client


def test_a_token_is_issued_to_whoever_knows_the_header(demo: Client) -> None:
    """The answer has the keys of App Service's, with expires_on in epoch seconds."""
    answer = demo.identity()

    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "expires_on", "resource", "token_type", "client_id"}
    assert int(answer.json()["expires_on"]) > time.time() + 3600
    assert answer.json()["resource"] == "https://management.azure.com"


def test_without_the_header_there_is_no_token(demo: Client) -> None:
    """Other processes on the machine must not get one."""
    endpoint = demo.simulator.environment["IDENTITY_ENDPOINT"]
    answer = requests.get(
        endpoint, params={"api-version": "2019-08-01", "resource": "x"}, timeout=10, headers={"X-IDENTITY-HEADER": "x"}
    )

    assert answer.status_code == 401
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize(
    "parameters",
    [{"api-version": "2017-09-01"}, {"resource": ""}, {"client_id": "unknown"}],
    ids=lambda each: next(iter(each)),
)
def test_a_wrong_request_is_refused(demo: Client, parameters: dict[str, str]) -> None:
    """Another api-version, no resource, or an identity that is not assigned."""
    assert demo.identity(**parameters).status_code == 400


def test_the_assigned_identity_may_be_named(demo: Client) -> None:
    """A user-assigned identity is asked for by its client id."""
    assert demo.identity(client_id=CLIENT).status_code == 200


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "AuthenticationFailed"),
        ("Bearer made-up", "InvalidAuthenticationToken"),
        ("Basic YTpi", "InvalidAuthenticationToken"),
    ],
)
def test_without_a_token_of_ours_there_is_no_answer(demo: Client, header: str, code: str) -> None:
    """401 with Azure's envelope and a challenge, before anything else is looked at."""
    answer = demo.get("/subscriptions?", Authorization=header)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == code
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
    assert not demo.simulator.requests[-1].authorised


def test_a_token_for_another_audience_is_refused(demo: Client) -> None:
    """A token for Log Analytics does not open Resource Manager."""
    token = demo.token(resource="https://api.loganalytics.io")

    answer = demo.get("/subscriptions", Authorization=f"Bearer {token}")

    assert answer.json()["error"]["code"] == "InvalidAuthenticationTokenAudience"


def test_an_expired_token() -> None:
    """By script, a token is issued that looks good for a day and that Resource Manager takes for expired."""
    faults = [Fault(route="identity", kind="expired-token")]
    with Simulator(load_estate("demo"), faults=faults) as simulator, Client(simulator) as client:
        answer = client.get("/subscriptions")
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "ExpiredAuthenticationToken"

        again = client.get("/subscriptions", Authorization=f"Bearer {client.token()}")
        assert again.status_code == 200


@pytest.mark.parametrize("status", [400, 500])
def test_the_endpoint_can_fail(status: int) -> None:
    """By script, with an envelope whose `error` is a string (oddity 55)."""
    with Simulator(load_estate("demo")) as simulator, Client(simulator) as client:
        simulator.faults.add(Fault(route="identity", status=status))

        answer = client.identity()

        assert answer.status_code == status
        assert isinstance(answer.json()["error"], str)
        assert client.identity().status_code == 200
