import re
from typing import Any

import pytest

from devkit.local_host.app_settings import AppSettings
from devkit.local_host.functions import Function, HttpTrigger, QueueTrigger, TimerTrigger, read_functions
from devkit.local_host.worker import Indexed


def read(*bindings: dict[str, Any], name: str = "tag_audit", settings: dict[str, str] | None = None) -> Function:
    indexed = Indexed(name, "id", bindings)
    return read_functions([indexed], AppSettings(settings or {}), "api")[0]


def timer(schedule: str | None, **more: Any) -> dict[str, Any]:
    return {"direction": "IN", "type": "timerTrigger", "name": "timer", "schedule": schedule, **more}


def http(**more: Any) -> dict[str, Any]:
    return {"direction": "IN", "type": "httpTrigger", "name": "req", **more}


def queue(name: str, **more: Any) -> dict[str, Any]:
    return {"direction": "IN", "type": "queueTrigger", "name": "message", "queueName": name, **more}


def test_a_timer_is_read() -> None:
    """The monitor is on and the run on startup off unless the binding says otherwise."""
    trigger = read(timer("%WHEN%"), settings={"when": "0 0 5 * * *"}).trigger
    other = read(timer("0 0 5 * * *", runOnStartup=True, useMonitor=False)).trigger

    assert isinstance(trigger, TimerTrigger)
    assert (str(trigger.schedule), trigger.run_on_startup, trigger.use_monitor) == ("0 0 5 * * *", False, True)
    assert isinstance(other, TimerTrigger)
    assert (other.run_on_startup, other.use_monitor) == (True, False)


def test_an_http_function_is_read() -> None:
    """The route is the function's name unless given, all methods are taken, and the level is `function`."""
    plain = read(http()).trigger
    given = read(http(route="/jobs/{job}", methods=["GET", "post"], authLevel="ANONYMOUS")).trigger

    assert isinstance(plain, HttpTrigger)
    assert (str(plain.route), plain.methods, plain.level) == ("api/tag_audit", None, "function")
    assert isinstance(given, HttpTrigger)
    assert (str(given.route), given.methods, given.level) == ("api/jobs/{job}", frozenset({"GET", "POST"}), "anonymous")


def test_a_queue_function_is_read() -> None:
    """Queue names are resolved and put in lower case; outputs are known by binding name."""
    output = {"direction": "OUT", "type": "queue", "name": "work", "queueName": "%NEXT%"}
    function = read(queue("Jobs"), output, settings={"NEXT": "runs"})

    assert function.trigger == QueueTrigger("message", "jobs")
    assert function.queues == {"work": "runs"}


@pytest.mark.parametrize(
    ("binding", "reason"),
    [
        (timer("0 0 25 * * *"), "Hour '25' is out of range"),
        (timer(""), "empty|no schedule|field"),
        (timer(None), "empty|no schedule|field"),
        (timer("%MISSING%"), "'%MISSING%' does not resolve to a value"),
        (queue("%MISSING%"), "'%MISSING%' does not resolve to a value"),
        (queue("a_b"), "'a_b' is not a queue name"),
        (queue("ab"), "'ab' is not a queue name"),
        (http(route="{a}{b}"), r"the part '\{a\}\{b\}'"),
        (http(authLevel="user"), "'user' is not one of anonymous, function and admin"),
        ({"direction": "IN", "type": "blobTrigger", "name": "blob"}, "the trigger 'blobTrigger' is not played"),
    ],
    ids=["schedule", "empty", "none", "setting", "queue-setting", "queue", "short", "route", "level", "trigger"],
)
def test_a_function_in_error_has_the_reason(binding: dict[str, Any], reason: str) -> None:
    """Only that function does not run."""
    indexed = [Indexed("bad", "1", (binding,)), Indexed("good", "2", (timer("0 0 5 * * *"),))]

    bad, good = read_functions(indexed, AppSettings({}), "api")

    assert not bad.runs
    assert bad.problem is not None
    assert re.search(reason, bad.problem), bad.problem
    assert good.runs
    assert good.problem is None


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("a", True),
        ("Tag-audit_2", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("2nd", False),
        ("_a", False),
        ("Host", False),
    ],
)
def test_names_are_checked_as_the_host_does(name: str, accepted: bool) -> None:
    """The worker library accepts any name; the host does not."""
    assert read(timer("0 0 5 * * *"), name=name).runs is accepted


def test_a_binding_that_is_not_played_is_told() -> None:
    """An output that would be lost silently puts the function in error."""
    blob = {"direction": "OUT", "type": "blob", "name": "report"}

    assert (
        read(http(), blob).problem == "the out binding 'blob' is not played by the local host; it knows queue outputs"
    )


def test_a_disabled_function_does_not_run() -> None:
    """It is listed, its trigger is not listened to."""
    function = read(timer("0 0 5 * * *"), settings={"AzureWebJobs.tag_audit.Disabled": "true"})

    assert (function.disabled, function.problem, function.runs) == (True, None, False)
