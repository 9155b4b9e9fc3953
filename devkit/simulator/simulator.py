"""The simulator as a whole: an estate and its activity behind HTTPS, an identity endpoint, faults, a request log."""

import asyncio
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from devkit.simulator import certificates, graph, logs
from devkit.simulator.access import Access
from devkit.simulator.arm import ResourceManager
from devkit.simulator.breakage import broken, prevents, throttled
from devkit.simulator.deletions import Deletion, Deletions
from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.faults import DELETING, LATE, Fault, Faults
from devkit.simulator.identity import Identity
from devkit.simulator.journal import Journal, Request
from devkit.simulator.logs_events import ActivityLog
from devkit.simulator.logs_telemetry import PATHS, Telemetry
from devkit.simulator.model import Estate, Subscription
from devkit.simulator.roles import Assignment
from devkit.simulator.routes import Route, route
from devkit.simulator.server import HOST, Listener, Server
from devkit.simulator.state import State
from devkit.simulator.tag_writes import Lateness
from devkit.simulator.throttling import Buckets, Left, Operation, headers, operation, untouched

AUDIENCE = "https://management.azure.com"
IDENTITY_PATH = "/msi/token"
KEY = "11500000-0000-4000-8000-000000000001"
"""The instrumentation key, which is no secret."""


