"""What a person in front of a terminal sees: tables, progress and closing lines; every foreign text made safe."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import zip_longest
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
from shared_code.plan_views import PlanState, PlanView
from shared_code.runbooks import runbook_of
from shared_code.runs import Mode, Run, RunStatus
from shared_code.schedule_preview import Preview
from shared_code.times import duration_text, local_text_of, text_of
from shared_code.undo import Left

if TYPE_CHECKING:
    from rich.console import JustifyMethod

    from shared_code.doctor.checks import Check
    from shared_code.losses import Loss
    from shared_code.progress_line import ProgressLine

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
    RunStatus.QUEUED: "cyan",
    RunStatus.RUNNING: "cyan",
}
_PLAN_STYLE = {PlanState.OPEN: "yellow", PlanState.APPLIED: "green", PlanState.DAMAGED: "red"}
_RESULT_STYLE = {
    Result.CHANGED: "green",
    Result.DELETED: "green",
    Result.DELETING: "yellow",
    Result.SKIPPED: "yellow",
    Result.FAILED: "red",
}


def console() -> Console:
    """Return the console of stdout; it never reads markup, since names come from strangers.

    Colours are for terminals alone, whatever FORCE_COLOR says, and NO_COLOR takes them away there too.
    """
    on_screen = sys.stdout.isatty()
    width = None if on_screen else PIPE_WIDTH
    return Console(markup=False, highlight=False, emoji=False, width=width, force_terminal=on_screen)


def _say(out: Console, text: str, style: str | None = None) -> None:
    """Print a sentence: on one line for programs, and broken between words and indented for people.

    What stands on lines of its own below it points at a place in the line above, and stays as it is.
    """
    sentence, *below = text.split("\n")
    sentence = one_line(sentence, LONGEST_TEXT)
    if out.is_terminal:
        for number, line in enumerate(Text(sentence, style or "").wrap(out, max(out.width - 2, 2))):
            line.rstrip()
            out.print(Text("  " if number else "").append_text(line), soft_wrap=True)
    else:
        out.print(sentence, style=style, soft_wrap=True)
    for shown in below:
        spaces = len(shown) - len(shown.lstrip(" "))
        out.print(" " * spaces + one_line(shown.strip(), LONGEST_TEXT), style=style, soft_wrap=True)


def _print_rows(
    rows: list[tuple[str, ...]],
    columns: tuple[str, ...],
    *,
    wrap: tuple[str, ...] = (),
    spare: tuple[str, ...] = (),
    styles: Sequence[str | None] = (),
) -> None:
    """Print a table that fits the window, or a paragraph for each row where none does; nothing is cut off in silence.

    Args:
        rows: one text for each column; the first column names the row.
        columns: their headings; "Resources" holds numbers.
        wrap: columns that may break their text.
        spare: columns left out, in this order, where the window is too narrow for them; that is said below.
        styles: how the column "Status" of each row looks in a terminal.
    """
    out = console()
    rows = [tuple(map(one_line, row)) for row in rows]
    styled = [
        [
            Text(text, style or "") if column == "Status" else Text(text)
            for column, text in zip(columns, row, strict=True)
        ]
        for row, style in zip_longest(rows, styles)
    ]
    left_out: list[str] = []
    for column in (*spare, ""):
        if fits := _needed(rows, columns, wrap, left_out) <= out.width:
            break
        left_out.append(column)
    if not fits:
        for first, *rest in styled:
            out.print(first, soft_wrap=True)
            facts = [
                Text(f"{name[0].lower()}{name[1:]} ").append_text(text)
                for name, text in zip(columns[1:], rest, strict=True)
                if text
            ]
            for line in _packed(facts, out.width - 2):
                out.print(Padding(line, (0, 0, 0, 2)))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    kept = [place for place, column in enumerate(columns) if column not in left_out]
    for place in kept:
        column = columns[place]
        justify: JustifyMethod = "right" if column == "Resources" else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column not in wrap)
    for row in styled:
        table.add_row(*(row[place] for place in kept))
    out.print(table)
    if left_out:
        out.print(f"Left out, as the window is narrow: {', '.join(left_out).lower()}.")


def _packed(facts: Iterable[Text], width: int) -> Iterable[Text]:
    """Give lines of as many facts as fit; none is torn apart that would fit by itself."""
    line = Text()
    for fact in facts:
        if line and line.cell_len + 3 + fact.cell_len > width:
            yield line
            line = Text()
        line = line.append(" · ").append_text(fact) if line else fact
    if line:
        yield line


def _needed(rows: list[tuple[str, ...]], columns: tuple[str, ...], wrap: tuple[str, ...], left_out: list[str]) -> int:
    """Return how wide a table must be so that only the columns of `wrap` break their text, and not into crumbs."""
    widths = [
        min(max(cell_len(row[place]) for row in [columns, *rows]), NARROWEST if column in wrap else PIPE_WIDTH)
        for place, column in enumerate(columns)
        if column not in left_out
    ]
    return sum(widths) + 3 * len(widths)


def show_check(problems: Sequence[object], warnings: Sequence[object], summary: str) -> None:
    """Print each problem and each warning with its place, and what that comes to."""
    out = console()
    for problem in problems:
        _say(out, str(problem), "red")
    for warning in warnings:
        _say(out, f"warning: {warning}", "yellow")
    _say(out, summary, "red" if problems else "green")


def show_checks(checks: Iterable["Check"], summary: str) -> None:
    """Print each check of the doctor as one line, and what they come to."""
    out = console()
    styles = {"ok": "green", "warning": "yellow", "failed": "red"}
    for each in checks:
        _say(out, f"{each.result:<11}  {each.what}: {one_line(each.sentence, LONGEST_TEXT)}", styles.get(each.result))
    _say(out, summary)


def show_jobs(views: Sequence[JobView]) -> None:
    """Print a line for each job, and its problems below."""
    rows: list[tuple[str, ...]] = []
    styles: list[str | None] = []
    problems: list[str] = []
    warnings: list[str] = []
    armed: list[str] = []
    for view in views:
        last = view.last_run
        rows.append(
            (
                view.name,
                _schedule_of(view),
                view.words or "",
                text_of(view.next_runs[0]) if view.next_runs else "never",
                text_of(last.started or last.requested) if last else "never",
                last.status if last else "",
            )
        )
        styles.append(_STYLE.get(last.status) if last else None)
        if view.armed_subscriptions:
            number = len(view.armed_subscriptions)
            where = f"{number} subscription{'s' if number > 1 else ''}"
            how = "automatic rules too" if view.mode is Mode.APPLY else "approved plans only"
            armed.append(f"armed: {view.name} in {where}, {how}")
        problems.extend(problem for problem in view.problems if problem not in problems)
        warnings.extend(warning for warning in view.warnings if warning not in warnings)
    schedule = "Schedule" if any(view.timezone for view in views) else "Schedule (UTC)"
    columns = ("Job", schedule, "In words", "Next run", "Last run", "Status")
    _print_rows(rows, columns, wrap=("In words",), spare=("In words",), styles=styles)
    out = console()
    for line in (*armed, *(line for view in views for line in _local_lines(view))):
        _say(out, line)
    for problem in problems:
        _say(out, f"problem: {problem}", "red")
    for warning in warnings:
        _say(out, f"warning: {warning}", "yellow")


def _schedule_of(view: JobView) -> str:
    if view.schedule is None:
        return "none: run by hand only" if view.runnable else "none"
    return one_line(f"{view.schedule} {view.timezone}" if view.timezone else view.schedule)


def _local_lines(view: JobView) -> Iterable[str]:
    """Tell a job's times by the clocks of its zone."""
    if (local := view.local) is None:
        return
    if local.next_runs:
        yield f"local time: {view.name} runs next at {local_text_of(local.next_runs[0], local.timezone)}"
    if local.calls_beside:
        yield (
            f"local time: {view.name} has the timer {local.registered} in UTC; "
            f"calls a day that start nothing: {local.calls_beside:g}"
        )
    if local.clock_change:
        yield f"clock change: {view.name}: {local.clock_change.words}"


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
    local = preview.local
    if local:
        beside = f"; calls a day that start nothing: {local.calls_beside:g}" if local.calls_beside else ""
        out.print(f"  Timer    {local.registered} in UTC{beside}", soft_wrap=True)
    for moment, shown in zip_longest(preview.next_runs, local.next_runs if local else ()):
        by_the_clocks = f"  {local_text_of(shown, local.timezone)}" if local else ""
        out.print(f"  Next     {text_of(moment)}{by_the_clocks}", soft_wrap=True)
    if local:
        words = local.clock_change.words if local.clock_change else f"the clocks of {local.timezone} stay as they are"
        out.print(f"  Clocks   {words}", soft_wrap=True)
    for warning in preview.warnings:
        out.print(f"warning: {warning}", style="yellow", soft_wrap=True)


