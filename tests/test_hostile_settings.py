"""What strangers try, in every app setting; the product itself lists them, so none is missed."""

import re
from pathlib import Path

import pytest

from shared_code.environment import SETTINGS, read_environment
from shared_code.errors import StoreError
from shared_code.notices.settings import Notices, receivers_of
from shared_code.settings import configure
from shared_code.store import open_store
from tests.hostile import INJECTIONS

DRIVES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
LONGEST = 1500
TOML = '[jobs.watchdog]\nschedule = "%STEWARD_HOSTILE%"\n[scope]\nsubscriptions = ["%STEWARD_HOSTILE%"]\n'


@pytest.mark.parametrize("name", [each.name for each in SETTINGS])
@pytest.mark.parametrize("tried", INJECTIONS)
def test_no_setting_breaks_the_app(name: str, tried: str) -> None:
    """It is taken, or refused in a short line; what leads elsewhere is never taken for an address of Azure."""
    environment = read_environment({name: INJECTIONS[tried]}, Path("/app"))

    told = [*environment.problems, *environment.watchdog_problems, *environment.activity_problems]
    for problem in (*told, *environment.cleanup_problems):
        assert len(problem) < LONGEST
        assert not DRIVES.search(problem)
    for address in (environment.arm_endpoint, environment.arm_audience, environment.logs_endpoint):
        assert re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?(/[\w.~/-]*)?", address)
    assert environment.heartbeat_url is None or environment.heartbeat_url.startswith(("https://", "http://127.0.0.1"))
    assert environment.read_only or name != "STEWARD_READ_ONLY"


@pytest.mark.parametrize("tried", INJECTIONS)
def test_no_text_is_a_store(tried: str) -> None:
    """It is refused in a short line of ASCII."""
    with pytest.raises(StoreError) as refused:
        open_store(INJECTIONS[tried])

    assert len(str(refused.value)) < LONGEST
    assert str(refused.value).isascii()
    assert not DRIVES.search(str(refused.value))


@pytest.mark.parametrize("tried", INJECTIONS)
def test_no_text_tells_anybody_anything(tried: str) -> None:
    """A setting that is to be a URL of notices and is none costs the notices, and is never shown."""
    text = INJECTIONS[tried]
    for notices in (Notices(urls=("%SETTING%",)), Notices(owner_url="%SETTING%"), Notices(fallback="%SETTING%")):
        receivers, problems = receivers_of(notices, {"SETTING": text})
        for _, problem in problems:
            assert len(problem) < LONGEST
            assert not DRIVES.search(problem)
            assert text not in problem
        for label in receivers.operators:
            assert label == "http://169.254.169.254"


@pytest.mark.parametrize("tried", INJECTIONS)
def test_no_text_of_a_setting_gets_further_through_the_file(tried: str) -> None:
    """`%NAME%` in steward.toml stands for it; problems that quote it are short lines."""
    configuration = configure(TOML.encode(), "steward.toml", {"STEWARD_HOSTILE": INJECTIONS[tried]})

    assert configuration.problems
    for problem in configuration.problems:
        assert len(str(problem)) < LONGEST * 2, str(problem)[:200]
        assert not DRIVES.search(str(problem).replace("\n", " "))
