"""The heartbeat: a monitor outside hears that all is well, and nothing depends on it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from shared_code.heartbeat import heartbeat


class Monitor(HTTPServer):
    """Remembers the paths it was called at, and answers as told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.paths: list[str] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/ping/s3cret"


class _Answering(BaseHTTPRequestHandler):
    server: Monitor

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Say nothing on stderr."""


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with Monitor() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_each_beat_is_one_call(monitor: Monitor) -> None:
    """At the address of the setting, as it is."""
    beat = heartbeat(monitor.url)

    assert beat()
    assert beat()
    assert monitor.paths == ["/ping/s3cret"] * 2


def test_without_a_monitor_nobody_is_called() -> None:
    """That is no failure."""
    assert heartbeat(None)()


@pytest.mark.parametrize("trouble", [500, 404, "closed"])
def test_a_monitor_in_trouble_is_logged_without_its_address(
    monitor: Monitor, trouble: int | str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever knows the address can tell the monitor that all is well."""
    url = monitor.url if isinstance(trouble, int) else "http://127.0.0.1:9/ping/s3cret"
    monitor.status = trouble if isinstance(trouble, int) else 200

    assert not heartbeat(url)()
    assert "the monitor at STEWARD_HEARTBEAT_URL could not be told that all is well: " in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/s3cret\x01", "https://[s3cret/x", "http://127.0.0.1:99999/s3cret"])
def test_an_address_that_is_none_raises_nothing(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """The watchdog goes on, and the address stays secret."""
    assert not heartbeat(url)()
    assert "s3cret" not in caplog.text
