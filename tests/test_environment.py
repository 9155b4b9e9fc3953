"""App settings: typed, every problem at once, and no secret in any sentence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.environment import PUBLIC_ARM, PUBLIC_LOGS, SETTINGS, Environment, read_environment
from shared_code.errors import StoreError
from shared_code.store import open_store

APP = Path("/srv/app")
WORKSPACE = "10600000-0000-4000-8000-00000000000a"
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

    def test_in_azure_a_store_on_the_instances_disk_is_a_problem(self) -> None:
        assert read(WEBSITE_INSTANCE_ID="1", AzureWebJobsStorage="AccountKey=c2VjcmV0").problems == (
            (
                "STEWARD_STORE is not set and the app's storage account is not identity-based, so runs would be kept "
                "on this instance's disk and lost; set STEWARD_STORE to https://ACCOUNT.blob.core.windows.net/CONTAINER"
            ),
        )


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
            some.sampled_from([*(setting.name for setting in SETTINGS), "IDENTITY_ENDPOINT", "WEBSITE_INSTANCE_ID"]),
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
        problems = (*environment.problems, *environment.activity_problems)
        assert all(problem.startswith("STEWARD_") for problem in problems)
        assert "c2VjcmV0" not in " ".join(problems)
