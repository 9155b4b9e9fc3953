"""Whatever azure-core and azure-identity raise becomes one of our errors."""

import inspect
import json

import pytest
from azure.core import exceptions as core

from shared_code.azure_api.errors import failure, signing_in, translated
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

FOREIGN = [
    kind
    for _, kind in inspect.getmembers(core, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == core.__name__
]
EXPECTED: dict[type[Exception], type[AzureError]] = {
    core.AzureError: AzureError,
    core.ClientAuthenticationError: Unauthenticated,
    core.DecodeError: UnreadableAnswer,
    core.DeserializationError: UnreadableAnswer,
    core.HttpResponseError: UnreadableAnswer,
    core.IncompleteReadError: UnreadableAnswer,
    core.ODataV4Error: UnreadableAnswer,
    core.ResourceExistsError: UnreadableAnswer,
    core.ResourceModifiedError: UnreadableAnswer,
    core.ResourceNotFoundError: UnreadableAnswer,
    core.ResourceNotModifiedError: UnreadableAnswer,
    core.ResponseNotReadError: AzureError,
    core.SerializationError: UnreadableAnswer,
    core.ServiceRequestError: Unreachable,
    core.ServiceRequestTimeoutError: Unreachable,
    core.ServiceResponseError: Unreachable,
    core.ServiceResponseTimeoutError: Unreachable,
    core.StreamClosedError: AzureError,
    core.StreamConsumedError: AzureError,
    core.TooManyRedirectsError: UnreadableAnswer,
}
"""What each becomes when it comes without a status."""


def foreign(kind: type[Exception], status: int | None = None) -> Exception:
    """An exception of azure-core as it would be raised, whatever its constructor asks for."""
    error = kind.__new__(kind)
    Exception.__init__(error, "library text\nsecond line")
    if isinstance(error, core.HttpResponseError):
        error.status_code, error.response, error.reason, error.error = status, None, None, None
        error.message = "library text\nsecond line"
    return error


def test_every_class_of_azure_core_is_listed() -> None:
    """A new one after an update is decided here, not in production."""
    assert set(FOREIGN) == set(EXPECTED)


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_every_class_of_azure_core_is_translated(kind: type[Exception]) -> None:
    with pytest.raises(AzureError) as raised, translated("the list"):
        raise foreign(kind)

    assert type(raised.value) is EXPECTED[kind]
    assert str(raised.value).startswith("cannot read the list: ")
    assert len(str(raised.value).splitlines()) == 1
    assert isinstance(raised.value.__cause__, kind)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthenticated), (403, AccessDenied), (404, NotFound), (409, Conflict), (412, Conflict), (429, Throttled)],
)
@pytest.mark.parametrize(
    "source",
    [kind for kind in FOREIGN if issubclass(kind, core.HttpResponseError) and EXPECTED[kind] is UnreadableAnswer],
    ids=lambda kind: kind.__name__,
)
def test_a_status_decides_the_class(source: type[Exception], status: int, kind: type[AzureError]) -> None:
    if issubclass(source, core.DecodeError):
        kind = UnreadableAnswer  # what it is says more than its status
    with pytest.raises(AzureError) as raised, translated("the list"):
        raise foreign(source, status)

    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "HTTPSConnectionPool(host='a', port=443): Max retries (Caused by [Errno 111] Connection refused'))",
            "the connection was refused",
        ),
        ("('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", "the connection was reset"),
        (
            "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
            "the connection was closed without an answer",
        ),
        ("[Errno -2] Name or service not known", "the name is unknown"),
        ("[Errno -3] Temporary failure in name resolution", "the name could not be looked up"),
        ("HTTPSConnectionPool(host='a', port=443): Read timed out. (read timeout=30)", "no answer in time"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "the certificate is not trusted"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1033)", "no TLS connection could be made"),
        ("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred", "no TLS connection could be made"),
        ("Cannot connect to proxy.', OSError('Tunnel connection failed: 403')", "the proxy refused the connection"),
        ("<urllib3.connection.HTTPSConnection object at 0x7f>: [Errno 113] No route to host", "there is no route"),
        (
            "<urllib3.connection.HTTPSConnection object at 0x7f>: [Errno 101] Network is unreachable",
            "there is no route",
        ),
        ("<urllib3.connection.HTTPSConnection object at 0x7f>: something new", "no answer"),
    ],
)
def test_no_answer_is_told_in_a_few_words(text: str, expected: str) -> None:
    with pytest.raises(Unreachable) as raised, translated("the list"):
        raise core.ServiceRequestError(text)

    assert str(raised.value) == f"cannot read the list: {expected}; check the address and the network"


def test_our_own_errors_pass() -> None:
    with pytest.raises(NotFound, match=r"^x$"), translated("the list"):
        raise NotFound("x")


def test_faults_of_our_own_are_not_dressed_up() -> None:
    with pytest.raises(ZeroDivisionError), translated("the list"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (core.ClientAuthenticationError("no identity"), "no identity"),
        (core.ServiceRequestError("Connection refused"), "the identity endpoint: the connection was refused"),
        (core.ServiceResponseError("timed out"), "the identity endpoint: no answer in time"),
        (core.DecodeError('Content: {"access_token": "c2VjcmV0'), "the identity endpoint's answer cannot be read"),
        (json.JSONDecodeError("x", "c2VjcmV0", 0), "the identity endpoint's answer cannot be read"),
        (AttributeError("'list' object has no attribute 'get'"), "the identity endpoint's answer cannot be read"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_credential_fails_in_one_way_which_azure_core_does_not_repeat(raised: Exception, expected: str) -> None:
    with pytest.raises(core.ClientAuthenticationError) as failed, signing_in():
        raise raised

    assert failed.value.message == expected


def test_the_sentence_has_one_full_stop_at_most() -> None:
    error = failure("the list", 409, "", b'{"error":{"code":"A","message":"In use."}}')

    assert str(error) == "cannot read the list: Azure answered 409 A: In use; try again later"
