"""Steward's memory: objects in one container, in Azure Blob Storage or in a local folder.

Both kinds keep one contract, written down in `Store`; `open_store` picks the kind by the URL.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

from shared_code.errors import AlreadyExists, Changed, Damaged, StoreError

_SEGMENT = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_SEGMENT_LENGTH = 200
_KEY_LENGTH = 800
_LINE_LENGTH = 16 * 1024 * 1024
LONGEST = 128 * 1024 * 1024
"""Bytes of what is read as a whole. Nothing Steward writes comes near; something foreign could take all the memory."""

# learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
_CONTAINER = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
EMULATOR_ACCOUNT = "devstoreaccount1"
_EXAMPLE = "write file:///srv/steward or https://ACCOUNT.blob.core.windows.net/CONTAINER"


class Stored(NamedTuple):
    """What was read of an object, and the version it was."""

    data: bytes
    etag: str


class Sink(Protocol):
    """Takes the bytes of an object, piece by piece."""

    def write(self, data: bytes, /) -> int:
        """Take all of `data` and return its length."""
        ...


class Store(ABC):
    """Objects by key; safe to use from many threads and processes.

    A key is relative, `/` between segments of ASCII letters, digits, `.`, `_` and `-`; a segment starts and ends
    without a dot, and no key lies below another (`a` beside `a/b`). Every method raises StoreError when the store
    cannot be read or written, within about 30 seconds, and for a key that breaks these rules.
    """

    @property
    @abstractmethod
    def describe(self) -> str:
        """The store's URL for people, without any secret."""

    @abstractmethod
    def read(self, key: str) -> Stored | None:
        """Return the whole object; None only when it is certainly not there.

        Raises:
            Damaged: it is longer than LONGEST, so that Steward has not written it.
        """

    @abstractmethod
    def create(self, key: str, data: bytes) -> str:
        """Write a new object and return its etag.

        When the answer to a write that took effect is lost on the way and the write is repeated, this raises
        AlreadyExists for the caller's own object, and `replace` raises Changed: read again to know.

        Raises:
            AlreadyExists: an object is there, and stays as it is.
        """

    @abstractmethod
    def replace(self, key: str, data: bytes, etag: str) -> str:
        """Write over the version `etag` and return the new etag.

        Raises:
            Changed: another version is there, or none; it stays as it is.
        """

    @abstractmethod
    def write(self, key: str, data: bytes) -> None:
        """Write the object, whether or not one is there."""

    @abstractmethod
    def writer(self, key: str) -> AbstractContextManager[Sink]:
        """Write an object of any size as a stream.

        It becomes visible, over any that was there, when the block ends; after an exception nothing does.
        """

    @abstractmethod
    def chunks(self, key: str) -> Iterator[bytes]:
        """Read one version of an object as a stream; StoreError if there is none."""

    @abstractmethod
    def keys(self, prefix: str) -> Iterator[str]:
        """Give every key below `prefix` + "/" in ascending order; all keys for an empty prefix."""

    @abstractmethod
    def folders(self, prefix: str) -> list[str]:
        """Return the names directly below `prefix` + "/" that have keys below them, in ascending order."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove the object; it may be absent."""

    def lines(self, key: str) -> Iterator[bytes]:
        """Read the lines of an NDJSON object without their newlines; StoreError for one over 16 MiB."""
        rest = b""
        for chunk in self.chunks(key):
            *complete, rest = (rest + chunk).split(b"\n")
            yield from complete
            if len(rest) > _LINE_LENGTH:
                raise StoreError(
                    f"Object '{key}' in {self.describe} has a line of more than {_LINE_LENGTH} bytes: it is no "
                    f"NDJSON; remove it, or restore it from a backup."
                )
        if rest:
            yield rest

    def _check_length(self, key: str, length: int) -> None:
        if length > LONGEST:
            raise Damaged(
                f"Object '{key}' in {self.describe} has {length} bytes: nothing that Steward reads as a whole is over "
                f"{LONGEST}; remove it, or restore it from a backup."
            )

    def _already_exists(self, key: str) -> AlreadyExists:
        return AlreadyExists(f"Object '{key}' is already in {self.describe}; read it, or use another key.")

    def _changed(self, key: str) -> Changed:
        return Changed(f"Object '{key}' in {self.describe} is not the version that was read; read it again.")


