"""One resource by its id."""

import pytest

from devkit.simulator import load_estate
from devkit.simulator.estates.demo import PRODUCTION
from tests.simulator.client import Client

DATA = f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod-data/providers"
CASING = load_estate("odd").subscriptions[0].id


@pytest.mark.parametrize("version", ["2015-01-01", "2023-08-01-preview"])
def test_a_resource_in_any_case_and_version_of_its_provider(demo: Client, version: str) -> None:
    """With its properties, and without what only lists show."""
    answer = demo.get(f"{DATA.upper()}/microsoft.cache/redis/REDIS-shop-prod?api-version={version}")

    assert answer.status_code == 200
    assert answer.json() == {
        "id": f"{DATA}/Microsoft.Cache/Redis/redis-shop-prod",
        "name": "redis-shop-prod",
        "type": "Microsoft.Cache/Redis",
        "location": "westeurope",
        "tags": {"owner": "data-team@example.com", "cost-center": "CC-4200", "environment": "production"},
        "properties": {"provisioningState": "Succeeded"},
    }


def test_a_nested_resource_has_its_own_name_only(demo: Client) -> None:
    """Lists name it parent/child (oddity 14)."""
    answer = demo.get(f"{DATA}/Microsoft.Sql/servers/sql-shop-prod/databases/orders").json()

    assert (answer["name"], answer["type"]) == ("orders", "Microsoft.Sql/servers/databases")


NAMED = "resourceGroups/rg (names) with_odd.characters-/providers"


@pytest.mark.parametrize(
    "path",
    [
        "resourceGroups/rg-Casing/providers/Microsoft.Compute/virtualMachines/vm-one",
        "resourcegroups/RG-CASING/providers/microsoft.compute/virtualmachines/VM-ONE",
        f"{NAMED}/microsoft.insights/metricalerts/Critical%20performance%20alert",
        f"{NAMED}/Microsoft.Sql/servers/sql-odd/providers/Microsoft.Insights/diagnosticSettings/to-workspace",
        f"{NAMED}/Microsoft.Web/certificates/shop@example",
    ],
)
def test_odd_ids_are_found(odd: Client, path: str) -> None:
    """Ids are compared decoded and without case (oddities 10, 14, 15)."""
    assert odd.get(f"/subscriptions/{CASING}/{path}").status_code == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{DATA}/Microsoft.Cache/Redis/nothing", "ResourceNotFound"),
        (f"{DATA}/Microsoft.Sql/servers/sql-shop-prod/databases/nothing", "ResourceNotFound"),
        (f"/subscriptions/{PRODUCTION}/resourceGroups/nothing/providers/A.B/c/d", "ResourceGroupNotFound"),
        ("/subscriptions/99999999-0000-4000-8000-000000000000/resourceGroups/a/providers/A.B/c/d", "Subscription"),
    ],
)
def test_a_404_says_what_is_missing(demo: Client, path: str, code: str) -> None:
    """Only some of them mean that the resource is gone (oddity 52)."""
    answer = demo.get(path)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"].startswith(code)


def test_the_sentence_names_type_and_name(demo: Client) -> None:
    """And the group."""
    answer = demo.get(f"{DATA}/Microsoft.Sql/servers/sql-shop-prod/databases/nothing")

    assert answer.json()["error"]["message"].startswith(
        "The Resource 'Microsoft.Sql/servers/sql-shop-prod/databases/nothing' under resource group 'rg-shop-prod-data' "
    )


@pytest.mark.parametrize(("name", "status"), [("redis-shop-prod", 204), ("nothing", 404)])
def test_head_of_a_resource_has_no_body(demo: Client, name: str, status: int) -> None:
    """204 or 404, both empty."""
    answer = demo.get(f"{DATA}/Microsoft.Cache/Redis/{name}", method="HEAD")

    assert (answer.status_code, answer.content) == (status, b"")
