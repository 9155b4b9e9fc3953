"""The sweeper: finds runs that nobody is working on any more, and gives them a message again, or an end."""

import logging
from datetime import timedelta

import msgspec

from shared_code.errors import Changed, Damaged, Unknown
from shared_code.foreign_text import one_line
from shared_code.locks import Locks
from shared_code.ports import Clock
from shared_code.run_records import Recorded, RunRecords
from shared_code.runs import LEFT_BEHIND, Run, RunStatus, TriggeredBy, stamp_of

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(days=1)
"""A mark this old without a record belongs to a request that never came to be."""
QUEUED_TOO_LONG = timedelta(minutes=10)
"""A run that has waited this long, and for no other run, has lost its message."""


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
            if _needs_message(records.get(run_id), records, locks, clock):
                lost.append(run_id)
        except Unknown:
            # Marked, and about to be recorded, unless its process died in between.
            if run_id < stamp_of(clock() - FORGOTTEN_AFTER):
                records.forget_open(run_id)
        except Damaged as error:
            log.error("run=%s cannot be swept: %s", run_id, one_line(str(error)))  # the others can
    return lost


def _needs_message(recorded: Recorded, records: RunRecords, locks: Locks, clock: Clock) -> bool:
    run = recorded.run
    if run.status.ended:
        records.forget_open(run.id)
        return False
    if not _is_lost(run, locks, clock):
        return False
    if run.trigger is TriggeredBy.CLI:
        _end(recorded, records, clock)
        return False
    return True


def _end(recorded: Recorded, records: RunRecords, clock: Clock) -> None:
    ended = msgspec.structs.replace(recorded.run, status=RunStatus.FAILED, error=LEFT_BEHIND, ended=clock())
    try:
        records.change(ended, recorded.etag)
    except Changed:
        return  # Somebody is at it after all.


def _is_lost(run: Run, locks: Locks, clock: Clock) -> bool:
    lock = locks.read(run.job)
    busy = lock.run is not None and not locks.is_abandoned(lock)
    if run.status is RunStatus.RUNNING:
        return not (busy and lock.run == run.id)
    in_good_hands = busy and run.id in lock.waiting
    return not in_good_hands and clock() - run.requested > QUEUED_TOO_LONG
