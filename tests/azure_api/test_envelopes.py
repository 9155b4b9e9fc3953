"""Error answers are told in one line, whatever envelope they came in."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.azure_api.envelopes import describe

JSON = "application/json"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"code": "AuthorizationFailed", "message": "No."}}, "403 AuthorizationFailed: No."),
        ({"Error": {"Code": "Blocked", "Message": "No."}}, "403 Blocked: No."),
        ({"code": "Flat", "message": "No."}, "403 Flat: No."),
        ({"message": "No.", "code": "Flat"}, "403 Flat: No."),
        ({"Code": "429", "Message": "No."}, "403 429: No."),
        ({"code": 17, "message": "No."}, "403 17: No."),
        ({"odata.error": {"code": "Old", "message": {"lang": "en", "value": "No."}}}, "403 Old: No."),
        ({"error": "invalid_request", "error_description": "No."}, "403 invalid_request: No."),
        ({"error": "invalid_request"}, "403 invalid_request"),
        ({"error": {"code": "Alone"}}, "403 Alone"),
        ({"error": {"message": "No."}}, "403: No."),
        ({"error": None, "message": "No."}, "403: No."),
        ({"error": {"code": "A", "message": "one\r\ntwo\x1b[31m\u202e"}}, "403 A: one two [31m"),
        ({"error": {"code": "A", "message": "\ud83d"}}, "403 A:"),
        ({}, "403: an answer of type 'application/json'"),
        ({"error": []}, "403: an answer of type 'application/json'"),
        ({"error": {"code": {}, "message": []}}, "403: an answer of type 'application/json'"),
        ([{"error": {"code": "A"}}], "403: an answer of type 'application/json'"),
        ("No.", "403 No."),
        (5, "403: an answer of type 'application/json'"),
    ],
)
def test_json(body: object, expected: str) -> None:
    assert describe(403, JSON, json.dumps(body).encode()) == expected


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/html", b"<html><head><title>Sign in</title>", "503: an HTML page, 'Sign in'"),
        ("text/html", b"<HTML><TITLE lang='en'>\n Sign\n in \n</TITLE>", "503: an HTML page, 'Sign  in'"),
        ("text/html", b"<html><title></title>", "503: an HTML page"),
        ("text/html", b"<html><title>", "503: an HTML page"),
        ("application/xml", b"<Error><Code>A</Code></Error>", "503 A"),
        (
            "application/xml",
            b'\xef\xbb\xbf<?xml version="1.0"?><Error><Code>A</Code><Message>No.\nBusy.</Message></Error>',
            "503 A: No. Busy.",
        ),
        ("", b"", "503: an empty answer"),
        ("image/png", b"\x89PNG\xff", "503: an answer of type 'image/png'"),
        ("text/plain\x1b[31m", b"no", "503: an answer of type 'text/plain [31m'"),
        ("application/json", b'{"error": {"code": "cut', "503: an answer of type 'application/json'"),
        ("application/json", b"[" * 100_000, "503: an answer of type 'application/json'"),
        ("application/json", b'{"error":{"code":' + b"9" * 5000 + b"}}", "503: an answer of type 'application/json'"),
    ],
    ids=[
        "title",
        "capitals",
        "blank-title",
        "open-title",
        "xml",
        "xml-message",
        "empty",
        "binary",
        "type",
        "cut",
        "deep",
        "long",
    ],
)
def test_anything_else(content_type: str, body: bytes, expected: str) -> None:
    assert describe(503, content_type, body) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("see https://a.example.com/b?sv=1&sig=c%3D then", "see https://a.example.com/b?… then"),
        ("see 'https://a.example.com/b?t=1' then", "see 'https://a.example.com/b?…' then"),
        ("see https://aka.ms/arm-throttling for more", "see https://aka.ms/arm-throttling for more"),
        ("the header 'Bearer abcdefgh.ijkl' was", "the header 'Bearer …' was"),
        ("token eyJhbGciOiJ9.eyJhdWQiOiJ9.c2lnbmF0dXJl is", "token … is"),
        ("a bearer token is needed", "a bearer token is needed"),
        ("AccountName=st;AccountKey=c2VjcmV0==;EndpointSuffix=x", "AccountName=st;AccountKey=…;EndpointSuffix=x"),
        ("SharedAccessKeyName=k;SharedAccessKey=c2VjcmV0=", "SharedAccessKeyName=k;SharedAccessKey=…"),
        ("SharedAccessSignature=sv=2024&ss=b&sig=c2Vj&se=2030", "SharedAccessSignature=…"),
        ("sv=2024&sig=c2Vj%3D&se=2030 is over", "sv=2024&sig=… is over"),
        ('Bad {"client_secret": "c2Vj", "x": 1}', 'Bad {"client_secret": "…", "x": 1}'),
        ("Server=x;User Id=sa;Password=p4ss;Y=1", "Server=x;User Id=sa;Password=…;Y=1"),
        ("https://user:p4ss@proxy.example.com:8080/ failed", "https://…@proxy.example.com:8080/ failed"),
        ("GET /subscriptions?api-version=1&code=c2Vj failed", "GET /subscriptions?api-version=1&code=… failed"),
        ("x-functions-key: c2Vj", "x-functions-key: …"),
        ("Code: AuthorizationFailed, tag key: owner", "Code: AuthorizationFailed, tag key: owner"),
        ("the token: none, the secret 'x' and its password", "the token: none, the secret 'x' and its password"),
        ("Key Vault secret: db", "Key Vault secret: …"),
    ],
)
def test_what_opens_doors_is_left_out(message: str, expected: str) -> None:
    """Signed addresses and tokens that Azure quotes do not come through, wherever they stand."""
    for body in ({"error": {"code": "A", "message": message}}, {"code": "A", "message": message}):
        assert describe(403, JSON, json.dumps(body).encode()) == f"403 A: {expected}"
    assert describe(403, JSON, json.dumps({"error": message}).encode()) == f"403 {expected}"


@pytest.mark.parametrize(
    "part", ["http://", "https://x?", "a://", "secret ", "a-", "eyJa.", "?code", "sas=", "bearer "]
)
def test_a_long_message_takes_no_time(part: str) -> None:
    """No text makes the search for secrets slow: a megabyte of what looks like the beginning of one."""
    message = part * (1_000_000 // len(part))
    began = time.process_time()

    describe(403, JSON, json.dumps({"error": {"code": "A", "message": message}}).encode())

    assert time.process_time() - began < 1


LEAVES = some.none() | some.booleans() | some.integers() | some.text()
DOCUMENTS = some.recursive(
    LEAVES,
    lambda inner: (
        some.lists(inner, max_size=2)
        | some.dictionaries(
            some.sampled_from(["error", "Error", "code", "message", "odata.error", "value", "error_description"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(status=some.integers(100, 599), content_type=some.text(), body=some.binary() | DOCUMENTS.map(json.dumps))
def test_any_answer_is_one_short_line_that_begins_with_its_status(
    status: int, content_type: str, body: bytes | str
) -> None:
    line = describe(status, content_type, body.encode() if isinstance(body, str) else body)

    assert line.startswith(str(status))
    assert len(line) <= 300
    assert len(line.splitlines()) == 1
    line.encode()
