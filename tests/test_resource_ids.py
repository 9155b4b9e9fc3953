"""Resource ids are compared without case, as a whole."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.resource_ids import group_key, group_name, is_in_subscription, key, scopes_of, type_and_name

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


@given(text=some.text() | some.text("/%25aßẞςΣİ providers"))
def test_any_text_has_a_key_and_never_raises(text: str) -> None:
    if "%" not in text:
        assert key(key(text)) == key(text)
    for ask in (group_key, group_name, is_in_subscription, scopes_of, type_and_name):
        ask(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Critical%20performance%20alert", "critical performance alert"),
        ("a%2Fb", "A%2fB"),
        ("100%25", "100%"),
        ("%C3%BCber", "Über"),
        ("%28x%29", "(x)"),
        ("Größe", "GRÖßE"),
        ("δσ", "ΔΣ"),
        ("δς", "ΔΣ"),
    ],
)
def test_case_and_encoding_make_no_difference(one: str, other: str) -> None:
    """Azure's own answers differ so; a sigma at the end of a word is the same letter."""
    assert key(f"{GROUP}/providers/a.b/c/{one}") == key(f"{GROUP}/providers/a.b/c/{other}")


@pytest.mark.parametrize(
    ("one", "other"),
    [("a/b", "a%2Fb"), ("rg-straße", "rg-strasse"), ("ﬁle", "file"), ("a b", "a+b"), ("a%2541", "a%41")],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    """A slash in a name does not end it, and no letter becomes two."""
    assert key(f"{GROUP}/providers/a.b/c/{one}") != key(f"{GROUP}/providers/a.b/c/{other}")


def test_slashes_are_counted_once_behind_a_provider_only() -> None:
    """Resource Manager takes `Microsoft.Compute//disks`; an empty name of a group stays empty."""
    assert key(GROUP + "/providers/Microsoft.Compute//disks/d") == key(GROUP + "/providers/Microsoft.Compute/disks/d")
    assert key(GROUP.replace("/rg-Web", "//providers/x/y")) != key(GROUP.replace("/rg-Web", "/providers/x/y"))


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        (GROUP + "/providers/Microsoft.Web/sites/a", "rg-Web"),
        (GROUP.upper(), "RG-WEB"),
        (GROUP.replace("rg-Web", "rg-Stra%C3%9Fe"), "rg-Straße"),
        ("/subscriptions/x/providers/a.b/c/d", None),
    ],
)
def test_the_name_of_a_group_is_as_the_id_spells_it(spelling: str, name: str | None) -> None:
    """Patterns are compared with it, and they are not folded."""
    assert group_name(spelling) == name


@pytest.mark.parametrize(
    ("resource_id", "expected"),
    [
        ("/subscriptions/x", True),
        ("/SUBSCRIPTIONS/x/resourceGroups/y", True),
        ("/subscriptions/x/providers/a.b/c/d", True),
        ("/subscriptions", False),
        ("/subscriptions/", False),
        ("subscriptions/x", False),
        ("//subscriptions/x", False),
        ("/subscriptions//x", False),
        ("%2Fsubscriptions%2Fx", False),
        ("/providers/Microsoft.Management/managementGroups/x", False),
        ("https://management.azure.com/subscriptions/x", False),
        ("", False),
    ],
)
def test_an_id_is_in_a_subscription_or_not(resource_id: str, expected: bool) -> None:
    assert is_in_subscription(resource_id) is expected


class TestScopes:
    """The scopes above an id, from the subscription down to itself."""

    def test_of_a_nested_resource(self) -> None:
        """Each resource it is nested in is one; a provider's name alone is none."""
        vnet = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-hub"

        assert scopes_of(f"{vnet}/subnets/Default") == [
            KEY.rsplit("/", 2)[0],
            KEY,
            key(vnet),
            key(vnet) + "/subnets/default",
        ]

    def test_of_an_extension(self) -> None:
        """It lies in what it extends."""
        server = f"{GROUP}/providers/Microsoft.Sql/servers/s"

        assert scopes_of(f"{server}/providers/Microsoft.Insights/diagnosticSettings/d") == [
            KEY.rsplit("/", 2)[0],
            KEY,
            key(server),
            key(server) + "/providers/microsoft.insights/diagnosticsettings/d",
        ]

    def test_of_a_subscription_and_a_group(self) -> None:
        """A trailing slash is no further scope."""
        assert scopes_of("/subscriptions/X/") == ["/subscriptions/x"]
        assert scopes_of(GROUP + "/") == [KEY.rsplit("/", 2)[0], KEY]

    def test_of_a_resource_of_the_subscription(self) -> None:
        """It is in no group."""
        assert scopes_of("/subscriptions/x/providers/a.b/c/D") == [
            "/subscriptions/x",
            "/subscriptions/x/providers/a.b/c/d",
        ]

    def test_of_a_group_called_providers(self) -> None:
        """A name is never taken for a word of the grammar."""
        group = "/subscriptions/x/resourceGroups/providers"

        assert scopes_of(f"{group}/providers/a.b/c/providers/d/e") == [
            "/subscriptions/x",
            key(group),
            key(group) + "/providers/a.b/c/providers",
            key(group) + "/providers/a.b/c/providers/d/e",
        ]

    @given(text=some.text("/%25aA ") | some.text())
    def test_the_last_is_the_id_itself(self, text: str) -> None:
        """Whatever text it is; and each lies below the one before."""
        scopes = scopes_of(text)

        assert scopes[-1] == key(text)
        assert all(lower.startswith(f"{upper}/") for upper, lower in pairwise(scopes))


@pytest.mark.parametrize(
    ("resource_id", "expected"),
    [
        ("/subscriptions/s/resourceGroups/g/providers/A.B/c/d", ("A.B/c", "d")),
        ("/subscriptions/s/resourceGroups/g/providers/A.B/c/d/e/f", ("A.B/c/e", "d/f")),
        ("/subscriptions/s/resourceGroups/g/providers/A.B/c/d/e/f/h/i", ("A.B/c/e/h", "d/f/i")),
        ("/subscriptions/s/resourceGroups/g/providers/A.B/c/d/providers/X.Y/z/w", ("X.Y/z", "w")),
        ("/subscriptions/s/resourceGroups/g/providers/A.B/c/d/e", None),
        ("/subscriptions/s/resourceGroups/g/providers/A.B/c/d/e/f/h", None),
        ("/subscriptions/s/resourceGroups/g/providers/A.B", None),
        ("/subscriptions/s/resourceGroups/g/providers/A.B/c//", None),
        ("/subscriptions/s/resourceGroups/g", None),
    ],
)
def test_an_id_tells_type_and_name(resource_id: str, expected: tuple[str, str] | None) -> None:
    """Nested ones interlace them, as they are listed; of an extension it is the last provider's."""
    assert type_and_name(resource_id) == expected
