import time
from pathlib import Path

from tests.local_host.sample_host import SAMPLE, Sample, run_sample, wait_for_log, write_app


def send(sample: Sample, *bodies: str) -> None:
    assert sample.host.call("POST", "/api/jobs", list(bodies)).status == 202


def test_a_message_arrives_at_once(sample: Sample) -> None:
    """Nobody waits for a polling interval; the function sees what the queue knows of the message."""
    sent = time.time()
    send(sample, "first")

    (line,) = sample.journal.wait("work", body="first")
    assert line["at"] - sent < 1.0
    assert line["dequeue_count"] == 1
    assert len(line["id"]) == 36
    assert line["receipt"]
    assert line["inserted"] < line["next_visible"] < line["expires"]


def test_messages_are_worked_on_in_order_one_by_one(sample: Sample) -> None:
    """With batchSize 1 and newBatchThreshold 0 the next starts when the one before has ended."""
    send(sample, "sleep 0.05 a", "sleep 0.05 b")

    (ended,) = sample.journal.wait("worked", body="sleep 0.05 a")
    (started,) = sample.journal.wait("work", body="sleep 0.05 b")
    assert started["at"] >= ended["at"]


def test_a_batch_is_worked_on_at_once(tmp_path: Path) -> None:
    """BatchSize 2 and newBatchThreshold 1 make up to three; the fourth waits."""
    app = write_app(
        tmp_path / "app",
        (SAMPLE / "function_app.py").read_text(),
        '{"version": "2.0", "extensions": {"queues": {"batchSize": 2, "newBatchThreshold": 1}}}',
    )
    with run_sample(tmp_path, app=app) as sample:
        send(sample, *(f"sleep 0.{number}" for number in (9, 5, 6, 7)))
        started = [line["at"] for line in sample.journal.wait("work", 4)]
        ended = [line["at"] for line in sample.journal.wait("worked", 4)]

    # The third is taken when one of the first two has ended: then a single one runs, which is the threshold.
    assert started[1] < ended[0]
    assert sum(at < ended[0] for at in started) == 2
    assert max(started) < max(ended[:3])


def test_a_failing_message_ends_on_the_poison_queue(sample: Sample) -> None:
    """After maxDequeueCount deliveries its body goes there as a new message, and that queue's function is called."""
    send(sample, "fail for good")

    (buried,) = sample.journal.wait("bury", body="fail for good")
    assert [line["dequeue_count"] for line in sample.journal.lines("work") if line["body"] == "fail for good"] == [
        1,
        2,
        3,
    ]
    assert buried["dequeue_count"] == 1
    assert "was taken 3 times without success and is moved to 'jobs-poison'" in sample.host.log


def test_a_message_that_fails_on_the_poison_queue_stays_hidden(sample: Sample) -> None:
    """A poison queue has none of its own, and trying at once again and again would help nobody."""
    send(sample, "fail twice")

    wait_for_log(sample.host, "of queue 'jobs-poison' stays hidden until")
    time.sleep(0.3)
    assert len(sample.journal.wait("bury", body="fail twice")) == 1


def put_one(sample: Sample, kind: str) -> int:
    return sample.host.call("PUT", f"/api/jobs/one?kind={kind}").status


def test_outputs_become_messages(sample: Sample) -> None:
    """One for a text, one for each element of an array, whether it is set as text or as list."""
    for kind in ("text", "array", "list"):
        assert put_one(sample, kind) == 202

    for body in ("plain text", "first", "second", "one", "two"):
        assert sample.journal.wait("work", body=body)


def test_a_queue_message_goes_out_wrapped(sample: Sample) -> None:
    """QueueMessage as an output is JSON with id and body, not the body alone; the host makes no more of it."""
    assert put_one(sample, "wrapped") == 202

    assert sample.journal.wait("work", body='{\n  "id": "7",\n  "body": "inside"\n}')


def test_outputs_that_cannot_be_written_fail_the_invocation(sample: Sample) -> None:
    """The caller is not told of success."""
    assert put_one(sample, "not-json") == 500
    assert put_one(sample, "too-large") == 500
    assert "its outputs cannot be written: the output looks like JSON and is not" in sample.host.log
    assert "its outputs cannot be written: a message of 50000 bytes" in sample.host.log


def test_a_function_that_raises_has_no_outputs(sample: Sample) -> None:
    """What it had set is dropped."""
    assert put_one(sample, "failing") == 500
    send(sample, "after the failure")
    sample.journal.wait("work", body="after the failure")

    assert not [line for line in sample.journal.lines("work") if line["body"] == "never sent"]


def test_a_message_survives_a_kill(tmp_path: Path) -> None:
    """One that was being worked on comes back at once, counted; one that waited is simply there."""
    with run_sample(tmp_path) as sample:
        send(sample, "sleep 30", "waits")
        sample.journal.wait("work", body="sleep 30")
        sample.host.kill()

    with run_sample(tmp_path) as sample:
        wait_for_log(sample.host, "Messages in flight when the last host ended, visible again now: 1")
        assert [line["dequeue_count"] for line in sample.journal.wait("work", 2, body="sleep 30")] == [1, 2]
        sample.host.kill()

    with run_sample(tmp_path) as sample:
        sample.journal.wait("work", 3, body="sleep 30")
        sample.host.kill()

    # The fourth delivery is one too many: nobody lived to say that it fails.
    with run_sample(tmp_path) as sample:
        assert sample.journal.wait("bury", body="sleep 30")
        assert [line["dequeue_count"] for line in sample.journal.wait("work", body="waits")] == [1]
        assert len(sample.journal.lines("work")) == 4
