"""What a person in front of a terminal sees: tables, progress and closing lines; every foreign text made safe."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from shared_code.catalog import JobView
from shared_code.foreign_text import one_line
from shared_code.model import Reading, ResourceGroup
from shared_code.runs import Progress, Run, RunStatus
from shared_code.times import duration_text, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import JustifyMethod

PIPE_WIDTH = 160
"""Columns of a table where there is no window."""
LONGEST_TABLE = 50
"""Rows shown; the report has them all."""

_GROUP_COLUMNS = ("Resource group", "Subscription", "Location", "Resources", "Tags")

_STYLE = {
    RunStatus.SUCCEEDED: "green",
    RunStatus.PARTIAL: "yellow",
    RunStatus.FAILED: "red",
    RunStatus.REFUSED: "red",
    RunStatus.CANCELLED: "yellow",
}


def console() -> Console:
    """Return the console of stdout; it never reads markup, since names come from strangers."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(markup=False, highlight=False, emoji=False, width=width)


def _table(*columns: str, right: tuple[str, ...] = (), wrap: tuple[str, ...] = ()) -> Table:
    """Make a table that fits the window: the columns of `wrap` give way, the others keep their width."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        justify: JustifyMethod = "right" if column in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column not in wrap)
    return table


def show_jobs(views: Iterable[JobView]) -> None:
    """Print a line for each job, and its problems below."""
    table = _table("Job", "Schedule (UTC)", "Next run", "Last run", "Status")
    problems: list[str] = []
    for view in views:
        last = view.last_run
        table.add_row(
            view.name,
            one_line(view.schedule or "none: run by hand only"),
            text_of(view.next_runs[0]) if view.next_runs else "never",
            text_of(last.started or last.requested) if last else "never",
            last.status if last else "",
        )
        problems.extend(problem for problem in view.problems if problem not in problems)
    out = console()
    out.print(table)
    for problem in problems:
        out.print(f"problem: {problem}", style="red")


def show_runs(runs: Iterable[Run]) -> None:
    """Print a line for each run."""
    table = _table("Run", "Trigger", "Status", "Started", "Took", "Result", wrap=("Run", "Result"))
    for run in runs:
        took = duration_text(run.ended - run.started) if run.ended and run.started else ""
        result = run.error or ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in run.counts.items())
        started = text_of(run.started) if run.started else ""
        table.add_row(run.id, run.trigger, run.status, started, took, one_line(result))
    console().print(table)


def show_run(run: Run) -> None:
    """Print how a run went: status, scope, every subscription that was not read completely, and what it left."""
    out = console()
    out.print(f"{run.id}  {run.status}", style=_STYLE.get(run.status))
    lines = {
        "job": f"{run.job}, mode {run.mode}",
        "trigger": f"{run.trigger}{f' by {run.requested_by} (not verified)' if run.requested_by else ''}",
        "requested": text_of(run.requested),
        "scheduled for": f"{text_of(run.scheduled_for)}{' (past due)' if run.past_due else ''}"
        if run.scheduled_for
        else "",
        "started": text_of(run.started) if run.started else "",
        "ended": text_of(run.ended) if run.ended else "",
        "attempt": str(run.attempt) if run.attempt > 1 else "",
        "progress": f"{run.progress.done} of {run.progress.total} subscriptions"
        if run.progress and not run.status.ended
        else "",
        **{name.replace("_", " "): f"{number:,}" for name, number in run.counts.items()},
        "error": run.error or "",
    }
    for name, value in lines.items():
        if value:
            out.print(f"  {name:<24} {one_line(value)}", soft_wrap=True)
    show_verdicts(run)


def show_verdicts(run: Run) -> None:
    """Print each subscription that was not read completely, with the reason."""
    out = console()
    for verdict in run.subscriptions:
        if verdict.reading is not Reading.COMPLETE:
            word = "not read completely" if verdict.reading is Reading.INCOMPLETE else "skipped"
            name = one_line(verdict.subscription_name or "(no name)")
            style = "yellow" if verdict.reading is Reading.INCOMPLETE else None
            named = f"{name} ({one_line(verdict.subscription_id)})"  # the id may be what a caller asked for
            out.print(f"{word}: {named}: {one_line(verdict.reason or '', 1000)}", style=style, soft_wrap=True)


def show_groups(groups: Iterable[ResourceGroup], total: int) -> None:
    """Print the first resource groups as a table, and how many more there are."""
    table = _table(*_GROUP_COLUMNS, right=("Resources",), wrap=("Resource group", "Subscription", "Tags"))
    shown = 0
    for group, _ in zip(groups, range(LONGEST_TABLE), strict=False):
        tags = ", ".join(f"{tag}={value or ''}" for tag, value in group.tags.items())
        size = "not read" if group.resources is None else f"{group.resources:,}"
        names = (one_line(group.name), one_line(group.subscription_name), one_line(group.location))
        table.add_row(*names, size, one_line(tags))
        shown += 1
    out = console()
    if shown:
        out.print(table)
    if total > shown:
        out.print(f"… and {total - shown:,} more resource groups: all are in the report.")


@contextmanager
def progress_bar(title: str) -> Iterator["Callable[[Progress], None]"]:
    """Show a bar on stderr while the work lasts; nothing where stderr is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    errors = Console(stderr=True, markup=False, highlight=False)
    with Bar(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda made: bar.update(task, completed=made.done, total=made.total)
