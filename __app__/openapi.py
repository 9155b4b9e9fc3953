"""The document of the API (OpenAPI 3.1), from the table of operations and the types that requests and answers are."""

import json
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
import msgspec.inspect

from __app__.bodies import Body
from __app__.operations import JSON, OPERATIONS, Answer, Operation
from __app__.parameters import PATHS, Parameter
from __app__.shapes import SHAPES, Error, Health
from shared_code.model import ListRead

type Json = dict[str, Any]

VERSION = "1"
"""Of the API: another one would mean that callers have to be changed."""
PROBLEM = "application/problem+json"
_SPARSE = (Error, Health, ListRead)
"""What is written without the fields that have their default."""
_RUN_LINKS = ("id", ("show_run", "cancel_run", "list_findings", "read_report", "undo_run"))
_LINKS = {
    "list_plans": {"plan": ("plans/0/id", ("show_plan", "apply_plan"))},
    "set_snooze": {"id": ("id", ("show_snooze", "remove_snooze"))},
}
"""Where in an answer the name stands of what to look at next, and which functions do."""

_DESCRIPTION = """\
Steward looks after an Azure estate on a schedule. POST jobs/{job}/runs plans; POST plans/{plan}/apply alone changes \
Azure.

Every function has keys of its own; each operation says whose key opens it. The key goes into the header \
`x-functions-key`, or into the query as `code`. Without the right one the host of the functions answers 401, with an \
empty body.

With Microsoft Entra in front of the app (App Service authentication) the app roles Steward.Reader, Steward.Operator \
and Steward.Approver, each of which includes the one before it, decide besides the key, and the name of whoever has \
signed in goes into the record. Without it `X-Requested-By` does, marked as not verified.

Errors are problem+json, with one sentence in `detail`. The platform may answer 404 for an address or a method that \
there is not, and 429, 502, 503 or 504 in place of the app; these have no such body."""

