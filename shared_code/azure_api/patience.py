"""An end to answers that never end: each may pause for a while, and all of it has to arrive in a longer one."""

import threading
from collections import deque
from contextlib import suppress
from typing import Any
from weakref import ref

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

_LOOKS = 10
"""How often in that time what is under way is looked at."""


class Patient(HTTPAdapter):
    """Connections whose answers break off once they have taken too long.

    A server that sends a byte now and then keeps a reader for ever: time-outs are for each pause. The reader itself
    cannot look at a clock, since it waits for a whole block.
    """

    def __init__(self, patience: float, connections: int) -> None:
        """Prepare; the thread that watches begins with the first answer.

        Args:
            patience: seconds from the headers of an answer to its end.
            connections: how many are kept open to one host.
        """
        super().__init__(pool_maxsize=connections)
        self._patience = patience
        self._answers: deque[tuple[float, ref[Any]]] = deque()
        self._passed = 0.0
        self._closed = threading.Event()
        self._mutex = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, request: PreparedRequest, *given: Any, **options: Any) -> Response:
        """Send a request, and watch the answer until it is read."""
        response = super().send(request, *given, **options)
        with self._mutex:
            # Only this thread's own count of time is looked at: no clock is set back in it.
            self._answers.append((self._passed + self._patience, ref(response.raw)))
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="patience", daemon=True)
                self._thread.start()
        return response

    def close(self) -> None:
        """Close all connections, and watch no more."""
        self._closed.set()
        super().close()

    def _watch(self) -> None:
        pause = self._patience / _LOOKS
        while not self._closed.wait(pause):
            with self._mutex:
                self._passed += pause
            while self._answers and self._answers[0][0] <= self._passed:
                _, answer = self._answers.popleft()
                if (raw := answer()) is not None:
                    # It was read meanwhile, and its connection serves another request; or it is closed.
                    with suppress(RuntimeError, ValueError, OSError):
                        raw.shutdown()
