"""Operations that were accepted and go on: where to ask for them, and what is answered (oddities 39 to 42)."""

import base64
import threading
import time
import uuid
from typing import Any

import msgspec
from msgspec import Struct

from devkit.simulator import errors
from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.model import Json
from devkit.simulator.routes import Route

_EPOCH_IN_TICKS = 621_355_968_000_000_000
_SIGNATURE = {"c": 2100, "s": 342, "h": 43}
"""How long the parts of a recorded signature are."""


class Operation(Struct):
    """Something that was accepted: what it ended with, None while it goes on.

    `wait` is what a client is told to wait; `words` are its states while it goes on, `last` the one after success, and
    `beside` is an error shown beside any of them. What one that is `lost` ended with is not found, though it succeeded.
    A `signed` one is asked for at addresses with a signature, which is another one at each answer.
    """

    name: str
    wait: str = ""
    words: tuple[str, ...] = ("InProgress",)
    last: str = "Succeeded"
    beside: Json | None = None
    lost: bool = False
    signed: bool = False
    started: str = ""
    polls: int = 0
    ended: Reply | None = None

    @property
    def told(self) -> dict[str, str]:
        """The header that says when to ask again."""
        return {"Retry-After": self.wait} if self.wait else {}


class Operations:
    """All operations by subscription and name; started and asked for from different threads."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Operation] = {}
        self._signatures: dict[str, set[str]] = {}

    def start(self, subscription: str, operation: Operation) -> None:
        """Let it be asked for from now on."""
        with self._lock:
            self._known[subscription.casefold(), operation.name] = operation

    def address(self, operation: Operation, path: str, query: str) -> str:
        """Where to ask for it, with a new signature if it is signed."""
        if operation.signed:
            ticks = _EPOCH_IN_TICKS + time.time_ns() // 100
            parts = "".join(f"&{name}={_filler(length)}" for name, length in _SIGNATURE.items())
            query = f"{query}&t={ticks}{parts}"
            with self._lock:
                self._signatures.setdefault(operation.name, set()).add(query)
        return f"{self._base_url}{path}?{query}"

    def answer(self, call: Call, route: Route) -> Reply:
        """How far it has come: an operation says so in words, its result by the status."""
        with self._lock:
            found = self._known.get((route.subscription.casefold(), route.name_in_scope))
            if found is None:
                placed = "/locations/" in call.path.casefold() or "/providers/" not in call.path.casefold()
                if not placed:
                    return errors.invalid_resource_type(call.path, call.query["api-version"])
                return errors.operation_not_found(route.name_in_scope)
            if found.signed and call.raw_query not in self._signatures.get(found.name, ()):
                return errors.invalid_signature()
            word = found.words[min(found.polls, len(found.words) - 1)]
            found.polls += 1
        # One path serves both where the query tells them apart (oddity 47).
        if route.name == "operation-result" or call.query.get("monitor") == "true":
            return self._result(found, call)
        return _state(found, word)

    def _result(self, found: Operation, call: Call) -> Reply:
        if found.ended is None:
            path, query = call.target.partition("?")[0], call.raw_query.partition("&t=")[0]
            again = self.address(found, path, query if found.signed else call.raw_query)
            return Reply(status=202, headers=found.told | {"Location": again})
        if found.lost and found.ended.status < 400:
            return errors.invalid_resource_type(call.path, call.query.get("api-version", ""))
        return found.ended


def new_name() -> str:
    """A name for an operation of a resource."""
    return str(uuid.uuid4())


def job_name(kind: str, group: str, location: str) -> str:
    """A name for an operation of a resource group: a job in base64, without padding."""
    job = {"jobId": f"{kind}-{group.upper()}-{uuid.uuid4().hex[:16].upper()}", "jobLocation": location}
    return base64.urlsafe_b64encode(msgspec.json.encode(job)).decode().rstrip("=")


def _state(found: Operation, word: str) -> Reply:
    if found.lost and found.ended is not None and found.ended.status == 404:
        return found.ended
    beside: Json = {"error": found.beside} if found.beside else {}
    named: Json = {"name": found.name}
    if found.started:
        named["startTime"] = found.started
    if found.ended is None:
        return json_reply(named | {"status": word} | beside, headers=found.told)
    if found.ended.status < 400:
        return json_reply(named | {"status": found.last} | beside)
    told: dict[str, Any] = msgspec.json.decode(found.ended.body)
    return json_reply(named | {"status": "Failed"} | told)


def _filler(length: int) -> str:
    return (uuid.uuid4().hex + "x" * length)[:length]
