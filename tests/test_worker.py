"""The worker: a run is performed once, whoever delivers its message and however often."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as with_changes

from shared_code.errors import AzureError, Fenced, Refused, Stopped, StoreError, Unknown
from shared_code.jobs import JOBS
from shared_code.model import Reading, Subscription
from shared_code.run_requests import Wanted
from shared_code.runs import APPLY_PLAN, UNDO_RUN, Mode, Order, Progress, Run, RunStatus, TriggeredBy, run_id
from shared_code.store import open_store
from shared_code.sweeper import sweep
from shared_code.work import Cancelled, Job, OutOfTime, Summary, Work
from tests.stores import DeadAfter, Killed, Lossy
from tests.world import NOON, FewGroups, World, subscription_id

JOB = "list-resource-groups"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(open_store(tmp_path.as_uri()))


def ask(world: World, job: str = JOB, trigger: TriggeredBy = TriggeredBy.HTTP) -> str:
    return world.requests().by_hand(job, Wanted(), trigger).id


def status(world: World, run: str) -> RunStatus:
    return world.records().get(run).run.status


def test_a_run_is_performed_and_recorded(world: World) -> None:
    """Record, lock, job, outputs, record, lock free, and no mark left."""
    run = ask(world)

    assert world.worker().perform(run, "invocation-1") == ()

    ended = world.records().get(run).run
    assert ended.status is RunStatus.SUCCEEDED
    assert (ended.attempt, ended.invocation_id, ended.started, ended.ended) == (1, "invocation-1", NOON, NOON)
    assert ended.counts == {
        "subscriptions_read": 3,
        "subscriptions_not_read": 0,
        "subscriptions_skipped": 0,
        "resource_groups": 3,
        "resources": 6,
        "locks": 0,
    }
    assert [group.resources for group in world.groups_of(run)] == [2, 2, 2]
    assert world.locks().read(JOB).run is None
    assert world.records().open() == []


def test_a_second_delivery_of_an_ended_run_does_nothing(world: World) -> None:
    """Queues deliver at least once."""
    run = ask(world)
    world.worker().perform(run)
    before = world.records().get(run)

    assert world.worker().perform(run) == ()
    assert world.records().get(run) == before


def test_a_message_without_a_record_is_dropped_with_an_error(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Records come first, so such a message is not from us, or its run was removed."""
    assert world.worker().perform(run_id(JOB, NOON, occurrence=True)) == ()
    assert "a message names a run without a record" in caplog.text


def test_a_run_waits_while_another_of_its_job_is_under_way(world: World) -> None:
    """It stays queued, and whoever releases the lock gets its id."""
    first, second = ask(world), ask(world)

    def job(_: Work) -> Summary:
        assert world.worker("process-2").perform(second) == ()
        assert status(world, second) is RunStatus.QUEUED
        return Summary(status=RunStatus.SUCCEEDED)

    assert world.worker(jobs={JOB: job}).perform(first) == (second,)
    world.worker().perform(second)
    assert status(world, second) is RunStatus.SUCCEEDED


def test_a_run_whose_process_died_is_resumed_and_not_read_again(world: World) -> None:
    """Finished subscriptions are kept; the attempt is counted."""
    run = ask(world)

    def die(_: object) -> None:
        if len(world.estate.read) == 1:
            raise Killed

    world.estate = replace(world.estate, before_read=die)
    frozen = DeadAfter(world.store, 10**9)
    with pytest.raises(Killed):
        world.worker("process-1", store=frozen).perform(run)
    # A killed process releases nothing; put its lock back as it would have left it.
    world.locks("process-1").acquire(JOB, run, "token-of-the-dead")
    world.dead.add("process-1")
    world.estate.before_read = lambda _: None

    world.worker("process-2").perform(run)

    ended = world.records().get(run).run
    assert (ended.status, ended.attempt) == (RunStatus.SUCCEEDED, 2)
    assert sorted(world.estate.read) == [subscription_id(number) for number in range(3)]
    assert len(world.groups_of(run)) == 3


