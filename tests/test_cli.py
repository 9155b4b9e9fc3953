"""`steward` as a process: exit codes, JSON, pipes, terminals, Ctrl-C."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from devkit.simulator import Fault, ResourceGroup, load_estate
from devkit.simulator.roles import shipped
from shared_code.locks import Lock
from shared_code.processes import this_process
from shared_code.progress_line import EVERY
from tests.app.conftest import JOB, ROOT, World, small_estate, subscription_id, wait_until, world_of

COMMANDS = (
    "check",
    "doctor",
    "jobs",
    "schedule",
    "run",
    "runs",
    "show",
    "deleted",
    "cancel",
    "plans",
    "plan",
    "apply",
    "undo",
    "stop",
    "resume",
    "snooze",
    "unsnooze",
    "snoozes",
)
HOSTILE = {
    "escape": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "markup": "[red]not red[/red] [link=http://example.com]x[/link]",
    "bidi": "a\u202egpj.exe",
    "lines": "one\r\ntwo\x0b",
    "long": "n" * 200,
    "c1": "\x9b31mx",
}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The estate `demo` with a store that has one run in it; tests add runs and faults of their own world only."""
    with world_of(tmp_path_factory.mktemp("cli"), load_estate("demo")) as world:
        assert world.steward("run", JOB).code == 0
        yield world


@pytest.fixture
def own_world(tmp_path: Path) -> Iterator[World]:
    """Two small subscriptions, for a test that breaks something."""
    with world_of(tmp_path, small_estate(2)) as world:
        yield world


class TestHelpAndJson:
    """Every command explains itself, and speaks JSON."""

    @pytest.mark.parametrize("command", COMMANDS)
    def test_help(self, world: World, command: str) -> None:
        """`--help` names the command's options, among them --json, and ends with 0."""
        done = world.steward(command, "--help")

        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"Usage: steward {command} ")
        assert "--json" in done.out

    def test_no_command(self, world: World) -> None:
        """`steward` alone lists the commands."""
        done = world.steward("--help")

        assert done.code == 0
        for command in COMMANDS:
            assert re.search(rf"^ +{command} ", done.out, re.MULTILINE)

    def test_one_document(self, world: World) -> None:
        """With --json stdout is one JSON document and nothing else, and stderr is quiet."""
        run = world.run_ids()[0]
        keys = {
            ("check",): {"valid", "problems", "warnings"},
            ("doctor",): {"checks"},
            ("jobs",): {"jobs"},
            ("runs", "--limit", "1"): {"runs"},
            ("plans", "--limit", "1"): {"plans"},
            ("deleted", run): {"run", "status", "store", "deleted"},
        }
        for arguments, expected in keys.items():
            done = world.steward(*arguments, "--json")
            assert (done.code, done.err, set(done.json())) == (0, "", expected)
        assert world.steward("show", run, "--json").json() == world.record(run)

    def test_the_log_goes_to_stderr(self, world: World, tmp_path: Path) -> None:
        """--verbose logs on stderr, so that stdout stays one document; the reports are copied where --output says."""
        done = world.steward("--verbose", "run", JOB, "--json", "--output", str(tmp_path / "new" / "folder"))

        run = done.json()
        assert done.code == 0
        assert f"run={run['id']} job={JOB} succeeded: " in done.err
        names = ["resource-groups.ndjson", "resource-groups.csv", "report.html", "changes.ndjson"]
        assert run["files"] == [str(tmp_path / "new" / "folder" / name) for name in names]
        for name in names:
            kept = world.store / "runs" / run["id"] / name
            assert (tmp_path / "new" / "folder" / name).read_bytes() == kept.read_bytes()


