"""Retention: what the store no longer has to keep."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from shared_code.errors import Damaged
from shared_code.run_records import RunRecords
from shared_code.run_requests import KEY_KEPT, read_promise
from shared_code.runs import job_of, stamp_of
from shared_code.store import Store

log = logging.getLogger(__name__)


def remove_old(store: Store, records: RunRecords, days: int, now: datetime, checkpoint: Callable[[], None]) -> int:
    """Remove the runs of before `days` days that have ended, and Idempotency-Keys that have lapsed.

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
    oldest = stamp_of(now - timedelta(days=days))
    open_runs = set(records.open())
    removed = 0
    for name in store.folders("runs"):
        if job_of(name) is None or name in open_runs:
            continue
        if name >= oldest:
            break
        checkpoint()
        # The record goes last: as long as anything is left of a run, it says what that was.
        keys = sorted(store.keys(f"runs/{name}"), key=lambda key: key.endswith("/run.json"))
        for key in keys:
            store.delete(key)
        removed += 1
    for key in list(store.keys("requests")):
        checkpoint()
        stored = store.read(key)
        try:
            if stored is not None and now - read_promise(stored.data, key).at > KEY_KEPT:
                store.delete(key)
        except Damaged as error:
            log.warning("%s", error)  # kept: whoever uses the key again must not get a second run for it
    return removed
