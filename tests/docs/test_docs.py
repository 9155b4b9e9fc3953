"""README, CONTRIBUTING and CHANGELOG say what the code says: nothing missing, nothing extra."""

import json
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from typer.main import get_command

from __app__ import MODULES
from devkit.up import _parser
from shared_code import cli
from shared_code import jobs as performed
from shared_code.cleanup_rules import RULES
from shared_code.environment import SETTINGS
from shared_code.model import Kind, Subject, TagChange
from shared_code.reports.dashboard import run_page
from shared_code.runs import Mode, Order, Run, RunStatus, TriggeredBy
from shared_code.scope import Scope
from shared_code.settings import JOBS, Cleanup, TagAudit, configure
from shared_code.tag_check import Check
from shared_code.tag_suggestions import propose
from shared_code.violations import Violation
from tests.docs.checkout import ROOT, check_out, environment
from tests.docs.markdown import Block, Page, agrees

README = Page(ROOT / "README.md")
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "runbooks").glob("*.md")),
]
every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
COMMANDS: dict[str, Any] = get_command(cli.app).commands  # type: ignore[attr-defined]  # the app is a group

ROUTES = """
import json, function_app
found = [(each.get_function_name(), each.get_trigger().get_dict_repr()) for each in function_app.app.get_functions()]
http = [(name, trigger) for name, trigger in found if trigger["type"] == "httpTrigger"]
level = lambda trigger: str(getattr(trigger.get("authLevel"), "name", trigger.get("authLevel"))).lower()
print(json.dumps([[name, each["methods"], each["route"], level(each)] for name, each in http], default=str))
"""


class Opened(NamedTuple):
    """An HTTP function, and what opens it."""

    name: str
    methods: list[str]
    route: str
    level: str

    @property
    def key(self) -> str:
        """Whose key, by the rule that README gives."""
        if self.level == "anonymous":
            return "none"
        return "approver" if self.name == "apply_plan" else "reader" if self.methods == ["GET"] else "operator"


