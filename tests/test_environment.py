"""App settings: typed, every problem at once, and no secret in any sentence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.environment import PUBLIC_ARM, PUBLIC_LOGS, SETTINGS, Environment, read_environment
from shared_code.errors import StoreError
from shared_code.resource_ids import group_name, is_group
from shared_code.store import open_store

APP = Path("/srv/app")
WORKSPACE = "10600000-0000-4000-8000-00000000000a"
SUBSCRIPTION = "10600000-0000-4000-8000-00000000000b"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-steward"
EXAMPLE_GROUP = "'/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-steward'"
LOCAL_STORE = "file:///srv/app/.steward/store"


def read(**environ: str) -> Environment:
    return read_environment(environ, APP)


class TestDefaults:
    def test_without_any_setting(self) -> None:
        assert read() == Environment(
            config=APP / "steward.toml",
            store=LOCAL_STORE,
            arm_endpoint=PUBLIC_ARM,
            arm_audience=PUBLIC_ARM,
            client_id=None,
            managed_identity=False,
            problems=(),
        )

    def test_blank_settings_are_not_set(self) -> None:
        """The portal keeps a setting that was emptied."""
        assert read(**{setting.name: " " for setting in SETTINGS}) == read()


class TestValues:
    @pytest.mark.parametrize(
        ("name", "value", "field", "expected"),
        [
            ("STEWARD_CONFIG", "ops/estate.toml", "config", APP / "ops/estate.toml"),
            ("STEWARD_CONFIG", "/etc/steward.toml", "config", Path("/etc/steward.toml")),
            ("STEWARD_STORE", "file:///srv/steward", "store", "file:///srv/steward"),
            ("STEWARD_STORE", "https://a.blob.core.windows.net/c", "store", "https://a.blob.core.windows.net/c"),
            ("STEWARD_ARM_ENDPOINT", "https://management.usgovcloudapi.net/", "arm_endpoint", None),
            ("STEWARD_ARM_ENDPOINT", "https://127.0.0.1:8443", "arm_endpoint", "https://127.0.0.1:8443"),
            ("STEWARD_ARM_ENDPOINT", "https://[::1]:8443", "arm_endpoint", "https://[::1]:8443"),
            ("STEWARD_ARM_AUDIENCE", "https://management.core.windows.net//", "arm_audience", None),
            ("STEWARD_ARM_AUDIENCE", "https://management.example.com/0a-1b", "arm_audience", None),
            ("STEWARD_LOGS_ENDPOINT", "https://api.loganalytics.us/", "logs_endpoint", None),
            ("STEWARD_LOGS_AUDIENCE", "https://api.loganalytics.us", "logs_audience", None),
            ("STEWARD_LOGS_WORKSPACE_ID", f" {WORKSPACE} ", "logs_workspace_id", WORKSPACE),
            ("STEWARD_LOGS_WORKSPACE_ID", WORKSPACE.upper(), "logs_workspace_id", WORKSPACE.upper()),
            ("STEWARD_RESOURCE_GROUP", f" {GROUP} ", "own_resource_group", GROUP),
            ("STEWARD_RESOURCE_GROUP", GROUP.upper(), "own_resource_group", GROUP.upper()),
            ("STEWARD_RESOURCE_GROUP", f"{GROUP}.(é)_1", "own_resource_group", f"{GROUP}.(é)_1"),
            ("AZURE_CLIENT_ID", " 0a1b ", "client_id", "0a1b"),
            ("IDENTITY_ENDPOINT", "http://127.0.0.1/msi", "managed_identity", True),
        ],
    )
    def test_are_taken(self, name: str, value: str, field: str, expected: object) -> None:
        environment = read(**{name: value})

        assert environment.problems == ()
        assert getattr(environment, field) == (value.rstrip("/") if expected is None else expected)

    def test_the_audience_is_the_endpoint_unless_set(self) -> None:
        assert read(STEWARD_ARM_ENDPOINT="https://arm.example.com/").arm_audience == "https://arm.example.com"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [("true", True), ("TRUE", True), ("1", True), (" Yes ", True), ("false", False), ("0", False), ("No", False)],
    )
    def test_read_only(self, value: str, expected: bool) -> None:
        environment = read(STEWARD_READ_ONLY=value)

        assert (environment.read_only, environment.problems) == (expected, ())

    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"AzureWebJobsStorage__accountName": "acct"}, "https://acct.blob.core.windows.net/steward"),
            (
                {"AzureWebJobsStorage__blobServiceUri": "https://acct.blob.core.usgovcloudapi.net/"},
                "https://acct.blob.core.usgovcloudapi.net/steward",
            ),
            (
                {
                    "AzureWebJobsStorage__blobServiceUri": "https://one.blob.core.windows.net",
                    "AzureWebJobsStorage__accountName": "two",
                },
                "https://one.blob.core.windows.net/steward",
            ),
            (
                {"STEWARD_STORE": "file:///data", "AzureWebJobsStorage__accountName": "acct"},
                "file:///data",
            ),
        ],
        ids=["account", "service", "service-wins", "setting-wins"],
    )
    def test_the_store_is_beside_the_apps_own_storage(self, environ: dict[str, str], expected: str) -> None:
        environment = read(**environ, WEBSITE_INSTANCE_ID="1")

        assert (environment.store, environment.problems) == (expected, ())

    @pytest.mark.parametrize("sign", ["WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME", "WEBSITE_OWNER_NAME"])
    def test_in_azure_a_store_on_the_instances_disk_is_a_problem(self, sign: str) -> None:
        """Flex Consumption sets no WEBSITE_INSTANCE_ID."""
        assert read(**{sign: "1"}, AzureWebJobsStorage="AccountKey=c2VjcmV0").problems == (
            (
                "STEWARD_STORE is not set and the app's storage account is not identity-based, so runs would be kept "
                "on this instance's disk and lost; set STEWARD_STORE to https://ACCOUNT.blob.core.windows.net/CONTAINER"
            ),
        )


OWNERS = [
    f"{SUBSCRIPTION}+rg-plan-WestEuropewebspace",
    f"{SUBSCRIPTION}+rg-plan-WestEuropewebspace-Linux",
    f"{SUBSCRIPTION}+flex-99ddf98f18fee2c3d86cb4d0f3757309-webspace",
]
"""What WEBSITE_OWNER_NAME is on Windows, on Linux, and on Flex Consumption."""
NOBODY_TELLS = (
    "STEWARD_RESOURCE_GROUP is not set, and Azure does not tell which resource group the app is in, so cleanup could "
    f"not leave it alone; set it to the id of that group, such as {EXAMPLE_GROUP}"
)


class TestOwnResourceGroup:
    @pytest.mark.parametrize("owner", OWNERS)
    def test_azure_tells_its_subscription_and_its_name(self, owner: str) -> None:
        environment = read(WEBSITE_OWNER_NAME=owner, WEBSITE_RESOURCE_GROUP="rg-steward", WEBSITE_INSTANCE_ID="1")

        assert (environment.own_resource_group, environment.cleanup_problems) == (GROUP, ())

    @pytest.mark.parametrize("owner", OWNERS)
    def test_a_webspace_is_no_resource_group(self, owner: str) -> None:
        """It may be that of the plan, which lies in another group, and is none on Flex Consumption."""
        environment = read(WEBSITE_OWNER_NAME=owner)

        assert (environment.own_resource_group, environment.cleanup_problems) == (None, (NOBODY_TELLS,))

    @pytest.mark.parametrize(
        "environ",
        [
            {"WEBSITE_INSTANCE_ID": "1"},
            {"WEBSITE_POD_NAME": "1"},
            {"WEBSITE_INSTANCE_ID": "1", "WEBSITE_RESOURCE_GROUP": "rg-steward"},
            {"WEBSITE_OWNER_NAME": SUBSCRIPTION, "WEBSITE_RESOURCE_GROUP": "rg-steward"},
            {"WEBSITE_OWNER_NAME": f"sub+{OWNERS[0]}", "WEBSITE_RESOURCE_GROUP": "rg-steward"},
            {"WEBSITE_OWNER_NAME": OWNERS[0], "WEBSITE_RESOURCE_GROUP": " "},
            {"WEBSITE_OWNER_NAME": OWNERS[0], "WEBSITE_RESOURCE_GROUP": "rg/steward"},
        ],
        ids=["instance", "pod", "no-owner", "bare-owner", "odd-owner", "blank-group", "odd-group"],
    )
    def test_in_azure_it_is_a_problem_of_cleanup_alone_where_nobody_tells(self, environ: dict[str, str]) -> None:
        environment = read(**environ, STEWARD_STORE="file:///data")

        assert (environment.own_resource_group, environment.cleanup_problems) == (None, (NOBODY_TELLS,))
        assert (environment.problems, environment.activity_problems, environment.watchdog_problems) == ((), (), ())

    def test_a_terminal_on_the_store_of_an_app_must_be_told(self) -> None:
        """It could delete the group that the app's own plans never hold."""
        environment = read(STEWARD_STORE="https://account.blob.core.windows.net/steward")

        assert (environment.own_resource_group, environment.cleanup_problems) == (None, (NOBODY_TELLS,))

    def test_elsewhere_there_is_none(self) -> None:
        environment = read(WEBSITE_RESOURCE_GROUP="rg-steward")

        assert (environment.own_resource_group, environment.cleanup_problems) == (None, ())

    def test_the_setting_wins(self) -> None:
        environment = read(
            STEWARD_RESOURCE_GROUP=GROUP, WEBSITE_OWNER_NAME=OWNERS[0], WEBSITE_RESOURCE_GROUP="rg-other"
        )

        assert (environment.own_resource_group, environment.cleanup_problems) == (GROUP, ())

    @pytest.mark.parametrize(
        "value",
        [
            "rg-steward",
            f"/subscriptions/{SUBSCRIPTION}",
            f"/subscriptions/sub-dev/resourceGroups/{GROUP}",
            f"{GROUP}/",
            f"{GROUP}/providers/Microsoft.Web/sites/func-steward",
            f"{GROUP}.",
            f"{GROUP}%20x",
            f"{GROUP}*",
            f"{GROUP}{'x' * 81}",
            f"https://portal.azure.com/#@c2VjcmV0/resource{GROUP}",
        ],
    )
    def test_what_is_no_id_of_one_is_a_problem_even_where_azure_tells(self, value: str) -> None:
        """A group that protects nothing would look as if the app were safe."""
        environment = read(
            STEWARD_RESOURCE_GROUP=value, WEBSITE_OWNER_NAME=OWNERS[0], WEBSITE_RESOURCE_GROUP="rg-steward"
        )

        assert environment.own_resource_group is None
        assert environment.cleanup_problems == (
            (
                f"STEWARD_RESOURCE_GROUP is not the id of a resource group, such as {EXAMPLE_GROUP}; "
                "correct the app setting"
            ),
        )

    @given(owner=some.sampled_from(OWNERS) | some.text(), name=some.text() | some.from_regex(r"[\w.()-]{1,95}"))
    def test_whatever_is_told_is_the_id_of_a_group_or_of_none(self, owner: str, name: str) -> None:
        """Of any other id, protection would conclude that everything may be in it."""
        environment = read(WEBSITE_OWNER_NAME=owner, WEBSITE_RESOURCE_GROUP=name, WEBSITE_INSTANCE_ID="1")

        own = environment.own_resource_group
        if own is None:
            assert environment.cleanup_problems == (NOBODY_TELLS,)
        else:
            assert is_group(own)
            assert group_name(own) == name.strip()


