"""The watchdog: gives a message to runs that lost theirs."""

from shared_code.runs import RunStatus
from shared_code.sweeper import sweep
from shared_code.work import Summary, Work


def watchdog(work: Work) -> Summary:
    """Sweep; raises StoreError where the store cannot be read."""
    lost = [run for run in sweep(work.records, work.locks, work.clock) if run != work.run.id]
    return Summary(status=RunStatus.SUCCEEDED, counts={"runs_requeued": len(lost)}, requeue=tuple(lost))
