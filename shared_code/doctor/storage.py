"""The store: whether it writes, reads, lists and deletes, and refuses what it must refuse."""

from shared_code.doctor.checks import Check, failed, ok
from shared_code.errors import AlreadyExists, Changed, StoreError
from shared_code.store import Store

WHAT = "store"
FOLDER = "doctor"
_ONE, _TWO, _THREE = b'{"written":1}', b'{"written":2}', b'{"written":3}'
_UNSAFE = "two processes could hold one lock; use Azure Blob Storage or a local folder"


class _NotRefusedError(Exception):
    """The store did what it must not do."""


def store_check(store: Store, token: str) -> Check:
    """Try the store with an object of our own, and remove it again.

    Args:
        store: what to try.
        token: tells this try apart from others; part of a key.
    """
    key = f"{FOLDER}/{token}.json"
    try:
        return _tried(store, key)
    except StoreError as error:
        return failed(WHAT, str(error).removesuffix("."))
    except _NotRefusedError as error:
        return failed(WHAT, f"{store.describe} {error}", _UNSAFE)
    finally:
        _removed(store, key)


def _tried(store: Store, key: str) -> Check:
    first = store.create(key, _ONE)
    try:
        store.create(key, _THREE)
    except AlreadyExists:
        pass
    else:
        raise _NotRefusedError("wrote over an object that was to be new (If-None-Match)")
    store.replace(key, _TWO, first)
    try:
        store.replace(key, _THREE, first)
    except Changed:
        pass
    else:
        raise _NotRefusedError("wrote over another version than the one that was read (If-Match)")
    found = store.read(key)
    if found is None or found.data != _TWO:
        raise _NotRefusedError("does not give back what was written")
    if key not in store.keys(FOLDER):
        raise _NotRefusedError("does not list what was written")
    store.delete(key)
    if store.read(key) is not None:
        raise _NotRefusedError("still has what was deleted")
    return ok(
        WHAT, f"{store.describe} writes, reads, lists, deletes, and refuses a write that another one has overtaken"
    )


def _removed(store: Store, key: str) -> None:
    """Leave nothing behind; where that fails, what was said already is what matters."""
    try:
        store.delete(key)
    except StoreError:
        return
