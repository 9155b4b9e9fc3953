"""Stores in front of a store: they pass calls on, and misbehave where a test wants them to."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from shared_code.errors import AlreadyExists, Changed
from shared_code.store import Sink, Store, Stored


class Passing(Store):
    """Passes every call on through `_call`."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    def _call[T](self, action: Callable[[], T]) -> T:
        return action()

    @property
    def describe(self) -> str:
        return self._inner.describe

    def read(self, key: str) -> Stored | None:
        return self._call(lambda: self._inner.read(key))

    def create(self, key: str, data: bytes) -> str:
        return self._call(lambda: self._inner.create(key, data))

    def replace(self, key: str, data: bytes, etag: str) -> str:
        return self._call(lambda: self._inner.replace(key, data, etag))

    def write(self, key: str, data: bytes) -> None:
        return self._call(lambda: self._inner.write(key, data))

    def writer(self, key: str) -> AbstractContextManager[Sink]:
        return self._call(lambda: self._inner.writer(key))

    def chunks(self, key: str) -> Iterator[bytes]:
        return self._call(lambda: self._inner.chunks(key))

    def lines(self, key: str) -> Iterator[bytes]:
        return self._call(lambda: self._inner.lines(key))

    def keys(self, prefix: str) -> Iterator[str]:
        return self._call(lambda: self._inner.keys(prefix))

    def folders(self, prefix: str) -> list[str]:
        return self._call(lambda: self._inner.folders(prefix))

    def delete(self, key: str) -> None:
        return self._call(lambda: self._inner.delete(key))


class Killed(BaseException):
    """The process ends here, as by kill -9."""


class DeadAfter(Passing):
    """A store whose process is killed at its n-th call, before or after it took effect; the dead write no more."""

    def __init__(self, inner: Store, calls: int, *, after: bool = False) -> None:
        super().__init__(inner)
        self._left, self._after = calls, after

    def _call[T](self, action: Callable[[], T]) -> T:
        self._left -= 1
        if self._left < 0 or (self._left == 0 and not self._after):
            raise Killed
        done = action()
        if self._left == 0:
            raise Killed
        return done


class Lossy(Passing):
    """A store whose answers to conditional writes get lost: the client repeats them, and finds its own object there."""

    def __init__(self, inner: Store, lose: str) -> None:
        super().__init__(inner)
        self._lose = lose

    def create(self, key: str, data: bytes) -> str:
        etag = super().create(key, data)
        if self._lose in key:
            raise AlreadyExists(key)
        return etag

    def replace(self, key: str, data: bytes, etag: str) -> str:
        etag = super().replace(key, data, etag)
        if self._lose in key:
            raise Changed(key)
        return etag
