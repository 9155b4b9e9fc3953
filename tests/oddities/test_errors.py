"""Error answers: oddities 46 and 47 as far as reading goes, 52 to 55, 59, and the envelope of 37."""

import json

import pytest

from shared_code.errors import AzureError, UnreadableAnswer
from shared_code.model import Reading
from tests.azure_api.conftest import JSON
from tests.oddities.recorded import Json, Recordings, value
from tests.oddities.sentences import failed
from tests.oddities.wire import KNOWN, LOCKS, ROOT, Wire, group, lock, resource

PAGE = b"<!DOCTYPE html>\r\n<html><head>\r\n<title>Bad\r\ngateway</title></head><body>\x1b[1m</body></html>"


def again(wire: Wire, recordings: Recordings, name: str) -> str:
    """Answer with a recorded error, and give the sentence, whose class and code were compared with it."""
    (recording,) = recordings.named(name)
    headers = {header.replace("-", "_"): content for header, content in recording.sent.items()}
    wire.answer(recording.status, recording.content, **headers)
    return failed(wire, recording.status, recording.body)


class TestPassingTrouble:
    """46: a gateway answers 500, 502, 503 as a page for people, or 504, and then goes on; so reading goes on too.

    The polls of long operations come with the cleanup.
    """

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    @pytest.mark.parametrize(
        "body", [PAGE, b"", b'{"error":{"code":"BadGatewayConnection","message":"x"}}'], ids=["page", "none", "json"]
    )
    def test_is_asked_again(self, wire: Wire, status: int, body: bytes) -> None:
        trouble = (status, {"Content-Type": "text/html"}, body)
        wire.answers(trouble, trouble, (200, JSON, json.dumps(value([group("rg-one")])).encode()))

        assert [each.name for each in wire.read("groups")] == ["rg-one"]
        assert len(wire.waits) == 2

    @pytest.mark.parametrize("name", ["async-poll__cli-502", "async-poll__cli-sql-503-html", "error__503-html"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        """What does not pass is told in one line."""
        assert again(wire, recordings, name).endswith("; try again later")
        assert len(wire.asked) > 1


class TestLinksElsewhere:
    """47: links are relative, have :443 or another host; a token goes to no other host, and nothing is guessed."""

    @pytest.mark.parametrize("link", ["https://management.example.com/next", "/next", "//example.com/next", "next"])
    def test_the_list_is_incomplete(self, wire: Wire, link: str) -> None:
        wire.answer(200, value([group("rg-one")], nextLink=link))

        with pytest.raises(UnreadableAnswer, match=r"the next page is on another host, which is not followed$"):
            wire.read("groups")
        assert len(wire.asked) == 1


class TestNotFound:
    """52: 404 has many codes, none or a page for people, and never means an empty list."""

    @pytest.mark.parametrize(
        "code",
        [
            "ResourceNotFound",
            "ResourceGroupNotFound",
            "ParentResourceNotFound",
            "NotFound",
            "InvalidResourceType",
            "DeploymentNotFound",
            "SubscriptionNotFound",
        ],
    )
    def test_is_told_with_its_code(self, wire: Wire, code: str) -> None:
        body = {"error": {"code": code, "message": "It could not be found."}}
        wire.answer(404, body)

        assert failed(wire, 404, body).startswith(f"404 {code}: It could not be found; it was deleted, or ")

    @pytest.mark.parametrize(("body", "expected"), [(b"", "an empty answer"), (PAGE, "an HTML page, 'Bad gateway'")])
    def test_without_a_code(self, wire: Wire, body: bytes, expected: str) -> None:
        wire.answer(404, body, Content_Type="text/html")

        assert failed(wire, 404).startswith(f"404: {expected}; it was deleted, or ")

    def test_nothing_looks_empty(self, wire: Wire) -> None:
        wire.answer(404, {"error": {"code": "SubscriptionNotFound", "message": "x"}})
        verdict, groups = wire.whole()

        assert (verdict.reading, verdict.resource_groups, groups) == (Reading.INCOMPLETE, None, {})

    @pytest.mark.parametrize(
        "name",
        [
            "error__404-resource",
            "error__404-invalid-resource-type",
            "error__404-parent-write",
            "error__restated-404-subscription-not-found",
            "resource-delete__cli-dependent-resources__19",
        ],
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        assert "; it was deleted, or Steward's identity has no role there" in again(wire, recordings, name)


class TestNotTheSubscription:
    """53: code SubscriptionNotFound also comes for something else, so it is no proof that a subscription is gone."""

    def test_only_what_answered_so_is_unknown(self, wire: Wire) -> None:
        body = {"error": {"code": "SubscriptionNotFound", "message": "The subscription 'orders' was not found."}}
        wire.lists([group("rg-one")], [resource("rg-one/A.B/c/d")])
        usual = wire.script.answers
        wire.script.answers = lambda path: (404, JSON, json.dumps(body).encode()) if LOCKS in path else usual(path)
        verdict, groups = wire.whole()

        assert (verdict.reading, verdict.resource_groups, verdict.resources) == (Reading.INCOMPLETE, 1, 1)
        assert "SubscriptionNotFound" in str(verdict.reason)
        assert (verdict.locks, groups["rg-one"].locks) == (None, None)


class TestForbidden:
    """54: what is missing answers 403 where the role is not on the whole subscription; "denied" is not "there"."""

    MESSAGE = (
        "The client 'steward' does not have authorization to perform action 'Microsoft.Resources/x/read' over scope "
        "'/subscriptions/0dd1', or the scope is invalid. If access was recently granted, please refresh."
    )

    def test_both_meanings_are_told(self, wire: Wire) -> None:
        body = {"error": {"code": "AuthorizationFailed", "message": self.MESSAGE}}
        wire.answer(403, body)
        sentence = failed(wire, 403, body)

        assert "or the scope is invalid" in sentence
        assert sentence.endswith("; give Steward's identity the role Reader there")
        assert len(wire.asked) == 1

    @pytest.mark.parametrize(
        "name", ["error__403-rg-nonexistent", "error__403-activitylog-tenant", "error__403-roleassignment-write"]
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        assert again(wire, recordings, name).startswith("403 AuthorizationFailed: ")


class TestEnvelopes:
    """37, 55: an error comes in many envelopes, with and without capitals; code and message are found in each."""

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"error": {"code": "Odd", "message": "No."}}, "400 Odd: No;"),
            ({"Error": {"Code": "Odd", "Message": "No.", "Details": [{"Message": '{"a":"b"}'}]}}, "400 Odd: No;"),
            ({"error": {"message": "No.", "code": "Odd", "details": [{"code": "Inner"}]}}, "400 Odd: No;"),
            ({"code": "Odd", "message": "No."}, "400 Odd: No;"),
            ({"message": "No.", "code": "Odd"}, "400 Odd: No;"),
            ({"Code": "400", "Message": "No."}, "400 400: No;"),
            ({"odata.error": {"code": "Odd", "message": {"lang": "en-US", "value": "No."}}}, "400 Odd: No;"),
            ({"error": "invalid_request", "error_description": "No."}, "400 invalid_request: No;"),
            ({"error": {}}, "400: an answer of type 'application/json; charset=utf-8';"),
            ({"Error": {}}, "400: an answer of type 'application/json; charset=utf-8';"),
            ({"error": {"code": "Odd", "message": "one\r\ntwo\x1b[31m\u202e\u0000"}}, "400 Odd: one two [31m;"),
            ({"error": {"code": "Odd", "message": '{"error":{"code":"Inner","message":"No."}}'}}, "400 Odd: {"),
        ],
        ids=lambda each: each if isinstance(each, str) else "",
    )
    def test_json(self, wire: Wire, body: Json, expected: str) -> None:
        wire.answer(400, body)

        assert failed(wire, 400, body).startswith(expected)

    @pytest.mark.parametrize(
        ("kind", "body", "expected"),
        [
            ("text/html", PAGE, "400: an HTML page, 'Bad"),
            ("application/xml", b'<?xml version="1.0"?><Error><Code>Odd</Code><Message>No.</Message></Error>', "400"),
            ("text/plain", b"no", "400: an answer of type 'text/plain';"),
            ("", b"", "400: an empty answer;"),
            ("application/json", b'{"error": {"code": "cut o', "400: an answer of type 'application/json';"),
        ],
        ids=["html", "xml", "text", "empty", "cut"],
    )
    def test_anything_else(self, wire: Wire, kind: str, body: bytes, expected: str) -> None:
        wire.answer(400, body, Content_Type=kind)

        assert failed(wire, 400).startswith(expected)

    def test_an_error_with_status_200_is_no_list(self, wire: Wire) -> None:
        wire.answer(200, {"error": {"code": "Odd", "message": "No."}})

        with pytest.raises(UnreadableAnswer, match=r"the answer has no 'value', so it is no list$"):
            wire.read("groups")

    @pytest.mark.parametrize(
        "name",
        [
            "error__412-flat",
            "managed-identity__imds-system__01",
            "error__401-html",
            "error__400-activitylog-flat",
            "rg-delete__net-blocked__04",
        ],
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        assert again(wire, recordings, name)


class TestTokens:
    """59: a 401 tells times of a token with US dates, or is a page for people; no time of it is taken, and no token."""

    def test_an_expired_one(self, wire: Wire) -> None:
        text = "The access token expiry UTC time '11/3/2026 4:05:06 PM' is earlier than current UTC time '11/3/2026 …'."
        body = {"error": {"code": "ExpiredAuthenticationToken", "message": text}}
        challenge = 'Bearer authorization_uri="https://login.example.net/7e4a", error="invalid_token"'
        wire.answer(401, body, WWW_Authenticate=challenge)

        assert failed(wire, 401, body).endswith("sign in with 'az login'")
        assert wire.waits == []

    def test_a_page(self, wire: Wire) -> None:
        wire.answer(401, PAGE, Content_Type="text/html")

        assert failed(wire, 401).startswith("401: an HTML page, 'Bad")

    @pytest.mark.parametrize("name", ["error__401-expired", "error__401-html", "error__401-keyvault-challenge"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        assert "check that the app's managed identity exists" in again(wire, recordings, name)


def test_an_error_leaves_what_was_read_before(wire: Wire) -> None:
    """46, 52, 54: the pages before stay valid, and the list is not complete."""
    first = value([lock(f"{ROOT}/resourceGroups/rg-one")], nextLink=f"{wire.url}{ROOT}/next")
    wire.answers((200, JSON, json.dumps(first).encode()), (403, JSON, b'{"error":{"code":"Odd","message":"x"}}'))
    pages = wire.estate.locks(KNOWN)

    assert len(next(pages)) == 1
    with pytest.raises(AzureError, match=r"^cannot read locks, page 2: Azure answered 403 Odd: x; "):
        next(pages)
