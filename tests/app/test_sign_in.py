"""Sign-in in front of the app: what App Service says of the caller decides besides the key, and is nothing without."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from __app__.operations import OPERATIONS
from devkit.local_host.process import HostProcess, Reply
from shared_code.roles import Role
from tests.app.conftest import RUNS, World, small_estate, wait_ended, world_of
from tests.app.test_api import problem
from tests.app.test_changes import config, untidy, writes
from tests.app.test_snoozes import BODY, PATH

HEADER = "X-MS-CLIENT-PRINCIPAL"
OPERATOR, TESTER = "operator@example.com", "tester@example.com"
KEYED = {name: each for name, each in OPERATIONS.items() if each.role}
NOTHING = "20200101T000000Z-tag-audit-00000000"


def signed_in(*roles: str, name: str = OPERATOR, provider: str = "aad") -> dict[str, str]:
    """Give the header of somebody who holds these app roles."""
    claims = [{"typ": "preferred_username", "val": name}, *({"typ": "roles", "val": role} for role in roles)]
    principal = {"auth_typ": provider, "name_typ": "name", "role_typ": "roles", "claims": claims}
    return {HEADER: b64encode(json.dumps(principal).encode()).decode()}


def call(host: HostProcess, name: str, headers: dict[str, str]) -> Reply:
    """Call a function with its own key, and with what it refuses once it sees it."""
    operation = OPERATIONS[name]
    path = f"/api/{re.sub('{[a-z]+}', 'nothing', operation.route)}"
    return host.call(
        operation.method, path, headers={"x-functions-key": host.keys.of_function(name)} | headers, body=b"[]"
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Somewhere with a plan to make."""
    with world_of(tmp_path_factory.mktemp("signed"), untidy(), config()) as world:
        yield world


@pytest.fixture(scope="module")
def host(world: World) -> Iterator[HostProcess]:
    """A host that says, as App Service does, that sign-in is on."""
    with world.host(environment={"WEBSITE_AUTH_ENABLED": "True"}) as host:
        yield host


@pytest.mark.parametrize("name", KEYED)
def test_an_app_role_opens_what_it_is_for(host: HostProcess, name: str) -> None:
    """403 names the role that is missing; each role includes the one before it."""
    needed = KEYED[name].role
    assert needed is not None
    for role in (None, *Role):
        reply = call(host, name, signed_in(*([role] if role else [])))
        if role and needed.is_among(frozenset([role])):
            assert reply.status not in (401, 403), (role, reply.text)
        else:
            assert problem(reply, 403) == (
                f"'{OPERATOR}' lacks the app role {needed}; have it assigned in the enterprise application, "
                "and sign in again."
            )


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "is not there"),
        ({HEADER: ""}, "is not there"),
        ({HEADER: "{}"}, "cannot be read as one principal in Base64"),
        ({HEADER: f"{signed_in(Role.APPROVER)[HEADER]},{signed_in(Role.APPROVER)[HEADER]}"}, "cannot be read"),
        (signed_in(Role.APPROVER, provider="github"), "is not of Microsoft Entra"),
        (signed_in(Role.APPROVER, name=""), "names nobody"),
        ({"X-MS-CLIENT-PRINCIPAL-NAME": OPERATOR, "X-Requested-By": OPERATOR}, "is not there"),
    ],
    ids=["none", "empty", "no-base64", "two", "other-provider", "nameless", "other-headers"],
)
@pytest.mark.parametrize("name", ["list_runs", "set_stop", "apply_plan", "dashboard_content"])
def test_nobody_may_do_anything(host: HostProcess, name: str, headers: dict[str, str], reason: str) -> None:
    """A header that does not say who is calling is 403, whatever the key, and says what is wrong with it."""
    detail = problem(call(host, name, headers), 403)

    assert detail.startswith(f"Sign-in is on, and {HEADER} {reason}")
    assert detail.endswith(", so nobody knows who is calling; sign in with Microsoft Entra.")


