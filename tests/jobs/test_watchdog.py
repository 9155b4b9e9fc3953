"""The watchdog: hears of what did not run, says it once, and tidies up."""

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest

from shared_code.history import History, HistoryEntry
from shared_code.invocations import RULE as FAILED
from shared_code.invocations import Calls, Testimony
from shared_code.ledger import Entry, Ledgers
from shared_code.model import Finding
from shared_code.outcomes import Mark
from shared_code.retention import remove_old
from shared_code.run_records import RunRecords
from shared_code.run_requests import Wanted
from shared_code.runs import Mode, Order, Run, RunStatus, TriggeredBy, stamp_of
from shared_code.sightings import Sighting
from shared_code.store import open_store
from shared_code.work import Cancelled
from tests.fakes import ToldRequests
from tests.stores import DeadAfter, Killed
from tests.world import World

JOB = "list-resource-groups"
FIVE = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
"""When the job of the world's steward.toml is due."""
UNREAD = "the request log was not read: no workspace is configured"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world whose watchdog has seen the schedule the evening before."""
    world = World(open_store(tmp_path.as_uri()), now=FIVE - timedelta(hours=8))
    watch(world)
    return world


def watch(world: World) -> Run:
    """Let the watchdog run now, and give its record."""
    run = world.requests().by_hand("watchdog", Wanted(), TriggeredBy.HTTP)
    world.worker().perform(run.id)
    return world.records().get(run.id).run


def findings(world: World, run: Run) -> list[Finding]:
    lines = world.store.lines(f"runs/{run.id}/findings.ndjson")
    return [msgspec.json.decode(line, type=Finding) for line in lines]


def remembered(world: World) -> list[Entry]:
    return list(Ledgers(world.store).entries("watchdog"))


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def run_at(world: World, moment: datetime) -> str:
    """Let the job's timer call at that moment, and the run end."""
    world.now = moment
    run_id = world.requests().tick(JOB, past_due=False)
    assert run_id is not None
    world.worker().perform(run_id)
    return run_id


@pytest.mark.parametrize(
    ("late", "found"),
    [(59, False), (60, True), (61, True), (60 * 23, True)],
    ids=["a minute before", "on the minute", "a minute after", "hours later"],
)
def test_a_run_that_did_not_happen_is_found(world: World, late: int, *, found: bool) -> None:
    """`expect_within` after the occurrence, 60 minutes if steward.toml says nothing else."""
    world.now = FIVE + timedelta(minutes=late)

    run = watch(world)

    assert run.status is RunStatus.SUCCEEDED
    assert run.counts["missed_runs"] == int(found)
    due = "list-resource-groups was due at 2026-11-22T05:00:00Z and has not ended within 1 h 0 min"
    assert [each.detail for each in findings(world, run)] == [f"{due}: there is no run for it; {UNREAD}"] * found


