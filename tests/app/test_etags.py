"""ETags over HTTP: nothing is sent twice that is the same, and nobody writes over what they have not seen."""

from collections.abc import Iterator

import pytest

from devkit.local_host.process import HostProcess, Reply
from tests.app.conftest import JOB, World, start_run, wait_ended, world_of
from tests.app.test_api import problem
from tests.app.test_changes import config, untidy
from tests.app.test_snoozes import BODY, PATH

LATER = BODY | {"reason": "for longer"}
ADVICE = "read it again, and send the request with the ETag of that answer if it still holds."


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Somewhere with a plan to make."""
    with world_of(tmp_path_factory.mktemp("etags"), untidy(), config()) as world:
        yield world


@pytest.fixture(scope="module")
def host(world: World) -> Iterator[HostProcess]:
    """Shared by tests that leave no snooze and no stop behind."""
    with world.host() as host:
        yield host


@pytest.fixture(scope="module")
def plan(host: HostProcess) -> str:
    """The id of a plan, and of the run that made it."""
    run = wait_ended(host, start_run(host, job="tag-audit"))
    found: str = run["plan"]
    return found


@pytest.fixture(scope="module")
def addresses(plan: str) -> list[str]:
    """Everything that has an ETag, but a snooze."""
    records = [f"/api/runs/{plan}", f"/api/plans/{plan}", f"/api/plans/{plan}?format=html"]
    return [*records, "/api/jobs", f"/api/jobs/{JOB}", "/api/stop", "/api/openapi.json"]


def get(host: HostProcess, address: str, tag: str | None = None) -> Reply:
    return host.call("GET", address, key="reader", headers={} if tag is None else {"If-None-Match": tag})


def test_what_is_the_same_is_not_sent_again(host: HostProcess, addresses: list[str]) -> None:
    """A strong ETag, and 304 with an empty body for whoever has that content; it is kept by no cache all the same."""
    tags = []
    for address in addresses:
        first = get(host, address)
        tag = first.headers["etag"]
        again, other = get(host, address, f'"other", W/{tag}'), get(host, address, '"other"')

        assert (first.status, first.headers["cache-control"]) == (200, "no-store")
        assert tag.startswith('"')
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag), address
        assert again.headers["cache-control"] == "no-store"
        assert (other.status, other.body, other.headers["etag"]) == (200, first.body, tag)
        tags.append(tag)
    assert len(set(tags)) == len(addresses)


def test_errors_have_none(host: HostProcess) -> None:
    """Not even for whoever says that anything will do."""
    reply = get(host, f"/api/runs/20200101T000000Z-{JOB}-00000000", "*")

    assert (reply.status, "etag" in reply.headers) == (404, False)


def test_a_run_that_goes_on_has_another(host: HostProcess) -> None:
    """The ETag changes with the record: whoever waits for a run is told when something has changed."""
    started = start_run(host)
    first = get(host, f"/api/runs/{started}")
    ended = wait_ended(host, started)
    last = get(host, f"/api/runs/{started}", first.headers["etag"])

    assert (last.status, last.json()) == (200, ended)
    assert get(host, f"/api/runs/{started}", last.headers["etag"]).status == 304


def test_a_snooze_is_written_over_by_whoever_has_seen_it(host: HostProcess) -> None:
    """Else 412, and it stays; the ETag of a PUT's answer is that of the next GET."""
    made = host.call("PUT", PATH, BODY, headers={"If-None-Match": "*"})
    tag = made.headers["etag"]
    again = host.call("PUT", PATH, LATER, headers={"If-None-Match": "*"})
    other = host.call("PUT", PATH, LATER, headers={"If-Match": '"other"'})
    seen = get(host, PATH, tag)
    changed = host.call("PUT", PATH, LATER, headers={"If-Match": tag})
    late = host.call("PUT", PATH, BODY, headers={"If-Match": tag})
    kept = host.call("DELETE", PATH, headers={"If-Match": tag})
    shown = get(host, PATH)
    ended = host.call("DELETE", PATH, headers={"If-Match": changed.headers["etag"]})

    assert (made.status, seen.status, changed.status, ended.status) == (200, 304, 200, 200)
    assert problem(again, 412) == f"If-None-Match is not fulfilled: what is here has {tag}; {ADVICE}"
    assert problem(other, 412) == f"If-Match is not fulfilled: what is here has {tag}; {ADVICE}"
    for refused in (late, kept):
        sentence = f"If-Match is not fulfilled: what is here has {changed.headers['etag']}; {ADVICE}"
        assert problem(refused, 412) == sentence
    assert (shown.json()["reason"], shown.headers["etag"]) == ("for longer", changed.headers["etag"])
    assert "etag" not in ended.headers


def test_a_snooze_that_is_gone(host: HostProcess) -> None:
    """Whoever has seen one finds nothing; whoever asks for nothing in particular ends what is not there with 404."""
    gone = f"If-Match is not fulfilled: there is nothing here; {ADVICE}"

    for method in ("PUT", "DELETE"):
        body = BODY if method == "PUT" else None
        assert problem(host.call(method, PATH, body, headers={"If-Match": "*"}), 412) == gone
    assert host.call("DELETE", PATH).status == 404


def test_a_stop_that_somebody_else_has_given_stays(host: HostProcess) -> None:
    """Whoever takes back the stop they saw does not take back the next one."""
    clear = get(host, "/api/stop").headers["etag"]
    first = host.call("PUT", "/api/stop", {"reason": "a bad rule"}, headers={"If-Match": clear})
    late = host.call("PUT", "/api/stop", {"reason": "me too"}, headers={"If-Match": clear})
    second = host.call("PUT", "/api/stop", {"reason": "worse"})
    kept = host.call("DELETE", "/api/stop", headers={"If-Match": first.headers["etag"]})
    shown = get(host, "/api/stop", first.headers["etag"])
    cleared = host.call("DELETE", "/api/stop", headers={"If-Match": second.headers["etag"]})

    assert (first.status, second.status, cleared.status) == (200, 200, 200)
    for refused in (late, kept):
        assert problem(refused, 412).startswith("If-Match is not fulfilled: what is here has ")
    assert (shown.status, shown.json()["order"]["reason"]) == (200, "worse")
    assert shown.headers["etag"] == second.headers["etag"]
    assert (cleared.json()["stopped"], cleared.headers["etag"]) == (False, clear)


def test_what_cannot_be_read_is_written_over_without_conditions(world: World, host: HostProcess) -> None:
    """Nobody has seen it, so with a condition it is 412 or 503; without one it can always be mended."""
    (world.store / "snoozes").mkdir(parents=True, exist_ok=True)
    (world.store / "snoozes" / f"{PATH.rpartition('/')[2]}.json").write_bytes(b"?")
    (world.store / "control").mkdir(parents=True, exist_ok=True)
    (world.store / "control" / "stop.json").write_bytes(b"?")

    assert host.call("PUT", PATH, BODY, headers={"If-Match": '"x"'}).status == 412
    assert host.call("PUT", "/api/stop", headers={"If-Match": '"x"'}).status == 503
    assert host.call("PUT", PATH, BODY).status == 200
    assert host.call("PUT", "/api/stop").status == 200
    assert (host.call("DELETE", PATH).status, host.call("DELETE", "/api/stop").status) == (200, 200)
