"""Run records in the store: written first, changed only from the version that was read."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from shared_code.errors import UNREADABLE, AlreadyExists, Changed, Damaged, Unknown
from shared_code.foreign_text import one_line
from shared_code.runs import VERSION, Run, job_of, stamp_of
from shared_code.store import Store
from shared_code.unfinished import completed

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Run).decode


class Recorded(NamedTuple):
    """A run as it was read, with the etag of that version."""

    run: Run
    etag: str


def folder(run_id: str) -> str:
    """Return the folder of everything a run leaves; the id must be one of ours, as it becomes part of a path."""
    if job_of(run_id) is None:
        raise Unknown(f"There is no run '{one_line(run_id, 80)}'; list the runs with 'steward runs' or GET /api/runs.")
    return f"runs/{run_id}"


class RunRecords:
    """Creates, reads and changes run records.

    A run that has not ended also has an object `open/{run}`, so that the sweeper finds it without reading every record.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, run: Run) -> bool:
        """Record a new run; False if a run of that id is recorded already (then nothing is changed).

        Raises:
            StoreError: the store cannot be written.
        """
        key = f"{folder(run.id)}/run.json"
        self._store.write(f"open/{run.id}", b"")
        try:
            self._store.create(key, _encode(run))
        except AlreadyExists:
            present = self.get(run.id).run
            if present.status.ended:
                self._store.delete(f"open/{run.id}")
            return present == run  # ours, if the answer to our first try was lost on the way
        return True

    def get(self, run_id: str) -> Recorded:
        """Read a run; raises Unknown if there is none of that id, StoreError if the store cannot be read."""
        stored = self._store.read(f"{folder(run_id)}/run.json")
        if stored is None:
            raise Unknown(f"There is no run '{run_id}'; list the runs with 'steward runs' or GET /api/runs.")
        try:
            run = _decode(stored.data)
        except UNREADABLE as error:
            raise Damaged(f"The record of run '{run_id}' cannot be read: {error}.") from error
        if run.version > VERSION:
            raise Damaged(
                f"The record of run '{run_id}' is of version {run.version}, and this Steward knows {VERSION}: it was "
                "written by a later one; deploy that again."
            )
        return Recorded(run, stored.etag)

    def change(self, run: Run, etag: str) -> Recorded:
        """Write a new version over the one that was read; raises Changed if another is there by now.

        The record of a run that ends says what it has changed in Azure, whoever ends it.
        """
        if run.status.ended:
            run = completed(run, self._store, folder(run.id))
        key, content = f"{folder(run.id)}/run.json", _encode(run)
        try:
            etag = self._store.replace(key, content, etag)
        except Changed:
            present = self._store.read(key)
            if present is None or present.data != content:
                raise
            etag = present.etag  # our own version: the answer to our first try was lost on the way
        if run.status.ended:
            self._store.delete(f"open/{run.id}")
        return Recorded(run, etag)

    def newest(self, job: str | None = None, before: str | None = None) -> Iterator[str]:
        """Give the ids of runs, newest first.

        Args:
            job: only this job's.
            before: only runs older than the one of this id.
        """
        for name in reversed(self._store.folders("runs")):
            if (named := job_of(name)) and job in (None, named) and (before is None or name < before):
                yield name

    def newest_readable(self, job: str | None = None, before: str | None = None) -> Iterator[Run]:
        """Give the runs of `newest`; a record that cannot be understood is logged and left out."""
        return self.readable(self.newest(job, before))

    def readable(self, run_ids: Iterable[str]) -> Iterator[Run]:
        """Give the runs of these ids, in their order; what was removed meanwhile, or cannot be read, is left out."""
        for run_id in run_ids:
            try:
                yield self.get(run_id).run
            except Unknown:
                continue  # It was removed in between.
            except Damaged as error:
                log.error("run=%s %s", run_id, one_line(str(error)))

    def since(self, job: str, moment: datetime) -> Iterator[Run]:
        """Give the runs of a job for `moment` and later, newest first, as `newest_readable` does."""
        stamp = stamp_of(moment)
        for run in self.newest_readable(job):
            if run.id < stamp:
                return
            yield run

    def open(self) -> list[str]:
        """Return the ids of the runs that had not ended when last written, oldest first."""
        return [name for key in self._store.keys("open") if job_of(name := key.removeprefix("open/"))]

    def forget_open(self, run_id: str) -> None:
        """Remove the mark of a run that has ended, or never came to be."""
        self._store.delete(f"open/{run_id}")

    def ask_to_cancel(self, run_id: str) -> None:
        """Leave word for the worker of a running run."""
        self._store.write(f"{folder(run_id)}/cancel", b"")

    def is_cancelled(self, run_id: str) -> bool:
        """Tell whether somebody asked to cancel the run."""
        return self._store.read(f"{folder(run_id)}/cancel") is not None
