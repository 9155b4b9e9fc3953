"""Lists of locks: below, at and above a scope, in whatever casing."""

from pathlib import Path

import pytest

from devkit.simulator import Fault, Lock, Resource, ResourceGroup, Simulator, Subscription, load_estate
from devkit.simulator.estates.demo import LEGACY, PLATFORM, PRODUCTION
from devkit.simulator.locks import covers
from devkit.simulator.model import Estate
from tests.simulator.client import Client
from tests.simulator.test_shapes import ask, recorded, shape

LOCKS = "providers/Microsoft.Authorization/locks"
GUARDED = next(each for each in load_estate("odd").subscriptions if len(each.locks) > 3)
UNSEEN = next(each for each in load_estate("odd").subscriptions if each.trouble.startswith("403"))


def names(client: Client, scope: str, version: str = "2016-09-01") -> list[str]:
    return [lock["name"] for lock in client.items(f"{scope}/{LOCKS}?api-version={version}")]


@pytest.mark.parametrize("version", ["2016-09-01", "2020-05-01"])
def test_a_subscription_lists_the_locks_of_every_scope_below(demo: Client, version: str) -> None:
    """In both api-versions alike (oddity 33)."""
    assert names(demo, f"/subscriptions/{PRODUCTION}", version) == ["keep-customer-data", "keep-secrets"]
    assert names(demo, f"/subscriptions/{LEGACY}", version) == ["closed"]


def test_a_lock_as_it_is_listed(demo: Client) -> None:
    """Properties first; notes only where somebody wrote some."""
    first, second = demo.items(f"/subscriptions/{PRODUCTION}/{LOCKS}")

    assert list(first) == ["properties", "id", "type", "name"]
    assert first["properties"].keys() == {"level", "notes"}
    assert second == {
        "properties": {"level": "CanNotDelete"},
        "id": f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod-data/providers/Microsoft.KeyVault/vaults"
        "/kv-shop-prod/providers/Microsoft.Authorization/locks/keep-secrets",
        "type": "Microsoft.Authorization/locks",
        "name": "keep-secrets",
    }


def test_a_group_lists_its_own_those_below_and_the_inherited_ones(odd: Client) -> None:
    """Compared without case, and not by a name that only begins alike."""
    scope = f"/subscriptions/{GUARDED.id}/resourceGroups"

    below = ["AzureBackupProtectionLock", "subnet", "collection"]
    assert names(odd, f"{scope}/rg-locked") == ["subscription lock", "group-lower", *below]
    assert names(odd, f"{scope}/RG-LOCKED-NOT") == ["subscription lock"]
    assert names(odd, f"{scope}/rg-read-only") == ["subscription lock", "read only"]


def test_a_resource_lists_its_own_its_childrens_and_the_inherited_ones(odd: Client) -> None:
    """A child's lock is among them (oddity 34); a thing nobody lists inherits too."""
    scope = f"/subscriptions/{GUARDED.id}/resourceGroups/rg-locked/providers"

    inherited = ["subscription lock", "group-lower"]
    network = f"{scope}/Microsoft.Network/virtualNetworks/vnet-locked"
    assert names(odd, network) == [*inherited, "subnet"]
    assert names(odd, f"{network}/subnets/default") == [*inherited, "subnet"]
    assert names(odd, f"{network}/subnets/other") == inherited
    assert names(odd, f"{scope}/Microsoft.Storage//storageAccounts/STLOCKED") == [
        *inherited,
        "AzureBackupProtectionLock",
    ]


def test_ids_are_spelled_as_each_lock_was_made(odd: Client) -> None:
    """Oddity 11."""
    ids = [lock["id"] for lock in odd.items(f"/subscriptions/{GUARDED.id}/{LOCKS}")]

    assert ids == [lock.id for lock in GUARDED.locks]
    assert ids[0].startswith("/Subscriptions/")
    assert "/resourcegroups/RG-LOCKED/providers/microsoft.storage/" in ids[2]


def test_the_first_page_of_locks_may_be_empty(odd: Client) -> None:
    """And the last one too (oddities 1, 2)."""
    pages = odd.pages(f"/subscriptions/{GUARDED.id}/{LOCKS}")

    assert [len(page["value"]) for page in pages] == [0, 2, 3, 1, 0]


def test_an_encoded_scope_is_accepted(demo: Client) -> None:
    """As some clients send it (oddity 16)."""
    scope = f"/%2Fsubscriptions%2F{PLATFORM}%2FresourceGroups%2Frg-platform-network"

    assert names(demo, scope) == ["hub", "firewall-subnet", "records-by-change-request-only"]


