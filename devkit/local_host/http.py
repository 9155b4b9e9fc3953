"""HTTP requests and responses, between aiohttp and the worker library.

azure-functions-host, RpcMessageConversionExtensions.cs: header names in lower case, several values of one name joined
by commas, the body as bytes.
"""

from collections.abc import Iterable, Mapping

from aiohttp import web
from multidict import CIMultiDict

from devkit.local_host import datums
from devkit.local_host.datums import Datum

# Set by the server from the body it sends.
_OURS = frozenset({"content-length", "transfer-encoding", "connection"})


async def request_datum(request: web.Request, params: Mapping[str, str]) -> Datum:
    """Give the request as the worker library expects it.

    Args:
        request: the request; its body is read.
        params: the values of the route's parameters.
    """
    return datums.http(
        method=request.method,
        url=str(request.url),
        headers=_joined((name.lower(), value) for name, value in request.headers.items()),
        query=_joined(request.query.items()),
        params=params,
        body=await request.read(),
    )


def response_of(returned: Datum | None) -> web.Response:
    """Give the response for what an HTTP function returned; text alone is 200, nothing is 204.

    Raises:
        ValueError: it cannot be sent, for example with a line break in a header.
    """
    if returned is None or returned.type is None:
        return web.Response(status=204)
    if returned.type != "http":
        body = returned.value if isinstance(returned.value, bytes) else str(returned.value).encode()
        return web.Response(body=body, headers={"Content-Type": "text/plain; charset=utf-8"})
    parts = returned.value
    headers: CIMultiDict[str] = CIMultiDict()
    for name, datum in parts["headers"].items():
        if name.lower() not in _OURS:
            _check_header(name, datum.value)
            headers.add(name, datum.value)
    for jar in parts.get("cookies") or ():
        for morsel in jar.values():
            headers.add("Set-Cookie", morsel.OutputString())
    return web.Response(status=int(parts["status_code"].value), headers=headers, body=parts["body"].value)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def _check_header(name: str, value: str) -> None:
    if any(character in name + value for character in "\r\n\0"):
        raise ValueError(f"the header {name!r} has a line break in it")
