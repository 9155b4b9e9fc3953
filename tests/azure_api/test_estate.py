"""The estate as Azure lists it, against simulated estates as odd as the real ones."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from devkit.simulator import Estate, Simulator, load_estate
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.estate import AzureEstate
from shared_code.errors import AccessDenied, AzureError, UnreadableAnswer
from shared_code.model import Lock, Resource, ResourceGroup, Subscription
from tests.azure_api.conftest import KNOWN, Azure, Remembering


@pytest.fixture(scope="module", name="odd")
def _odd() -> Iterator[AzureEstate]:
    """A reader of the estate with one of every irregularity."""
    with Simulator(load_estate("odd")) as simulator, pytest.MonkeyPatch.context() as environ:
        for name, value in simulator.environment.items():
            environ.setenv(name, value)
        credential = Remembering()
        yield AzureEstate(
            Arm(simulator.url, simulator.environment["STEWARD_ARM_AUDIENCE"], lambda: credential, lambda _: None)
        )


ODD = load_estate("odd")


def count(estate: AzureEstate, subscription: Subscription) -> tuple[int, int]:
    groups = sum(len(page) for page in estate.resource_groups(subscription))
    return groups, sum(len(page) for page in estate.resources(subscription))


def known(number: int) -> Subscription:
    found = ODD.subscriptions[number - 1]
    return Subscription(found.id, found.name, found.state)


def groups_of(estate: AzureEstate, number: int) -> dict[str, ResourceGroup]:
    return {group.name: group for page in estate.resource_groups(known(number)) for group in page}


class TestOdd:
    def test_subscriptions_are_all_listed_in_any_state_in_id_order(self, odd: AzureEstate) -> None:
        expected = sorted((each.id, each.name, each.state) for each in ODD.subscriptions)

        assert [(found.id, found.name, found.state) for found in odd.subscriptions()] == expected

    @pytest.mark.parametrize("number", range(1, len(ODD.subscriptions) + 1))
    def test_a_list_is_whole_or_an_error(self, odd: AzureEstate, number: int) -> None:
        subscription = ODD.subscriptions[number - 1]
        if subscription.trouble:
            with pytest.raises(AzureError, match=r"^cannot read resource groups"):
                count(odd, known(number))
        else:
            assert count(odd, known(number)) == (subscription.group_count, subscription.resource_count)

    def test_tags_are_as_received_and_never_none(self, odd: AzureEstate) -> None:
        groups = groups_of(odd, 2)

        assert groups["rg-tags-missing"].tags == groups["rg-tags-null"].tags == groups["rg-tags-empty"].tags == {}
        assert groups["rg-empty-protection"].tags == {"DoNotDelete": "", "BuildId": ""}
        assert groups["rg-odd-values"].tags == {"owner": "<b>nobody</b>", "formula": "=1+1"}

    def test_an_empty_managed_by_is_none(self, odd: AzureEstate) -> None:
        groups = groups_of(odd, 3)

        assert groups["rg-managed-by-blank"].managed_by is None
        assert groups["rg-managed-by-text"].managed_by == "test_admin"

    def test_times_are_utc(self, odd: AzureEstate) -> None:
        assert groups_of(odd, 3)["rg-times"].created == datetime(2026, 5, 12, 15, 46, 5, 517_000, tzinfo=UTC)

    def test_states_are_as_received(self, odd: AzureEstate) -> None:
        assert groups_of(odd, 3)["rg-being-deleted"].provisioning_state == "Deleting"

    def test_resources_are_not_counted_yet(self, odd: AzureEstate) -> None:
        assert {group.resources for group in groups_of(odd, 1).values()} == {None}


class TestSubscriptions:
    def listed(self, azure: Azure, *items: dict[str, str]) -> list[Subscription]:
        azure.fault(route="subscriptions", kind="status", status=200, body={"value": items})
        return azure.estate.subscriptions()

    def test_none_is_an_ordinary_answer(self, azure: Azure) -> None:
        assert self.listed(azure) == []

    def test_one_listed_twice_in_another_case_is_one(self, azure: Azure) -> None:
        first, second = {"subscriptionId": "AB-1", "displayName": "x"}, {"subscriptionId": "ab-1", "displayName": "x"}

        assert len(self.listed(azure, first, second)) == 1

    def test_a_name_or_state_may_be_missing(self, azure: Azure) -> None:
        assert self.listed(azure, {"subscriptionId": "ab-1"}) == [Subscription("ab-1", "", "Enabled")]

    @pytest.mark.parametrize(
        "odd", ["", "../x", "a/b", "a b", "a?b", "-a", "a" * 65, "\u212a-1", "a\n", "%2e", "{a}", "\x1b[31m"]
    )
    def test_an_id_that_is_none_makes_the_list_unreadable(self, azure: Azure, odd: str) -> None:
        """It becomes part of addresses and file names."""
        with pytest.raises(
            UnreadableAnswer, match=r"^cannot read the list of subscriptions: '.*' is no subscription id$"
        ):
            self.listed(azure, {"subscriptionId": odd})


SUB = f"/subscriptions/{KNOWN.id}"
DISK: dict[str, Any] = {
    "id": f"{SUB}/resourceGroups/RG-ONE/providers/Microsoft.Compute/disks/d",
    "name": "d",
    "type": "Microsoft.Compute/disks",
}


def resources(azure: Azure, *items: object) -> list[Resource]:
    azure.fault(route="resources", kind="status", status=200, body={"value": items})
    return [each for page in azure.estate.resources(KNOWN) for each in page]


class TestResources:
    def test_every_field(self, azure: Azure) -> None:
        (found,) = resources(
            azure,
            DISK
            | {
                "kind": "functionapp,linux",
                "location": "West Europe",
                "tags": {"Owner": "x", "DoNotDelete": "", "none": None},
                "managedBy": f"{SUB}/resourceGroups/rg-one/providers/Microsoft.Compute/virtualMachines/vm",
                "sku": {"name": "Premium_LRS", "tier": "Premium"},
                "plan": {"name": "p", "publisher": "q"},
                "identity": {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {"/x": {}}},
                "createdTime": "2026-05-12T15:46:05.1234567Z",
                "changedTime": "2026-05-12T08:46:05-07:00",
                "provisioningState": "Succeeded",
                "zones": ["1"],
                "somethingNew": {"a": 1},
            },
        )

        assert (found.id, found.name, found.type) == (DISK["id"], "d", "Microsoft.Compute/disks")
        assert (found.kind, found.location, found.provisioning_state) == (
            "functionapp,linux",
            "West Europe",
            "Succeeded",
        )
        assert found.tags == {"Owner": "x", "DoNotDelete": "", "none": None}
        assert found.owner == found.managed_by
        assert (found.sku_name, found.plan_name, found.identity_kind) == (
            "Premium_LRS",
            "p",
            "SystemAssigned, UserAssigned",
        )
        assert found.created == datetime(2026, 5, 12, 15, 46, 5, 123456, tzinfo=UTC)
        assert found.changed == datetime(2026, 5, 12, 15, 46, 5, tzinfo=UTC)

    def test_nothing_but_an_id_name_and_type(self, azure: Azure) -> None:
        (found,) = resources(azure, DISK)

        facts = (found.kind, found.location, found.tags, found.owner, found.provisioning_state)
        assert facts == (None, None, None, None, None)
        assert (found.sku_name, found.plan_name, found.identity_kind) == (None, None, None)
        assert (found.created, found.changed) == (None, None)

    @pytest.mark.parametrize(
        "odd", [None, "", "Premium", 5, True, [], ["x"], {}, {"name": None, "type": None}, {"name": 1, "type": []}]
    )
    def test_what_only_describes_may_have_any_shape(self, azure: Azure, odd: object) -> None:
        """A resource that is described oddly is still there, and so are the others."""
        found = resources(azure, DISK | {"sku": odd, "plan": odd, "identity": odd}, DISK | {"name": "e"})

        assert [each.name for each in found] == ["d", "e"]
        assert (found[0].sku_name, found[0].plan_name, found[0].identity_kind) == (None, None, None)

    @pytest.mark.parametrize("managed_by", [None, ""])
    def test_an_empty_managed_by_is_no_owner(self, azure: Azure, managed_by: str | None) -> None:
        assert resources(azure, DISK | {"managedBy": managed_by})[0].owner is None

    @pytest.mark.parametrize("time", [None, "", "10/19/2019 1:59:57 PM", "tomorrow", 5, "0001-01-01T00:00:00+14:00"])
    def test_a_time_that_cannot_be_read_with_certainty_is_unknown(self, azure: Azure, time: object) -> None:
        (found,) = resources(azure, DISK | {"createdTime": time, "changedTime": time})

        assert (found.created, found.changed) == (None, None)

    def test_a_name_and_a_type_that_are_missing_are_in_the_id(self, azure: Azure) -> None:
        bare = {"id": f"{SUB}/resourceGroups/g/providers/Microsoft.Sql/servers/s/databases/Orders"}

        (found, other) = resources(azure, bare, DISK | {"type": ""})

        assert (found.type, found.name) == ("Microsoft.Sql/servers/databases", "s/Orders")
        assert (other.type, other.name) == ("Microsoft.Compute/disks", "d")

    @pytest.mark.parametrize(
        "item",
        [
            {},
            {"name": "d", "type": "a.b/c"},
            DISK | {"id": ""},
            DISK | {"id": None},
            {"id": SUB, "name": "d"},
            {"id": f"{SUB}/resourceGroups/g", "type": "a.b/c"},
            DISK | {"tags": ["a"]},
            DISK | {"tags": {"a": {}}},
            DISK | {"managedBy": {}},
            "text",
            None,
        ],
    )
    def test_an_item_that_matters_and_is_damaged_makes_the_list_unreadable(self, azure: Azure, item: object) -> None:
        """What it protects, and where it lies, would be a guess."""
        with pytest.raises(UnreadableAnswer, match=r"^cannot read resources: "):
            resources(azure, DISK, item)


class TestGroups:
    def listed(self, azure: Azure, *items: object) -> list[ResourceGroup]:
        azure.fault(route="resource-groups", kind="status", status=200, body={"value": items})
        return [each for page in azure.estate.resource_groups(KNOWN) for each in page]

    def test_without_all_that_may_be_missing(self, azure: Azure) -> None:
        """Old versions of the API have no type, and some answers neither properties nor location."""
        (found,) = self.listed(azure, {"id": f"{SUB}/resourcegroups/RG", "name": "rg"})

        assert (found.id, found.name, found.location, found.tags) == (f"{SUB}/resourcegroups/RG", "rg", "", {})
        assert (found.managed_by, found.provisioning_state, found.created) == (None, None, None)
        assert (found.resources, found.resource_types, found.locks) == (None, None, None)

    @pytest.mark.parametrize(
        "odd",
        [
            "x",
            SUB,
            f"{SUB}/resourceGroups",
            f"{SUB}/resourceGroups/",
            f"{SUB}/resourceGroups/g/providers/a.b/c/d",
            f"https://management.azure.com{SUB}/resourceGroups/g",
            f"{SUB}//resourceGroups/g",
        ],
    )
    def test_an_id_that_is_no_groups_makes_the_list_unreadable(self, azure: Azure, odd: str) -> None:
        """What is in such a group would not be found, and it would look empty and unlocked."""
        with pytest.raises(UnreadableAnswer, match=r"^cannot read resource groups: '.*' is no resource group's id$"):
            self.listed(azure, {"id": f"{SUB}/resourceGroups/g", "name": "g"}, {"id": odd, "name": "x"})

    @pytest.mark.parametrize("item", [{"id": f"{SUB}/resourceGroups/g"}, {"name": "g"}, {"id": 1, "name": "g"}])
    def test_an_item_without_id_or_name_makes_the_list_unreadable(self, azure: Azure, item: object) -> None:
        with pytest.raises(UnreadableAnswer, match=r"^cannot read resource groups: "):
            self.listed(azure, item)


class TestLocks:
    def listed(self, azure: Azure, *items: object) -> list[Lock]:
        azure.fault(route="locks", kind="status", status=200, body={"value": items})
        return [each for page in azure.estate.locks(KNOWN) for each in page]

    @pytest.mark.parametrize(
        "scope",
        [
            SUB,
            SUB.replace("/s", "/S", 1),
            f"{SUB}/resourcegroups/RG-x",
            f"{SUB}/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/default",
            f"{SUB}/resourceGroups/g/providers/A.b/c/d/providers/Microsoft.Insights/diagnosticSettings/e",
            f"{SUB}/resourceGroups/locks/providers/Microsoft.Authorization/locks/providers/x",
        ],
    )
    @pytest.mark.parametrize("provider", ["Microsoft.Authorization/locks", "microsoft.authorization/LOCKS"])
    def test_the_scope_is_what_stands_before_the_lock(self, azure: Azure, scope: str, provider: str) -> None:
        """As received, however deep it lies and whatever the case of the provider."""
        id_ = f"{scope}/providers/{provider}/a lock"

        found = self.listed(azure, {"id": id_, "name": "a lock", "properties": {"level": "ReadOnly", "notes": "why"}})

        assert found == [Lock(id_, "a lock", "ReadOnly", scope, "why")]

    @pytest.mark.parametrize("notes", [{}, {"notes": ""}, {"notes": None}, {"notes": ["x"]}])
    def test_notes_may_be_missing(self, azure: Azure, notes: dict[str, object]) -> None:
        item = {"id": f"{SUB}/providers/Microsoft.Authorization/locks/x", "properties": {"level": "Other"} | notes}

        assert [(each.name, each.level, each.notes) for each in self.listed(azure, item)] == [("x", "Other", None)]

    @pytest.mark.parametrize(
        "odd",
        [
            "x",
            SUB,
            f"{SUB}/resourceGroups/g",
            f"{SUB}/providers/Microsoft.Authorization/locks",
            f"{SUB}/providers/Microsoft.Authorization/policyAssignments/x",
            "/providers/Microsoft.Authorization/locks/x",
            "/providers/Microsoft.Management/managementGroups/m/providers/Microsoft.Authorization/locks/x",
            f"{SUB}/providers/Microsoft.Authorization/locks/x".replace("/", "%2F"),
            f"https://management.azure.com{SUB}/providers/Microsoft.Authorization/locks/x",
        ],
    )
    def test_an_id_that_is_no_locks_makes_the_list_unreadable(self, azure: Azure, odd: str) -> None:
        """Nobody knows what it protects, so nothing may look unlocked."""
        with pytest.raises(UnreadableAnswer, match=r"^cannot read locks: '.*' is no lock's id$"):
            self.listed(azure, {"id": odd, "name": "x", "properties": {"level": "CanNotDelete"}})

    @pytest.mark.parametrize("item", [{}, {"properties": {}}, {"properties": {"level": ""}}, {"properties": None}])
    def test_an_item_without_a_level_makes_the_list_unreadable(self, azure: Azure, item: dict[str, object]) -> None:
        with pytest.raises(UnreadableAnswer, match=r"^cannot read locks: "):
            self.listed(azure, {"id": f"{SUB}/providers/Microsoft.Authorization/locks/x"} | item)


class TestManagementGroups:
    def under(self, azure: Azure, *ids: str) -> frozenset[str]:
        azure.fault(
            route="management-group-descendants",
            kind="status",
            status=200,
            body={"value": [{"id": each} for each in ids]},
        )
        return azure.estate.subscriptions_under("mg")

    def test_both_spellings_of_a_subscription_and_no_management_group(self, azure: Azure) -> None:
        found = self.under(
            azure,
            "/providers/Microsoft.Management/managementGroups/all-subscriptions",
            "/providers/Microsoft.Management/managementGroups/mg/subscriptions/AB-1",
            "/providers/microsoft.management/MANAGEMENTGROUPS/mg/subscriptions/ab-2/",
            "/Subscriptions/AB-3",
            "/subscriptions/ab-3",
        )

        assert found == {"ab-1", "ab-2", "ab-3"}

    def test_none(self, azure: Azure) -> None:
        assert self.under(azure) == frozenset()

    @pytest.mark.parametrize(
        "odd",
        ["x", "subscriptions/ab-1", "/subscriptions/ab-1/x", "/providers/x/y/subscriptions/ab-1", "/subscriptions/"],
    )
    def test_an_odd_id_makes_the_list_unreadable(self, azure: Azure, odd: str) -> None:
        """It may be a subscription, which would be left out without a word."""
        with pytest.raises(UnreadableAnswer, match=r"is the id of neither a management group nor a subscription$"):
            self.under(azure, "/subscriptions/ab-1", odd)

    def test_one_that_may_not_be_read_is_an_error(self, azure: Azure) -> None:
        azure.fault(route="management-group-descendants", kind="forbidden")

        with pytest.raises(AzureError, match=r"^cannot read the subscriptions under management group 'mg'"):
            azure.estate.subscriptions_under("mg")


class TestRequests:
    def test_ask_for_times_and_states_with_one_fixed_version(self, azure: Azure) -> None:
        count(azure.estate, KNOWN)

        asked = {
            request.route: request.query for request in azure.simulator.requests if "skiptoken" not in request.query
        }
        assert asked["resource-groups"] == "api-version=2025-04-01&$expand=createdTime"
        assert asked["resources"] == "api-version=2025-04-01&$expand=createdTime%2CchangedTime%2CprovisioningState"

    def test_one_token_serves_many_requests(self, azure: Azure) -> None:
        azure.estate.subscriptions()
        count(azure.estate, KNOWN)

        assert len(azure.credential.tokens) == 1

    def test_an_estate_without_subscriptions(self) -> None:
        with Simulator(Estate(name="none", subscriptions=())) as simulator, pytest.MonkeyPatch.context() as environ:
            for name, value in simulator.environment.items():
                environ.setenv(name, value)

            assert Azure(simulator).estate.subscriptions() == []


class TestTypesWithoutTags:
    def test_are_those_whose_capabilities_say_so(self, azure: Azure) -> None:
        """A type of which Azure says nothing may carry tags."""
        kinds = [
            {"resourceType": "sites", "capabilities": "SupportsLocation, supportsTags"},
            {"resourceType": "sites/Slots", "capabilities": "None"},
            {"resourceType": "old", "capabilities": None},
            {"resourceType": "older"},
        ]
        body = {"value": [{"namespace": "Microsoft.Web", "resourceTypes": kinds}, {"namespace": "Empty"}]}
        azure.fault(route="providers", kind="status", status=200, body=body)

        assert azure.estate.types_without_tags(KNOWN) == {"microsoft.web/sites/slots"}

    def test_a_provider_may_be_larger_than_a_resource(self, azure: Azure) -> None:
        """It lists each of its types with all versions and regions."""
        kind = {"resourceType": "a", "capabilities": "None", "locations": ["West Europe" * 10] * 5_000}
        body = {"value": [{"namespace": f"N{number}", "resourceTypes": [kind]} for number in range(10)]}
        azure.fault(route="providers", kind="status", status=200, body=body)

        assert len(azure.estate.types_without_tags(KNOWN)) == 10

    def test_unreadable_is_an_error(self, azure: Azure) -> None:
        azure.fault(route="providers", kind="forbidden")

        with pytest.raises(AccessDenied, match=r"^cannot read providers: "):
            azure.estate.types_without_tags(KNOWN)
