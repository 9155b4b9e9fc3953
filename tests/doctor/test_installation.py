"""What can be told without asking anybody."""

from pathlib import Path

import pytest

from shared_code.doctor.checks import Check, Result
from shared_code.doctor.installation import (
    heartbeat_check,
    host_storage_check,
    package_check,
    python_check,
    schedule_check,
    settings_checks,
)
from shared_code.environment import read_environment
from shared_code.settings import configure
from tests.fakes import NOW

AZURE = {"WEBSITE_POD_NAME": "pod"}
ACCOUNT = "AzureWebJobsStorage__accountName"
BLOBS, QUEUES = "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri"


def told(check: Check) -> tuple[str, str]:
    return str(check.result), check.detail


def test_python() -> None:
    assert told(python_check((3, 13, 0))) == ("ok", "3.13.0")
    assert told(python_check((3, 14, 1))) == ("ok", "3.14.1")
    assert told(python_check((3, 12, 9))) == ("failed", "3.12.9, and Steward needs 3.13 or later")


class TestPackages:
    def test_as_pinned(self) -> None:
        check = package_check(["a==1", "b==2", "", "# c==3"], {"a": "1", "b": "2"}.get, lambda _: None)

        assert told(check) == ("ok", "all 2 of requirements.txt, in the versions it pins")

    def test_with_hashes(self) -> None:
        """They are pip's affair."""
        check = package_check(
            ["a==1 \\", "    --hash=sha256:00 \\", "    --hash=sha256:01"], {"a": "1"}.get, lambda _: None
        )

        assert told(check) == ("ok", "all 1 of requirements.txt, in the versions it pins")

    def test_another_version_or_none(self) -> None:
        """It may work; it was not tested."""
        check = package_check(["a==1", "b==2"], {"a": "1.1"}.get, lambda _: None)

        assert told(check) == ("warning", "a is 1.1, not 1; b is not there, not 2")

    def test_many_are_counted(self) -> None:
        check = package_check([f"p{each}==1" for each in range(9)], lambda _: None, lambda _: None)

        assert check.detail.endswith("; p4 is not there, not 1; and 4 more")

    def test_one_that_cannot_be_loaded(self) -> None:
        """Whatever its version."""
        check = package_check(["a==1"], {"a": "1"}.get, {"obstore": "ImportError: no GLIBC"}.get)

        assert told(check) == ("failed", "obstore cannot be loaded: ImportError: no GLIBC")

    def test_nothing_to_compare_with(self) -> None:
        assert package_check(None, lambda _: None, lambda _: None).result is Result.NOT_CHECKED


class TestSettings:
    def checks(self, toml: bytes | None, **environ: str) -> list[tuple[str, str, str]]:
        environment = read_environment(environ, Path("/app"))
        configuration = configure(toml, "steward.toml", environ)
        return [(each.what, *told(each)) for each in settings_checks(configuration, environment)]

    def test_valid(self) -> None:
        toml = b'[jobs.watchdog]\nschedule = "0 */30 * * * *"\n'

        assert self.checks(toml) == [("app settings", "ok", "valid"), ("steward.toml", "ok", "valid")]

    def test_problems_are_counted_and_the_first_is_told(self) -> None:
        """`steward check` has the others."""
        settings, file = self.checks(b"[jobs.watchdoc]\n[scope]\nsubscription = 1\n")

        assert settings[1] == "ok"
        assert file[1:] == (
            "failed",
            "steward.toml: scope: there is no key 'subscription'; did you mean 'subscriptions', and 1 more",
        )

    def test_no_file(self) -> None:
        assert self.checks(None)[1][1] == "failed"

    def test_warnings(self) -> None:
        assert self.checks(b"")[1][1:] == ("warning", "valid, with 1 warning")


class TestSchedules:
    def check(self, *tables: str) -> Check:
        return schedule_check(configure("\n".join(tables).encode(), "steward.toml", {}), NOW)

    def test_the_next_run_of_all(self) -> None:
        check = self.check('[jobs.watchdog]\nschedule = "0 */30 * * * *"', '[jobs.cleanup]\nschedule = "0 0 7 * * *"')

        assert told(check) == (
            "ok",
            (
                "2 of 4 jobs have a timer; the next run is watchdog's at 2026-11-22T06:30:00Z; "
                "by hand only: list-resource-groups, tag-audit"
            ),
        )

    def test_one_that_is_refused(self) -> None:
        check = self.check('[jobs.watchdog]\nschedule = "0 */30 * * * *"', '[jobs.cleanup]\nschedule = "0 7 * * *"')

        assert check.result is Result.FAILED
        assert "cleanup has lost its own" in check.detail

    def test_nobody_watches(self) -> None:
        check = self.check('[jobs.cleanup]\nschedule = "0 0 7 * * *"')

        assert check.result is Result.WARNING
        assert "without the watchdog's nobody notices runs that are missed" in check.detail


@pytest.mark.parametrize(
    ("value", "result"),
    [("", "not checked"), ("https://monitor.example.com/secret-ping", "ok"), ("monitor", "failed")],
)
def test_heartbeat(value: str, result: str) -> None:
    """Its address is in no text."""
    check = heartbeat_check(read_environment({"STEWARD_HEARTBEAT_URL": value}, Path("/app")))

    assert str(check.result) == result
    assert "secret-ping" not in check.sentence


@pytest.mark.parametrize(
    ("environ", "result", "begins"),
    [
        ({}, "not checked", "AzureWebJobsStorage is set only where the Functions host runs"),
        (AZURE, "failed", "neither AzureWebJobsStorage nor AzureWebJobsStorage__accountName is set"),
        ({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}, "ok", "AzureWebJobsStorage is the emulator's"),
        (AZURE | {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}, "failed", "AzureWebJobsStorage is the"),
        (
            AZURE | {"AzureWebJobsStorage": "AccountName=st;AccountKey=c2VjcmV0", ACCOUNT: "st"},
            "warning",
            "AzureWebJobsStorage is a connection string, with a key in it",
        ),
        (AZURE | {ACCOUNT: "st"}, "ok", "identity-based, by AzureWebJobsStorage__accountName; no key"),
        (
            AZURE | {BLOBS: "https://b", QUEUES: "https://q"},
            "ok",
            "identity-based, by AzureWebJobsStorage__blobService",
        ),
        (AZURE | {BLOBS: "https://b"}, "failed", "AzureWebJobsStorage__blobServiceUri is set and __queueServiceUri is"),
        (AZURE | {"AzureWebJobsStorage__clientId": "x"}, "failed", "AzureWebJobsStorage__clientId name no account"),
    ],
    ids=["outside", "none", "emulator", "emulator in Azure", "key", "account", "services", "blobs alone", "no account"],
)
def test_host_storage(environ: dict[str, str], result: str, begins: str) -> None:
    """An identity signs in; a key could be copied by anybody who may read settings, and is in no text."""
    check = host_storage_check(environ)

    assert (str(check.result), check.detail[: len(begins)]) == (result, begins)
    assert "c2VjcmV0" not in check.sentence
