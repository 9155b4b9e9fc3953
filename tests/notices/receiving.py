"""Real receivers on loopback: a web hook and a mail server that keep what they are sent."""

import asyncio
import email.policy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

TOKEN = "t0psecret-9f8a7c6b"
"""A token in every URL that leads here."""
USER, PASSWORD = "steward", "pa55-0f-steward"


@dataclass
class Hook:
    """A web hook: what was posted to it, and how it answers."""

    port: int = 0
    posted: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    status: int = 200
    before_answer: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        """Its apprise URL, with a token in the path and one in a header."""
        return f"json://127.0.0.1:{self.port}/{TOKEN}/?+X-Key={TOKEN}"

    @property
    def label(self) -> str:
        """How it is called."""
        return f"json://127.0.0.1:{self.port}"


@contextmanager
def hook() -> Iterator[Hook]:
    """Listen until the block ends."""
    kept = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.before_answer()
            kept.paths.append(self.path)
            kept.posted.append(json.loads(body))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mail:
    """A mail server: what it took, as mail programs read it."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its apprise URL, with user and password."""
        return f"mailto://{USER}:{PASSWORD}@127.0.0.1:{self.port}?from=steward@example.com&to=operator@example.com"

    @property
    def label(self) -> str:
        """How it is called."""
        return f"mailto://127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self,
        _: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],  # noqa: ARG002
    ) -> str:
        if not session.authenticated:
            return "530 who are you?"
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        assert isinstance(envelope.content, bytes)
        self.taken.append(BytesParser(EmailMessage, policy=email.policy.default).parsebytes(envelope.content))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def text(self, number: int) -> str:
        """The body of a mail, which is plain text and has no other part."""
        assert self.taken[number].get_content_type() == "text/plain"
        return str(self.taken[number].get_content()).replace("\r\n", "\n")


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:  # noqa: ARG001
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)  # so that the server answers


class AnyPort(Controller):
    """A controller on a port that the system chooses."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's own

    def drain(self) -> None:
        """Let every connection come to its end; the loop would leave them open."""

        async def drained() -> None:
            assert self.server is not None
            self.server.close()
            await self.server.wait_closed()

        asyncio.run_coroutine_threadsafe(drained(), self.loop).result(timeout=10)


@contextmanager
def mail() -> Iterator[Mail]:
    """Listen until the block ends."""
    kept = Mail()
    controller = AnyPort(
        kept,
        hostname="127.0.0.1",
        port=0,
        authenticator=_authenticate,
        auth_require_tls=False,
        auth_exclude_mechanism=["LOGIN"],
    )
    controller.start()
    try:
        kept.port = controller.port
        yield kept
    finally:
        controller.drain()
        controller.stop()
