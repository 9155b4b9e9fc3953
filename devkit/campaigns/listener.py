"""What the app calls outside: receivers of notices and a monitor, on loopback, that keep what they are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread


class Outside:
    """Somebody outside; every second call is answered with an error that repeats what was asked for."""

    def __init__(self) -> None:
        self.port = 0
        self.bodies: list[bytes] = []
        self.calls = 0


@contextmanager
def listening() -> Iterator[Outside]:
    """Listen until the block ends."""
    outside, numbers = Outside(), count()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            outside.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            self.do_GET()

        def do_GET(self) -> None:
            outside.calls += 1
            said = f"{self.path} {self.headers}".encode()
            self.send_response((200, 500, 200, 404)[next(numbers) % 4])
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    outside.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield outside
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
