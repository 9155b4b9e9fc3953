"""What strangers try, in every argument and option of every command; the commands are read, so none is missed.

One process performs all of the calls, since starting one for each takes a hundred times as long. It is this module,
started as a program: every call there is `steward` from its arguments to its exit code.
"""

import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.main import get_command

from shared_code import cli
from shared_code.foreign_text import one_line
from shared_code.wiring import steward, utc_now
from tests.app.conftest import ROOT, Done, World, world_of
from tests.app.test_changes import AUDITING, ONE, config, untidy, web
from tests.hostile import ARGUMENTS, FORGED

CODES = {0, cli.FAILED, cli.WRONG, cli.PARTIAL, cli.REFUSED}
DRIVES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ \S+ ")
LONGEST = 6000
"""Characters of an answer."""
LOGGED = ("log line", "terminal", "direction", "no UTF-8")
AS_JSON = ("header", "terminal", "no UTF-8", "longest")

WRITTEN = (
    "header",
    "terminal",
    "direction",
    "path",
    "path, absolute",
    "address",
    "longest",
    "no UTF-8",
    "option",
    "home",
)
"""What is tried where each text costs a whole run: those that a file, a path or a record may not take."""
COSTLY = {"output", "subscription"}
RUNNING = ("runs", "open", "locks", "history")
KEPT = {
    "run": (*RUNNING, "plans", "snapshots"),
    "apply": (*RUNNING, "applied"),
    "undo": (*RUNNING, "plans"),
    "stop": ("control",),
    "snooze": ("snoozes",),
}
"""Below which folders of the store a command leaves what it took; any other leaves the store as it was."""

type Marks = dict[str, tuple[int, ...]]
"""Every file and folder, with what tells that a file was written."""


class Example(NamedTuple):
    """What a parameter takes, and the word by which a refusal names it."""

    value: str
    word: str


class Place(NamedTuple):
    """Where a text comes in: `parameter` of a command, or what no command has."""

    command: str
    parameter: str


def commands() -> dict[str, Any]:
    """Every command, by its name."""
    group: Any = get_command(cli.app)
    assert not any(hasattr(each, "commands") for each in group.commands.values()), "a group of commands within one"
    return dict(group.commands)


def takes_text(parameter: Any) -> bool:
    """Whether a text follows it."""
    return not getattr(parameter, "is_flag", False)


COMMANDS = commands()
PLACES = [Place(name, each.name) for name, command in COMMANDS.items() for each in command.params if takes_text(each)]
BEYOND = (Place("", "command"), Place("show", "argument"), Place("show", "option"), Place("check", "flag"))
"""A command that there is not, an argument too many, an option that there is not, and a value that none takes."""


