"""The durable queue: what Azure Queue Storage does for the app, in one SQLite file.

Rules of the service: https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api. A message that is
taken is hidden for a while and comes back unless it is deleted with the receipt of that taking.
"""

import base64
import secrets
import sqlite3
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

LARGEST_MESSAGE = 64 * 1024
"""Bytes on the wire; the host sends base64 unless host.json says otherwise, which leaves 48 KiB."""
LIFETIME = timedelta(days=7)

_TABLES = """
create table if not exists messages (
    sequence integer primary key autoincrement,
    id text not null,
    queue text not null,
    body blob not null,
    inserted integer not null,
    expires integer not null,
    visible integer not null,
    dequeue_count integer not null default 0,
    receipt text,
    in_flight integer not null default 0
);
create index if not exists by_visibility on messages (queue, visible, sequence);
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MessageTooLarge(ValueError):
    """The queue service would refuse this message."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was taken."""

    id: str
    queue: str
    body: bytes
    inserted: datetime
    expires: datetime
    visible: datetime
    """When it comes back unless it is deleted or renewed."""
    dequeue_count: int
    receipt: str


class Queues:
    """All queues of one state folder; used from one thread, and by one process alone."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._listeners: list[tuple[str, Callable[[], object]]] = []
        self._database = sqlite3.connect(path, autocommit=True)
        # WAL with `normal` loses nothing when the process is killed; it could when the machine loses power.
        self._database.executescript("pragma journal_mode = wal; pragma synchronous = normal;" + _TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def on_message(self, queue: str, call: Callable[[], object]) -> None:
        """Have `call` called whenever a message of `queue` was put or released."""
        self._listeners.append((queue, call))

    def recover(self) -> int:
        """Make visible at once what a process that is gone had in flight; its dequeue count stays.

        Returns:
            How many messages that were.
        """
        return self._database.execute(
            "update messages set visible = ?, in_flight = 0, receipt = null where in_flight", [_ticks(self._clock())]
        ).rowcount

    def put(self, messages: Iterable[tuple[str, bytes]]) -> int:
        """Add (queue, body) pairs, all or none.

        Returns:
            How many were added.

        Raises:
            MessageTooLarge: one of them is too large for the service.
        """
        pairs = list(messages)
        for queue, body in pairs:
            if len(base64.b64encode(body)) > LARGEST_MESSAGE:
                raise MessageTooLarge(
                    f"a message of {len(body)} bytes for queue '{queue}' exceeds the {LARGEST_MESSAGE // 1024} KiB "
                    f"that it may have in base64"
                )
        now = self._clock()
        rows = [(str(uuid.uuid4()), q, body, _ticks(now), _ticks(now + LIFETIME), _ticks(now)) for q, body in pairs]
        with self._transaction():
            self._database.executemany(
                "insert into messages (id, queue, body, inserted, expires, visible) values (?, ?, ?, ?, ?, ?)", rows
            )
        self._wake({queue for queue, _ in pairs})
        return len(pairs)

    def take(self, queue: str, count: int, hidden_for: timedelta) -> list[Message]:
        """Take up to `count` visible messages, oldest first, and hide them."""
        now = self._clock()
        with self._transaction():
            self._database.execute("delete from messages where queue = ? and expires <= ?", [queue, _ticks(now)])
            rows = self._database.execute(
                "select sequence from messages where queue = ? and visible <= ? order by visible, sequence limit ?",
                [queue, _ticks(now), count],
            ).fetchall()
            return [self._hide(sequence, now + hidden_for) for (sequence,) in rows]

    def renew(self, message: Message, hidden_for: timedelta) -> None:
        """Keep a message in flight hidden for longer."""
        self._database.execute(
            "update messages set visible = ? where id = ? and receipt = ?",
            [_ticks(self._clock() + hidden_for), message.id, message.receipt],
        )

    def delete(self, message: Message) -> bool:
        """Remove a message; False if it came back meanwhile and is another's now."""
        return (
            self._database.execute(
                "delete from messages where id = ? and receipt = ?", [message.id, message.receipt]
            ).rowcount
            > 0
        )

    def release(self, message: Message, after: timedelta) -> bool:
        """Make a message visible again `after` a while; False if it came back meanwhile."""
        released = self._database.execute(
            "update messages set visible = ?, in_flight = 0, receipt = null where id = ? and receipt = ?",
            [_ticks(self._clock() + after), message.id, message.receipt],
        ).rowcount
        self._wake({message.queue})
        return released > 0

    def move(self, message: Message, queue: str) -> bool:
        """Put the body on another queue as a new message and remove this one; False if it came back meanwhile."""
        now = self._clock()
        with self._transaction():
            if not self.delete(message):
                return False
            self._database.execute(
                "insert into messages (id, queue, body, inserted, expires, visible) values (?, ?, ?, ?, ?, ?)",
                [str(uuid.uuid4()), queue, message.body, _ticks(now), _ticks(now + LIFETIME), _ticks(now)],
            )
        self._wake({queue})
        return True

    def next_visible(self, queue: str) -> datetime | None:
        """Give when the next message of a queue is or becomes visible, or None if it is empty."""
        row = self._database.execute("select min(visible) from messages where queue = ?", [queue]).fetchone()
        return None if row[0] is None else _moment(row[0])

    def lengths(self) -> dict[str, int]:
        """Give the number of messages in each queue that has any, hidden ones included."""
        return dict(self._database.execute("select queue, count(*) from messages group by queue order by queue"))

    def _hide(self, sequence: int, until: datetime) -> Message:
        row = self._database.execute(
            "update messages set visible = ?, dequeue_count = dequeue_count + 1, receipt = ?, in_flight = 1 "
            "where sequence = ? returning id, queue, body, inserted, expires, dequeue_count, receipt",
            [_ticks(until), secrets.token_urlsafe(12), sequence],
        ).fetchone()
        return Message(
            id=row[0],
            queue=row[1],
            body=row[2],
            inserted=_moment(row[3]),
            expires=_moment(row[4]),
            visible=until,
            dequeue_count=row[5],
            receipt=row[6],
        )

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._database)

    def _wake(self, queues: set[str]) -> None:
        for queue, call in self._listeners:
            if queue in queues:
                call()


class _Transaction:
    """begin immediate … commit, or rollback; the connection itself is in autocommit."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.execute("begin immediate")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._database.execute("commit" if kind is None else "rollback")


def _ticks(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(ticks: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ticks)
