"""What a person in front of a terminal sees: tables, progress and closing lines; every foreign text made safe."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from shared_code.catalog import JobView
from shared_code.compliance import Count
from shared_code.eligibility import Decided, Decision
from shared_code.foreign_text import one_line
from shared_code.group_changes import GroupChange
from shared_code.model import UNREAD, Finding, Reading, ResourceGroup
from shared_code.outcomes import Outcome, Result
from shared_code.plan import Action, Plan, by_type
from shared_code.runs import Mode, Progress, Run, RunStatus
from shared_code.schedule_preview import Preview
from shared_code.times import duration_text, text_of
from shared_code.undo import Left

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import JustifyMethod

PIPE_WIDTH = 160
"""Columns of a table where there is no window."""
LONGEST_TABLE = 50
"""Rows shown; the report has them all."""

LONGEST_TEXT = 4000
"""Characters of an id or of a change: whoever reads it to decide must see the whole of it."""

NARROWEST = 16
"""Columns that a text which may be broken still gets."""

_GROUP_COLUMNS = ("Resource group", "Subscription", "Location", "Resources", "Locks", "Tags")
_READING = {
    Reading.INCOMPLETE: "not read completely",
    Reading.NOT_VISIBLE: "not visible",
    Reading.SKIPPED: "skipped",
}

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


def _print_rows(
    rows: list[tuple[str, ...]], columns: tuple[str, ...], *, wrap: tuple[str, ...] = (), spare: tuple[str, ...] = ()
) -> None:
    """Print a table that fits the window, or a paragraph for each row where none does; nothing is cut off in silence.

    Args:
        rows: one text for each column; the first column names the row.
        columns: their headings; "Resources" holds numbers.
        wrap: columns that may break their text.
        spare: columns left out, in this order, where the window is too narrow for them; that is said below.
    """
    out = console()
    left_out: list[str] = []
    for column in (*spare, ""):
        if fits := _needed(rows, columns, wrap, left_out) <= out.width:
            break
        left_out.append(column)
    if not fits:
        for first, *rest in rows:
            out.print(first, soft_wrap=True)
            facts = [
                f"{name[0].lower()}{name[1:]} {text}" for name, text in zip(columns[1:], rest, strict=True) if text
            ]
            out.print(Padding(Text(" · ".join(facts)), (0, 0, 0, 2)))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    kept = [place for place, column in enumerate(columns) if column not in left_out]
    for place in kept:
        column = columns[place]
        justify: JustifyMethod = "right" if column == "Resources" else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column not in wrap)
    for row in rows:
        table.add_row(*(row[place] for place in kept))
    out.print(table)
    if left_out:
        out.print(f"Left out, as the window is narrow: {', '.join(left_out).lower()}.")


def _needed(rows: list[tuple[str, ...]], columns: tuple[str, ...], wrap: tuple[str, ...], left_out: list[str]) -> int:
    """Return how wide a table must be so that only the columns of `wrap` break their text, and not into crumbs."""
    widths = [
        min(max(cell_len(row[place]) for row in [columns, *rows]), NARROWEST if column in wrap else PIPE_WIDTH)
        for place, column in enumerate(columns)
        if column not in left_out
    ]
    return sum(widths) + 3 * len(widths)


def show_jobs(views: Iterable[JobView]) -> None:
    """Print a line for each job, and its problems below."""
    rows: list[tuple[str, ...]] = []
    problems: list[str] = []
    warnings: list[str] = []
    armed: list[str] = []
    for view in views:
        last = view.last_run
        rows.append(
            (
                view.name,
                one_line(view.schedule or ("none: run by hand only" if view.runnable else "none")),
                view.words or "",
                text_of(view.next_runs[0]) if view.next_runs else "never",
                text_of(last.started or last.requested) if last else "never",
                last.status if last else "",
            )
        )
        if view.armed_subscriptions:
            number = len(view.armed_subscriptions)
            where = f"{number} subscription{'s' if number > 1 else ''}"
            how = "automatic rules too" if view.mode is Mode.APPLY else "approved plans only"
            armed.append(f"armed: {view.name} in {where}, {how}")
        problems.extend(problem for problem in view.problems if problem not in problems)
        warnings.extend(warning for warning in view.warnings if warning not in warnings)
    columns = ("Job", "Schedule (UTC)", "In words", "Next run", "Last run", "Status")
    _print_rows(rows, columns, wrap=("In words",), spare=("In words",))
    out = console()
    for line in armed:
        out.print(line, soft_wrap=True)
    for problem in problems:
        out.print(f"problem: {problem}", style="red")
    for warning in warnings:
        out.print(f"warning: {warning}", style="yellow")


def show_schedule(preview: Preview) -> None:
    """Print what Azure and Steward make of a schedule, what it means, what may surprise, and when it fires next."""
    out = console()
    out.print(one_line(preview.schedule, PIPE_WIDTH) or "(empty)", style="bold", soft_wrap=True)
    azure, steward = preview.azure, preview.steward
    if azure.accepted and azure.expanded:
        out.print(f"  Azure    accepts it, as {azure.expanded}", soft_wrap=True)
    elif azure.accepted:
        out.print("  Azure    accepts it, as a TimeSpan", soft_wrap=True)
    else:
        out.print("  Azure    rejects it, and puts the function in error", style="red", soft_wrap=True)
    if steward.accepted:
        out.print("  Steward  accepts it", style="green")
    else:
        reason, _, place = (steward.reason or "").partition("\n")
        out.print(f"  Steward  refuses it: {reason}", style="red", soft_wrap=True)
        if place:
            out.print(place, soft_wrap=True)
    if preview.words:
        out.print(f"  Means    {preview.words}", soft_wrap=True)
    for moment in preview.next_runs:
        out.print(f"  Next     {text_of(moment)}")
    for warning in preview.warnings:
        out.print(f"warning: {warning}", style="yellow", soft_wrap=True)


def show_runs(runs: Iterable[Run]) -> None:
    """Print a line for each run."""
    rows: list[tuple[str, ...]] = []
    for run in runs:
        took = duration_text(run.ended - run.started) if run.ended and run.started else ""
        counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in run.counts.items())
        # What was changed must be seen even where something then went wrong.
        result = f"{counts}. {run.error}" if counts and run.error and run.mode is Mode.APPLY else run.error or counts
        started = text_of(run.started) if run.started else ""
        rows.append((run.id, run.mode, run.trigger, run.status, started, took, one_line(result)))
    _print_rows(rows, ("Run", "Mode", "Trigger", "Status", "Started", "Took", "Result"), wrap=("Result",))


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
        "progress": f"{run.progress.done} of {run.progress.total} {run.progress.things}"
        if run.progress and not run.status.ended
        else "",
        **{name.replace("_", " "): f"{number:,}" for name, number in run.counts.items()},
        "compliance": _percent(run),
        "plan": run.plan or "",
        "undoes": run.undoes or "",
        "error": run.error or "",
    }
    for name, value in lines.items():
        if value:
            out.print(f"  {name:<24} {one_line(value, 1000)}", soft_wrap=True)
    show_verdicts(run)


def _percent(run: Run) -> str:
    if "checks" not in run.counts:
        return ""
    percent = Count(run.counts["checks"], run.counts["violations"], run.counts["exempted"]).percent
    return "nothing to judge" if percent is None else f"{percent} %"


def show_verdicts(run: Run) -> None:
    """Print each subscription that was not read completely, with the reason."""
    out = console()
    for verdict in run.subscriptions:
        if word := _READING.get(verdict.reading):
            name = one_line(verdict.subscription_name or "(no name)")
            style = "yellow" if verdict.reading in UNREAD else None
            named = f"{name} ({one_line(verdict.subscription_id)})"  # the id may be what a caller asked for
            out.print(f"{word}: {named}: {one_line(verdict.reason or '', 1000)}", style=style, soft_wrap=True)


def show_findings(findings: Iterable[Finding], total: int) -> None:
    """Print the first findings, each with its resource and what may mend it, and how many more there are."""
    out = console()
    shown = 0
    for finding, _ in zip(findings, range(LONGEST_TABLE), strict=False):
        said = f"{finding.severity} {one_line(finding.rule)}: {one_line(finding.detail, LONGEST_TEXT)}"
        out.print(said, style="yellow", soft_wrap=True)
        out.print(f"  {one_line(finding.resource_id, LONGEST_TEXT)}", soft_wrap=True)
        if finding.suggestion:
            out.print(f"  suggested: {one_line(finding.suggestion, LONGEST_TEXT)}", soft_wrap=True)
        shown += 1
    if total > shown:
        out.print(f"… and {total - shown:,} more findings: all are in the report.")


def show_plan(plan: Plan, refusal: str | None) -> None:
    """Print a plan: what whoever applies it has to know, each item with its reason, and how to apply it or why not."""
    out = console()
    number = len(plan.items)
    out.print(f"{plan.id}  {number:,} {plan.things.removesuffix('s' if number == 1 else '')}", soft_wrap=True)
    for name, value in {
        "job": plan.job,
        "created": text_of(plan.created),
        "expires": text_of(plan.expires),
        "digest": plan.digest,
    }.items():
        out.print(f"  {name:<24} {value}", soft_wrap=True)
    if plan.has(Action.DELETE):
        kinds = ", ".join(f"{count:,} {one_line(name)}" for name, count in by_type(plan.items).items())
        within = sum(len(item.members) for item in plan.items)
        whole = f"; {number + within:,} with what is in them" if within else ""
        out.print(f"  {'deletes':<24} {kinds}{whole}", soft_wrap=True)
    for item, _ in zip(plan.items, range(LONGEST_TABLE), strict=False):
        out.print(f"{item.mode} {one_line(item.rule)}: {one_line(item.words, LONGEST_TEXT)}", soft_wrap=True)
        out.print(
            f"  {one_line(item.resource_id, LONGEST_TEXT)}: {one_line(item.reason, LONGEST_TEXT)}", soft_wrap=True
        )
    if number > LONGEST_TABLE:
        out.print(f"… and {number - LONGEST_TABLE:,} more: 'steward plan {plan.id} --json' has them all.")
    if not plan.items:
        out.print("There is nothing to apply.")
    elif refusal:
        out.print(
            f"Applying all of it is refused now: {one_line(refusal, LONGEST_TEXT)}", style="yellow", soft_wrap=True
        )
    else:
        out.print(f"To apply it: steward apply {plan.id} --digest {plan.digest}", soft_wrap=True)


def show_outcomes(outcomes: Iterable[Outcome], total: int) -> None:
    """Print the first outcomes, each with its resource and its reason, and how many more there are."""
    out = console()
    shown = 0
    style = {Result.SKIPPED: "yellow", Result.DELETING: "yellow", Result.FAILED: "red"}
    for outcome, _ in zip(outcomes, range(LONGEST_TABLE), strict=False):
        words = f": {one_line(outcome.words, LONGEST_TEXT)}" if outcome.change else ""
        said = f"{outcome.outcome} {one_line(outcome.rule)}{words}"
        out.print(said, style=style.get(outcome.outcome, "green"), soft_wrap=True)
        reason = f": {one_line(outcome.reason, LONGEST_TEXT)}" if outcome.reason else ""
        out.print(f"  {one_line(outcome.resource_id, LONGEST_TEXT)}{reason}", soft_wrap=True)
        shown += 1
    if total > shown:
        out.print(f"… and {total - shown:,} more outcomes: all are in the report.")


def show_decisions(decisions: Iterable[Decision], total: int) -> None:
    """Print decisions that something may come of, what is planned first, and how many others there are."""
    out = console()
    shown = 0
    order = (Decided.PLANNED, Decided.UNREAD, Decided.WAITING)
    telling = (each for each in decisions if each.decision in order)
    for each in nsmallest(LONGEST_TABLE, telling, key=lambda each: order.index(each.decision)):
        style = "red" if each.decision is Decided.PLANNED else "yellow"
        out.print(
            f"{each.decision} {one_line(each.rule)}: {one_line(each.detail, LONGEST_TEXT)}", style=style, soft_wrap=True
        )
        out.print(f"  {one_line(each.resource_id, LONGEST_TEXT)}", soft_wrap=True)
        for reason in each.reasons:
            out.print(f"    {one_line(reason, LONGEST_TEXT)}", soft_wrap=True)
        shown += 1
    if total > shown:
        out.print(f"… and {total - shown:,} more decisions: all are in the report, each with its reason.")


def show_left(left: Iterable[Left], total: int) -> None:
    """Print the first items that an undo leaves as they are, with the reason, and how many more there are."""
    out = console()
    shown = 0
    for each, _ in zip(left, range(LONGEST_TABLE), strict=False):
        out.print(
            f"not restored {one_line(each.rule)}: {one_line(each.reason, LONGEST_TEXT)}", style="yellow", soft_wrap=True
        )
        out.print(f"  {one_line(each.resource_id, LONGEST_TEXT)}", soft_wrap=True)
        shown += 1
    if total > shown:
        out.print(f"… and {total - shown:,} more that are not restored: all are in the report.")


def show_snoozes(views: Iterable[dict[str, Any]]) -> None:
    """Print each snooze: of what, until when, by whom and why; one that cannot be read has a reason alone."""
    out = console()
    for view in views:
        state = "in force" if view["active"] else "ended"
        if view["until"] is None:
            out.print(f"{state}: {one_line(view['reason'], LONGEST_TEXT)}", style="yellow", soft_wrap=True)
            continue
        said = f"{state}: {one_line(view['rule'])}, until {one_line(view['until'])} by {one_line(view['by'])}"
        out.print(f"{said}: {one_line(view['reason'], LONGEST_TEXT)}", soft_wrap=True)
        out.print(f"  {one_line(view['resource_id'], LONGEST_TEXT)}", soft_wrap=True)


def show_groups(groups: Iterable[ResourceGroup], total: int) -> None:
    """Print the first resource groups as a table, and how many more there are."""
    rows: list[tuple[str, ...]] = []
    for group, _ in zip(groups, range(LONGEST_TABLE), strict=False):
        tags = ", ".join(f"{tag}={value or ''}" for tag, value in group.tags.items())
        size = "not read" if group.resources is None else f"{group.resources:,}"
        names = (one_line(group.name), one_line(group.subscription_name), one_line(group.location))
        rows.append((*names, size, _levels(group), one_line(tags)))
    if rows:
        names_and_tags = ("Resource group", "Subscription", "Tags")
        _print_rows(rows, _GROUP_COLUMNS, wrap=names_and_tags, spare=("Tags", "Location", "Locks"))
    if total > len(rows):
        console().print(f"… and {total - len(rows):,} more resource groups: all are in the report.")


def show_changes(changes: Iterable[GroupChange], total: int) -> None:
    """Print the first changes of resource groups, a line each, and how many more there are."""
    out = console()
    shown = 0
    for change, _ in zip(changes, range(LONGEST_TABLE), strict=False):
        fields = f": {', '.join(change.fields).replace('_', ' ')}" if change.fields else ""
        out.print(
            f"{change.change}: {one_line(change.name)} ({one_line(change.subscription_name)}){fields}", soft_wrap=True
        )
        shown += 1
    if total > shown:
        out.print(f"… and {total - shown:,} more changes: all are in the report.")


def _levels(group: ResourceGroup) -> str:
    """Say which levels of lock protect the group or something in it."""
    if group.locks is None:
        return "not read"
    return one_line(", ".join(sorted({lock.level for lock in group.locks})))


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
