"""One worker's attempt at a run: a living lock, a living record, and a stop where either is lost."""

import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from shared_code.attempts import WRITE_ROOM, Attempt
from shared_code.errors import Fenced, StoreError
from shared_code.locks import EXPIRY, TAKEOVER_AFTER, Locks
from shared_code.run_records import Recorded, RunRecords
from shared_code.run_requests import Wanted
from shared_code.runs import Progress, RunStatus, TriggeredBy
from shared_code.store import open_store
from shared_code.work import Cancelled, OutOfTime
from tests.world import World

JOB = "list-resource-groups"
TOKEN = "token-1"


class Deaf(RunRecords):
    """Records of a store that does not answer."""

    def is_cancelled(self, run_id: str) -> bool:
        raise StoreError(f"the store does not answer for {run_id}")


class Broken(RunRecords):
    """Records with a fault in the program."""

    def is_cancelled(self, run_id: str) -> bool:
        raise KeyError(run_id)


class Counting(Attempt):
    """An attempt that only counts its beats."""

    beats = 0

    def beat(self) -> None:
        self.beats += 1


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(open_store(tmp_path.as_uri()))


def begin(world: World, records: RunRecords | None = None) -> Attempt:
    """Begin an attempt that beats only when it is told to."""
    return Attempt(*_begun(world, records))


def _begun(world: World, records: RunRecords | None = None) -> tuple[Recorded, str, RunRecords, Locks, None]:
    run = world.requests().by_hand(JOB, Wanted(), TriggeredBy.HTTP)
    recorded = world.records().get(run.id)
    recorded = world.records().change(replace(run, status=RunStatus.RUNNING, attempt=1), recorded.etag)
    world.locks().acquire(JOB, run.id, TOKEN)
    return recorded, TOKEN, records or world.records(), world.locks(), None


def test_a_quiet_beat_writes_nothing(world: World) -> None:
    """No progress, no renewal due: the record stays the version it was."""
    attempt = begin(world)
    before = world.records().get(attempt.run.id)

    attempt.beat()

    attempt.checkpoint()
    assert world.records().get(attempt.run.id) == before


def test_progress_is_written_once(world: World) -> None:
    """And the attempt knows the new version."""
    attempt = begin(world)
    attempt.progress(Progress(1, 3))

    attempt.beat()
    etag = attempt.recorded.etag
    attempt.beat()

    assert world.records().get(attempt.run.id).run.progress == Progress(1, 3)
    assert attempt.recorded.etag == etag


def test_the_lock_is_renewed_when_it_is_time(world: World) -> None:
    """Well before it expires."""
    attempt = begin(world)
    world.pass_time(seconds=20)
    attempt._renewed = time.monotonic() - 20

    attempt.beat()

    assert world.locks().read(JOB).expires == world.now + EXPIRY


def test_a_lock_that_is_young_is_left_alone(world: World) -> None:
    """However long the machine has been up: at its beats, and wherever the job asks whether it may go on."""
    attempt = Attempt(*_begun(world), clock=lambda: 5000.0)
    before = world.locks().read(JOB)
    world.pass_time(seconds=5)

    attempt.beat()
    attempt.checkpoint()

    assert world.locks().read(JOB) == before


def test_the_time_that_a_job_has_begins_with_its_attempt(world: World) -> None:
    passed = [5000.0]
    recorded, token, records, locks, _ = _begun(world)
    attempt = Attempt(recorded, token, records, locks, 60.0, clock=lambda: passed[0])
    attempt.checkpoint()

    passed[0] += 60
    attempt.checkpoint()
    passed[0] += 0.5
    with pytest.raises(OutOfTime):
        attempt.checkpoint()


def test_a_lost_lock_stops_the_job(world: World) -> None:
    """Somebody took it over; this process must write nothing more."""
    attempt = begin(world)
    world.dead.add("process-1")
    world.locks("process-2").acquire(JOB, attempt.run.id, "token-2")

    attempt.renew()

    with pytest.raises(Fenced, match=rf"^run {attempt.run.id} lost its lock to another process$"):
        attempt.checkpoint()


def test_another_version_of_the_record_stops_the_job(world: World) -> None:
    """Only one process writes a running run."""
    attempt = begin(world)
    recorded = world.records().get(attempt.run.id)
    world.records().change(replace(recorded.run, attempt=2), recorded.etag)
    attempt.progress(Progress(1, 3))

    attempt.beat()

    with pytest.raises(Fenced, match="was taken over by another process"):
        attempt.checkpoint()


