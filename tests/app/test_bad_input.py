"""A bad configuration and a bad world: a clear sentence with its place, the right code, nothing lost, no traceback."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from devkit.simulator import Fault
from tests.app.conftest import (
    JOB,
    RUNS,
    YEARLY,
    Json,
    World,
    small_estate,
    start_run,
    subscription_id,
    wait_ended,
    wait_until,
    world_of,
)

HTTP = {
    "live", "health", "list_jobs", "show_job", "start_run", "list_runs", "show_run", "cancel_run", "read_report",
    "list_findings", "list_plans", "show_plan", "undo_run", "apply_plan", "show_stop", "set_stop", "clear_stop",
    "list_snoozes", "show_snooze", "set_snooze", "remove_snooze", "describe_api", "dashboard", "dashboard_content",
}  # fmt: skip
QUEUE = {"run_worker", "run_worker_poison"}
LISTING, AUDIT, WATCHDOG = "list_resource_groups", "tag_audit", "watchdog"
SUBSCRIPTIONS = "cannot read the list of subscriptions"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two small subscriptions."""
    with world_of(tmp_path, small_estate(2)) as world:
        yield world


class BadConfiguration(NamedTuple):
    """What the operator's file holds, and what that costs."""

    content: bytes | None
    problems: list[str]
    """How each problem begins."""
    timers: set[str]
    forbidden: list[str]
    """Jobs whose runs are refused."""


