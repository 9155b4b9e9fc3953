"""Changes of resource groups: only what two complete readings show, under both their scopes."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.group_changes import Change, GroupChange, Snapshot, changes
from shared_code.model import Lock, ResourceGroup
from shared_code.resource_ids import key
from shared_code.scope import Scope
from tests.fakes import NOW, lock, resource_group, subscription

SHOP = subscription(1, "Shop")
GROUP = msgspec.structs.replace(
    resource_group(
        SHOP,
        "rg-Web",
        {"Owner": "Team", "DoNotDelete": None},
        managed_by=f"/subscriptions/{SHOP.id}/resourceGroups/rg-x/providers/a.b/c/d",
        created=datetime(2026, 1, 1, tzinfo=UTC),
    ),
    location="West Europe",
    resources=3,
    resource_types={"Microsoft.Web/sites": 1, "microsoft.insights/components": 2},
    locks=(lock(f"/subscriptions/{SHOP.id}/resourceGroups/rg-Web"),),
)


def before(*groups: ResourceGroup, scope: Scope | None = None) -> Snapshot:
    return Snapshot("a-run", NOW, scope or Scope(), groups)


def told(found: list[GroupChange]) -> list[tuple[Change, str]]:
    return [(each.change, each.name) for each in found]


class TestChanges:
    def test_new_gone_and_changed_in_the_order_of_their_ids(self) -> None:
        kept, gone, new = (resource_group(SHOP, name) for name in ("b", "C", "A"))
        tagged = resource_group(SHOP, "b", {"owner": "x"})

        found = changes(before(kept, gone), [tagged, new], Scope())

        assert told(found) == [(Change.NEW, "A"), (Change.CHANGED, "b"), (Change.GONE, "C")]
        assert {(each.subscription_id, each.subscription_name, each.since) for each in found} == {
            (SHOP.id, "Shop", NOW)
        }
        assert [each.fields for each in found] == [{}, {"tags": ({}, {"owner": "x"})}, {}]

    def test_the_first_reading_of_an_empty_subscription_is_a_reading(self) -> None:
        assert told(changes(before(), [GROUP], Scope())) == [(Change.NEW, "rg-Web")]
        assert told(changes(before(GROUP), [], Scope())) == [(Change.GONE, "rg-Web")]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("location", "northeurope"),
            ("tags", {"Owner": "team", "DoNotDelete": None}),
            ("tags", {"Owner": "Team", "DoNotDelete": ""}),
            ("tags", {"Owner": "Team"}),
            ("managed_by", None),
            ("provisioning_state", "Deleting"),
            ("created", datetime(2026, 2, 1, tzinfo=UTC)),
            ("resource_types", {"Microsoft.Web/sites": 1}),
            ("locks", ()),
            ("locks", (lock(GROUP.id, level="ReadOnly"),)),
            ("locks", (lock(GROUP.id, "other"),)),
            ("locks", (msgspec.structs.replace(lock(GROUP.id), notes="why"),)),
        ],
    )
    def test_a_field_that_differs_is_told_with_both_values(self, field: str, value: object) -> None:
        after = msgspec.structs.replace(GROUP, **{field: value})

        (found,) = changes(before(GROUP), [after], Scope())

        assert (found.change, found.fields) == (Change.CHANGED, {field: (getattr(GROUP, field), value)})

    @pytest.mark.parametrize(
        "fields",
        [
            {"location": "westeurope"},
            {"tags": {"OWNER": "Team", "donotdelete": None}},
            {"managed_by": str(GROUP.managed_by).upper()},
            {"provisioning_state": "succeeded"},
            {"resource_types": {"microsoft.web/SITES": 1, "Microsoft.Insights/components": 2}},
            {
                "locks": (
                    lock(GROUP.id.replace("resourceGroups/rg-Web", "resourcegroups/RG-WEB"), level="cannotdelete"),
                )
            },
            {"id": GROUP.id.upper(), "name": "RG-WEB"},
            {"subscription_name": "Renamed"},
        ],
    )
    def test_spelling_is_no_change(self, fields: dict[str, object]) -> None:
        """Azure changes it by itself; only the values of tags are compared with case."""
        assert changes(before(GROUP), [msgspec.structs.replace(GROUP, **fields)], Scope()) == []

    @pytest.mark.parametrize("field", ["created", "resource_types", "locks"])
    def test_unknown_is_no_change(self, field: str) -> None:
        """Neither when it becomes unknown nor when it becomes known."""
        unknown = msgspec.structs.replace(GROUP, **{field: None})

        assert changes(before(GROUP), [unknown], Scope()) == []
        assert changes(before(unknown), [GROUP], Scope()) == []

    def test_made_again_is_a_change_of_its_creation(self) -> None:
        again = msgspec.structs.replace(GROUP, created=NOW)

        (found,) = changes(before(GROUP), [again], Scope())

        assert set(found.fields) == {"created"}

    @pytest.mark.parametrize(
        ("then", "now"),
        [
            (Scope(), Scope(exclude_resource_groups=("RG-*",))),
            (Scope(), Scope(resource_groups=("other",))),
            (Scope(exclude_resource_groups=("rg-web",)), Scope()),
            (Scope(resource_groups=()), Scope()),
        ],
    )
    def test_what_one_of_the_scopes_leaves_out_did_not_come_or_go(self, then: Scope, now: Scope) -> None:
        was = [GROUP] if then.includes_group(GROUP.name) else []
        is_now = [GROUP] if now.includes_group(GROUP.name) else []

        assert changes(before(*was, scope=then), is_now, now) == []

    def test_groups_whose_names_differ_in_a_sharp_s_are_two(self) -> None:
        one, other = resource_group(SHOP, "rg-straße"), resource_group(SHOP, "rg-strasse")

        assert told(changes(before(one, other), [other], Scope())) == [(Change.GONE, "rg-straße")]


TEXT = some.sampled_from(["a", "A", "b B", "ß", ""])
NAMES = some.sampled_from(["a", "A", "b", "B", "ab", "Ba", "c"])
LOCKS = some.builds(
    lambda name, level, notes: Lock(f"/s/{name}", name, level, "/s", notes),
    NAMES,
    some.sampled_from(["CanNotDelete", "ReadOnly"]),
    some.none() | TEXT,
)


@some.composite
def groups(draw: some.DrawFn) -> ResourceGroup:
    group = resource_group(
        SHOP,
        draw(NAMES),
        draw(some.dictionaries(some.sampled_from(["k", "Q", "x y"]), some.none() | TEXT)),
        managed_by=draw(some.none() | TEXT),
        provisioning_state=draw(some.none() | TEXT),
        created=draw(some.none() | some.just(NOW) | some.just(NOW - timedelta(days=1))),
    )
    return msgspec.structs.replace(
        group,
        location=draw(TEXT),
        resource_types=draw(some.none() | some.dictionaries(some.sampled_from(["t/a", "T/b"]), some.integers(1, 3))),
        locks=draw(some.none() | some.lists(LOCKS, max_size=2, unique_by=lambda each: key(each.id)).map(tuple)),
    )


READINGS = some.lists(groups(), max_size=4, unique_by=lambda group: key(group.id))
PATTERNS = some.lists(some.sampled_from(["*", "a*", "?", "B", "c"]), max_size=2).map(tuple)
SCOPES = some.builds(Scope, resource_groups=some.just(("*",)) | PATTERNS, exclude_resource_groups=PATTERNS)


def within(reading: list[ResourceGroup], scope: Scope) -> list[ResourceGroup]:
    return [group for group in reading if scope.includes_group(group.name)]


def respelled(group: ResourceGroup) -> ResourceGroup:
    """The same group as Azure may spell it the next time."""
    return msgspec.structs.replace(
        group,
        id=group.id.replace("resourceGroups", "RESOURCEGROUPS"),
        name=group.name.swapcase(),
        location="".join(f"{letter} " for letter in group.location.swapcase()) if "ß" not in group.location else "ß",
        tags={name.swapcase(): value for name, value in group.tags.items()},
        resource_types=group.resource_types and {name.swapcase(): n for name, n in group.resource_types.items()},
        locks=group.locks
        and tuple(msgspec.structs.replace(each, id=each.id.upper(), level=each.level.lower()) for each in group.locks),
    )


class TestOverRandomReadings:
    @given(old=READINGS, new=READINGS, then=SCOPES, now=SCOPES)
    def test_only_what_both_scopes_include_comes_or_goes(
        self, old: list[ResourceGroup], new: list[ResourceGroup], then: Scope, now: Scope
    ) -> None:
        was, is_now = within(old, then), within(new, now)

        found = changes(before(*was, scope=then), is_now, now)

        keys = {"was": {key(group.id) for group in was}, "is": {key(group.id) for group in is_now}}
        for each in found:
            assert then.includes_group(each.name)
            assert now.includes_group(each.name)
            assert (key(each.id) in keys["was"]) is (each.change is not Change.NEW)
            assert (key(each.id) in keys["is"]) is (each.change is not Change.GONE)
        lost = {group.name for group in was if key(group.id) not in keys["is"] and now.includes_group(group.name)}
        assert {each.name for each in found if each.change is Change.GONE} == lost

    @given(reading=READINGS, scope=SCOPES)
    def test_a_reading_has_not_changed_since_itself(self, reading: list[ResourceGroup], scope: Scope) -> None:
        """Whatever the case of ids, keys, types and levels, and however locations are spelled."""
        found = within(reading, scope)

        assert changes(before(*found, scope=scope), found, scope) == []
        assert changes(before(*found, scope=scope), reversed([respelled(each) for each in found]), scope) == []

    @given(one=READINGS, other=READINGS)
    def test_forth_and_back_are_opposites(self, one: list[ResourceGroup], other: list[ResourceGroup]) -> None:
        forth, back = changes(before(*one), other, Scope()), changes(before(*other), one, Scope())

        opposite = {Change.NEW: Change.GONE, Change.GONE: Change.NEW, Change.CHANGED: Change.CHANGED}
        assert [(opposite[each.change], key(each.id)) for each in forth] == [
            (each.change, key(each.id)) for each in back
        ]
        assert [each.fields for each in forth] == [
            {field: (after, was) for field, (was, after) in each.fields.items()} for each in back
        ]

    @given(one=READINGS, other=READINGS)
    def test_a_change_survives_the_store(self, one: list[ResourceGroup], other: list[ResourceGroup]) -> None:
        """As lines, and compared with a snapshot that was kept."""
        kept = msgspec.json.decode(msgspec.json.encode(before(*one)), type=Snapshot)

        found = changes(kept, other, Scope())

        assert found == changes(before(*one), other, Scope())
        for each in found:
            again = msgspec.json.decode(msgspec.json.encode(each), type=GroupChange)
            assert msgspec.json.encode(again) == msgspec.json.encode(each)