class Simulator:
    """An Azure on loopback, from `start` to `stop` or inside a `with` block.

    Takes the estate to serve, faults in force from the beginning, the port for Resource Manager (0: a free one) and
    the file the request log is appended to (None: kept in memory only). On request, each answer of Resource Manager
    waits `latency` seconds, calls are throttled by token buckets, lists show what was there `lag` seconds ago, and
    writes of a resource's tags are accepted first and done `late_tags` seconds later, as `clock` counts them. A delete
    that is accepted takes `delete_time` seconds.

    The identity may do what the roles of `assignments` say; by default these are the ones of `infra/roles`, everywhere.

    `activity` is the activity log that Log Analytics is asked about, `telemetry` what an app's host has sent to
    Application Insights; tests add to both.

    `environment` is what points a client here; `REQUESTS_CA_BUNDLE` lies in a private folder that `stop` removes.

    Raises:
        OSError: from `start`, when the port is taken or the log cannot be written.
    """

    def __init__(
        self,
        estate: Estate,
        faults: Iterable[Fault] = (),
        port: int = 0,
        log: Path | str | None = None,
        *,
        latency: float = 0,
        throttle: Buckets | None = None,
        lag: float = 0,
        late_tags: float = 0,
        delete_time: float = 0,
        clock: Callable[[], float] = time.monotonic,
        assignments: Iterable[Assignment] | None = None,
    ) -> None:
        self._state = State(estate, lag, clock)
        self._access = Access(self._state, assignments)
        self._latency = latency
        self._throttle = throttle
        self._late_tags = Lateness(late_tags) if late_tags else None
        self.faults = Faults(tuple(faults))
        self.url = ""
        self.environment: dict[str, str] = {}
        self._own_faults = Faults(tuple(fault for each in estate.subscriptions for fault in each.faults))
        self._port = port
        self._log = Path(log) if log is not None else None
        self._journal = Journal(None)
        self._identity = Identity(AUDIENCE)
        self._delete_time = delete_time
        self._deletions = Deletions(self._tell)
        self._manager = self._new_manager()
        self.activity = ActivityLog(estate, datetime.now(UTC))
        self.telemetry = Telemetry()
        self._logs = logs.LogAnalytics(self.activity, self._access, logs.place(estate), self.telemetry)
        self._graph = graph.ResourceGraph(self._state, self._access)
        self._quota = graph.Quota(clock if throttle else None)
        self._listeners: list[Listener] = []
        self._server: Server | None = None
        self._folder: Path | None = None

    @property
    def estate(self) -> Estate:
        """The estate as it is now: what it was to begin with, and what was changed since."""
        return self._state.estate

    def change(self, subscription_id: str, subscription: Subscription) -> None:
        """Let the subscription of that id be this one from now on; callable from any thread.

        The faults in force stay those of the estate that was given to begin with.

        Raises:
            ValueError: when there is none of that id, the new one has another, or it is served from recordings.
        """
        self._state.change(subscription_id, subscription)

    def assign(self, assignments: Iterable[Assignment] | None) -> None:
        """Let these be the role assignments of the identity from the next call on; None for those of `infra/roles`."""
        self._access.assign(assignments)

    @property
    def requests(self) -> list[Request]:
        """A copy of the request log, in the order of the answers; kept after `stop`."""
        return self._journal.requests

    @property
    def deletions(self) -> list[Deletion]:
        """Every DELETE that came and what has become of it until now, in their order; kept after `stop`."""
        self._state.catch_up()
        return self._deletions.all

    def _tell(self, deletion: Deletion) -> None:
        self._journal.tell(deletion)

    def _new_manager(self) -> ResourceManager:
        return ResourceManager(self._state, self.url, self._deletions, self._delete_time, self._access)

    def start(self) -> None:
        """Listen; `url` and `environment` are set when this returns."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self._journal = Journal(self._log)
        self._folder = Path(tempfile.mkdtemp(prefix="simulator-"))
        tls, authority = certificates.issue(self._folder)
        arm = Listener(self._answer_arm, self._port, tls)
        self._listeners.append(arm)
        identity = Listener(self._answer_identity)
        self._listeners.append(identity)
        self.url = f"https://{HOST}:{arm.port}"
        self._manager = self._new_manager()
        self.environment = {
            "STEWARD_ARM_ENDPOINT": self.url,
            "STEWARD_ARM_AUDIENCE": AUDIENCE,
            "STEWARD_LOGS_ENDPOINT": self.url,
            "STEWARD_LOGS_AUDIENCE": logs.AUDIENCE,
            "STEWARD_LOGS_WORKSPACE_ID": logs.WORKSPACE,
            "IDENTITY_ENDPOINT": f"http://{HOST}:{identity.port}{IDENTITY_PATH}",
            "IDENTITY_HEADER": self._identity.secret,
            "REQUESTS_CA_BUNDLE": str(authority),
            # A host finds by these where telemetry goes, and under which name of the app.
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                f"InstrumentationKey={KEY};IngestionEndpoint=http://{HOST}:{identity.port}/"
            ),
            "WEBSITE_SITE_NAME": logs.APP,
        }
        self._server = Server(self._listeners)
        self._server.start()

    def stop(self) -> None:
        """Close everything and remove the certificate's folder. The request log stays readable."""
        if self._server:
            self._server.stop()
            self._server = None
        for listener in self._listeners:
            listener.socket.close()
        self._listeners = []
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        self._logs.close()
        self._graph.close()
        self._journal.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def _answer_arm(self, call: Call) -> Reply:
        manager = self._manager
        asked = route(call.path)
        if asked.name == "logs":
            return await self._answer_logs(call, asked)
        refusal = self._identity.refusal(call)
        if refusal:
            return await self._finish(call, asked, asked.subscription, lambda: refusal)
        if asked.name == "resource-graph":
            return await self._answer_graph(call, asked)
        subscription, page = manager.place(call, asked)
        kind = operation(call.method)
        left = self._throttle.take(subscription, kind) if self._throttle else untouched(kind)
        told = self._told(kind, left, subscription)
        if left.wait:
            refused = throttled(subscription, left.wait, kind)
            return await self._finish(call, asked, subscription, lambda: _with_headers(refused, told))
        match = (asked.name, subscription, call.path, page, call.method)
        fault = self.faults.take(*match) or self._own_faults.take(*match)
        late = self._late_tags if "/providers/" in asked.scope.casefold() else None
        if fault and fault.kind in LATE:
            late = Lateness(fault.delay, fails=fault.kind == "no-tags")
        if fault and prevents(fault, call):
            return await self._finish(call, asked, subscription, lambda: _with_headers(Reply(), told), fault)
        return await self._finish(
            call, asked, subscription, lambda: _with_headers(manager.answer(call, asked, late, fault), told), fault
        )

    def _told(self, kind: Operation, left: Left, subscription: str) -> dict[str, str]:
        """The headers about the buckets; none where the subscription is not known."""
        holdings = self._state.present(subscription) if subscription else None
        if subscription and holdings is None:
            return {}
        return headers(kind, left, holdings.subscription if holdings else None, limited=self._throttle is not None)

    async def _answer_logs(self, call: Call, asked: Route) -> Reply:
        if not self._identity.admits(call, logs.AUDIENCE):
            return await self._finish(call, asked, "", logs.unauthenticated)
        fault = self.faults.take(asked.name, asked.subscription, call.path, 1, call.method)
        # A query may take seconds; other calls are answered meanwhile.
        reply = await asyncio.to_thread(self._logs.answer, call, asked)
        return await self._finish(call, asked, asked.subscription, lambda: reply, fault)

    async def _answer_graph(self, call: Call, asked: Route) -> Reply:
        admitted, told = self._quota.take()
        if not admitted:
            return await self._finish(call, asked, "", lambda: _with_headers(graph.throttled(), told))
        fault = self.faults.take(asked.name, "", call.path, 1, call.method)
        reply = await asyncio.to_thread(self._graph.answer, call)
        return await self._finish(call, asked, "", lambda: _with_headers(reply, told), fault)

    def _take_telemetry(self, call: Call) -> Reply:
        try:
            number = self.telemetry.take(call.body)
        except ValueError as error:
            return json_reply({"itemsReceived": 0, "itemsAccepted": 0, "errors": [{"message": str(error)}]}, 400)
        return json_reply({"itemsReceived": number, "itemsAccepted": number, "errors": []})

    async def _answer_identity(self, call: Call) -> Reply:
        if call.method == "POST" and call.path in PATHS:
            return self._take_telemetry(call)  # it is not written down, since it is no question
        asked = Route("identity")
        fault = self.faults.take("identity", "", call.path, 1, call.method)
        if call.path != IDENTITY_PATH or call.method != "GET":
            return await self._finish(call, asked, "", lambda: Reply(status=404))
        if fault and fault.kind == "expired-token":
            return await self._finish(call, asked, "", lambda: self._identity.answer(call, stale=True))
        return await self._finish(call, asked, "", lambda: self._identity.answer(call), fault)

    async def _finish(
        self, call: Call, asked: Route, subscription: str, normal: Callable[[], Reply], fault: Fault | None = None
    ) -> Reply:
        """Answer, with the fault if one hits, and write it down."""
        came, clock = datetime.now(UTC), time.perf_counter()
        pause = (fault.delay if fault and fault.kind not in (*LATE, *DELETING) else 0) + (
            self._latency if asked.name != "identity" else 0
        )
        if pause:
            await asyncio.sleep(pause)
        reply = normal()
        authorised = reply.status != 401
        if fault:
            reply = broken(fault, asked, call, reply)
        if asked.name != "identity":
            reply = _with_request_id(reply)
        self._journal.record(
            Request(
                time=came,
                method=call.method,
                host=call.host,
                path=call.path,
                query=call.raw_query,
                route=asked.name,
                subscription=subscription,
                status=0 if reply.reset else reply.status,
                authorised=authorised,
                fault=fault.kind if fault else "",
                milliseconds=round((time.perf_counter() - clock) * 1000, 3),
            )
        )
        return reply


def _with_headers(reply: Reply, more: dict[str, str]) -> Reply:
    return replace(reply, headers=reply.headers | more)


def _with_request_id(reply: Reply) -> Reply:
    request_id = str(uuid.uuid4())
    told = {
        "Cache-Control": "no-cache",
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request_id,
        "x-ms-routing-request-id": f"LOOPBACK:{datetime.now(UTC):%Y%m%dT%H%M%SZ}:{request_id}",
    }
    return replace(reply, headers=told | reply.headers)
