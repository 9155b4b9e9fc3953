"""list-resource-groups: everything that was read, nothing that was not, and never a 0 for unread."""

import csv
import io
import itertools
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.errors import AccessDenied, AzureError, Fenced, StoreError
from shared_code.jobs.list_resource_groups import list_resource_groups, read_subscription
from shared_code.locks import Locks
from shared_code.model import Reading, ResourceGroup, Subscription
from shared_code.outputs import REPORT, RESOURCE_GROUPS, RESOURCE_GROUPS_CSV
from shared_code.ports import Estate
from shared_code.run_records import RunRecords
from shared_code.runs import Mode, Progress, Run, RunScope, RunStatus, TriggeredBy
from shared_code.scope import Scope
from shared_code.settings import Configuration
from shared_code.store import Store, open_store
from shared_code.work import OutOfTime, Summary, Work
from tests.fakes import NOW, Clock, FakeEstate, resource_group, resource_id, subscription

RUN = Run(
    id="20261122T060000Z-list-resource-groups-9c01f2ab",
    job="list-resource-groups",
    mode=Mode.PLAN,
    trigger=TriggeredBy.TIMER,
    requested=NOW,
    started=NOW,
)
ONE, TWO, THREE = (subscription(number) for number in (1, 2, 3))
NO_ROLE = AccessDenied("cannot read resource groups: Azure answered 403; give Steward's identity the role Reader there")


class TestReadSubscription:
    def test_counts_the_resources_of_each_group_without_case(self) -> None:
        """Compute writes the group's name in capitals, and other providers write resourcegroups."""
        web, empty = resource_group(ONE, "rg-Web"), resource_group(ONE, "rg-empty")
        ids = [[resource_id(web, "a"), resource_id(web, "b").upper()], [], [resource_id(web, "c").lower()]]

        verdict, groups = read_subscription(
            FakeEstate([ONE], {ONE.id: [[web], [], [empty]]}, {ONE.id: ids}), ONE, Scope()
        )

        assert [(group.name, group.resources) for group in groups] == [("rg-empty", 0), ("rg-Web", 3)]
        assert (verdict.reading, verdict.reason) == (Reading.COMPLETE, None)
        assert (verdict.resource_groups, verdict.resources) == (2, 3)

    def test_a_group_listed_twice_is_one(self) -> None:
        group = resource_group(ONE, "rg-a")
        again = resource_group(ONE, "RG-A")

        verdict, groups = read_subscription(FakeEstate([ONE], {ONE.id: [[group], [again, group]]}), ONE, Scope())

        assert len(groups) == verdict.resource_groups == 1

    def test_groups_are_in_id_order_whatever_their_case(self) -> None:
        pages = [[resource_group(ONE, name)] for name in ("b", "C", "A", "d")]

        _, groups = read_subscription(FakeEstate([ONE], {ONE.id: pages}), ONE, Scope())

        assert [group.name for group in groups] == ["A", "b", "C", "d"]

    def test_an_excluded_group_and_its_resources_are_left_out(self) -> None:
        kept, excluded = resource_group(ONE, "rg-a"), resource_group(ONE, "MC_aks")
        ids = [[resource_id(kept, "a"), resource_id(excluded, "vm").upper(), resource_id(excluded, "disk")]]
        estate = FakeEstate([ONE], {ONE.id: [[kept, excluded]]}, {ONE.id: ids})

        verdict, groups = read_subscription(estate, ONE, Scope(exclude_resource_groups=("mc_*",)))

        assert [group.name for group in groups] == ["rg-a"]
        assert (verdict.resource_groups, verdict.resources) == (1, 1)

    def test_a_resource_outside_any_listed_group_is_counted_in_the_subscription(self) -> None:
        """Its group was made while the lists were read, or it is in none."""
        group = resource_group(ONE, "rg-a")
        ids = [
            [resource_id(group, "a"), resource_id(resource_group(ONE, "rg-new"), "b"), "/subscriptions/x/providers/y"]
        ]

        verdict, groups = read_subscription(FakeEstate([ONE], {ONE.id: [[group]]}, {ONE.id: ids}), ONE, Scope())

        assert [group.resources for group in groups] == [1]
        assert verdict.resources == 3

    def test_an_empty_subscription_that_was_read_is_empty(self) -> None:
        verdict, groups = read_subscription(FakeEstate([ONE]), ONE, Scope())

        assert groups == []
        assert (verdict.reading, verdict.resource_groups, verdict.resources) == (Reading.COMPLETE, 0, 0)

    def test_groups_whose_resources_cannot_be_read_are_not_empty(self) -> None:
        group = resource_group(ONE, "rg-a")
        estate = FakeEstate([ONE], {ONE.id: [[group]]}, fail_on={("resource_ids", ONE.id, 1): NO_ROLE})

        verdict, groups = read_subscription(estate, ONE, Scope())

        assert groups == [group]
        assert groups[0].resources is None
        assert (verdict.reading, verdict.reason) == (Reading.INCOMPLETE, str(NO_ROLE))
        assert (verdict.resource_groups, verdict.resources) == (1, None)

    def test_a_subscription_of_which_nothing_could_be_read_has_no_numbers(self) -> None:
        estate = FakeEstate([ONE], fail_on={("resource_groups", ONE.id, 1): NO_ROLE})

        verdict, groups = read_subscription(estate, ONE, Scope())

        assert groups == []
        assert (verdict.resource_groups, verdict.resources) == (None, None)

    @given(data=some.data())
    def test_whatever_fails_nothing_unread_is_empty_or_0(self, data: some.DataObject) -> None:
        names = data.draw(some.lists(some.sampled_from("abcdefMN"), unique=True))
        groups = [resource_group(ONE, name) for name in names]
        group_pages = paged(data, groups)
        id_pages = paged(data, [resource_id(group, str(number)) for group in groups for number in range(2)])
        list_name = data.draw(some.sampled_from(["resource_groups", "resource_ids"]))
        page = data.draw(some.integers(1, len(group_pages if list_name == "resource_groups" else id_pages) + 1))
        error = AzureError("cannot read it")
        estate = FakeEstate([ONE], {ONE.id: group_pages}, {ONE.id: id_pages}, {(list_name, ONE.id, page): error})

        verdict, read = read_subscription(estate, ONE, Scope(exclude_resource_groups=("m",)))

        assert (verdict.reading, verdict.reason) == (Reading.INCOMPLETE, "cannot read it")
        assert verdict.resources is None
        assert all(group.resources is None for group in read)
        assert {group.name for group in read} <= set(names) - {"M"}
        if list_name == "resource_groups":
            whole = {group.name for found in group_pages[: page - 1] for group in found} - {"M"}
            assert {group.name for group in read} == whole
            assert verdict.resource_groups == (len(whole) or None)
        else:
            assert verdict.resource_groups == len(set(names) - {"M"})