@cache
def opened() -> tuple[Opened, ...]:
    """The HTTP functions of the app."""
    done = subprocess.run(
        [sys.executable, "-c", ROUTES], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    return tuple(Opened(*each) for each in json.loads(done.stdout))


def sample(begin: str) -> str:
    """The sample of README that begins with a command, without that line."""
    found = [block.text for block in README.blocks if block.text.startswith(f"$ {begin}\n")]
    assert len(found) == 1
    return found[0].split("\n", 1)[1]


def options(command: Any) -> set[str]:  # typer gives no type for it
    """The long options of a command, without --help."""
    return {name for parameter in command.params for name in parameter.opts if name.startswith("--")} - {"--help"}


def shell_blocks(path: Path) -> list[Block]:
    return [block for block in Page(path).blocks if block.info.startswith("bash")]


class TestReadme:
    """The tables and samples of README.md."""

    def test_what_up_prints(self, tmp_path: Path) -> None:
        """The sample of `./dev up` is what it prints."""
        checkout = check_out(tmp_path / "checkout")
        with checkout.up():
            assert agrees(sample("./dev up"), checkout.screen), checkout.screen

    def test_the_trial(self, tmp_path: Path) -> None:
        """What a newcomer is asked to do, from a plan to what was deleted, works as it stands there."""
        (begin,) = [block.text for block in README.blocks if block.text.startswith("./dev up --estate cleanup -")]
        (trial,) = [block.text for block in README.blocks if block.text.startswith("PLAN=$(./dev steward run cleanup")]
        checkout = check_out(tmp_path / "checkout")

        with checkout.up(*shlex.split(begin)[2:]):
            done = subprocess.run(
                ["bash", "-e", "-c", trial],
                cwd=checkout.folder,
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
            )

        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 deletion\n" in done.stdout
        assert "deleted expired: " in done.stdout

    def test_what_test_prints(self, tmp_path: Path) -> None:
        """The sample of `./dev test` names the steps that it takes; the tools themselves are left out here."""
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in ("ruff", "mypy", "python"):
            (tools / name).write_text("#!/bin/sh\nexit 0\n")
            (tools / name).chmod(0o755)
        done = check_out(tmp_path / "checkout", python=tools).dev("test")

        shown = done.stdout.replace("python -m pytest", "pytest")
        assert done.returncode == 0, done.stderr
        assert agrees(sample("./dev test"), shown), shown

    def test_jobs(self) -> None:
        """Every job is in the table with the schedule that ships, in steward.toml, and is performed by something."""
        shipped = configure((ROOT / "steward.toml").read_bytes(), "steward.toml", {})
        rows = README.table("Job", "What it does")

        assert shipped.problems == ()
        assert {row[0].strip("`"): row[2].strip("`") for row in rows} == {
            name: schedule.text for name, schedule in shipped.schedules.items()
        }
        assert {row[0].strip("`") for row in rows} == set(JOBS) == set(performed.JOBS)

    def test_keys_are_described_elsewhere(self) -> None:
        """README repeats no table of keys or app settings; it leads to the page that is made from the types."""
        headers = {cell for table in README.tables() for cell in table[0]}

        assert headers & {"Setting", "Table", "Without it"} == set()
        assert not any(cell.startswith("Key of") for cell in headers)
        assert {"docs/configuration.md", "docs/cleanup-rules.md", "docs/steward.schema.json"} <= set(README.links)

    def test_the_shortest_file(self) -> None:
        """The whole file that is shown is valid, without a warning, and arms nothing; editors find its schema."""
        example = [block.text for block in README.blocks if block.info == "toml"][2]
        read = configure(example.encode(), "steward.toml", {})
        audit, cleanup = read.jobs["tag-audit"], read.jobs["cleanup"]

        assert isinstance(audit, TagAudit)
        assert isinstance(cleanup, Cleanup)
        assert (read.problems, read.warnings) == ((), ())
        assert set(read.schedules) == {"list-resource-groups", "tag-audit", "watchdog"}
        assert (len(audit.rules), audit.armed_subscriptions, cleanup.armed_subscriptions) == (1, (), ())
        assert (ROOT / example.splitlines()[0].removeprefix("#:schema ")).is_file()

    def test_a_problem_is_told_as_shown(self) -> None:
        """The place that is given as an example is how a problem begins."""
        read = configure(b'[[jobs.tag-audit.rules]]\nname = "a"\nmode = "sometimes"\n', "steward.toml", {})

        assert f"such as `{read.problems[0].place}`" in README.text

    def test_the_example_of_notices(self) -> None:
        """What steward.toml shows as a comment is valid once its app settings are there, and is off as it ships."""
        text = (ROOT / "steward.toml").read_text()
        example = "\n".join(line.removeprefix("# ") for line in text[text.index("# [notices]") :].splitlines())
        environ = {f"STEWARD_{name}_URL": f"mailto://{name}.example.com" for name in ("NOTICE", "OWNER", "FALLBACK")}
        read = configure(example.encode(), "steward.toml", environ)

        assert (read.problems, read.notices.dry_run) == ((), True)
        assert set(read.receivers.operators) == {"mailto://notice.example.com"}
        assert not configure(text.encode(), "steward.toml", environ).receivers

    def test_the_example_of_a_rule(self) -> None:
        """The rule that is shown is valid, without a warning, and does to `Env = production` what the text says."""
        example = next(block.text for block in README.blocks if block.info == "toml")
        read = configure(example.encode(), "steward.toml", {})
        audit = read.jobs["tag-audit"]
        assert isinstance(audit, TagAudit)
        check = Check(audit.rules[0], {})
        subject = Subject(
            kind=Kind.RESOURCE,
            id="/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop",
            name="shop",
            type="Microsoft.Web/sites",
            location=None,
            tags={"Env": "production"},
            managed_by=None,
            subscription_id="s",
            subscription_name="S",
            resource_group="g",
        )
        broken = check.violations(subject.tags)
        bare = msgspec.structs.replace(subject, tags={})

        def change(of: Subject, violation: Violation) -> TagChange | str | None:
            return propose(check, violation, of, group_tags={"environment": "production"}, subscription_tags={})

        shipped = configure((ROOT / "steward.toml").read_bytes(), "steward.toml", {}).jobs["tag-audit"]

        assert isinstance(shipped, TagAudit)
        assert len(shipped.rules) == 2
        assert read.problems == ()
        assert [each for each in read.warnings if each.job == "tag-audit"] == []
        assert [each.kind for each in broken] == ["key", "value"]
        assert {str(change(subject, each)) for each in broken} == {
            str(TagChange(set={"environment": "prod"}, remove=("Env",)))
        }
        assert change(bare, check.violations({})[0]) == TagChange(set={"environment": "prod"})

    def test_the_example_of_cleanup(self) -> None:
        """The table that is shown is valid, and switches on the rule of its name."""
        example = [block.text for block in README.blocks if block.info == "toml"][1]
        read = configure(example.encode(), "steward.toml", {})
        job = read.jobs["cleanup"]

        assert isinstance(job, Cleanup)
        assert (read.problems, set(job.rules.on)) == ((), {"expired"})

    def test_the_number_of_rules(self) -> None:
        """As many as there are."""
        shipped = configure((ROOT / "steward.toml").read_bytes(), "steward.toml", {}).jobs["cleanup"]

        assert isinstance(shipped, Cleanup)
        assert f"has all {len(RULES)}, each with" in README.text
        assert "It ships with two: `expired`" in README.text
        assert set(shipped.rules.on) == {"expired", "unattached-disk"}

    def test_routes(self) -> None:
        """The table of routes is what the function app has, each with the key that opens it."""
        prefix = json.loads((ROOT / "host.json").read_bytes())["extensions"]["http"]["routePrefix"]
        found = opened()
        routes = [(method, f"`/{prefix}/{each.route}`", each.key) for each in found for method in each.methods]

        assert sorted((row[0], row[1], row[2].strip("*")) for row in README.table("Method", "Route")) == sorted(routes)

        handed = next(block.text for block in README.blocks if "for name in " in block.text)
        named = handed.split("for name in ", 1)[1].split(";", 1)[0].replace("\\\n", " ").split()
        assert sorted(named) == sorted(each.name for each in found if each.key in ("reader", "operator"))
        assert "--function-name apply_plan" in handed

    def test_commands(self) -> None:
        """The table of commands has each command with its arguments and options."""
        expected = {}
        for name, command in COMMANDS.items():
            arguments = [
                each.metavar or each.human_readable_name for each in command.params if not each.opts[0].startswith("-")
            ]
            expected[f"`{' '.join(['steward', name, *arguments])}`"] = options(command)

        rows = README.table("Command", "Options")
        assert {row[0]: set(re.findall(r"--[a-z-]+", row[1])) for row in rows} == expected

    def test_exit_codes(self) -> None:
        """The table of exit codes has each code of the command, and the statuses that end with it."""
        table = {int(row[0]): row[1] for row in README.table("Exit code", "Meaning")}

        assert set(table) == {0, cli.FAILED, cli.WRONG, cli.PARTIAL, cli.REFUSED}
        for status, code in cli.EXIT_CODES.items():
            assert status in table[code]
        assert set(cli.EXIT_CODES) == {status for status in RunStatus if status.ended}

    def test_dev(self) -> None:
        """The commands of `dev` and the options of `./dev up` are all named, and no other."""
        usage = subprocess.run([ROOT / "dev", "--help"], capture_output=True, text=True, check=True).stdout
        known = {option for action in _parser()._actions for option in action.option_strings if option.startswith("--")}
        text = README.text

        assert set(re.findall(r"\./dev ([a-z]+)", text)) == set(re.findall(r"\./dev ([a-z]+)", usage))
        assert set(re.findall(r"\./dev up (--[a-z-]+)", text)) == known - {"--help"}


class TestRunbooks:
    """What the runbooks and the app say of each other."""

    def test_every_page_that_is_named_is_there(self) -> None:
        """Whatever the app names as a page of runbooks/ is one, and the dashboard names some."""
        sources = [path for folder in ("shared_code", "__app__") for path in (ROOT / folder).rglob("*.*")]
        shown = [path.read_text() for path in sources if path.suffix in (".py", ".html", ".js")]
        named = {name for text in shown for name in re.findall(r"runbooks/([a-z-]+\.md)", text)}

        assert {"a-run-failed.md", "a-run-is-partial.md", "a-job-is-refused.md"} <= named
        assert named <= {path.name for path in (ROOT / "runbooks").glob("*.md")}

    @pytest.mark.parametrize(
        ("job", "applies", "status", "page"),
        [
            ("cleanup", False, RunStatus.SUCCEEDED, None),
            ("cleanup", False, RunStatus.RUNNING, None),
            ("cleanup", False, RunStatus.PARTIAL, "a-run-is-partial.md"),
            ("cleanup", False, RunStatus.FAILED, "a-run-failed.md"),
            ("tag-audit", False, RunStatus.REFUSED, "a-run-failed.md"),
            ("tag-audit", True, RunStatus.REFUSED, "fix-tags-from-a-plan.md"),
            ("cleanup", True, RunStatus.PARTIAL, "review-and-approve-a-cleanup-plan.md"),
        ],
    )
    def test_a_run_names_its_page(self, job: str, applies: bool, status: RunStatus, page: str | None) -> None:
        """The dashboard names the page for how a run has ended, and none for one that went well."""
        run = Run(
            id="20261122T131046Z-cleanup-6e5583c0",
            job=job,
            mode=Mode.PLAN,
            trigger=TriggeredBy.CLI,
            requested=datetime(2026, 11, 22, tzinfo=UTC),
            status=status,
            order=Order(plan="20261122T131046Z-cleanup-6e5583c0", digest="0") if applies else None,
        )

        assert re.findall(r"runbooks/([a-z-]+\.md)", b"".join(run_page(run)).decode()) == ([page] if page else [])

    def test_the_sections_of_the_dashboard(self) -> None:
        """The page about the dashboard has each of its sections, in their order."""
        page = Page(ROOT / "runbooks" / "read-the-dashboard.md")
        folder = ROOT / "shared_code" / "reports" / "templates" / "dashboard"

        def sections(*names: str) -> list[str]:
            return [
                each for name in names for each in re.findall(r"<h2[^>]*>([^<]+)</h2>", (folder / name).read_text())
            ]

        assert [row[0] for row in page.table("Section", "It says")] == sections("overview.html")
        told = [row[0] for row in page.table("Section of a run or a plan", "It says")]
        assert told == sections("run.html", "plan.html")

    def test_the_functions_of_a_key(self) -> None:
        """The page about keys sets each of them on the functions that it opens, and on no other."""
        text = Page(ROOT / "runbooks" / "rotate-keys.md").text
        reading = re.findall(r'READING="([^"]*)"', text)[0].split()
        more = re.findall(r'operator\) FUNCTIONS="\$READING ([^"]*)"', text)[0].split()
        approving = re.findall(r"approver\) FUNCTIONS=(\w+)", text)

        for key, named in {"reader": reading, "operator": more, "approver": approving}.items():
            assert sorted(named) == sorted(each.name for each in opened() if each.key == key), key

    def test_the_index_quotes_what_is_said(self) -> None:
        """Each sentence that the index of the runbooks quotes is in the code of the app."""
        rows = [row for table in Page(ROOT / "runbooks" / "README.md").tables() for row in table]
        quoted = [each for row in rows for each in re.findall(r'"([^"]+)"', row[0])]
        code = "".join(path.read_text() for name in ("shared_code", "__app__") for path in (ROOT / name).rglob("*.py"))
        said = re.sub(r'"\s+f?"', "", code)

        assert len(quoted) > 10
        assert [each for each in quoted if each not in said] == []


class TestFiles:
    """Files that ship and that nothing else would notice."""

    def test_local_settings(self) -> None:
        """local.settings.example.json has every setting of the code and what the host itself needs."""
        values = json.loads((ROOT / "local.settings.example.json").read_bytes())["Values"]

        assert set(values) == {each.name for each in SETTINGS} | {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}

    def test_host_json(self) -> None:
        """host.json has the bundle, and the queue settings that the worker counts on."""
        host = json.loads((ROOT / "host.json").read_bytes())
        queues = host["extensions"]["queues"]

        assert host["extensionBundle"]["version"] == "[4.*, 5.0.0)"
        assert host["extensions"]["http"] == {"routePrefix": "api"}
        assert {
            name: queues[name] for name in ("batchSize", "newBatchThreshold", "visibilityTimeout", "maxDequeueCount")
        } == {
            "batchSize": 1,
            "newBatchThreshold": 0,
            "visibilityTimeout": "00:01:00",
            "maxDequeueCount": 5,
        }

    def test_a_job_is_in_every_file_of_the_list(self) -> None:
        """What CONTRIBUTING says a job consists of is there for every job."""
        modules = {module.__name__ for module in MODULES}
        for name in JOBS:
            module = name.replace("-", "_")
            assert f"__app__.{module}" in modules
            assert (ROOT / "shared_code" / "jobs" / f"{module}.py").exists()
        assert issubclass(Scope, msgspec.Struct)


class TestEveryDocument:
    """What holds for all of them."""

    @every_document
    def test_links(self, path: Path) -> None:
        """A relative link leads to something in the repository, and one into a page to a heading that it has."""
        for target in Page(path).links:
            name, _, anchor = target.replace("\\", "").partition("#")
            found = path.parent / name if name else path
            assert found.exists(), target
            assert not anchor or anchor in Page(found).anchors, target

    @every_document
    def test_shell_is_valid(self, path: Path) -> None:
        """Every block of commands is valid bash."""
        for block in shell_blocks(path):
            checked = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
            assert (checked.returncode, checked.stderr) == (0, ""), block.text

    @every_document
    def test_commands_exist(self, path: Path) -> None:
        """Every `steward` command that is named exists, with the options it is given."""
        for line in re.findall(r"(?:^|[`(\s])steward (?!\(\))([a-z][^`\n|;]*)", _code(path), re.MULTILINE):
            name, *words = line.split()
            assert name in COMMANDS, line
            given = {word for word in words if word.startswith("--")}
            assert given <= options(COMMANDS[name]), line

    @every_document
    def test_routes_exist(self, path: Path) -> None:
        """Every address of the API that is named is one of README's routes."""
        known = {re.sub(r"\{[a-z]+}", "*", row[1].strip("`")) for row in README.table("Method", "Route")}
        for address in re.findall(r"/api/[^\s\"'`?]*", re.sub(r"\$\{[A-Z]+\?}", "*", _code(path))):
            shape = re.sub(
                r"(?<=/jobs/)[a-z-]+|(?<=/jobs/){job}|(?<=/runs/){run}|(?<=/plans/){plan}|(?<=/snoozes/){id}",
                "*",
                address,
            )
            assert shape in known, address

    @every_document
    def test_settings_exist(self, path: Path) -> None:
        """Every setting that is named exists."""
        known = {each.name for each in SETTINGS} | {"STEWARD_RECORDINGS", "STEWARD_REQUIRE"}

        assert set(re.findall(r"\b(?:STEWARD|AZURE)_[A-Z_]+", Page(path).text)) <= known


def _code(path: Path) -> str:
    """What a document shows as code: its blocks of commands, and what stands between backticks."""
    page = Page(path)
    spans = re.findall(r"`[^`\n]+`", page.prose)
    return "\n".join([*(block.text for block in shell_blocks(path)), *spans])
