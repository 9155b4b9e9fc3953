"""The steward command: the same jobs, from a terminal."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated, Never

import msgspec
import typer

from shared_code import terminal
from shared_code.catalog import views
from shared_code.eligibility import Decision
from shared_code.errors import Changed, InvalidRequest, Refused, SettingsError, StewardError, Stopped, Unknown
from shared_code.foreign_text import one_line
from shared_code.group_changes import Change, GroupChange
from shared_code.model import Finding, ResourceGroup
from shared_code.outcomes import Outcome, Result
from shared_code.outputs import CHANGES, DECISIONS, FINDINGS, NOT_RESTORED, OUTCOMES, RESOURCE_GROUPS
from shared_code.plan import Plans
from shared_code.plan_views import newest_plans
from shared_code.run_records import folder
from shared_code.run_requests import Wanted
from shared_code.runs import Mode, Order, Run, RunScope, RunStatus, TriggeredBy, job_of
from shared_code.schedule_preview import moment_of, preview
from shared_code.settings import Costs
from shared_code.snoozes import Snoozes, check_names, snooze_id, view_of
from shared_code.stop import TRUSTED_FOR
from shared_code.sweeper import sweep
from shared_code.undo import Left
from shared_code.wiring import steward, user_name, utc_now

app = typer.Typer(
    name="steward",
    help="Look after an Azure estate: list resource groups, audit tags, clean up.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

FAILED, WRONG, PARTIAL, REFUSED = 1, 2, 3, 4
LONGEST_SENTENCE = 1000
DOCTOR_LIMIT = 40.0
"""Seconds that all checks of the doctor may take together."""
DELETIONS = (Result.DELETED, Result.DELETING)

EXIT_CODES = {
    RunStatus.SUCCEEDED: 0,
    RunStatus.PARTIAL: PARTIAL,
    RunStatus.FAILED: FAILED,
    RunStatus.CANCELLED: FAILED,
    RunStatus.REFUSED: REFUSED,
}
"""The exit code of `steward run` for each ending."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
Output = Annotated[Path | None, typer.Option(metavar="DIR", help="Copy the run's reports here.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, from 'steward runs'.")]
ResourceId = Annotated[str, typer.Argument(metavar="RESOURCE_ID", help="Of a resource or a resource group.")]
RuleName = Annotated[str, typer.Option("--rule", metavar="RULE", help="The cleanup rule that is to leave it alone.")]
PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, which is that of the run that made it.")]


@app.callback()
def _options(verbose: Annotated[bool, typer.Option("--verbose", help="Show the log on stderr.")] = False) -> None:
    level = logging.INFO if verbose else logging.CRITICAL
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")


@app.command()
def check(json: Json = False) -> None:
    """Validate steward.toml and app settings.

    Every problem comes with its place; the exit code is 2 if there are any. Warnings alone leave it 0.
    """
    configuration = steward().configuration
    problems, warnings = configuration.problems, configuration.warnings
    if json:
        _print_json({"valid": not problems, "problems": problems, "warnings": warnings})
    else:
        found = f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found."
        valid = f"valid, {len(configuration.jobs)} jobs, {len(configuration.schedules)} schedules."
        terminal.show_check(problems, warnings, found if problems else f"{steward().environment.config}: {valid}")
    raise typer.Exit(WRONG if problems else 0)


@app.command()
def doctor(
    role_for: Annotated[
        str | None, typer.Option("--role-for", metavar="JOB", help="Print the custom role that this job needs.")
    ] = None,
    scope: Annotated[
        str | None, typer.Option(metavar="ID", help="With --role-for: where the role is to be assigned.")
    ] = None,
    json: Json = False,
) -> None:
    """Look whether the installation is whole.

    Python, packages, settings, identity, endpoints, clock, store, queues, log workspace, roles: each check with what
    to do. The exit code is 1 if one has failed, 2 if the configuration is invalid. With --role-for nothing is asked.
    """
    if role_for is not None:
        _print_role(role_for, scope)
        return
    if scope is not None:
        raise InvalidRequest("--scope goes with --role-for; name the job.")
    from shared_code.doctor.checks import counted, has_failed  # here, since nothing else needs it

    own = steward()
    found = own.doctor().checks(DOCTOR_LIMIT)
    if json:
        _print_json({"checks": found})
    else:
        terminal.show_checks(found, counted(found))
    raise typer.Exit(WRONG if own.configuration.problems else FAILED if has_failed(found) else 0)


