"""Snoozes through the whole app: over HTTP and in a terminal, on one store."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from devkit.local_host.process import HostProcess
from shared_code.snoozes import snooze_id
from tests.app.conftest import World, small_estate, subscription_id, world_of
from tests.app.test_api import problem

GROUP = f"/subscriptions/{subscription_id(1)}/resourceGroups/rg-web"
RULE = "empty-resource-group"
ID = snooze_id(RULE, GROUP)
PATH = f"/api/snoozes/{ID}"
OPERATOR = "operator@example.com"
UNTIL = (datetime.now(UTC) + timedelta(days=30)).date()
ENDS = f"{UNTIL + timedelta(days=1)}T00:00:00Z"
BODY = {"resource_id": GROUP, "rule": RULE, "until": str(UNTIL), "reason": "still needed"}


class Running(NamedTuple):
    """A world and the host in it."""

    world: World
    host: HostProcess


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One subscription; every test leaves no snooze behind."""
    with world_of(tmp_path_factory.mktemp("snoozes"), small_estate(1)) as world, world.host() as host:
        yield Running(world, host)


def test_put_shows_list_delete(running: Running) -> None:
    """What was put is there for the other ways in too, and DELETE ends it."""
    world, host = running
    put = host.call("PUT", PATH, BODY, headers={"X-Requested-By": OPERATOR})
    shown = host.call("GET", PATH, key="reader")
    listed = host.call("GET", "/api/snoozes", key="reader")
    in_terminal = world.steward("snoozes", "--json")
    printed = world.steward("snoozes")
    deleted = host.call("DELETE", PATH)

    expected = {"id": ID, "active": True, **BODY, "until": ENDS, "by": OPERATOR}
    assert put.status == 200
    assert put.json() == {**expected, "at": put.json()["at"]}
    assert shown.json() == put.json()
    assert listed.json() == {"snoozes": [put.json()], "next": None}
    assert in_terminal.json() == {"snoozes": [put.json()]}
    assert printed.out == f"in force: {RULE}, until {ENDS} by {OPERATOR}: still needed\n  {GROUP}\n"
    assert (deleted.status, deleted.json()) == (200, {"id": ID, "active": False})
    assert problem(host.call("GET", PATH), 404).startswith(f"There is no snooze '{ID}'; ")
    assert problem(host.call("DELETE", PATH), 404).startswith(f"There is no snooze '{ID}'; ")
    assert host.call("GET", "/api/snoozes").json() == {"snoozes": [], "next": None}


def test_in_a_terminal(running: Running) -> None:
    """`steward snooze` and `unsnooze` do the same, in any spelling of the id."""
    world, host = running
    made = world.steward("snooze", GROUP.upper(), "--rule", RULE, "--until", str(UNTIL), "--reason", "a\nb", "--json")
    shown = host.call("GET", PATH)
    ended = world.steward("unsnooze", GROUP, "--rule", RULE)
    again = world.steward("unsnooze", GROUP, "--rule", RULE, "--json")

    assert (made.code, made.err) == (0, "")
    assert made.json() == shown.json()
    assert (made.json()["reason"], made.json()["until"]) == ("a b", ENDS)
    assert (ended.code, ended.out) == (0, f"Rule '{RULE}' looks at it again.\n")
    assert (again.code, again.json()["exit_code"]) == (2, 2)
    assert again.json()["error"] == (
        f"Rule '{RULE}' is not snoozed for '{GROUP}'; 'steward snoozes' lists those there are."
    )
    assert world.steward("snoozes").out == "There are no snoozes.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((GROUP, "--rule", RULE, "--until", "tomorow", "--reason", "x"), "'tomorow' is no day or time; "),
        ((GROUP, "--rule", RULE, "--until", "2020-01-01", "--reason", "x"), "'2020-01-01' has passed; "),
        (("rg-web", "--rule", RULE, "--until", str(UNTIL), "--reason", "x"), "'rg-web' is no id of a resource "),
        (
            (GROUP, "--rule", "A B", "--until", str(UNTIL), "--reason", "x"),
            "There is no cleanup rule 'A B'; there are ",
        ),
        ((GROUP, "--rule", RULE, "--until", str(UNTIL), "--reason", " "), "The reason is blank; "),
    ],
    ids=["until", "past", "id", "rule", "reason"],
)
def test_wrong_use(running: Running, arguments: tuple[str, ...], sentence: str) -> None:
    """2, one sentence, and nothing is snoozed."""
    done = running.world.steward("snooze", *arguments)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"steward: {sentence}")
    assert running.host.call("GET", "/api/snoozes").json() == {"snoozes": [], "next": None}


def test_the_address_is_that_of_rule_and_resource(running: Running) -> None:
    """400 with the right one, so that nobody snoozes something else than they meant."""
    for wrong in ("0" * 64, "x", snooze_id("other", GROUP)):
        reply = running.host.call("PUT", f"/api/snoozes/{wrong}", BODY)
        assert problem(reply, 400) == f"That rule and resource have another address: PUT {PATH}."


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"until": 1}',
        b'{"resource_id": "x", "rule": "r", "until": "2030-01-01", "reason": "y", "z": 1}',
    ],
)
def test_a_malformed_body(running: Running, body: bytes) -> None:
    """400 in one sentence."""
    assert "cannot be read" in problem(running.host.call("PUT", PATH, body=body), 400)


@pytest.mark.parametrize(
    "change", [{"until": "2020-01-01"}, {"until": "2999-01-01"}, {"reason": ""}, {"rule": "A"}, {"resource_id": "x"}]
)
def test_what_will_not_do(running: Running, change: dict[str, str]) -> None:
    """400, and nothing is snoozed."""
    wish = BODY | change
    path = f"/api/snoozes/{snooze_id(wish['rule'], wish['resource_id'])}"

    problem(running.host.call("PUT", path, wish), 400)
    assert running.host.call("GET", "/api/snoozes").json() == {"snoozes": [], "next": None}


@pytest.mark.parametrize(("method", "key"), [("PUT", "reader"), ("DELETE", "reader"), ("GET", None)])
def test_keys(running: Running, method: str, key: str | None) -> None:
    """Reading takes a reader's key, changing an operator's."""
    assert running.host.call(method, PATH, BODY if method == "PUT" else None, key=key).status == 401


def test_one_that_cannot_be_read_counts_and_can_be_removed(running: Running) -> None:
    """It is listed as in force, with what to do about it."""
    world, host = running
    (world.store / "snoozes").mkdir(exist_ok=True)
    (world.store / "snoozes" / f"{ID}.json").write_bytes(b"?")
    listed = host.call("GET", "/api/snoozes").json()["snoozes"]
    printed = world.steward("snoozes")

    reason = f"the snooze in 'snoozes/{ID}.json' cannot be read, so it counts; DELETE {PATH} removes it"
    assert [(each["id"], each["active"], each["until"], each["reason"]) for each in listed] == [
        (ID, True, None, reason)
    ]
    assert printed.out == f"in force: {reason}\n"
    assert host.call("DELETE", PATH).status == 200
