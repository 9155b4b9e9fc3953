"""The progress of a run in a terminal: one line that is drawn again, or a line now and then where none can be."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Display
from rich.text import Text

from shared_code.runs import Progress
from shared_code.times import duration_text

EVERY = 10.0
"""Seconds at least between two lines where none is drawn again."""
SPEED_OVER = 300.0
"""Seconds that the rate is taken over: a subscription or a deletion may take a minute."""
WITH_BAR, WITH_TITLE = 80, 100
"""Columns from which there is room for more than the numbers."""


class ProgressLine:
    """Shows on a console what is done of how many, the rate and the time left, while the block lasts."""

    def __init__(self, title: str, out: Console, *, redrawn: bool) -> None:
        self._title, self._out, self._redrawn = title, out, redrawn
        columns: list[ProgressColumn] = [_Numbers()]
        if out.width >= WITH_BAR:
            columns.insert(0, BarColumn(bar_width=20))
        if out.width >= WITH_TITLE:
            columns.insert(0, TextColumn("{task.description}", markup=False))
        self._display = Display(
            *columns,
            console=out,
            transient=True,
            disable=not redrawn,
            redirect_stdout=False,  # what is printed there is for somebody else
            speed_estimate_period=SPEED_OVER,
            get_time=out.get_time,
        )
        self._task = self._display.add_task(title, total=None, things="")
        self._written: Progress | None = None
        self._written_at = out.get_time()

    def __enter__(self) -> Callable[[Progress], None]:
        self._display.start()
        return self.show

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._display.stop()

    def show(self, made: Progress) -> None:
        """Show how far the run is; what was done before it is first told of does not count for the rate."""
        self._display.update(self._task, total=made.total, completed=made.done, things=made.things)
        if not self._redrawn:
            self._write(made)

    def _write(self, made: Progress) -> None:
        now = self._out.get_time()
        if made == self._written or now - self._written_at < EVERY:
            return
        self._written, self._written_at = made, now
        with suppress(OSError):  # Nobody reads it any more, which is no reason for a run to fail.
            self._out.file.write(f"{self._title}: {numbers(self._display.tasks[0])}\n")
            self._out.file.flush()


class _Numbers(ProgressColumn):
    """What is said beside the bar."""

    def render(self, task: Task) -> Text:
        return Text(numbers(task), no_wrap=True, overflow="ellipsis")


def numbers(task: Task) -> str:
    """Say what is done of how many and, as far as that can be told, the rate and the time left."""
    if task.total is None:
        return "starting"
    told = [f"{task.completed:,.0f} of {task.total:,.0f} {task.fields['things']}"]
    if not task.finished and task.speed:
        told.append(_rate(task.speed))
        if task.time_remaining is not None:
            told.append(f"about {left(task.time_remaining)} left")
    return ", ".join(told)


def left(seconds: float) -> str:
    """Write a time that is only estimated, in whole seconds."""
    return f"{seconds:.0f} s" if seconds < 10 else duration_text(timedelta(seconds=seconds))


def _rate(speed: float) -> str:
    for unit, seconds in (("s", 1), ("min", 60)):
        if speed * seconds >= 1:
            return f"{speed * seconds:,.1f}".removesuffix(".0") + f"/{unit}"
    return f"{speed * 3600:.1f}".removesuffix(".0") + "/h"
