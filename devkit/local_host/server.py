"""The HTTP server: the app's routes and the host's own under /admin, on loopback only."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable

import msgspec
from aiohttp import web

from devkit.local_host.admin import Admin, Invocation
from devkit.local_host.functions import Function, HttpTrigger
from devkit.local_host.http import request_datum, response_of
from devkit.local_host.invoker import Invoker
from devkit.local_host.keys import Keys
from devkit.local_host.routes import split_path

logger = logging.getLogger(__name__)

_LARGEST_BODY = 100 * 1024 * 1024

_Handler = Callable[[web.Request], Awaitable[web.Response]]


class Server:
    """Answers requests.

    Args:
        functions: all of the app's; only HTTP functions that are not in error get a route.
        invoker: calls them.
        admin: the calls by hand.
        keys: who may.
    """

    def __init__(self, functions: Iterable[Function], invoker: Invoker, admin: Admin, keys: Keys) -> None:
        pairs = [(f, f.trigger) for f in functions if isinstance(f.trigger, HttpTrigger)]
        self._routes = sorted(pairs, key=lambda pair: pair[1].route.precedence)
        self._invoker = invoker
        self._admin = admin
        self._keys = keys
        self._started = time.monotonic()

    def application(self) -> web.Application:
        """Give the aiohttp application."""
        application = web.Application(client_max_size=_LARGEST_BODY, middlewares=[_addressed])
        application.add_routes(
            [
                web.get("/admin/host/status", self._guarded(self._host_status)),
                web.get("/admin/functions", self._guarded(self._list)),
                web.get("/admin/functions/{name}", self._guarded(self._describe)),
                web.get("/admin/functions/{name}/status", self._guarded(self._status)),
                web.get("/admin/functions/{name}/keys", self._guarded(self._function_keys)),
                web.post("/admin/functions/{name}", self._guarded(self._call)),
                web.route("*", "/{path:.*}", self._answer),
            ]
        )
        return application

    async def _answer(self, request: web.Request) -> web.Response:
        path = split_path(request.rel_url.raw_path)
        matches = [(f, t, params) for f, t in self._routes if (params := t.route.match(path)) is not None]
        for function, trigger, params in matches:
            if _takes(trigger, request.method):
                return await self._invoke(request, function, params)
        if matches and request.method != "HEAD":
            logger.info(
                "%s %s: no function takes this method here, only %s",
                request.method,
                request.path,
                ", ".join(sorted({method for _, trigger, _ in matches for method in trigger.methods or ()})),
            )
        # The host answers a wrong method with 404, HEAD alone with 405 (WebScriptHostHttpRoutesManager.cs).
        return web.Response(status=405 if matches and request.method == "HEAD" else 404)

    async def _invoke(self, request: web.Request, function: Function, params: dict[str, str]) -> web.Response:
        given = _key(request)
        # A disabled function answers to the master key alone (azure-functions-host, FunctionInvocationMiddleware.cs).
        if function.disabled and not self._keys.is_master(given):
            return web.Response(status=404)
        if not self._keys.opens(function, given):
            return web.Response(status=401)
        value = await request_datum(request, params)
        outcome = await self._invoker.invoke(function, value, f"{request.method} {request.path}")
        if outcome.error:
            return web.Response(status=500)
        try:
            return response_of(outcome.returned)
        except ValueError as error:
            logger.error("%s returned a response that cannot be sent: %s", function.name, error)
            return web.Response(status=500)

    def _guarded(self, handler: _Handler) -> _Handler:
        async def guarded(request: web.Request) -> web.Response:
            if not self._keys.is_master(_key(request)):
                return web.Response(status=401)
            return await handler(request)

        return guarded

    async def _host_status(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "id": "local",
                "state": "Running",
                "version": "local",
                "processUptime": round((time.monotonic() - self._started) * 1000),
                "running": self._invoker.running,
            }
        )

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(self._admin.list_functions(str(request.url.origin())))

    async def _describe(self, request: web.Request) -> web.Response:
        name = self._function(request).name
        described = self._admin.list_functions(str(request.url.origin()))
        return web.json_response(next(each for each in described if each["name"] == name))

    async def _status(self, request: web.Request) -> web.Response:
        return web.json_response(self._admin.status(self._function(request)))

    async def _function_keys(self, request: web.Request) -> web.Response:
        # azure-functions-host, KeysController.cs
        value = self._keys.of_function(self._function(request).name)
        return web.json_response({"keys": [{"name": "default", "value": value}], "links": []})

    async def _call(self, request: web.Request) -> web.Response:
        function = self._function(request)
        try:
            invocation = msgspec.json.decode(await request.read(), type=Invocation)
        except msgspec.DecodeError as error:
            raise web.HTTPBadRequest(text=f'The body must be JSON such as {{"input": null}}: {error}') from None
        if function.trigger is None:
            raise web.HTTPNotFound(text=f"Function '{function.name}' is in error: {function.problem}")
        self._admin.call(function, invocation.input)
        return web.Response(status=202)

    def _function(self, request: web.Request) -> Function:
        function = self._admin.find(request.match_info["name"])
        if function is None:
            raise web.HTTPNotFound(text=f"There is no function '{request.match_info['name']}'")
        return function


def _takes(trigger: HttpTrigger, method: str) -> bool:
    # Whoever takes GET takes HEAD.
    return trigger.methods is None or method in trigger.methods or (method == "HEAD" and "GET" in trigger.methods)


@web.middleware
async def _addressed(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse a request whose Host header is no host, as the host's server does."""
    try:
        _ = request.url
    except ValueError:
        return web.Response(status=400)
    return await handler(request)


def _key(request: web.Request) -> str | None:
    """Give the key of a request; the header wins over the query (AuthenticationLevelHandler.cs)."""
    return request.headers.get("x-functions-key") or request.query.get("code")
