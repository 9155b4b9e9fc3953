"""One contract for both stores: a local folder and a real Azurite."""

from __future__ import annotations

import base64
import errno
import http.server
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.errors import AlreadyExists, Changed, Damaged, StewardError, StoreError
from shared_code.store import Store, check_key, open_store
from shared_code.store_local import LocalStore

if TYPE_CHECKING:  # pytest imports it, as a plugin
    from tests.azurite import Azurite

pytest_plugins = ["tests.azurite"]

ROOT = Path(__file__).parent.parent
EXAMPLE = "write file:///srv/steward or https://ACCOUNT.blob.core.windows.net/CONTAINER."


@pytest.fixture(params=["folder", "azurite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of its own for each test."""
    if request.param == "folder":
        return (tmp_path / "a store").as_uri()
    azurite: Azurite = request.getfixturevalue("azurite")
    return azurite.new_container()


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def local(folder: Path) -> Store:
    return open_store(folder.as_uri())


def read(store: Store, key: str) -> bytes:
    stored = store.read(key)
    assert stored is not None
    return stored.data


def start_process(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


class TestObjects:
    def test_absent(self, store: Store) -> None:
        """An object that is not there is None, in a fresh store too."""
        assert store.read("runs/a/run.json") is None

    def test_create(self, store: Store) -> None:
        """A created object is read back with the etag it got."""
        etag = store.create("runs/a/run.json", b"\0data\xff")

        assert store.read("runs/a/run.json") == (b"\0data\xff", etag)

    def test_create_twice(self, store: Store) -> None:
        """Creating again changes nothing."""
        store.create("plans/p.json", b"1")

        with pytest.raises(AlreadyExists) as caught:
            store.create("plans/p.json", b"2")

        assert str(caught.value) == (
            f"Object 'plans/p.json' is already in {store.describe}; read it, or use another key."
        )
        assert read(store, "plans/p.json") == b"1"

    def test_replace(self, store: Store) -> None:
        """Replacing the version that was read gives a new version."""
        first = store.create("locks/cleanup.json", b"1")
        second = store.replace("locks/cleanup.json", b"2", first)

        assert first != second
        assert store.read("locks/cleanup.json") == (b"2", second)

    def test_replace_other_version(self, store: Store) -> None:
        """A version that is not the present one replaces nothing, even if the bytes have become the same again."""
        first = store.create("locks/cleanup.json", b"1")
        store.write("locks/cleanup.json", b"2")
        store.write("locks/cleanup.json", b"1")

        with pytest.raises(Changed) as caught:
            store.replace("locks/cleanup.json", b"3", first)

        assert str(caught.value) == (
            f"Object 'locks/cleanup.json' in {store.describe} is not the version that was read; read it again."
        )
        assert read(store, "locks/cleanup.json") == b"1"

    def test_replace_absent(self, store: Store) -> None:
        """An object that is gone was changed."""
        etag = store.create("locks/cleanup.json", b"1")
        store.delete("locks/cleanup.json")

        with pytest.raises(Changed):
            store.replace("locks/cleanup.json", b"2", etag)
        assert store.read("locks/cleanup.json") is None

    def test_write(self, store: Store) -> None:
        """Writing asks for nothing, and gives a new version."""
        store.write("history/cleanup.ndjson", b"1")
        first = store.read("history/cleanup.ndjson")
        store.write("history/cleanup.ndjson", b"2")
        second = store.read("history/cleanup.ndjson")

        assert first is not None
        assert second is not None
        assert (first.data, second.data) == (b"1", b"2")
        assert first.etag != second.etag

    def test_delete(self, store: Store) -> None:
        """A deleted object is gone; deleting it again is fine."""
        store.write("requests/r.json", b"1")

        store.delete("requests/r.json")
        store.delete("requests/r.json")

        assert store.read("requests/r.json") is None
        assert store.folders("") == []

    def test_empty(self, store: Store) -> None:
        """An object may be empty."""
        store.write("open/run", b"")

        assert read(store, "open/run") == b""
        assert list(store.chunks("open/run")) == list(store.lines("open/run")) == []

    def test_folder_is_no_object(self, store: Store) -> None:
        """What only has keys below it is not an object."""
        store.write("runs/a/run.json", b"1")
        store.delete("runs/a")

        assert store.read("runs/a") is None
        assert store.read("runs/a/run.json/x") is None
        assert list(store.keys("runs")) == ["runs/a/run.json"]

    def test_two_openings(self, url: str) -> None:
        """Everything is in the store, nothing in the object that opened it."""
        etag = open_store(url).create("a.json", b"1")

        assert open_store(url).replace("a.json", b"2", etag) != etag


class TestStreams:
    def test_writer(self, store: Store) -> None:
        """A stream is visible as a whole when its block ends, in the place of what was there."""
        store.write("ledger/s.ndjson", b"old")

        with store.writer("ledger/s.ndjson") as file:
            assert file.write(b"one\n") == 4
            file.write(b"two\n")
            assert read(store, "ledger/s.ndjson") == b"old"

        assert read(store, "ledger/s.ndjson") == b"one\ntwo\n"

    def test_nothing_written(self, store: Store) -> None:
        """A stream of nothing is an empty object."""
        with store.writer("a.csv"):
            pass

        assert read(store, "a.csv") == b""

    @pytest.mark.parametrize("size", [3, 9 * 1024 * 1024], ids=["small", "several-blocks"])
    @pytest.mark.parametrize("error", [KeyError, OSError, KeyboardInterrupt])
    def test_abort(self, store: Store, size: int, error: type[BaseException]) -> None:
        """After an exception nothing is visible, and the exception is the caller's own."""

        def write_some() -> None:
            with store.writer("runs/a/findings.ndjson") as file:
                file.write(bytes(size))
                raise error

        with pytest.raises(error) as caught:
            write_some()

        assert not isinstance(caught.value, StoreError)
        assert store.read("runs/a/findings.ndjson") is None
        assert list(store.keys("")) == store.folders("runs") == []

    def test_abort_keeps_what_was_there(self, store: Store) -> None:
        """An aborted stream leaves the object as it was."""
        store.write("a.csv", b"old")

        with suppress(KeyError), store.writer("a.csv") as file:
            file.write(b"new")
            raise KeyError

        assert read(store, "a.csv") == b"old"

    def test_chunks_absent(self, store: Store) -> None:
        """There is nothing to stream of an object that is not there."""
        for stream in (store.chunks, store.lines):
            with pytest.raises(StoreError, match=re.escape(f"'a.csv' in {store.describe}") + "|is not in"):
                list(stream("a.csv"))

    def test_lines(self, store: Store) -> None:
        """Lines come without their newlines, across the borders of chunks; the last may lack one."""
        lines = [f'{{"n":{n},"pad":"{"x" * (n % 997)}"}}'.encode() for n in range(20_000)]
        store.write("a.ndjson", b"\n".join(lines))

        assert list(store.lines("a.ndjson")) == lines
        assert b"".join(store.chunks("a.ndjson")) == b"\n".join(lines)

    def test_endless_line(self, store: Store) -> None:
        """A line that would not fit into memory is refused, not collected."""
        with store.writer("a.ndjson") as file:
            for _ in range(17):
                file.write(bytes(1024 * 1024))

        with pytest.raises(StoreError, match="has a line of more than 16777216 bytes: it is no NDJSON"):
            list(store.lines("a.ndjson"))

    def test_too_long_to_be_read_as_a_whole(self, store: Store) -> None:
        """What would fill the memory of a small instance is refused before it is read, and said."""
        with store.writer("runs/a/run.json") as file:
            for _ in range(129):
                file.write(bytes(1024 * 1024))

        with pytest.raises(Damaged) as caught:
            store.read("runs/a/run.json")

        assert str(caught.value) == (
            f"Object 'runs/a/run.json' in {store.describe} has 135266304 bytes: nothing that Steward reads as a whole "
            "is over 134217728; remove it, or restore it from a backup."
        )

    def test_replaced_while_read(self, store: Store) -> None:
        """A reader gets one version as a whole, or an error; never a mixture."""
        store.write("a.bin", bytes(9 * 1024 * 1024))
        chunks = store.chunks("a.bin")
        start = next(chunks)
        store.write("a.bin", b"\1" * len(start) * 9)

        try:
            rest = b"".join(chunks)
        except StoreError as error:
            rest = bytes(9 * 1024 * 1024 - len(start))
            assert "changed while it was read; read it again" in str(error)  # noqa: PT017 - either is right
        assert start + rest == bytes(9 * 1024 * 1024)

    def test_memory(self, url: str) -> None:
        """Memory does not grow with the object: 50 MB pass through in less than 30 MB more than 1 MB does."""
        process = start_process(STREAM, url)
        output, _ = process.communicate(timeout=60)
        small, large = json.loads(output)

        assert process.returncode == 0
        assert large - small < 30 * 1024 * (1024 if sys.platform == "darwin" else 1)


STREAM = """
import json, resource, sys
from shared_code.store import open_store

def stream(megabytes):
    line = b"x" * 999 + b"\\n"
    with store.writer("a.ndjson") as file:
        for _ in range(megabytes * 1000):
            file.write(line)
    assert sum(map(len, store.chunks("a.ndjson"))) == megabytes * 1_000_000
    assert sum(1 for _ in store.lines("a.ndjson")) == megabytes * 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

store = open_store(sys.argv[1])
print(json.dumps([stream(1), stream(50)]))
"""


class TestLists:
    def test_keys(self, store: Store) -> None:
        """Keys below a prefix come in the order of their characters; the prefix ends at a slash."""
        for key in ("a/x.json", "a/b/y.json", "a-b/z.json", "ab.json", "a.json", "a/b-c.json"):
            store.write(key, b"")

        assert list(store.keys("")) == ["a-b/z.json", "a.json", "a/b-c.json", "a/b/y.json", "a/x.json", "ab.json"]
        assert list(store.keys("a")) == ["a/b-c.json", "a/b/y.json", "a/x.json"]
        assert list(store.keys("a/b")) == ["a/b/y.json"]
        assert list(store.keys("a/b/y.json")) == list(store.keys("none")) == []

    def test_folders(self, store: Store) -> None:
        """Folders are the names with keys below them; objects beside them are not."""
        for key in ("runs/b/parts/1.json", "runs/b/run.json", "runs/a/run.json", "runs/index.json", "plans/p.json"):
            store.write(key, b"")

        assert store.folders("runs") == ["a", "b"]
        assert store.folders("") == ["plans", "runs"]
        assert store.folders("runs/a") == store.folders("none") == []

    def test_emptied_folder(self, store: Store) -> None:
        """A folder goes with its last object."""
        store.write("runs/a/parts/1.json", b"")
        store.write("runs/b/run.json", b"")

        store.delete("runs/a/parts/1.json")

        assert store.folders("runs") == ["b"]

    def test_many(self, store: Store) -> None:
        """Lists of more than a page of 5,000 are complete."""
        keys = [f"runs/{n:05}/run.json" for n in range(5_100)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: store.write(key, b"{}"), keys))

        assert list(store.keys("runs")) == keys
        assert store.folders("runs") == [f"{n:05}" for n in range(5_100)]


class TestRaces:
    def test_create(self, store: Store) -> None:
        """Of many threads that create one object, one succeeds, and its data is there."""

        def create(number: int) -> int | None:
            try:
                store.create("runs/a/run.json", b"%d" % number)
            except AlreadyExists:
                return None
            return number

        with ThreadPoolExecutor(12) as pool:
            winners = [number for number in pool.map(create, range(48)) if number is not None]

        assert [read(store, "runs/a/run.json")] == [b"%d" % number for number in winners]

    def test_threads(self, store: Store) -> None:
        """No update is lost among threads that read, change and replace."""
        store.create("counter.json", b"0")

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: increment(store), range(60)))

        assert read(store, "counter.json") == b"60"

    def test_processes(self, url: str) -> None:
        """No update is lost between two processes that replace 200 times each."""
        store = open_store(url)
        store.create("counter.json", b"0")

        processes = [start_process(INCREMENT, url, "200") for _ in range(2)]
        ends = [process.wait(60) for process in processes]
        for process in processes:
            assert process.stdout
            process.stdout.close()

        assert ends == [0, 0]
        assert read(store, "counter.json") == b"400"

    def test_write_and_delete_and_create(self, store: Store) -> None:
        """While others write and delete, every read is one written whole or nothing, and no call fails."""
        contents = [bytes([65 + n]) * 5_000 for n in range(4)]
        end = time.monotonic() + 1.5

        def work(number: int) -> None:
            chance = random.Random(number)  # noqa: S311 - not for secrets
            while time.monotonic() < end:
                key = f"a/{chance.randrange(2)}/{chance.randrange(2)}/b.json"
                stored = store.read(key)
                assert stored is None or stored.data in contents
                match chance.randrange(4):
                    case 0:
                        store.write(key, contents[number % 4])
                    case 1:
                        store.delete(key)
                    case 2:
                        with store.writer(key) as file:
                            file.write(contents[number % 4])
                    case 3:
                        try:
                            store.create(key, contents[number % 4])
                        except AlreadyExists:
                            continue

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(work, range(6)))


