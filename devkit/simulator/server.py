"""Serves calls over HTTPS (and plain HTTP for the identity endpoint) from a thread of its own, on loopback only."""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from devkit.simulator.exchange import Call, Reply

HOST = "127.0.0.1"
_LONGEST_TARGET = 32_768  # nextLinks of 2,000 characters are recorded; aiohttp's own limit is 8,190

Handler = Callable[[Call], Awaitable[Reply]]


class Listener:
    """One port and what answers there; without a TLS context it speaks plain HTTP. Port 0 takes a free one."""

    def __init__(self, handler: Handler, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._tls = tls
        # Bound here and not in the thread, so that the port is known at once and a taken one is the caller's error.
        self.socket = socket.socket()
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((HOST, port))
            self.socket.listen()
        except OSError:
            self.socket.close()
            raise
        self.port: int = self.socket.getsockname()[1]

    async def serve(self, stop: asyncio.Event, ready: Callable[[], object]) -> None:
        """Answer requests until `stop` is set; `ready` is called once connections are accepted."""
        # A client that has gone, or a stop, ends an answer that is being delayed.
        protocol = web.Server(self._respond, access_log=None, handler_cancellation=True, max_line_size=_LONGEST_TARGET)
        server = await asyncio.get_running_loop().create_server(protocol, sock=self.socket, ssl=self._tls)
        ready()
        await stop.wait()
        server.close()
        # A TLS connection that is only closed waits for the other side's goodbye, long after the loop has ended.
        server.abort_clients()
        await protocol.shutdown(0)
        await server.wait_closed()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        call = Call(
            method=request.method,
            target=request.raw_path,
            host=request.headers.get("Host", ""),
            headers={name.casefold(): value for name, value in request.headers.items()},
            body=await request.read() if request.can_read_body else b"",
        )
        reply = await self._handler(call)
        if reply.reset:
            _reset(request.transport)
            return web.Response()
        if call.takes_gzip:
            reply = reply.packed
        headers = {"Server": "simulator"} | reply.headers
        body = reply.body
        if reply.cut:
            return await _cut(request, reply.status, headers, body)
        if reply.drip:
            return await _drip(request, reply, headers)
        response = web.Response(status=reply.status, body=body or None, headers=headers)
        if not body and "Content-Type" not in headers:
            response.headers.popall("Content-Type", None)
        return response


async def _cut(request: web.BaseRequest, status: int, headers: dict[str, str], body: bytes) -> web.StreamResponse:
    """Announce the whole body, send half of it, and close the connection."""
    response = web.StreamResponse(status=status, headers=headers | {"Content-Length": str(len(body))})
    response.force_close()
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _drip(request: web.BaseRequest, reply: Reply, headers: dict[str, str]) -> web.StreamResponse:
    """Announce the whole body, and send it byte by byte for as long as anybody listens."""
    response = web.StreamResponse(status=reply.status, headers=headers | {"Content-Length": str(len(reply.body))})
    await response.prepare(request)
    with suppress(ConnectionError):
        for place in range(len(reply.body)):
            await asyncio.sleep(reply.drip)
            await response.write(reply.body[place : place + 1])
    return response


def _reset(transport: asyncio.BaseTransport | None) -> None:
    """Close a connection with RST: no TLS goodbye, nothing flushed."""
    if not isinstance(transport, asyncio.WriteTransport) or transport.is_closing():
        return
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class Server:
    """Runs listeners in a background thread from `start` to `stop`."""

    def __init__(self, listeners: list[Listener]) -> None:
        self._listeners = listeners
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._waiting = len(listeners)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self) -> None:
        """Return once every listener accepts connections.

        Raises:
            RuntimeError: when the thread ended before that; what ended it is on stderr.
        """
        self._thread.start()
        self._ready.wait()
        if self._waiting:
            raise RuntimeError("the simulator's server ended while it was starting")

    def stop(self) -> None:
        """Close the listeners and all connections, and wait for the thread to end."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for listener in self._listeners:
                tasks.create_task(listener.serve(self._stop, self._one_ready))

    def _one_ready(self) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            self._ready.set()