class TestDoctor:
    """Exit code 0 where nothing has failed, 1 where something has; the role that a job needs, as a file."""

    def test_a_line_for_each_check(self, own_world: World) -> None:
        """In an order that does not change."""
        own_world.simulator.assign(shipped(names=("reader",)))
        well = own_world.steward("doctor")
        own_world.simulator.assign([])
        ill = own_world.steward("doctor")

        assert (well.code, ill.code) == (0, 1)
        assert (well.err, ill.err) == ("", "")
        *lines, summary = well.out.splitlines()
        assert [re.split(r":? {2,}|: ", line)[1] for line in lines][:4] == [
            "python",
            "packages",
            "app settings",
            "steward.toml",
        ]
        assert re.fullmatch(r"\d+ ok, (\d+ warnings?, )?\d+ not checked", summary)
        assert "failed       subscriptions: the identity sees none at all; give the identity the role" in ill.out

    @pytest.mark.parametrize(
        ("job", "file"), [("list-resource-groups", "reader"), ("tag-audit", "tagger"), ("cleanup", "deleter")]
    )
    def test_the_role_for_a_job(self, world: World, job: str, file: str) -> None:
        """What is printed is the file of infra/roles/; what else is needed is on stderr."""
        done = world.steward("doctor", "--role-for", job)

        assert (done.code, done.out) == (0, (ROOT / "infra" / "roles" / f"{file}.json").read_text())
        assert ("'Steward Reader' besides" in done.err) is (file != "reader")
        assert "--scope" in done.err

    def test_the_role_at_a_scope(self, world: World) -> None:
        scope = "/subscriptions/5a000000-0000-4000-8000-000000000002"
        done = world.steward("doctor", "--role-for", "list-resource-groups", "--scope", scope)

        assert (done.code, done.err, done.json()["AssignableScopes"]) == (0, "", [scope])


NO_PLAN = "a plan has the id of the run that made it: see 'steward plans' or GET /api/plans."
NO_JOB = "There is no job 'paint'; there are cleanup, list-resource-groups, tag-audit, watchdog."


