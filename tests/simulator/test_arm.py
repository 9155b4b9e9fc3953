"""Resource Manager's answers about subscriptions, resource groups and resources."""

import gzip
import urllib.request

import pytest
from msgspec import UNSET

from devkit.simulator import load_estate
from devkit.simulator.estates.demo import DEVELOPMENT, LEGACY, PRODUCTION
from tests.simulator.client import Client

DEMO = load_estate("demo")
RESOURCES = f"/subscriptions/{PRODUCTION}/resources"
EXPAND = "$expand=createdTime,changedTime,provisioningState"


def test_subscriptions_are_listed_with_their_state_and_a_count(demo: Client) -> None:
    """The list has every subscription, enabled or not, and says how many there are."""
    (page,) = demo.pages("/subscriptions?api-version=2022-12-01")

    assert [(each["subscriptionId"], each["displayName"], each["state"]) for each in page["value"]] == [
        (each.id, each.name, each.state) for each in DEMO.subscriptions
    ]
    assert page["count"] == {"type": "Total", "value": 4}


def test_one_subscription(demo: Client) -> None:
    """A subscription by its id, in any case."""
    answer = demo.get(f"/SUBSCRIPTIONS/{LEGACY.upper()}?api-version=2022-12-01")

    assert answer.status_code == 200
    assert answer.json()["id"] == f"/subscriptions/{LEGACY}"
    assert answer.json()["state"] == "Disabled"


def test_old_subscriptions_have_no_tenants(demo: Client) -> None:
    """Before 2019-06-01 a subscription has no tenantId and no managedByTenants, and the list no count."""
    (page,) = demo.pages("/subscriptions?api-version=2016-06-01")

    assert page.keys() == {"value"}
    assert page["value"][0].keys().isdisjoint({"tenantId", "managedByTenants"})


@pytest.mark.parametrize("spelled", ["resourcegroups", "resourceGroups", "RESOURCEGROUPS"])
def test_groups_are_listed_in_any_spelling_of_the_path(demo: Client, spelled: str) -> None:
    """Path segments are compared without case."""
    listed = demo.items(f"/subscriptions/{DEVELOPMENT}/{spelled}")

    subscription = DEMO.subscription(DEVELOPMENT)
    assert subscription is not None
    assert [each["id"] for each in listed] == [group.id for group in subscription.resource_groups]


def test_every_group_and_resource_of_the_estate_is_listed(demo: Client) -> None:
    """What a client finds by reading every page is what the estate holds."""
    for subscription in DEMO.subscriptions:
        groups = demo.items(f"/subscriptions/{subscription.id}/resourcegroups")
        resources = demo.items(f"/subscriptions/{subscription.id}/resources")

        assert [each["id"] for each in groups] == [each.id for each in subscription.resource_groups]
        assert [each["id"] for each in resources] == [each.id for each in subscription.resources]
        assert [each.get("tags", UNSET) for each in resources] == [each.tags for each in subscription.resources]


def test_a_group_has_a_type_since_2019(demo: Client) -> None:
    """Answers of api-version 2018-05-01 and older have no `type` (oddity 18)."""
    path = f"/subscriptions/{PRODUCTION}/resourceGroups/NetworkWatcherRG"

    assert "type" not in demo.get(f"{path}?api-version=2018-05-01").json()
    assert demo.get(f"{path}?api-version=2019-10-01").json()["type"] == "Microsoft.Resources/resourceGroups"


def test_a_group_by_name(demo: Client) -> None:
    """GET finds a group in any case and answers with its own spelling."""
    answer = demo.get(f"/subscriptions/{PRODUCTION}/resourceGroups/RG-SHOP-PROD-WEB")

    assert answer.json()["name"] == "rg-shop-prod-web"
    assert answer.json()["tags"]["owner"] == "shop-team@example.com"


