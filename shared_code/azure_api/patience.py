"""An end to answers that never end: each may pause for a while, and all of it has to arrive in a longer one."""

import threading
from collections import deque
from contextlib import suppress
from typing import Any
from weakref import finalize, ref

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
        """Prepare; the thread that watches begins with the first answer, and ends with this.

        Args:
            patience: seconds from the headers of an answer to its end.
            connections: how many are kept open to one host.
        """
        super().__init__(pool_maxsize=connections)
        self._watch = _Watch(patience)
        finalize(self, self._watch.end)

    def send(self, request: PreparedRequest, *given: Any, **options: Any) -> Response:
        """Send a request, and watch the answer until it is read."""
        response = super().send(request, *given, **options)
        self._watch.add(response.raw)
        return response


class _Watch:
    """The answers that are under way, oldest first; it keeps none of them alive, and knows no clock that can be set."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._passed = 0.0
        self._answers: deque[tuple[float, ref[Any]]] = deque()
        self._ended = threading.Event()
        self._mutex = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, answer: Any) -> None:
        """Watch one more."""
        with self._mutex:
            self._answers.append((self._passed + self._patience, ref(answer)))
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="patience", daemon=True)
                self._thread.start()

    def end(self) -> None:
        """Watch no more."""
        self._ended.set()

    def _look(self) -> None:
        pause = self._patience / _LOOKS
        while not self._ended.wait(pause):
            with self._mutex:
                self._passed += pause
            while self._answers and self._answers[0][0] <= self._passed:
                _, known = self._answers.popleft()
                if (answer := known()) is not None:
                    # It may have been read meanwhile, and its connection serve another request.
                    with suppress(RuntimeError, ValueError, OSError):
                        answer.shutdown()
