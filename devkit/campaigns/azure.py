"""An Azure that meets a client with trouble at one call, and notes all that it was asked for."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from devkit.campaigns.passing import Movable
from devkit.campaigns.trouble import Trouble
from devkit.simulator import Estate, Simulator
from devkit.simulator.access import Access
from devkit.simulator.deletions import Deletions
from devkit.simulator.exchange import Call, Reply
from devkit.simulator.routes import Route, route
from devkit.simulator.state import State

DELETE_TIME = 20.0
_WRITES = ("PATCH", "PUT", "DELETE")


class Blow(Struct, frozen=True):
    """Trouble at the call of that name and number, counted from 1; where it lasts, at all that follow too."""

    call: str
    trouble: Trouble
    first: int = 1
    lasts: bool = False


class Asked(Struct, frozen=True):
    """A request that has come: its name is the method and the route, `done` tells that a write has taken effect."""

    name: str
    method: str
    path: str
    struck: bool
    done: bool


class Answers:
    """Gives the same answer to the same question, since its tables stay as they are; from any thread."""

    def __init__(self, answer: Callable[..., Reply], close: Callable[[], None]) -> None:
        self._answer = answer
        self.close = close
        self._known: dict[tuple[str, bytes], Reply] = {}
        self._mutex = threading.Lock()

    def answer(self, call: Call, *more: Any) -> Reply:
        """The answer to a call."""
        with self._mutex:
            place = call.target, call.body
            if place not in self._known:
                self._known[place] = self._answer(call, *more)
            return self._known[place]


class Azure(Simulator):
    """A simulator that is made anew for each trial without being started again."""

    def __init__(self, estate: Estate, time: Movable) -> None:
        super().__init__(estate, delete_time=DELETE_TIME, clock=time.seconds)
        self._time = time
        self.asked: list[Asked] = []
        self._blow: Blow | None = None
        self._calls: Counter[str] = Counter()
        self._issued = 0
        self._logs = cast(Any, Answers(self._logs.answer, self._logs.close))
        self._graph = cast(Any, Answers(self._graph.answer, self._graph.close))

    def renew(self, estate: Estate, blow: Blow | None = None, lag: float = 0, delete_time: float = DELETE_TIME) -> None:
        """Be this estate from now on, as if nothing had ever been asked; lists are `lag` seconds old."""
        self._delete_time = delete_time
        self._state = State(estate, lag, self._time.seconds)
        self._access = Access(self._state, None)
        self._deletions = Deletions()
        self._manager = self._new_manager()
        self.asked, self._calls, self._blow = [], Counter(), blow
        self._issued = len(self._tokens)

    @property
    def secrets(self) -> list[str]:
        """What no record, report or log may ever say: the header of the identity, and the tokens issued since then."""
        return [self._identity.secret, *self._tokens[self._issued :]]

    @property
    def _tokens(self) -> list[str]:
        return list(self._identity._issued)  # noqa: SLF001  # nobody else may be told

    async def _answer_arm(self, call: Call) -> Reply:
        asked = route(call.path)
        return await self._struck(f"{call.method} {asked.name}", call, asked, super()._answer_arm)

    async def _answer_identity(self, call: Call) -> Reply:
        return await self._struck("GET identity", call, Route("identity"), super()._answer_identity)

    async def _struck(self, name: str, call: Call, asked: Route, answer: Callable[[Call], Awaitable[Reply]]) -> Reply:
        self._calls[name] += 1
        number, blow, noted, writes = self._calls[name], self._blow, self.asked, call.method in _WRITES
        trouble = None
        if blow and blow.call == name and (number == blow.first or (blow.lasts and number > blow.first)):
            trouble = blow.trouble
        prevented = writes and trouble is not None and trouble.refuses
        reply = Reply() if prevented else await answer(call)
        done = writes and not prevented and reply.status < 300
        if done and call.method == "DELETE":
            # Azure says yes to whoever asks again, and does nothing.
            done = self._deletions.all[-1].outcome not in ("refused", "missing", "running")
        if "Date" not in reply.headers:
            reply = replace(reply, headers=reply.headers | {"Date": format_datetime(self._time.now(), usegmt=True)})
        if trouble:
            if trouble.seconds:
                noted.append(Asked(name, call.method, call.path, struck=True, done=done))
                await asyncio.sleep(trouble.seconds)
                return reply
            made = trouble.make(call, asked, reply)
            noted.append(Asked(name, call.method, call.path, struck=made is not None, done=done))
            return reply if made is None else made
        noted.append(Asked(name, call.method, call.path, struck=False, done=done))
        return reply
