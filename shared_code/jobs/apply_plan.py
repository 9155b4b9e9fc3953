"""apply-plan: carries out what was approved of a plan, and tells what became of every item."""

from functools import partial

import msgspec

from shared_code.acting import Act, Done, Hand
from shared_code.apply import Applied, Means, apply
from shared_code.errors import AzureError, Damaged, EmptyScope, Refused
from shared_code.jobs.removing import delete, removal_of
from shared_code.outcomes import Result
from shared_code.outputs import OUTCOMES, OUTCOMES_CSV, REPORT
from shared_code.pending_deletions import PendingDeletions
from shared_code.permission import allow_automatic, check_window, terms_of
from shared_code.plan import Action, Plan, PlanItem
from shared_code.reports.outcomes import outcomes_csv, outcomes_page
from shared_code.retagging import retag
from shared_code.runs import Order, RunStatus
from shared_code.settings import Cleanup
from shared_code.tag_rules import RuleMode
from shared_code.work import Summary, Work


def apply_plan(work: Work) -> Summary:
    """Apply the plan that the run's order names, and write the outputs.

    Raises:
        Refused: nothing was written: expired, another digest, not armed, over a limit, applied before, stopped.
        Unknown, Damaged: there is no such plan, or it is not what was written.
        StoreError: the store cannot be read or written.
        Interrupted, Fenced: from the checkpoint.
    """
    if work.run.order is None:
        raise Damaged(f"The record of run '{work.run.id}' does not say what to apply.")
    applied = carry_out(work, work.run.order)
    status, error = applied.verdict
    work.keep(OUTCOMES_CSV, outcomes_csv(applied.outcomes))
    work.keep(REPORT, outcomes_page(work.run, status, error, applied, work.clock()))
    return Summary(
        status=status,
        error=error,
        counts=applied.counts,
        plan=work.run.plan,
        outputs=(OUTCOMES, OUTCOMES_CSV, REPORT),
    )


def apply_automatic(work: Work, plan: Plan, read: Summary) -> Summary:
    """Apply what a run may apply of the plan it has just made; return what it says at its end.

    Args:
        work: of a run in mode apply.
        plan: its own.
        read: what it would say if nothing were applied; its status is not `failed`.

    Raises:
        Damaged, StoreError, Interrupted, Fenced: as `apply`.
    """
    order = Order(plan=plan.id, digest=plan.digest, automatic=True)
    try:
        allow_automatic(work.configuration, work.run.job)
        applied = carry_out(work, order)
    except Refused as error:
        # What was read and planned stands, and a person may still approve it.
        return msgspec.structs.replace(read, status=RunStatus.REFUSED, error=str(error))
    except (AzureError, EmptyScope) as error:
        # The subscriptions are listed once more before anything is deleted.
        said = f"Its plan could not be applied: {error}"
        return msgspec.structs.replace(read, status=RunStatus.FAILED, error=said)
    status, sentence = applied.verdict
    work.keep(OUTCOMES_CSV, outcomes_csv(applied.outcomes))
    left = sum(item.mode is RuleMode.AUTOMATIC for item in plan.items) - applied.chosen
    return msgspec.structs.replace(
        read,
        status=read.status if status is RunStatus.SUCCEEDED else status,
        error=read.error if status is RunStatus.SUCCEEDED else sentence,
        counts={**read.counts, **applied.counts, "automatic_not_armed": left},
        outputs=(*read.outputs, OUTCOMES, OUTCOMES_CSV),
    )


def carry_out(work: Work, order: Order) -> Applied:
    """Apply a plan within a run, as its job's configuration allows; raises what `apply` raises."""
    means = Means(
        run=work.run.id,
        store=work.store,
        clock=work.clock,
        sleep=work.sleep,
        check_stop=partial(_check_stop, work),
        may_write=work.may_write,
        checkpoint=work.checkpoint,
        progress=work.progress,
    )
    return apply(order, terms_of(work.configuration, work.run.job), means, _act(work))


def _check_stop(work: Work) -> None:
    work.stop.check()
    check_window(work.configuration, work.run.job, work.clock())


def _removing(work: Work, settings: Cleanup) -> Act:
    removal, pending = removal_of(work, settings), PendingDeletions(work.store)
    return lambda item, hand: delete(item, hand, removal, pending)


def _act(work: Work) -> Act:
    """Return what is done to an item, by its action."""
    retagging = partial(retag, writer=work.writer)
    settings = work.configuration.jobs[work.run.job]
    removing = _removing(work, settings) if isinstance(settings, Cleanup) else None

    def act(item: PlanItem, hand: Hand) -> Done:
        if item.action is Action.CHANGE_TAGS:
            return retagging(item, hand)
        if removing is None:
            return Done(Result.SKIPPED, f"job '{work.run.job}' deletes nothing", None, None, 0)
        return removing(item, hand)

    return act