class TestExitCodes:
    """0 succeeded, 1 failed or cancelled, 2 wrong use, 3 partial, 4 refused; an error is one sentence on stderr."""

    def test_succeeded(self, world: World) -> None:
        """0 for a listing of everything in scope, narrowed or not."""
        done = world.steward("run", JOB, "--subscription", "5a000000-0000-4000-8000-000000000002")

        assert (done.code, done.err) == (0, "")
        assert "resource groups          6\n" in done.out

    def test_failed(self, own_world: World) -> None:
        """1 where nothing could be read."""
        own_world.simulator.faults.add(Fault(route="subscriptions", kind="forbidden", times=None))

        done = own_world.steward("run", JOB, "--json")

        assert (done.code, done.json()["status"]) == (1, "failed")

    def test_partial(self, own_world: World) -> None:
        """3 where some of the scope could not be read."""
        done = own_world.steward("run", JOB, "--subscription", subscription_id(1), "--subscription", "nowhere")

        assert done.code == 3
        assert "not visible: (no name) (nowhere): not visible to Steward's identity\n" in done.out

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("run", "paint"), NO_JOB),
            (("runs", "--job", "paint"), NO_JOB),
            (("show", "x"), "There is no run 'x'; list the runs with 'steward runs' or GET /api/runs."),
            (("deleted", "x"), "There is no run 'x'; list the runs with 'steward runs' or GET /api/runs."),
            (("plans", "--job", "paint"), NO_JOB),
            (("plan", "../x"), f"There is no plan '../x'; {NO_PLAN}"),
            (("apply", "x", "--digest", "y"), f"There is no plan 'x'; {NO_PLAN}"),
            (("undo", "x"), "There is no run 'x'; list the runs with 'steward runs' or GET /api/runs."),
            (("cancel", "../x"), "There is no run '../x'; list the runs with 'steward runs' or GET /api/runs."),
            (("doctor", "--role-for", "paint"), NO_JOB),
            (("doctor", "--scope", "/"), "--scope goes with --role-for; name the job."),
            (("run", JOB, "--output", __file__), f"--output is '{__file__}', which is no folder; name a folder."),
        ],
        ids=[
            "job",
            "filter",
            "run",
            "deleted",
            "plans of a job",
            "plan",
            "apply",
            "undo",
            "cancel",
            "role",
            "scope",
            "output",
        ],
    )
    def test_wrong_use(self, world: World, arguments: tuple[str, ...], sentence: str) -> None:
        """2 for what is not there; with --json the sentence comes as JSON too."""
        plain = world.steward(*arguments)
        as_json = world.steward(*arguments, "--json")

        assert plain == (2, "", f"steward: {sentence}\n")
        assert as_json.err == plain.err
        assert as_json.json() == {"error": sentence, "exit_code": 2}

    @pytest.mark.parametrize(
        "arguments",
        [
            ("paint",),
            ("run",),
            ("run", JOB, "--mode", "delete"),
            ("runs", "--limit", "0"),
            ("plans", "--limit", "0"),
            ("deleted",),
            ("jobs", "--jason"),
            ("apply", "x"),
            ("undo",),
            ("stop", "now"),
        ],
        ids=" ".join,
    )
    def test_wrong_arguments(self, world: World, arguments: tuple[str, ...]) -> None:
        """2 for a command line that cannot be understood, with the usage on stderr."""
        done = world.steward(*arguments)

        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Usage: steward ")
        assert "Traceback" not in done.err

    def test_refused_by_another_run(self, own_world: World) -> None:
        """4 while a living process holds the job's lock; its run is recorded as refused and waits for nothing."""
        holder = "20261122T060000Z-list-resource-groups-9c01f2ab"
        lock = own_world.store / "locks" / f"{JOB}.json"
        lock.parent.mkdir(parents=True)
        expires = datetime.now(UTC) + timedelta(minutes=1)
        lock.write_bytes(msgspec.json.encode(Lock(run=holder, token="t", holder=this_process(), expires=expires)))

        done = own_world.steward("run", JOB)

        record = own_world.record(own_world.run_ids()[0])
        sentence = f"Run {holder} of this job is under way; wait for it, or cancel it with 'steward cancel {holder}'."
        assert done.code == 4
        assert f"  {'error':<24} {sentence}\n" in done.out
        assert (record["status"], record["error"], record["started"]) == ("refused", sentence, None)
        assert own_world.simulator.requests == []

    def test_refused_by_the_job(self, world: World) -> None:
        """4 for mode apply of a job that changes nothing."""
        done = world.steward("run", JOB, "--mode", "apply", "--json")

        assert done.code == 4
        assert done.json()["error"].startswith("Job 'list-resource-groups' changes nothing in Azure")

    def test_refused_by_the_configuration(self, world: World) -> None:
        """4 for mode apply where steward.toml leaves every change to a person."""
        done = world.steward("run", "tag-audit", "--mode", "apply")

        assert (done.code, done.out) == (4, "")
        assert done.err.startswith("steward: jobs.tag-audit.mode is 'plan' in steward.toml, so nothing is applied ")

    def test_a_store_that_cannot_be_used(self, world: World) -> None:
        """1 with one sentence where the store cannot be written."""
        done = world.steward("run", JOB, environment={"STEWARD_STORE": "file:///proc/steward"})

        assert (done.code, done.out) == (1, "")
        assert re.fullmatch(r"steward: .* in file:///proc/steward cannot be .*\.\n", done.err)

    def test_a_report_that_cannot_be_written(self, world: World) -> None:
        """1 where --output cannot be written; the run itself is recorded."""
        done = world.steward("run", JOB, "--output", "/proc/steward")

        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("steward: --output '/proc/steward' cannot be written: ")


