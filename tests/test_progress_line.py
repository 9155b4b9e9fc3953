"""The line that shows how far a run is: what is done of how many, the rate, and the time left."""

import re
from io import StringIO

import pytest
from rich.console import Console

from shared_code.progress_line import EVERY, ProgressLine
from shared_code.runs import Progress

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
START = 1000.0


class Screen:
    """A console whose clock stands still until a test moves it."""

    def __init__(self, columns: int = 80, *, terminal: bool = False, file: StringIO | None = None) -> None:
        self.now = START
        self.file = file or StringIO()
        self.out = Console(
            file=self.file,
            force_terminal=terminal,
            width=columns,
            get_time=lambda: self.now,
            _environ={"TERM": "xterm"},
        )

    def line(self, *, redrawn: bool = False) -> ProgressLine:
        return ProgressLine("tag-audit", self.out, redrawn=redrawn)

    @property
    def lines(self) -> list[str]:
        """What was drawn or written, without what moves the cursor."""
        return [ESCAPE.sub("", line) for line in re.split(r"[\r\n]", self.file.getvalue()) if ESCAPE.sub("", line)]


class TestWritten:
    """Where no line can be drawn again."""

    def test_a_line_now_and_then(self) -> None:
        """However often progress is told, and only if there is some."""
        screen = Screen()
        with screen.line() as show:
            for second in range(61):
                screen.now = START + second
                show(Progress(min(second, 25), 100, "changes"))

        assert screen.lines == [
            "tag-audit: 10 of 100 changes, 1/s, about 1 min 30 s left",
            "tag-audit: 20 of 100 changes, 1/s, about 1 min 20 s left",
            "tag-audit: 25 of 100 changes, 1/s, about 1 min 15 s left",
        ]

    def test_a_quick_run_is_quiet(self) -> None:
        screen = Screen()
        with screen.line() as show:
            screen.now += EVERY - 0.1
            show(Progress(3, 3))

        assert screen.file.getvalue() == ""

    def test_nothing_is_done_yet(self) -> None:
        """A run that has not come far says at least that it lives."""
        screen = Screen()
        with screen.line() as show:
            show(Progress(0, 1200))
            screen.now += EVERY
            show(Progress(0, 1200))

        assert screen.lines == ["tag-audit: 0 of 1,200 subscriptions"]

    @pytest.mark.parametrize(
        ("each", "said"),
        [
            (0.1, "10/s, about 1 s left"),
            (0.4, "2.5/s, about 3 s left"),
            (20.0, "3/min, about 2 min 20 s left"),
            (40.0, "1.5/min, about 4 min 40 s left"),
            (90.0, "40/h, about 10 min 30 s left"),
        ],
    )
    def test_the_rate_is_one_that_people_can_read(self, each: float, said: str) -> None:
        """A second, a minute or an hour, whichever gives at least one."""
        screen = Screen()
        with screen.line() as show:
            for done in range(4):
                screen.now += each
                show(Progress(done, 10))
            screen.now += EVERY
            show(Progress(3, 10))

        assert screen.lines[-1] == f"tag-audit: 3 of 10 subscriptions, {said}"

    def test_what_was_done_before_does_not_count_for_the_rate(self) -> None:
        """A run that goes on begins with what its earlier attempts have done."""
        screen = Screen()
        with screen.line() as show:
            show(Progress(900, 1000))
            for second in range(1, 12):
                screen.now = START + second
                show(Progress(900 + second, 1000))

        assert screen.lines == ["tag-audit: 910 of 1,000 subscriptions, 1/s, about 1 min 30 s left"]

    def test_nobody_reads_it_any_more(self) -> None:
        """A run does not fail because its progress cannot be shown."""

        class Closed(StringIO):
            def write(self, _: str, /) -> int:
                raise BrokenPipeError

        screen = Screen(file=Closed())
        with screen.line() as show:
            screen.now += EVERY
            show(Progress(1, 3))


class TestRedrawn:
    """On a terminal."""

    def drawn(self, columns: int) -> Screen:
        """Draw the progress of a run of 20 s."""
        screen = Screen(columns, terminal=True)
        with screen.line(redrawn=True) as show:
            for second in range(20):
                screen.now = START + second
                show(Progress(second * 100, 4000, "deletions"))
            screen.out._live_stack[0].refresh()
        return screen

    @pytest.mark.parametrize(
        ("columns", "beside"),
        [(120, "tag-audit ━{20} "), (80, "━{20} "), (60, "")],
    )
    def test_one_line_that_fits(self, columns: int, beside: str) -> None:
        """Title and bar where there is room for them; the numbers always; and nothing remains of it."""
        screen = self.drawn(columns)

        numbers = re.escape("1,900 of 4,000 deletions, 100/s, about 21 s left")
        assert any(
            re.fullmatch(f"{beside}{numbers} *", line.replace("╸", "━").replace("╺", "━")) for line in screen.lines
        )
        assert screen.file.getvalue().endswith("\r\x1b[1A\x1b[2K")
        assert all(len(line) <= columns for line in screen.lines)

    def test_the_end(self) -> None:
        """What is done needs no time any more."""
        screen = Screen(terminal=True)
        with screen.line(redrawn=True) as show:
            for done in range(4):
                screen.now += 1
                show(Progress(done, 3))
            screen.out._live_stack[0].refresh()

        assert any(line.rstrip().endswith("3 of 3 subscriptions") for line in screen.lines)
