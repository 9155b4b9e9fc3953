"""The catalog: a job as operators see it, its schedule judged and put into words."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from shared_code.catalog import RECENT, JobView, view, views
from shared_code.run_records import RunRecords
from shared_code.runs import Mode, Order, Run, RunStatus, TriggeredBy
from shared_code.schedules import AzureVerdict, Reading, StewardVerdict
from shared_code.settings import configure
from shared_code.store import open_store
from shared_code.times import text_of
from tests.fakes import NOW

JOB = "list-resource-groups"


@pytest.fixture
def records(tmp_path: Path) -> RunRecords:
    return RunRecords(open_store(tmp_path.as_uri(), azure_credential=None))


def seen(records: RunRecords, schedule: str | None, scope: str = "") -> JobView:
    text = f"{scope}\n[jobs.{JOB}]\n" + (f"schedule = '{schedule}'" if schedule else "")
    return view(configure(text.encode(), "steward.toml", {}), records, JOB, NOW)


def record(
    records: RunRecords, number: int, minutes: float, status: RunStatus = RunStatus.SUCCEEDED, **about: object
) -> Run:
    began = NOW - timedelta(days=1, hours=number)
    run = Run(
        id=f"{began:%Y%m%dT%H%M%SZ}-{JOB}-{number:08x}",
        job=JOB,
        mode=Mode.PLAN,
        trigger=TriggeredBy.TIMER,
        requested=began,
        status=status,
        started=began,
        ended=began + timedelta(minutes=minutes),
    )
    run = msgspec.structs.replace(run, **about)
    records.create(run)
    return run


def test_all_jobs_at_once_are_what_each_is_by_itself(records: RunRecords) -> None:
    """Runs of one job never show with another, and each has its own newest."""
    for number, job in enumerate((JOB, "tag-audit", JOB, "cleanup", "tag-audit")):
        began = NOW - timedelta(days=1, hours=number)
        record(records, number, 1, id=f"{began:%Y%m%dT%H%M%SZ}-{job}-{number:08x}", job=job)
    configuration = configure(b"", "steward.toml", {})

    found = views(configuration, records, NOW)

    assert found == [view(configuration, records, name, NOW) for name in sorted(configuration.jobs)]
    assert {each.name: each.last_run.id[-8:] for each in found if each.last_run} == {
        "cleanup": "00000003",
        JOB: "00000000",
        "tag-audit": "00000001",
    }


ARMED = "5e000000-0000-4000-8000-000000000001"


def test_what_a_job_may_change_is_said(records: RunRecords) -> None:
    """A job that changes nothing has no mode."""
    text = f'[jobs.tag-audit]\nmode = "apply"\narmed_subscriptions = ["{ARMED}"]'
    configuration = configure(text.encode(), "steward.toml", {})

    said = {name: view(configuration, records, name, NOW) for name in configuration.jobs}
    assert {name: (each.mode, each.armed_subscriptions) for name, each in said.items()} == {
        "cleanup": (Mode.PLAN, ()),
        JOB: (None, ()),
        "tag-audit": (Mode.APPLY, (ARMED,)),
        "watchdog": (None, ()),
    }


class TestSchedule:
    """Both verdicts, words and warnings."""

    def test_accepted(self, records: RunRecords) -> None:
        job = seen(records, "0 0 6 * * FRI-MON")

        assert job.timer
        assert job.words == "At 06:00, Monday through Friday (UTC)."
        assert job.azure == AzureVerdict(accepted=True, reads_as=Reading.CRON, expanded="0 0 6 * * 1-5")
        assert job.steward == StewardVerdict(accepted=True)
        assert len(job.warnings) == 1
        assert job.warnings[0].startswith(f"steward.toml: jobs.{JOB}.schedule: 'FRI-MON' in the day of the week field ")

    def test_refused(self, records: RunRecords) -> None:
        """What Azure would make of it is still said."""
        job = seen(records, "30 5 * * *")

        assert (job.timer, job.runnable, job.next_runs) == (False, True, ())
        assert job.words == "At 05:30, every day (UTC)."
        assert job.azure
        assert job.azure.accepted
        assert job.steward
        assert job.steward.write == "0 30 5 * * *"
        assert [problem.endswith(job.steward.reason or "?") for problem in job.problems] == [True]

    def test_rejected(self, records: RunRecords) -> None:
        job = seen(records, "0 0 25 * * *")

        assert job.azure
        assert (job.azure.accepted, job.words) == (False, None)
        assert (job.azure.reason or "").startswith("Hour '25' is out of range")

    def test_none(self, records: RunRecords) -> None:
        """A job without a schedule has no verdicts."""
        job = seen(records, None)

        assert (job.azure, job.steward, job.words, job.warnings) == (None, None, None, ())


class TestLocalTime:
    """A schedule by the clocks of a zone, in both times."""

    def of(self, records: RunRecords, zone: str) -> JobView:
        text = f"[jobs.{JOB}]\nschedule = '0 30 2 * * *'\ntimezone = '{zone}'"
        return view(configure(text.encode(), "steward.toml", {}), records, JOB, NOW)

    def test_both_times(self, records: RunRecords) -> None:
        """And what the next change of the clocks does, and what the timer in UTC costs."""
        job = self.of(records, "Europe/Berlin")

        assert job.timezone == "Europe/Berlin"
        assert job.words == "At 02:30, every day (Europe/Berlin)."
        assert [text_of(at) for at in job.next_runs[:1]] == ["2026-11-23T01:30:00Z"]
        assert job.local is not None
        assert job.local.next_runs[0].isoformat() == "2026-11-23T02:30:00+01:00"
        assert (job.local.registered, job.local.calls_beside) == ("0 30 0-1 * * *", 1)
        assert job.local.clock_change is not None
        assert (text_of(job.local.clock_change.at), job.local.clock_change.effect) == (
            "2027-03-28T01:00:00Z",
            "shifted",
        )

    def test_a_wrong_zone(self, records: RunRecords) -> None:
        """There is no timer; what was written is shown."""
        job = self.of(records, "Europe/Berln")

        assert (job.timer, job.runnable, job.next_runs, job.local) == (False, True, (), None)
        assert (job.timezone, job.words) == ("Europe/Berln", "At 02:30, every day (Europe/Berln).")
        assert job.problems == (
            f"steward.toml: jobs.{JOB}.timezone: 'Europe/Berln' is no time zone; did you mean 'Europe/Berlin'",
        )

    def test_utc_is_as_before(self, records: RunRecords) -> None:
        job = seen(records, "0 30 2 * * *")

        assert (job.timezone, job.local) == (None, None)


class TestLastRun:
    """How the job went when it was performed last."""

    @pytest.mark.parametrize(
        "about",
        [{"order": Order(plan="p", digest="d"), "mode": Mode.APPLY}, {"undoes": "r"}],
        ids=["apply", "undo"],
    )
    def test_a_run_about_its_plans_is_none(self, records: RunRecords, about: dict[str, object]) -> None:
        """It says nothing of the estate, and how long it takes nothing of the job's duration."""
        audits = [record(records, number, 1) for number in range(10, 13)]
        for number in range(8):
            record(records, number, 30, RunStatus.SUCCEEDED, **about)

        job = seen(records, "0 */5 * * * *")

        assert job.last_run == audits[0]
        assert job.warnings == ()

    def test_one_that_applied_its_own_plan_is_one(self, records: RunRecords) -> None:
        """A timer in mode apply has looked at the estate first."""
        record(records, 1, 1)
        newest = record(records, 0, 1, mode=Mode.APPLY)

        assert seen(records, None).last_run == newest

    def test_nothing_but_applied_plans(self, records: RunRecords) -> None:
        """Then the job was never performed."""
        record(records, 0, 1, undoes="r")

        assert seen(records, None).last_run is None


