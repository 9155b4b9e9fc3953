"""The document of the API: what is registered, and what opens it; docs/openapi.json is what its generator prints."""

import json
import re
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from __app__.openapi import document
from __app__.operations import OPERATIONS
from devkit.local_host.functions import Function, HttpTrigger
from devkit.local_host.keys import Keys
from devkit.local_host.routes import parse_route
from devkit.openapi_page import page
from shared_code.roles import Role

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = document()
METHODS = ("get", "put", "post", "delete")
REGISTERED = """
import json, function_app
found = [(each.get_function_name(), each.get_trigger().get_dict_repr()) for each in function_app.app.get_functions()]
http = [(name, trigger) for name, trigger in found if trigger["type"] == "httpTrigger"]
level = lambda trigger: str(getattr(trigger.get("authLevel"), "name", trigger.get("authLevel"))).lower()
print(json.dumps([[name, each["methods"], each["route"], level(each)] for name, each in http], default=str))
"""


class Described(NamedTuple):
    """One operation of the document."""

    path: str
    method: str
    operation: dict[str, Any]


DESCRIBED = {
    each["operationId"]: Described(path, method, each)
    for path, methods in DOCUMENT["paths"].items()
    for method, each in methods.items()
    if method in METHODS
}
every_operation = pytest.mark.parametrize("name", OPERATIONS)


def test_the_file_is_up_to_date() -> None:
    """`python -m devkit.openapi_page > docs/openapi.json` mends this."""
    assert (ROOT / "docs" / "openapi.json").read_text("utf-8") == page()


def test_what_is_registered_is_in_the_document(tmp_path: Path) -> None:
    """Every HTTP function, with exactly its methods and its route; and nothing is in it that is not registered."""
    environ = {"STEWARD_STORE": (tmp_path / "store").as_uri(), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", REGISTERED], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    registered = {name: (methods, f"/{route}", level) for name, methods, route, level in json.loads(done.stdout)}

    assert registered == {
        name: (
            [each.method.upper()],
            each.path,
            "function" if each.operation["security"] else "anonymous",
        )
        for name, each in DESCRIBED.items()
    }
    assert set(registered) == set(OPERATIONS)


def test_every_reference_leads_somewhere() -> None:
    def found(reference: str) -> object:
        place: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        return place

    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT)))

    assert len(references) > 40
    assert all(found(each) for each in references)
    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert schemas - references == set(), "nothing is described that nothing refers to"


@every_operation
def test_what_is_said_of_each(name: str) -> None:
    """What it is for, whose key opens it, what it takes and every answer there may be."""
    table, (path, _, described) = OPERATIONS[name], DESCRIBED[name]
    in_path = [each["name"] for each in DOCUMENT["paths"][path].get("parameters", ())]
    answers = set(described["responses"])

    assert described["summary"].endswith(".")
    assert in_path == re.findall(r"{(\w+)}", path)
    assert ("requestBody" in described) is (table.body is not None)
    assert {str(answer.status.value) for answer in table.answers} <= answers
    if table.role is None:
        assert (described["description"], described["security"]) == ("Open to anybody.", [])
        assert answers == {"200"}
        return
    assert f"the {table.role.key}'s key" in described["description"]
    assert f"app role {table.role}" in described["description"]
    assert described["security"] == [{"key": [table.role.key]}, {"keyInQuery": [table.role.key]}]
    assert {"400", "401", "403", "500"} <= answers
    assert ("404" in answers) or not in_path or name == "set_snooze"
    assert ("304" in answers) is (table.tagged and table.method == "GET")
    assert ("412" in answers) is any(each["name"] == "If-Match" for each in described["parameters"])
    assert ("422" in answers) is any(each["name"] == "Idempotency-Key" for each in described["parameters"])
    assert ("503" in answers) is (table.reads_store or name == "health")


def test_errors_are_problems() -> None:
    """Each is problem+json, but for 401, which the host answers, and with an empty body."""
    responses = DOCUMENT["components"]["responses"]

    assert "content" not in responses.pop("Unauthorized")
    assert set(responses) == {
        HTTPStatus(status).phrase.replace(" ", "") for status in (400, 403, 404, 409, 412, 422, 500, 503)
    }
    assert {tuple(each["content"]) for each in responses.values()} == {("application/problem+json",)}


@pytest.mark.parametrize("name", ["start_run", "undo_run", "apply_plan"])
def test_whoever_starts_a_run_is_told_where_it_is(name: str) -> None:
    headers = DESCRIBED[name].operation["responses"]["202"]["headers"]

    assert {header: each["required"] for header, each in headers.items()} == {"Location": True, "Retry-After": True}


def test_one_function_changes_azure() -> None:
    """The approver's key and role are for that alone, and whoever only reads starts, stops and snoozes nothing."""
    roles = {name: each.role for name, each in OPERATIONS.items()}

    assert [name for name, role in roles.items() if role is Role.APPROVER] == ["apply_plan"]
    assert {name for name, role in roles.items() if role is None} == {"live", "dashboard"}
    assert all((each.method == "GET") is (each.role in (Role.READER, None)) for each in OPERATIONS.values())


@every_operation
def test_the_local_host_hands_out_keys_by_the_same_table(name: str) -> None:
    """Its rule goes by method and name, and comes to the same: an operator's key opens what a reader's does."""
    table = OPERATIONS[name]
    keys = Keys(reader="reader", operator="operator", approver="approver", master="master")
    level = "function" if table.role else "anonymous"
    trigger = HttpTrigger("req", parse_route(f"api/{table.route}"), frozenset({table.method}), level)
    function = Function(name=name, bindings=(), trigger=trigger)

    opened = {each for each in ("reader", "operator", "approver") if keys.opens(function, each)}

    assert (
        opened
        == {
            None: {"reader", "operator", "approver"},
            Role.READER: {"reader", "operator"},
            Role.OPERATOR: {"operator"},
            Role.APPROVER: {"approver"},
        }[table.role]
    )


def test_times_are_said_to_be_times() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    assert schemas["RunView"]["properties"]["requested"] == {"type": "string", "format": "date-time"}
    assert {"type": "string", "format": "date-time"} in schemas["RunView"]["properties"]["ended"]["anyOf"]
    assert schemas["JobView"]["properties"]["next_runs"]["items"]["format"] == "date-time"


def test_what_is_answered_has_all_its_fields() -> None:
    """A caller need not guess which are there; what may be sent is as the type that reads it."""
    schemas = DOCUMENT["components"]["schemas"]

    assert schemas["RunView"]["required"] == list(schemas["RunView"]["properties"])
    assert "definition" not in schemas["PlanItemView"]["properties"]
    assert schemas["ListRead"]["required"] == ["pages", "items"]
    assert schemas["WantedRequest"]["required"] == []
    assert schemas["ApprovalRequest"]["required"] == ["digest"]
    sent = [schema for name, schema in schemas.items() if name.endswith("Request") and "properties" in schema]
    assert len(sent) == 5
    assert all(schema["additionalProperties"] is False for schema in sent)
