"""list-resource-groups: everything that was read, nothing that was not, and never a 0 for unread."""

import csv
import io
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.errors import AccessDenied, AzureError, EmptyScope, Fenced, StoreError
from shared_code.group_changes import GroupChange
from shared_code.jobs.list_resource_groups import list_resource_groups
from shared_code.model import ListRead, Reading, ResourceGroup, Subscription
from shared_code.outputs import CHANGES, REPORT, RESOURCE_GROUPS, RESOURCE_GROUPS_CSV
from shared_code.ports import Estate
from shared_code.resource_groups import read_subscription
from shared_code.runs import Mode, Progress, Run, RunScope, RunStatus, TriggeredBy
from shared_code.scope import Scope
from shared_code.settings import Configuration
from shared_code.store import Sink, Store, open_store
from shared_code.work import OutOfTime, Summary, Work
from tests import fakes
from tests.fakes import NOW, FakeEstate, lock, resource, resource_group, resource_id, subscription
from tests.stores import DeadAfter, Killed, Passing

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
        estate = FakeEstate([ONE], {ONE.id: [[group]]}, fail_on={("resources", ONE.id, 1): NO_ROLE})

        verdict, groups = read_subscription(estate, ONE, Scope())

        assert [each.name for each in groups] == ["rg-a"]
        assert (groups[0].resources, groups[0].resource_types, groups[0].locks) == (None, None, ())
        assert (verdict.reading, verdict.reason) == (Reading.INCOMPLETE, str(NO_ROLE))
        assert (verdict.resource_groups, verdict.resources) == (1, None)

    def test_a_subscription_of_which_nothing_could_be_read_has_no_numbers(self) -> None:
        estate = FakeEstate([ONE], fail_on={("resource_groups", ONE.id, 1): NO_ROLE})

        verdict, groups = read_subscription(estate, ONE, Scope())

        assert groups == []
        assert (verdict.resource_groups, verdict.resources) == (None, None)

    def test_types_are_counted_without_case_under_the_first_spelling(self) -> None:
        group, ids = resource_group(ONE, "rg-a"), "abcd"
        kinds = ("microsoft.insights/x", "Microsoft.Insights/x", "Microsoft.Web/sites", "MICROSOFT.WEB/sites")
        found = [resource(resource_id(group, name), kind) for name, kind in zip(ids, kinds, strict=True)]

        _, groups = read_subscription(FakeEstate([ONE], {ONE.id: [[group]]}, {ONE.id: [found]}), ONE, Scope())

        assert groups[0].resource_types == {"Microsoft.Insights/x": 2, "MICROSOFT.WEB/sites": 2}
        assert groups[0].resources == 4

    def test_a_type_out_of_scope_still_fills_its_group(self) -> None:
        """A group that holds nothing but what a rule leaves out is not empty."""
        group = resource_group(ONE, "rg-a")
        estate = FakeEstate([ONE], {ONE.id: [[group]]}, {ONE.id: [[resource_id(group, "a")]]})

        _, groups = read_subscription(estate, ONE, Scope(exclude_resource_types=("*",)))

        assert (groups[0].resources, groups[0].resource_types) == (1, {"Microsoft.Web/sites": 1})

    def test_each_group_has_the_locks_at_it_above_it_and_below_it(self) -> None:
        web, data = resource_group(ONE, "rg-Web"), resource_group(ONE, "rg-data")
        locks = [
            [lock(f"/subscriptions/{ONE.id}", "all", "ReadOnly")],
            [],
            [lock(web.id.upper(), "web"), lock(resource_id(web, "x") + "/slots/y", "slot")],
        ]

        verdict, groups = read_subscription(
            FakeEstate([ONE], {ONE.id: [[web, data]]}, locks={ONE.id: locks}), ONE, Scope()
        )

        assert {group.name: locks_of(group) for group in groups} == {
            "rg-data": {"all"},
            "rg-Web": {"all", "web", "slot"},
        }
        assert verdict.locks == 3
        assert verdict.lists["locks"] == ListRead(3, 3)

    def test_locks_in_groups_out_of_scope_are_not_counted(self) -> None:
        kept, excluded = resource_group(ONE, "rg-a"), resource_group(ONE, "MC_aks")
        locks = [[lock(kept.id), lock(excluded.id), lock(resource_id(excluded, "x"))]]
        estate = FakeEstate([ONE], {ONE.id: [[kept, excluded]]}, locks={ONE.id: locks})

        verdict, _ = read_subscription(estate, ONE, Scope(exclude_resource_groups=("mc_*",)))

        assert verdict.locks == 1

    def test_locks_that_cannot_be_read_leave_no_group_unlocked(self) -> None:
        group = resource_group(ONE, "rg-a")
        estate = FakeEstate(
            [ONE],
            {ONE.id: [[group]]},
            {ONE.id: [[resource_id(group, "a")]]},
            {("locks", ONE.id, 2): NO_ROLE},
            {ONE.id: [[lock(f"{group.id}-other")]]},
        )

        verdict, groups = read_subscription(estate, ONE, Scope())

        assert [(each.resources, each.locks) for each in groups] == [(1, None)]
        assert (verdict.reading, verdict.reason, verdict.locks) == (Reading.INCOMPLETE, str(NO_ROLE), None)
        assert verdict.lists["locks"] == ListRead(1, 1, str(NO_ROLE))

    def test_each_list_says_what_was_read_of_it(self) -> None:
        group = resource_group(ONE, "rg-a")
        estate = FakeEstate(
            [ONE],
            {ONE.id: [[group], []]},
            {ONE.id: [[resource_id(group, "a")]]},
            {("resources", ONE.id, 2): AzureError("cut off"), ("locks", ONE.id, 1): NO_ROLE},
        )

        verdict, _ = read_subscription(estate, ONE, Scope())

        assert verdict.reason == f"cut off; {NO_ROLE}"
        assert verdict.lists == {
            "resource_groups": ListRead(2, 1),
            "resources": ListRead(1, 1, "cut off"),
            "locks": ListRead(0, 0, str(NO_ROLE)),
        }

    @pytest.mark.parametrize(
        "odd",
        [
            "subscriptions/x/resourceGroups/rg-a/providers/a.b/c/d",
            "https://management.azure.com/subscriptions/x/resourceGroups/rg-a/providers/a.b/c/d",
            "//subscriptions/x/resourceGroups/rg-a/providers/a.b/c/d",
            "/subscriptions/x//resourceGroups/rg-a/providers/a.b/c/d",
            "%2Fsubscriptions%2Fx%2FresourceGroups%2Frg-a%2Fproviders%2Fa.b%2Fc/d",
            "/d",
        ],
    )
    def test_a_resource_that_lies_nobody_knows_where_leaves_no_group_empty(self, odd: str) -> None:
        group = resource_group(ONE, "rg-a")

        verdict, groups = read_subscription(FakeEstate([ONE], {ONE.id: [[group]]}, {ONE.id: [[odd]]}), ONE, Scope())

        assert (groups[0].resources, groups[0].resource_types) == (None, None)
        assert verdict.reading is Reading.INCOMPLETE
        assert verdict.reason is not None
        assert verdict.reason.endswith("lies cannot be told from its id")

    def test_groups_that_differ_in_a_sharp_s_are_two(self) -> None:
        """Azure keeps them apart, in patterns too."""
        one, other = resource_group(ONE, "rg-straße"), resource_group(ONE, "rg-strasse")
        ids = [[resource_id(one, "a"), resource_id(other, "b"), resource_id(other, "c")]]
        estate = FakeEstate([ONE], {ONE.id: [[one, other]]}, {ONE.id: ids}, locks={ONE.id: [[lock(one.id)]]})

        _, groups = read_subscription(estate, ONE, Scope())
        narrowed, _ = read_subscription(estate, ONE, Scope(exclude_resource_groups=("rg-straße",)))

        assert {group.name: (group.resources, len(group.locks or ())) for group in groups} == {
            "rg-straße": (1, 1),
            "rg-strasse": (2, 0),
        }
        assert (narrowed.resource_groups, narrowed.resources, narrowed.locks) == (1, 2, 0)

    @given(data=some.data())
    def test_whatever_fails_nothing_unread_is_empty_or_0(self, data: some.DataObject) -> None:
        names = data.draw(some.lists(some.sampled_from("abcdefMN"), unique=True))
        groups = [resource_group(ONE, name) for name in names]
        group_pages = paged(data, groups)
        id_pages = paged(data, [resource_id(group, str(number)) for group in groups for number in range(2)])
        lock_pages = paged(data, [lock(group.id) for group in groups])
        pages = {"resource_groups": len(group_pages), "resources": len(id_pages), "locks": len(lock_pages)}
        list_name = data.draw(some.sampled_from(sorted(pages)))
        page = data.draw(some.integers(1, pages[list_name] + 1))
        error = AzureError("cannot read it")
        estate = FakeEstate(
            [ONE], {ONE.id: group_pages}, {ONE.id: id_pages}, {(list_name, ONE.id, page): error}, {ONE.id: lock_pages}
        )

        verdict, read = read_subscription(estate, ONE, Scope(exclude_resource_groups=("m",)))

        assert (verdict.reading, verdict.reason) == (Reading.INCOMPLETE, "cannot read it")
        for name, fields in {"resources": ("resources", "resource_types"), "locks": ("locks",)}.items():
            unread = list_name in (name, "resource_groups")
            assert (getattr(verdict, name) is None) is unread
            for field in fields:
                assert {getattr(group, field) is None for group in read} <= {unread}
        assert {group.name for group in read} <= set(names) - {"M"}
        if list_name == "resource_groups":
            whole = {group.name for found in group_pages[: page - 1] for group in found} - {"M"}
            assert {group.name for group in read} == whole
            assert verdict.resource_groups == (len(whole) or None)
        else:
            assert verdict.resource_groups == len(set(names) - {"M"})