def increment(store: Store) -> None:
    while True:
        stored = store.read("counter.json")
        assert stored is not None
        try:
            store.replace("counter.json", b"%d" % (int(stored.data) + 1), stored.etag)
        except Changed:
            continue
        return


INCREMENT = """
import sys
from shared_code.store import open_store
from tests.test_store import increment

store = open_store(sys.argv[1])
for _ in range(int(sys.argv[2])):
    increment(store)
"""

HOSTILE = [
    "",
    "/",
    "/etc/passwd",
    "a//b",
    "a/",
    "..",
    "../a",
    "a/../../b",
    "a/./b",
    ".store/locks/00",
    ".hidden",
    "a.",
    "a\\b",
    "C:/a",
    "a\0b",
    "a\nb",
    "a b",
    "a%2e%2e",
    "a?sig=1",
    "a#1",
    "a*",
    "ä",
    "\u202eb",
    "\ud800",
    "a" * 201,
    "/".join(["a" * 100] * 9),
]


class TestKeys:
    @pytest.mark.parametrize("key", HOSTILE, ids=lambda key: ascii(key[:20]))
    def test_hostile(self, store: Store, key: str) -> None:
        """A key that could leave the store, or mean two things, reaches no disk and no network."""
        calls: list[Callable[[], object]] = [
            lambda: store.read(key),
            lambda: store.create(key, b""),
            lambda: store.replace(key, b"", "e"),
            lambda: store.write(key, b""),
            lambda: store.writer(key).__enter__(),
            lambda: list(store.chunks(key)),
            lambda: list(store.lines(key)),
            lambda: store.delete(key),
        ]
        if key:
            calls += [lambda: list(store.keys(key)), lambda: store.folders(key)]
        for call in calls:
            with pytest.raises(StoreError, match="is no key of the store: keys are at most 800 characters"):
                call()
        assert list(store.keys("")) == []

    def test_sentence(self) -> None:
        """The refusal says the rule and gives an example."""
        with pytest.raises(StoreError) as caught:
            check_key("../" + "a" * 200)

        assert str(caught.value) == (
            f"'../{'a' * 94}...' is no key of the store: keys are at most 800 characters, in segments of at most 200 "
            f"ASCII letters, digits, '.', '_' and '-' that start and end without a dot; "
            f"write one like runs/20261122T060000Z-tag-audit-9c01f2ab/run.json."
        )

    @given(st.text(max_size=30))
    def test_any_text(self, text: str) -> None:
        """Whatever passes stays below its root and is the same when read back from a path."""
        try:
            segments = check_key(text)
        except StoreError:
            return
        assert "/".join(segments) == text
        assert Path("/root", *segments).relative_to("/root").as_posix() == text
        assert not any(segment.startswith(".") for segment in segments)