def test_a_second_delivery_while_the_first_attempt_lives_steps_back(world: World) -> None:
    """A lock that is being renewed has a living owner; nothing is done twice."""
    run = ask(world)
    owner = world.locks("process-1")
    owner.acquire(JOB, run, "token-1")

    def sleep(seconds: float) -> None:
        world.pass_time(seconds=seconds)
        owner.renew(JOB, "token-1")

    assert world.worker("process-2", sleep=sleep).perform(run) == ()
    assert status(world, run) is RunStatus.QUEUED
    assert world.estate.read == []


def test_a_second_delivery_takes_over_when_the_first_attempt_is_gone(world: World) -> None:
    """A lock nobody renews is taken over after its expiry and the wait; the same message does the work."""
    run = ask(world)
    world.locks("process-1").acquire(JOB, run, "token-1")

    world.worker("process-2").perform(run)

    assert status(world, run) is RunStatus.SUCCEEDED
    assert 150 <= (world.now - NOON).total_seconds() <= 152


def test_a_run_taken_over_is_not_written_by_its_first_process(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The process that wakes up late finds another version of the record and stops."""
    run = ask(world)

    def slow(_: Work) -> Summary:
        world.pass_time(seconds=200)
        world.worker("process-2").perform(run)
        return Summary(status=RunStatus.FAILED, error="written by the first process")

    assert world.worker("process-1", jobs={JOB: slow}).perform(run) == ()

    assert status(world, run) is RunStatus.SUCCEEDED
    assert "stopped without writing" in caplog.text


def test_an_unreadable_subscription_makes_the_run_partial(world: World) -> None:
    """It is named with its reason, and never looks empty."""
    world.estate = FewGroups(unreadable=frozenset({1}))
    run = ask(world)

    world.worker().perform(run)

    ended = world.records().get(run).run
    assert ended.status is RunStatus.PARTIAL
    assert ended.error == (
        f"Not read completely: sub-1 ({subscription_id(1)}): "
        "cannot read resource groups: Azure answered 403 AuthorizationFailed"
    )
    verdict = ended.subscriptions[1]
    assert (verdict.reading, verdict.resource_groups, verdict.resources) == (Reading.INCOMPLETE, None, None)


def test_a_run_in_which_nothing_could_be_read_has_failed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A failed run fails: in the record, and as one ERROR line with the run's id."""
    world.estate = FewGroups(unreadable=frozenset({0, 1, 2}))
    run = ask(world)

    world.worker().perform(run)

    assert status(world, run) is RunStatus.FAILED
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert errors[0].startswith(f"run={run} job={JOB} failed: ")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (AzureError("cannot read the list of subscriptions: …"), "cannot read the list of subscriptions: …"),
        (KeyError("surprise"), "Unexpected KeyError; the log has the details under this run's id."),
    ],
    ids=["an error of ours", "an unexpected one"],
)
def test_an_error_of_the_job_is_the_runs_error(world: World, error: Exception, text: str) -> None:
    """An operator reads one sentence; foreign details stay in the log."""

    def job(_: Work) -> Summary:
        raise error

    run = ask(world)
    assert world.worker(jobs={JOB: job}).perform(run) == ()

    ended = world.records().get(run).run
    assert (ended.status, ended.error) == (RunStatus.FAILED, text)
    assert world.locks().read(JOB).run is None


