"""Sightings: since when a job has had its schedule. Nothing runs, and nothing is missed, for a time before that.

Of a schedule in local time they have the last occurrence too: its time of day tells it again where the rules of a zone
have changed in between, and it is known for longer than its run is kept.
"""

from datetime import datetime

import msgspec

from shared_code.errors import UNREADABLE, AlreadyExists, Changed, Damaged
from shared_code.schedules import Schedule
from shared_code.store import Store


class Sighting(msgspec.Struct, frozen=True):
    """`schedules/{job}.json`: a schedule, its settings filled in, and when Steward first saw it.

    `last` is the last occurrence that was asked for, as the clocks showed it, with their offset; of UTC alone, None.
    """

    schedule: str
    first_seen: datetime
    last: datetime | None = None


def first_seen(store: Store, job: str, schedule: Schedule, now: datetime, *, remember: bool = True) -> datetime:
    """Return when this schedule of the job was first seen: now, if it is new or has changed.

    The arguments are those of `sighting`.

    Raises:
        StoreError: the store cannot be read or written.
    """
    return sighting(store, job, schedule, now, remember=remember).first_seen


def sighting(store: Store, job: str, schedule: Schedule, now: datetime, *, remember: bool = True) -> Sighting:
    """Return what is remembered of this schedule of the job: that it is seen now, if it is new or has changed.

    Args:
        store: where sightings are kept.
        job: its name.
        schedule: the job's, as the caller has it.
        now: the present moment.
        remember: whether a new sighting is written.

    Raises:
        StoreError: the store cannot be read or written.
    """
    key, new = _key(job), Sighting(schedule.sighted_as, now)
    while True:
        stored = store.read(key)
        try:
            if stored is None and not remember:
                return new
            if stored is None:
                store.create(key, _written(new))
                return new
            known = _read(stored.data, job)
            if known.schedule == new.schedule:
                return known
            if not remember:
                return new
            store.replace(key, _written(new), stored.etag)
        except (AlreadyExists, Changed):
            continue
        return new


def remember_last(store: Store, job: str, schedule: Schedule, occurrence: datetime) -> None:
    """Remember that an occurrence of a schedule in local time was asked for, unless a later one was.

    Args:
        store: where sightings are kept.
        job: its name.
        schedule: the job's; there is a sighting of it.
        occurrence: as the clocks show it.

    Raises:
        StoreError: the store cannot be read or written.
    """
    key = _key(job)
    while (stored := store.read(key)) is not None:
        known = _read(stored.data, job)
        if known.schedule != schedule.sighted_as or (known.last is not None and known.last >= occurrence):
            return
        try:
            store.replace(key, _written(msgspec.structs.replace(known, last=occurrence)), stored.etag)
        except Changed:
            continue
        return


def _key(job: str) -> str:
    return f"schedules/{job}.json"


def _written(known: Sighting) -> bytes:
    return msgspec.json.encode(known)


def _read(data: bytes, job: str) -> Sighting:
    try:
        return msgspec.json.decode(data, type=Sighting)
    except UNREADABLE as error:
        advice = f"delete schedules/{job}.json, and the schedule counts as first seen then"
        raise Damaged(f"The sighting of job '{job}' cannot be read: {error}; {advice}.") from error