class TestPipe:
    """Output that goes to a program."""

    def test_no_escape_codes(self, world: World) -> None:
        """No colours, no progress bar, and each resource group in one line."""
        done = world.steward("run", JOB)

        assert done.err == ""
        assert "\x1b" not in done.out
        line = next(line for line in done.out.splitlines() if "rg-shop-dev-web" in line)
        assert "Shop Development" in line
        assert "westeurope" in line

    @pytest.mark.parametrize("arguments", [("run", JOB), ("runs",), ("jobs",), ("check",)], ids=" ".join)
    def test_no_colours_whatever_is_forced(self, world: World, arguments: tuple[str, ...]) -> None:
        """FORCE_COLOR and TTY_COMPATIBLE, which some build systems set, do not make a pipe a terminal."""
        forced = {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "COLORTERM": "truecolor"}
        done = world.steward(*arguments, environment=forced)

        assert (done.code, done.err) == (0, "")
        assert "\x1b" not in done.out

    def test_progress_of_a_long_run(self, own_world: World) -> None:
        """Plain lines on stderr now and then; none with --json, and none of a quick run."""
        own_world.simulator.faults.add(Fault(route="resource-groups", kind="delay", delay=EVERY + 2, times=None))

        with (
            own_world.start_steward("run", JOB, "--subscription", subscription_id(1)) as plain,
            own_world.start_steward("run", "tag-audit", "--subscription", subscription_id(2), "--json") as as_json,
        ):
            out, err = plain.communicate(timeout=60)
            document, silence = as_json.communicate(timeout=60)

        assert (plain.returncode, as_json.returncode) == (0, 0)
        assert err == f"{JOB}: 0 of 1 subscriptions\n"
        assert "subscriptions read       1\n" in out
        assert (json.loads(document)["status"], silence) == ("succeeded", "")

    def test_a_closed_pipe_is_quiet(self, world: World) -> None:
        """`steward run … | head -1` ends without a complaint."""
        command = f"{sys.executable} -m shared_code runs --limit 1000 | head -1"
        for text in (command, command.replace("runs --limit 1000", f"run {JOB} --json")):
            done = subprocess.run(
                ["bash", "-c", text],
                cwd=ROOT,
                env=world.full_environment(),
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            )
            assert (done.stderr, done.stdout.count("\n")) == ("", 1)

    def test_a_reader_that_left_before(self, world: World) -> None:
        """Nothing is complained about when nobody reads any of it, plain or JSON."""
        for arguments in (("runs",), ("jobs", "--json"), ("run", "paint", "--json")):
            reading, writing = os.pipe()
            os.close(reading)
            done = subprocess.run(
                [sys.executable, "-m", "shared_code", *arguments],
                cwd=ROOT,
                env=world.full_environment(),
                stdout=writing,
                stderr=subprocess.PIPE,
                text=True,
                timeout=30,
                check=False,
            )
            os.close(writing)
            assert done.stderr in ("", f"steward: {NO_JOB}\n")


