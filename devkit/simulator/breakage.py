"""What a fault sends in place of the answer."""

import time

import msgspec
from msgspec.structs import replace

from devkit.simulator import errors, graph, logs, templates
from devkit.simulator.actions import action_of, asked_for, scope_of
from devkit.simulator.exchange import JSON_TYPE, Call, Reply, json_reply
from devkit.simulator.faults import DELETING, Fault
from devkit.simulator.identity import PRINCIPAL, expired
from devkit.simulator.model import TENANT
from devkit.simulator.routes import Route
from devkit.simulator.throttling import operation

_CODES = {
    400: ("BadRequest", "The request is invalid."),
    401: ("InvalidAuthenticationToken", "The access token is invalid."),
    403: ("AuthorizationFailed", "The client does not have authorization to perform the action."),
    404: ("NotFound", "The resource could not be found."),
    409: ("Conflict", "The request conflicts with the present state."),
    429: ("TooManyRequests", "The request is being throttled."),
    500: ("InternalServerError", "Encountered internal server error. Diagnostic information: none."),
    502: ("BadGatewayConnection", "The network connectivity issue encountered for 'Microsoft.Resources'."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
    504: ("GatewayTimeout", "The gateway did not receive a response from the resource provider."),
}
_HALVES = {"resource-graph": graph.half, "export-template": templates.half, "operation-result": templates.half}
_PAGE = (
    "<!DOCTYPE html><html><head><title>Service unavailable</title></head>"
    "<body><div id='content'><h2>Our services aren't available right now</h2>"
    "<p>We're working to restore all services as soon as possible.</p></div></body></html>"
)


def broken(fault: Fault, route: Route, call: Call, normal: Reply) -> Reply:
    """The answer that `fault` makes of a call; `normal` is the one it would have had."""
    if fault.kind in DELETING:
        told = {} if fault.retry_after is None or normal.status != 202 else {"Retry-After": str(fault.retry_after)}
        return replace(normal, headers=normal.headers | told)
    reply = _by_kind(fault, route, call, normal.plain)
    headers = dict(reply.headers)
    body = reply.body
    if fault.body is not None:
        body = fault.body.encode() if isinstance(fault.body, str) else msgspec.json.encode(fault.body)
    if fault.content_type:
        headers["Content-Type"] = fault.content_type
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    status = fault.status or reply.status
    return Reply(status=status, body=body, headers=headers, cut=reply.cut, reset=reply.reset)


def prevents(fault: Fault, call: Call) -> bool:
    """Whether a fault lets nothing happen of what a call asks for: a DELETE that is answered 4xx deletes nothing."""
    refused = fault.kind in ("forbidden", "not-found", "throttled", "expired-token") or 400 <= fault.status < 500
    return call.method == "DELETE" and refused and fault.kind not in DELETING


def _by_kind(fault: Fault, route: Route, call: Call, normal: Reply) -> Reply:
    match fault.kind:
        case "delay" | "late-tags" | "no-tags":
            return normal
        case "reset":
            return Reply(reset=True)
        case "cut":
            return Reply(status=normal.status, body=normal.body, headers=normal.headers, cut=True)
        case "cut-json":
            half = normal.body[: len(normal.body) // 2]
            return Reply(status=normal.status, body=half, headers=normal.headers)
        case "html":
            return Reply(status=503, body=_PAGE.encode(), headers={"Content-Type": "text/html"})
        case "not-json":
            return Reply(body=b"<not json>", headers={"Content-Type": JSON_TYPE})
        case "empty":
            return Reply(status=fault.status or 500)
        case "partial":
            halves = {
                "resource-graph": graph.half,
                "export-template": templates.half,
                "operation-result": templates.half,
            }
            return halves.get(route.name, logs.half)(normal)
        case _:
            return _of_logs(fault) if route.name == "logs" else _envelope(fault, route, call)


def _of_logs(fault: Fault) -> Reply:
    """The refusals of Log Analytics; it has one envelope."""
    match fault.kind:
        case "forbidden":
            return logs.forbidden()
        case "not-found":
            return logs.error(404, "PathNotFoundError", "The requested path does not exist")
        case "expired-token":
            return logs.unauthenticated()
        case "throttled":
            return logs.throttled(1 if fault.retry_after is None else fault.retry_after)
    code, message = _CODES.get(fault.status or 500, ("Failed", "The request failed."))
    refusal = logs.error(fault.status or 500, code, message)
    return replace(refusal, status=200) if fault.kind == "error-in-200" else refusal


def _envelope(fault: Fault, route: Route, call: Call) -> Reply:
    status = fault.status
    match fault.kind:
        case "forbidden":
            action = asked_for(action_of(call.method, call.path))
            return errors.forbidden(action, scope_of(call.path), PRINCIPAL)
        case "not-found":
            return errors.subscription_not_found(route.subscription)
        case "expired-token":
            return expired(time.time() - 60)
        case "throttled" if route.name == "resource-graph":
            return graph.throttled()
        case "throttled":
            wait = 1 if fault.retry_after is None else fault.retry_after
            return throttled(route.subscription, wait, operation(call.method))
        case "error-in-200":
            # A 200 whose body is an error is no empty list (oddity 41).
            code, message = _CODES[500]
            return json_reply({"error": {"code": code, "message": message}})
    code, message = _CODES.get(status or 500, ("Failed", "The request failed."))
    if route.name == "identity":
        # Here `error` is a string, unlike anywhere in Resource Manager (oddity 55).
        return json_reply({"error": code, "error_description": message}, status or 500)
    if fault.kind == "flat":
        return json_reply({"code": code, "message": message}, status or 500)
    if fault.kind == "capitals":
        details = {"Code": code, "Target": None, "Message": message, "Details": None, "AdditionalInfo": None}
        return json_reply({"Error": details}, status or 500)
    return errors.error(status or 500, code, message)


def throttled(subscription: str, wait: int | str, kind: str = "read") -> Reply:
    """Resource Manager's 429 of the token-bucket kind (oddity 57), for a subscription or the tenant ("").

    `kind` is what there were too many of: read, write or delete.
    """
    whose = f"subscription '{subscription}'" if subscription else f"tenant '{TENANT}'"
    return errors.error(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of '{kind}' requests for {whose} actor '{PRINCIPAL}' exceeded. Please try again "
        f"after '{wait}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for "
        "additional information.",
        {"Retry-After": str(wait)},
    )
