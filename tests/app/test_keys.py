"""Keys over HTTP: each opens what the table of operations says, and nothing else."""

import re

import pytest

from __app__.operations import OPERATIONS, Operation
from devkit.local_host.process import HostProcess, Reply
from shared_code.roles import Role

KEYED = {name: each for name, each in OPERATIONS.items() if each.role}
every_keyed = pytest.mark.parametrize("name", KEYED)


def call(host: HostProcess, operation: Operation, key: str | None, query: str = "") -> Reply:
    """Call a function with what it refuses: a body that is none, and the name of nothing."""
    path = f"/api/{re.sub('{[a-z]+}', 'nothing', operation.route)}{query}"
    headers = {} if key is None else {"x-functions-key": key}
    return host.call(operation.method, path, headers=headers, key=None, body=b"[]")


@every_keyed
def test_a_key_opens_what_it_is_for(host: HostProcess, name: str) -> None:
    """401 with an empty body, as the host answers, for every other key, and no function sees the request."""
    operation = KEYED[name]
    keys = {each.key: getattr(host.keys, each.key) for each in Role}
    opened = {key for key, value in keys.items() if call(host, operation, value).status != 401}

    assert (
        opened
        == {
            Role.READER: {"reader", "operator"},
            Role.OPERATOR: {"operator"},
            Role.APPROVER: {"approver"},
        }[operation.role or Role.READER]
    )
    for shut in (None, "", "guessed", *(value for key, value in keys.items() if key not in opened)):
        reply = call(host, operation, shut)
        assert (reply.status, reply.body) == (401, b"")
        assert "content-type" not in reply.headers


@every_keyed
def test_the_key_of_one_function_opens_no_other(host: HostProcess, name: str) -> None:
    """As Azure makes one for each: with it that function answers, and every other one is shut."""
    own = host.keys.of_function(name)

    assert {each for each, operation in KEYED.items() if call(host, operation, own).status != 401} == {name}


@every_keyed
def test_a_key_may_come_in_the_query(host: HostProcess, name: str) -> None:
    """As `code`, which no function takes for a parameter of its own, beside `clientId`."""
    right = host.keys.of_function(name)
    reply = call(host, KEYED[name], None, f"?code={right}&clientId=default")

    assert reply.status != 401
    assert "query parameter" not in reply.text
    assert call(host, KEYED[name], "guessed", f"?code={right}").status == 401


@every_keyed
def test_an_unknown_parameter_is_refused_everywhere(host: HostProcess, name: str) -> None:
    """400 before anything is done, with what there is instead."""
    reply = call(host, KEYED[name], host.keys.of_function(name), "?verbose=1")

    assert (reply.status, reply.headers["content-type"]) == (400, "application/problem+json")
    assert reply.json()["detail"].startswith("'verbose' is no query parameter here; ")
