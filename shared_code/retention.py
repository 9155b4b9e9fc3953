"""Retention: what the store no longer has to keep."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from shared_code.errors import Damaged, Unknown
from shared_code.foreign_text import one_line
from shared_code.history import History
from shared_code.outcomes import APPLIED, Marks
from shared_code.plan import LIFETIME
from shared_code.run_records import RunRecords
from shared_code.run_requests import KEY_KEPT, read_promise
from shared_code.runs import job_of, stamp_of
from shared_code.settings import JOBS
from shared_code.snoozes import Snoozes
from shared_code.store import Store
from shared_code.tombstones import FOLDER, KEPT_DAYS

log = logging.getLogger(__name__)

SNOOZES_KEPT = timedelta(days=30)
"""How long it can be seen that something was snoozed, after that has ended."""


def _ended_since(records: RunRecords, name: str, oldest: datetime) -> bool:
    """Tell whether a run of an old occurrence ended lately, as one that was past due; a damaged one goes by its id."""
    try:
        ended = records.get(name).run.ended
    except (Unknown, Damaged):
        return False
    return ended is None or ended >= oldest


def _remove_plans(store: Store, oldest: datetime, now: datetime, checkpoint: Callable[[], None]) -> None:
    """Remove old plans, and what was noted while they were applied; the plan goes last, as it says what that was.

    One that may still be applied stays, and one that was applied of late, as that may have to be undone.
    """
    oldest = min(oldest, now - LIFETIME)
    for key in list(store.keys("plans")):
        plan = key.removeprefix("plans/").removesuffix(".json")
        if job_of(plan) and plan < stamp_of(oldest) and not _begun_since(store, plan, oldest):
            checkpoint()
            for mark in list(store.keys(f"{APPLIED}/{plan}")):
                store.delete(mark)
            store.delete(key)


def _begun_since(store: Store, plan: str, oldest: datetime) -> bool:
    try:
        return any(each.mark.begun >= oldest for each in Marks(store, plan).all().values())
    except Damaged as error:
        log.warning("job=watchdog kept: %s", one_line(str(error)))
        return True  # Nobody knows, so it stays until somebody has looked.


def _remove_tombstones(store: Store, now: datetime, checkpoint: Callable[[], None]) -> None:
    """Remove what was saved of things deleted long ago."""
    oldest = stamp_of(now - timedelta(days=KEPT_DAYS))
    for key in list(store.keys(FOLDER)):
        plan = key.removeprefix(f"{FOLDER}/").partition("/")[0]
        if job_of(plan) and plan < oldest:
            checkpoint()
            store.delete(key)


def remove_old(store: Store, records: RunRecords, days: int, now: datetime, checkpoint: Callable[[], None]) -> int:
    """Remove the runs of before `days` days that have ended, plans and history of then, and what has lapsed.

    Args:
        store: where they are.
        records: tells which runs have not ended; these are kept however old they are.
        days: 1 or more.
        now: the present moment.
        checkpoint: asked before each removal; it raises where the work has to stop.

    Returns:
        How many runs were removed.

    Raises:
        StoreError: the store cannot be read or written.
    """
    oldest = now - timedelta(days=days)
    names = [name for name in store.folders("runs") if job_of(name) and name < stamp_of(oldest)]
    open_runs = set(records.open())  # after the listing: what is open by now is not removed
    removed = 0
    for name in names:
        checkpoint()
        if name in open_runs or _ended_since(records, name, oldest):
            continue
        # The record goes last: as long as anything is left of a run, it says what that was.
        keys = sorted(store.keys(f"runs/{name}"), key=lambda key: key.endswith("/run.json"))
        for key in keys:
            store.delete(key)
        removed += 1
    _remove_plans(store, oldest, now, checkpoint)
    _remove_tombstones(store, now, checkpoint)
    for job in JOBS:
        checkpoint()
        try:
            History(store, job).prune(oldest)
        except Damaged as error:
            log.warning("job=watchdog kept: %s", one_line(str(error)))  # kept: the job's own runs say so too
    checkpoint()
    Snoozes(store).remove_expired(now - SNOOZES_KEPT)
    for key in list(store.keys("requests")):
        checkpoint()
        stored = store.read(key)
        try:
            if stored is not None and now - read_promise(stored.data, key).at > KEY_KEPT:
                store.delete(key)
        except Damaged as error:
            # It stays: whoever uses the key again must not get a second run for it.
            log.warning("job=watchdog kept: %s", one_line(str(error)))
    return removed
