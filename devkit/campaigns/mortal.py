"""What a process has that is killed at one of its writes: from then on it reads, writes and asks nothing."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from shared_code.store import Sink, Store, Stored


class Killed(BaseException):
    """The process ends here, as by kill -9."""


class Life:
    """How many calls of the store a process lives for, in whichever of its threads; the last one may take effect."""

    def __init__(self, calls: int | None = None, *, after: bool = False) -> None:
        self.calls = 0
        self._last, self._after = calls, after
        self._mutex = threading.Lock()
        self._dead = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._dead

    def check(self) -> None:
        """Raise Killed where it has."""
        if self._dead:
            raise Killed

    def call[T](self, action: Callable[[], T]) -> T:
        """Perform one call of the store, or die before it or after it."""
        self.check()
        with self._mutex:
            self.calls += 1
            last = self._last is not None and self.calls >= self._last
            self._dead = self._dead or last
        if last and not self._after:
            raise Killed
        done = action()
        if last:
            raise Killed
        return done


class MortalStore(Store):
    """A store as long as a life lasts."""

    def __init__(self, inner: Store, life: Life) -> None:
        self._inner, self._life = inner, life

    @property
    def describe(self) -> str:
        """The store's URL."""
        return self._inner.describe

    def read(self, key: str) -> Stored | None:
        """As the store."""
        self._life.check()  # Whoever dies while reading dies before the next write.
        return self._inner.read(key)

    def create(self, key: str, data: bytes) -> str:
        """As the store, or the end."""
        return self._life.call(lambda: self._inner.create(key, data))

    def replace(self, key: str, data: bytes, etag: str) -> str:
        """As the store, or the end."""
        return self._life.call(lambda: self._inner.replace(key, data, etag))

    def write(self, key: str, data: bytes) -> None:
        """As the store, or the end."""
        return self._life.call(lambda: self._inner.write(key, data))

    @contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        """As the store, or the end: before it, after a part of it, or before it shows."""
        self._life.call(lambda: None)
        with self._inner.writer(key) as sink:
            yield _MortalSink(sink, self._life)
            self._life.call(lambda: None)

    def chunks(self, key: str) -> Iterator[bytes]:
        """As the store."""
        self._life.check()
        return self._inner.chunks(key)

    def lines(self, key: str) -> Iterator[bytes]:
        """As the store."""
        self._life.check()
        return self._inner.lines(key)

    def keys(self, prefix: str) -> Iterator[str]:
        """As the store."""
        self._life.check()
        return self._inner.keys(prefix)

    def folders(self, prefix: str) -> list[str]:
        """As the store."""
        self._life.check()
        return self._inner.folders(prefix)

    def delete(self, key: str) -> None:
        """As the store, or the end."""
        return self._life.call(lambda: self._inner.delete(key))


class _MortalSink:
    """Takes half of what is written last."""

    def __init__(self, inner: Sink, life: Life) -> None:
        self._inner, self._life = inner, life

    def write(self, data: bytes, /) -> int:
        """As the sink, or the end in the middle."""
        self._inner.write(data[: len(data) // 2])
        self._life.call(lambda: None)
        self._inner.write(data[len(data) // 2 :])
        return len(data)


class Mortal:
    """Passes calls on to an adapter of Azure as long as a life lasts."""

    def __init__(self, inner: object, life: Life) -> None:
        self._inner, self._life = inner, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)

        def call(*given: Any, **options: Any) -> Any:
            self._life.check()
            return found(*given, **options)

        return call if callable(found) else found
