"""Sightings: since when a job has had its schedule. Nothing runs, and nothing is missed, for a time before that."""

from datetime import datetime

import msgspec

from shared_code.errors import UNREADABLE, AlreadyExists, Changed, Damaged
from shared_code.schedules import Schedule
from shared_code.store import Store


class Sighting(msgspec.Struct, frozen=True):
    """`schedules/{job}.json`: a schedule, its settings filled in, and when Steward first saw it."""

    schedule: str
    first_seen: datetime


def first_seen(store: Store, job: str, schedule: Schedule, now: datetime, *, remember: bool = True) -> datetime:
    """Return when this schedule of the job was first seen: now, if it is new or has changed.

    Args:
        store: where sightings are kept.
        job: its name.
        schedule: the job's, as the caller has it.
        now: the present moment.
        remember: whether a new sighting is written.

    Raises:
        StoreError: the store cannot be read or written.
    """
    key, content = f"schedules/{job}.json", msgspec.json.encode(Sighting(schedule.resolved, now))
    while True:
        stored = store.read(key)
        try:
            if stored is None and not remember:
                return now
            if stored is None:
                store.create(key, content)
                return now
            known = _read(stored.data, job)
            if known.schedule == schedule.resolved:
                return known.first_seen
            if not remember:
                return now
            store.replace(key, content, stored.etag)
        except (AlreadyExists, Changed):
            continue
        return now


def _read(data: bytes, job: str) -> Sighting:
    try:
        return msgspec.json.decode(data, type=Sighting)
    except UNREADABLE as error:
        advice = f"delete schedules/{job}.json, and the schedule counts as first seen then"
        raise Damaged(f"The sighting of job '{job}' cannot be read: {error}; {advice}.") from error
