"""Resource ids are compared without case, as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.resource_ids import group_key, key

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-Web"
KEY = "/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/rg-web"


@pytest.mark.parametrize(
    "spelling",
    [GROUP, GROUP.upper(), GROUP.lower(), GROUP.replace("/subscriptions", "/Subscriptions"), GROUP + "/"],
    ids=["as-written", "upper", "lower", "capital-s", "slash"],
)
def test_spellings_of_one_id_are_equal(spelling: str) -> None:
    assert key(spelling) == key(GROUP)
    assert group_key(spelling) == KEY


@pytest.mark.parametrize(
    "resource_id",
    [
        GROUP + "/providers/Microsoft.Web/sites/a",
        GROUP.replace("resourceGroups/rg-Web", "resourceGroups/RG-WEB") + "/providers/Microsoft.Compute/disks/d",
        GROUP.replace("resourceGroups", "resourcegroups") + "/providers/Microsoft.Compute/disks/d",
        GROUP + "/providers/Microsoft.Sql/servers/s/providers/Microsoft.Insights/diagnosticSettings/d",
    ],
    ids=["as-written", "upper-group", "lower-segment", "extension"],
)
def test_a_resource_is_in_the_group_its_id_names(resource_id: str) -> None:
    assert group_key(resource_id) == KEY


@pytest.mark.parametrize(
    "resource_id",
    [
        "",
        "/",
        "/subscriptions/x",
        "/subscriptions/x/resourceGroups",
        "/subscriptions/x/resourceGroups/",
        "/subscriptions/x/resourceGroups//providers/Microsoft.Web/sites/a",
        "/subscriptions/x/providers/Microsoft.Authorization/policyAssignments/resourceGroups",
        "/providers/Microsoft.Management/managementGroups/resourceGroups/x",
        "subscriptions/x/resourceGroups/rg",
        "https://management.azure.com/subscriptions/x/resourceGroups/rg",
    ],
)
def test_an_id_outside_any_group_has_no_group(resource_id: str) -> None:
    assert group_key(resource_id) is None


@given(name=some.text(some.characters(codec="ascii", categories=["L", "N"]), min_size=1), upper=some.booleans())
def test_the_group_of_a_resource_is_the_key_of_the_group(name: str, upper: bool) -> None:
    group = f"/subscriptions/x/resourceGroups/{name}"
    resource = f"{group.upper() if upper else group}/providers/Microsoft.Web/sites/a"

    assert group_key(resource) == group_key(group) == key(group)


@given(text=some.text())
def test_any_text_has_a_key_and_never_raises(text: str) -> None:
    assert key(key(text)) == key(text)
    group_key(text)
