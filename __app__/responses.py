"""HTTP answers: JSON bodies, and the one table from error to status."""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING

import azure.functions as func

from __app__.conditions import Outdated, encode, is_known, tag_of
from __app__.requests import Forbidden, permit
from shared_code.errors import AzureError, InvalidRequest, KeyReused, Refused, SettingsError, StoreError, Unknown
from shared_code.runbooks import runbook_for

if TYPE_CHECKING:
    from __app__.operations import Operation

log = logging.getLogger("steward")

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Reports show what strangers wrote into tags; a browser is told to run and load nothing."""
_SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

STATUS_OF: dict[type[Exception], HTTPStatus] = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unknown: HTTPStatus.NOT_FOUND,
    Refused: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    Outdated: HTTPStatus.PRECONDITION_FAILED,
    SettingsError: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    AzureError: HTTPStatus.BAD_GATEWAY,
}


def answer(
    body: bytes, content_type: str, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """Make an answer of bytes."""
    return func.HttpResponse(
        body, status_code=status.value, headers={**_SAFE, **(headers or {})}, mimetype=content_type, charset="utf-8"
    )


def json_answer(
    value: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """Make an answer of anything msgspec encodes; times become ISO 8601 UTC with Z."""
    return answer(encode(value), "application/json", status, headers)


def problem(status: HTTPStatus, detail: str, runbook: str | None = None) -> func.HttpResponse:
    """Make an error answer (RFC 9457, problem+json), with the page that helps if there is one."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    if runbook is not None:
        body["runbook"] = runbook
    return answer(encode(body), "application/problem+json", status)


def answered[**P](handler: Callable[P, func.HttpResponse]) -> Callable[P, func.HttpResponse]:
    """Put the table of operations before a function, by its name: who may call it, and with what.

    Its errors become problem+json; an unexpected one is logged, and told without its details.
    """
    name = handler.__name__

    @wraps(handler)
    def answering(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        req: func.HttpRequest = kwargs["req"] if "req" in kwargs else args[0]  # type: ignore[assignment]  # every function has one
        try:
            from __app__.operations import OPERATIONS  # here, since indexing the app needs none of it

            operation = OPERATIONS[name]
            permit(req, operation.role)
            operation.check(req)
            return _tagged(req, operation, handler(*args, **kwargs))
        except Exception as error:  # the one place where nothing may escape
            for kind in type(error).__mro__:
                if (status := STATUS_OF.get(kind)) is not None:
                    return problem(status, str(error), runbook_for(error))
            log.exception("function=%s failed unexpectedly", name)
            detail = "Something unexpected went wrong; the log of this function has the details."
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)

    return answering


def _tagged(req: func.HttpRequest, operation: "Operation", response: func.HttpResponse) -> func.HttpResponse:
    """Give an answer its ETag; one that the caller has already is not sent again."""
    if not operation.tagged or response.status_code != HTTPStatus.OK:
        return response
    tag = tag_of(response.get_body())
    response.headers["ETag"] = tag
    if operation.method != "GET" or not is_known(req, tag):
        return response
    return func.HttpResponse(status_code=HTTPStatus.NOT_MODIFIED.value, headers=dict(response.headers))
