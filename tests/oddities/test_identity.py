"""Casing and names, by which things are told apart: oddities 10 to 18, and 32 as far as it is about identity."""

from collections import Counter
from urllib.parse import unquote

import pytest

from shared_code.errors import UnreadableAnswer
from shared_code.resource_groups import merged
from shared_code.resource_ids import group_key, key, scopes_of, type_and_name
from shared_code.scope import Scope
from tests.azure_api.conftest import Azure
from tests.oddities.recorded import Recordings
from tests.oddities.wire import ROOT, Wire, group, lock, resource

GROUP = f"{ROOT}/resourceGroups/rg-One"


class TestUpperCaseGroups:
    """10: compute writes the group in capitals, others as it was created; whole ids are compared without case."""

    SPELLINGS = ("RG-ONE/Microsoft.Compute/disks/d", "rg-One/Microsoft.Network/networkInterfaces/n")

    def test_all_of_a_groups_resources_are_counted_in_it(self, wire: Wire) -> None:
        resources = map(resource, [*self.SPELLINGS, "rg-two/Microsoft.Web/sites/s"])
        wire.lists([group("rg-One"), group("RG-TWO")], resources)
        verdict, groups = wire.whole()

        assert {name: each.resources for name, each in groups.items()} == {"rg-One": 2, "RG-TWO": 1}
        assert verdict.resources == 3

    def test_a_group_listed_in_two_spellings_is_one(self, wire: Wire) -> None:
        wire.lists([group("rg-One"), group("RG-ONE")], map(resource, self.SPELLINGS))
        verdict, groups = wire.whole()

        assert (verdict.resource_groups, sum(each.resources or 0 for each in groups.values())) == (1, 2)

    def test_ids_stay_as_received(self, wire: Wire) -> None:
        items = [resource(each) for each in self.SPELLINGS]

        assert [each.id for each in wire.resources(*items)] == [item["id"] for item in items]

    def test_a_reference_finds_its_target(self, wire: Wire) -> None:
        """A machine listed in capitals refers to its disk as it was created."""
        machine = "/resourceGroups/rg-one/providers/Microsoft.Compute/virtualMachines/VM"
        (disk,) = wire.resources(resource(self.SPELLINGS[0], managedBy=ROOT.upper() + machine.upper()))

        assert disk.owner is not None
        assert key(disk.owner) == key(ROOT + machine)

    @pytest.mark.parametrize(
        "name",
        [
            "resources-list-sub__c7n-testvm",
            "list-vms__c7n",
            "list-availabilitysets__cli-upper-rg",
            "list-snapshots__c7n",
            "list-nsgs__c7n-many",
        ],
    )
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        found = wire.replay(recording, into="resources")
        starts = {"/".join(item["id"].split("/")[:5]) for item in recording.items}

        assert [each.id for each in found] == [item["id"] for item in recording.items]
        assert {group_key(each.id) for each in found} == {start.lower() for start in starts}
        assert any(start.rsplit("/", 1)[1].isupper() for start in starts)


