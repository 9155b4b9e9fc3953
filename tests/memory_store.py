"""A store in memory: quick enough for properties over thousands of runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import count

from shared_code.errors import StoreError
from shared_code.store import Store, Stored


class MemoryStore(Store):
    """Objects in a dict, under one mutex."""

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self._mutex = threading.RLock()
        self._versions = count(1)

    @property
    def describe(self) -> str:
        return "memory:"

    def read(self, key: str) -> Stored | None:
        return self.objects.get(key)

    def create(self, key: str, data: bytes) -> str:
        with self._mutex:
            if key in self.objects:
                raise self._already_exists(key)
            return self._put(key, data)

    def replace(self, key: str, data: bytes, etag: str) -> str:
        with self._mutex:
            if key not in self.objects or self.objects[key].etag != etag:
                raise self._changed(key)
            return self._put(key, data)

    def write(self, key: str, data: bytes) -> None:
        with self._mutex:
            self._put(key, data)

    @contextmanager
    def writer(self, key: str) -> Iterator[BytesIO]:
        sink = BytesIO()
        yield sink
        self.write(key, sink.getvalue())

    def chunks(self, key: str) -> Iterator[bytes]:
        if key not in self.objects:
            raise StoreError(f"no {key}")
        yield self.objects[key].data

    def keys(self, prefix: str) -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(f"{prefix}/") or not prefix)

    def folders(self, prefix: str) -> list[str]:
        below = (key.removeprefix(f"{prefix}/").split("/") for key in self.keys(prefix))
        return sorted({parts[0] for parts in below if len(parts) > 1})

    def delete(self, key: str) -> None:
        with self._mutex:
            self.objects.pop(key, None)

    def _put(self, key: str, data: bytes) -> str:
        etag = str(next(self._versions))
        self.objects[key] = Stored(bytes(data), etag)
        return etag
