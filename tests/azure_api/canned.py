"""Answers for what is deleted and queried, by method and path, behind TLS; and the real readers of them."""

import json
from typing import Any

from shared_code.azure_api.arm import Arm
from shared_code.azure_api.graph import ResourceGraph
from shared_code.azure_api.removals import AzureRemover
from shared_code.model import Subscription
from tests.azure_api.conftest import JSON, Answer, Clock, Script

KNOWN = Subscription("0c000000-0000-4000-8000-000000000001", "Canned", "Enabled")
ROOT = f"/subscriptions/{KNOWN.id}"
GROUP = f"{ROOT}/resourceGroups/rg-one"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/disk-one"
DATABASE = f"{GROUP}/providers/Microsoft.Sql/servers/sql-one/databases/orders"
OPERATION = f"{ROOT}/providers/Microsoft.Compute/locations/westeurope/operations/1"
RESULT = f"{ROOT}/providers/Microsoft.Compute/locations/westeurope/results/1"
NEWEST = "2024-03-02"

type Json = dict[str, Any]


class Canned:
    """Says what Azure answers, and asks it as the app does after a fresh start."""

    def __init__(self, script: Script) -> None:
        self.script = script
        script.sent.clear()
        script.answers = self._answer
        self.time = Clock()
        arm = Arm(script.url, "https://management.azure.com", lambda: script.credential, self.time.sleep, self.time.now)
        self.remover, self.graph = AzureRemover(arm), ResourceGraph(arm)
        self._routes: list[tuple[str, str, list[Answer]]] = []
        self.list(f"{ROOT}/providers/Microsoft.Authorization/permissions", {"actions": ["*/read"], "notActions": []})
        self.provider("Microsoft.Compute", {"disks": [NEWEST, "2023-01-02"], "snapshots": [NEWEST]})
        self.provider("Microsoft.Sql", {"servers": ["2021-11-01"], "servers/databases": ["2023-08-01-preview", NEWEST]})

    @property
    def sent(self) -> list[str]:
        """Method and path of every request, in order."""
        return [f"{method} {path}" for method, path, _ in self.script.sent]

    @property
    def bodies(self) -> list[Json]:
        """What every POST had."""
        return [json.loads(body) for method, _, body in self.script.sent if method == "POST"]

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Answer requests whose path begins so, one after the other, and later ones like the last.

        What was said last comes first; a path with `?` is compared with its query.
        """
        self._routes.insert(0, (method, path.lower(), list(answers)))

    def provider(self, namespace: str, types: dict[str, list[str]], **default: str) -> None:
        """Let the subscription have a provider with these types."""
        kinds = [
            {"resourceType": name, "apiVersions": versions}
            | ({"defaultApiVersion": default[name]} if name in default else {})
            for name, versions in types.items()
        ]
        self.on("GET", f"{ROOT}/providers/{namespace}?", said({"namespace": namespace, "resourceTypes": kinds}))

    def resource(self, resource_id: str, **fields: object) -> None:
        """Let there be a resource; a field of None is null."""
        self.on("GET", f"{resource_id}?", said(definition(resource_id, **fields)))

    def list(self, path: str, *items: object) -> None:
        """Let there be a list, in one page."""
        self.on("GET", f"{path}?", said({"value": list(items)}))

    def deleting(self, resource_id: str, *answers: Answer) -> None:
        """Answer a deletion so."""
        self.on("DELETE", f"{resource_id}?", *answers)

    def link(self, path: str) -> str:
        """An address here."""
        return self.script.url + path

    def _answer(self, path: str) -> Answer:
        method = self.script.sent[-1][0]
        for known, start, answers in self._routes:
            if known == method and path.lower().startswith(start):
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return 400, JSON, b'{"error":{"code":"NotInTheTest","message":"nobody asks for this"}}'


def said(body: object, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; `_` in a header's name stands for `-`."""
    return status, JSON | _headers(headers), json.dumps(body).encode()


def empty(status: int, **headers: str) -> Answer:
    """An answer without a body."""
    return status, _headers(headers), b""


def error(status: int, code: str, message: str = "said") -> Answer:
    """An error in Azure's usual envelope."""
    return said({"error": {"code": code, "message": message}}, status)


def html(status: int) -> Answer:
    """A page of a gateway."""
    return status, {"Content-Type": "text/html"}, b"<html><head><title>Not here</title></head></html>"


def definition(resource_id: str, **fields: object) -> Json:
    """A resource as its GET shows it."""
    _, _, inside = resource_id.partition("/providers/")
    namespace, *pairs = inside.split("/")
    kind = "/".join([namespace, *pairs[::2]]) if inside else "Microsoft.Resources/resourceGroups"
    return {
        "id": resource_id,
        "name": resource_id.rpartition("/")[2],
        "type": kind,
        "location": "westeurope",
        "tags": {"env": "test"},
        "systemData": {"createdAt": "2024-05-06T07:08:09.1234567Z"},
        "properties": {"provisioningState": "Succeeded"},
    } | fields


def free() -> None:
    """What is asked before a deletion, and lets it pass."""


def _headers(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
