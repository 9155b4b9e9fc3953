"""The store in a local folder: one file for each object.

An object is written to a temporary file and renamed into place, so a process killed at any moment leaves the old
object or the new one. Every change holds a lock, because a file system has no compare-and-swap; readers need none.
Both kinds of file live in `.store/`, which no key can name.
"""

import errno
import hashlib
import os
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, override

from filelock import FileLock, Timeout

from shared_code.errors import StoreError
from shared_code.store import Sink, Store, Stored, TranslatingSink, check_key, is_segment

_PRIVATE = ".store"
_CHUNK = 1024 * 1024
_LOCKS = 64
_LOCK_TIMEOUT_SECONDS = 30
_ABANDONED_AFTER_SECONDS = 24 * 3600

_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_OTHER_OBJECT = ("an object or folder of another name is in the way", "keep no key below another")
_ADVICE = {
    errno.EACCES: ("permission denied", "give this account read and write access to the folder"),
    errno.EPERM: ("permission denied", "give this account read and write access to the folder"),
    errno.EROFS: ("the file system is read-only", "set STEWARD_STORE to a folder that can be written"),
    errno.ENOSPC: ("no space is left", "free some, or set STEWARD_STORE to a folder on a larger disk"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or set STEWARD_STORE to another folder"),
    errno.ENAMETOOLONG: ("the path is too long", "set STEWARD_STORE to a folder with a shorter path"),
    errno.ENOTDIR: _OTHER_OBJECT,
    errno.EISDIR: _OTHER_OBJECT,
    errno.EEXIST: _OTHER_OBJECT,
}


class LocalStore(Store):
    """Objects as files below `root`, which is created with the first object."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._was_there = False
        self._is_swept = False

    @property
    @override
    def describe(self) -> str:
        return self._root.as_uri()

    @override
    def read(self, key: str) -> Stored | None:
        path = self._path(key)
        with self._translated("read", key):
            file = self._open(path)
            if file is None:
                return None
            with file:
                self._check_length(key, os.fstat(file.fileno()).st_size)
                data = file.read()
                return Stored(data, _etag(os.fstat(file.fileno()), data))

    @override
    def create(self, key: str, data: bytes) -> str:
        def check(path: Path) -> None:
            if path.is_file():
                raise self._already_exists(key)

        return self._put(key, data, check)

    @override
    def replace(self, key: str, data: bytes, etag: str) -> str:
        def check(_path: Path) -> None:
            stored = self.read(key)
            if stored is None or stored.etag != etag:
                raise self._changed(key)

        return self._put(key, data, check)

    @override
    def write(self, key: str, data: bytes) -> None:
        self._put(key, data, lambda _path: None)

    @override
    @contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        path = self._path(key)
        with self._translated("written", key):
            file, temporary = self._stage()
        try:
            yield TranslatingSink(file, lambda: self._translated("written", key))
            with self._translated("written", key):
                _flush(file)
            with self._translated("written", key), self._lock(key):
                _rename(temporary, path)
        finally:
            _discard(file, temporary)

    @override
    def chunks(self, key: str) -> Iterator[bytes]:
        path = self._path(key)
        with self._translated("read", key):
            file = self._open(path)
        if file is None:
            raise StoreError(f"Object '{key}' is not in {self.describe}; check the key.")
        with file:
            while True:
                with self._translated("read", key):
                    chunk = file.read(_CHUNK)
                if not chunk:
                    return
                yield chunk

    @override
    def keys(self, prefix: str) -> Iterator[str]:
        if prefix:
            check_key(prefix)
        return self._walk(prefix)

    @override
    def folders(self, prefix: str) -> list[str]:
        if prefix:
            check_key(prefix)
        below = [(name, f"{prefix}/{name}" if prefix else name) for name, is_folder in self._scan(prefix) if is_folder]
        # A process killed between creating a folder and its first object leaves it empty.
        return sorted(name for name, folder in below if self._has_keys(folder))

    @override
    def delete(self, key: str) -> None:
        path = self._path(key)
        with self._translated("deleted", key), self._lock(key):
            try:
                path.unlink()
            except _ABSENT:
                return
            with suppress(OSError):
                for folder in path.parents[: len(key.split("/")) - 1]:
                    folder.rmdir()

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*check_key(key))

    def _open(self, path: Path) -> BinaryIO | None:
        """Open an object; None if there is none."""
        try:
            is_file = stat.S_ISREG(path.stat().st_mode)
            file = path.open("rb") if is_file else None
        except _ABSENT:
            file = None
        self._note_root(is_there=file is not None)
        return file

    def _private(self, name: str) -> Path:
        self._note_root(is_there=False)
        folder = self._root / _PRIVATE / name
        folder.mkdir(parents=True, exist_ok=True)
        self._was_there = True
        return folder

    def _note_root(self, *, is_there: bool) -> None:
        """A folder that was there and is gone was unmounted or removed: nothing is known about its objects."""
        was_there = self._was_there  # before looking: another thread may create it in between
        if is_there or self._root.is_dir():
            self._was_there = True
        elif was_there:
            raise FileNotFoundError(errno.ENOENT, "the folder has disappeared")

    def _scan(self, folder: str) -> list[tuple[str, bool]]:
        """List the names in a folder that can be part of a key, and whether each is a folder."""
        with self._translated("listed", folder):
            try:
                with os.scandir(self._root / folder) as entries:
                    found = [
                        (entry.name, entry.is_dir(follow_symlinks=False))
                        for entry in entries
                        if is_segment(entry.name)
                        and (entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False))
                    ]
            except _ABSENT:
                found = []
            self._note_root(is_there=bool(found))
            return found

    def _has_keys(self, folder: str) -> bool:
        # Of thousands of folders each is asked, so the first object that is found has to do.
        with self._translated("listed", folder):
            try:
                with os.scandir(f"{self._root}/{folder}") as entries:
                    below = []
                    for entry in entries:
                        if not is_segment(entry.name):
                            continue
                        if entry.is_file(follow_symlinks=False):
                            return True
                        if entry.is_dir(follow_symlinks=False):
                            below.append(entry.name)
            except _ABSENT:
                return False
        return any(self._has_keys(f"{folder}/{name}") for name in below)

    def _walk(self, folder: str) -> Iterator[str]:
        # With its slash, a folder sorts where its keys do: a-b before a/x before ab.
        entries = sorted((f"{name}/" if is_folder else name) for name, is_folder in self._scan(folder))
        for entry in entries:
            path = f"{folder}/{entry}" if folder else entry
            if entry.endswith("/"):
                yield from self._walk(path.removesuffix("/"))
            else:
                yield path

    def _put(self, key: str, data: bytes, check: Callable[[Path], None]) -> str:
        path = self._path(key)
        with self._translated("written", key), self._lock(key):
            check(path)
            file, temporary = self._stage()
            try:
                file.write(data)
                _flush(file)
                _rename(temporary, path)
                return _etag(os.fstat(file.fileno()), data)
            finally:
                _discard(file, temporary)

    def _stage(self) -> tuple[BinaryIO, Path]:
        folder = self._private("temporary")
        descriptor, name = tempfile.mkstemp(dir=folder)
        file = os.fdopen(descriptor, "wb", buffering=_CHUNK)
        if not self._is_swept:
            self._is_swept = True
            # What killed processes left. The new file's own time is the present by this disk's clock.
            present = os.fstat(descriptor).st_mtime
            for other in folder.iterdir():
                with suppress(FileNotFoundError):
                    if present - other.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                        other.unlink()
        return file, Path(name)

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        folder = self._private("locks")
        # The kernel drops this lock with its process; a soft lock would outlive it.
        lock = FileLock(
            folder / f"{zlib.crc32(key.encode()) % _LOCKS:02}",
            timeout=_LOCK_TIMEOUT_SECONDS,
            poll_interval=0.002,
            fallback_to_soft=False,
            preserve_lock_file=True,
        )
        try:
            lock.acquire()
        except Timeout:
            raise StoreError(
                f"Object '{key}' in {self.describe} cannot be written: another process has held its lock for "
                f"{_LOCK_TIMEOUT_SECONDS} seconds; end that process if it hangs."
            ) from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _translated(self, done: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            unknown = (error.strerror or type(error).__name__, "check the folder and its disk")
            rule, advice = _ADVICE.get(error.errno or 0, unknown)
            thing = f"Object '{key}' in {self.describe}" if key else self.describe
            raise StoreError(f"{thing} cannot be {done}: {rule}; {advice}.") from error


def _etag(status: os.stat_result, data: bytes) -> str:
    """The content is part of it: an inode may be used again within one tick of the file system's clock."""
    digest = hashlib.blake2b(data, digest_size=12).hexdigest()
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{digest}"


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _discard(file: BinaryIO, temporary: Path) -> None:
    """Remove a temporary file that was not renamed; what cannot be removed is swept later."""
    with suppress(OSError):
        file.close()
    with suppress(OSError):
        temporary.unlink()


def _rename(temporary: Path, path: Path) -> None:
    """Move a file into place for good; deleting another object may remove the folder in between."""
    for attempt in range(100):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(path)
        except (FileNotFoundError, FileExistsError):
            if attempt == 99:
                raise
        else:
            break
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
