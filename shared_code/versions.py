"""Versions of an object in the store: a write that happens only over what was seen."""

from typing import NamedTuple

from shared_code.errors import AlreadyExists, Changed
from shared_code.store import Store


class Expected(NamedTuple):
    """What has to be there for a write to happen: the version `etag`, or no object where that is None."""

    etag: str | None


def put(store: Store, key: str, data: bytes, expected: Expected | None) -> None:
    """Write an object.

    Args:
        store: where it is kept.
        key: its key.
        data: its content, unlike that of any other write, for example by a time in it.
        expected: what has to be there; None for whatever is.

    Raises:
        AlreadyExists, Changed: something else is there, and stays as it is.
        StoreError: the store cannot be read or written.
    """
    if expected is None:
        store.write(key, data)
        return
    try:
        if expected.etag is None:
            store.create(key, data)
        else:
            store.replace(key, data, expected.etag)
    except (AlreadyExists, Changed):
        present = store.read(key)
        if present is None or present.data != data:  # else it is ours: the answer to our first try was lost on the way
            raise
