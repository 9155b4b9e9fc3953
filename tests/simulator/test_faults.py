"""Scripted trouble: which call is hit, and what arrives."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from devkit.simulator import Fault, Simulator, load_estate
from devkit.simulator.estates.demo import DEVELOPMENT, PLATFORM, PRODUCTION
from devkit.simulator.faults import Faults, load_faults
from tests.simulator.client import Client

GROUPS = f"/subscriptions/{PRODUCTION}/resourcegroups"


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a simulator without faults."""
    with Simulator(load_estate("demo")) as simulator, Client(simulator) as client:
        yield client


def test_the_nth_call_and_the_following_times_are_hit(client: Client) -> None:
    """`nth` counts matching calls from 1; `times` says how many are hit."""
    client.simulator.faults.add(Fault(route="resource-groups", nth=2, times=2, status=500))

    assert [client.get(GROUPS).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert client.get(f"/subscriptions/{PRODUCTION}/resources").status_code == 200


def test_times_none_is_for_ever_and_clear_ends_it(client: Client) -> None:
    """Until it is cleared."""
    client.simulator.faults.add(Fault(route="resource-groups", times=None, kind="throttled", retry_after=7))

    assert {client.get(GROUPS).status_code for _ in range(4)} == {429}
    assert client.get(GROUPS).headers["Retry-After"] == "7"
    client.simulator.faults.clear()
    assert client.get(GROUPS).status_code == 200


def test_a_subscription_and_a_page_narrow_it(client: Client) -> None:
    """Only that subscription's list is hit, and only that page of it."""
    client.simulator.faults.add(Fault(subscription=DEVELOPMENT.upper(), page=2, times=None, status=502))

    assert len(client.items(GROUPS)) == 5
    first = client.get(f"/subscriptions/{DEVELOPMENT}/resourcegroups")
    assert first.status_code == 200
    assert client.get(first.json()["nextLink"]).status_code == 502


def test_a_path_pattern(client: Client) -> None:
    """Patterns are compared with the decoded path, without case."""
    client.simulator.faults.add(Fault(route=f"/subscriptions/{PLATFORM}/RESOURCEGROUPS/rg-*", times=None, status=409))

    assert client.get(f"/subscriptions/{PLATFORM}/resourceGroups/rg-steward").status_code == 409
    assert client.get(f"/subscriptions/{PLATFORM}/resourceGroups").status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault(kind="forbidden"), 403, '"code":"AuthorizationFailed"'),
        (Fault(kind="not-found"), 404, '"code":"SubscriptionNotFound"'),
        (Fault(kind="throttled"), 429, '"code":"SubscriptionRequestsThrottled"'),
        (Fault(kind="expired-token"), 401, '"code":"ExpiredAuthenticationToken"'),
        (Fault(kind="flat", status=412), 412, '{"code":"Failed","message":'),
        (Fault(kind="capitals", status=409), 409, '{"Error":{"Code":"Conflict","Target":null,"Message":'),
        (Fault(kind="error-in-200"), 200, '{"error":{"code":"InternalServerError"'),
        (Fault(kind="html"), 503, "<!DOCTYPE html>"),
        (Fault(kind="html", status=200), 200, "<!DOCTYPE html>"),
        (Fault(kind="not-json"), 200, "<not json>"),
        (Fault(kind="empty", status=503), 503, ""),
        (Fault(status=504), 504, '{"error":{"code":"GatewayTimeout"'),
        (Fault(status=400, body={"odata.error": {"message": {"value": "no"}}}), 400, '{"odata.error":'),
        (Fault(status=500, body="boom", content_type="text/plain"), 500, "boom"),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else "",
)
def test_kinds_of_trouble(client: Client, fault: Fault, status: int, body: str) -> None:
    """Each kind has its status and its envelope; status, body and content type can be set."""
    client.simulator.faults.add(fault)

    answer = client.get(GROUPS)

    assert answer.status_code == status
    assert answer.text.startswith(body) or body in answer.text
    assert answer.headers.get("Content-Type", "").startswith(fault.content_type)
    assert client.simulator.requests[-1].fault == fault.kind