def test_a_header_too_large_is_refused(host: HostProcess) -> None:
    """By the server, or by us; never a fault."""
    assert call(host, "list_runs", {HEADER: "A" * 7000}).status == 403
    assert call(host, "list_runs", {HEADER: "A" * 40_000}).status in (400, 403)


def test_the_key_is_needed_too(host: HostProcess) -> None:
    """Whoever holds every role and no key is 401, as the host answers."""
    headers = signed_in(*Role)

    for method, path in (("GET", "/api/runs"), ("POST", RUNS), ("PUT", "/api/stop")):
        assert host.call(method, path, key=None, headers=headers)[::2] == (401, b"")
    assert host.call("POST", f"/api/plans/{NOTHING}/apply", {"digest": "x"}, headers=headers).status == 401


def test_what_is_for_anybody_needs_no_sign_in(host: HostProcess) -> None:
    for path in ("/api/live", "/api/dashboard"):
        assert host.call("GET", path, key=None).status == 200


def test_the_name_in_the_record_is_certain(world: World, host: HostProcess) -> None:
    """Runs say who has signed in, and that this is verified; what callers say of themselves counts no longer."""
    headers = signed_in(Role.OPERATOR) | {"X-Requested-By": TESTER}
    run = host.call("POST", "/api/jobs/tag-audit/runs", headers=headers).json()
    reader = signed_in(Role.READER)
    stopped = host.call("PUT", "/api/stop", headers=headers).json()
    host.call("DELETE", "/api/stop", headers=headers)
    snoozed = host.call("PUT", PATH, BODY, headers=headers).json()
    host.call("DELETE", PATH, headers=headers)
    record = world.ended(run["id"])
    application = host.call("POST", RUNS, headers=signed_in(Role.APPROVER, name="0a0b0c0d")).json()

    assert (run["requested_by"], run["requested_by_verified"]) == (OPERATOR, True)
    assert (record["requested_by"], record["requested_by_verified"]) == (OPERATOR, True)
    assert (stopped["order"]["by"], snoozed["by"]) == (OPERATOR, OPERATOR)
    assert (application["requested_by"], application["requested_by_verified"]) == ("0a0b0c0d", True)
    assert host.call("GET", f"/api/runs/{run['id']}", headers=reader).json()["requested_by"] == OPERATOR


def test_an_operator_applies_no_plan_even_with_the_approvers_key(world: World, host: HostProcess) -> None:
    """The role decides besides the key; an approver comes as far as what is not armed."""
    path = f"/api/plans/{NOTHING}/apply"

    operator = host.call("POST", path, {"digest": "x"}, key="approver", headers=signed_in(Role.OPERATOR))
    approver = host.call("POST", path, {"digest": "x"}, key="approver", headers=signed_in(Role.APPROVER))

    assert problem(operator, 403).startswith(f"'{OPERATOR}' lacks the app role Steward.Approver; ")
    assert problem(approver, 404).startswith("There is no plan ")
    assert writes(world) == []


@pytest.mark.parametrize("value", ["", "False", "1"])
def test_without_sign_in_the_header_is_nothing(tmp_path: Path, value: str) -> None:
    """Anybody may send it then: it gives no role, takes none away, names nobody, and is not even read."""
    with (
        world_of(tmp_path, small_estate(1)) as world,
        world.host(environment={"WEBSITE_AUTH_ENABLED": value}) as host,
    ):
        forged = signed_in(*Role) | {"X-Requested-By": TESTER}
        run = host.call("POST", RUNS, headers=forged).json()
        broken = host.call("GET", "/api/runs", headers={HEADER: "{no Base64,"})
        without = host.call("GET", "/api/runs", headers=signed_in(), key="reader")
        shut = host.call("POST", RUNS, headers=forged, key="reader")
        wait_ended(host, run["id"])

    assert (run["requested_by"], run["requested_by_verified"]) == (TESTER, False)
    assert (broken.status, without.status, shut.status) == (200, 200, 401)
