"""Deletes over HTTPS: faults that hit them, and the record of what was really deleted."""

import json
from pathlib import Path

import pytest

from devkit.simulator import OWNER, Fault, Simulator, load_estate
from tests.simulator.client import Client

SITE = next(each.id for each in load_estate("cleanup").subscriptions[0].resources if each.name == "app-shop")
DISK = next(each.id for each in load_estate("cleanup").subscriptions[0].resources if each.name == "orphan-disk-1")


@pytest.mark.parametrize(
    ("fault", "status", "outcomes"),
    [
        (Fault(method="DELETE", kind="forbidden"), 403, []),
        (Fault(method="DELETE", kind="throttled"), 429, []),
        (Fault(method="DELETE", kind="status", status=409), 409, []),
        (Fault(method="DELETE", kind="status", status=500), 500, ["deleted"]),
        (Fault(method="DELETE", kind="html"), 503, ["deleted"]),
        (Fault(route=SITE, kind="slow-delete", delay=60, retry_after=7), 202, ["accepted"]),
        (Fault(route="/subscriptions/*/sites/app-*", kind="busy-delete"), 409, ["refused"]),
    ],
)
def test_faults(fault: Fault, status: int, outcomes: list[str]) -> None:
    """What is answered 4xx deletes nothing; where the answer is lost, the thing is gone."""
    with Simulator(load_estate("cleanup"), [fault], assignments=OWNER) as simulator, Client(simulator) as client:
        answer = client.get(SITE, method="DELETE")

        assert answer.status_code == status
        assert [each.outcome for each in simulator.deletions] == outcomes
        assert (client.get(SITE).status_code == 404) is (outcomes == ["deleted"])
        if fault.retry_after:
            assert answer.headers["Retry-After"] == "7"


def test_polls_fail_for_a_while() -> None:
    """The operation goes on (oddity 46)."""
    faults = [
        Fault(route="operation", kind="status", status=502),
        Fault(route="operation", nth=2, kind="html"),
        Fault(route="operation", nth=3, kind="status", status=500),
    ]
    with Simulator(load_estate("cleanup"), faults, assignments=OWNER) as simulator, Client(simulator) as client:
        address = client.get(DISK, method="DELETE").headers["Azure-AsyncOperation"]

        assert [client.get(address).status_code for _ in range(4)] == [502, 503, 500, 200]
        assert client.get(address).json()["status"] == "Succeeded"


def test_the_log_has_a_line_for_each(tmp_path: Path) -> None:
    """Beside the one of the request: what became of it, and all that is gone."""
    log = tmp_path / "log.ndjson"
    with Simulator(load_estate("cleanup"), log=log, assignments=OWNER) as simulator, Client(simulator) as client:
        for own in (SITE, DISK, SITE):
            client.get(own, method="DELETE")
        assert [each.outcome for each in simulator.deletions] == ["deleted", "deleted", "missing"]

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(each["outcome"], each["deletion"], each["removed"]) for each in lines if "deletion" in each]
    assert told == [("deleted", SITE, [SITE]), ("deleted", DISK, [DISK]), ("missing", SITE, [])]
    assert len([each for each in lines if each.get("method") == "DELETE"]) == 3


def test_buckets_of_deletes() -> None:
    """A DELETE draws from a bucket of its own (oddity 58)."""
    with Simulator(load_estate("cleanup"), assignments=OWNER) as simulator, Client(simulator) as client:
        headers = client.get(SITE, method="DELETE").headers

    assert headers["x-ms-ratelimit-remaining-subscription-deletes"] == "199"