def test_a_silent_store_is_borne_until_the_lock_may_be_lost(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A short outage costs nothing; beyond the expiry somebody else may be at work."""
    attempt = begin(world, records=Deaf(world.store))

    attempt.beat()
    attempt.checkpoint()
    attempt._renewed = time.monotonic() - EXPIRY.total_seconds() - 1
    attempt._locks = _DeafLocks(world)
    attempt.beat()

    with pytest.raises(Fenced, match="could not renew its lock in time: the store does not answer"):
        attempt.checkpoint()
    assert "the store does not answer" in caplog.text


class _DeafLocks(Locks):
    def __init__(self, world: World) -> None:
        super().__init__(world.store, world.clock, "process-1", lambda _: False)

    def renew(self, job: str, token: str) -> bool:
        raise StoreError(f"the store does not answer for {job} {token}")


def test_a_beat_that_fails_unexpectedly_stops_the_job(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Dying in silence would let two attempts run at once."""
    attempt = begin(world, records=Broken(world.store))

    attempt.beat()

    with pytest.raises(Fenced, match="could not keep its lock"):
        attempt.checkpoint()
    assert "the beat failed" in caplog.text


def test_a_cancellation_is_seen_at_the_next_beat(world: World) -> None:
    """And it stays."""
    attempt = begin(world)
    world.requests().cancel(attempt.run.id)

    attempt.beat()
    attempt.beat()

    with pytest.raises(Cancelled):
        attempt.checkpoint()


def test_a_renewal_counts_from_when_it_was_asked_for(world: World) -> None:
    """A slow answer must not make the lock look fresher than it is."""
    attempt = begin(world)

    class Slow(Locks):
        def renew(self, job: str, token: str) -> bool:
            time.sleep(0.05)
            return super().renew(job, token)

    attempt._locks = Slow(world.store, world.clock, "process-1", lambda _: False)
    before = time.monotonic()
    attempt.renew()

    assert before <= attempt._renewed < before + 0.05


def test_a_process_that_was_paused_looks_at_its_lock_before_it_goes_on(world: World) -> None:
    """Its beat was paused too, and told it nothing."""
    attempt = begin(world)
    world.dead.add("process-1")
    world.locks("process-2").acquire(JOB, attempt.run.id, "token-2")
    attempt._renewed = time.monotonic() - EXPIRY.total_seconds() - 1

    with pytest.raises(Fenced, match="lost its lock to another process"):
        attempt.checkpoint()


def test_it_beats_until_the_end(world: World) -> None:
    """More than once, and never after."""
    attempt = Counting(*_begun(world))
    with attempt:
        while attempt.beats < 2:
            time.sleep(0.01)
    count = attempt.beats
    time.sleep(1.1)

    assert attempt.beats == count


class TestMayWrite:
    """A write to Azure must be over before anybody can take the run over."""

    def test_a_fresh_lock_is_enough_and_is_not_renewed(self, world: World) -> None:
        attempt = begin(world)
        before = world.locks().read(JOB)
        world.pass_time(seconds=20)

        attempt.may_write()

        assert world.locks().read(JOB) == before

    def test_with_less_than_a_minute_left_the_lock_is_renewed_first(self, world: World) -> None:
        attempt = begin(world)
        world.pass_time(seconds=31)
        attempt._renewed = time.monotonic() - (EXPIRY.total_seconds() - WRITE_ROOM + 1)

        attempt.may_write()

        assert world.locks().read(JOB).expires == world.now + EXPIRY

    def test_a_lock_that_is_lost_forbids_it(self, world: World) -> None:
        attempt = begin(world)
        world.dead.add("process-1")
        world.locks("process-2").acquire(JOB, attempt.run.id, "token-2")
        attempt._renewed = time.monotonic() - (EXPIRY.total_seconds() - WRITE_ROOM + 1)

        for _ in range(2):
            with pytest.raises(Fenced, match="lost its lock to another process"):
                attempt.may_write()

    def test_a_renewal_that_took_too_long_forbids_it(self, world: World) -> None:
        attempt = begin(world)
        attempt._renewed = time.monotonic() - EXPIRY.total_seconds()

        class Stuck(Attempt):
            def renew(self) -> None:
                pass

        stuck = Stuck(attempt.recorded, TOKEN, world.records(), world.locks(), None)
        stuck._renewed = attempt._renewed
        with pytest.raises(Fenced, match="has too little of its lock left to write to Azure"):
            stuck.may_write()


def test_a_process_that_stood_still_finds_out_before_it_writes(world: World) -> None:
    """Another has taken its run over meanwhile; the time in which it was stopped counts too."""
    now = [1000.0]
    attempt = Attempt(*_begun(world), lambda: now[0])
    attempt.may_write()

    now[0] += EXPIRY.total_seconds() + TAKEOVER_AFTER.total_seconds() + 1
    world.pass_time(seconds=now[0] - 1000)
    assert world.locks("process-2").acquire(JOB, attempt.run.id, "token-2").token == "token-2"

    with pytest.raises(Fenced, match="lost its lock to another process"):
        attempt.may_write()
    with pytest.raises(Fenced):
        attempt.checkpoint()
