"""The one place where foreign errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared_code.azure_api.envelopes import describe, scrubbed
from shared_code.errors import (
    AccessDenied,
    AzureError,
    Conflict,
    NotFound,
    Throttled,
    Unauthenticated,
    Unreachable,
    UnreadableAnswer,
)

AGAIN = "try again later"
"""What one may do about what passes."""
_BY_STATUS: dict[int, tuple[type[AzureError], str]] = {
    401: (Unauthenticated, "check that the app's managed identity exists, or sign in with 'az login'"),
    403: (AccessDenied, "give Steward's identity the role Reader there"),
    404: (NotFound, "it was deleted, or Steward's identity has no role there"),
    409: (Conflict, AGAIN),
    412: (Conflict, AGAIN),
    429: (Throttled, AGAIN),
}


def failure(what: str, status: int, content_type: str, body: bytes) -> AzureError:
    """Turn an error answer into the error that says what its reader may do.

    Args:
        what: what was asked for, as in "cannot read {what}".
        status: the HTTP status, anything but 200.
        content_type: the answer's content type, as received.
        body: the answer's bytes.
    """
    unlisted = AGAIN if status >= 500 else "this is worth reporting"
    kind, advice = _BY_STATUS.get(status, (AzureError, unlisted))
    return kind(
        f"cannot read {what}: Azure answered {describe(status, content_type, body).removesuffix('.')}; {advice}"
    )


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise the AzureError that fits instead of anything azure-core or azure-identity raises.

    Args:
        what: what was asked for, as in "cannot read {what}".
    """
    from azure.core import exceptions as core

    try:
        yield
    except core.ClientAuthenticationError as error:
        _, advice = _BY_STATUS[401]
        raise Unauthenticated(f"cannot read {what}: no token, {_first_line(error)}; {advice}") from error
    except (core.DecodeError, core.SerializationError, core.DeserializationError) as error:
        raise UnreadableAnswer(f"cannot read {what}: the answer broke off or is damaged; {AGAIN}") from error
    except core.HttpResponseError as error:
        if error.status_code is None:
            # A body that breaks off while it is streamed is a plain HttpResponseError without status.
            raise UnreadableAnswer(f"cannot read {what}: the answer broke off; {AGAIN}") from error
        raise failure(what, error.status_code, "", b"") from error
    except (core.ServiceRequestError, core.ServiceResponseError) as error:
        raise Unreachable(f"cannot read {what}: {_no_answer(error)}; check the address and the network") from error
    except core.AzureError as error:
        raise AzureError(f"cannot read {what}: {_first_line(error)}") from error
    except OSError as error:
        # requests lets this one through when REQUESTS_CA_BUNDLE names no file.
        raise Unreachable(f"cannot read {what}: {_first_line(error)}; check the app settings") from error


@contextmanager
def signing_in() -> Iterator[None]:
    """Raise azure-core's ClientAuthenticationError, which it does not repeat, for all that a credential may raise.

    azure-identity lets through what its HTTP and JSON libraries raise; their text may quote the token they choked on.
    """
    from azure.core import exceptions as core

    try:
        yield
    except core.ClientAuthenticationError:
        raise
    except (core.ServiceRequestError, core.ServiceResponseError) as error:
        raise core.ClientAuthenticationError(f"the identity endpoint: {_no_answer(error)}") from error
    except Exception as error:
        raise core.ClientAuthenticationError("the identity endpoint's answer cannot be read") from error


def _first_line(error: Exception) -> str:
    return scrubbed(str(error).split("\n", 1)[0]) or type(error).__name__


_NO_ANSWER = {
    "CERTIFICATE_VERIFY_FAILED": "the certificate is not trusted",
    "Connection refused": "the connection was refused",
    "Connection reset": "the connection was reset",
    "Network is unreachable": "there is no route",
    "No route to host": "there is no route",
    "onnect to proxy": "the proxy refused the connection",
    "Name or service not known": "the name is unknown",
    "No address associated": "the name is unknown",
    "Temporary failure in name resolution": "the name could not be looked up",
    "Remote end closed": "the connection was closed without an answer",
    "timed out": "no answer in time",
    "[SSL": "no TLS connection could be made",
}


def _no_answer(error: Exception) -> str:
    """Say in a few words why there was no answer; the text underneath is a chain of library names."""
    text = str(error)
    return next((words for sign, words in _NO_ANSWER.items() if sign in text), "no answer")