def test_one_lock_by_its_name(demo: Client) -> None:
    """At its own scope only."""
    scope = f"/subscriptions/{PRODUCTION}/resourceGroups/RG-shop-prod-data"

    assert demo.get(f"{scope}/{LOCKS}/KEEP-customer-data").json()["name"] == "keep-customer-data"
    missing = demo.get(f"{scope}/{LOCKS}/keep-secrets")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "LockNotFound")


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (f"/subscriptions/{PRODUCTION}/resourceGroups/rg-nothing", "ResourceGroupNotFound"),
        ("/subscriptions/99999999-0000-4000-8000-000000000000", "SubscriptionNotFound"),
    ],
)
def test_no_such_scope(demo: Client, scope: str, code: str) -> None:
    """404 for what is above the resource."""
    answer = demo.get(f"{scope}/{LOCKS}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


def test_locks_that_may_not_be_read(odd: Client) -> None:
    """Nobody can tell what is locked; the sentence names action and scope."""
    answer = odd.get(f"/subscriptions/{UNSEEN.id}/{LOCKS}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert "'Microsoft.Authorization/locks/read'" in answer.json()["error"]["message"]
    assert f"over scope '/subscriptions/{UNSEEN.id}' or" in answer.json()["error"]["message"]


def test_a_fault_of_the_lists_of_locks() -> None:
    """The route has a name of its own."""
    fault = Fault(route="locks", kind="throttled")
    with Simulator(load_estate("demo"), faults=[fault]) as simulator, Client(simulator) as client:
        assert client.get(f"/subscriptions/{PRODUCTION}/resources").status_code == 200
        assert client.get(f"/subscriptions/{PRODUCTION}/{LOCKS}").status_code == 429
        assert [each.route for each in simulator.requests[1:]] == ["resources", "locks"]


@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        ("/subscriptions/a", "/SUBSCRIPTIONS/A/resourceGroups/b", True),
        ("/subscriptions/a/resourceGroups/b", "/subscriptions/a/resourceGroups/b", True),
        ("/subscriptions/a/resourceGroups/b/", "/subscriptions/a/resourceGroups/b/providers/x/y/z", True),
        ("/subscriptions/a/resourceGroups/b", "/subscriptions/a/resourceGroups/bc", False),
        ("/subscriptions/a/resourceGroups/b/providers/x/y/z", "/subscriptions/a/resourceGroups/b", False),
        ("/subscriptions/a/resourceGroups/b%20c", "/subscriptions/a/resourceGroups/b c/providers/x", True),
    ],
)
def test_which_scope_covers_which(upper: str, lower: str, expected: bool) -> None:
    """Whole segments, without case, decoded."""
    assert covers(upper, lower) is expected


def test_lists_of_locks_as_recorded(recordings: Path) -> None:
    """Every recorded list, at every scope, item for item."""
    for name, interaction in recorded(recordings, "locks-list__*.json"):
        body = interaction["response"]["body"]
        path = interaction["request"]["path"]
        subscription = Subscription(
            id=path.split("/")[2],
            name=name,
            resource_groups=(ResourceGroup(name=path.split("/")[4]),) if "/resource" in path.lower() else (),
            locks=tuple(
                Lock(
                    name=each["name"],
                    scope=each["id"].partition("/providers/Microsoft.Authorization/locks")[0],
                    **each["properties"],
                )
                for each in body["value"]
            ),
        )

        answer = ask(subscription, interaction)

        assert answer.status_code == 200, name
        assert answer.json() == body, name
        assert shape(answer.json()) == shape(body), name


def test_a_lock_may_stand_on_a_resource_whose_name_is_escaped() -> None:
    """Ids are compared decoded (oddity 15)."""
    subscription = Subscription(
        id="5a000000-0000-4000-8000-000000000009",
        name="Escapes",
        resource_groups=(
            ResourceGroup(name="rg", resources=(Resource(name="an alert", type="microsoft.insights/metricalerts"),)),
        ),
        locks=(
            Lock(
                name="l",
                scope="/subscriptions/{subscription}/resourceGroups/rg/providers/microsoft.insights/metricalerts"
                "/an%20alert",
            ),
        ),
    )
    with Simulator(Estate(name="one", subscriptions=(subscription,))) as simulator, Client(simulator) as client:
        scope = f"/subscriptions/{subscription.id}/resourceGroups/rg/providers/microsoft.insights/metricalerts"
        assert names(client, f"{scope}/an%20alert") == ["l"]
