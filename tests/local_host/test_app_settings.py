from pathlib import Path

import pytest

from devkit.local_host.app_settings import AppSettings, UnresolvedSetting, add_local_settings, prepare_environment
from devkit.local_host.errors import LocalHostError


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("0 0 5 * * *", "0 0 5 * * *"),
        ("%SCHEDULE%", "0 0 6 * * *"),
        ("%schedule%", "0 0 6 * * *"),
        ("0 */%Minutes% * * * *", "0 */10 * * * *"),
        ("%Cleanup:Schedule%", "daily"),
        ("%cleanup__schedule%", "daily"),
        ("%NESTED%", "%SCHEDULE%"),
        ("%EMPTY%", ""),
    ],
    ids=["none", "whole", "case", "within", "colon", "underscores", "not-recursive", "empty"],
)
def test_names_between_percent_signs_are_replaced(text: str, resolved: str) -> None:
    """Names are looked up without case, `:` is `__`, and what comes out is not looked at again."""
    settings = AppSettings(
        {
            "SCHEDULE": "0 0 6 * * *",
            "MINUTES": "10",
            "Cleanup__Schedule": "daily",
            "NESTED": "%SCHEDULE%",
            "EMPTY": "",
        }
    )

    assert settings.resolve(text) == resolved


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("%MISSING%", "'%MISSING%' does not resolve to a value"),
        ("%%", "'%%' does not resolve to a value"),
        ("0 %A", "the '%' at position 2 does not have a closing '%'"),
    ],
)
def test_what_cannot_be_replaced_is_told(text: str, sentence: str) -> None:
    """The host puts such a function in error."""
    with pytest.raises(UnresolvedSetting, match=sentence):
        AppSettings({}).resolve(text)


@pytest.mark.parametrize(
    ("settings", "disabled"),
    [
        ({}, False),
        ({"AzureWebJobs.tag_audit.Disabled": "true"}, True),
        ({"AzureWebJobs_tag_audit_Disabled": "True"}, True),
        ({"AzureWebJobs.TAG_AUDIT.disabled": "1"}, True),
        ({"AzureWebJobs.tag_audit.Disabled": "false"}, False),
        ({"AzureWebJobs.cleanup.Disabled": "true"}, False),
    ],
)
def test_a_setting_disables_a_function(settings: dict[str, str], disabled: bool) -> None:
    """Both spellings of the setting's name count, without case."""
    assert AppSettings(settings).disables("tag_audit") is disabled


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """local.settings.json fills in what is not set."""
    (tmp_path / "local.settings.json").write_text('{"IsEncrypted": false, "Values": {"A": "file", "B": "file"}}')
    environ = {"A": "process"}

    assert add_local_settings(tmp_path, environ) == 1
    assert environ == {"A": "process", "B": "file"}


def test_no_file_is_no_settings(tmp_path: Path) -> None:
    """The file is optional."""
    assert add_local_settings(tmp_path, {}) == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [('{"Values": {"A": 1}}', "cannot be read"), ('{"IsEncrypted": true}', "is encrypted"), ("{", "cannot be read")],
)
def test_an_unusable_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    """Settings that are silently missing would be worse."""
    (tmp_path / "local.settings.json").write_text(text)

    with pytest.raises(LocalHostError, match=sentence):
        add_local_settings(tmp_path, {})


def test_the_environment_looks_like_the_hosts() -> None:
    """CONTAINER_NAME would make the worker library believe in Linux Consumption."""
    environ = {"CONTAINER_NAME": "build", "AZURE_FUNCTIONS_ENVIRONMENT": "Staging"}

    prepare_environment(environ)

    assert environ == {"AZURE_FUNCTIONS_ENVIRONMENT": "Staging", "FUNCTIONS_WORKER_RUNTIME": "python"}
