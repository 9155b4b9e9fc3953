"""What the app settings say goes into the configuration; the files beside steward.toml."""

from pathlib import Path

import msgspec
import pytest

from shared_code.azure_api.removals import AzureRemover
from shared_code.azure_clock import AzureClock
from shared_code.settings import JOBS, Costs
from shared_code.wiring import Steward, read_list, reason_not_to_import, version_of

OWNER = "10600000-0000-4000-8000-00000000000a+flex-99ddf98f18fee2c3-webspace"
OWN = "/subscriptions/10600000-0000-4000-8000-00000000000a/resourceGroups/rg-steward"
IN_AZURE = {"WEBSITE_OWNER_NAME": OWNER, "AzureWebJobsStorage__accountName": "acct"}
OUTSIDE: dict[str, str] = {}


@pytest.mark.parametrize(
    ("environ", "own"),
    [
        (IN_AZURE | {"WEBSITE_RESOURCE_GROUP": "rg-steward"}, OWN),
        (IN_AZURE | {"STEWARD_RESOURCE_GROUP": OWN.upper()}, OWN.upper()),
        (OUTSIDE, None),
    ],
    ids=["told", "set", "outside"],
)
def test_the_configuration_knows_where_the_app_is(environ: dict[str, str], own: str | None) -> None:
    configuration = Steward(environ).configuration

    assert configuration.own_resource_group == own
    assert not configuration.problems_of("cleanup", Costs.RUNS)


@pytest.mark.parametrize(
    ("environ", "job"),
    [
        (IN_AZURE, "cleanup"),
        ({"STEWARD_RESOURCE_GROUP": "rg-steward"}, "cleanup"),
        ({"STEWARD_LOGS_WORKSPACE_ID": "logs"}, "tag-audit"),
        ({"STEWARD_HEARTBEAT_URL": "monitor"}, "watchdog"),
    ],
    ids=["nobody-tells", "no-id", "logs", "heartbeat"],
)
def test_a_setting_of_one_job_costs_the_others_nothing(environ: dict[str, str], job: str) -> None:
    configuration = Steward(environ).configuration

    assert {name for name in JOBS if configuration.problems_of(name, Costs.RUNS)} == {job}
    assert all(problem.place == "app settings" for problem in configuration.problems)


def test_a_list_is_its_lines(tmp_path: Path) -> None:
    (tmp_path / "owners.txt").write_bytes("\ufeffweb\r\ndata\n".encode())

    assert read_list(tmp_path, "owners.txt") == ["web", "data"]


@pytest.mark.parametrize("name", ["gone.txt", "folder", "latin.txt", "long.txt", "a\0b"])
def test_what_is_no_list_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.txt").write_bytes(b"\xff")
    (tmp_path / "long.txt").write_text("x\n" * 1024 * 1024)

    assert read_list(tmp_path, name) is None


def test_what_deletes_goes_by_azures_clock(tmp_path: Path) -> None:
    """Nothing is judged by a clock that is far off."""
    remover = Steward({"STEWARD_STORE": (tmp_path / "store").as_uri()}).worker(None).remover

    assert isinstance(remover, AzureRemover)
    assert isinstance(remover._clock, AzureClock)


def test_a_module_that_cannot_be_loaded_says_why() -> None:
    assert reason_not_to_import("json") is None
    assert reason_not_to_import("no_such_module") == "ModuleNotFoundError: No module named 'no_such_module'"


def test_a_package_has_a_version_or_is_not_there() -> None:
    assert version_of("msgspec") == msgspec.__version__
    assert version_of("no-such-package") is None