@pytest.mark.parametrize(("name", "status"), [("rg-shop-prod-web", 204), ("rg-nothing", 404)])
def test_head_of_a_group_has_no_body(demo: Client, name: str, status: int) -> None:
    """HEAD answers 204 or 404, both empty (oddity 51)."""
    answer = demo.get(f"/subscriptions/{PRODUCTION}/resourceGroups/{name}", method="HEAD")

    assert answer.status_code == status
    assert answer.content == b""
    assert "Content-Type" not in answer.headers


def test_times_and_state_come_only_when_expanded(demo: Client) -> None:
    """Without $expand a resource has no createdTime, changedTime and provisioningState (oddity 7)."""
    fields = {"createdTime", "changedTime", "provisioningState"}

    assert all(fields.isdisjoint(each) for each in demo.items(RESOURCES))
    assert all(fields <= each.keys() for each in demo.items(f"{RESOURCES}?api-version=2022-09-01&{EXPAND}"))
    only = demo.items(f"{RESOURCES}?api-version=2022-09-01&$expand=createdTime")
    assert all(each.keys() & fields == {"createdTime"} for each in only)


def test_group_times_come_only_when_expanded(demo: Client) -> None:
    """$expand=createdTime works on resource groups too, undocumented as it is."""
    path = f"/subscriptions/{DEVELOPMENT}/resourcegroups"

    assert not any("createdTime" in each for each in demo.items(path))
    assert all("createdTime" in each for each in demo.items(f"{path}?api-version=2022-09-01&$expand=createdTime"))


@pytest.mark.parametrize(
    ("clause", "count"),
    [
        ("resourceType eq 'microsoft.web/SITES'", 2),
        ("resourceType eq 'Microsoft.Web/sites' and name eq 'APP-shop-prod'", 1),
        ("name eq 'app-shop-prod'", 1),
        ("resourceGroup eq 'RG-shop-prod-data'", 6),
        ("location eq 'global'", 2),
        ("resourceType ne 'Microsoft.Web/sites'", 18),
        ("tagName eq 'protected'", 1),
        ("tagname eq 'OWNER' and tagvalue eq 'data-team@example.com'", 5),
        ("tagName eq 'owner' and tagValue eq 'DATA-TEAM@example.com'", 0),
        ("name eq 'it''s'", 0),
        ("", 20),
    ],
)
def test_filters(demo: Client, clause: str, count: int) -> None:
    """Names compare without case, values of tags with it; an empty filter takes everything."""
    assert len(demo.items(f"{RESOURCES}?api-version=2022-09-01&$filter={clause}")) == count


def test_resources_filtered_by_tag_come_without_tags_and_times(demo: Client) -> None:
    """A tool that looks for a protecting tag in that answer sees none (oddity 6)."""
    found = demo.items(f"{RESOURCES}?api-version=2022-09-01&$filter=tagName eq 'owner'&{EXPAND}")

    assert len(found) == 17
    assert all(each.keys().isdisjoint({"tags", "createdTime", "provisioningState"}) for each in found)


def test_groups_filtered_by_tag_keep_their_tags(demo: Client) -> None:
    """Lists of groups do return tags when filtered by tag (oddity 6)."""
    path = f"/subscriptions/{DEVELOPMENT}/resourcegroups"

    found = demo.items(f"{path}?api-version=2022-09-01&$filter=tagName eq 'environment' and tagValue eq 'test'")

    assert [each["name"] for each in found] == ["rg-load-test"]
    assert found[0]["tags"] == {"environment": "test", "cost-center": ""}