class TestTooShort:
    """A schedule that comes again before the job has usually ended."""

    def test_is_told_from_recent_runs_that_succeeded(self, records: RunRecords) -> None:
        for number in range(3):
            record(records, number, 12)
        record(records, 3, 0.1, RunStatus.FAILED)

        assert seen(records, "0 */5 * * * *").warnings == (
            (
                f"jobs.{JOB}.schedule: '0 */5 * * * *' comes again after 5 min 0 s, and the job usually takes "
                "12 min 0 s; its runs wait for one another and fall behind; write a longer interval"
            ),
        )

    def test_old_runs_do_not_count(self, records: RunRecords) -> None:
        for number in range(RECENT):
            record(records, number, 1)
        for number in range(RECENT, 3 * RECENT):
            record(records, number, 12)

        assert seen(records, "0 */5 * * * *").warnings == ()

    def test_a_damaged_record_is_left_out(self, records: RunRecords) -> None:
        """Only the newest must be read."""
        runs = [record(records, number, 12) for number in range(4)]
        key = f"runs/{runs[2].id}/run.json"
        stored = records._store.read(key)
        assert stored
        records._store.replace(key, b"{", stored.etag)

        job = seen(records, "0 */5 * * * *")

        assert job.last_run == runs[0]
        assert len(job.warnings) == 1