def test_a_missed_run_is_said_once_and_its_end_too(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """One ERROR line when it is new, none while it lasts, one line when the job runs again."""
    for minutes in (61, 91, 121):
        world.now = FIVE + timedelta(minutes=minutes)
        watch(world)
    assert len(errors(caplog)) == 1
    assert "job=watchdog rule=missed-run list-resource-groups was due at 2026-11-22T05:00:00Z" in errors(caplog)[0]
    entry = remembered(world)[0]
    assert (entry.first_seen, entry.times_seen) == (FIVE + timedelta(minutes=61), 3)

    by_hand = world.requests().by_hand(JOB, Wanted(), TriggeredBy.HTTP)
    world.worker().perform(by_hand.id)
    assert watch(world).counts["missed_runs"] == 0

    assert "rule=missed-run jobs/list-resource-groups runs again" in caplog.text
    assert remembered(world) == []
    assert len(errors(caplog)) == 1


def test_a_run_in_time_is_no_finding(world: World) -> None:
    """Nor is one that failed: it happened, and has an ERROR line of its own."""
    run_at(world, FIVE)
    world.now = FIVE + timedelta(hours=5)
    assert watch(world).counts["missed_runs"] == 0

    world.estate.unreadable = frozenset({0, 1, 2})
    failed = run_at(world, FIVE + timedelta(days=1))
    world.now = FIVE + timedelta(days=1, hours=5)
    assert world.records().get(failed).run.status is RunStatus.FAILED
    assert watch(world).counts["missed_runs"] == 0


def test_a_run_that_does_not_end_is_found(world: World) -> None:
    """The finding says which run, and how far it is."""
    world.now = FIVE
    run_id = world.requests().tick(JOB, past_due=False)
    world.locks("another process").acquire(JOB, str(run_id), "token")
    world.now = FIVE + timedelta(minutes=61)
    world.locks("another process").renew(JOB, "token")

    run = watch(world)

    assert findings(world, run)[0].detail.endswith(f": run {run_id} is still queued; {UNREAD}")


def test_a_refused_run_has_not_happened(world: World) -> None:
    """The finding says why."""
    good, world.now = world.toml, FIVE
    run_id = str(world.requests().tick(JOB, past_due=False))
    world.toml = b"[scope]\nsubscriptions = 1\n"
    world.worker().perform(run_id)
    world.toml = good
    world.now = FIVE + timedelta(minutes=61)

    found = findings(world, watch(world))

    assert len(found) == 1
    assert f": run {run_id} was refused: steward.toml: scope.subscriptions" in found[0].detail


def test_a_run_that_was_only_forbidden_to_change_anything_has_looked(world: World) -> None:
    """It left what it saw and planned, and its own record says why nothing was applied."""
    world.now = FIVE
    run = world.requests().new(JOB, TriggeredBy.TIMER)
    world.requests().record(run, None)
    refused = msgspec.structs.replace(run, status=RunStatus.REFUSED, ended=FIVE, outputs=("findings.ndjson",))
    world.records().change(refused, world.records().get(run.id).etag)
    world.now = FIVE + timedelta(minutes=61)

    assert findings(world, watch(world)) == []


@pytest.mark.parametrize(
    "about",
    [{"order": Order(plan="p", digest="d"), "mode": Mode.APPLY}, {"undoes": "r"}],
    ids=["apply", "undo"],
)
def test_a_run_about_plans_is_no_run_of_its_job(world: World, about: dict[str, object]) -> None:
    """Whoever applies a plan, or undoes one, after the timer did not call has not looked at the estate."""
    world.now = FIVE + timedelta(minutes=10)
    run = msgspec.structs.replace(world.requests().new(JOB, TriggeredBy.HTTP), **about)
    world.requests().record(run, None)
    recorded = world.records().get(run.id)
    ended = msgspec.structs.replace(run, status=RunStatus.SUCCEEDED, started=world.now, ended=world.now)
    world.records().change(ended, recorded.etag)
    world.now = FIVE + timedelta(hours=3)

    assert [each.detail for each in findings(world, watch(world))] == [
        f"{JOB} was due at 2026-11-22T05:00:00Z and has not ended within 1 h 0 min: there is no run for it; {UNREAD}"
    ]


def test_nothing_is_missed_before_a_schedule_was_first_seen(tmp_path: Path) -> None:
    """A new app, or a changed schedule, owes nothing for the past."""
    world = World(open_store(tmp_path.as_uri()), now=FIVE + timedelta(hours=3))
    assert watch(world).counts["missed_runs"] == 0

    world.now = FIVE + timedelta(days=1, hours=3)
    world.toml = world.toml.replace(b"0 0 5", b"0 0 4")
    assert watch(world).counts["missed_runs"] == 0

    world.now = FIVE + timedelta(days=2, hours=3)
    assert watch(world).counts["missed_runs"] == 1


def test_expect_within_is_the_jobs_own(world: World) -> None:
    """A long job may say so."""
    world.toml = world.toml.replace(b"[jobs.watchdog]", b'expect_within = "3h"\n[jobs.watchdog]')
    world.now = FIVE + timedelta(hours=2, minutes=59)
    assert watch(world).counts["missed_runs"] == 0

    world.now = FIVE + timedelta(hours=3)
    assert watch(world).counts["missed_runs"] == 1


def test_a_job_that_may_not_run_is_a_problem_and_no_finding(world: World) -> None:
    """Health says it; the watchdog itself goes on."""
    world.toml = world.toml.replace(b"[jobs.watchdog]", b"shedule = 1\n[jobs.watchdog]")
    world.now = FIVE + timedelta(hours=2)

    assert watch(world).counts["missed_runs"] == 0


def test_the_monitor_outside_is_called_at_each_success(world: World) -> None:
    """And not when the watchdog fails."""
    before = world.heartbeats
    watch(world)
    assert world.heartbeats == before + 1

    world.store.write("ledger/watchdog.ndjson", b"{]")
    assert watch(world).status is not RunStatus.SUCCEEDED
    assert world.heartbeats == before + 1


def test_what_is_too_old_is_removed(world: World) -> None:
    """Ended runs older than `retention_days`, whole; newer ones and those that have not ended stay."""
    old = run_at(world, FIVE)
    still_open = world.requests().by_hand(JOB, Wanted(), TriggeredBy.HTTP, idempotency_key="key-1").id
    newer = run_at(world, FIVE + timedelta(days=1))
    world.now = FIVE + timedelta(days=90, hours=1)

    run = watch(world)

    left = set(world.store.folders("runs"))
    assert old not in left
    assert {still_open, newer, run.id} <= left
    assert run.counts["runs_removed"] >= 1
    assert list(world.store.keys(f"runs/{old}")) == []
    assert list(world.store.keys("requests")) == []


def test_retention_is_the_operators_choice(world: World) -> None:
    """In days, from 1."""
    old = run_at(world, FIVE)
    world.toml = world.toml + b"retention_days = 2\n"
    world.now = FIVE + timedelta(days=2, minutes=1)

    watch(world)

    assert old not in world.store.folders("runs")


def test_a_damaged_record_does_not_stop_the_watchdog(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and counts as no run."""
    run_id = run_at(world, FIVE)
    world.store.write(f"runs/{run_id}/run.json", b"{]")
    world.now = FIVE + timedelta(hours=2)

    assert watch(world).counts["missed_runs"] == 1
    assert f"The record of run '{run_id}' cannot be read" in caplog.text


def test_a_yearly_job_is_not_missed_when_its_record_is_removed(tmp_path: Path) -> None:
    """After `retention_days` nothing is known of its run, and nothing is claimed."""
    world = World(open_store(tmp_path.as_uri()), now=FIVE - timedelta(days=1))
    world.toml = world.toml.replace(b"0 0 5 * * *", b"0 0 5 22 11 *")
    watch(world)
    run_id = run_at(world, FIVE)
    for days in (1, 89, 90, 91, 300):
        world.now = FIVE + timedelta(days=days, hours=2)
        assert watch(world).counts["missed_runs"] == 0
    assert run_id not in world.store.folders("runs")

    world.now = FIVE + timedelta(days=365, hours=2)
    assert watch(world).counts["missed_runs"] == 1


def test_a_terminal_only_looks(world: World) -> None:
    """Its steward.toml may be another one, and nobody watches its log: ledger, sightings and old runs stay."""
    old = run_at(world, FIVE)
    world.now = FIVE + timedelta(days=91)
    watch(world)
    ledger_before = remembered(world)
    sighting = world.store.read(f"schedules/{JOB}.json")
    beats, kept = world.heartbeats, run_at(world, FIVE + timedelta(days=92))
    assert old != kept
    world.now = FIVE + timedelta(days=300)
    world.toml = world.toml.replace(b"0 0 5 * * *", b"0 0 6 * * *")

    run = world.requests().by_hand("watchdog", Wanted(), TriggeredBy.CLI)
    assert world.worker().perform(run.id) == ()

    assert remembered(world) == ledger_before
    assert world.store.read(f"schedules/{JOB}.json") == sighting
    assert kept in world.store.folders("runs")
    assert world.heartbeats == beats


def test_a_run_that_ended_lately_is_kept_however_old_its_occurrence(world: World) -> None:
    """A past-due run carries the stamp of the occurrence that was missed."""
    world.toml = world.toml + b"retention_days = 2\n"
    world.now = FIVE + timedelta(days=3, hours=1)
    run_id = str(world.requests().tick(JOB, past_due=True))
    world.worker().perform(run_id)
    stamp = f"{FIVE:%Y%m%d}"
    late = run_id.replace(run_id[:8], stamp)
    stored = world.store.read(f"runs/{run_id}/run.json")
    assert stored is not None
    world.store.write(f"runs/{late}/run.json", stored.data.replace(run_id.encode(), late.encode()))

    watch(world)

    assert late in world.store.folders("runs")


def test_one_damaged_sighting_does_not_stop_the_watchdog(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is said, and the rest is watched."""
    world.store.write(f"schedules/{JOB}.json", b"{]")

    assert watch(world).status is RunStatus.SUCCEEDED
    assert f"job={JOB} cannot be watched: The sighting of job '{JOB}' cannot be read" in caplog.text


@pytest.mark.parametrize("calls", range(1, 12))
def test_a_removal_that_is_cut_short_leaves_the_record_to_the_last(world: World, calls: int) -> None:
    """As long as anything is left of a run, its record says what that was."""
    old = run_at(world, FIVE)
    now = FIVE + timedelta(days=91)
    store = DeadAfter(world.store, calls, after=True)
    with suppress(Killed):
        remove_old(store, RunRecords(store), 90, now, lambda: None)

    left = list(world.store.keys(f"runs/{old}"))
    assert not left or f"runs/{old}/run.json" in left


def test_a_removal_stops_where_it_is_told_to(world: World) -> None:
    """A cancelled watchdog removes nothing more."""
    old = run_at(world, FIVE)

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        remove_old(world.store, world.records(), 1, FIVE + timedelta(days=9), stop)
    assert old in world.store.folders("runs")


def applied(world: World, plan: str, begun: datetime) -> None:
    """Leave a plan, and the mark of an item of it that was begun then."""
    world.store.write(f"plans/{plan}.json", b"{}")
    mark = Mark(run=plan, begun=begun, before={})
    world.store.write(f"applied/{plan}/000000.json", msgspec.json.encode(mark))


def test_a_plan_that_may_be_applied_or_undone_stays(world: World) -> None:
    """However short the retention: it may be applied for three days, and what was changed of late may be undone."""
    now = FIVE + timedelta(days=100)
    fresh = f"{stamp_of(now - timedelta(days=2))}-tag-audit-0000000a"
    lately = f"{stamp_of(now - timedelta(days=4))}-tag-audit-0000000b"
    old = f"{stamp_of(now - timedelta(days=5))}-tag-audit-0000000c"
    world.store.write(f"plans/{fresh}.json", b"{}")
    applied(world, lately, now - timedelta(hours=30))
    applied(world, old, now - timedelta(days=4))
    damaged = f"{stamp_of(FIVE)}-tag-audit-0000000d"
    world.store.write(f"plans/{damaged}.json", b"{}")
    world.store.write(f"applied/{damaged}/000000.json", b"{")

    remove_old(world.store, world.records(), 1, now, lambda: None)

    assert sorted(world.store.keys("plans")) == sorted(f"plans/{plan}.json" for plan in (fresh, lately, damaged))


def test_tombstones_are_kept_for_a_year(world: World) -> None:
    """Longer than the runs that left them."""
    now = FIVE + timedelta(days=400)
    old, new = (
        f"tombstones/{stamp_of(now - timedelta(days=days))}-cleanup-0000000a/000000.json" for days in (366, 364)
    )
    for key in (old, new):
        world.store.write(key, b"{}")

    remove_old(world.store, world.records(), 1, now, lambda: None)

    assert list(world.store.keys("tombstones")) == [new]


def test_old_plans_and_history_go_with_their_runs(world: World) -> None:
    """What was noted while a plan was applied goes too; a new plan and the history of new runs stay."""
    now = FIVE + timedelta(days=100)
    old, new = f"{stamp_of(FIVE)}-tag-audit-0000000a", f"{stamp_of(now)}-tag-audit-0000000b"
    for plan, begun in ((old, FIVE), (new, now)):
        applied(world, plan, begun)
    history = History(world.store, "tag-audit")
    for plan, taken in ((old, FIVE), (new, now)):
        history.append(HistoryEntry(run=plan, taken=taken, status=RunStatus.SUCCEEDED, percent=50.0))

    remove_old(world.store, world.records(), 90, now, lambda: None)

    assert list(world.store.keys("plans")) == [f"plans/{new}.json"]
    assert list(world.store.keys("applied")) == [f"applied/{new}/000000.json"]
    assert [each.run for each in history.last(9)] == [new]


class TestLocalTime:
    """What is expected of a schedule in local time are its own occurrences, not the calls of its timer in UTC."""

    @pytest.fixture
    def berlin(self, world: World) -> World:
        world.toml = world.toml.replace(b'"0 0 5 * * *"', b'"0 0 6 * * *"\ntimezone = "Europe/Berlin"', 1)
        watch(world)
        return world

    def test_a_call_for_nothing_is_not_missed(self, berlin: World) -> None:
        """Nothing runs at 04:00Z in winter, and nothing has to."""
        berlin.now = FIVE - timedelta(minutes=1) + timedelta(hours=1)
        assert watch(berlin).counts["missed_runs"] == 0

        berlin.now = FIVE + timedelta(hours=1)
        (found,) = findings(berlin, watch(berlin))
        assert found.evidence["due"] == "2026-11-22T05:00:00Z"

    def test_a_run_in_time(self, berlin: World) -> None:
        run_at(berlin, FIVE)
        berlin.now = FIVE + timedelta(hours=20)

        assert watch(berlin).counts["missed_runs"] == 0

    def test_rules_that_have_changed_since_the_run(self, berlin: World) -> None:
        """It ran at 06:00 by the earlier ones, which was 04:00Z; nothing is missed at 05:00Z."""
        berlin.toml = berlin.toml.replace(b"Europe/Berlin", b"Africa/Cairo", 1)
        watch(berlin)
        early = FIVE - timedelta(hours=1)
        run_at(berlin, early)
        berlin.toml = berlin.toml.replace(b"Africa/Cairo", b"Europe/Berlin", 1)
        last = early.astimezone(timezone(timedelta(hours=2)))
        known = Sighting("0 0 6 * * * Europe/Berlin", early - timedelta(days=1), last)
        berlin.store.write(f"schedules/{JOB}.json", msgspec.json.encode(known))

        berlin.now = FIVE + timedelta(hours=2)
        assert watch(berlin).counts["missed_runs"] == 0
        berlin.now = FIVE + timedelta(hours=26)
        assert watch(berlin).counts["missed_runs"] == 1


class TestRequestLog:
    """What the app's own request log adds to the records."""

    @pytest.fixture
    def log(self, world: World) -> ToldRequests:
        """A log that holds calls of the app all along, and of the timer none."""
        log = ToldRequests(Testimony(first=FIVE - timedelta(hours=3), last=FIVE + timedelta(hours=9)))
        world.request_log = log
        return log

    def heard(self, log: ToldRequests, calls: Calls, **failed: datetime) -> None:
        log.testimony = msgspec.structs.replace(log.testimony, calls={"list_resource_groups": calls}, failed={**failed})

    def test_a_platform_that_did_not_call(self, world: World, log: ToldRequests) -> None:
        """It is asked once, from a little before the occurrence on."""
        world.now = FIVE + timedelta(minutes=61)
        (found,) = findings(world, watch(world))

        assert found.detail.endswith(
            "there is no run for it; the request log has calls of the app, but none of list_resource_groups:"
            " the platform did not call it"
        )
        assert found.evidence["witness"] == "record and request log"
        assert log.asked == [{"list_resource_groups": FIVE - timedelta(seconds=5)}]

    def test_an_app_that_failed(self, world: World, log: ToldRequests) -> None:
        self.heard(log, Calls(number=1, first=FIVE, failed=1, last_failed=FIVE))
        world.now = FIVE + timedelta(minutes=61)
        (found,) = findings(world, watch(world))

        assert found.rule == "missed-run"
        assert "list_resource_groups was called once, first at 2026-11-22T05:00:00Z, and failed" in found.detail

    def test_a_run_that_is_stuck_since_its_call_failed(self, world: World, log: ToldRequests) -> None:
        """Which a run cannot say of itself."""
        world.now = FIVE
        run_id = str(world.requests().tick(JOB, past_due=False))
        recorded = world.records().get(run_id)
        running = msgspec.structs.replace(recorded.run, status=RunStatus.RUNNING, started=FIVE, invocation_id="AB-1")
        world.records().change(running, recorded.etag)
        world.locks("another process").acquire(JOB, run_id, "token")
        world.now = FIVE + timedelta(minutes=61)
        world.locks("another process").renew(JOB, "token")
        self.heard(log, Calls(number=1, first=FIVE), **{"ab-1": FIVE + timedelta(minutes=30)})

        (found,) = findings(world, watch(world))

        assert f"run {run_id} is still running; the request log has that the call of run_worker at" in found.detail
        assert found.detail.endswith("2026-11-22T05:30:00Z that performed it failed")

    def test_a_run_that_is_recorded_while_its_call_failed(
        self, world: World, log: ToldRequests, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A finding of its own: said once, and once more when it is over, and no missed run."""
        run_at(world, FIVE)
        self.heard(log, Calls(number=1, first=FIVE, failed=1, last_failed=FIVE))
        for minutes in (61, 91):
            world.now = FIVE + timedelta(minutes=minutes)
            run = watch(world)
        assert (run.counts["missed_runs"], run.counts["failed_invocations"]) == (0, 1)
        assert [each.rule for each in findings(world, run)] == [FAILED]
        assert len(errors(caplog)) == 1
        assert f"job=watchdog rule={FAILED} {JOB} was due at 2026-11-22T05:00:00Z and run" in errors(caplog)[0]

        log.testimony = Testimony(reason="Azure answered 503")
        assert watch(world).counts["failed_invocations"] == 0
        assert [each.rule for each in remembered(world)] == [FAILED], "what was not asked for has not healed"

        self.heard(log, Calls(number=1, first=FIVE))
        log.testimony = msgspec.structs.replace(log.testimony, reason=None)
        watch(world)
        assert remembered(world) == []
        assert f"rule={FAILED} jobs/{JOB} has no failed call any more" in caplog.text

    @pytest.mark.parametrize("reason", ["Azure answered 403", "it was not read to its end"])
    def test_a_log_that_cannot_be_asked_hides_nothing(self, world: World, log: ToldRequests, reason: str) -> None:
        """And fails nothing: the record alone decides, and that is said."""
        log.testimony = Testimony(reason=reason)
        world.now = FIVE + timedelta(minutes=61)
        run = watch(world)

        assert run.status is RunStatus.SUCCEEDED
        (found,) = findings(world, run)
        assert found.detail.endswith(f"there is no run for it; the request log was not read: {reason}")
        assert found.evidence["witness"] == "the record alone"

    def test_a_log_that_breaks(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        """Whatever a library raises is one more reason."""

        class Broken:
            def calls(self, since: object, until: object) -> Testimony:
                raise RuntimeError(f"{since} {until}")

        world.request_log = Broken()
        world.now = FIVE + timedelta(minutes=61)
        run = watch(world)

        assert run.status is RunStatus.SUCCEEDED
        assert findings(world, run)[0].detail.endswith(
            "the request log was not read: asking it failed unexpectedly with RuntimeError; the log says where"
        )
        assert f"run={run.id} job=watchdog the request log cannot be asked" in caplog.text

    def test_what_was_known_is_left_for_each_job(
        self, world: World, log: ToldRequests, caplog: pytest.LogCaptureFixture
    ) -> None:
        """In the report, and as a line in the log, where nothing is missed too."""
        caplog.set_level(logging.INFO)
        done = run_at(world, FIVE)
        self.heard(log, Calls(number=1, first=FIVE))
        world.now = FIVE + timedelta(minutes=61)
        run = watch(world)

        assert run.outputs == ("findings.ndjson", "witnesses.ndjson")
        (line,) = world.store.lines(f"runs/{run.id}/witnesses.ndjson")
        assert msgspec.json.decode(line) == {
            "job": JOB,
            "due": "2026-11-22T05:00:00Z",
            "run": done,
            "witness": "record and request log",
            "request_log": "the request log has that list_resource_groups was called once, first at"
            " 2026-11-22T05:00:00Z, and succeeded",
        }
        assert f"run={run.id} job=watchdog evidence: 1 occurrence judged by record and request log" in caplog.text

    def test_nothing_is_asked_where_nothing_was_due(self, world: World, log: ToldRequests) -> None:
        run = watch(world)

        assert log.asked == []
        assert list(world.store.lines(f"runs/{run.id}/witnesses.ndjson")) == []
