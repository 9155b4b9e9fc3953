"""The dashboard over HTTP: who gets what; what it shows is in tests/reports and tests/browser."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from devkit.local_host.process import HostProcess
from shared_code.store import open_store
from tests.app.conftest import small_estate, world_of
from tests.app.test_api import problem
from tests.showing import fill

CONTENT = "/api/dashboard/content"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host whose store has a run of each job."""
    with world_of(tmp_path_factory.mktemp("dashboard"), small_estate(1)) as world:
        fill(open_store(world.store.as_uri()), datetime.now(UTC))
        with world.host() as host:
            yield host


def last_cleanup(host: HostProcess) -> str:
    """The id of a run that has made a plan of that id."""
    found: str = host.call("GET", "/api/runs?job=cleanup&limit=1").json()["runs"][0]["id"]
    return found


def test_anybody_gets_the_shell_and_no_data(host: HostProcess) -> None:
    reply = host.call("GET", "/api/dashboard", key=None)

    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Shop" not in reply.text
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; connect-src 'self'; ")
    assert (reply.headers["cache-control"], reply.headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_the_content_takes_a_reader(host: HostProcess) -> None:
    assert host.call("GET", CONTENT, key=None).status == 401
    assert host.call("GET", CONTENT, headers={"x-functions-key": "guessed"}, key=None).status == 401

    reply = host.call("GET", CONTENT, key="reader")

    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Shop" in reply.text
    assert "script-src" not in reply.headers["content-security-policy"]


def test_one_run_and_one_plan(host: HostProcess) -> None:
    name = last_cleanup(host)

    assert f"Run {name}" in host.call("GET", f"{CONTENT}?run={name}", key="reader").text
    assert f"Plan {name}" in host.call("GET", f"{CONTENT}?plan={name}", key="reader").text


def test_what_there_is_not(host: HostProcess) -> None:
    name = last_cleanup(host)
    unknown = "20200101T000000Z-cleanup-00000000"

    assert problem(host.call("GET", f"{CONTENT}?run={unknown}"), 404).startswith(f"There is no run '{unknown}'; ")
    assert problem(host.call("GET", f"{CONTENT}?plan={unknown}"), 404).startswith(f"There is no plan '{unknown}'; ")
    assert problem(host.call("GET", f"{CONTENT}?run=..%2F..%2Fetc"), 404).startswith("There is no run '../../etc'; ")
    assert problem(host.call("GET", f"{CONTENT}?run={name}&plan={name}"), 400) == (
        "Both run and plan are given; name one of them, or none."
    )
