"""A new version goes on with what an earlier one has left in the store, runs under way included."""

import zipfile
from pathlib import Path

import msgspec
import pytest

from shared_code.dashboard import overview
from shared_code.errors import Damaged, Refused, Stopped
from shared_code.model import Finding
from shared_code.outputs import FINDINGS
from shared_code.plan import Plans
from shared_code.run_records import RunRecords
from shared_code.runs import RunStatus
from shared_code.settings import configure
from shared_code.snoozes import Snoozes
from shared_code.stop import Stop
from shared_code.store import Store
from tests.cleaning import ONE, Witness, decided, lines
from tests.fakes import NOW
from tests.memory_store import MemoryStore
from tests.upgrading import Estate, approve, estate, live, run_of

VERSIONS = sorted((Path(__file__).parent / "data").glob("store-*.zip"))


@pytest.fixture(params=VERSIONS, ids=[each.stem for each in VERSIONS])
def own(request: pytest.FixtureRequest) -> Estate:
    """The same world, with the store that the earlier version has left in it."""
    own = estate()
    live(own)
    store = MemoryStore()
    with zipfile.ZipFile(request.param) as file:
        for each in file.infolist():
            store.write(each.filename, file.read(each))
    own.world.store = Witness(store, own.model)
    own.world.dead.add("dead")
    return own


def cut(store: Store) -> str:
    """The run that had not ended."""
    (run,) = RunRecords(store).open()
    return run


class TestWhatIsThere:
    def test_every_run_and_plan_is_read(self, own: Estate) -> None:
        records, plans = RunRecords(own.world.store), Plans(own.world.store)

        runs = [records.get(name).run for name in records.newest()]

        assert [run.status for run in runs] == [RunStatus.RUNNING, *[RunStatus.SUCCEEDED] * 8]
        assert len([plans.get(name) for name in plans.newest()]) == 4

    def test_the_dashboard_leaves_nothing_out(self, own: Estate) -> None:
        store = own.world.store

        found = overview(configure(own.world.toml, "steward.toml", {}), store, Stop(store, lambda: NOW), NOW)

        assert (found.left_out, len(found.runs)) == ((), 9)

    def test_an_order_to_stop_is_still_in_force(self, own: Estate) -> None:
        """Whatever else cannot be read, this must not be forgotten."""
        with pytest.raises(Stopped, match="an upgrade"):
            own.world.stop().check()

    def test_snoozes(self, own: Estate) -> None:
        assert [each.reason for each in Snoozes(own.world.store).all().values()] == ["not yet"]


class TestGoingOn:
    def test_a_run_under_way_is_completed(self, own: Estate) -> None:
        """The new version takes over where the old one died, with what that has read."""
        run = cut(own.world.store)

        own.world.to_its_end([run], [])

        ended = own.world.records().get(run).run
        assert (ended.status, ended.attempt) == (RunStatus.SUCCEEDED, 2)
        assert (ended.counts["subscriptions_read"], ended.counts["resource_groups"]) == (2, 2)

    def test_findings_keep_their_age(self, own: Estate) -> None:
        """A ledger that was forgotten would call everything new, and have it watched from the start."""
        own.world.to_its_end([cut(own.world.store)], [])

        audit, cleaned = run_of(own, "tag-audit"), run_of(own, "cleanup")

        assert (audit.counts["new_findings"], cleaned.counts["new_findings"]) == (0, 0)
        assert {each.first_seen for each in lines(own.world, audit.id, FINDINGS, Finding)} != {audit.started}

    def test_what_was_planned_is_applied_and_what_was_snoozed_stays(self, own: Estate) -> None:
        """By the plan of the earlier version, under its digest."""
        own.world.to_its_end([cut(own.world.store)], [])
        own.world.stop().clear()
        plan = next(name for name in Plans(own.world.store).newest() if "cleanup" in name)
        deleted, planned, snoozed = own.disks

        run = approve(own, plan, planned)

        assert (run.status, run.counts["deleted"]) == (RunStatus.SUCCEEDED, 1)
        again = decided(own.world, run_of(own, "cleanup"))
        assert again[snoozed.casefold(), "unattached-disk"].decision == "snoozed"
        assert (deleted.casefold(), "unattached-disk") not in again

    def test_what_was_deleted_is_not_deleted_again(self, own: Estate) -> None:
        """Its mark is the earlier version's."""
        own.world.to_its_end([cut(own.world.store)], [])
        own.world.stop().clear()
        plan = next(name for name in Plans(own.world.store).newest() if "cleanup" in name)
        own.model.put(f"/subscriptions/{ONE}/resourceGroups/rg-a", "disk", "deleted")

        with pytest.raises(Refused, match=r"All of this was begun by run 20261123T120007Z-cleanup-[0-9a-f]+ already"):
            approve(own, plan, own.disks[0])


def test_a_record_of_a_later_version_is_left_to_that_version() -> None:
    """While instances of both are there, the older must not write over what it does not understand."""
    store = MemoryStore()
    own = estate()
    own.world.store = store
    run = run_of(own, "list-resource-groups")
    key = f"runs/{run.id}/run.json"
    stored = store.read(key)
    assert stored is not None
    store.write(key, msgspec.json.encode(msgspec.json.decode(stored.data) | {"version": 2}))

    with pytest.raises(Damaged) as caught:
        RunRecords(store).get(run.id)

    assert str(caught.value) == (
        f"The record of run '{run.id}' is of version 2, and this Steward knows 1: it was written by a later one; "
        "deploy that again."
    )