class Tried(NamedTuple):
    """A world, a process that performs commands in it, and what its parameters take."""

    world: World
    process: "subprocess.Popen[str]"
    examples: Mapping[str, Example]
    kept: Mapping[str, bytes]
    """Every file of the world as all tests find it."""

    @property
    def folder(self) -> Path:
        """Where the commands are started: deep enough that `../../..` stays within the world."""
        return self.world.folder / "1" / "2" / "3" / "4" / "5" / "6" / "7"

    def perform(self, *arguments: str, user: str = "tester") -> Done:
        """Perform a command."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps([user, *arguments]) + "\n")
        self.process.stdin.flush()
        return Done(*json.loads(self.process.stdout.readline()))

    def marks(self) -> Marks:
        """Give every file and folder of the world, with what tells that a file was written."""
        found: Marks = {}
        ahead = [str(self.world.folder)]
        while ahead:
            with os.scandir(ahead.pop()) as entries:
                for entry in entries:
                    told = entry.stat(follow_symlinks=False)
                    is_folder = entry.is_dir(follow_symlinks=False)
                    found[entry.path] = () if is_folder else (told.st_mtime_ns, told.st_size, told.st_ino)
                    ahead += [entry.path] if is_folder else []
        return found

    def put_back(self, before: Marks) -> None:
        """Make the world what it was, and `before` what it is then."""
        after = self.marks()
        for name in sorted(after.keys() - before.keys(), reverse=True):
            Path(name).rmdir() if after[name] == () else Path(name).unlink()
        for name in sorted(name for name, mark in before.items() if after.get(name) != mark):
            if before[name] == ():
                Path(name).mkdir(exist_ok=True)
            else:
                Path(name).write_bytes(self.kept[name])
                before[name] = self.marks()[name]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """A world with a plan of which a part was applied."""
    with world_of(tmp_path_factory.mktemp("arguments"), untidy(1), config(ONE)) as world:
        one = Tried(world, None, {}, {})  # type: ignore[arg-type]  # the folder comes before the process
        one.folder.mkdir(parents=True)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.test_hostile_arguments"],
            cwd=one.folder,
            env={**world.full_environment(), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            one = one._replace(process=process)
            plan = one.perform("run", AUDITING, "--json").json()["plan"]
            digest = one.perform("plan", plan, "--json").json()["digest"]
            applied = one.perform("apply", plan, "--digest", digest, "--only", web(ONE), "--json").json()["id"]
            kept = {name: Path(name).read_bytes() for name, mark in one.marks().items() if mark}
            yield one._replace(examples=examples(plan, digest, applied), kept=kept)
            assert process.stdin
            process.stdin.close()


@pytest.fixture
def before(tried: Tried) -> Iterator[Marks]:
    """The world as every test finds it, and leaves it."""
    marks = tried.marks()
    yield marks
    tried.put_back(marks)


def examples(plan: str, digest: str, applied: str) -> dict[str, Example]:
    """Give what each parameter takes, by its name."""
    return {
        "role_for": Example("cleanup", "job"),
        "scope": Example(f"/subscriptions/{ONE}", "scope"),
        "expression": Example("0 0 5 * * *", "refuses it"),
        "count": Example("5", "--count"),
        "after": Example("2026-11-22", "time"),
        "timezone": Example("Europe/Berlin", "refuses it"),
        "job": Example("list-resource-groups", "job"),
        "mode": Example("plan", "--mode"),
        "subscription": Example(ONE, "subscription"),
        "output": Example("reports", "--output"),
        "plan": Example(plan, "plan"),
        "digest": Example(digest, "digest"),
        "only": Example(web(ONE, "db"), "is not in plan"),
        "run": Example(applied, "run"),
        "reason": Example("because", "reason"),
        "resource_id": Example(web(ONE), "resource"),
        "rule": Example("unattached-disk", "rule"),
        "until": Example("2999-12-31", "day or time"),
        "limit": Example("5", "--limit"),
    }


BESIDES = {("doctor", "scope"): ("role_for",), ("snooze", "reason"): ("until",)}
"""What else must be given, so that the command looks at the parameter, although none needs it."""


def arguments(tried: Tried, place: Place, text: str) -> list[str]:
    """Give a call with the text at that place, and with what is right at every other that is needed."""
    given = [place.command]
    for each in COMMANDS[place.command].params:
        wanted = each.required or each.name in BESIDES.get(place, ())
        if each.name != place.parameter and not (wanted and takes_text(each)):
            continue
        value = text if each.name == place.parameter else tried.examples[each.name].value
        if place.command == "snooze" and each.name == "until" and value != text:
            value = soon()
        is_argument = each.param_type_name == "argument"
        given += [value] if is_argument else [each.opts[0], value]
    return given


def soon() -> str:
    """Give a day on which a snooze may end."""
    return f"{utc_now() + timedelta(days=30):%Y-%m-%d}"


def beyond(tried: Tried, place: Place, text: str) -> list[str]:
    """Give a call with a text where there is no place for one."""
    run = tried.examples["run"].value
    return {
        "command": [text],
        "argument": ["show", run, text],
        "option": ["show", run, f"--{text}"],
        "flag": ["check", f"--json={text}"],
    }[place.parameter]


def judged(tried: Tried, place: Place, text: str, done: Done, before: Marks) -> None:
    """An exit code that is meant, one sentence that names the thing, nothing that drives, nothing written elsewhere."""
    told = f"{place} {text[:60]!r}: {done.code} {done.out[:300]!r} {done.err[-600:]!r}"
    assert done.code in CODES, told
    assert "Traceback" not in done.err, told
    assert "unexpected" not in done.err, told
    is_usage = done.err.startswith("Usage: steward ")
    assert len(done.out) + len(done.err) <= LONGEST, told
    assert not DRIVES.search(done.out + done.err), told
    if done.err and not is_usage:
        assert re.fullmatch(r"steward: [^\n]+[.…]\n", done.err), told
    if done.code:
        assert done.out or done.err, told
        assert tried.examples[place.parameter].word in (done.out + done.err).casefold(), told
    after = tried.marks()
    allowed = () if done.err else tuple(f"store/{each}" for each in (*KEPT.get(place.command, ()), ".store"))
    for name in {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}:
        own = place.parameter == "output" and is_below(tried.folder, text, Path(name))
        assert own or os.path.relpath(name, tried.world.folder).startswith(allowed), (
            f"{name} is not what it was: {told}"
        )
    if after != before:
        tried.put_back(before)


def is_below(folder: Path, text: str, path: Path) -> bool:
    """Whether a path is the folder that the text names, in it, or on the way to it."""
    named = Path(os.path.normpath(folder / text))
    return path == named or named in path.parents or (path in named.parents and path not in folder.parents)


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
def test_nothing_that_is_tried_gets_through(tried: Tried, before: Marks, place: Place) -> None:
    """Each text at each place: taken and kept where it belongs, or refused in one sentence, with nothing written."""
    assert place.parameter in tried.examples, f"{place} needs an example of what it takes"
    for text in [ARGUMENTS[name] for name in (WRITTEN if place.parameter in COSTLY else ARGUMENTS)]:
        judged(tried, place, text, tried.perform(*arguments(tried, place, text)), before)


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
def test_programs_get_one_document(tried: Tried, before: Marks, place: Place) -> None:
    """With --json stdout is JSON whatever was given, of errors too."""
    for name in AS_JSON:
        done = tried.perform(*arguments(tried, place, ARGUMENTS[name]), "--json")
        tried.put_back(before)

        assert "unexpected" not in done.err, f"{place} {name}: {done}"
        assert isinstance(done.json(), dict)
        assert not CONTROLS.search(done.out.replace("\x9b", "")), f"{place} {name}: {done}"


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
def test_no_line_of_the_log_is_anybody_elses(tried: Tried, before: Marks, place: Place) -> None:
    """With --verbose the log is on stderr: every line of it is ours, and nothing in it drives a terminal."""
    for name in LOGGED:
        done = tried.perform("--verbose", *arguments(tried, place, ARGUMENTS[name]))
        tried.put_back(before)

        assert not DRIVES.search(done.err), f"{place} {name}: {done.err}"
        assert "Traceback" not in done.err, f"{place} {name}: {done.err}"
        if not done.err.startswith("Usage: steward "):
            odd = [line for line in done.err.splitlines() if not LINE.match(line) and not line.startswith("steward: ")]
            assert odd == [], f"{place} {name}: {odd}"
        assert not any(line.startswith(FORGED) for line in (done.out + done.err).splitlines())


@pytest.mark.parametrize("place", BEYOND, ids=" ".join)
def test_what_has_no_place(tried: Tried, before: Marks, place: Place) -> None:
    """2, how the command is used, and what is wrong in one line; nothing is done."""
    for text in ARGUMENTS.values():
        done = tried.perform(*beyond(tried, place, text))
        if text == "--help" or (not text and place.parameter == "option"):  # `--` alone ends the options
            continue

        assert done.code == cli.WRONG, f"{place} {text[:60]!r}: {done.code} {done.out[:300]} {done.err[-300:]}"
        assert re.fullmatch(r"(Usage: steward [^\n]+\nTry '[^\n]+\n\n)?steward: [^\n]+\n", done.err)
        assert not DRIVES.search(done.err), f"{place} {text[:60]!r}: {done.err!r}"
        assert tried.marks() == before


@pytest.mark.parametrize("command", ["run", "stop", "snooze"])
def test_who_sits_at_the_terminal(tried: Tried, before: Marks, command: str) -> None:
    """The name that the system gives goes into records and outputs, and is one harmless line there."""
    place = Place(command, "subscription" if command == "run" else "reason")
    for name in WRITTEN if command == "run" else ARGUMENTS:
        if not (text := ARGUMENTS[name]).strip():
            continue
        done = tried.perform(*arguments(tried, place, tried.examples[place.parameter].value), user=text)

        assert done.code in (0, cli.WRONG), f"{name}: {done}"  # a name may be too long for a snooze
        assert not DRIVES.search(done.out + done.err), f"{name}: {done}"
        assert len(done.out) < LONGEST
        tried.put_back(before)


def test_every_place_is_tried() -> None:
    """Those that take a text, and no example is left of one that is gone."""
    assert len(PLACES) > 25
    assert {place.command for place in PLACES} <= set(COMMANDS)
    assert {place.parameter for place in PLACES} == set(examples("", "", ""))
    assert {Place("stop", "reason"), Place("apply", "only"), Place("run", "output")} <= set(PLACES)
    assert set(COMMANDS) - {place.command for place in PLACES} == {"check", "jobs", "resume", "snoozes"}
    assert all(os.fsencode(text) for name, text in ARGUMENTS.items() if name != "empty")
    assert len(ARGUMENTS) > 25


def test_a_direction_is_known() -> None:
    """What is looked for is what is tried, and what the product takes out."""
    assert DRIVES.search(ARGUMENTS["direction"])
    assert DRIVES.search(ARGUMENTS["no UTF-8"])
    assert not any(DRIVES.search(one_line(text)) for text in ARGUMENTS.values())


def serve() -> None:
    """Perform each command that a line asks for, and answer with exit code, stdout and stderr."""
    for line in sys.stdin:
        os.environ["LOGNAME"], *given = json.loads(line)
        steward.cache_clear()
        for handler in list(logging.getLogger().handlers):
            logging.getLogger().removeHandler(handler)
        sys.argv = ["steward", *given]
        out, err = io.BytesIO(), io.BytesIO()
        # As Python opens them where the locale is UTF-8.
        stdout = io.TextIOWrapper(out, "utf-8", write_through=True)
        stderr = io.TextIOWrapper(err, "utf-8", "backslashreplace", write_through=True)
        with redirect_stdout(stdout), redirect_stderr(stderr):
            try:
                cli.main()
            except SystemExit as ending:
                code = ending.code
        print(json.dumps([code, out.getvalue().decode(), err.getvalue().decode()]), flush=True)


if __name__ == "__main__":
    serve()
