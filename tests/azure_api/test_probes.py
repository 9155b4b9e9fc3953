"""Single questions over TLS: any status is an answer, nothing is repeated, and no token is in a text."""

import base64
import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from shared_code.azure_api.probes import Probes, _date
from shared_code.errors import Unauthenticated, Unreachable
from tests.azure_api.conftest import Azure, Remembering, Script

AUDIENCE = "https://management.azure.com"
NOWHERE = "https://127.0.0.1:9"


def probes(credential: object = None, client_id: str | None = None, *, managed_identity: bool = True) -> Probes:
    signed_in: Any = credential or Remembering()
    return Probes(lambda: signed_in, client_id, managed_identity=managed_identity)


def signed(token: str) -> Any:
    """A credential that has this token."""
    return SimpleNamespace(get_token=lambda _: SimpleNamespace(token=token, expires_on=1795327200))


def jwt(**claims: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"head.{middle}.signature"


class TestToken:
    def test_of_a_managed_identity(self, azure: Azure) -> None:
        """An opaque token tells nothing but its end."""
        token = probes(azure.credential).token(AUDIENCE)

        assert (token.kind, token.principal_id) == ("system-assigned managed identity", None)
        assert 23 < (token.expires - datetime.now(UTC)).total_seconds() / 3600 <= 24

    def test_names_the_client_id_that_is_configured(self) -> None:
        token = probes(signed("opaque"), "1d00").token(AUDIENCE)

        assert token.kind == "user-assigned managed identity, client id 1d00"

    @pytest.mark.parametrize(
        ("token", "kind", "principal"),
        [
            (jwt(oid="1d0a", upn="operator@example.com"), "signed in as operator@example.com", "1d0a"),
            (jwt(oid="1d0a", appid="1d0b"), "signed in as application 1d0b", "1d0a"),
            (jwt(oid=7), "signed in as application unknown", None),
            ("head.!!!.signature", "signed in as application unknown", None),
            ("head.W10.signature", "signed in as application unknown", None),
            ("", "signed in as application unknown", None),
        ],
        ids=["person", "application", "odd", "no base64", "no object", "empty"],
    )
    def test_of_whoever_is_signed_in(self, token: str, kind: str, principal: str | None) -> None:
        """What a token says of itself, if it is one that does."""
        told = probes(signed(token), managed_identity=False).token(AUDIENCE)

        assert (told.kind, told.principal_id) == (kind, principal)
        assert told.expires == datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

    def test_there_is_none(self) -> None:
        def refuse(_: str) -> None:
            raise ClientAuthenticationError("nobody is signed in\nlong story")

        with pytest.raises(Unauthenticated, match=rf"^cannot read a token for '{AUDIENCE}': no token, nobody is sig"):
            probes(SimpleNamespace(get_token=refuse)).token(AUDIENCE)


class TestAsk:
    def test_without_signing_in(self, azure: Azure) -> None:
        """A refusal is an answer, and tells the time."""
        answered = probes(azure.credential).ask(f"{azure.simulator.url}/subscriptions?api-version=2022-12-01", "it")

        assert answered.status == 401
        assert answered.text.startswith("401 AuthenticationFailed: ")
        assert answered.date
        assert abs((answered.date - datetime.now(UTC)).total_seconds()) < 60
        assert azure.credential.tokens == []

    def test_signed_in(self, azure: Azure) -> None:
        address = f"{azure.simulator.url}/subscriptions?api-version=2022-12-01"

        assert probes(azure.credential).ask(address, "it", audience=AUDIENCE)[:2] == (200, "")

    def test_a_body_is_posted_once(self, script: Script) -> None:
        """A 503 is an answer too."""
        script.answers = lambda _: (503, {"Retry-After": "7", "X-Odd": "1"}, b"")

        answered = probes(script.credential).ask(
            f"{script.url}/query?x=1", "it", body=b"{}", headers={"x-ms-version": "1"}
        )

        assert (answered.status, answered.headers["x-odd"]) == (503, "1")
        assert script.sent == [("POST", "/query?x=1", b"{}")]

    @pytest.mark.parametrize("text", [None, "", "yesterday"])
    def test_an_odd_date_is_none(self, text: str | None) -> None:
        assert _date(text) is None

    def test_nobody_answers(self) -> None:
        """Said at once: whoever looks is waiting."""
        begun = time.monotonic()

        with pytest.raises(Unreachable, match=r"^cannot read it: the connection was refused"):
            probes(signed("x")).ask(NOWHERE, "it")

        assert time.monotonic() - begun < 3

    def test_a_certificate_that_nobody_trusts(self, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")

        with pytest.raises(Unreachable, match="the certificate is not trusted"):
            probes(signed("x")).ask(script.url, "it")

    def test_no_text_has_a_token(self, script: Script) -> None:
        secret = jwt(oid="1d0a")
        script.answers = lambda _: (403, {"Content-Type": "text/plain"}, f"Bearer {secret}".encode())

        answered = probes(signed(secret)).ask(script.url, "it", audience=AUDIENCE)

        assert secret not in answered.text