class TestTerminal:
    """Output that a person looks at."""

    @pytest.mark.parametrize("columns", [80, 60])
    def test_everything_fits_the_window(self, world: World, columns: int) -> None:
        """Tables fit, whole ids and times can be read, and a bar shows while the run lasts."""
        run = world.run_ids()[0]
        code, listing = in_terminal(world, columns, "run", JOB)
        _, jobs = in_terminal(world, columns, "jobs")
        _, runs = in_terminal(world, columns, "runs")
        code_of_show, _ = in_terminal(world, columns, "show", run)

        assert (code, code_of_show) == (0, 0)
        assert "3 of 3 subscriptions" in listing
        assert "\x1b[?25h" in listing  # the cursor is shown again
        shown = listing.rsplit("\x1b[2K", 1)[-1]
        table = ESCAPE.sub("", shown).split("Left out")[0]
        assert "rg-shop-dev-web" in table
        for text in (table, ESCAPE.sub("", jobs), ESCAPE.sub("", runs)):
            assert max(len(line.rstrip()) for line in text.splitlines()) <= columns
        assert run in runs
        assert "list-resource-groups" in jobs
        assert re.search(r"\b20\d\d-01-01T05:00:00Z", jobs)

    def test_colours(self, world: World) -> None:
        """A status has its colour on a terminal; NO_COLOR and a terminal that has none take it away."""
        run = world.run_ids()[0]
        for arguments in (("runs",), ("jobs",), ("show", run), ("check",)):
            _, coloured = in_terminal(world, 80, *arguments)
            _, without = in_terminal(world, 80, *arguments, environment={"NO_COLOR": "1"})
            _, dumb = in_terminal(world, 80, *arguments, environment={"TERM": "dumb"})

            assert "\x1b[32m" in coloured, arguments
            assert re.findall(r"\x1b\[[0-9;]*3[0-9]", without) == []
            assert "\x1b" not in dumb
            assert ESCAPE.sub("", coloured) == ESCAPE.sub("", without) == dumb

    def test_no_line_is_drawn_again(self, world: World) -> None:
        """With --verbose, where the log would tear it apart, with --json, and on a terminal that cannot."""
        _, logged = in_terminal(world, 80, "--verbose", "run", JOB)
        _, as_json = in_terminal(world, 80, "run", JOB, "--json")
        _, dumb = in_terminal(world, 80, "run", JOB, environment={"TERM": "dumb"})

        assert f"job={JOB} succeeded: " in logged
        assert json.loads(as_json)["status"] == "succeeded"
        for text in (logged, as_json, dumb):
            assert "\x1b[2K" not in text
            assert "\x1b[?25" not in text

    def test_problems_can_be_read(self, tmp_path: Path) -> None:
        """No word of a problem is torn apart, what follows is indented, and what is foreign in it is made safe."""
        evil = r'"\u001b[31mx" = 1'
        with world_of(tmp_path, small_estate(1), f"[scope]\nsubscriptionz = []\n{evil}\n") as world:
            code, checked = in_terminal(world, 80, "check")
            _, jobs = in_terminal(world, 80, "jobs")
            piped = world.steward("check")
            refused = world.steward("run", JOB)

        assert (code, piped.code, refused.code) == (2, 2, 2)
        known = "known are exclude_resource_groups, exclude_resource_types, exclude_subscriptions, management_groups"
        for text in (checked, jobs):
            plain = ESCAPE.sub("", text)
            assert max(map(len, plain.splitlines())) <= 80
            assert known in " ".join(plain.split())
            assert "\x1b[31mx" not in text
        assert "\n  management_groups, " in ESCAPE.sub("", checked).replace("\r", "")
        assert known in piped.out
        for done in (piped, refused):
            assert CONTROL.findall(done.out + done.err) == []

    def test_hostile_names(self, tmp_path: Path) -> None:
        """No name or tag drives the terminal, makes a line of its own or is taken for markup."""
        groups = tuple(
            ResourceGroup(name=f"rg-{kind}", location=name[:40], managed_by=name, tags={name: name})
            for kind, name in HOSTILE.items()
        )
        estate = small_estate(1, *groups)
        evil = msgspec.structs.replace(estate.subscriptions[0], name=f"Evil {''.join(HOSTILE.values())}")
        with world_of(tmp_path, msgspec.structs.replace(estate, subscriptions=(evil,))) as world:
            world.simulator.faults.add(Fault(route="resources", kind="forbidden", times=None))
            asked = ("--subscription", subscription_id(1), "--subscription", "no such id")
            _, listing = in_terminal(world, 80, "run", JOB, *asked)
            run = world.run_ids()[0]
            _, shown = in_terminal(world, 80, "show", run)
            _, runs = in_terminal(world, 80, "runs")
            piped = world.steward("run", JOB, *asked)

        for text in (listing.rsplit("\x1b[2K", 1)[-1], shown, runs, piped.out):
            assert CONTROL.findall(re.sub(r"\x1b\[(0|1|3[0-7])m", "", text).replace("\r\n", "\n")) == []
        assert "[red]not red[/red]" in piped.out
        assert "]0;title" in piped.out
        assert "\x1b" not in piped.out + piped.err

    def test_errors_about_hostile_arguments(self, world: World) -> None:
        """What somebody pasted does not drive the terminal either."""
        done = world.steward("show", "\x1b[31mrun\x1b[0m\nsteward: all is well")

        sentence = (
            "There is no run '[31mrun [0m steward: all is well'; list the runs with 'steward runs' or GET /api/runs."
        )
        assert done == (2, "", f"steward: {sentence}\n")


PLANS = """
[jobs.tag-audit]

[[jobs.tag-audit.rules]]
name = "reviewed"
tag = "reviewed"
required = true
default = "no"
mode = "approve"
applies_to = { kinds = ["resource-group"] }
"""