_ERRORS = {
    HTTPStatus.BAD_REQUEST: "The request is not as this document says, or it cannot be meant.",
    HTTPStatus.FORBIDDEN: "Sign-in is on, and the app role is missing, or nobody knows who is calling.",
    HTTPStatus.NOT_FOUND: "There is no such thing.",
    HTTPStatus.CONFLICT: "It cannot be done now; the sentence says why.",
    HTTPStatus.PRECONDITION_FAILED: "Something else is there than If-Match or If-None-Match says.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The Idempotency-Key was used for another request.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something unexpected went wrong; the log of the function has the details.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store cannot be read or written, or what is in it cannot be understood.",
}
_HEADERS: dict[str, Json] = {
    "Location": {"description": "The address of the run.", "schema": {"type": "string", "pattern": "^/api/runs/"}},
    "Retry-After": {"description": "Seconds until it is worth looking again.", "schema": {"type": "integer"}},
    "ETag": {
        "description": "Of this content: the same as long as nothing in it changes.",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Content-Disposition": {"description": "With CSV, a name to save it under.", "schema": {"type": "string"}},
}


@cache
def document() -> Json:
    """Return the document; the same for every caller, and without any data of the estate."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Steward", "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "/api"}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "headers": _HEADERS,
            "responses": {status.phrase.replace(" ", ""): _error(text) for status, text in _ERRORS.items()}
            | {"Unauthorized": {"description": "The key is missing, or opens another function. The body is empty."}},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "keyInQuery": {"type": "apiKey", "in": "query", "name": "code"},
            },
        },
    }


def _paths() -> Json:
    paths: dict[str, Json] = {}
    for name, operation in OPERATIONS.items():
        paths.setdefault(f"/{operation.route}", {})[operation.method.lower()] = _operation(name, operation)
    for route, path in paths.items():
        if named := [each[1:-1] for each in route.split("/") if each.startswith("{")]:
            path["parameters"] = [
                {"name": each, "in": "path", "required": True, "description": PATHS[each][0], "schema": PATHS[each][1]}
                for each in named
            ]
    return paths


def _operation(name: str, operation: Operation) -> Json:
    role = operation.role
    who = (
        "Open to anybody."
        if role is None
        else f"Takes the {role.key}'s key; with sign-in also the app role {role}, or one that includes it."
    )
    described: Json = {
        "operationId": name,
        "summary": operation.summary,
        "description": who,
        "tags": [operation.route.partition("/")[0].removesuffix(".json")],
        "security": [{"key": [role.key]}, {"keyInQuery": [role.key]}] if role else [],
        "parameters": [_parameter(each) for each in (*operation.query, *operation.headers)],
        "responses": {str(answer.status.value): _answer(name, operation, answer) for answer in operation.answers},
    }
    if operation.body:
        described["requestBody"] = _body(operation.body)
    if operation.tagged and operation.method == "GET":
        described["responses"]["304"] = {"description": "It is what you have.", "headers": _named(["ETag"])}
    for status in _errors(operation):
        described["responses"].setdefault(
            str(status.value), {"$ref": f"#/components/responses/{status.phrase.replace(' ', '')}"}
        )
    described["responses"] = dict(sorted(described["responses"].items()))
    return described


def _errors(operation: Operation) -> Iterable[HTTPStatus]:
    if operation.role is not None:
        yield from (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        yield HTTPStatus.INTERNAL_SERVER_ERROR
    yield from operation.errors
    if operation.reads_store:
        yield HTTPStatus.SERVICE_UNAVAILABLE


def _parameter(parameter: Parameter[Any]) -> Json:
    return {
        "name": parameter.name,
        "in": "header" if parameter.in_header else "query",
        "description": parameter.meaning,
        "schema": dict(parameter.schema),
    }


def _body(body: Body[Any]) -> Json:
    return {
        "required": body.required,
        "content": {JSON: {"schema": {"$ref": _reference(f"{body.kind.__name__}Request")}}},
    }


def _answer(name: str, operation: Operation, answer: Answer) -> Json:
    described: Json = {"description": answer.meaning}
    contents: Json = {other: {"schema": {"type": "string"}} for other in answer.others}
    if answer.shape:
        contents[JSON] = {"schema": {"$ref": _reference(answer.shape)}}
    if contents:
        described["content"] = contents
    headers = [*answer.headers, *(["ETag"] if operation.tagged else [])]
    if headers:
        described["headers"] = _named(headers)
    links = {"run": _RUN_LINKS} if "Location" in answer.headers else _LINKS.get(name, {})
    if links:
        described["links"] = {
            target: {"operationId": target, "parameters": {parameter: f"$response.body#/{place}"}}
            for parameter, (place, targets) in links.items()
            for target in targets
        }
    return described


def _named(headers: Iterable[str]) -> Json:
    """Give headers by their names; one that ends in ? may be left out."""
    return {name.rstrip("?"): {**_HEADERS[name.rstrip("?")], "required": not name.endswith("?")} for name in headers}


def _error(text: str) -> Json:
    return {"description": text, "content": {PROBLEM: {"schema": {"$ref": _reference("Error")}}}}


def _reference(name: str) -> str:
    return f"#/components/schemas/{name}"


def _schemas() -> Json:
    """Give every schema: what is answered has all its fields, what is sent those that it needs."""
    kinds = {each.body.kind for each in OPERATIONS.values() if each.body}
    sent = msgspec.json.schema_components(kinds, ref_template=_reference("{name}Request"))[1]
    answered = msgspec.json.schema_components(SHAPES, ref_template=_reference("{name}"))[1]
    for struct in _structs(msgspec.inspect.multi_type_info(SHAPES)):
        _mark_times(answered, struct)
    sparse = {kind.__name__ for kind in _SPARSE}
    for name, schema in answered.items():
        if "properties" in schema and name not in sparse:
            schema["required"] = list(schema["properties"])
    own = {
        "Document": {"description": "A document of OpenAPI 3.1.", "type": "object", "required": ["openapi", "paths"]},
        "Report": {
            "description": "The run, and the lines of each of its files under their names.",
            "type": "object",
            "properties": {"run": {"$ref": _reference("Run")}},
            "required": ["run"],
            "additionalProperties": {"type": "array"},
        },
    }
    schemas = _plainly_named(answered | {f"{name}Request": schema for name, schema in sent.items()}) | own
    for schema in schemas.values():
        schema.pop("title", None)
        if "description" in schema:
            schema["description"] = " ".join(schema["description"].split())
    return dict(sorted(schemas.items()))


def _structs(kinds: Iterable[msgspec.inspect.Type]) -> Iterable[msgspec.inspect.StructType]:
    """Give every struct among these types and in them, each once."""
    seen: set[type] = set()
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, msgspec.inspect.StructType):
            if kind.cls in seen:
                continue
            seen.add(kind.cls)
            yield kind
        waiting += _within(kind)


def _within(kind: msgspec.inspect.Type) -> list[msgspec.inspect.Type]:
    match kind:
        case msgspec.inspect.Metadata():
            return [kind.type]
        case msgspec.inspect.StructType():
            return [field.type for field in kind.fields]
        case msgspec.inspect.UnionType():
            return list(kind.types)
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return [kind.item_type]
    return []


def _mark_times(schemas: Json, struct: msgspec.inspect.StructType) -> None:
    """Say of each time that it is one: msgspec does not where it would also read times without a zone."""
    properties = schemas.get(struct.cls.__name__, {}).get("properties", {})
    for field in struct.fields:
        kinds = [field.type, *_within(field.type)]
        if any(isinstance(kind, msgspec.inspect.DateTimeType) for kind in kinds):
            schema = properties[field.encode_name]
            for place in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
                if place.get("type") == "string":
                    place["format"] = "date-time"


def _plainly_named(schemas: Json) -> Json:
    """Rename what has its module before its name, because two types are called alike."""
    text = json.dumps(schemas)
    for name in schemas:
        text = text.replace(f'"{name}"', f'"{_plain(name)}"').replace(f'/{name}"', f'/{_plain(name)}"')
    renamed: Json = json.loads(text)
    return renamed


def _plain(name: str) -> str:
    return "".join(part.capitalize() for part in name.split(".")[1:]) if "." in name else name