class TestUrls:
    @pytest.mark.parametrize(
        ("url", "shown", "rule"),
        [
            ("", "", "only file:///, https:// and the storage emulator's http:// are stores"),
            ("/srv/steward", "/srv/steward", "only file:///, https://"),
            ("s3://bucket/x", "s3://bucket/x", "only file:///, https://"),
            ("https://", "https://", "only file:///, https://"),
            ("https://[::1/steward", "https://[::1/steward", "is no URL"),
            ("https://a.example:port/steward", "https://a.example:port/steward", "is no URL"),
            (
                "file://server/share",
                "file://server/share",
                "a file URL is file:// and the absolute path of a folder, nothing else",
            ),
            ("file:srv", "file:srv", "a file URL is file:// and the absolute path of a folder, nothing else"),
            ("file:///", "file:///", "a file URL is file:// and the absolute path"),
            ("file:///srv/steward?x=1", "file:///srv/steward", "a file URL is file:// and the absolute path"),
            ("file:///srv%00", "file:///srv%00", "a file URL is file:// and the absolute path"),
            ("http://a.blob.core.windows.net/steward", None, "http is for the storage emulator on 127.0.0.1 only"),
            ("https://a.blob.core.windows.net", None, "a container's name is 3 to 63 lower-case letters"),
            ("https://a.blob.core.windows.net/Steward", None, "a container's name is 3 to 63 lower-case letters"),
            ("https://a.blob.core.windows.net/a--b", None, "a container's name is 3 to 63 lower-case letters"),
            ("https://a.blob.core.windows.net/steward/runs", None, "the path is /CONTAINER"),
            ("https://a.blob.core.windows.net/steward/", None, "the path is /CONTAINER"),
            ("http://127.0.0.1:10000/steward", None, "the path is /devstoreaccount1/CONTAINER for the storage emul"),
            ("https://a.blob.core.windows.net/steward", None, "Azure needs a credential and none is configured"),
            (
                "https://a.blob.core.windows.net/steward?sv=2022&sig=S3CRET",
                "https://a.blob.core.windows.net/steward",
                "user names, SAS tokens and fragments are not used, the app signs in as itself",
            ),
            ("https://me:S3CRET@a.blob.core.windows.net/steward", "https:...", "user names, SAS tokens"),
            ("https://me:S3C?RET@a.blob.core.windows.net/steward", "https:...", "is no URL"),
            (
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=S3CRET==",
                "DefaultEndpointsProtocol",
                "only file:///, https://",
            ),
            ("SharedAccessSignature=sv=2022&sig=S3CRET", "SharedAccessSignature", "only file:///, https://"),
        ],
    )
    def test_refused(self, url: str, shown: str | None, rule: str) -> None:
        """A URL that is no store is named without its secrets, with the rule and an example."""
        with pytest.raises(StoreError) as caught:
            open_store(url)

        sentence = str(caught.value)
        assert sentence.startswith(f"STEWARD_STORE is '{url if shown is None else shown}': {rule}")
        assert sentence.endswith(f"; {EXAMPLE}")
        assert "S3C" not in sentence
        assert "RET" not in sentence

    @pytest.mark.parametrize(
        "url",
        [
            "https://steward.blob.core.windows.net/steward-1",
            "https://steward.blob.core.chinacloudapi.cn/steward",
            "https://steward.blob.core.usgovcloudapi.net:443/steward",
            "https://127.0.0.1:10000/devstoreaccount1/steward",
            "http://[::1]:10000/devstoreaccount1/steward",
            "http://localhost:10000/devstoreaccount1/steward",
        ],
    )
    def test_azure(self, url: str) -> None:
        """Opening a container touches neither the network nor the credential."""
        assert open_store(url, azure_credential=lambda: pytest.fail("called")).describe == url

    def test_folder(self, tmp_path: Path) -> None:
        """Opening a folder creates nothing; its name may need escapes."""
        folder = tmp_path / "ä b%"

        store = open_store(folder.as_uri())

        assert store.describe == folder.as_uri()
        assert list(store.keys("")) == []
        assert not folder.exists()
        store.write("a.json", b"1")
        assert (folder / "a.json").read_bytes() == b"1"


