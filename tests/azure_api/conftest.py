"""A simulated Azure behind real TLS, and readers of it that note their waits instead of waiting."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from azure.core.credentials import AccessTokenInfo, TokenRequestOptions
from azure.identity import ManagedIdentityCredential

from devkit.simulator import Estate, Fault, Simulator, Subscription
from devkit.simulator.certificates import issue
from devkit.simulator.estates.drafting import group, resource
from devkit.simulator.model import Pages
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.credential import Credential
from shared_code.azure_api.estate import AzureEstate
from shared_code.model import Subscription as Known

KNOWN = Known("5e000000-0000-4000-8000-000000000001", "Shop", "Enabled")
SHOP = Subscription(
    id=KNOWN.id,
    name=KNOWN.name,
    resource_groups=tuple(
        group(f"rg-{number}", resource("Microsoft.Web/sites", f"app-{number}")) for number in range(5)
    ),
    group_pages=Pages(size=2),
    resource_pages=Pages(size=2, spelling="lower-hex", token_length=300),
)


class Remembering(Credential):
    """Signs in as the app does, and keeps the tokens, which no text may contain."""

    def __init__(self) -> None:
        super().__init__(ManagedIdentityCredential())
        self.tokens: list[str] = []

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        token = super().get_token_info(*scopes, options=options)
        self.tokens.append(token.token)
        return token


class Clock:
    """Monotonic seconds that pass only while somebody sleeps, and the waits; safe for many threads."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self._mutex = threading.Lock()
        self._now = 1000.0

    def now(self) -> float:
        """The seconds so far."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let time pass, and note it."""
        with self._mutex:
            self.waits.append(seconds)
            self._now += seconds


class Azure:
    """The simulator, and one reader of it as the app would have after a fresh start."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        passing = Clock()
        self.waits, self.sleep, self.clock = passing.waits, passing.sleep, passing.now
        self.credential = Remembering()
        self.arm = Arm(
            simulator.url,
            simulator.environment["STEWARD_ARM_AUDIENCE"],
            lambda: self.credential,
            self.sleep,
            self.clock,
        )
        self.estate = AzureEstate(self.arm)
        self._before = len(simulator.requests)

    def fault(self, **fields: object) -> None:
        """Put a fault in force: for ever, unless `times` says otherwise."""
        self.simulator.faults.add(Fault(**({"times": None} | fields)))  # type: ignore[arg-type]

    def calls(self, route: str) -> int:
        """How often the simulator was asked for a route since this reader began."""
        return sum(request.route == route for request in self.simulator.requests[self._before :])

    def groups(self) -> list[str]:
        """The names of the resource groups, all pages."""
        return [found.name for page in self.estate.resource_groups(KNOWN) for found in page]


type Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body, sent as they are."""


class Thing(msgspec.Struct):
    """An item of a list."""

    id: str
    tags: dict[str, str | None] | None = None


class Script:
    """A server that sends whatever a test writes, on two ports, and one reader of the first."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.answers: Callable[[str], Answer] = lambda _: (404, {}, b"")
        self.seen: list[tuple[int, str]] = []
        self.sent: list[tuple[str, str, bytes]] = []
        self._servers = [self._listen(tls) for _ in range(2)]
        self.url, self.elsewhere = (f"https://127.0.0.1:{server.server_port}" for server in self._servers)
        self.time = Clock()
        self.credential = Remembering()
        self.arm = Arm(
            self.url, "https://management.azure.com", lambda: self.credential, self.time.sleep, self.time.now
        )

    def things(self, path: str = "/things") -> list[str]:
        """The ids of the things, all pages."""
        return [thing.id for page in self.arm.pages(path, Thing, "things") for thing in page]

    def pages(self, **bodies: object) -> None:
        """Answer path `/a` with the body of that name as JSON, and so on."""
        self.answers = lambda path: (200, JSON, msgspec.json.encode(bodies[path[1:]]))

    def body(self, content: bytes, **headers: str) -> None:
        """Answer every path with 200, JSON and this body."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers = lambda _: (200, JSON | more, content)

    def close(self) -> None:
        """Stop both ports."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def _listen(self, tls: ssl.SSLContext) -> ThreadingHTTPServer:
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536

            def do_GET(self) -> None:
                script.seen.append((self.server.server_port, self.path))  # type: ignore[attr-defined]
                length = int(self.headers.get("Content-Length") or 0)
                script.sent.append((self.command, self.path, self.rfile.read(length)))
                status, headers, body = script.answers(self.path)
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):  # the reader had enough
                    self.wfile.write(body)

            do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815  # http.server's spelling

            def log_message(self, *_: object) -> None:  # not on stderr
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server


JSON = {"Content-Type": "application/json; charset=utf-8"}


@pytest.fixture(name="script")
def _script(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A server to be scripted; tokens come from the simulator."""
    simulator.faults.clear()
    tls, authority = issue(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    script = Script(tls)
    yield script
    script.close()


@pytest.fixture(scope="module", name="simulator")
def _simulator() -> Iterator[Simulator]:
    """One simulator for a module; the environment points there, as the platform's would."""
    with Simulator(Estate(name="shop", subscriptions=(SHOP,))) as simulator, pytest.MonkeyPatch.context() as environ:
        for name, value in simulator.environment.items():
            environ.setenv(name, value)
        yield simulator


@pytest.fixture(name="azure")
def _azure(simulator: Simulator) -> Azure:
    """A fresh reader, and no faults."""
    simulator.faults.clear()
    return Azure(simulator)
