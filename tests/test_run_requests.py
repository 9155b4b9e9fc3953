"""Requests for runs: ticks, wishes, idempotency and cancellation."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace as with_changes

from shared_code.errors import InvalidRequest, KeyReused, Refused, StoreError, Unknown
from shared_code.run_records import RunRecords
from shared_code.run_requests import Wanted
from shared_code.runs import Mode, Run, RunScope, RunStatus, TriggeredBy
from shared_code.settings import configure
from shared_code.sightings import Sighting, first_seen
from shared_code.store import open_store
from tests.world import NOON, World

JOB = "list-resource-groups"
FIVE = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(open_store(tmp_path.as_uri()))


def by_hand(world: World, key: str | None = None, **wanted: object) -> str:
    return world.requests().by_hand(JOB, Wanted(**wanted), TriggeredBy.HTTP, idempotency_key=key).id  # type: ignore[arg-type]  # a table of wishes


def test_a_tick_makes_the_run_of_its_occurrence(world: World) -> None:
    """The id is derived from job and occurrence, and says both."""
    world.now = FIVE + timedelta(seconds=1)

    run_id = world.requests().tick(JOB, past_due=False)

    assert run_id is not None
    assert run_id.startswith("20261122T050000Z-list-resource-groups-")
    run = world.records().get(run_id).run
    assert (run.trigger, run.scheduled_for, run.past_due, run.mode) == (TriggeredBy.TIMER, FIVE, False, Mode.PLAN)


def test_a_tick_delivered_twice_makes_one_run(world: World) -> None:
    """While the run is queued its message is sent again, since the first may be lost; once begun, never."""
    world.now = FIVE
    first = world.requests().tick(JOB, past_due=False)
    assert first is not None
    world.now += timedelta(seconds=100)

    assert world.requests().tick(JOB, past_due=False) == first
    world.worker().perform(first)
    assert world.requests().tick(JOB, past_due=False) is None
    assert list(world.records().newest(JOB)) == [first]


def test_a_past_due_tick_is_for_the_latest_missed_occurrence(world: World) -> None:
    """However long ago it was, if the job had its schedule by then."""
    world.now = FIVE - timedelta(hours=1)
    first_seen(world.store, JOB, configure(world.toml, "steward.toml", {}).schedules[JOB], world.now)
    world.now = FIVE + timedelta(hours=7)

    run_id = world.requests().tick(JOB, past_due=True)

    assert run_id is not None
    run = world.records().get(run_id).run
    assert (run.scheduled_for, run.past_due) == (FIVE, True)


def test_nothing_runs_for_a_time_before_the_schedule_was_first_seen(world: World) -> None:
    """Enabling a schedule, or changing it, starts nothing."""
    world.now = FIVE + timedelta(hours=7)

    assert world.requests().tick(JOB, past_due=True) is None
    assert list(world.records().newest()) == []

    world.toml = world.toml.replace(b"0 0 5", b"0 0 6")
    assert world.requests().tick(JOB, past_due=True) is None

    world.now = FIVE + timedelta(hours=26)
    run_id = world.requests().tick(JOB, past_due=True)
    assert run_id is not None
    assert world.records().get(run_id).run.scheduled_for == FIVE + timedelta(hours=25)


class Recovering(RunRecords):
    """Records of a store that answers again after `outage` tries."""

    outage = 2

    def create(self, run: Run) -> bool:
        self.outage -= 1
        if self.outage >= 0:
            raise StoreError("the store does not answer")
        return super().create(run)


def test_a_tick_outlives_a_short_outage_of_the_store(world: World) -> None:
    """The host would call again at the next occurrence only."""
    world.now = FIVE
    requests = replace(world.requests(), records=Recovering(world.store))

    run_id = requests.tick(JOB, past_due=False)

    assert run_id is not None
    assert world.records().get(run_id).run.scheduled_for == FIVE
    assert world.now == FIVE + timedelta(seconds=20)


def test_a_slow_store_does_not_move_a_tick_to_the_next_occurrence(world: World) -> None:
    """The occurrence is the one the call came for, however long its record takes."""
    world.toml = world.toml.replace(b"0 0 5 * * *", b"0 * * * * *")
    world.now = FIVE
    slow = Recovering(world.store)
    slow.outage = 3

    run_id = replace(world.requests(), records=slow).tick(JOB, past_due=False)

    assert world.now == FIVE + timedelta(seconds=60)
    assert world.records().get(str(run_id)).run.scheduled_for == FIVE


def test_a_tick_whose_run_is_under_way_is_not_sent_again(world: World) -> None:
    """Once begun, never."""
    world.now = FIVE
    run_id = str(world.requests().tick(JOB, past_due=False))
    recorded = world.records().get(run_id)
    world.records().change(with_changes(recorded.run, status=RunStatus.RUNNING), recorded.etag)

    assert world.requests().tick(JOB, past_due=False) is None


def test_a_key_is_the_jobs_own(world: World) -> None:
    """The same key for another job is another wish."""
    watchdog = world.requests().by_hand("watchdog", Wanted(), TriggeredBy.HTTP, idempotency_key="key-1").id

    assert by_hand(world, "key-1") != watchdog


def test_a_subscription_id_is_one_printable_text(world: World) -> None:
    """It is named in logs and reports."""
    with pytest.raises(InvalidRequest, match=r"scope\.subscriptions has 'x forged', which is no subscription id"):
        by_hand(world, scope=RunScope(("x\nforged",)))


def test_a_call_by_hand_makes_a_run_of_its_own(world: World) -> None:
    """A timer function called in the portal or through the admin endpoint, far from any occurrence."""
    first, second = (world.requests().tick(JOB, past_due=False) for _ in range(2))

    assert first != second
    assert first is not None
    run = world.records().get(first).run
    assert (run.trigger, run.scheduled_for) == (TriggeredBy.ADMIN, None)


def test_a_wish_is_recorded_as_said(world: World) -> None:
    """Mode, scope, and who the caller says they are: not verified."""
    run = world.requests().by_hand(JOB, Wanted(scope=RunScope(("sub-1",))), TriggeredBy.CLI, requested_by="somebody")

    assert world.records().get(run.id).run == run
    assert run.id.startswith("20261122T120000Z-list-resource-groups-")
    assert (run.scope.subscriptions, run.requested, run.status) == (("sub-1",), NOON, RunStatus.QUEUED)
    assert (run.requested_by, run.requested_by_verified) == ("somebody", False)


def test_an_unknown_job_is_named_with_the_known_ones(world: World) -> None:
    """The caller sees what to write instead."""
    with pytest.raises(
        Unknown, match=r"^There is no job 'lst'; there are cleanup, list-resource-groups, tag-audit, watchdog\.$"
    ):
        world.requests().by_hand("lst", Wanted(), TriggeredBy.HTTP)


def test_a_job_that_changes_nothing_has_no_apply(world: World) -> None:
    """Apply is deliberate, and here it would mean nothing."""
    with pytest.raises(Refused, match="changes nothing in Azure, so there is nothing to apply; use mode 'plan'"):
        by_hand(world, mode=Mode.APPLY)


def test_an_empty_scope_is_not_everything(world: World) -> None:
    """A list of subscriptions that came out empty must not become all of them."""
    with pytest.raises(InvalidRequest, match=r"scope\.subscriptions is an empty list; leave it out to use all"):
        by_hand(world, scope=RunScope(()))


def test_a_broken_configuration_refuses_with_every_problem(world: World) -> None:
    """Nothing is recorded for it."""
    world.toml = b"[scope]\nsubscriptions = 1\nfoo = 2\n"

    with pytest.raises(Refused, match=r"cannot run until its configuration is mended: .*foo.*; .*scope\.subscriptions"):
        by_hand(world)
    assert list(world.records().newest()) == []


def test_the_same_key_and_wish_give_the_same_run(world: World) -> None:
    """A client that did not see the answer asks again."""
    assert by_hand(world, "key-1") == by_hand(world, "key-1") != by_hand(world, "key-2")
    assert len(list(world.records().newest())) == 2


def test_a_key_used_for_another_wish_is_refused(world: World) -> None:
    """Answering with the earlier run would hide a mistake."""
    by_hand(world, "key-1")

    with pytest.raises(KeyReused, match="Idempotency-Key 'key-1' was used for another body; use a new key"):
        by_hand(world, "key-1", scope=RunScope(("sub-1",)))


def test_a_key_is_forgotten_after_a_day(world: World) -> None:
    """For 24 hours it stands for its run, and then for a new one."""
    first = by_hand(world, "key-1")
    world.pass_time(hours=24)
    assert by_hand(world, "key-1") == first
    world.pass_time(seconds=1)

    assert by_hand(world, "key-1", scope=RunScope(("sub-1",))) != first


def test_many_at_once_with_one_key_make_one_run(world: World) -> None:
    """Whoever comes first decides; the others get the same id."""
    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(lambda _: by_hand(world, "key-1"), range(48)))

    assert len(ids) == 1
    assert list(world.records().newest()) == list(ids)


def test_a_process_killed_between_promise_and_record_leaves_nothing_lost(world: World) -> None:
    """The next request with the key makes the run that was promised."""
    first = by_hand(world, "key-1")
    world.store.delete(f"runs/{first}/run.json")

    assert by_hand(world, "key-1") == first
    assert world.records().get(first).run.status is RunStatus.QUEUED


@pytest.mark.parametrize("key", ["", "  ", "x" * 256, "a\nb"], ids=["empty", "blank", "long", "line break"])
def test_a_key_has_a_form(world: World, key: str) -> None:
    """What is kept must be printable and short."""
    with pytest.raises(InvalidRequest, match="Idempotency-Key must be 1 to 255 printable characters"):
        by_hand(world, key)


def test_an_ended_run_cannot_be_cancelled(world: World) -> None:
    """The answer says how it ended."""
    run = by_hand(world)
    world.worker().perform(run)

    with pytest.raises(Refused, match=rf"^Run '{run}' has ended \(succeeded\), so there is nothing to cancel\.$"):
        world.requests().cancel(run)


@pytest.mark.parametrize("name", ["", "nope", "../locks/x", "20261122T050000Z-x-0000000g", "a" * 300])
def test_a_name_that_is_no_run_id_is_unknown(world: World, name: str) -> None:
    """It never becomes part of a path."""
    with pytest.raises(Unknown, match=r"^There is no run '"):
        world.requests().cancel(name)


AUDIT = "tag-audit"
APPLYING = b"""
[jobs.tag-audit]
schedule = "0 0 5 * * *"
mode = "apply"
armed_subscriptions = ["5e000000-0000-4000-8000-000000000001"]
"""


class TestModeApply:
    """Whose run applies the plan it makes."""

    def test_the_timer_takes_the_mode_of_the_job(self, world: World) -> None:
        world.now = FIVE
        for toml, mode in ((APPLYING, Mode.APPLY), (APPLYING.replace(b'"apply"', b'"plan"'), Mode.PLAN)):
            world.toml = toml
            run = world.requests().tick(AUDIT, past_due=False)
            assert run
            record = world.records().get(run).run
            assert (record.trigger, record.mode, record.order) == (TriggeredBy.TIMER, mode, None)
            world.now += timedelta(days=1)

    def test_a_call_by_hand_makes_a_plan(self, world: World) -> None:
        """Whoever tries the function in the portal must not change anything by that."""
        world.now = FIVE.replace(hour=9)
        world.toml = APPLYING

        run = world.requests().tick(AUDIT, past_due=False)

        assert run
        assert world.records().get(run).run.trigger is TriggeredBy.ADMIN
        assert world.records().get(run).run.mode is Mode.PLAN

    @pytest.mark.parametrize("job", [JOB, "watchdog"])
    def test_jobs_that_change_nothing_have_no_mode(self, world: World, job: str) -> None:
        world.now = FIVE

        run = world.requests().tick(job, past_due=False)

        assert run
        assert world.records().get(run).run.mode is Mode.PLAN

    @pytest.mark.parametrize("trigger", [TriggeredBy.HTTP, TriggeredBy.CLI])
    def test_a_wish_is_a_plan_unless_it_says_otherwise(self, world: World, trigger: TriggeredBy) -> None:
        """Whatever the mode of the job is."""
        world.toml = APPLYING

        assert world.requests().by_hand(AUDIT, Wanted(), trigger).mode is Mode.PLAN

    def test_a_terminal_may_ask_for_it(self, world: World) -> None:
        """Where the timer may do it too."""
        world.toml = APPLYING

        assert world.requests().by_hand(AUDIT, Wanted(mode=Mode.APPLY), TriggeredBy.CLI).mode is Mode.APPLY

    @pytest.mark.parametrize(
        ("toml", "job", "trigger", "said"),
        [
            (APPLYING, AUDIT, TriggeredBy.HTTP, "Over HTTP runs make plans only; .* POST /api/plans/PLAN/apply"),
            (APPLYING, JOB, TriggeredBy.CLI, f"Job '{JOB}' changes nothing in Azure, so there is nothing to apply"),
            (APPLYING, "watchdog", TriggeredBy.HTTP, "Job 'watchdog' changes nothing in Azure"),
            (
                APPLYING.replace(b'"apply"', b'"plan"'),
                AUDIT,
                TriggeredBy.CLI,
                "jobs.tag-audit.mode is 'plan' in steward",
            ),
            (b"[jobs.tag-audit]\nmode = 'apply'", AUDIT, TriggeredBy.CLI, "Job 'tag-audit' has no armed subscription"),
        ],
        ids=["http", "listing", "watchdog", "mode", "not-armed"],
    )
    def test_where_it_is_refused(self, world: World, toml: bytes, job: str, trigger: TriggeredBy, said: str) -> None:
        world.toml = toml

        with pytest.raises(Refused, match=said):
            world.requests().by_hand(job, Wanted(mode=Mode.APPLY), trigger)
        assert list(world.records().newest()) == []

    def test_plan_and_apply_are_different_wishes(self, world: World) -> None:
        """Under one key."""
        world.toml = APPLYING
        requests = world.requests()
        requests.by_hand(AUDIT, Wanted(), TriggeredBy.CLI, idempotency_key="k")

        with pytest.raises(KeyReused):
            requests.by_hand(AUDIT, Wanted(mode=Mode.APPLY), TriggeredBy.CLI, idempotency_key="k")


class TestLocalTime:
    """A job whose schedule is meant by the clocks of Berlin: its timer, `0 0 4-5 * * *` in UTC, calls twice a day."""

    @pytest.fixture
    def berlin(self, world: World) -> World:
        world.toml = world.toml.replace(b'"0 0 5 * * *"', b'"0 0 6 * * *"\ntimezone = "Europe/Berlin"', 1)
        world.now = FIVE - timedelta(hours=8)
        assert world.requests().tick(JOB, past_due=True) is None
        return world

    def call(self, world: World, at: datetime, *, past_due: bool = False) -> str | None:
        world.now = at
        return world.requests().tick(JOB, past_due=past_due)

    def test_one_of_two_calls_makes_a_run(self, berlin: World, caplog: pytest.LogCaptureFixture) -> None:
        """It has both times; the other call leaves one line for whoever debugs, and nothing else."""
        caplog.set_level(logging.DEBUG, "shared_code.run_requests")

        assert self.call(berlin, FIVE - timedelta(hours=1)) is None
        line = f"job={JOB} the timer in UTC calls for no occurrence of the schedule in local time"
        assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("DEBUG", line)]
        run_id = self.call(berlin, FIVE)

        assert list(berlin.records().newest()) == [run_id]
        run = berlin.records().get(str(run_id)).run
        assert run.trigger is TriggeredBy.TIMER
        assert (run.scheduled_for, run.timezone) == (FIVE, "Europe/Berlin")
        assert run.scheduled_local is not None
        assert run.scheduled_local.isoformat() == "2026-11-22T06:00:00+01:00"

    def test_a_second_delivery_finds_the_run(self, berlin: World) -> None:
        """While it is queued its message is sent again; once begun, never."""
        first = self.call(berlin, FIVE)
        assert self.call(berlin, FIVE + timedelta(seconds=100)) == first

        berlin.worker().perform(str(first))
        assert self.call(berlin, FIVE + timedelta(seconds=110)) is None
        assert self.call(berlin, FIVE + timedelta(hours=3), past_due=True) is None
        assert list(berlin.records().newest(JOB)) == [first]

    def test_past_due_is_caught_up_once(self, berlin: World) -> None:
        """Also where the call that was missed was none of ours."""
        run_id = self.call(berlin, FIVE + timedelta(hours=3), past_due=True)
        assert run_id is not None
        assert berlin.records().get(run_id).run.past_due
        berlin.worker().perform(run_id)

        assert self.call(berlin, FIVE + timedelta(hours=23, minutes=30), past_due=True) is None
        assert list(berlin.records().newest(JOB)) == [run_id]

    def test_a_run_that_retention_has_removed_does_not_come_again(self, berlin: World) -> None:
        """A host that starts after months says past due, and the last occurrence has run."""
        run_id = self.call(berlin, FIVE)
        berlin.store.delete(f"runs/{run_id}/run.json")

        assert self.call(berlin, FIVE + timedelta(hours=20), past_due=True) is None
        assert list(berlin.records().newest(JOB)) == []

    def test_a_process_that_ended_before_it_remembered(self, berlin: World) -> None:
        """Its second call does, and is for the same run."""
        first = self.call(berlin, FIVE)
        remembered = berlin.store.read(f"schedules/{JOB}.json")
        assert remembered is not None
        known = msgspec.json.decode(remembered.data, type=Sighting)
        assert known.last == FIVE
        berlin.store.write(f"schedules/{JOB}.json", msgspec.json.encode(with_changes(known, last=None)))

        assert self.call(berlin, FIVE + timedelta(seconds=30)) == first
        again = berlin.store.read(f"schedules/{JOB}.json")
        assert again is not None
        assert msgspec.json.decode(again.data, type=Sighting) == known

    def test_rules_that_change_after_a_run_make_no_second_one(self, berlin: World) -> None:
        """By the earlier tzdata 06:00 was 04:00Z, and has run; by this one it is 05:00Z."""
        key = f"schedules/{JOB}.json"
        stored = berlin.store.read(key)
        assert stored is not None
        known = msgspec.json.decode(stored.data, type=Sighting)
        earlier = datetime(2026, 11, 22, 6, tzinfo=timezone(timedelta(hours=2)))
        berlin.store.write(key, msgspec.json.encode(with_changes(known, last=earlier)))

        assert self.call(berlin, FIVE) is None
        assert list(berlin.records().newest()) == []
        assert self.call(berlin, FIVE + timedelta(days=1)) is not None

    def test_another_zone_is_another_schedule(self, berlin: World) -> None:
        """What it would have run before it was seen is not made up for."""
        assert self.call(berlin, FIVE) is not None
        berlin.toml = berlin.toml.replace(b"Europe/Berlin", b"Europe/London")

        assert self.call(berlin, FIVE + timedelta(hours=8), past_due=True) is None
        assert self.call(berlin, FIVE + timedelta(hours=25)) is not None

    def test_by_hand_at_any_other_time(self, berlin: World) -> None:
        run_id = self.call(berlin, FIVE + timedelta(hours=2))

        run = berlin.records().get(str(run_id)).run
        assert (run.trigger, run.scheduled_for, run.scheduled_local) == (TriggeredBy.ADMIN, None, None)
