"""The estate as Azure lists it, against simulated estates as odd as the real ones."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from devkit.simulator import Estate, Simulator, load_estate
from shared_code.azure_api.arm import Arm
from shared_code.azure_api.estate import AzureEstate
from shared_code.errors import AzureError, UnreadableAnswer
from shared_code.model import ResourceGroup, Subscription
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
    return groups, sum(len(page) for page in estate.resource_ids(subscription))


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


class TestRequests:
    def test_ask_for_creation_times_with_one_fixed_version(self, azure: Azure) -> None:
        count(azure.estate, KNOWN)

        asked = {
            request.route: request.query for request in azure.simulator.requests if "skiptoken" not in request.query
        }
        assert asked["resource-groups"] == "api-version=2025-04-01&$expand=createdTime"
        assert asked["resources"] == "api-version=2025-04-01"

    def test_one_token_serves_many_requests(self, azure: Azure) -> None:
        azure.estate.subscriptions()
        count(azure.estate, KNOWN)

        assert len(azure.credential.tokens) == 1

    def test_an_estate_without_subscriptions(self) -> None:
        with Simulator(Estate(name="none", subscriptions=())) as simulator, pytest.MonkeyPatch.context() as environ:
            for name, value in simulator.environment.items():
                environ.setenv(name, value)

            assert Azure(simulator).estate.subscriptions() == []
