"""HTTP answers: JSON bodies, and the one table from error to status."""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus

import azure.functions as func
import msgspec

from shared_code.errors import AzureError, InvalidRequest, KeyReused, Refused, SettingsError, StoreError, Unknown

log = logging.getLogger("steward")

_encode = msgspec.json.Encoder().encode

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
    return answer(_encode(value), "application/json", status, headers)


def problem(status: HTTPStatus, detail: str) -> func.HttpResponse:
    """Make an error answer (RFC 9457, problem+json)."""
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    return answer(_encode(body), "application/problem+json", status)


def answered[**P](handler: Callable[P, func.HttpResponse]) -> Callable[P, func.HttpResponse]:
    """Turn the handler's errors into problem+json; an unexpected one is logged, and told without its details."""

    @wraps(handler)
    def answering(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            return handler(*args, **kwargs)
        except Exception as error:  # the one place where nothing may escape
            for kind in type(error).__mro__:
                if (status := STATUS_OF.get(kind)) is not None:
                    return problem(status, str(error))
            log.exception("%s failed unexpectedly", handler.__name__)
            detail = "Something unexpected went wrong; the log of this function has the details."
            return problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)

    return answering