def locks_of(group: ResourceGroup) -> set[str]:
    return {each.name for each in group.locks or ()}


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
    configuration = Configuration(scope or Scope(), {}, {}, ())
    return fakes.work_on(run, store, estate, configuration, checkpoint=checkpoint, progress=progress)


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
    def test_lists_every_group_with_its_resources_in_every_output(self, store: Store) -> None:
        summary = list_resource_groups(work_on(store, full_estate(THREE, ONE, TWO)))

        assert (summary.status, summary.error) == (RunStatus.SUCCEEDED, None)
        assert summary.outputs == (RESOURCE_GROUPS, RESOURCE_GROUPS_CSV, REPORT, CHANGES)
        assert summary.counts == {
            "subscriptions_read": 3,
            "subscriptions_not_read": 0,
            "subscriptions_skipped": 0,
            "resource_groups": 6,
            "resources": 9,
            "locks": 0,
        }
        found = [(group.subscription_id, group.name, group.resources) for group in listed(store)]
        assert found == [
            (each.id, name, size) for each in (ONE, TWO, THREE) for name, size in (("rg-a", 1), ("rg-B", 2))
        ]
        table = list(csv.reader(io.StringIO(output(store, RESOURCE_GROUPS_CSV).decode("utf-8-sig"))))
        nested = ["tags", "resource_types", "locks"]
        assert table[0] == [*[name for name in ResourceGroup.__struct_fields__ if name not in nested], *nested]
        assert [row[1] for row in table[1:]] == [name for _, name, _ in found]
        assert table[1][-3:] == ['{"owner":"=1+1"}', '{"Microsoft.Web/sites":1}', "[]"]
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
        estate.fail_on[("resources", ONE.id, 2)] = NO_ROLE

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
        with pytest.raises(EmptyScope, match=r"^No subscription is in scope: .* identity sees none at all\.$"):
            list_resource_groups(work_on(store, FakeEstate()))

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
            ("unknown", Reading.NOT_VISIBLE),
        ]

    def test_progress_begins_at_nothing_and_ends_at_everything(self, store: Store) -> None:
        seen: list[Progress] = []

        list_resource_groups(work_on(store, full_estate(ONE, TWO), progress=seen.append))

        assert (seen[0], seen[-1]) == (Progress(0, 2), Progress(2, 2))
        assert [made.done for made in seen] == sorted(made.done for made in seen)


