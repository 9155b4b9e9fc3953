from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devkit.local_host.queue import Message, MessageTooLarge, Queues

START = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)
HIDDEN = timedelta(minutes=10)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queues(tmp_path: Path, clock: Clock) -> Iterator[Queues]:
    queues = Queues(tmp_path / "queues.sqlite", clock)
    yield queues
    queues.close()


def take_one(queues: Queues, queue: str = "jobs") -> Message:
    (message,) = queues.take(queue, 1, HIDDEN)
    return message


def test_messages_come_in_order(queues: Queues) -> None:
    """Oldest first, each queue by itself, no more than asked for."""
    queues.put([("jobs", b"1"), ("other", b"x"), ("jobs", b"2"), ("jobs", b"3")])

    assert [message.body for message in queues.take("jobs", 2, HIDDEN)] == [b"1", b"2"]
    assert [message.body for message in queues.take("jobs", 2, HIDDEN)] == [b"3"]
    assert queues.take("jobs", 2, HIDDEN) == []
    assert queues.lengths() == {"jobs": 3, "other": 1}


def test_a_taken_message_tells_about_itself(queues: Queues) -> None:
    """Times, count and receipt are those of this taking; a message lives for seven days."""
    queues.put([("jobs", b"1")])

    message = take_one(queues)

    assert message.inserted == START
    assert message.expires == datetime(2026, 11, 29, 6, 0, 0, tzinfo=UTC)
    assert message.visible == datetime(2026, 11, 22, 6, 10, 0, tzinfo=UTC)
    assert message.dequeue_count == 1


def test_an_undeleted_message_comes_back(queues: Queues, clock: Clock) -> None:
    """It is hidden for a while, then it is taken again, counted, under a new receipt."""
    queues.put([("jobs", b"1")])
    first = take_one(queues)

    clock.pass_by(minutes=9.9)
    assert queues.take("jobs", 1, HIDDEN) == []
    assert queues.next_visible("jobs") == first.visible
    clock.pass_by(minutes=0.1)
    second = take_one(queues)

    assert (second.id, second.dequeue_count) == (first.id, 2)
    assert not queues.delete(first)
    assert not queues.release(first, timedelta())
    assert not queues.move(first, "jobs-poison")
    assert queues.delete(second)
    assert queues.lengths() == {}


def test_a_renewed_message_stays_hidden(queues: Queues, clock: Clock) -> None:
    """Whoever works for longer renews."""
    queues.put([("jobs", b"1")])
    message = take_one(queues)

    clock.pass_by(minutes=5)
    queues.renew(message, HIDDEN)
    clock.pass_by(minutes=9)

    assert queues.take("jobs", 1, HIDDEN) == []
    assert queues.delete(message)


def test_a_released_message_waits(queues: Queues, clock: Clock) -> None:
    """It becomes visible after the time given."""
    queues.put([("jobs", b"1")])

    assert queues.release(take_one(queues), timedelta(minutes=1))
    clock.pass_by(seconds=59)
    assert queues.take("jobs", 1, HIDDEN) == []
    clock.pass_by(seconds=1)

    assert take_one(queues).dequeue_count == 2


def test_a_moved_message_is_a_new_one(queues: Queues, clock: Clock) -> None:
    """Only the body goes along."""
    queues.put([("jobs", b"1")])
    message = take_one(queues)
    clock.pass_by(hours=1)

    assert queues.move(message, "jobs-poison")
    moved = take_one(queues, "jobs-poison")

    assert (moved.body, moved.dequeue_count, moved.inserted) == (b"1", 1, START + timedelta(hours=1))
    assert moved.id != message.id
    assert queues.lengths() == {"jobs-poison": 1}


def test_an_expired_message_is_gone(queues: Queues, clock: Clock) -> None:
    """After seven days nobody gets it."""
    queues.put([("jobs", b"1")])
    clock.pass_by(days=7)

    assert queues.take("jobs", 1, HIDDEN) == []
    assert queues.lengths() == {}


def test_what_was_in_flight_comes_back_at_once(queues: Queues, clock: Clock) -> None:
    """At the start nobody else can be working on it; the count stays, a released message keeps its wait."""
    queues.put([("jobs", b"1"), ("jobs", b"2")])
    taken = take_one(queues)
    queues.release(take_one(queues), timedelta(minutes=1))
    clock.pass_by(seconds=1)

    assert queues.recover() == 1
    message = take_one(queues)

    assert (message.id, message.dequeue_count) == (taken.id, 2)
    assert queues.take("jobs", 1, HIDDEN) == []


def test_messages_outlive_the_process(tmp_path: Path, clock: Clock) -> None:
    """They are in the file as soon as `put` returns, whether or not anybody closes it."""
    first = Queues(tmp_path / "queues.sqlite", clock)
    first.put([("jobs", b"1")])
    second = Queues(tmp_path / "queues.sqlite", clock)

    assert take_one(second).body == b"1"

    first.close()
    second.close()


def test_too_large_a_message_is_refused(queues: Queues) -> None:
    """48 KiB is what fits in base64; one too large means that none is put."""
    queues.put([("jobs", b"x" * 49_152)])

    with pytest.raises(MessageTooLarge, match="a message of 49153 bytes for queue 'jobs' exceeds the 64 KiB"):
        queues.put([("jobs", b"small"), ("jobs", b"x" * 49_153)])

    assert queues.lengths() == {"jobs": 1}


def test_listeners_are_told(queues: Queues) -> None:
    """Of messages of their queue: put, released or moved there."""
    told: list[str] = []
    queues.on_message("jobs", lambda: told.append("jobs"))
    queues.on_message("jobs-poison", lambda: told.append("poison"))

    queues.put([("jobs", b"1")])
    queues.put([("other", b"1")])
    queues.release(take_one(queues), timedelta())
    queues.move(take_one(queues), "jobs-poison")

    assert told == ["jobs", "jobs", "poison"]