class TranslatingSink:
    """Writes to `file` and translates its errors, but none of the code around it."""

    def __init__(self, file: Sink, translated: Callable[[], AbstractContextManager[None]]) -> None:
        self._file, self._translated = file, translated

    def write(self, data: bytes, /) -> int:
        """Take all of `data` and return its length."""
        with self._translated():
            return self._file.write(data)


def check_key(key: str) -> list[str]:
    """Return the segments of a key; raises StoreError if it breaks the rules of `Store`."""
    segments = key.split("/")
    if not all(map(is_segment, segments)) or len(key) > _KEY_LENGTH:
        shown = key if len(key) <= 100 else key[:97] + "..."
        raise StoreError(
            f"{shown!a} is no key of the store: keys are at most {_KEY_LENGTH} characters, in segments of at most "
            f"{_SEGMENT_LENGTH} ASCII letters, digits, '.', '_' and '-' that start and end without a dot; "
            f"write one like runs/20261122T060000Z-tag-audit-9c01f2ab/run.json."
        )
    return segments


def is_segment(name: str) -> bool:
    """Whether `name` may be part of a key."""
    return bool(_SEGMENT.fullmatch(name)) and len(name) <= _SEGMENT_LENGTH


def open_store(
    url: str,
    *,
    azure_credential: Callable[[], object] | None = None,
    root_certificate: bytes | None = None,
) -> Store:
    """Open the store STEWARD_STORE names; reads and writes nothing yet.

    Args:
        url: `file:///folder`, `https://ACCOUNT.blob.core.windows.net/CONTAINER` (or the same of another cloud), or
            `http://127.0.0.1:PORT/devstoreaccount1/CONTAINER` for the storage emulator, which may be https too.
        azure_credential: gives an object with azure-identity's `get_token`; called when first needed. Not needed
            for a folder and for the emulator.
        root_certificate: a PEM certificate to trust besides those of the system.

    Raises:
        StoreError: the URL is none of these.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused(url, "is no URL") from None
    if parts.scheme == "file":
        return _open_folder(url, parts)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _refused(url, "only file:///, https:// and the storage emulator's http:// are stores")
    if parts.username is not None or parts.query or parts.fragment:
        raise _refused(url, "user names, SAS tokens and fragments are not used, the app signs in as itself")

    is_loopback = _is_loopback(parts.hostname)
    if parts.scheme == "http" and not is_loopback:
        raise _refused(url, "http is for the storage emulator on 127.0.0.1 only")
    *account, container = parts.path.removeprefix("/").split("/")
    if account != ([EMULATOR_ACCOUNT] if is_loopback else []):
        path = f"/{EMULATOR_ACCOUNT}/CONTAINER for the storage emulator" if is_loopback else "/CONTAINER"
        raise _refused(url, f"the path is {path}")
    if not _CONTAINER.fullmatch(container):
        rule = "3 to 63 lower-case letters, digits and single hyphens"
        raise _refused(url, f"a container's name is {rule}")
    if azure_credential is None and not is_loopback:
        raise _refused(url, "Azure needs a credential and none is configured")

    from shared_code.store_azure import AzureBlobStore

    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    endpoint = "/".join([f"{parts.scheme}://{host}" + (f":{port}" if port else ""), *account])
    name = account[0] if account else parts.hostname.partition(".")[0]
    return AzureBlobStore(endpoint, name, container, azure_credential, root_certificate)


def _open_folder(url: str, parts: SplitResult) -> Store:
    from shared_code.store_local import LocalStore

    try:
        folder = Path.from_uri(url)
    except ValueError:
        folder = Path()
    is_plain = not (parts.netloc or parts.query or parts.fragment) and "\0" not in str(folder)
    if not is_plain or not folder.name:
        raise _refused(url, "a file URL is file:// and the absolute path of a folder, nothing else")
    return LocalStore(folder)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(url: str, rule: str) -> StoreError:
    # A connection string, a SAS or a password may have been set by mistake: show what comes before them.
    shown = re.split(r"[?#;=]", url)[0][:200] if "@" not in url else f"{url.partition(':')[0][:10]}:..."
    return StoreError(f"STEWARD_STORE is {shown!a}: {rule}; {_EXAMPLE}.")
