"""Resource Manager without HTTP: the same answers, at the pace of a clock that tests move."""

import json
from collections.abc import Iterable
from typing import Any

from devkit.simulator import OWNER, Assignment, Estate, Fault
from devkit.simulator.access import Access
from devkit.simulator.arm import ResourceManager
from devkit.simulator.deletions import Deletion, Deletions
from devkit.simulator.exchange import Call, Reply
from devkit.simulator.model import Resource
from devkit.simulator.routes import route
from devkit.simulator.state import State

URL = "https://127.0.0.1:1"
VERSION = "api-version=2024-03-01"


class Azure:
    """One estate; `now` is the time in seconds, and a delete that is accepted takes ten of them.

    Everything may be done, where no role assignments are given.
    """

    def __init__(
        self,
        estate: Estate,
        lag: float = 0,
        delete_time: float = 10,
        assignments: Iterable[Assignment] | None = OWNER,
    ) -> None:
        self.now = 0.0
        self.state = State(estate, lag, lambda: self.now)
        self.record = Deletions()
        self.access = Access(self.state, assignments)
        self.manager = ResourceManager(self.state, URL, self.record, delete_time, self.access)

    def ask(self, target: str, method: str = "GET", fault: Fault | None = None, body: object = None) -> Reply:
        """The answer for a path, or for an address that was handed out."""
        target = target.removeprefix(URL)
        if "?" not in target:
            target += f"?{VERSION}"
        call = self.call(target, method, b"" if body is None else json.dumps(body).encode())
        return self.manager.answer(call, route(call.path), None, fault)

    def call(self, target: str, method: str, body: bytes = b"") -> Call:
        """A call as the server hands it on."""
        return Call(method=method, target=target, host=URL.partition("//")[2], body=body)

    def delete(self, target: str, kind: str = "", **how: Any) -> Reply:
        """The answer to a DELETE, with a fault of that kind."""
        return self.ask(target, "DELETE", Fault(kind=f"{kind}-delete", **how) if kind else None)  # type: ignore[arg-type]

    def told(self, target: str) -> Any:
        """The body of an answer."""
        return json.loads(self.ask(target).body)

    def code(self, reply: Reply) -> str:
        """The code of an error."""
        document = json.loads(reply.body)
        return str(document["error"]["code"] if "error" in document else document["Error"]["Code"])

    @property
    def deletions(self) -> list[Deletion]:
        """What became of each DELETE until now."""
        self.state.catch_up()
        return self.record.all

    def resource(self, name: str) -> Resource | None:
        """The resource of that name, as it is now."""
        return next(
            (each for sub in self.state.estate.subscriptions for each in sub.resources if each.name == name), None
        )

    def id(self, name: str) -> str:
        """The id of the resource of that name."""
        found = self.resource(name)
        assert found is not None, f"there is no '{name}'"
        return found.id