NEXT = "20261123T060000Z-list-resource-groups-0000000{}"


def run_again(store: Store, estate: Estate, number: int = 1, scope: Scope | None = None, **fields: Any) -> Summary:
    """The same job a day later."""
    run = msgspec.structs.replace(
        RUN, id=NEXT.format(number), started=NOW + timedelta(days=number), **({"scope": RunScope()} | fields)
    )
    return list_resource_groups(work_on(store, estate, run, scope))


def changed(store: Store, number: int = 1) -> list[tuple[str, str, str]]:
    """What a later run says has changed."""
    lines = store.lines(f"runs/{NEXT.format(number)}/{CHANGES}")
    found = [msgspec.json.decode(line, type=GroupChange) for line in lines]
    return [(each.change, each.subscription_id, each.name) for each in found]


def without(estate: FakeEstate, owner: Subscription, name: str) -> FakeEstate:
    """The estate after a group was deleted."""
    estate.groups[owner.id] = [[each for each in page if each.name != name] for page in estate.groups[owner.id]]
    return estate


class DiesAtTheOutputs(Passing):
    """A store whose process is killed when everything is read and nothing is written."""

    def writer(self, key: str) -> AbstractContextManager[Sink]:
        raise Killed(key)


NONE = {"new_groups": 0, "gone_groups": 0, "changed_groups": 0}


