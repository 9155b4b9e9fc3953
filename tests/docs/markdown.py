"""The little Markdown the documents use: front matter, headings, fenced blocks, tables and links."""

import re
import textwrap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_EXIT_CODE = re.compile(r"exit code (\d)")


class Block(NamedTuple):
    """A fenced block: its info string, its text without the indentation, and where it stands."""

    info: str
    text: str
    start: int
    end: int


class Command(NamedTuple):
    """A block of commands with what is said to come of it; `output` is None where nothing is said."""

    heading: str
    info: str
    text: str
    exit_code: int
    output: str | None
    line: int


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text()

    @cached_property
    def front_matter(self) -> dict[str, str]:
        """The `key: value` lines between the first two `---`."""
        begin, matter, _ = self.text.split("---\n", 2)
        assert begin == "", "a page begins with its front matter"
        return {line.split(": ", 1)[0]: line.split(": ", 1)[1] for line in matter.splitlines()}

    @cached_property
    def blocks(self) -> list[Block]:
        """The fenced blocks."""
        found = _FENCE.finditer(self.text)
        return [Block(each["info"], textwrap.dedent(each["text"]), each.start(), each.end()) for each in found]

    @cached_property
    def prose(self) -> str:
        """The file with its fenced blocks blanked out, every other character where it was."""
        return _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), self.text)

    def headings(self, level: int) -> list[str]:
        """The headings of a level, in order."""
        return re.findall(rf"^#{{{level}}} (.+)$", self.prose, re.MULTILINE)

    @cached_property
    def anchors(self) -> set[str]:
        """What a link into the page may name: its headings as GitHub writes them in addresses."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def section(self, heading: str) -> str:
        """The prose under a heading of the second level."""
        return re.split(r"^## ", self.prose.split(f"\n## {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]

    @property
    def links(self) -> list[str]:
        """The targets of the links, without the addresses of other sites."""
        return [target for target in _LINK.findall(self.prose) if "://" not in target]

    def tables(self) -> list[list[list[str]]]:
        """The tables, each a list of rows of cells, its header first."""
        found = re.findall(r"(?:^\|.*\|$\n?)+", self.prose, re.MULTILINE)
        return [[_cells(line) for line in table.splitlines() if not line.startswith("|---")] for table in found]

    def table(self, *header: str) -> list[list[str]]:
        """The rows of the one table whose header begins like this."""
        matching = [table for table in self.tables() if table[0][: len(header)] == list(header)]
        assert len(matching) == 1, f"{len(matching)} tables of {self.path.name} begin with {header}"
        return matching[0][1:]

    def commands(self) -> list[Command]:
        """The blocks of commands, in order, each with the sentence and the output that follow **Expect:**."""
        found = []
        for position, block in enumerate(self.blocks):
            if not block.info.startswith("bash"):
                continue
            following = self.blocks[position + 1] if position + 1 < len(self.blocks) else None
            until = following.start if following else len(self.text)
            between = self.text[block.end : until]
            expects = "**Expect:**" in between
            sentence = between.split("**Expect:**", 1)[1].split("\n\n", 1)[0] if expects else ""
            code = _EXIT_CODE.search(sentence)
            told = expects and following is not None and following.info == "text"
            found.append(
                Command(
                    heading=re.findall(r"^## (.+)$", self.prose[: block.start], re.MULTILINE)[-1:][0],
                    info=block.info,
                    text=block.text,
                    exit_code=int(code[1]) if code else 0,
                    output=following.text if told and following else None,
                    line=self.text.count("\n", 0, block.start) + 1,
                )
            )
        return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


_RUN_ID = re.compile(r"\d{8}T\d{6}Z-([a-z-]+)-[0-9a-f]{8}")
_SAME = (
    (_RUN_ID, r"<run of \1>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "<duration>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<here>"),
    (re.compile(r"─+"), "─"),
    (re.compile(r"[ \t]+"), " "),
)


def normal(text: str) -> list[str]:
    """The lines of an output without what differs from run to run: ids, times, durations, ports and spacing."""
    for pattern, replacement in _SAME:
        text = pattern.sub(replacement, text)
    return [line for line in map(str.strip, text.splitlines()) if line]


def agrees(expected: str, output: str) -> bool:
    """Whether a whole output is as expected: `…` is any text of its line, and alone on a line any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in normal(expected)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in normal(output))) is not None