def test_a_reset_connection(client: Client) -> None:
    """The connection ends without an answer; the log says status 0."""
    client.simulator.faults.add(Fault(kind="reset"))

    with pytest.raises(requests.ConnectionError):
        client.get(GROUPS)
    assert client.simulator.requests[-1].status == 0
    assert client.get(GROUPS).status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_body_that_is_cut_off(client: Client, encoding: str) -> None:
    """The whole length is announced and half of it arrives."""
    client.simulator.faults.add(Fault(kind="cut"))

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get(GROUPS, **{"Accept-Encoding": encoding})
    assert client.get(GROUPS).status_code == 200


def test_json_that_ends_in_the_middle(client: Client) -> None:
    """A complete answer whose JSON is not."""
    client.simulator.faults.add(Fault(kind="cut-json"))

    with pytest.raises(requests.exceptions.JSONDecodeError):
        client.get(GROUPS).json()


def test_a_delay_answers_late_and_holds_up_nobody_else(client: Client) -> None:
    """`delay` is in seconds; kind `delay` then answers as usual."""
    client.simulator.faults.add(Fault(route="resource-groups", kind="delay", delay=0.3))

    began = time.monotonic()
    assert client.get(GROUPS).status_code == 200
    assert time.monotonic() - began >= 0.3
    assert client.simulator.requests[-1].milliseconds >= 300


def test_faults_of_the_estate_stay_when_others_are_cleared() -> None:
    """`clear` forgets scripted faults, not the nature of an estate."""
    estate = load_estate("odd")
    with Simulator(estate) as simulator, Client(simulator) as client:
        simulator.faults.clear()

        forbidden = next(each for each in estate.subscriptions if each.trouble.startswith("403"))
        assert client.get(f"/subscriptions/{forbidden.id}/resources").status_code == 403


def test_the_first_fault_that_hits_wins_and_all_count() -> None:
    """A call counts for every fault it matches."""
    first, second = Fault(status=500), Fault(nth=2, status=502)
    faults = Faults((first, second))

    assert [faults.take("resources", "", "/", 1) for _ in range(3)] == [first, second, None]


def test_a_method_narrows_it() -> None:
    """Reading goes well and writing does not; the sentence names what may not be done."""
    fault = Fault(route="tags", method="PATCH", kind="forbidden")
    scope = f"/subscriptions/{DEVELOPMENT}/resourceGroups/rg-load-test"
    path = f"{scope}/providers/Microsoft.Resources/tags/default"
    with Simulator(load_estate("demo"), faults=[fault]) as simulator, Client(simulator) as client:
        assert client.get(path).status_code == 200
        refused = client.get(path, method="PATCH")
        assert refused.status_code == 403
        assert f"'Microsoft.Resources/tags/write' over scope '{path}' or" in refused.json()["error"]["message"]


def test_identity_is_hit_only_by_name() -> None:
    """A fault on every route means Resource Manager."""
    faults = Faults((Fault(times=None),))

    assert faults.take("identity", "", "/msi/token", 1) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[{"route": "groups"}]', "route 'groups' is none of"),
        ('[{"kind": "explode"}]', "Invalid enum value 'explode'"),
        ('[{"nth": 0}]', "nth 0 and times 1 count from 1"),
        ('[{"retry-after": 1}]', "unknown field `retry-after`"),
        ('{"route": "*"}', "Expected `array`"),
        ("[", "faults.json"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(tmp_path: Path, text: str, sentence: str) -> None:
    """The sentence names the file and the field."""
    file = tmp_path / "faults.json"
    file.write_text(text)

    with pytest.raises(ValueError, match=r"faults\.json") as caught:
        load_faults(file)
    assert sentence in str(caught.value)


def test_a_file_of_faults(tmp_path: Path) -> None:
    """The JSON has the fields of Fault."""
    file = tmp_path / "faults.json"
    file.write_text('[{"route": "resources", "nth": 3, "times": null, "kind": "html", "retry_after": 1}]')

    assert load_faults(file) == [Fault(route="resources", nth=3, times=None, kind="html", retry_after=1)]


def test_a_missing_file(tmp_path: Path) -> None:
    """One sentence, with the name."""
    with pytest.raises(ValueError, match=r"none\.json: No such file"):
        load_faults(tmp_path / "none.json")
