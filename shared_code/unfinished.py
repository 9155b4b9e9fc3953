"""Unfinished runs: what a run had begun to change in Azure, told from its marks when it could not tell it itself.

A run may end without having said so: it is cancelled while it waits for its next attempt, its message is given up,
its process dies, its configuration is broken by then. What it changed stays changed, and must be seen and undone.
"""

import msgspec

from shared_code.errors import Damaged, Unknown
from shared_code.outcomes import Mark, Marks, Outcome, Result, as_lines, tally
from shared_code.outputs import OUTCOMES
from shared_code.plan import Action, Plan, Plans
from shared_code.runs import Mode, Run, RunStatus
from shared_code.store import Store
from shared_code.tombstones import tombstone_key

_UNKNOWN = "it was begun, and the run ended before anybody knew its end"


def completed(run: Run, store: Store, folder: str) -> Run:
    """Return the record of a run that ends with what it has changed, if it has and does not say so.

    Args:
        run: as it is to be recorded, ended.
        store: where its marks are, and where the outcomes are written.
        folder: of the run.

    Raises:
        StoreError: the store cannot be read or written.
    """
    if run.mode is not Mode.APPLY or OUTCOMES in run.outputs:
        return run
    plan_id = run.plan or run.id
    try:
        mine = {number: each.mark for number, each in Marks(store, plan_id).all().items() if each.mark.run == run.id}
        if not mine:
            return run
        plan = Plans(store).get(plan_id)
    except (Damaged, Unknown) as error:
        return msgspec.structs.replace(run, error=f"{run.error or ''} What it changed cannot be told: {error}".strip())
    outcomes = [mark.outcome or _unknown(plan, number, mark) for number, mark in sorted(mine.items())]
    with store.writer(f"{folder}/{OUTCOMES}") as sink:
        for line in as_lines(outcomes):
            sink.write(line)
    _note_pending(store, outcomes, run)
    return msgspec.structs.replace(
        run,
        # Refused would mean that nothing was done.
        status=RunStatus.FAILED if run.status is RunStatus.REFUSED else run.status,
        error=f"{run.error or ''} It had begun to change Azure; its outcomes say what.".strip(),
        counts={**run.counts, **tally(outcomes, plan)},
        outputs=(*run.outputs, OUTCOMES),
        plan=plan_id,
    )


def _note_pending(store: Store, outcomes: list[Outcome], run: Run) -> None:
    """Let the next run look what became of deletions whose end nobody saw."""
    unseen = [each for each in outcomes if each.action is Action.DELETE and each.unsure]
    if not unseen:
        return
    # Here, since it loads all that deleting needs, and indexing the app needs none of it.
    from shared_code.pending_deletions import Pending, PendingDeletions

    for each in unseen:
        PendingDeletions(store).add(
            Pending(
                plan=each.plan,
                item=each.item,
                run=run.id,
                resource_id=each.resource_id,
                subscription_id=each.subscription_id,
                rule=each.rule,
                since=each.at,
                tombstone=each.tombstone,
            )
        )


def _unknown(plan: Plan, number: int, mark: Mark) -> Outcome:
    item = plan.items[number]
    return Outcome(
        plan=plan.id,
        item=number,
        resource_id=item.resource_id,
        subscription_id=item.subscription_id,
        rule=item.rule,
        action=item.action,
        outcome=Result.FAILED,
        reason=_UNKNOWN,
        change=item.change,
        before=mark.before,
        # It is written before the item is begun.
        tombstone=tombstone_key(plan.id, number) if item.action is Action.DELETE else None,
        unsure=True,
        at=mark.begun,
    )