class TestChanges:
    """What is new, gone or changed since the last complete reading; never what was not read."""

    def test_the_first_run_has_nothing_to_compare_with(self, store: Store) -> None:
        """So it says nothing of changes, instead of 0 or of everything."""
        summary = list_resource_groups(work_on(store, full_estate(ONE)))

        assert not any(name.endswith("_groups") and name != "resource_groups" for name in summary.counts)
        assert output(store, CHANGES) == b""
        assert b"Changes since" not in output(store, REPORT)
        assert [each.changes for each in summary.verdicts] == [None]

    def test_the_report_draws_what_runs_over_everything_have_counted(self, store: Store) -> None:
        """This one too; a narrowed run is no point of the trend."""
        list_resource_groups(work_on(store, full_estate(ONE)))
        run_again(store, full_estate(ONE), 1)
        some_run = msgspec.structs.replace(RUN, id=NEXT.format(2), scope=RunScope((ONE.id,)))
        list_resource_groups(work_on(store, full_estate(ONE), some_run))

        first, second, narrowed = (
            b"".join(store.chunks(f"runs/{each}/{REPORT}")) for each in (RUN.id, NEXT.format(1), NEXT.format(2))
        )
        assert b"<figure>" not in first
        assert b"over the last 2 runs" in second
        assert b"over the last 2 runs" in narrowed

    def test_an_estate_that_stays_the_same_has_none(self, store: Store) -> None:
        list_resource_groups(work_on(store, full_estate(ONE, TWO)))

        assert run_again(store, full_estate(TWO, ONE)).counts.items() >= NONE.items()
        assert changed(store) == []

    def test_of_each_subscription_in_every_output(self, store: Store) -> None:
        list_resource_groups(work_on(store, full_estate(ONE, TWO)))
        estate = without(full_estate(ONE, TWO), ONE, "rg-a")
        estate.groups[TWO.id] = [*estate.groups[TWO.id], [resource_group(TWO, "rg-c")]]
        estate.lock_pages[TWO.id] = [[lock(f"/subscriptions/{TWO.id}/resourceGroups/rg-b")]]

        summary = run_again(store, estate)

        assert changed(store) == [
            ("gone", ONE.id, "rg-a"),
            ("changed", TWO.id, "rg-B"),
            ("new", TWO.id, "rg-c"),
        ]
        assert summary.counts.items() >= {"new_groups": 1, "gone_groups": 1, "changed_groups": 1}.items()
        assert [each.changes for each in summary.verdicts] == [
            {"new": 0, "gone": 1, "changed": 0},
            {"new": 1, "gone": 0, "changed": 1},
        ]
        page = b"".join(store.chunks(f"runs/{NEXT.format(1)}/{REPORT}"))
        assert page.count(b'<td class="word">gone</td>') == 1

    @pytest.mark.parametrize("list_name", ["resource_groups", "resources", "locks"])
    @pytest.mark.parametrize("page", [1, 2])
    def test_an_incomplete_reading_says_nothing_and_is_compared_with_by_nobody(
        self, store: Store, list_name: str, page: int
    ) -> None:
        """The run after it compares with the complete one before."""
        list_resource_groups(work_on(store, full_estate(ONE, TWO)))
        estate = without(full_estate(ONE, TWO), ONE, "rg-a")
        estate.lock_pages[ONE.id] = [[]]
        estate.fail_on[(list_name, ONE.id, page)] = NO_ROLE

        summary = run_again(store, estate, 1)

        assert changed(store, 1) == []
        assert [each.changes for each in summary.verdicts] == [None, {"new": 0, "gone": 0, "changed": 0}]
        run_again(store, without(full_estate(ONE, TWO), ONE, "rg-a"), 2)
        assert changed(store, 2) == [("gone", ONE.id, "rg-a")]
        since = msgspec.json.decode(b"".join(store.chunks(f"runs/{NEXT.format(2)}/{CHANGES}")), type=GroupChange).since
        assert since == NOW

    def test_a_subscription_that_is_not_listed_any_more_has_lost_no_group(self, store: Store) -> None:
        """It is named, by every run, and compared again when it comes back."""
        list_resource_groups(work_on(store, full_estate(ONE, TWO)))
        for number in (1, 2):
            summary = run_again(store, full_estate(TWO), number)

            assert summary.status is RunStatus.PARTIAL
            assert summary.error is not None
            assert ONE.id in summary.error
            assert [each.reading for each in summary.verdicts] == [Reading.NOT_VISIBLE, Reading.COMPLETE]
            assert changed(store, number) == []
        run_again(store, without(full_estate(ONE, TWO), ONE, "rg-B"), 3)

        assert changed(store, 3) == [("gone", ONE.id, "rg-B")]

    def test_a_run_of_a_narrower_request_neither_forgets_nor_invents_subscriptions(self, store: Store) -> None:
        list_resource_groups(work_on(store, full_estate(ONE, TWO)))

        narrowed = run_again(store, full_estate(TWO), 1, scope=None)
        assert [each.reading for each in narrowed.verdicts] == [Reading.NOT_VISIBLE, Reading.COMPLETE]
        run = msgspec.structs.replace(RUN, id=NEXT.format(2), scope=RunScope((TWO.id,)))
        assert list_resource_groups(work_on(store, full_estate(TWO, THREE), run)).status is RunStatus.SUCCEEDED

        after = run_again(store, full_estate(TWO), 3)
        assert [(each.subscription_id, each.reading) for each in after.verdicts] == [
            (ONE.id, Reading.NOT_VISIBLE),
            (TWO.id, Reading.COMPLETE),
        ]

    def test_another_scope_makes_nothing_new_or_gone(self, store: Store) -> None:
        narrow = Scope(exclude_resource_groups=("rg-a",))
        list_resource_groups(work_on(store, full_estate(ONE)))

        assert run_again(store, full_estate(ONE), 1, narrow).counts.items() >= NONE.items()
        assert run_again(store, full_estate(ONE), 2).counts.items() >= NONE.items()

    def test_a_damaged_snapshot_is_none(self, store: Store, caplog: pytest.LogCaptureFixture) -> None:
        """The run says nothing of changes there, and the next one does."""
        list_resource_groups(work_on(store, full_estate(ONE)))
        store.write(f"snapshots/{RUN.job}/resource-groups/{ONE.id}.json", b"{")

        assert run_again(store, full_estate(ONE), 1).verdicts[0].changes is None
        assert "cannot be read, so nothing is compared with it" in caplog.text
        assert run_again(store, full_estate(ONE), 2).counts.items() >= NONE.items()

    def test_a_run_that_was_overtaken_does_not_make_the_next_one_tell_changes_twice(self, store: Store) -> None:
        """It was killed after it had read, another run came first, and then it went on."""
        list_resource_groups(work_on(store, full_estate(ONE)))
        with pytest.raises(Killed):
            run_again(DiesAtTheOutputs(store), full_estate(ONE), 1)
        estate = without(full_estate(ONE), ONE, "rg-a")
        run_again(store, estate, 2)
        assert changed(store, 2) == [("gone", ONE.id, "rg-a")]

        run_again(store, estate, 1)
        run_again(store, estate, 3)

        assert changed(store, 1) == changed(store, 3) == []

    def test_a_run_is_never_compared_with_itself(self, store: Store) -> None:
        """It died while it kept its snapshots, and goes on under the scope of a deployment: that is no `no change`."""
        list_resource_groups(work_on(store, full_estate(ONE)))
        estate = without(full_estate(ONE), ONE, "rg-a")
        run_again(store, estate, 1)

        again = run_again(store, estate, 1, Scope(exclude_resource_groups=("x",)))

        assert [each.changes for each in again.verdicts] == [None]

    @pytest.mark.parametrize("after", [False, True], ids=["before-the-write", "after-the-write"])
    def test_a_run_that_dies_anywhere_reports_the_same_changes_when_it_goes_on(
        self, tmp_path: Path, *, after: bool
    ) -> None:
        """Killed at each call of the store in turn, among them those that write the snapshots."""
        estate = [ONE, TWO]
        expected = [("gone", ONE.id, "rg-a"), ("gone", TWO.id, "rg-B")]
        for calls in itertools.count(1):
            store = open_store((tmp_path / str(calls)).as_uri())
            list_resource_groups(work_on(store, full_estate(*estate)))

            def later() -> FakeEstate:
                return without(without(full_estate(*estate), ONE, "rg-a"), TWO, "rg-B")

            try:
                run_again(DeadAfter(store, calls, after=after), later())
            except Killed:
                killed = True
            else:
                killed = False
            summary = run_again(store, later())
            assert changed(store) == expected
            assert summary.counts["gone_groups"] == 2
            assert run_again(store, later(), 2).counts.items() >= NONE.items()
            if not killed:
                break
        assert calls > 20


