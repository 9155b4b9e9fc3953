"""The sweeper: finds runs that nobody is working on any more, and gives them a message again."""

from datetime import timedelta

from shared_code.errors import Unknown
from shared_code.locks import Locks
from shared_code.ports import Clock
from shared_code.run_records import RunRecords
from shared_code.runs import Run, RunStatus

QUEUED_TOO_LONG = timedelta(minutes=10)
"""A run that has waited this long, though its job is free, has lost its message."""


def sweep(records: RunRecords, locks: Locks, clock: Clock) -> list[str]:
    """Return the runs that need a message, oldest first, and tidy up marks of runs that have ended.

    Raises:
        StoreError: the store cannot be read.
    """
    lost: list[str] = []
    for run_id in records.open():
        try:
            run = records.get(run_id).run
        except Unknown:
            continue  # Marked, and about to be recorded; a mark without a record does no harm.
        if run.status.ended:
            records.forget_open(run_id)
        elif _is_lost(run, locks, clock):
            lost.append(run_id)
    return lost


def _is_lost(run: Run, locks: Locks, clock: Clock) -> bool:
    lock = locks.read(run.job)
    busy = lock.run is not None and not locks.is_abandoned(lock)
    if run.status is RunStatus.RUNNING:
        return not (busy and lock.run == run.id)
    return not busy and clock() - run.requested > QUEUED_TOO_LONG