@pytest.mark.parametrize(
    "error", [Refused("the plan has expired"), Stopped("changes are stopped")], ids=["refused", "stopped"]
)
def test_what_a_job_may_not_do_is_refused_and_no_failure(
    world: World, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing went wrong, and somebody has to decide something: the record and one line of the log say what."""

    def job(_: Work) -> Summary:
        raise error

    run = ask(world)
    assert world.worker(jobs={JOB: job}).perform(run) == ()

    ended = world.records().get(run).run
    assert (ended.status, ended.error, ended.ended) == (RunStatus.REFUSED, str(error), NOON)
    assert world.locks().read(JOB).run is None
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == [f"run={run} job={JOB} refused. {error}"]


@pytest.mark.parametrize(
    ("about", "task"),
    [
        ({}, JOB),
        ({"order": Order(plan="p", digest="d"), "mode": Mode.APPLY}, APPLY_PLAN),
        ({"undoes": "r"}, UNDO_RUN),
    ],
    ids=["job", "apply", "undo"],
)
def test_a_run_is_performed_by_its_task_under_the_lock_of_its_job(
    world: World, about: dict[str, object], task: str
) -> None:
    """What a run does about its job's plans, it does while no other run of that job is under way."""
    done: list[str] = []

    def performs(name: str) -> Job:
        def job(work: Work) -> Summary:
            done.append(name)
            assert world.locks().read(JOB).run == work.run.id
            return Summary(status=RunStatus.SUCCEEDED)

        return job

    wanted = with_changes(world.requests().new(JOB, TriggeredBy.HTTP), **about)
    run = world.requests().record(wanted, None).id
    world.worker(jobs={name: performs(name) for name in (JOB, APPLY_PLAN, UNDO_RUN)}).perform(run)

    assert done == [task]
    assert world.records().get(run).run.task == task


def test_a_failing_store_gives_the_message_back(world: World) -> None:
    """The run is not failed for it: the queue delivers the message again, and the lock is free."""

    def job(_: Work) -> Summary:
        raise StoreError("the store does not answer")

    run = ask(world)
    with pytest.raises(StoreError):
        world.worker(jobs={JOB: job}).perform(run)

    assert status(world, run) is RunStatus.RUNNING
    assert world.locks().read(JOB).run is None
    world.worker().perform(run)
    assert status(world, run) is RunStatus.SUCCEEDED


def test_a_run_out_of_time_continues_in_a_new_message(world: World) -> None:
    """It goes on with the parts that are missing, behind those who waited."""

    def late(_: Work) -> Summary:
        raise OutOfTime

    run = ask(world)
    assert world.worker(jobs={JOB: late}).perform(run) == (run,)
    assert status(world, run) is RunStatus.QUEUED
    world.worker().perform(run)
    assert world.records().get(run).run.attempt == 2


def test_the_time_limit_is_seen_at_a_checkpoint(world: World) -> None:
    """Below the limit a checkpoint is silent, above it the job unwinds."""

    def job(work: Work) -> Summary:
        work.checkpoint()
        return Summary(status=RunStatus.SUCCEEDED)

    assert world.worker(jobs={JOB: job}, time_limit=60).perform(ask(world)) == ()
    run = ask(world)
    assert world.worker(jobs={JOB: job}, time_limit=-1).perform(run) == (run,)


def test_a_queued_run_is_cancelled_at_once(world: World) -> None:
    """Its message finds it ended."""
    run = ask(world)
    assert world.requests().cancel(run).status is RunStatus.CANCELLED

    world.worker().perform(run)

    assert status(world, run) is RunStatus.CANCELLED
    assert world.estate.read == []


def test_a_running_run_is_cancelled_at_its_next_checkpoint(world: World) -> None:
    """The record says so, and nothing after the checkpoint happens."""

    def job(work: Work) -> Summary:
        world.requests().cancel(work.run.id)
        while True:
            work.checkpoint()

    run = ask(world)
    world.worker(jobs={JOB: job}).perform(run)

    ended = world.records().get(run).run
    assert (ended.status, ended.error) == (RunStatus.CANCELLED, "Cancelled while it ran.")


def test_a_cancellation_outlives_the_process_it_was_meant_for(world: World) -> None:
    """A run that died with a cancellation pending is not resumed."""
    run = ask(world)

    def job(_: Work) -> Summary:
        raise Cancelled

    recorded = world.records().get(run)
    world.records().change(_running(recorded.run), recorded.etag)
    world.requests().cancel(run)
    world.worker().perform(run)

    assert status(world, run) is RunStatus.CANCELLED
    assert world.estate.read == []


def test_ctrl_c_cancels_the_run_and_ends_the_process(world: World) -> None:
    """The record does not stay `running`."""

    def job(_: Work) -> Summary:
        raise KeyboardInterrupt

    run = ask(world)
    with pytest.raises(KeyboardInterrupt):
        world.worker(jobs={JOB: job}).perform(run)

    assert status(world, run) is RunStatus.CANCELLED
    assert world.locks().read(JOB).run is None


def test_a_broken_configuration_refuses_the_run(world: World) -> None:
    """A scope that cannot be understood reads nothing; the record says what to mend."""
    run = ask(world)
    world.toml = b'[scope]\nsubscriptions = "all"\n'

    world.worker().perform(run)

    ended = world.records().get(run).run
    assert ended.status is RunStatus.REFUSED
    assert ended.error is not None
    assert ended.error.startswith("steward.toml: scope.subscriptions: expected a list")
    assert world.estate.read == []


def test_progress_is_recorded_while_the_job_works(world: World) -> None:
    """Whoever looks at the record sees how far the run is."""
    seen: list[Progress | None] = []

    def job(work: Work) -> Summary:
        work.progress(Progress(1, 3))
        while not seen:
            recorded = world.records().get(work.run.id).run
            if recorded.progress:
                seen.append(recorded.progress)
        return Summary(status=RunStatus.SUCCEEDED)

    told: list[Progress] = []
    world.worker(jobs={JOB: job}).perform(ask(world), watch=told.append)

    assert seen == told == [Progress(1, 3)]


def test_a_poison_message_fails_its_run(world: World) -> None:
    """The reason is in the record, and those who waited get their message."""
    run, waiting = ask(world), ask(world)
    world.locks("process-1").acquire(JOB, run, "token-1")
    world.locks("process-1").acquire(JOB, waiting, "token-2")
    world.dead.add("process-1")

    assert world.worker("process-2").give_up(run, "delivered too often") == (waiting,)

    ended = world.records().get(run).run
    assert (ended.status, ended.error) == (RunStatus.FAILED, "delivered too often")


@pytest.mark.parametrize("situation", ["ended", "under way", "unknown"])
def test_a_poison_message_harms_no_other_run(world: World, situation: str) -> None:
    """A run that ended well, or is under way, is left alone."""
    run = ask(world)
    if situation == "ended":
        world.worker().perform(run)
    elif situation == "under way":
        world.locks("process-1").acquire(JOB, run, "token-1")
    else:
        run = run_id(JOB, NOON, occurrence=True)

    assert world.worker("process-2").give_up(run, "delivered too often") == ()
    if situation == "unknown":
        with pytest.raises(Unknown):
            world.records().get(run)
    else:
        assert status(world, run) is not RunStatus.FAILED


def test_the_sweeper_finds_what_nobody_works_on(world: World) -> None:
    """Queued for over ten minutes, or running without a living owner; nothing else."""
    lost = ask(world)
    world.pass_time(minutes=11)
    fresh = ask(world)
    dead = ask(world, "watchdog")
    recorded = world.records().get(dead)
    world.records().change(_running(recorded.run), recorded.etag)

    assert sorted(sweep(world.records(), world.locks(), world.clock)) == sorted([lost, dead])
    assert fresh not in sweep(world.records(), world.locks(), world.clock)


def test_the_sweeper_leaves_a_living_run_and_those_who_wait_for_it(world: World) -> None:
    """They are in good hands, however long it takes."""
    owner, waiting = ask(world), ask(world)
    world.locks().acquire(JOB, owner, "token-1")
    world.locks().acquire(JOB, waiting, "token-2")
    recorded = world.records().get(owner)
    world.records().change(_running(recorded.run), recorded.etag)
    world.pass_time(minutes=11)
    world.locks().renew(JOB, "token-1")

    assert sweep(world.records(), world.locks(), world.clock) == []
    assert status(world, waiting) is RunStatus.QUEUED


@pytest.mark.parametrize("begun", [True, False], ids=["running", "queued"])
def test_a_run_left_behind_by_a_terminal_has_failed(world: World, *, begun: bool) -> None:
    """Nobody waits for it there, and the app does not go on with it under another identity."""
    run = ask(world, trigger=TriggeredBy.CLI)
    if begun:
        recorded = world.records().get(run)
        world.records().change(_running(recorded.run), recorded.etag)
    world.pass_time(minutes=11)

    assert sweep(world.records(), world.locks(), world.clock) == []

    ended = world.records().get(run).run
    assert (ended.status, ended.ended) == (RunStatus.FAILED, world.now)
    assert ended.error == "The process that ran it ended before it did; start it again."
    assert world.records().open() == []


def test_the_watchdog_requeues_what_the_sweeper_found(world: World) -> None:
    """The worker's answer carries their ids to the queue."""
    lost = ask(world)
    world.pass_time(minutes=11)
    watchdog = ask(world, "watchdog")

    assert world.worker().perform(watchdog) == (lost,)
    assert world.records().get(watchdog).run.counts["runs_requeued"] == 1


@pytest.mark.parametrize("lose", ["run.json", "locks/", "requests/"])
def test_an_answer_that_gets_lost_costs_nothing(world: World, lose: str) -> None:
    """Whoever finds another version looks whether it is their own."""
    world.store = Lossy(world.store, lose)
    run = world.requests().by_hand(JOB, Wanted(), TriggeredBy.HTTP, idempotency_key="key-1").id

    assert world.worker().perform(run) == ()
    assert status(world, run) is RunStatus.SUCCEEDED
    assert world.locks().read(JOB).run is None

    queued = ask(world)
    assert world.requests().cancel(queued).status is RunStatus.CANCELLED


def test_a_run_that_stopped_itself_goes_on(world: World) -> None:
    """A process that could not keep its lock stops; if nobody took over, its run gets a message again."""

    def job(_: Work) -> Summary:
        raise Fenced("the lock could not be renewed in time")

    run = ask(world)

    assert world.worker(jobs={JOB: job}).perform(run) == (run,)
    world.worker().perform(run)
    assert status(world, run) is RunStatus.SUCCEEDED


def test_those_who_wait_get_their_turn_though_a_message_is_lost(world: World) -> None:
    """A store that failed in between, a terminal that sends no messages: the next release names them again."""
    first, second, third = (ask(world) for _ in range(3))
    world.locks("a terminal").acquire(JOB, "20261122T000000Z-list-resource-groups-0000000a", "token")
    for run in (first, second, third):
        assert world.worker().perform(run) == ()
    world.locks("a terminal").release(JOB, "token")  # and nobody sends the message

    fourth = ask(world)
    messages = list(world.worker().perform(fourth))
    while messages:
        messages += world.worker().perform(messages.pop())

    assert {status(world, run) for run in (first, second, third, fourth)} == {RunStatus.SUCCEEDED}


def test_a_damaged_record_is_left_out_of_the_sweep(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is said, and the other lost runs are found."""
    damaged, lost = ask(world), ask(world)
    world.store.write(f"runs/{damaged}/run.json", b"")
    world.pass_time(minutes=11)

    assert sweep(world.records(), world.locks(), world.clock) == [lost]
    assert f"run={damaged} cannot be swept: The record of run" in caplog.text
    assert world.worker().give_up(damaged, "delivered too often") == ()


def test_a_mark_without_a_record_is_forgotten_after_a_day(world: World) -> None:
    """Its request never came to be."""
    run = run_id(JOB, world.now, occurrence=False)
    world.store.write(f"open/{run}", b"")
    world.pass_time(hours=23)
    sweep(world.records(), world.locks(), world.clock)
    assert world.records().open() == [run]

    world.pass_time(hours=1, seconds=1)
    sweep(world.records(), world.locks(), world.clock)
    assert world.records().open() == []


def test_a_process_that_was_paused_while_another_took_over_writes_no_end(world: World) -> None:
    """Its beat was paused with it, so it looks at the lock itself before its last write."""

    def job(_: Work) -> Summary:
        world.dead.add("process-1")
        world.locks("process-2").acquire(JOB, run, "token-of-another")
        return Summary(status=RunStatus.SUCCEEDED)

    run = ask(world)

    assert world.worker("process-1", jobs={JOB: job}).perform(run) == ()
    assert status(world, run) is RunStatus.RUNNING


def test_a_run_resumed_keeps_its_first_start(world: World) -> None:
    """And a cancellation of it does not say that it never started."""

    def late(_: Work) -> Summary:
        raise OutOfTime

    run = ask(world)
    world.worker(jobs={JOB: late}).perform(run)
    started = world.records().get(run).run.started
    world.pass_time(minutes=5)
    assert world.requests().cancel(run).error == "Cancelled before it went on."
    assert world.records().get(run).run.started == started == NOON


def test_foreign_text_makes_no_log_line_of_its_own(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A subscription may be called anything."""

    class Hostile(FewGroups):
        def subscriptions(self) -> list[Subscription]:
            return [Subscription(subscription_id(0), "x\nCRITICAL forged \x1b]0;pwn", "Enabled")]

    world.estate = Hostile(unreadable=frozenset({0}))
    run = ask(world)
    world.worker().perform(run)

    assert "x CRITICAL forged  ]0;pwn" in caplog.text
    assert "\x1b" not in caplog.text
    assert "\nCRITICAL" not in caplog.text


def test_what_could_not_be_read_has_no_total(world: World) -> None:
    """A 0 would look as if there were nothing."""
    world.estate = FewGroups(unreadable=frozenset({0, 1, 2}))
    run = ask(world)

    world.worker().perform(run)

    counts = world.records().get(run).run.counts
    assert counts == {"subscriptions_read": 0, "subscriptions_not_read": 3, "subscriptions_skipped": 0}


@pytest.mark.parametrize("stop_at", [1, 2, 3, 4], ids=["first", "groups", "resources", "more resources"])
def test_a_run_stops_within_a_subscription_and_leaves_no_part_of_it(world: World, stop_at: int) -> None:
    """A subscription of many pages must not hold up a cancellation, nor be written by whoever may not write."""
    world.estate = FewGroups(count=1)
    asked = 0

    def checkpoint() -> None:
        nonlocal asked
        asked += 1
        if asked > stop_at:
            raise Cancelled

    def job(work: Work) -> Summary:
        return JOBS[JOB](replace(work, checkpoint=checkpoint))

    run = ask(world)
    world.worker(jobs={JOB: job}).perform(run)

    assert status(world, run) is RunStatus.CANCELLED
    assert list(world.store.keys(f"runs/{run}/parts")) == []


def test_an_ended_run_does_not_free_the_lock_of_a_living_process(world: World) -> None:
    """A process that has just ended its run releases the lock itself."""
    run = ask(world)
    world.worker().perform(run)
    world.locks("process-1").acquire(JOB, run, "token-1")

    assert world.worker("process-2").perform(run) == ()
    assert world.locks().read(JOB).token == "token-1"


def test_a_run_that_ended_while_its_lock_was_waited_for_is_left_alone(world: World) -> None:
    """The record is read again under the lock."""
    run = ask(world)
    world.locks("process-1").acquire(JOB, run, "token-1")

    def sleep(seconds: float) -> None:
        world.pass_time(seconds=seconds)
        if status(world, run) is RunStatus.QUEUED:
            world.requests().cancel(run)

    assert world.worker("process-2", sleep=sleep).perform(run) == ()
    assert status(world, run) is RunStatus.CANCELLED
    assert world.estate.read == []
    assert world.locks().read(JOB).run is None


def test_a_poison_message_of_a_run_with_a_damaged_lock_fails_it(world: World) -> None:
    """The lock may well be the reason; an ended run keeps its end."""
    run, ended = ask(world), ask(world)
    world.worker().perform(ended)
    world.store.write(f"locks/{JOB}.json", b"}{")

    assert world.worker().give_up(run, "Delivered too often.") == ()
    assert world.worker().give_up(ended, "Delivered too often.") == ()

    error = world.records().get(run).run.error
    assert error is not None
    assert error.startswith("Delivered too often. The lock of job 'list-resource-groups' cannot be read: ")
    assert status(world, ended) is RunStatus.SUCCEEDED


def test_a_running_run_whose_lock_another_run_has_is_lost(world: World) -> None:
    """It died, and the next one took its lock over."""
    dead, next_one = ask(world), ask(world)
    recorded = world.records().get(dead)
    world.records().change(_running(recorded.run), recorded.etag)
    world.locks().acquire(JOB, next_one, "token-2")

    assert sweep(world.records(), world.locks(), world.clock) == [dead]


def test_the_last_progress_is_in_the_record(world: World) -> None:
    """Also where no beat came between it and the end."""

    def job(work: Work) -> Summary:
        work.progress(Progress(3, 3))
        return Summary(status=RunStatus.SUCCEEDED)

    run = ask(world)
    world.worker(jobs={JOB: job}).perform(run)

    assert world.records().get(run).run.progress == Progress(3, 3)


def test_a_queued_run_that_lost_its_message_is_found_while_its_job_is_busy(world: World) -> None:
    """Whoever holds the lock knows nothing of it, as it never came to wait."""
    lost, busy = ask(world), ask(world)
    world.pass_time(minutes=11)
    world.locks().acquire(JOB, busy, "token-1")

    assert lost in sweep(world.records(), world.locks(), world.clock)


@pytest.mark.parametrize("ghost", ["unknown", "damaged"])
def test_a_run_that_cannot_be_performed_keeps_nobody_waiting(world: World, ghost: str) -> None:
    """Its record was removed, or is damaged: those behind it have their turn."""
    first, behind = run_id(JOB, NOON, occurrence=True), ask(world)
    if ghost == "damaged":
        world.store.write(f"runs/{first}/run.json", b"{]")
    world.locks("other").acquire(JOB, "20261122T000000Z-list-resource-groups-0000000a", "token")
    for run in (first, behind):
        world.locks().acquire(JOB, run, f"token-{run}")
    world.locks("other").release(JOB, "token")

    worker = world.worker()
    following = worker.give_up(first, "Delivered too often.") if ghost == "damaged" else worker.perform(first)

    assert following == (min(behind, *world.locks().read(JOB).waiting),)
    assert first not in world.locks().read(JOB).waiting


def test_the_app_does_not_go_on_with_a_run_of_a_terminal(world: World) -> None:
    """It would do so as somebody else, under its own identity."""
    run = ask(world, trigger=TriggeredBy.CLI)

    world.worker().perform(run, invocation_id="invocation-1")

    ended = world.records().get(run).run
    assert (ended.status, ended.error) == (
        RunStatus.FAILED, "The process that ran it ended before it did; start it again.",
    )  # fmt: skip
    assert world.estate.read == []


def test_lost_runs_get_their_message_though_the_watchdog_fails(world: World) -> None:
    """What it found first is not lost by what went wrong later."""
    lost = ask(world)
    world.pass_time(minutes=11)
    world.store.write("ledger/watchdog.ndjson", b"{]")
    watchdog = ask(world, "watchdog")

    assert world.worker().perform(watchdog) == (lost,)
    assert status(world, watchdog) is RunStatus.FAILED


@settings(max_examples=80, deadline=None)
@given(kills=st.lists(st.tuples(st.integers(1, 45), st.booleans()), min_size=1, max_size=4))
def test_runs_killed_anywhere_and_started_again_complete_once(
    tmp_path_factory: pytest.TempPathFactory, kills: list[tuple[int, bool]]
) -> None:
    """Whatever call of the store a process dies at, before or after it took effect: each run ends once and whole.

    The queue gives the message of a killed process to the next one, and in the end the sweeper looks for what is lost.
    """
    world = World(open_store(tmp_path_factory.mktemp("store").as_uri()))
    first, second = ask(world), ask(world)

    world.to_its_end([first, second], kills)

    for run in (first, second):
        ended = world.records().get(run).run
        assert (ended.status, ended.counts["subscriptions_read"]) == (RunStatus.SUCCEEDED, 3)
        assert [group.subscription_id for group in world.groups_of(run)] == [subscription_id(n) for n in range(3)]
    assert len(world.estate.read) <= 6 + 3 * len(world.dead)


def _running(run: Run) -> Run:
    assert run.mode is Mode.PLAN
    return with_changes(run, status=RunStatus.RUNNING, attempt=1)
