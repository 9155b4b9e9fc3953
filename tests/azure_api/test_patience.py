"""Answers that never end are ended, and all others are left alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from requests import Session
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from devkit.simulator.exchange import Call, Reply, json_reply
from devkit.simulator.server import Listener, Server
from shared_code.azure_api.patience import Patient

BODY = {"value": ["x" * 40] * 10}


@contextmanager
def served(drip: float) -> Iterator[str]:
    """The address of a server that pauses before each byte of its answer."""

    async def answer(_: Call) -> Reply:
        whole = json_reply(BODY)
        return Reply(status=200, body=whole.body, headers=whole.headers, drip=drip)

    listener = Listener(answer)
    server = Server([listener])
    server.start()
    try:
        yield f"http://127.0.0.1:{listener.port}/"
    finally:
        server.stop()
        listener.socket.close()


@contextmanager
def session(patience: float) -> Iterator[Session]:
    """A session whose answers have so long."""
    with Session() as opened:
        opened.mount("http://", Patient(patience, 2))
        yield opened


def test_an_answer_that_drips_is_ended() -> None:
    """No pause is long, so no time-out ends it: it would take eight seconds here, and for ever elsewhere."""
    begun = time.monotonic()

    with served(0.02) as url, session(0.5) as opened:
        response = opened.get(url, stream=True, timeout=5)
        with pytest.raises((RequestException, HTTPError)):
            list(response.iter_content(1024 * 1024))

    assert time.monotonic() - begun < 3


def test_an_answer_in_time_is_whole_and_its_connection_serves_again() -> None:
    """Long after what was watched has been read, too."""
    with served(0) as url, session(0.2) as opened:
        for _ in range(3):
            assert opened.get(url, timeout=5).json() == BODY
            time.sleep(0.15)