def test_resources_of_a_group(demo: Client) -> None:
    """The list of one group has that group's resources only."""
    found = demo.items(f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod-data/resources")

    assert len(found) == 6
    assert {each["type"] for each in found} >= {"Microsoft.Sql/servers/databases", "Microsoft.KeyVault/vaults"}


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/subscriptions?", 400, "MissingApiVersionParameter"),
        ("/subscriptions?api-version=", 400, "MissingApiVersionParameter"),
        ("/subscriptions/not-a-guid/resourcegroups", 400, "InvalidSubscriptionId"),
        ("/subscriptions/99999999-0000-4000-8000-000000000000/resources", 404, "SubscriptionNotFound"),
        (f"/subscriptions/{PRODUCTION}/resourceGroups/rg-nothing", 404, "ResourceGroupNotFound"),
        (f"/subscriptions/{PRODUCTION}/resourceGroups/rg-nothing/resources", 404, "ResourceGroupNotFound"),
        (f"/subscriptions/{PRODUCTION}/providers/Microsoft.Nothing/things", 404, "InvalidResourceType"),
        ("/providers/Microsoft.Nothing/things", 404, "InvalidResourceType"),
        ("/", 404, "InvalidResourceType"),
        (f"{RESOURCES}?api-version=2022-09-01&$filter=kind eq 'app'", 400, "InvalidFilterInQueryString"),
        (f"{RESOURCES}?api-version=2022-09-01&$filter=name eq app", 400, "InvalidFilterInQueryString"),
        (f"{RESOURCES}?api-version=2022-09-01&$filter=tagName ne 'x'", 400, "InvalidFilterInQueryString"),
        (
            f"{RESOURCES}?api-version=2022-09-01&$filter=name eq 'x' or name eq 'y'",
            400,
            "InvalidFilterInQueryString",
        ),
        (f"{RESOURCES}?api-version=2022-09-01&$expand=properties", 400, "InvalidQueryParameterValue"),
        (f"{RESOURCES}?api-version=2022-09-01&$top=0", 400, "InvalidQueryParameterValue"),
        (f"{RESOURCES}?api-version=2022-09-01&$skiptoken=abc", 400, "InvalidQueryParameterValue"),
        (
            f"/subscriptions/{PRODUCTION}/resourcegroups?api-version=2022-09-01&$filter=name eq 'x'",
            400,
            "InvalidFilterInQueryString",
        ),
    ],
)
def test_errors(demo: Client, target: str, status: int, code: str) -> None:
    """Errors have Azure's envelope, and the header of its front door."""
    answer = demo.get(target)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.json().keys() == {"error"}
    assert answer.json()["error"].keys() == {"code", "message"}
    assert answer.headers["x-ms-failure-cause"] == "gateway"


def test_other_methods_are_refused(demo: Client) -> None:
    """Nothing here creates a resource group."""
    answer = demo.get(f"/subscriptions/{PRODUCTION}/resourceGroups/rg-shop-prod-web", method="PUT")

    assert answer.status_code == 405


def test_double_slashes_and_an_encoded_scope_are_accepted(demo: Client) -> None:
    """Azure accepts both (oddity 16)."""
    for path in (
        f"//subscriptions//{PRODUCTION}/resourcegroups",
        f"/%2Fsubscriptions%2F{PRODUCTION}/resourcegroups",
    ):
        assert len(demo.get(path).json()["value"]) == 5


def test_headers(demo: Client) -> None:
    """Answers carry what recorded ones carry: type, request id, and what is left of the read budget."""
    headers = demo.get(RESOURCES).headers

    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["x-ms-ratelimit-remaining-subscription-reads"].isdigit()
    assert headers["x-ms-ratelimit-remaining-subscription-global-reads"].isdigit()
    assert headers["x-ms-request-id"] == headers["x-ms-correlation-request-id"]
    assert "x-ms-ratelimit-remaining-tenant-reads" in demo.get("/subscriptions").headers


def test_gzip_only_when_accepted(demo: Client) -> None:
    """A client that does not ask for gzip gets plain bytes."""
    plain = demo.get("/subscriptions", **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers

    packed = demo.get("/subscriptions", **{"Accept-Encoding": "gzip, deflate"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()


def test_the_standard_library_reads_it(demo: Client) -> None:
    """The certificate holds for any TLS client that is given the authority."""
    import ssl

    context = ssl.create_default_context(cafile=demo.simulator.environment["REQUESTS_CA_BUNDLE"])
    request = urllib.request.Request(  # noqa: S310
        f"{demo.simulator.url}/subscriptions?api-version=2022-12-01",
        headers={"Authorization": f"Bearer {demo.token()}", "Accept-Encoding": "gzip"},
    )
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:  # noqa: S310
        assert b"Shop Production" in gzip.decompress(answer.read())