def _scheduled(run: Run) -> str:
    if run.scheduled_for is None:
        return ""
    by_the_clocks = (
        f", {local_text_of(run.scheduled_local, run.timezone)}" if run.scheduled_local and run.timezone else ""
    )
    return f"{text_of(run.scheduled_for)}{by_the_clocks}{' (past due)' if run.past_due else ''}"


def show_runs(runs: Iterable[Run]) -> None:
    """Print a line for each run."""
    rows: list[tuple[str, ...]] = []
    styles: list[str | None] = []
    for run in runs:
        took = duration_text(run.ended - run.started) if run.ended and run.started else ""
        counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in run.counts.items())
        # What was changed must be seen even where something then went wrong.
        result = f"{counts}. {run.error}" if counts and run.error and run.mode is Mode.APPLY else run.error or counts
        started = text_of(run.started) if run.started else ""
        rows.append((run.id, run.mode, run.trigger, run.status, started, took, result))
        styles.append(_STYLE.get(run.status))
    columns = ("Run", "Mode", "Trigger", "Status", "Started", "Took", "Result")
    _print_rows(rows, columns, wrap=("Result",), styles=styles)


def show_run(run: Run, now: datetime | None = None) -> None:
    """Print how a run went: status, scope, every subscription that was not read completely, and what it left.

    Args:
        run: as recorded.
        now: aware; with it a run that has not ended says for how long it is at it, and about how much longer.
    """
    out = console()
    out.print(f"{one_line(run.id)}  {run.status}", style=_STYLE.get(run.status), soft_wrap=True)
    lines = {
        "job": f"{run.job}, mode {run.mode}",
        "trigger": f"{run.trigger}{f' by {run.requested_by} (not verified)' if run.requested_by else ''}",
        "requested": text_of(run.requested),
        "scheduled for": _scheduled(run),
        "started": text_of(run.started) if run.started else "",
        "ended": text_of(run.ended) if run.ended else "",
        "attempt": str(run.attempt) if run.attempt > 1 else "",
        "progress": "" if run.status.ended else _progress(run, now),
        **{name.replace("_", " "): f"{number:,}" for name, number in run.counts.items()},
        "compliance": _percent(run),
        "plan": run.plan or "",
        "undoes": run.undoes or "",
        "error": run.error or "",
        "help": runbook_of(run) or "",
    }
    for name, value in lines.items():
        if value:
            out.print(f"  {name:<24} {one_line(value, 1000)}", soft_wrap=True)
    show_verdicts(run)