BAD_ADDRESSES = [
    "http://management.azure.com",
    "management.azure.com",
    "HTTPS//x",
    "https://",
    "https:///path",
    "https://steward:c2VjcmV0@management.azure.com",
    "https://:c2VjcmV0@management.azure.com",
    "https://@management.azure.com",
    "https://management.azure.com?sig=c2VjcmV0",
    "https://management.azure.com/#c2VjcmV0",
    "https://management.azure.com\\@example.com",
    "https://manage ment.azure.com",
    "https://management.azure.com/\nc2VjcmV0",
    "https://[::1",
    "https://management.azure.com:c2VjcmV0",
    "https://management.azure.com/{a}",
]


class TestProblems:
    @pytest.mark.parametrize("name", ["STEWARD_ARM_ENDPOINT", "STEWARD_ARM_AUDIENCE"])
    @pytest.mark.parametrize("value", BAD_ADDRESSES)
    def test_an_address_is_plain_https_or_a_problem_that_shows_none_of_it(self, name: str, value: str) -> None:
        environment = read(**{name: value})

        assert environment.problems == (
            f"{name} is not an https address without query, such as '{PUBLIC_ARM}'; correct the app setting",
        )
        assert (environment.arm_endpoint, environment.arm_audience) == (PUBLIC_ARM, PUBLIC_ARM)

    @pytest.mark.parametrize("name", ["STEWARD_LOGS_ENDPOINT", "STEWARD_LOGS_AUDIENCE"])
    @pytest.mark.parametrize("value", BAD_ADDRESSES)
    def test_addresses_of_the_logs_are_judged_alike_and_cost_nothing_else(self, name: str, value: str) -> None:
        environment = read(**{name: value})

        assert environment.activity_problems == (
            f"{name} is not an https address without query, such as '{PUBLIC_LOGS}'; correct the app setting",
        )
        assert environment.problems == ()
        assert (environment.logs_endpoint, environment.logs_audience) == (PUBLIC_LOGS, PUBLIC_LOGS)

    @pytest.mark.parametrize(
        "value",
        ["shop-logs", f"{WORKSPACE}/query", f"{WORKSPACE}?x=c2VjcmV0", WORKSPACE[:-1], f"/subscriptions/{WORKSPACE}"],
    )
    def test_a_workspace_is_named_by_its_id_or_is_none(self, value: str) -> None:
        """A name or a resource id would be asked for in vain at each run."""
        environment = read(STEWARD_LOGS_WORKSPACE_ID=value)

        assert environment.logs_workspace_id is None
        assert environment.problems == ()
        assert environment.activity_problems == (
            (
                "STEWARD_LOGS_WORKSPACE_ID is not the id of a Log Analytics workspace, such as"
                " '00000000-0000-0000-0000-000000000000' (its overview in the portal has it); correct the app setting"
            ),
        )

    @pytest.mark.parametrize("value", ["on", "treu", "2", "true;", "c2VjcmV0"])
    def test_read_only_in_doubt(self, value: str) -> None:
        """Whoever has set it wanted something forbidden, so nothing is written; `steward check` says so."""
        environment = read(STEWARD_READ_ONLY=value)

        assert environment.read_only
        assert environment.problems == (
            "STEWARD_READ_ONLY is neither 'true' nor 'false', so it counts as 'true'; correct it",
        )

    def test_all_are_reported_at_once(self) -> None:
        environment = read(STEWARD_ARM_ENDPOINT="x", STEWARD_ARM_AUDIENCE="y", WEBSITE_INSTANCE_ID="1")

        assert [problem.split()[0] for problem in environment.problems] == [
            "STEWARD_ARM_ENDPOINT",
            "STEWARD_STORE",
            "STEWARD_ARM_AUDIENCE",
        ]

    @pytest.mark.parametrize(
        "value",
        [
            "https://a.blob.core.windows.net/c?sv=1&sig=c2VjcmV0",
            "https://steward:c2VjcmV0@a.blob.core.windows.net/c",
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0",
            "https://a.blob.core.windows.net/c#c2VjcmV0",
        ],
        ids=["sas", "password", "connection-string", "fragment"],
    )
    def test_a_store_address_with_a_secret_is_refused_without_showing_it(self, value: str) -> None:
        with pytest.raises(StoreError, match=r"^STEWARD_STORE is ") as refused:
            open_store(read(STEWARD_STORE=value).store, azure_credential=object)

        assert "c2VjcmV0" not in str(refused.value)

    @given(
        environ=some.dictionaries(
            some.sampled_from(
                [
                    *(setting.name for setting in SETTINGS),
                    "IDENTITY_ENDPOINT",
                    "WEBSITE_INSTANCE_ID",
                    "WEBSITE_OWNER_NAME",
                    "WEBSITE_RESOURCE_GROUP",
                ]
            ),
            some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"]))
            | some.sampled_from(BAD_ADDRESSES),
        )
    )
    def test_any_settings_are_read_and_every_problem_names_its_setting(self, environ: dict[str, str]) -> None:
        environment = read_environment(environ, APP)

        assert environment.arm_endpoint.startswith("https://")
        assert environment.arm_audience.startswith("https://")
        assert environment.logs_endpoint.startswith("https://")
        assert environment.logs_audience.startswith("https://")
        problems = (*environment.problems, *environment.activity_problems, *environment.cleanup_problems)
        assert all(problem.startswith("STEWARD_") for problem in problems)
        assert "c2VjcmV0" not in " ".join(problems)


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, ""),
        ({"WEBSITE_SITE_NAME": "Func-Steward"}, "func-steward"),
        ({"WEBSITE_SITE_NAME": "func", "WEBSITE_SLOT_NAME": "Production"}, "func"),
        ({"WEBSITE_SITE_NAME": "func", "WEBSITE_SLOT_NAME": "Staging"}, "func-staging"),
        ({"WEBSITE_SITE_NAME": "func", "WEBSITE_CLOUD_ROLENAME": "Steward"}, "Steward"),
        ({"WEBSITE_SLOT_NAME": "staging"}, ""),
    ],
    ids=["outside Azure", "site", "production", "slot", "given", "slot alone"],
)
def test_the_name_under_which_the_host_notes_calls(environ: dict[str, str], name: str) -> None:
    """As the host makes it."""
    assert read_environment(environ, Path("/app")).role_name == name