class TestSegments:
    """11: /resourcegroups/ in lower case, /Subscriptions/ with a capital, providers in lower case; in lock ids too."""

    @pytest.mark.parametrize(
        "spelling",
        [GROUP, GROUP.replace("resourceGroups", "resourcegroups"), GROUP.replace("/sub", "/Sub"), f"{GROUP.upper()}/"],
    )
    def test_it_is_the_same_group(self, wire: Wire, spelling: str) -> None:
        start = spelling.rstrip("/")
        wire.lists(
            [group("rg-One")],
            [
                resource("rg-One/Microsoft.Storage/storageAccounts/st")
                | {"id": f"{start}/providers/microsoft.storage/a/b"}
            ],
            [lock(f"{start}/providers/microsoft.storage/storageaccounts/st", "on-account"), lock(start, "on-group")],
        )
        _, groups = wire.whole()

        assert group_key(spelling) == key(GROUP)
        assert groups["rg-One"].resources == 1
        assert [each.name for each in groups["rg-One"].locks or ()] == ["on-group", "on-account"]

    def test_recorded_locks(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("locks-list__cli-lowercase-provider")
        found = wire.replay(recording, into="locks")

        assert len(found) == len(recording.items)
        for each, item in zip(found, recording.items, strict=True):
            assert item["id"] == f"{each.scope}/providers/Microsoft.Authorization/locks/{each.name}"
        assert any("/resourcegroups/" in each.scope for each in found)
        assert any("/providers/microsoft." in each.scope for each in found)

    def test_a_recorded_lock(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("lock-create__cli-subnet")
        (found,) = wire.locks(recording.body)

        assert "/resourcegroups/" in found.id
        assert group_key(found.scope) in scopes_of(found.id)


class TestSpellingsOfTypes:
    """12: one type is spelled differently by different lists, and in its own id; types are compared without case."""

    SPELLINGS = (
        ("Microsoft.Web/serverfarms", "Microsoft.Web/serverFarms"),
        ("Microsoft.EventHub/Namespaces", "Microsoft.EventHub/namespaces"),
        ("microsoft.insights/components", "Microsoft.Insights/components"),
    )

    @pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda pair: pair[0])
    def test_they_are_counted_as_one(self, wire: Wire, spellings: tuple[str, str]) -> None:
        items = [resource(f"rg-One/{kind}/{number}") for number, kind in enumerate(spellings)]
        wire.lists([group("rg-One")], items)
        _, groups = wire.whole()

        assert groups["rg-One"].resource_types == merged(Counter(spellings)) == {min(spellings): 2}

    @pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda pair: pair[0])
    def test_a_pattern_means_both(self, spellings: tuple[str, str]) -> None:
        excluding = Scope(exclude_resource_types=spellings[:1])

        assert not any(excluding.includes_type(each) for each in spellings)

    @pytest.mark.parametrize("name", ["list-serverfarms__cli-nextlink-null", "resource-get__net-eventhub-type-case"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)

        for each, item in zip(wire.replay(recording, into="resources"), recording.items, strict=True):
            told = type_and_name(each.id)
            assert told is not None
            assert each.type == item["type"]
            assert Scope(resource_types=(told[0],)).includes_type(each.type)


class TestOwnersElsewhere:
    """13: a disk is managed by a machine of another group, so a resource's group is that of its own id only.

    What that means for either group comes with the cleanup.
    """

    def test_it_counts_where_it_is(self, wire: Wire) -> None:
        machine = f"{ROOT}/resourceGroups/rg-machines/providers/Microsoft.Compute/virtualMachines/vm"
        disk = resource("rg-disks/Microsoft.Compute/disks/d", managedBy=machine)
        wire.lists([group("rg-disks"), group("rg-machines")], [disk])
        _, groups = wire.whole()

        assert {name: each.resources for name, each in groups.items()} == {"rg-disks": 1, "rg-machines": 0}
        (found,) = wire.resources(disk)
        assert found.owner == machine
        assert group_key(found.id) != group_key(found.owner)


class TestNesting:
    """14: nested types have names x/y or y, and an extension's id has a second /providers/; the id tells the place."""

    DATABASE = f"{GROUP}/providers/Microsoft.Sql/servers/srv/databases/orders"
    SETTING = f"{DATABASE}/providers/Microsoft.Insights/diagnosticSettings/to-workspace"

    @pytest.mark.parametrize("name", ["srv/orders", "orders"])
    def test_both_names_stay_as_received(self, wire: Wire, name: str) -> None:
        (found,) = wire.resources({"id": self.DATABASE, "name": name, "type": "Microsoft.Sql/servers/databases"})

        assert (found.name, found.type) == (name, "Microsoft.Sql/servers/databases")

    def test_an_extension_has_a_type_of_its_own_and_lies_in_what_it_extends(self) -> None:
        assert type_and_name(self.SETTING) == ("Microsoft.Insights/diagnosticSettings", "to-workspace")
        assert type_and_name(self.DATABASE) == ("Microsoft.Sql/servers/databases", "srv/orders")
        assert scopes_of(self.SETTING) == [
            key(each) for each in (ROOT, GROUP, self.DATABASE.rsplit("/", 2)[0], self.DATABASE, self.SETTING)
        ]

    def test_all_are_in_the_group(self, wire: Wire) -> None:
        wire.lists(
            [group("rg-One")], [{"id": each, "name": "n", "type": "T/t"} for each in (self.DATABASE, self.SETTING)]
        )
        _, groups = wire.whole()

        assert groups["rg-One"].resources == 2

    @pytest.mark.parametrize("name", ["resources-list-sub__c7n-mixed", "list-sqldbs__c7n"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        found = [each for each in wire.replay(recording, into="resources") if each.type.count("/") > 1]

        assert found
        for each in found:
            told = type_and_name(each.id)
            assert told is not None
            assert told[0].casefold() == each.type.casefold()
            assert each.name.casefold() in (told[1].casefold(), told[1].rsplit("/", 1)[1].casefold())

    def test_a_recorded_lock_three_levels_down(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("lock-create__cli-mongo-3level")
        (found,) = wire.locks(recording.body)
        told = type_and_name(found.scope)

        assert told is not None
        assert told[0] == "Microsoft.DocumentDB/databaseAccounts/mongodbDatabases/collections"
        assert len(scopes_of(found.scope)) == 5


class TestNamesAndIds:
    """15: name and end of the id differ in case or percent-encoding, and names hold blanks, parentheses and @."""

    @pytest.mark.parametrize(
        ("name", "segment"),
        [
            ("LabVmAutoStart", "labvmautostart"),
            ("Slow answers (shop)", "Slow%20answers%20(shop)"),
            ("mail@example.com", "mail%40example.com"),
            ("Überwachung", "%C3%9Cberwachung"),
            ("50% full", "50%25%20full"),
        ],
    )
    def test_both_stay_as_received_and_mean_one_thing(self, wire: Wire, name: str, segment: str) -> None:
        start = f"{GROUP}/providers/microsoft.insights/metricalerts/"
        (found,) = wire.resources({"id": start + segment, "name": name, "type": "microsoft.insights/metricalerts"})

        assert (found.id, found.name) == (start + segment, name)
        assert key(found.id) == key(start + unquote(segment)) == (start + name).casefold()

    def test_an_encoded_slash_belongs_to_the_name(self) -> None:
        """Were it decoded, the id would be that of a child."""
        assert key(f"{GROUP}/providers/A.B/c/x%2Fy") != key(f"{GROUP}/providers/A.B/c/x/y")

    def test_a_lock_finds_what_it_is_on(self, wire: Wire) -> None:
        on = f"{GROUP}%20(old)/providers/microsoft.insights/metricalerts/Slow%20answers"
        wire.lists([group("rg-One (old)"), group("rg-One")], locks=[lock(on)])
        _, groups = wire.whole()

        assert {name: len(each.locks or ()) for name, each in groups.items()} == {"rg-One (old)": 1, "rg-One": 0}

    def test_recorded(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("resource-get__net-percent-in-id")
        (found,) = wire.replay(recording, into="resources")

        assert "%20" in found.id
        assert found.name == unquote(found.id.rsplit("/", 1)[1]) != found.id.rsplit("/", 1)[1]


class TestPathsThatAreAsked:
    """16: Resource Manager takes double slashes and percent-encoded scopes in paths; a link with them is followed."""

    @pytest.mark.parametrize(
        "path", [f"{ROOT}/providers/Microsoft.Compute//disks", f"/{ROOT.replace('/', '%2F')}/locks"]
    )
    def test_the_path_of_a_link_is_kept(self, wire: Wire, path: str) -> None:
        wire.pages({"value": [], "nextLink": f"{wire.url}{path}?$skiptoken=1"}, {"value": []})

        assert wire.read("locks") == []
        assert wire.asked[-1] == f"{path}?$skiptoken=1"

    def test_an_id_with_a_double_slash_is_the_same_id(self) -> None:
        assert key(f"{GROUP}/providers/Microsoft.Compute//disks/d") == key(
            f"{GROUP}/providers/Microsoft.Compute/disks/d"
        )

    @pytest.mark.parametrize("name", ["locks-list__net-disk", "lock-create__net-rg"])
    def test_recorded_answers_to_such_paths_have_plain_ids(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        found = wire.locks(*recording.items)

        assert len(found) == len(recording.items)
        for each in found:
            assert "//" not in each.scope
            assert "%" not in each.scope
            assert group_key(each.scope) is not None


class TestLocations:
    """17: a location is short, a display name, camel case, "global", or absent; it is shown as received."""

    FORMS = ("westeurope", "West Europe", "WestEurope", "East US 2 EUAP", "global", "")

    @pytest.mark.parametrize("form", FORMS)
    def test_as_received(self, wire: Wire, form: str) -> None:
        assert wire.groups(group("rg-One", location=form))[0].location == form
        assert wire.resources(resource("rg-One/A.B/c/d", location=form))[0].location == (form or None)

    @pytest.mark.parametrize("odd", [None, 5, ["westeurope"], {"name": "westeurope"}], ids=str)
    def test_none_or_something_else_is_unknown(self, wire: Wire, odd: object) -> None:
        """It only describes, so nothing else becomes unreadable."""
        assert wire.groups(group("rg-One", location=odd))[0].location == ""
        assert wire.resources(resource("rg-One/A.B/c/d", location=odd))[0].location is None

    def test_absent(self, wire: Wire) -> None:
        without = {name: each for name, each in resource("rg-One/A.B/c/d").items() if name != "location"}

        assert wire.resources(without)[0].location is None

    @pytest.mark.parametrize("name", ["list-serverfarms__cli-nextlink-null", "resource-get__net-eventhub-type-case"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        found = [each.location for each in wire.replay(recording, into="resources")]

        assert found == [item["location"] for item in recording.items]
        assert any(" " in str(each) for each in found)


class TestGroupsWithoutType:
    """18: resource groups of old api-versions have no "type"; nothing needs it."""

    def test_they_are_groups(self, wire: Wire) -> None:
        old = {name: each for name, each in group("rg-One").items() if name != "type"}

        assert [each.name for each in wire.groups(old)] == ["rg-One"]

    @pytest.mark.parametrize("name", ["rg-get__c7n-emptytags-notype", "rg-get__xplat-notype"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)
        (found,) = wire.replay(recording, into="groups")

        assert "type" not in recording.body
        assert (found.id, found.name) == (recording.body["id"], recording.body["name"])

    def test_a_resource_without_type_has_that_of_its_id(self, wire: Wire) -> None:
        """The first network providers left it out; the id tells it for certain."""
        whole = resource("rg-One/Microsoft.Network/virtualNetworks/v/subnets/s")
        without = [{k: v for k, v in whole.items() if k != missing} for missing in ("type", "name")]

        for each in wire.resources(*without):
            assert (each.type, each.name) == (whole["type"], whole["name"])

    @pytest.mark.parametrize(
        ("missing", "odd"),
        [("type", GROUP), ("type", f"{GROUP}/providers/A.B/c"), ("name", "/x"), ("type", f"{GROUP}/providers/A.B//d")],
    )
    def test_what_the_id_does_not_tell_is_not_guessed(self, wire: Wire, missing: str, odd: str) -> None:
        item = {k: v for k, v in resource("rg-One/A.B/c/d").items() if k != missing} | {"id": odd}

        with pytest.raises(
            UnreadableAnswer, match=rf"^cannot read resources: '{odd}' has no {missing}, and its id tells"
        ):
            wire.resources(item)

    def test_a_recorded_resource_without_type(self, wire: Wire, recordings: Recordings) -> None:
        (recording,) = recordings.named("list-routetables__ps-nextlink__01")
        (found,) = wire.replay(recording, into="resources")

        assert "type" not in recording.items[0]
        assert found.type == "Microsoft.Network/routeTables"


class TestSystemChildren:
    """32: what a service makes for itself is listed like anything else; as far as reading goes, it is told apart.

    Whether it may be cleaned up comes with the cleanup.
    """

    def test_its_marks_are_kept(self, wire: Wire) -> None:
        master = resource("rg-One/Microsoft.Sql/servers/srv/databases/master", kind="v12.0,system", managedBy="")
        solution = resource(
            "rg-One/Microsoft.OperationsManagement/solutions/Updates(log)",
            plan={
                "name": "Updates(log)",
                "publisher": "Microsoft",
                "promotionCode": "",
                "product": "OMSGallery/Updates",
            },
            identity={"type": "None"},
        )
        first, second = wire.resources(master, solution)

        assert (first.name, first.kind, first.owner) == ("srv/master", "v12.0,system", None)
        assert (second.plan_name, second.identity_kind) == ("Updates(log)", "None")

    @pytest.mark.parametrize(
        ("plan", "identity", "sku"),
        [
            (None, None, None),
            ({}, {}, {}),
            ("standard", "SystemAssigned", "Standard_LRS"),
            ({"name": 5}, {"type": None, "userAssignedIdentities": {"/a": None, "/b": {}}}, {"name": 1, "capacity": 2}),
            ([], 0, ["Basic"]),
        ],
        ids=["null", "empty", "text", "odd", "lists"],
    )
    def test_odd_ones_break_nothing(self, wire: Wire, plan: object, identity: object, sku: object) -> None:
        (found,) = wire.resources(resource("rg-One/A.B/c/d", plan=plan, identity=identity, sku=sku, kind=""))

        assert (found.plan_name, found.identity_kind, found.sku_name, found.kind) == (None, None, None, None)
        assert (found.plan, found.identity, found.sku) == (plan, identity, sku)

    @pytest.mark.parametrize("name", ["list-sqldbs__c7n", "resources-list-sub__cli-expand-page__01"])
    def test_recorded(self, wire: Wire, recordings: Recordings, name: str) -> None:
        (recording,) = recordings.named(name)

        for each, item in zip(wire.replay(recording, into="resources"), recording.items, strict=True):
            assert (each.kind, each.owner) == (item.get("kind"), item.get("managedBy"))
            assert each.plan_name == (item.get("plan") or {}).get("name")
            assert each.sku_name == (item.get("sku") or {}).get("name")
            assert each.identity_kind == (item.get("identity") or {}).get("type")


def test_the_estate_of_one_of_each(azure: Azure) -> None:
    """10 to 17 in one: every resource of the simulated `Casing and names` is counted in exactly one group."""
    casing = next(each for each in azure.simulator.estate.subscriptions if each.name == "Casing and names")
    known = next(each for each in azure.estate.subscriptions() if each.id == casing.id)
    groups = {key(each.id) for page in azure.estate.resource_groups(known) for each in page}
    found = [each for page in azure.estate.resources(known) for each in page]

    assert len(found) == casing.resource_count
    assert {group_key(each.id) for each in found} <= groups