class TestLocalFolder:
    """What only a folder can suffer."""

    def test_foreign_files(self, folder: Path, local: Store) -> None:
        """Files that are not objects are not listed and do not disturb."""
        local.write("runs/a/run.json", b"1")
        (folder / "runs" / ".DS_Store").touch()
        (folder / "runs" / "a b").mkdir()
        (folder / "runs" / "empty").mkdir()
        (folder / "runs" / "link").symlink_to(folder / "runs" / "a")
        os.mkfifo(folder / "runs" / "pipe")

        assert list(local.keys("")) == ["runs/a/run.json"]
        assert local.folders("runs") == ["a"]
        assert local.folders("") == ["runs"]
        assert local.read("runs/pipe") is None

    def test_in_the_way(self, local: Store) -> None:
        """A key below another cannot be kept in a folder; the error says so."""
        local.write("runs/a", b"1")
        rule = "an object or folder of another name is in the way; keep no key below another."

        with pytest.raises(StoreError) as below:
            local.write("runs/a/run.json", b"2")
        with pytest.raises(StoreError) as above:
            local.create("runs", b"2")

        assert str(below.value) == f"Object 'runs/a/run.json' in {local.describe} cannot be written: {rule}"
        assert str(above.value) == f"Object 'runs' in {local.describe} cannot be written: {rule}"
        assert list(local.keys("")) == ["runs/a"]

    def test_folder_disappears(self, folder: Path, local: Store) -> None:
        """A folder that was there and is gone is an error, not an empty store."""
        local.write("control/stop.json", b"1")
        shutil.rmtree(folder)

        calls: list[Callable[[], object]] = [
            lambda: local.read("control/stop.json"),
            lambda: list(local.keys("control")),
            lambda: local.folders(""),
            lambda: local.write("a", b""),
        ]
        for call in calls:
            with pytest.raises(StoreError, match="the folder has disappeared; check the folder and its disk"):
                call()

    def test_abandoned_files(self, folder: Path, local: Store) -> None:
        """What killed processes left is removed after a day, and what running ones write is not."""
        temporary = folder / ".store" / "temporary"
        temporary.mkdir(parents=True)
        old, young = temporary / "old", temporary / "young"
        old.touch()
        young.touch()
        os.utime(old, (0, 0))

        local.write("a.json", b"1")

        assert [entry.name for entry in temporary.iterdir()] == ["young"]

    def test_killed(self, folder: Path, local: Store) -> None:
        """A process killed at any moment leaves the old object or the new one, and no lock."""
        for delay in (0.0, 0.003, 0.011, 0.02, 0.05):
            process = start_process(OVERWRITE, folder.as_uri())
            assert process.stdout
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()

            assert read(local, "a/b.bin") in {b"A" * 2_000_000, b"B" * 2_000_000}
            assert list(local.keys("")) == ["a/b.bin"]
            local.write("a/b.bin", b"A" * 2_000_000)

    def test_read_only(self) -> None:
        """Without permission, reading works where it may, and writing says what is wrong."""
        with world_readable_folder() as folder:
            open_store(folder.as_uri()).write("a.json", b"1")
            process = start_process(AS_NOBODY, folder.as_uri())
            output, _ = process.communicate(timeout=30)

        thing = f"Object 'b.json' in {folder.as_uri()} cannot be written"
        assert json.loads(output) == [
            ["a.json"],
            f"{thing}: permission denied; give this account read and write access to the folder.",
            f"{thing}: permission denied; give this account read and write access to the folder.",
        ]

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_no_space(self, local: Store) -> None:
        """A full disk is named, and nothing is left behind."""
        process = start_process(FULL_DISK, local.describe)
        output, _ = process.communicate(timeout=30)

        assert output.splitlines() == 2 * [
            f"Object 'a.json' in {local.describe} cannot be written: File too large; check the folder and its disk."
        ]
        assert list(local.keys("")) == []
        temporary = Path.from_uri(local.describe) / ".store" / "temporary"
        assert list(temporary.iterdir()) == []

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (errno.ENOSPC, "no space is left; free some, or set STEWARD_STORE to a folder on a larger disk"),
            (errno.EDQUOT, "the disk quota is used up; free some space, or set STEWARD_STORE to another folder"),
            (errno.EROFS, "the file system is read-only; set STEWARD_STORE to a folder that can be written"),
            (errno.ENAMETOOLONG, "the path is too long; set STEWARD_STORE to a folder with a shorter path"),
            (errno.EIO, "Input/output error; check the folder and its disk"),
        ],
    )
    def test_reasons(self, code: int, reason: str) -> None:
        """Each cause an operator can mend has its advice."""
        with pytest.raises(StoreError) as caught, LocalStore(Path("/srv"))._translated("written", "a.json"):
            raise OSError(code, os.strerror(code))

        assert str(caught.value) == f"Object 'a.json' in file:///srv cannot be written: {reason}."