class TestPlans:
    """`steward plans`."""

    def test_each_with_what_became_of_it(self, tmp_path: Path) -> None:
        """Newest first; a damaged one is named, hides no other, and costs no exit code."""
        with world_of(tmp_path, small_estate(2), PLANS) as world:
            none = world.steward("plans", "--job", "tag-audit")
            for _ in range(2):
                assert world.steward("run", "tag-audit").code == 0
                time.sleep(1)  # ids sort by the second
            older, newer = world.run_ids("tag-audit")
            (world.store / "plans" / f"{newer}.json").write_text("}{")
            done = world.steward("plans")
            found = world.steward("plans", "--json")
            _, shown = in_terminal(world, 80, "plans", "--limit", "2")
            last = world.steward("plans", "--job", "tag-audit", "--limit", "1", "--json").json()["plans"]

        assert none == (0, "There are no plans of tag-audit yet.\n", "")
        damaged, good = found.json()["plans"]
        assert (found.code, found.err) == (0, "")
        assert (damaged["id"], damaged["state"], damaged["items"]) == (newer, "damaged", None)
        assert damaged["problem"].startswith(f"Plan '{newer}' cannot be read: ")
        assert (good["id"], good["job"], good["items"], good["things"]) == (older, "tag-audit", 2, "changes")
        assert (good["state"], good["begun"], good["problem"]) == ("open", 0, None)
        assert last == [damaged]
        assert (done.code, done.err) == (0, "")
        assert re.search(rf"{newer} +tag-audit +damaged *\n +{older} +tag-audit +2 changes .* open *\n", done.out)
        assert f"problem: {damaged['problem']}\n" in done.out
        plain = ESCAPE.sub("", shown)
        assert max(map(len, plain.splitlines())) <= 80
        assert [line for line in plain.splitlines() if line in (older, newer)] == [newer, older]


class TestDeleted:
    """`steward deleted`; the runbook recover-after-a-wrong-deletion executes it after real deletions."""

    @pytest.mark.parametrize("counts", [{"deleted": 1}, {"deleting": 2}, {"followed_deleted": 1}], ids=str)
    def test_show_leads_to_it(self, world: World, counts: dict[str, int]) -> None:
        """A run that counts deletions says where to look what they were; any other does not."""
        other = world.run_ids()[0]
        run = "20261122T060000Z-cleanup-9c01f2ab"
        record = world.record(other) | {"id": run, "job": "cleanup", "counts": counts, "outputs": []}
        (world.store / "runs" / run).mkdir(exist_ok=True)
        (world.store / "runs" / run / "run.json").write_text(json.dumps(record))

        said = f"What it deleted, and where it is kept what each was: steward deleted {run}\n"
        assert world.steward("show", run).out.endswith(said)
        assert "steward deleted" not in world.steward("show", other).out
        assert world.steward("show", run, "--json").json() == record

    def test_outcomes_that_are_missing(self, world: World) -> None:
        """1 with one sentence, and no list that would look whole."""
        run = "20261122T060000Z-cleanup-9c01f2ac"
        record = world.record(world.run_ids()[0]) | {"id": run, "job": "cleanup", "outputs": ["outcomes.ndjson"]}
        (world.store / "runs" / run).mkdir()
        (world.store / "runs" / run / "run.json").write_text(json.dumps(record))

        done = world.steward("deleted", run)

        assert (done.code, done.out) == (1, "")
        assert re.fullmatch(rf"steward: .*runs/{run}/outcomes.ndjson.*\n", done.err)


class TestInterrupt:
    """Ctrl-C while a run is under way."""

    @pytest.mark.parametrize("as_json", [False, True])
    def test_ctrl_c_cancels_the_run(self, own_world: World, *, as_json: bool) -> None:
        """The record says cancelled, the exit code is 1, stderr has one sentence, and the job is free again."""
        own_world.simulator.faults.add(Fault(route="resource-groups", kind="delay", delay=1.0, times=None))
        with own_world.start_steward("run", JOB, *(["--json"] if as_json else [])) as process:
            run = wait_until(own_world.run_ids, "the run")[0]
            wait_until(lambda: any(each.route == "subscriptions" for each in own_world.simulator.requests), "its start")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)

        assert process.returncode == 1
        assert err == "steward: stopped from the keyboard\n"
        if as_json:
            assert json.loads(out) == {"error": "stopped from the keyboard", "exit_code": 1}
        record = own_world.record(run)
        assert (record["status"], record["error"]) == ("cancelled", "Cancelled while it ran.")
        assert json.loads((own_world.store / "locks" / f"{JOB}.json").read_bytes())["run"] is None
        assert list((own_world.store / "open").glob("*")) == []


def in_terminal(
    world: World, columns: int, *arguments: str, environment: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run `steward` in a pseudo-terminal of that width and give exit code and all that was written to it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "shared_code", *arguments],
        cwd=ROOT,
        env=world.full_environment(environment),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    written = b""
    with process, os.fdopen(ours, "rb", buffering=0) as screen:
        while piece := _read(screen.fileno()):
            written += piece
        return process.wait(30), written.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says EIO when the last one has closed the other side
        return b""