def _progress(run: Run, now: datetime | None) -> str:
    told = []
    if made := run.progress:
        share = f" ({100 * made.done // made.total} %)" if made.total else ""
        told.append(f"{made.done:,} of {made.total:,} {made.things}{share}")
    if now is None or run.started is None or run.status is not RunStatus.RUNNING:
        return ", ".join(told)
    taken = max(now - run.started, timedelta())
    told.append(f"for {duration_text(taken)}")
    # What an earlier attempt has done took a time that nobody knows here.
    if made and taken and run.attempt == 1 and 0 < made.done < made.total:
        told.append(f"about {duration_text(taken * (made.total - made.done) / made.done)} left")
    return ", ".join(told)


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
        "job": one_line(plan.job),
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


def show_plans(views: Iterable[PlanView]) -> None:
    """Print a line for each plan, and below what is wrong with those that cannot be read."""
    rows: list[tuple[str, ...]] = []
    styles: list[str | None] = []
    problems: list[str] = []
    for view in views:
        number = "" if view.items is None else f"{view.items:,}"
        things = (view.things or "").removesuffix("s" if view.items == 1 else "")
        created, expires = (text_of(each) if each else "" for each in (view.created, view.expires))
        part = f", {view.begun:,} of {number}" if view.begun and view.begun != view.items else ""
        rows.append((view.id, view.job, f"{number} {things}".strip(), created, expires, f"{view.state}{part}"))
        styles.append(_PLAN_STYLE.get(view.state))
        problems.extend([view.problem] if view.problem else [])
    _print_rows(rows, ("Plan", "Job", "Items", "Made", "Expires", "Status"), styles=styles)
    out = console()
    for problem in problems:
        _say(out, f"problem: {problem}", "red")


