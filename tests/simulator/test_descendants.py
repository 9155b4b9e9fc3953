"""What lies below a management group."""

import pytest

from devkit.simulator import Estate, Simulator, load_estate
from devkit.simulator.estates.demo import DEVELOPMENT, LEGACY, PLATFORM, PRODUCTION
from devkit.simulator.model import TENANT
from tests.simulator.client import Client

GROUPS = "/providers/Microsoft.Management/managementGroups"
VERSION = "api-version=2020-05-01"


def test_management_groups_and_subscriptions_at_any_depth(demo: Client) -> None:
    """The whole tree below the topmost group, in one list."""
    found = demo.items(f"{GROUPS}/{TENANT}/descendants?{VERSION}")

    assert {each["name"] for each in found} == {
        "mg-platform",
        "mg-landing-zones",
        "mg-shop",
        "mg-decommissioned",
        PRODUCTION,
        DEVELOPMENT,
        PLATFORM,
        LEGACY,
    }


def test_the_entries(demo: Client) -> None:
    """Each names its own parent."""
    group, production, _ = demo.items(f"{GROUPS}/MG-landing-zones/descendants?{VERSION}")

    assert group == {
        "id": f"{GROUPS}/mg-shop",
        "type": "Microsoft.Management/managementGroups",
        "name": "mg-shop",
        "properties": {"displayName": "Shop", "parent": {"id": f"{GROUPS}/mg-landing-zones"}},
    }
    assert production == {
        "id": f"/subscriptions/{PRODUCTION}",
        "type": "/subscriptions",
        "name": PRODUCTION,
        "properties": {"displayName": "Shop Production", "parent": {"id": f"{GROUPS}/mg-shop"}},
    }


def test_pages(odd: Client) -> None:
    """The first page is empty; all pages together are the tree, a stranger's subscription included."""
    pages = odd.pages(f"{GROUPS}/odd-root/descendants?{VERSION}")

    assert [len(page["value"]) for page in pages] == [0, 2, 3, 2]
    assert pages[-1]["nextLink"] is None
    names = [each["name"] for page in pages for each in page["value"]]
    assert names[:2] == ["odd_(names).1", "odd-guests"]
    assert names[-1].endswith("000000000011")
    assert "0dd00000-0000-4000-8000-000000000099" in names


@pytest.mark.parametrize(
    ("estate", "status", "code"),
    [(load_estate("demo"), 403, "AuthorizationFailed"), (Estate(name="none", subscriptions=()), 404, "NotFound")],
    ids=["another group", "no groups in the tenant"],
)
def test_a_management_group_that_is_not_visible(estate: Estate, status: int, code: str) -> None:
    """403, as for one that does not exist; 404 only where the tenant has none at all."""
    with Simulator(estate) as simulator, Client(simulator) as client:
        answer = client.get(f"{GROUPS}/mg-other/descendants?{VERSION}")

        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert f"'{GROUPS}/mg-other'" in answer.json()["error"]["message"]
        assert simulator.requests[-1].route == "management-group-descendants"
