"""What strangers try, in every place of every HTTP function; places are read from the document, so none is missed."""

import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from __app__.openapi import document
from __app__.operations import OPERATIONS
from devkit.local_host.process import HostProcess, Reply
from tests.app.conftest import World, start_run, wait_ended, world_of
from tests.app.test_changes import config, untidy
from tests.hostile import FORGED, INJECTIONS

JSON = ("application/json", "application/problem+json")
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ \S+ ")
OTHER_HEADERS = ("Accept", "Content-Type", "Host", "X-Forwarded-Host", "X-Original-URL", "X-MS-CLIENT-PRINCIPAL")
"""Headers that no function declares, and that something before all functions may read: tried at some of them."""


class Place(NamedTuple):
    """Where a text of a stranger comes in."""

    operation: str
    within: str
    name: str


def places() -> Iterator[Place]:
    """Every parameter, header and key of a body, of every function."""
    api = document()
    for path, item in api["paths"].items():
        for method, described in item.items():
            if method == "parameters":
                continue
            name = described["operationId"]
            for parameter in (*item.get("parameters", ()), *described["parameters"]):
                yield Place(name, parameter["in"], parameter["name"])
            yield Place(name, "query", "unknown")
            if name in ("read_report", "start_run", "dashboard"):
                yield from (Place(name, "header", header) for header in OTHER_HEADERS)
            for content in described.get("requestBody", {}).get("content", {}).values():
                yield Place(name, "body", "")
                schema = api["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
                yield from (Place(name, "body", each) for each in (*schema["properties"], "unknown"))
            assert path.removeprefix("/") == OPERATIONS[name].route


PLACES = list(places())


class Tried(NamedTuple):
    """A host at which everything is tried."""

    world: World
    host: HostProcess
    run: str


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    with world_of(tmp_path_factory.mktemp("injections"), untidy(1), config()) as world, world.host() as host:
        run = start_run(host, job="tag-audit")
        wait_ended(host, run)
        yield Tried(world, host, run)


def sent(host: HostProcess, method: str, target: str, headers: dict[str, bytes], body: bytes | None) -> Reply | None:
    """Send exactly this; None where no client can."""
    connection = HTTPConnection(urlsplit(host.url).netloc, timeout=30)
    try:
        connection.putrequest(method, target, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    except ValueError:
        return None
    finally:
        connection.close()


def attempt(tried: Tried, place: Place, text: str) -> Reply | None:
    """Call a function with the text in that place, and what it takes elsewhere."""
    operation = OPERATIONS[place.operation]
    key = tried.host.keys.approver if place.operation == "apply_plan" else tried.host.keys.operator
    headers = {"x-functions-key": key.encode()}
    raw = text.encode(errors="surrogatepass")
    known = {"job": "tag-audit", "run": tried.run, "plan": tried.run, "id": "0" * 32}
    if place.within == "path":
        known[place.name] = quote(raw[:2000], safe="")
    target = "/api/" + re.sub(r"{(\w+)}", lambda found: known[found[1]], operation.route)
    if place.within == "query":
        target += f"?{quote(place.name)}={quote(raw[:2000], safe='')}"
    if place.within == "header":
        headers[place.name] = raw[:4000]
    body: bytes | None = None
    if operation.body:
        value: Any = text if place.within == "body" else "tried"
        body = raw if place == Place(place.operation, "body", "") else json.dumps({place.name or "x": value}).encode()
        if place.within != "body":
            body = b"{}"
        headers.setdefault("Content-Type", b"application/json")
    return sent(tried.host, operation.method, target, headers, body)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nothing_that_is_tried_gets_through(tried: Tried, operation: str) -> None:
    """Each text in each place: an answer that is meant, in its own type, that says nothing but itself."""
    for place in (each for each in PLACES if each.operation == operation):
        for name, text in INJECTIONS.items():
            reply = attempt(tried, place, text)
            if reply is None:
                continue
            told = f"{place} {name}: {reply.status} {reply.headers} {reply.body[:300]!r}"
            assert reply.status < 500, told
            assert "set-cookie" not in reply.headers, told
            assert b"root:" not in reply.body, told
            assert not any("evil.example" in value or "169.254" in value for value in reply.headers.values()), told
            kind = reply.headers.get("content-type", "").partition(";")[0]
            if kind == "text/html":
                assert b"<script>alert" not in reply.body, told
                assert b"<img src=x" not in reply.body, told
                assert b'onmouseover="alert' not in reply.body, told
            elif reply.body and reply.status >= 400:
                assert kind in (*JSON, "text/plain"), told
                assert kind == "text/plain" or len(reply.json()["detail"]) < 1000, told
            assert reply.headers.get("x-content-type-options") == "nosniff" or not reply.body or kind != "text/html", (
                told
            )


def test_what_was_tried_is_one_line_each_in_the_log(tried: Tried) -> None:
    """No line of the log is anybody else's, and no terminal that shows it is driven."""
    for text in INJECTIONS.values():
        attempt(tried, Place("start_run", "header", "X-Requested-By"), text)
        attempt(tried, Place("set_stop", "body", "reason"), text)
        attempt(tried, Place("show_run", "path", "run"), text)
    attempt(tried, Place("clear_stop", "header", "Accept"), "*/*")
    lines = tried.host.log.split("\n")

    assert [line for line in lines if line.startswith(FORGED)] == []
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", tried.host.log)
    assert sum(LINE.match(line) is not None for line in lines) > 10


def test_what_was_tried_is_kept_where_it_belongs(tried: Tried) -> None:
    """Below the folder of the store, under the names that the store gives; everything there can be read."""
    names = [path.relative_to(tried.world.store).as_posix() for path in tried.world.store.rglob("*") if path.is_file()]

    assert names
    assert [name for name in names if not re.fullmatch(r"[a-zA-Z0-9._-]+(/[a-zA-Z0-9._-]+)*", name)] == []
    assert {path.name for path in tried.world.folder.iterdir()} <= {"store", "state", "steward.toml"}
    listed = tried.host.call("GET", "/api/runs?limit=200")
    assert listed.status == 200
    assert tried.host.call("GET", "/api/snoozes").status == 200


def test_nobody_else_was_called(tried: Tried) -> None:
    """An address that a stranger writes is a text: only Resource Manager was asked, for what is in scope."""
    asked = {one.route for one in tried.world.simulator.requests}

    assert "unknown" not in asked
    assert {one.method for one in tried.world.simulator.requests if one.route not in ("logs", "resource-graph")} <= {
        "GET"
    }


def test_every_place_is_tried() -> None:
    """Those that the document names, and a few that it does not."""
    assert len(PLACES) > 90
    assert {place.operation for place in PLACES} == set(OPERATIONS)
    assert Place("set_snooze", "body", "reason") in PLACES
    assert Place("apply_plan", "header", "Idempotency-Key") in PLACES
    assert Place("read_report", "path", "run") in PLACES
    assert len(INJECTIONS) > 20
