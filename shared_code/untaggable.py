"""Which types cannot carry tags, asked of Azure once in a run."""

import threading
from collections.abc import Callable

from shared_code.errors import AzureError
from shared_code.model import Subscription

ATTEMPTS = 3
"""Subscriptions that are asked; the providers are the same in each."""


class Untaggable:
    """Asks the first subscription that answers; safe for many threads.

    `reason` says why nothing is known, and what follows from that; None where Azure has answered or was never asked.
    """

    def __init__(self, ask: Callable[[Subscription], frozenset[str]]) -> None:
        self._ask = ask
        self._mutex = threading.Lock()
        self._types: frozenset[str] | None = None
        self._asked = 0
        self.reason: str | None = None

    def types(self, subscription: Subscription) -> frozenset[str]:
        """Return them in lower case; none where nobody could be asked, so that nothing is left out unseen."""
        with self._mutex:
            if self._types is None and self._asked < ATTEMPTS:
                self._asked += 1
                try:
                    self._types = self._ask(subscription)
                    self.reason = None
                except AzureError as error:
                    self.reason = f"{error}; so types that cannot carry tags are audited like all others"
            return self._types or frozenset()