OVERWRITE = """
import itertools, sys
from shared_code.store import open_store

store = open_store(sys.argv[1])
for number in itertools.count():
    store.write("a/b.bin", b"AB"[number % 2 : number % 2 + 1] * 2_000_000)
    if number == 0:
        print(flush=True)
"""

AS_NOBODY = """
import json, os, sys
from shared_code.errors import StoreError
from shared_code.store import open_store

store = open_store(sys.argv[1])
if os.geteuid() == 0:
    os.seteuid(65534)
said = [list(store.keys(""))]
for write in (store.write, store.create):
    try:
        write("b.json", b"")
    except StoreError as error:
        said.append(str(error))
print(json.dumps(said))
"""

FULL_DISK = """
import resource, sys
from shared_code.errors import StoreError
from shared_code.store import open_store

store = open_store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store.write("a.json", bytes(5_000_000))
except StoreError as error:
    print(error)
try:
    with store.writer("a.json") as file:
        for _ in range(500):
            file.write(bytes(10_000))
except StoreError as error:
    print(error)
"""


@contextmanager
def world_readable_folder() -> Iterator[Path]:
    """Give a folder that other users may read; those of pytest are closed to them."""
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o555 if os.geteuid() else 0o755)
        yield folder
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


class Token(NamedTuple):
    token: str
    expires_on: int


