"""Answers that were worked out once: pages of lists, encoded and packed."""

from collections import OrderedDict
from collections.abc import Hashable

from devkit.simulator.exchange import Reply

LIMIT = 1024 * 1024 * 1024


class PageCache:
    """Keeps answers up to `limit` bytes of body; the ones not asked for longest go first. One thread uses it."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._replies: OrderedDict[Hashable, Reply] = OrderedDict()

    def get(self, key: Hashable) -> Reply | None:
        """The answer kept under a key, or None."""
        reply = self._replies.get(key)
        if reply is not None:
            self._replies.move_to_end(key)
        return reply

    def put(self, key: Hashable, reply: Reply) -> None:
        """Keep an answer; the key holds everything that its bytes depend on."""
        self._replies[key] = reply
        self._size += len(reply.body)
        while self._size > self._limit:
            _, oldest = self._replies.popitem(last=False)
            self._size -= len(oldest.body)