ALL = [JOB, "tag-audit", "watchdog"]
CONFIGURATIONS = {
    "missing file": BadConfiguration(
        None, ["steward.toml: the file cannot be read; put steward.toml beside host.json"], set(), ALL
    ),
    "bytes": BadConfiguration(
        b"\x80\x81\x82\xff", ["steward.toml: byte 0 is not UTF-8; save the file as UTF-8 text"], set(), ALL
    ),
    "invalid TOML": BadConfiguration(b"[jobs\nx=", ["steward.toml: not valid TOML: "], set(), ALL),
    "deep TOML": BadConfiguration(b"x = " + b"[" * 5000, ["steward.toml: not valid TOML: "], set(), ALL),
    "unknown key": BadConfiguration(
        b'[scope]\nsubscription = ["*"]\n' + YEARLY.encode(),
        ["steward.toml: scope: there is no key 'subscription'; did you mean 'subscriptions'"],
        set(),
        ALL,
    ),
    "unknown key of a job": BadConfiguration(
        YEARLY.replace("[jobs.tag-audit]\n", 'shedule = "x"\n[jobs.tag-audit]\n').encode(),
        ["steward.toml: jobs.list-resource-groups: there is no key 'shedule'; did you mean 'schedule'"],
        {AUDIT, WATCHDOG},
        [JOB],
    ),
    "unknown job": BadConfiguration(
        b"[jobs.watchdoc]\n" + YEARLY.encode(),
        ["steward.toml: jobs: there is no job 'watchdoc'; did you mean 'watchdog'"],
        {LISTING, AUDIT, WATCHDOG},
        [],
    ),
    "wrong type": BadConfiguration(
        b'[scope]\nsubscriptions = "*"\n' + YEARLY.encode(),
        ["steward.toml: scope.subscriptions: expected a list, got a text in quotes"],
        set(),
        ALL,
    ),
    "bad schedule": BadConfiguration(
        YEARLY.replace("0 0 5 1 1 *", "0 0 25 1 1 *", 1).encode(),
        ["steward.toml: jobs.list-resource-groups.schedule: "],
        {AUDIT, WATCHDOG},
        [],
    ),
    "five fields": BadConfiguration(
        YEARLY.replace("0 0 5 1 1 *", "0 5 1 1 *", 1).encode(),
        ["steward.toml: jobs.list-resource-groups.schedule: "],
        {AUDIT, WATCHDOG},
        [],
    ),
    "missing setting": BadConfiguration(
        YEARLY.replace("0 0 5 1 1 *", "%NO_SUCH_SETTING%", 1).encode(),
        [
            "steward.toml: jobs.list-resource-groups.schedule: '%NO_SUCH_SETTING%' names no app setting; add "
        ],
        {AUDIT, WATCHDOG},
        [],
    ),
    "several at once": BadConfiguration(
        b'[scope]\nsubscriptions = 1\n[jobs.list-resource-groups]\nschedule = 5\n[jobs.watchdog]\nschedule = ""\n',
        [
            "steward.toml: scope.subscriptions: expected a list, got a whole number",
            "steward.toml: jobs.list-resource-groups.schedule: expected a text in quotes, got a whole number",
            "steward.toml: jobs.watchdog.schedule: ",
        ],
        set(),
        ALL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("bad", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_bad_configuration(world: World, bad: BadConfiguration) -> None:
    """The app comes up with all HTTP functions and says in health, log, 409 and `steward check` what is wrong."""
    if bad.content is None:
        world.config.unlink()
    else:
        world.config.write_bytes(bad.content)
    checked = world.steward("check", "--json")
    printed = world.steward("check")
    with world.host() as host:
        health = host.call("GET", "/api/health")
        replies = {job: host.call("POST", f"/api/jobs/{job}/runs", {}) for job in ALL}
        jobs = {job["name"]: job for job in host.call("GET", "/api/jobs").json()["jobs"]}
        errors = re.findall(r"^\S+ ERROR .*?configuration: (.*)$", host.log, re.MULTILINE)
        for job in ALL:
            if job not in bad.forbidden:
                wait_ended(host, replies[job].json()["id"])
        log = host.log

    assert set(host.functions) == HTTP | QUEUE | bad.timers
    assert (health.status, health.json()["status"]) == (503, "unhealthy")
    sentences = [f"{each['place']}: {each['text']}" for each in health.json()["problems"]]
    assert health.json()["runbook"] == "runbooks/a-job-is-refused.md"
    assert [found[: len(start)] for found, start in zip(sentences, bad.problems, strict=True)] == bad.problems
    assert errors == [sentence.split("\n")[0] for sentence in sentences]
    for job, reply in replies.items():
        assert reply.status == (409 if job in bad.forbidden else 202)
        if job in bad.forbidden:
            detail = reply.json()["detail"]
            assert detail.startswith(f"Job '{job}' cannot run until its configuration is mended: steward.toml: ")
            assert any(sentence in detail for sentence in sentences)
        assert jobs[job]["runnable"] is (job not in bad.forbidden)
        assert jobs[job]["timer"] is (job.replace("-", "_") in bad.timers)
    assert (checked.code, checked.err, checked.json()["problems"]) == (2, "", health.json()["problems"])
    assert (printed.code, printed.err) == (2, "")
    found = f"{len(sentences)} problem{'s' if len(sentences) > 1 else ''} found."
    assert printed.out == "".join(f"{each}\n" for each in [*sentences, found])
    assert "Traceback" not in log + printed.out
    for job in bad.forbidden:
        done = world.steward("run", job)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("steward: steward.toml: ")
        assert "Traceback" not in done.err
    assert len(world.run_ids()) == (JOB not in bad.forbidden)


NO_HTTPS = (
    "STEWARD_ARM_ENDPOINT is not an https address without query, such as 'https://management.azure.com'; "
    "correct the app setting"
)
NO_STORE = (
    "STEWARD_STORE is 'ftp://example.com/runs': only file:///, https:// and the storage emulator's http:// "
    "are stores; write file:///srv/steward or https://ACCOUNT.blob.core.windows.net/CONTAINER."
)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("STEWARD_ARM_ENDPOINT", "http://management.example.com", NO_HTTPS),
        ("STEWARD_STORE", "ftp://example.com/runs", NO_STORE),
    ],
)
def test_bad_app_settings(world: World, name: str, value: str, problem: str) -> None:
    """A wrong app setting is a configuration problem like any other: 503, exit code 2, and nothing is run."""
    setting = {name: value}
    checked = world.steward("check", environment=setting)
    done = world.steward("run", JOB, environment=setting)
    with world.host(environment=setting) as host:
        health = host.call("GET", "/api/health")
        reply = host.call("POST", RUNS, {})
        asked = world.simulator.requests
        deep = host.call("GET", "/api/health?deep=1")
        log = host.log

    assert (deep.status, deep.json()["problems"]) == (503, health.json()["problems"])
    assert {each["what"]: each["result"] for each in deep.json()["checks"]}["app settings"] == "failed"
    assert (checked.code, checked.out) == (2, f"app settings: {problem}\n1 problem found.\n")
    assert (done.code, done.out, done.err) == (2, "", f"steward: app settings: {problem}\n")
    assert [each["text"] for each in health.json()["problems"]] == [problem]
    assert health.status == 503
    assert reply.status in (409, 503)
    assert problem in reply.json()["detail"]
    assert "Traceback" not in log
    assert asked == []


class BadWorld(NamedTuple):
    """What is wrong with Azure, and what a run says of it."""

    faults: list[Fault]
    sentence: str
    """How the record's error begins."""
    code: int = 1
    environment: Mapping[str, str] = MappingProxyType({})


FIRST = f"Not read completely: Subscription 1 ({subscription_id(1)}): cannot read"
WORLDS = {
    "unreachable endpoint": BadWorld(
        [],
        f"{SUBSCRIPTIONS}: the connection was refused; check the address and the network",
        environment={"STEWARD_ARM_ENDPOINT": "https://127.0.0.1:9"},
    ),
    "unknown name": BadWorld(
        [],
        f"{SUBSCRIPTIONS}: the name ",
        environment={"STEWARD_ARM_ENDPOINT": "https://arm.invalid"},
    ),
    "identity refuses": BadWorld(
        [Fault(route="identity", status=400, times=None)],
        f"{SUBSCRIPTIONS}: no token, ",
    ),
    "identity answers HTML": BadWorld(
        [Fault(route="identity", kind="html", status=200, times=None)],
        f"{SUBSCRIPTIONS}: no token, ",
    ),
    "expired token": BadWorld(
        [Fault(route="identity", kind="expired-token", times=None)],
        f"{SUBSCRIPTIONS}: Azure answered 401 ExpiredAuthenticationToken: The access token expiry UTC time ",
    ),
    "no role at all": BadWorld(
        [Fault(route="subscriptions", kind="forbidden", times=None)],
        f"{SUBSCRIPTIONS}: Azure answered 403 AuthorizationFailed: ",
    ),
    "a sign-in page": BadWorld(
        [Fault(route="subscriptions", kind="html", status=200, times=None)],
        f"{SUBSCRIPTIONS}: the answer is text/html, not JSON",
    ),
    "nothing readable": BadWorld(
        [Fault(route="resource-groups", kind="forbidden", times=None)],
        "No subscription could be read completely; the first: Subscription 1 ",
    ),
    "403 on one subscription": BadWorld(
        [Fault(route="resource-groups", subscription=subscription_id(1), kind="forbidden", times=None)], FIRST, 3
    ),
    "HTML for one subscription": BadWorld(
        [Fault(route="resource-groups", subscription=subscription_id(1), kind="html", status=200, times=None)], FIRST, 3
    ),
    "a truncated page": BadWorld(
        [Fault(route="resources", subscription=subscription_id(1), kind="cut-json", times=None)], FIRST, 3
    ),
    "a connection that breaks off": BadWorld(
        [Fault(route="resources", subscription=subscription_id(1), kind="cut", times=None)], FIRST, 3
    ),
}


@pytest.mark.parametrize("bad", WORLDS.values(), ids=WORLDS)
def test_bad_world(world: World, bad: BadWorld) -> None:
    """One sentence in the terminal and in the record, exit code 1 or 3, no traceback, and no secret anywhere."""
    for fault in bad.faults:
        world.simulator.faults.add(fault)

    done = world.steward("--verbose", "run", JOB, environment=bad.environment)

    record = world.record(world.run_ids()[0])
    assert done.code == bad.code
    assert record["status"] == ("partial" if bad.code == 3 else "failed")
    assert record["error"].startswith(bad.sentence)
    assert record["error"].count("\n") == 0
    assert f"  {'error':<24} {record['error']}\n" in done.out
    check_quiet(world, done.out + done.err)
    if bad.code == 3:
        assert [each["reading"] for each in record["subscriptions"]] == ["incomplete", "complete"]
        assert record["subscriptions"][0]["resources"] is None


def test_bad_world_in_the_app(world: World) -> None:
    """The app says the same as the terminal, with one ERROR line for the failed run, and goes on."""
    world.simulator.faults.add(Fault(route="subscriptions", kind="forbidden", times=None))
    with world.host() as host:
        failed = wait_ended(host, start_run(host))
        report = host.call("GET", f"/api/runs/{failed['id']}/report")
        world.simulator.faults.clear()
        mended = wait_ended(host, start_run(host))
        log = wait_until(lambda: host.log if mended["id"] in host.log else "", "the log")

    assert (failed["status"], mended["status"]) == ("failed", "succeeded")
    assert (report.status, report.json()["detail"]) == (
        404,
        f"Run '{failed['id']}' ({JOB}, failed) left no report. {failed['error']}",
    )
    errors = [line for line in log.splitlines() if " ERROR " in line]
    assert [failed["id"] in line and failed["error"] in line for line in errors] == [True]
    check_quiet(world, log)


def test_trouble_that_passes(world: World) -> None:
    """Throttling, a reset, a cut-off body and a 500 that come once are read again, and leave no trace in the result."""
    for kind, number in (("throttled", 1), ("reset", 2)):
        fault = Fault(route="resource-groups", subscription=subscription_id(number), kind=kind, retry_after=0)  # type: ignore[arg-type]
        world.simulator.faults.add(fault)
    world.simulator.faults.add(Fault(route="resources", subscription=subscription_id(1), kind="cut"))
    world.simulator.faults.add(Fault(route="subscriptions", kind="status", status=500))

    done = world.steward("run", JOB, "--json")

    run: Json = done.json()
    assert (done.code, run["status"], run["counts"]["resource_groups"]) == (0, "succeeded", 2)


def check_quiet(world: World, text: str) -> None:
    """Check that neither the output nor anything in the store has a traceback or a secret in it."""
    kept = [path.read_text() for path in world.store.rglob("*") if path.is_file()]
    for content in [text, *kept]:
        assert "Traceback" not in content
        assert "Bearer" not in content
        for secret in world.secrets():
            assert secret not in content