def show_losses(run: Run, losses: Sequence["Loss"], store: str) -> None:
    """Print what a run deleted: why, what went with it, and where it is kept what it was."""
    out = console()
    if not losses:
        _say(out, f"Run {run.id} has deleted nothing{'' if run.status.ended else ' so far'}.")
        return
    for loss, _ in zip(losses, range(LONGEST_TABLE), strict=False):
        # Deleting was right for the run; whoever asks here fears that it was not.
        style = "yellow" if loss.outcome in (Result.DELETED, Result.DELETING) else "red"
        because = f": {one_line(loss.because, LONGEST_TEXT)}" if loss.because else ""
        out.print(f"{loss.outcome or 'under way'} {one_line(loss.rule)}{because}", style=style, soft_wrap=True)
        out.print(f"  {one_line(loss.resource_id, LONGEST_TEXT)}", soft_wrap=True)
        facts = {
            "outcome": loss.reason,
            "begun by": loss.begun_by if loss.begun_by != run.id else None,
            "tombstone": f"{loss.tombstone}{'' if loss.kept else ' is not in the store'}" if loss.tombstone else "none",
            "problem": loss.problem,
        }
        for name, value in facts.items():
            if value:
                out.print(f"  {name:<10} {one_line(value, LONGEST_TEXT)}", soft_wrap=True)
        for member, _ in zip(loss.members, range(LONGEST_TABLE), strict=False):
            out.print(f"  {'with it':<10} {one_line(member.id, LONGEST_TEXT)}", soft_wrap=True)
        if len(loss.members) > LONGEST_TABLE:
            out.print(f"  … and {len(loss.members) - LONGEST_TABLE:,} more that went with it.", soft_wrap=True)
    if len(losses) > LONGEST_TABLE:
        out.print(f"… and {len(losses) - LONGEST_TABLE:,} more: 'steward deleted {one_line(run.id)} --json' has all.")
    _say(out, f"Tombstones are in {store}; runbooks/recover-after-a-wrong-deletion.md says what they are good for.")


def show_outcomes(outcomes: Iterable[Outcome], total: int) -> None:
    """Print the first outcomes, each with its resource and its reason, and how many more there are."""
    out = console()
    shown = 0
    for outcome, _ in zip(outcomes, range(LONGEST_TABLE), strict=False):
        words = f": {one_line(outcome.words, LONGEST_TEXT)}" if outcome.change else ""
        said = f"{outcome.outcome} {one_line(outcome.rule)}{words}"
        out.print(said, style=_RESULT_STYLE[outcome.outcome], soft_wrap=True)
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


def progress_bar(title: str, *, redrawn: bool = True) -> "ProgressLine":
    """Return what shows progress on stderr: a line that is drawn again if that is a terminal and `redrawn` is True."""
    from shared_code.progress_line import ProgressLine  # here, since only runs need it

    on_screen = sys.stderr.isatty()
    errors = Console(stderr=True, markup=False, highlight=False, force_terminal=on_screen)
    return ProgressLine(title, errors, redrawn=redrawn and on_screen and not errors.is_dumb_terminal)
