"""Lines of the log: `key=value` first, one line each, whatever strangers have written."""

import ast
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared_code.errors import AzureError, StoreError
from shared_code.run_requests import Wanted
from shared_code.runs import Run, TriggeredBy
from shared_code.store import open_store
from shared_code.work import Work
from tests.test_imports import FILES, TREES, name_of
from tests.world import World

HOSTILE = "\nrun=forged job=cleanup succeeded\r\x1b[31m\u2028\u202e\x00"
FIRST = re.compile(r"(run|job|rule|queue|function|app|snapshot|subscription|configuration)(=(%s|watchdog)|: )")
METHODS = ("debug", "info", "warning", "error", "exception", "critical", "log")
ELSEWHERE = {"shared_code.doctor.examination"}
"""The doctor speaks to whoever started it, in a terminal."""


class Call(NamedTuple):
    """A call that writes a line."""

    place: str
    node: ast.Call


def calls() -> Iterator[Call]:
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            function = node.func if isinstance(node, ast.Call) else None
            if not (isinstance(function, ast.Attribute) and function.attr in METHODS):
                continue
            if isinstance(function.value, ast.Name) and function.value.id in ("log", "logger", "logging"):
                assert isinstance(node, ast.Call)
                yield Call(f"{module}:{node.lineno}", node)


CALLS = [each for each in calls() if each.place.partition(":")[0] not in ELSEWHERE]


def test_there_is_something_to_look_at() -> None:
    assert len(CALLS) > 30
    assert name_of(FILES[0]) in TREES


@pytest.mark.parametrize("call", CALLS, ids=[each.place.partition(":")[0] for each in CALLS])
def test_a_line_begins_with_what_it_is_about(call: Call) -> None:
    """`run=` where there is one, so that everything about a run is found by its id; a text is never the format."""
    arguments = call.node.args[1:] if ast.unparse(call.node.func).endswith(".log") else call.node.args
    text = arguments[0]
    texts = [text.value] if isinstance(text, ast.Constant) else _assigned(call, text)

    assert texts, call.place
    for each in texts:
        assert FIRST.match(str(each)), (call.place, each)
        assert "job=%s" in str(each) or "run=%s job" not in str(each)


def _assigned(call: Call, text: ast.expr) -> list[object]:
    """The constants that a name has been given in its module."""
    module = call.place.partition(":")[0]
    return [
        node.value.value
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and any(isinstance(target, ast.Name) and ast.unparse(text) == target.id for target in node.targets)
        and "%s" in str(node.value.value)
    ]


@pytest.mark.parametrize("call", CALLS, ids=[each.place.partition(":")[0] for each in CALLS])
def test_an_error_is_made_one_line(call: Call) -> None:
    """What a library has put into it may have many."""
    names = {argument.id for argument in call.node.args if isinstance(argument, ast.Name)}

    assert not names & {"error", "each"}, call.place


type Lines = Callable[[], list[logging.LogRecord]]


@pytest.fixture(name="lines")
def _lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """Gives what was logged, once it is seen to be lines."""
    caplog.set_level(logging.INFO)

    def lines() -> list[logging.LogRecord]:
        for record in caplog.records:
            message = record.getMessage()
            assert message.isprintable(), message
            assert not message.startswith("run=forged")
        assert caplog.records
        return caplog.records

    return lines


def run(world: World, job: str, fail: Exception | None = None) -> Run:
    def failing(_: Work) -> object:
        assert fail is not None
        raise fail

    asked = world.requests().by_hand(job, Wanted(), TriggeredBy.HTTP)
    worker = world.worker(jobs={job: failing} if fail else None)  # type: ignore[dict-item]  # it never returns
    try:
        worker.perform(asked.id)
    except StoreError:
        logging.getLogger("shared_code").info("run=%s job=%s comes again", asked.id, job)
    return world.records().get(asked.id).run


@pytest.mark.parametrize(
    "error",
    [AzureError(HOSTILE), ValueError(HOSTILE), StoreError(HOSTILE)],
    ids=["Azure", "unexpected", "store"],
)
def test_a_whole_run_that_fails(tmp_path: Path, lines: Lines, error: Exception) -> None:
    """Each line is one, and has the run and the job."""
    world = World(open_store(tmp_path.as_uri()))
    done = run(world, "list-resource-groups", error)

    about = [each.getMessage() for each in lines() if done.id in each.getMessage()]
    assert about
    assert all(each.startswith(f"run={done.id} job=list-resource-groups ") for each in about)


def test_whole_runs(tmp_path: Path, lines: Lines) -> None:
    """A run, the watchdog over a damaged store with what strangers wrote, and a message of a stranger."""
    world = World(open_store(tmp_path.as_uri()))
    done = run(world, "list-resource-groups")
    world.store.write(f"runs/{done.id}/run.json", HOSTILE.encode())
    world.store.write("schedules/list-resource-groups.json", HOSTILE.encode())
    run(world, "watchdog")
    world.worker().perform(HOSTILE)
    world.worker().give_up(HOSTILE, "delivered too often")

    levels = {each.levelname for each in lines()}
    assert {"INFO", "ERROR"} <= levels
    assert all(
        re.match(r"(run|job)=\S+ ", each.getMessage()) for each in lines() if each.name.startswith("shared_code")
    )


def test_figures_are_for_queries(tmp_path: Path, lines: Lines) -> None:
    """The last line of a run has every figure as `key=value`, without blanks in either."""
    world = World(open_store(tmp_path.as_uri()))
    done = run(world, "list-resource-groups")
    (line,) = [each.getMessage() for each in lines() if f"run={done.id} job={done.job} ended " in each.getMessage()]

    figures = dict(pair.split("=") for pair in line.partition(" ended ")[2].split(" "))
    assert figures.items() >= {
        "task": "list-resource-groups", "mode": "plan", "trigger": "http", "status": "succeeded",
        "attempt": "1", "seconds": "0.0", "subscriptions_read": "3",
    }.items()  # fmt: skip