class Credential:
    """Signs in as azure-identity does, with a token Azurite believes."""

    def __init__(self) -> None:
        self.scopes: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str) -> Token:
        self.scopes.append(scopes)
        now = int(time.time())
        claims = {
            "aud": "https://storage.azure.com",
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
        }
        parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)] + [b"S3CRET"]
        return Token(".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), now + 3600)


class TestAzure:
    """What only Azure can answer."""

    def test_as_in_azure(self, azurite_https: Azurite) -> None:
        """With a token over https everything works; the credential is made when first needed, and asked once."""
        credential = Credential()
        made: list[Credential] = []

        def make() -> Credential:
            made.append(credential)
            return credential

        url = azurite_https.new_container()
        store = open_store(url, azure_credential=make, root_certificate=azurite_https.root_certificate)
        assert made == []

        etag = store.create("runs/a/run.json", b"1")
        with store.writer("runs/a/findings.ndjson") as file:
            file.write(bytes(9 * 1024 * 1024))
        store.replace("runs/a/run.json", b"2", etag)
        with pytest.raises(Changed):
            store.replace("runs/a/run.json", b"3", etag)
        with pytest.raises(AlreadyExists):
            store.create("runs/a/run.json", b"3")

        assert read(store, "runs/a/run.json") == b"2"
        assert sum(map(len, store.chunks("runs/a/findings.ndjson"))) == 9 * 1024 * 1024
        assert store.folders("runs") == ["a"]
        store.delete("runs/a/run.json")
        assert list(store.keys("")) == ["runs/a/findings.ndjson"]
        assert made == [credential]
        assert credential.scopes == [("https://storage.azure.com/.default",)]

    def test_untrusted_certificate(self, azurite_https: Azurite) -> None:
        """A certificate nobody vouches for is not accepted."""
        store = open_store(azurite_https.new_container(), azure_credential=Credential)

        with pytest.raises(StoreError, match="no answer came"):
            store.read("a.json")

    def test_refused_token(self, azurite: Azurite) -> None:
        """Over plain http a token is refused; the sentence names the role that is needed, and no token."""
        store = open_store(azurite.new_container(), azure_credential=Credential)

        with pytest.raises(StoreError) as caught:
            store.write("a.json", b"")

        assert str(caught.value) == (
            f"Object 'a.json' in {store.describe} cannot be written: Azure answered AuthorizationFailure; give the "
            f"app's identity the role Storage Blob Data Contributor there, and let its network in."
        )

    @pytest.mark.parametrize(
        ("failure", "said"),
        [
            (RuntimeError("S3CRET"), "RuntimeError"),
            (StewardError("The identity endpoint did not answer."), "The identity endpoint did not answer"),
        ],
        ids=["foreign", "ours"],
    )
    def test_no_token(self, azurite: Azurite, failure: Exception, said: str) -> None:
        """Without a token the sentence says so; only our own errors are quoted."""

        def fail() -> object:
            raise failure

        store = open_store(azurite.new_container(), azure_credential=fail)

        with pytest.raises(StoreError) as caught:
            store.read("a.json")

        assert str(caught.value) == (
            f"Object 'a.json' in {store.describe} cannot be read: no token could be had ({said}); "
            f"check the app's identity."
        )

    def test_missing_container(self, azurite: Azurite) -> None:
        """A container that is not there is an error in every method, never an absent object or an empty list."""
        store = open_store(f"{azurite.new_container()}-gone")
        calls: list[Callable[[], object]] = [
            lambda: store.read("a.json"),
            lambda: store.create("a.json", b""),
            lambda: store.replace("a.json", b"", '"1"'),
            lambda: store.write("a.json", b""),
            lambda: list(store.keys("")),
            lambda: store.folders("runs"),
            lambda: store.delete("a.json"),
            lambda: list(store.chunks("a.json")),
        ]
        for call in calls:
            with pytest.raises(StoreError, match=r"ContainerNotFound; create the container|is not there; check"):
                call()

        with pytest.raises(StoreError) as caught:
            store.read("a.json")
        assert str(caught.value) == (
            f"Object 'a.json' in {store.describe} cannot be read: Azure answered ContainerNotFound; "
            f"create the container, or mend STEWARD_STORE."
        )

    @pytest.mark.parametrize(
        ("key", "content_type"),
        [
            ("a.json", "application/json"),
            ("a.ndjson", "application/x-ndjson"),
            ("a.csv", "text/csv; charset=utf-8"),
            ("a.html", "text/html; charset=utf-8"),
            ("a", "application/octet-stream"),
        ],
    )
    def test_content_type(self, azurite: Azurite, key: str, content_type: str) -> None:
        """A browser or the portal shows an object as what it is, however it was written."""
        import obstore

        from shared_code.store_azure import AzureBlobStore

        store = open_store(azurite.new_container())
        assert isinstance(store, AzureBlobStore)

        store.replace(key, b"", store.create(key, b""))
        by_replace = obstore.get(store._azure, key).attributes
        with store.writer(key) as file:
            file.write(b"1")
        by_writer = obstore.get(store._azure, key).attributes

        assert by_replace["Content-Type"] == by_writer["Content-Type"] == content_type

    def test_environment(self, azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
        """Variables meant for other tools do not redirect the store."""
        for name in ("AZURE_STORAGE_ENDPOINT", "AZURE_STORAGE_ACCOUNT_NAME", "AZURE_CONTAINER_NAME"):
            monkeypatch.setenv(name, "https://elsewhere.example")
        for name in ("AZURE_STORAGE_USE_EMULATOR", "AZURE_SKIP_SIGNATURE", "AZURE_USE_FABRIC_ENDPOINT"):
            monkeypatch.setenv(name, "true")
        monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "?sig=x")
        monkeypatch.setenv("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000000")

        store = open_store(azurite.new_container())
        store.write("a.json", b"1")

        assert read(store, "a.json") == b"1"

    def test_other_404(self) -> None:
        """A 404 that is not Azure's own, as from a proxy, does not make an object absent."""
        with answering(404, b"not here") as url, pytest.raises(StoreError, match="it is not there; check the key"):
            open_store(url).read("a.json")

    def test_other_answers(self) -> None:
        """An answer that is not from Blob Storage is named by its status."""
        with answering(400, b"<html>") as url, pytest.raises(StoreError) as caught:
            open_store(url).write("a.json", b"")

        assert str(caught.value) == (
            f"Object 'a.json' in {url} cannot be written: the answer was HTTP 400 and not from Blob Storage; "
            f"check STEWARD_STORE and the network."
        )

    @pytest.mark.parametrize("status", [409, 412])
    def test_other_conflicts(self, status: int) -> None:
        """A lease or a policy in the way is neither an existing object nor a changed one."""
        body = b"<Error><Code>LeaseIdMissing</Code></Error>"
        with answering(status, body) as url:
            store = open_store(url)
            calls: list[Callable[[], str]] = [
                lambda: store.create("a", b""),
                lambda: store.replace("a", b"", '"1"'),
            ]
            for call in calls:
                with pytest.raises(StoreError, match="Azure answered LeaseIdMissing") as caught:
                    call()
                assert type(caught.value) is StoreError

    def test_nobody_listens(self) -> None:
        """An account that cannot be reached is an error after a few tries."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        store = open_store(f"http://127.0.0.1:{port}/devstoreaccount1/steward")
        started = time.monotonic()

        with pytest.raises(StoreError) as caught:
            store.read("a.json")

        assert time.monotonic() - started < 30
        assert str(caught.value) == (
            f"Object 'a.json' in {store.describe} cannot be read: no answer came; "
            f"check the account's name, the network and the certificate."
        )

    def test_no_answer(self) -> None:
        """A store that takes connections and does not answer fails within 30 seconds, whatever is asked."""
        with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
            store = open_store(f"http://127.0.0.1:{server.getsockname()[1]}/devstoreaccount1/steward")
            calls: list[Callable[[], object]] = [
                lambda: store.read("a.json"),
                lambda: store.write("a.json", b""),
                lambda: list(store.keys("")),
                lambda: store.delete("a.json"),
            ]

            def failure(call: Callable[[], object]) -> float:
                started = time.monotonic()
                with pytest.raises(StoreError, match="no answer came; check the account"):
                    call()
                return time.monotonic() - started

            with ThreadPoolExecutor(len(calls)) as pool:
                assert max(pool.map(failure, calls)) < 31


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Give the URL of a store whose every answer is this one."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = answer  # noqa: N815 - http.server looks for these names

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/devstoreaccount1/steward"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_opening_is_cheap() -> None:
    """Opening a store, Azure's too, imports no SDK and takes a moment."""
    code = (
        "import sys, time; start = time.process_time(); from shared_code.store import open_store;"
        "open_store('https://a.blob.core.windows.net/steward', azure_credential=print);"
        "assert not any(name.startswith('azure') for name in sys.modules);"
        "print(time.process_time() - start)"
    )
    took = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert float(took.stdout) < 0.5