class TestEmptyScope:
    def test_patterns_that_leave_no_group_fail_the_run_in_words(self, store: Store) -> None:
        summary = list_resource_groups(work_on(store, full_estate(ONE, TWO), scope=Scope(resource_groups=("prd-*",))))

        assert summary.status is RunStatus.FAILED
        assert summary.error == (
            "No resource group is in scope, of 4 that were read: [scope] of steward.toml takes resource groups 'prd-*'."
        )

    def test_patterns_that_leave_no_resource_fail_the_run_in_words(self, store: Store) -> None:
        scope = Scope(resource_types=("Microsoft.Sql/*",), exclude_resource_types=("*/databases",))

        summary = list_resource_groups(work_on(store, full_estate(ONE, TWO), scope=scope))

        assert summary.status is RunStatus.FAILED
        assert summary.error == (
            "No resource is in scope, of 6 that were read: [scope] of steward.toml takes resource types "
            "'Microsoft.Sql/*' except '*/databases'."
        )

    def test_an_estate_without_groups_is_empty_and_read(self, store: Store) -> None:
        """That is a fact about Azure, and none about the patterns."""
        summary = list_resource_groups(work_on(store, FakeEstate([ONE]), scope=Scope(resource_groups=("prd-*",))))

        assert (summary.status, summary.counts["resource_groups"]) == (RunStatus.SUCCEEDED, 0)

    def test_unread_groups_may_be_in_scope(self, store: Store) -> None:
        estate = full_estate(ONE, TWO)
        estate.fail_on[("resource_groups", TWO.id, 1)] = NO_ROLE

        summary = list_resource_groups(work_on(store, estate, scope=Scope(resource_groups=("prd-*",))))

        assert summary.status is RunStatus.PARTIAL
        assert TWO.id in (summary.error or "")


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
        done = {owner for name, owner in first.reads if name == "resources"}
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


@given(data=some.data())
def test_the_order_of_azures_lists_makes_no_difference(data: some.DataObject) -> None:
    """Two readings of one estate give the same lines, however its items are ordered and cut into pages."""
    groups = [resource_group(ONE, name) for name in ("a", "B", "c")]
    kinds = ("x.y/Z", "X.y/z", "a.b/c")
    found = [resource(resource_id(group, kind[:3]), kind) for group in groups for kind in kinds]
    locks = [lock(group.id, name) for group in groups for name in ("k", "L")]

    def reading() -> list[ResourceGroup]:
        pages: list[Any] = [paged(data, data.draw(some.permutations(items))) for items in (groups, found, locks)]
        estate = FakeEstate([ONE], {ONE.id: pages[0]}, {ONE.id: pages[1]}, locks={ONE.id: pages[2]})
        return read_subscription(estate, ONE, Scope())[1]

    assert msgspec.json.encode(reading()) == msgspec.json.encode(reading())
