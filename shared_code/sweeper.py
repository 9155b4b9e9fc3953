"""The sweeper: finds runs that nobody is working on any more, and gives them a message again, or an end."""

from datetime import timedelta

import msgspec

from shared_code.errors import Changed, Unknown
from shared_code.locks import Locks
from shared_code.ports import Clock
from shared_code.run_records import Recorded, RunRecords
from shared_code.runs import Run, RunStatus, TriggeredBy

QUEUED_TOO_LONG = timedelta(minutes=10)
"""A run that has waited this long, though its job is free, has lost its message."""


def sweep(records: RunRecords, locks: Locks, clock: Clock) -> list[str]:
    """Return the runs that need a message, oldest first, and tidy up after the others.

    A run of a terminal whose process is gone has failed: nobody waits for it there, and the app would go on with it as
    somebody else, under its own identity.

    Raises:
        StoreError: the store cannot be read or written.
    """
    lost: list[str] = []
    for run_id in records.open():
        try:
            recorded = records.get(run_id)
        except Unknown:
            continue  # Marked, and about to be recorded; a mark without a record does no harm.
        run = recorded.run
        if run.status.ended:
            records.forget_open(run_id)
        elif not _is_lost(run, locks, clock):
            continue
        elif run.trigger is TriggeredBy.CLI:
            _end(recorded, records, clock)
        else:
            lost.append(run_id)
    return lost


def _end(recorded: Recorded, records: RunRecords, clock: Clock) -> None:
    error = "The process that ran it ended before it did; start it again."
    ended = msgspec.structs.replace(recorded.run, status=RunStatus.FAILED, error=error, ended=clock())
    try:
        records.change(ended, recorded.etag)
    except Changed:
        return  # Somebody is at it after all.


def _is_lost(run: Run, locks: Locks, clock: Clock) -> bool:
    lock = locks.read(run.job)
    busy = lock.run is not None and not locks.is_abandoned(lock)
    if run.status is RunStatus.RUNNING:
        return not (busy and lock.run == run.id)
    return not busy and clock() - run.requested > QUEUED_TOO_LONG
