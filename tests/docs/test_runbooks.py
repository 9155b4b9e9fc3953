"""Runbooks: their form, and every command of every page executed in the situation the page describes."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.checkout import ROOT, Checkout, check_out, environment
from tests.docs.markdown import Command, Page, agrees
from tests.docs.situations import DEPLOYS, INSTEAD, SITUATIONS

PAGES = sorted(path for path in (ROOT / "runbooks").glob("*.md") if path.name != "README.md")
HEADINGS = [
    "When to use", "Impact", "Before you start", "Steps", "Verify", "Undo", "If it does not work", "How it works",
]  # fmt: skip
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


class Shell:
    """One bash, given one block of commands after the other."""

    def __init__(self, checkout: Checkout) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="page-", dir=checkout.folder))
        self._process = subprocess.Popen(
            ["bash", "--norc"],
            cwd=checkout.folder,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, commands: str) -> tuple[int, str]:
        """Execute a block in this shell and give its exit code and output."""
        assert self._process.stdin
        assert self._process.stdout
        block = self._folder / "block"
        block.write_text(commands)
        self._process.stdin.write(f". {block} < /dev/null; printf '\\n=%s= the block ended\\n' $?\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.endswith("= the block ended\n"):
                return int(line.split("=")[1]), "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended at\n{commands}\n{''.join(lines)}")

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def shell(checkout: Checkout) -> Iterator[Shell]:
    opened = Shell(checkout)
    try:
        yield opened
    finally:
        opened.close()


@every_page
def test_every_command_does_what_the_page_says(path: Path, tmp_path: Path) -> None:
    """Executed from top to bottom in one shell, each block ends with the exit code and the output of its page."""
    checkout = check_out(tmp_path / "checkout")
    with SITUATIONS[path.stem](checkout) as start_again, shell(checkout) as bash:
        for command in Page(path).commands():
            if command.info == "bash azure":
                if INSTEAD.get(path.stem, DEPLOYS) in command.text and start_again:
                    start_again()
                continue
            code, output = bash.run(command.text.replace("127.0.0.1:7071", f"127.0.0.1:{checkout.port}"))
            where = f"{path.name}:{command.line}\n{command.text}\nanswered {code}:\n{output}"
            assert code == command.exit_code, where
            assert agrees(command.output or "", output), where


@every_page
def test_azure_commands_are_bash(path: Path) -> None:
    """What needs Azure is not executed, and is at least valid bash."""
    for command in Page(path).commands():
        assert command.info in ("bash", "bash azure")
        checked = subprocess.run(["bash", "-n"], input=command.text, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, ""), f"{path.name}:{command.line}"


@every_page
def test_front_matter(path: Path) -> None:
    """A page says its title, for whom it is, how many minutes it takes and what it risks; its name is its title."""
    page = Page(path)
    matter = page.front_matter

    assert list(matter) == ["title", "audience", "time", "risk"]
    assert matter["title"].lower().replace(" ", "-") == path.stem
    assert page.headings(1) == [matter["title"]]
    assert matter["time"].isdigit()
    assert matter["risk"] in ("reads", "changes", "deletes")


@every_page
def test_headings(path: Path) -> None:
    """The eight headings, always in this order, each with something below it."""
    page = Page(path)

    assert page.headings(2) == HEADINGS
    assert all(page.section(heading).strip() for heading in HEADINGS)


@every_page
def test_steps(path: Path) -> None:
    """Each step is numbered in order and has one command, one **Expect:** and one **If not:**, in this order."""
    steps = Page(path).text.split("\n## Steps\n", 1)[1].split("\n## Verify\n", 1)[0]
    numbers = [int(line.split(".")[0]) for line in steps.splitlines() if line[:1].isdigit()]

    assert numbers == list(range(1, len(numbers) + 1))
    for number in numbers:
        step = steps.split(f"\n{number}. ", 1)[1].split(f"\n{number + 1}. ", 1)[0]
        marks = [step.count("```bash"), step.count("**Expect:**"), step.count("**If not:**")]
        assert marks == [1, 1, 1], f"step {number}"
        assert step.index("```bash") < step.index("**Expect:**") < step.index("**If not:**"), f"step {number}"


@every_page
def test_what_is_executed_is_expected(path: Path) -> None:
    """A command of Steps or Verify that is executed says its output; one that only sets something up has none."""
    for command in Page(path).commands():
        if command.info == "bash" and command.heading in ("Steps", "Verify"):
            assert command.output, f"{path.name}:{command.line}"


@every_page
def test_keys_stay_off_the_screen(path: Path) -> None:
    """A key is used as `${KEY?}` or `${APPROVER_KEY?}`, never printed; the address is `${URL?}`: all must be set."""
    for command in Page(path).commands():
        assert not re.search(r"echo .*KEY\b", command.text)
        for line in command.text.splitlines():
            key = "APPROVER_KEY" if "/apply" in line else "KEY"
            assert "x-functions-key: $" not in line or f'"x-functions-key: ${{{key}?}}"' in line
            assert "/api/" not in line or "${URL?}/api/" in line


def test_every_page_has_a_situation_and_a_symptom() -> None:
    """The index leads to every page, and the tests know the situation of every page."""
    stems = {path.stem for path in PAGES}

    assert set(SITUATIONS) == stems
    assert {link.removesuffix(".md") for link in Page(ROOT / "runbooks" / "README.md").links} == stems


@pytest.mark.parametrize(
    ("expected", "output", "same"),
    [
        ("run 20261122T131046Z-watchdog-6e5583c0", "run 20270101T000000Z-watchdog-00000000", True),
        ("run 20261122T131046Z-watchdog-6e5583c0", "run 20270101T000000Z-list-resource-groups-00000000", False),
        ("at 2026-11-22T13:10:46Z, 0.2 s", "at  2027-01-01T00:00:00.123456Z, 12.0 s\n\n", True),
        ("a … d", "a b c d", True),
        ("a … d", "a b\nc d", False),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("a\n…\nd", "a\nd", True),
        ("a\n…", "b\na", False),
        ("a", "a\nb", False),
        ("", "", True),
        ("", "something", False),
    ],
)
def test_the_rule_of_comparison(expected: str, output: str, same: bool) -> None:
    """Ids, times, durations and spacing may differ; `…` is any text, alone on a line any lines; nothing else."""
    assert agrees(expected, output) is same


def test_a_command_knows_its_expectation(tmp_path: Path) -> None:
    """The exit code and the output of a block are those said before the next block of commands."""
    path = tmp_path / "page.md"
    path.write_text(
        "## Steps\n\n1. Do it.\n\n   ```bash\n   false\n   ```\n\n   **Expect:** exit code 1.\n\n"
        "   ```text\n   a\n   ```\n\n"
        "## Undo\n\n```bash azure\ntrue\n```\n"
    )

    assert Page(path).commands() == [
        Command("Steps", "bash", "false\n", 1, "a\n", 5),
        Command("Undo", "bash azure", "true\n", 0, None, 17),
    ]