def paged[Item](data: some.DataObject, items: list[Item]) -> list[list[Item]]:
    cuts = sorted(data.draw(some.lists(some.integers(0, len(items)), max_size=3)))
    return [items[start:end] for start, end in zip([0, *cuts], [*cuts, len(items)], strict=True)]


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """An empty local store."""
    return open_store(tmp_path.as_uri())


def work_on(
    store: Store,
    estate: Estate,
    run: Run = RUN,
    scope: Scope | None = None,
    checkpoint: Callable[[], None] = lambda: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Work:
    clock = Clock()
    return Work(
        run=run,
        configuration=Configuration(scope or Scope(), {}, {}, ()),
        estate=estate,
        store=store,
        records=RunRecords(store),
        locks=Locks(store, clock, "this test", lambda _: False),
        clock=clock,
        progress=progress,
        checkpoint=checkpoint,
        heartbeat=lambda: True,
        requeue=lambda _: None,
    )


def output(store: Store, name: str) -> bytes:
    return b"".join(store.chunks(f"runs/{RUN.id}/{name}"))


def listed(store: Store) -> list[ResourceGroup]:
    return [msgspec.json.decode(line, type=ResourceGroup) for line in output(store, RESOURCE_GROUPS).splitlines()]


def full_estate(*subscriptions: Subscription) -> FakeEstate:
    """Two groups with one and two resources in each subscription, listed backwards."""
    groups = {
        each.id: [resource_group(each, name, {"owner": "=1+1"}) for name in ("rg-B", "rg-a")] for each in subscriptions
    }
    ids = {
        owner: [[resource_id(big, "x")], [resource_id(big, "y").upper(), resource_id(small, "z")]]
        for owner, (big, small) in groups.items()
    }
    return FakeEstate(subscriptions, {owner: [[each] for each in found] for owner, found in groups.items()}, ids)


class TestTheJob:
    def test_lists_every_group_with_its_resources_in_three_outputs(self, store: Store) -> None:
        summary = list_resource_groups(work_on(store, full_estate(THREE, ONE, TWO)))

        assert (summary.status, summary.error) == (RunStatus.SUCCEEDED, None)
        assert summary.outputs == (RESOURCE_GROUPS, RESOURCE_GROUPS_CSV, REPORT)
        assert summary.counts == {
            "subscriptions_read": 3,
            "subscriptions_not_read": 0,
            "subscriptions_skipped": 0,
            "resource_groups": 6,
            "resources": 9,
        }
        found = [(group.subscription_id, group.name, group.resources) for group in listed(store)]
        assert found == [
            (each.id, name, size) for each in (ONE, TWO, THREE) for name, size in (("rg-a", 1), ("rg-B", 2))
        ]
        table = list(csv.reader(io.StringIO(output(store, RESOURCE_GROUPS_CSV).decode("utf-8-sig"))))
        assert table[0] == [*[name for name in ResourceGroup.__struct_fields__ if name != "tags"], "tags"]
        assert [row[1] for row in table[1:]] == [name for _, name, _ in found]
        assert table[1][-1] == '{"owner":"=1+1"}'
        assert output(store, REPORT).count(b"<td>rg-") == 6

    def test_two_runs_over_one_estate_write_the_same_lines(self, store: Store, tmp_path: Path) -> None:
        other = open_store((tmp_path / "other").as_uri())
        list_resource_groups(work_on(store, full_estate(ONE, TWO)))
        list_resource_groups(work_on(other, full_estate(TWO, ONE)))

        assert output(store, RESOURCE_GROUPS) == output(other, RESOURCE_GROUPS)
        assert output(store, RESOURCE_GROUPS_CSV) == output(other, RESOURCE_GROUPS_CSV)

    def test_an_unreadable_subscription_makes_the_run_partial_and_is_named(self, store: Store) -> None:
        estate = full_estate(ONE, TWO)
        estate.fail_on[("resource_groups", TWO.id, 1)] = NO_ROLE

        summary = list_resource_groups(work_on(store, estate))

        assert summary.status is RunStatus.PARTIAL
        assert summary.error == f"Not read completely: {TWO.name} ({TWO.id}): {NO_ROLE}"
        assert (summary.counts["subscriptions_read"], summary.counts["subscriptions_not_read"]) == (1, 1)
        assert (summary.counts["resource_groups"], summary.counts["resources"]) == (2, 3)
        assert "Not read completely" in output(store, REPORT).decode()

    def test_what_was_read_of_a_subscription_is_kept_without_numbers(self, store: Store) -> None:
        estate = full_estate(ONE, TWO)
        estate.fail_on[("resource_ids", ONE.id, 2)] = NO_ROLE

        summary = list_resource_groups(work_on(store, estate))

        assert [(group.subscription_id, group.resources) for group in listed(store)] == [
            (ONE.id, None),
            (ONE.id, None),
            (TWO.id, 1),
            (TWO.id, 2),
        ]
        assert summary.counts["resources"] == 3
        assert output(store, REPORT).count(b">not read<") == 2
        assert [verdict.resources for verdict in summary.verdicts] == [None, 3]

    def test_nothing_readable_is_a_failure(self, store: Store) -> None:
        estate = full_estate(ONE)
        estate.fail_on[("resource_groups", ONE.id, 2)] = NO_ROLE

        summary = list_resource_groups(work_on(store, estate))

        assert summary.status is RunStatus.FAILED
        assert str(NO_ROLE) in (summary.error or "")

    def test_no_subscription_at_all_is_a_failure(self, store: Store) -> None:
        summary = list_resource_groups(work_on(store, FakeEstate()))

        assert summary.status is RunStatus.FAILED
        assert "No enabled subscription is visible in scope" in (summary.error or "")

    def test_an_unreadable_list_of_subscriptions_ends_the_run(self, store: Store) -> None:
        estate = FakeEstate(fail_on={("subscriptions", "", 1): NO_ROLE})

        with pytest.raises(AccessDenied):
            list_resource_groups(work_on(store, estate))

    def test_a_disabled_subscription_is_skipped_and_said(self, store: Store) -> None:
        summary = list_resource_groups(work_on(store, full_estate(ONE, subscription(9, "Old", "Disabled"))))

        assert summary.status is RunStatus.SUCCEEDED
        assert summary.counts["subscriptions_skipped"] == 1
        assert [verdict.reading for verdict in summary.verdicts] == [Reading.COMPLETE, Reading.SKIPPED]

    def test_a_narrowed_run_reads_nothing_else(self, store: Store) -> None:
        run = msgspec.structs.replace(RUN, scope=RunScope((TWO.id.upper(), "unknown")))
        estate = full_estate(ONE, TWO)

        summary = list_resource_groups(work_on(store, estate, run))

        assert {owner for _, owner in estate.reads} == {"", TWO.id}
        assert summary.status is RunStatus.PARTIAL
        assert [(verdict.subscription_id, verdict.reading) for verdict in summary.verdicts] == [
            (TWO.id, Reading.COMPLETE),
            ("unknown", Reading.INCOMPLETE),
        ]

    def test_progress_begins_at_nothing_and_ends_at_everything(self, store: Store) -> None:
        seen: list[Progress] = []

        list_resource_groups(work_on(store, full_estate(ONE, TWO), progress=seen.append))

        assert (seen[0], seen[-1]) == (Progress(0, 2), Progress(2, 2))
        assert [made.done for made in seen] == sorted(made.done for made in seen)


class Stops:
    """A checkpoint that raises from its nth call on, in whichever thread."""

    def __init__(self, nth: int, error: Exception) -> None:
        self._calls, self._nth, self._error = itertools.count(1), nth, error

    def __call__(self) -> None:
        if next(self._calls) >= self._nth:
            raise self._error


class TestResume:
    def test_reads_only_what_is_missing(self, store: Store) -> None:
        first = full_estate(ONE, TWO, THREE)
        first.fail_on[("resource_groups", TWO.id, 1)] = StoreError("the store is away")
        with pytest.raises(StoreError):
            list_resource_groups(work_on(store, first))
        done = {owner for name, owner in first.reads if name == "resource_ids"}
        second = full_estate(ONE, TWO, THREE)

        summary = list_resource_groups(work_on(store, second))

        read_again = {owner for name, owner in second.reads if name == "resource_groups"}
        assert TWO.id in read_again
        assert not read_again & done
        assert summary.status is RunStatus.SUCCEEDED
        assert len(listed(store)) == 6

    def test_a_finished_run_reads_nothing_but_the_list_of_subscriptions(self, store: Store) -> None:
        first = list_resource_groups(work_on(store, full_estate(ONE, TWO)))
        again = full_estate(ONE, TWO)

        second = list_resource_groups(work_on(store, again))

        assert again.reads == [("subscriptions", "")]
        assert second == first

    @pytest.mark.parametrize("error", [OutOfTime(), Fenced("taken over")], ids=["out-of-time", "fenced"])
    @pytest.mark.parametrize("nth", range(1, 7))  # two readers, one or two waits, three outputs
    def test_wherever_it_stops_the_next_attempt_completes_it(self, store: Store, nth: int, error: Exception) -> None:
        with pytest.raises(type(error)):
            list_resource_groups(work_on(store, full_estate(ONE, TWO), checkpoint=Stops(nth, error)))

        summary = list_resource_groups(work_on(store, full_estate(ONE, TWO)))

        assert whole(summary)
        assert len(listed(store)) == 4

    def test_half_a_part_does_not_count(self, store: Store) -> None:
        """The verdict is written last."""
        store.write(f"runs/{RUN.id}/parts/{ONE.id}.ndjson", b'{"half":')

        assert whole(list_resource_groups(work_on(store, full_estate(ONE, TWO))))

    def test_an_unread_subscription_is_not_read_again_by_the_same_run(self, store: Store) -> None:
        """Its part is its verdict; the next run tries anew."""
        first = full_estate(ONE, TWO)
        first.fail_on[("resource_groups", TWO.id, 1)] = NO_ROLE
        list_resource_groups(work_on(store, first))

        summary = list_resource_groups(work_on(store, full_estate(ONE, TWO)))

        assert summary.status is RunStatus.PARTIAL


def whole(summary: Summary) -> bool:
    return summary.status is RunStatus.SUCCEEDED and summary.counts["resources"] == 6
