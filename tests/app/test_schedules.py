"""Schedules while the app is loaded: a bad one costs its job's timer, a surprising one nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_code.settings import JOBS
from tests.app.conftest import JOB, YEARLY, World, small_estate, world_of
from tests.app.test_bad_input import ALL, AUDIT, HTTP, LISTING, QUEUE, WATCHDOG

EVERYTHING = HTTP | QUEUE
UNREADABLE = "the file cannot be read; put steward.toml beside host.json"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One small subscription."""
    with world_of(tmp_path, small_estate(1)) as world:
        yield world


def check_unhealthy(world: World, beginnings: list[str], timers: set[str], config: str | None = None) -> None:
    """Check that all else is indexed, and that health, log and `steward check` say each problem."""
    environment = {} if config is None else {"STEWARD_CONFIG": config}
    checked = world.steward("check", "--json", environment=environment)
    with world.host(environment=environment) as host:
        functions = set(host.functions)
        health = host.call("GET", "/api/health")
        jobs = {job["name"]: job for job in host.call("GET", "/api/jobs").json()["jobs"]}
        errors = re.findall(r"^\S+ ERROR .*?configuration: (.*)$", host.log, re.MULTILINE)
        log = host.log

    assert functions == EVERYTHING | timers
    assert (health.status, health.json()["status"]) == (503, "unhealthy")
    sentences = [f"{each['place']}: {each['text']}" for each in health.json()["problems"]]
    assert [found[: len(start)] for found, start in zip(sentences, beginnings, strict=True)] == beginnings
    assert errors == [sentence.split("\n")[0] for sentence in sentences]
    assert (checked.code, checked.json()["problems"]) == (2, health.json()["problems"])
    assert {name for name, job in jobs.items() if job["timer"]} == {timer.replace("_", "-") for timer in timers}
    assert "Traceback" not in log


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "   ",
        "every day",
        "00:05:00",
        "0 0 0 31 2 *",
        "0 0 6 * * 7",
        "%NO_SUCH_SETTING%",
        "50%",
        "\\u202e\\u001b[31m",
        "0" * 10_001,
    ],
    ids=["empty", "blank", "words", "timespan", "never", "sunday", "setting", "percent", "hostile", "long"],
)
def test_every_job_is_bad(world: World, schedule: str) -> None:
    """No timer is left, and everything else is."""
    world.config.write_text("".join(f'[jobs.{job}]\nschedule = "{schedule}"\n' for job in JOBS))

    check_unhealthy(world, [f"steward.toml: jobs.{job}.schedule: " for job in JOBS], set())


def test_a_directory_in_place_of_the_file(world: World) -> None:
    world.config.unlink()
    world.config.mkdir()

    check_unhealthy(world, [f"steward.toml: {UNREADABLE}"], set())


def test_a_file_of_zeros(world: World) -> None:
    """Bytes that are UTF-8 and nothing else."""
    world.config.write_bytes(bytes(10_000))

    check_unhealthy(world, ["steward.toml: not valid TOML: "], set())


@pytest.mark.parametrize(
    "config",
    ["/nowhere/steward.toml", "../../../../nowhere.toml", "steward\nERROR.toml", "/dev/null/steward.toml", "/"],
)
def test_a_path_that_leads_nowhere(world: World, config: str) -> None:
    check_unhealthy(world, [f"{Path(config).name or 'STEWARD_CONFIG'}: {UNREADABLE}".replace("\n", " ")], set(), config)


def test_an_empty_path_is_the_file_beside_host_json(world: World) -> None:
    """As if the setting were not there."""
    with world.host(environment={"STEWARD_CONFIG": ""}) as host:
        health = host.call("GET", "/api/health")
        functions = set(host.functions)

    assert health.status == 200
    assert functions == EVERYTHING | {LISTING, AUDIT, "cleanup", WATCHDOG}


def test_warnings_cost_nothing(world: World) -> None:
    """Timers are there, health is 200, the log has no ERROR; `GET jobs` has the warnings and the words."""
    world.config.write_text(YEARLY.replace("0 0 5 1 1 *", "0 0 5 1 JAN-JAN MON"))

    with world.host() as host:
        functions = set(host.functions)
        health = host.call("GET", "/api/health")
        jobs = {job["name"]: job for job in host.call("GET", "/api/jobs").json()["jobs"]}
        log = host.log

    assert functions == EVERYTHING | {LISTING, AUDIT, WATCHDOG}
    assert (health.status, health.json()["status"]) == (200, "healthy")
    assert " ERROR " not in log
    for name in ALL:
        assert len(jobs[name]["warnings"]) == 2
        assert jobs[name]["azure"] == {"accepted": True, "reads_as": "cron", "expanded": "0 0 5 1 1 1", "reason": None}
        assert jobs[name]["steward"]["accepted"]
    assert jobs[JOB]["words"] == ("At 05:00, on day 1 of the month, only in January, and only if it is a Monday (UTC).")


def test_both_verdicts_on_a_refused_schedule(world: World) -> None:
    """Azure's and Steward's differ, and the text to paste is there."""
    world.config.write_text(YEARLY.replace("0 0 5 1 1 *", "30 5 * * *", 1))

    with world.host() as host:
        job = host.call("GET", f"/api/jobs/{JOB}").json()

    assert (job["timer"], job["azure"]["accepted"], job["steward"]["accepted"]) == (False, True, False)
    assert job["steward"]["write"] == "0 30 5 * * *"
    assert job["words"] == "At 05:30, every day (UTC)."


def test_local_time(world: World) -> None:
    """The timer is registered in UTC; a zone that there is not costs its job the timer, and nothing else."""
    text = YEARLY.replace('"0 0 5 1 1 *"', '"0 0 6 * * *"\ntimezone = "Europe/Berlin"', 1)
    world.config.write_text(text.replace('"0 0 5 1 1 *"', '"0 0 6 * * *"\ntimezone = "Europe/Berln"', 1))
    first, second = (name for name in re.findall(r"jobs\.([a-z-]+)", YEARLY)[:2])

    with world.host() as host:
        functions = set(host.functions)
        health = host.call("GET", "/api/health").json()
        jobs = {job["name"]: job for job in host.call("GET", "/api/jobs").json()["jobs"]}
        log = host.log

    assert functions == (EVERYTHING | {LISTING, AUDIT, WATCHDOG}) - {second.replace("-", "_")}
    assert [problem["place"] for problem in health["problems"]] == [f"steward.toml: jobs.{second}.timezone"]
    assert "0 0 4-5 * * *" in log
    assert jobs[first]["local"]["registered"] == "0 0 4-5 * * *"
    assert {at[-14:] for at in jobs[first]["local"]["next_runs"]} <= {"06:00:00+01:00", "06:00:00+02:00"}
    assert {at[10:] for at in jobs[first]["next_runs"]} <= {"T05:00:00Z", "T04:00:00Z"}
    assert (jobs[second]["timer"], jobs[second]["local"]) == (False, None)
