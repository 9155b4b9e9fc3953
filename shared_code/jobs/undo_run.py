"""undo-run: plans to give back what another run changed, as far as that still makes sense; writes nothing to Azure."""

import msgspec

from shared_code.errors import Damaged, Unknown
from shared_code.outcomes import Marks
from shared_code.outputs import NOT_RESTORED
from shared_code.plan import Plan, Plans, make_plan
from shared_code.runs import Progress, RunStatus
from shared_code.undo import Undo, undo
from shared_code.work import Summary, Work


def undo_run(work: Work) -> Summary:
    """Read what there is now, and write the plan that restores what was there before, and what it leaves.

    Raises:
        Unknown, Damaged: the run to undo, or the plan it applied, is no longer there or cannot be trusted.
        StoreError: the store cannot be read or written.
        Interrupted, Fenced: from the checkpoint.
    """
    if work.run.undoes is None:
        raise Damaged(f"The record of run '{work.run.id}' does not say what to undo.")
    undone = work.records.get(work.run.undoes).run
    applied = Plans(work.store).get(undone.plan or undone.id)
    every = Marks(work.store, applied.id).all()
    marks = [(number, each.mark) for number, each in every.items() if each.mark.run == undone.id]
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        work.progress(Progress(done, len(marks), "changes"))
        work.checkpoint()

    found = undo(applied, marks, work.writer, step)
    plan = _planned(work, found, applied)
    work.write(NOT_RESTORED, (msgspec.json.encode(each) + b"\n" for each in found.left))
    unread = sum(each.unread for each in found.left)
    unreadable = RunStatus.FAILED if unread == len(marks) else RunStatus.PARTIAL
    return Summary(
        status=unreadable if unread else RunStatus.SUCCEEDED,
        error=f"{unread:,} of {len(marks):,} could not be read, and are left as they are." if unread else None,
        counts={"planned_changes": len(plan.items) if plan else 0, "not_restored": len(found.left)},
        plan=plan.id if plan else None,
        outputs=(NOT_RESTORED,),
    )


def _planned(work: Work, found: Undo, applied: Plan) -> Plan | None:
    """Return the plan that an earlier attempt has made, else make one if there is anything to restore."""
    plans = Plans(work.store)
    try:
        return plans.get(work.run.id)
    except Unknown:
        return plans.save(make_plan(work.run, found.items, applied.read, work.clock())) if found.items else None