def _print_role(job: str, scope: str | None) -> None:
    from shared_code.azure_roles import NO_SCOPE, READER, check_scope, role_for  # here, since it loads every rule

    role = role_for(job)
    print(role.text(NO_SCOPE if scope is None else check_scope(scope)), end="")
    if role is not READER:
        told = f"Steward needs '{role.name}' only in subscriptions that are armed for {job}, and the role"
        print(f"{told} '{READER.name}' besides: steward doctor --role-for list-resource-groups", file=sys.stderr)
    if scope is None:
        print(f"'{NO_SCOPE}' is to be replaced by the id of a scope, or name it with --scope.", file=sys.stderr)


@app.command()
def jobs(json: Json = False) -> None:
    """Show the jobs and when they run.

    Schedule, also in words, next and last run of each, what is wrong with it or may surprise, and whether changes are
    stopped.
    """
    own = steward()
    found = views(own.configuration, own.records, utc_now())
    if json:
        _print_json({"jobs": found})
    else:
        terminal.show_jobs(found)
        try:
            own.stop.check()
        except Stopped as error:
            print(one_line(str(error), LONGEST_SENTENCE))


@app.command()
def schedule(
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="The schedule; %NAME% reads the environment.")],
    count: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many of the next runs.")] = 5,
    after: Annotated[
        str | None, typer.Option(metavar="TIME", help="Runs after this time, ISO 8601, UTC; now without it.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="TZ", help="By whose clocks, such as Europe/Berlin; UTC without it.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what a schedule means before it is deployed.

    What Azure makes of it and what Steward does, in words, what may surprise, and the next runs; with a time zone also
    the timer in UTC, what it costs, and what the next change of the clocks does. The exit code is 2 if Steward refuses
    it.
    """
    start = utc_now() if after is None else moment_of(after)
    found = preview(expression, steward().environ, start, count, timezone)
    if json:
        _print_json(found)
    else:
        terminal.show_schedule(found)
    raise typer.Exit(0 if found.steward.accepted else WRONG)


@app.command()
def run(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's name, from 'steward jobs'.")],
    mode: Annotated[Mode, typer.Option(help="plan says what would be done; apply does it.")] = Mode.PLAN,
    subscription: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this subscription of [scope]; may be repeated.")
    ] = None,
    output: Output = None,
    json: Json = False,
) -> None:
    """Run a job here and wait for its end.

    With --mode apply it does what the timer would: it applies what automatic rules plan, in armed subscriptions.
    """
    own = steward()
    _check_folder(output)
    _check_settings(job)
    wanted = Wanted(mode=mode, scope=RunScope(tuple(subscription) if subscription else None))
    _perform_here(
        lambda: own.requests.by_hand(job, wanted, TriggeredBy.CLI, requested_by=user_name()), output, json=json
    )


@app.command()
def apply(
    plan: PlanId,
    digest: Annotated[str, typer.Option(metavar="DIGEST", help="The plan's digest, as 'steward plan' shows it.")],
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="RESOURCE_ID", help="Only what is planned for this one; may be repeated."),
    ] = None,
    output: Output = None,
    json: Json = False,
) -> None:
    """Apply a plan that you have looked at.

    Each thing is read again just before, and left alone if it is no longer as the plan saw it. 'steward undo' plans
    to take changes of tags back; what is deleted stays deleted.
    """
    own = steward()
    _check_folder(output)
    _check_settings(job_of(plan))
    order = Order(plan=plan, digest=digest.strip(), only=tuple(only) if only else None)
    _perform_here(
        lambda: own.change_requests.apply(order, TriggeredBy.CLI, requested_by=user_name()), output, json=json
    )


@app.command()
def undo(run: RunId, output: Output = None, json: Json = False) -> None:
    """Plan to give back what a run changed.

    The plan restores what was there before wherever nobody has changed it since, and is applied like any plan.
    """
    own = steward()
    _check_folder(output)
    _check_settings(job_of(run))
    _perform_here(lambda: own.change_requests.undo(run, TriggeredBy.CLI, requested_by=user_name()), output, json=json)


@app.command()
def stop(
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever wonders.")] = "",
    json: Json = False,
) -> None:
    """Stop all changes in Azure, of runs under way too, until 'steward resume'."""
    own = steward()
    order = own.stop.set(user_name() or "somebody in a terminal", one_line(reason, LONGEST_SENTENCE))
    if json:
        _print_json(order)
    else:
        print(f"{order.sentence} Runs under way see it within {TRUSTED_FOR.seconds} s; 'steward resume' ends it.")
        print(f"It holds for all that use the store {own.store.describe}.")  # another one is easily named by mistake


@app.command()
def resume(json: Json = False) -> None:
    """Allow changes in Azure again."""
    own = steward()
    own.stop.clear()
    if json:
        _print_json({"stopped": own.environment.read_only, "read_only": own.environment.read_only})
    elif own.environment.read_only:
        print("The stop is taken back, and STEWARD_READ_ONLY still forbids every change.")
    else:
        print("Changes are allowed again, as far as steward.toml arms subscriptions.")


@app.command()
def snooze(
    resource_id: ResourceId,
    rule: RuleName,
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day, or a time with its zone.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever wonders.")],
    json: Json = False,
) -> None:
    """Let a cleanup rule leave a resource alone until a time, a year ahead at most."""
    by, now = user_name() or "somebody in a terminal", utc_now()
    found = Snoozes(steward().store).set(rule, resource_id, until=until, by=by, reason=reason, now=now)
    view = view_of(snooze_id(rule, resource_id), found, now)
    if json:
        _print_json(view)
    else:
        terminal.show_snoozes([view])


@app.command()
def unsnooze(resource_id: ResourceId, rule: RuleName, json: Json = False) -> None:
    """End a snooze."""
    name = snooze_id(rule, resource_id)
    try:
        Snoozes(steward().store).remove(name)
    except Unknown:
        check_names(rule, resource_id)  # only now: one of a rule that is no more has to go, too
        raise Unknown(
            f"Rule '{rule}' is not snoozed for '{one_line(resource_id, 200)}'; 'steward snoozes' lists those there are."
        ) from None
    if json:
        _print_json({"id": name, "active": False})
    else:
        print(f"Rule '{rule}' looks at it again.")


@app.command()
def snoozes(json: Json = False) -> None:
    """Show every snooze, and whether it is in force."""
    now = utc_now()
    views = [view_of(name, each, now) for name, each in Snoozes(steward().store).all().items()]
    if json:
        _print_json({"snoozes": views})
    elif views:
        terminal.show_snoozes(views)
    else:
        print("There are no snoozes.")


def _check_folder(output: Path | None) -> None:
    try:
        is_other = output is not None and output.exists() and not output.is_dir()
    except OSError as error:  # such as a name that is too long
        raise InvalidRequest(f"--output cannot be looked for: {error.strerror}; name another folder.") from error
    if is_other:
        raise InvalidRequest(f"--output is '{output}', which is no folder; name a folder.")


def _check_settings(job: str | None) -> None:
    if job is not None and (problems := steward().configuration.problems_of(job, Costs.RUNS)):
        raise SettingsError([str(problem) for problem in problems])


def _perform_here(ask: Callable[[], Run], output: Path | None, *, json: bool) -> Never:
    """Record a run, perform it in this process, show how it ended, and end with its exit code."""
    own = steward()
    sweep(own.records, own.locks, utc_now)  # ends what an earlier terminal left behind
    asked = ask()
    try:
        verbose = logging.getLogger().isEnabledFor(logging.INFO)
        # The log would tear a line apart that is drawn again; with --json nothing but one document is wanted.
        shown = nullcontext(None) if json else terminal.progress_bar(asked.task, redrawn=not verbose)
        with shown as watch:
            unfinished = asked.id in own.worker(time_limit=None).perform(asked.id, watch=watch)
    except KeyboardInterrupt:
        _end(asked.id, RunStatus.CANCELLED, "Cancelled from the keyboard.")
        raise StewardError("stopped from the keyboard") from None
    if unfinished:  # the worker stopped itself; in the app its message would come again
        _end(asked.id, RunStatus.FAILED, "The store did not answer for too long; start it again.")
    ended = _ended(asked.id)
    files = _copy(ended, output) if output else []
    if json:
        _print_json(
            msgspec.to_builtins(ended) | {"files": [os.fsencode(path).decode(errors="replace") for path in files]}
        )
    else:
        _show_result(ended)
        for path in files:
            print(f"written: {one_line(str(path), terminal.LONGEST_TEXT)}")
    raise typer.Exit(EXIT_CODES[ended.status])


@app.command()
def runs(
    job: Annotated[str | None, typer.Option(metavar="JOB", help="Only runs of this job.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="At most this many.")] = 20,
    json: Json = False,
) -> None:
    """Show runs, newest first."""
    own = steward()
    if job is not None:
        own.requests.known(job)
    found = [run.brief for run in islice(own.records.newest_readable(job), limit)]
    if json:
        _print_json({"runs": found})
    elif found:
        terminal.show_runs(found)
    else:
        print(f"There are no runs{f' of {job}' if job else ''} yet.")


@app.command()
def show(run: RunId, json: Json = False) -> None:
    """Show how a run went.

    Counts, and every subscription that was not read with its reason.
    """
    record = steward().records.get(run).run
    if json:
        _print_json(record)
        return
    terminal.show_run(record, utc_now())
    if any(name.removeprefix("followed_") in DELETIONS and number for name, number in record.counts.items()):
        print(f"What it deleted, and where it is kept what each was: steward deleted {record.id}")


@app.command()
def deleted(run: RunId, json: Json = False) -> None:
    """Show what a run deleted, and where it is kept what each was.

    Each with what went with it and the key of its tombstone in the store; also what may be there still, wholly or in
    part, and how deletions ended that an earlier run began.
    """
    from shared_code.losses import losses  # here, since it loads all that deleting needs

    own = steward()
    record = own.records.get(run).run
    found = losses(record, own.store)
    if json:
        _print_json({"run": record.id, "status": record.status, "store": own.store.describe, "deleted": found})
    else:
        terminal.show_losses(record, found, own.store.describe)


@app.command()
def plans(
    job: Annotated[str | None, typer.Option(metavar="JOB", help="Only plans of this job.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="At most this many.")] = 20,
    json: Json = False,
) -> None:
    """Show plans, newest first.

    How many things each is about, when it was made and expires, and whether it was applied; one that cannot be read
    is named.
    """
    own = steward()
    if job is not None:
        own.requests.known(job)
    found = newest_plans(own.store, utc_now(), limit, job)
    if json:
        _print_json({"plans": found})
    elif found:
        terminal.show_plans(found)
    else:
        print(f"There are no plans{f' of {job}' if job else ''} yet.")


@app.command()
def plan(plan: PlanId, json: Json = False) -> None:
    """Show a plan: each item with its reason, the digest that whoever applies it must give, and what forbids it now."""
    own = steward()
    found = Plans(own.store).get(plan)
    if json:
        _print_json(found)
    else:
        terminal.show_plan(found, own.change_requests.refusal(found))


@app.command()
def cancel(run: RunId, json: Json = False) -> None:
    """Cancel a run.

    At once while it is queued, else at its next checkpoint.
    """
    record = steward().requests.cancel(run)
    if json:
        _print_json(record)
    elif record.status.ended:
        print(f"{run} is cancelled; it had not begun.")
    else:
        print(f"{run} stops at its next checkpoint; 'steward show {run}' tells when it has.")


def _ended(run_id: str) -> Run:
    """Return the run as it ended; one that another run of the job keeps from starting is refused, not left waiting.

    Raises:
        Refused: another process took the run over and is at it.
    """
    own = steward()
    while True:
        recorded = own.records.get(run_id)
        if recorded.run.status.ended:
            return recorded.run
        if recorded.run.status is RunStatus.RUNNING:
            raise Refused(
                f"Run '{run_id}' goes on in another process; 'steward show {run_id}' tells when it has ended."
            )
        holder = own.locks.read(recorded.run.job).run
        reason = (
            f"Run {holder} of this job is under way; wait for it, or cancel it with 'steward cancel {holder}'."
            if holder
            else "Another run of this job was under way; start this one again."
        )
        try:
            refused = own.requests.end(recorded.run, recorded.etag, RunStatus.REFUSED, reason)
        except Changed:
            continue
        own.locks.leave(refused.job, refused.id)
        return refused


def _end(run_id: str, status: RunStatus, reason: str) -> None:
    """End a run whose worker could not: it was interrupted just before it began, or lost its lock to nobody."""
    own = steward()
    recorded = own.records.get(run_id)
    if not recorded.run.status.ended:
        own.requests.end(recorded.run, recorded.etag, status, reason)


def _show_result(ended: Run) -> None:
    if RESOURCE_GROUPS in ended.outputs:
        terminal.show_groups(_lines(ended, RESOURCE_GROUPS, ResourceGroup), ended.counts.get("resource_groups", 0))
    if CHANGES in ended.outputs:
        total = sum(ended.counts.get(f"{kind}_groups", 0) for kind in Change)
        terminal.show_changes(_lines(ended, CHANGES, GroupChange), total)
    terminal.show_run(ended)
    if OUTCOMES in ended.outputs:
        total = sum(ended.counts.get(result, 0) for result in Result)
        terminal.show_outcomes(_lines(ended, OUTCOMES, Outcome), total)
    if NOT_RESTORED in ended.outputs:
        terminal.show_left(_lines(ended, NOT_RESTORED, Left), ended.counts.get("not_restored", 0))
    if ended.undoes and ended.plan:
        made = Plans(steward().store).get(ended.plan)
        terminal.show_plan(made, steward().change_requests.refusal(made))
    if DECISIONS in ended.outputs:
        terminal.show_decisions(_lines(ended, DECISIONS, Decision), ended.counts.get("looked_at", 0))
    elif FINDINGS in ended.outputs:
        terminal.show_findings(_lines(ended, FINDINGS, Finding), ended.counts.get("findings", 0))
    if ended.plan and not (ended.order or ended.undoes):
        number = ended.counts.get("planned_changes", 0)
        what = "deletion" if DECISIONS in ended.outputs else "change"
        told = f"1 {what} is planned; look at it" if number == 1 else f"{number:,} {what}s are planned; look at them"
        print(f"{told}: steward plan {ended.plan}")
    if ended.outputs:
        print(f"reports: {steward().store.describe}/{folder(ended.id)}/")


def _lines[Line](ended: Run, name: str, kind: type[Line]) -> Iterator[Line]:
    decode = msgspec.json.Decoder(kind).decode
    return map(decode, steward().store.lines(f"{folder(ended.id)}/{name}"))


def _copy(ended: Run, output: Path) -> list[Path]:
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name in ended.outputs:
            with (output / name).open("wb") as file:
                for chunk in steward().store.chunks(f"{folder(ended.id)}/{name}"):
                    file.write(chunk)
    except OSError as error:
        raise StewardError(f"--output '{output}' cannot be written: {error.strerror}; name another folder.") from error
    return [output / name for name in ended.outputs]


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")


def main() -> Never:
    """Run the command; an error of ours becomes one sentence on stderr and its exit code, never a traceback."""
    try:
        code = _perform()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our pipe has left, and Python would complain when it flushes at exit:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    sys.exit(code)


def _perform() -> int | str | None:
    try:
        code: int = app(prog_name="steward", standalone_mode=False) or 0
    except SystemExit as ending:
        return ending.code
    except typer.TyperException as error:  # the parser's own way to tell it shows what was typed as it is
        if context := getattr(error, "ctx", None):
            print(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n", file=sys.stderr)
        return _complain(one_line(error.format_message(), LONGEST_SENTENCE), error.exit_code)
    except SettingsError as error:
        return _complain("\n".join(one_line(problem, LONGEST_SENTENCE) for problem in error.problems), WRONG)
    except (InvalidRequest, Unknown) as error:
        return _complain(one_line(str(error), LONGEST_SENTENCE), WRONG)
    except Refused as error:
        return _complain(one_line(str(error), LONGEST_SENTENCE), REFUSED)
    except StewardError as error:
        return _complain(one_line(str(error), LONGEST_SENTENCE), FAILED)
    except BrokenPipeError:
        raise
    except Exception as error:
        logging.getLogger(__name__).exception("unexpected error")
        what = f"unexpected {type(error).__name__}: {one_line(str(error))}"
        return _complain(f"{what}; 'steward --verbose …' shows where, and that is worth reporting", FAILED)
    return code


def _complain(sentence: str, code: int) -> int:
    print(f"steward: {sentence}", file=sys.stderr)
    if "--json" in sys.argv:
        _print_json({"error": sentence, "exit_code": code})
    return code
