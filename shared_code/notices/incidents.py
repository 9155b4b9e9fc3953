"""Incidents: runs that ended badly and runs that were missed, each told once until it is over."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from shared_code.errors import UNREADABLE, AlreadyExists, Changed, Damaged, StoreError
from shared_code.missed_runs import JOBS
from shared_code.model import Finding
from shared_code.notices.memory import FOLDER
from shared_code.notices.settings import NoticeKind
from shared_code.runs import Run, RunStatus
from shared_code.store import Store

BAD = (RunStatus.FAILED, RunStatus.PARTIAL, RunStatus.REFUSED)
KEPT = timedelta(days=7)
"""How long it is remembered that a run was told which stands for itself, such as one that applied a plan."""
_KEY = f"{FOLDER}/incidents.json"
_TRIES = 20


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that operators are told at once.

    `name` tells it from others: the same name again is the same incident until that is over. `told` are the labels of
    those who know; `over` says since when it is over, and `told_over` who knows that.
    """

    name: str
    kind: NoticeKind
    job: str
    run: str
    since: datetime
    sentence: str
    told: tuple[str, ...] = ()
    over: datetime | None = None
    told_over: tuple[str, ...] = ()

    def owes(self, receiver: str) -> bool:
        """Whether a receiver was not told of it, or not of its end."""
        if self.over is not None:
            return receiver in self.told and receiver not in self.told_over
        return receiver not in self.told


_decode = msgspec.json.Decoder(tuple[Incident, ...]).decode


def noted(incidents: Iterable[Incident], run: Run, missed: Sequence[Finding] | None) -> tuple[Incident, ...]:
    """Return the incidents after a run has ended.

    Of a job's own runs all that end alike are one incident, until one succeeds that was not narrowed to a part. A run
    that applies a plan, or makes one to undo something, stands for itself.

    Args:
        incidents: as they were.
        run: that has ended.
        missed: what a watchdog has found to be missed; None for any other run.
    """
    now = run.ended or run.requested
    by_name = {each.name: each for each in incidents if not _is_past(each, now)}
    own = run.task == run.job
    if run.status in BAD:
        name = f"{run.job} {run.status}" if own else run.id
        incident = Incident(
            name=name,
            kind=NoticeKind.FAILURE,
            job=run.job,
            run=run.id,
            since=now,
            sentence=run.error or run.closing_sentence,
        )
        by_name.setdefault(name, incident)
    if run.status is RunStatus.SUCCEEDED and own and run.scope.subscriptions is None:
        for name in [f"{run.job} {status}" for status in BAD]:
            by_name.pop(name, None)
    if missed is not None:
        by_name |= _missed(by_name, run, missed, now)
    return tuple(each for each in by_name.values() if not _is_settled(each))


def _missed(by_name: dict[str, Incident], run: Run, missed: Sequence[Finding], now: datetime) -> dict[str, Incident]:
    changed: dict[str, Incident] = {}
    names = set()
    for finding in missed:
        job = finding.resource_id.removeprefix(JOBS)
        name = f"{job} missed"
        names.add(name)
        known = by_name.get(name)
        if known is None or known.over is not None:
            changed[name] = Incident(
                name=name, kind=NoticeKind.MISSED_RUN, job=job, run=run.id, since=now, sentence=finding.detail
            )
    for name, each in by_name.items():
        if each.kind is NoticeKind.MISSED_RUN and name not in names and each.over is None:
            changed[name] = msgspec.structs.replace(each, over=now)
    return changed


def _is_settled(incident: Incident) -> bool:
    """Tell whether it is over, and all who were told of it know that."""
    return incident.over is not None and set(incident.told) <= set(incident.told_over)


def _is_past(incident: Incident, now: datetime) -> bool:
    """Tell whether a run that stands for itself was told long ago."""
    return incident.name == incident.run and bool(incident.told) and now - incident.since > KEPT


def after_telling(incidents: Iterable[Incident], told: Iterable[tuple[Incident, str]]) -> tuple[Incident, ...]:
    """Return the incidents after receivers were told of some.

    Args:
        incidents: as they are by now.
        told: what was told to whom, as it was then.
    """
    by_name = {each.name: each for each in incidents}
    for then, receiver in told:
        each = by_name.get(then.name)
        if each is None or each.since != then.since:
            continue
        if then.over is not None:
            by_name[then.name] = msgspec.structs.replace(each, told_over=(*each.told_over, receiver))
        else:
            by_name[then.name] = msgspec.structs.replace(each, told=(*each.told, receiver))
    return tuple(each for each in by_name.values() if not _is_settled(each))


class Incidents:
    """The incidents in the store, changed by compare-and-swap."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, run: Run, missed: Sequence[Finding] | None) -> tuple[Incident, ...]:
        """Take down how a run has ended, and return what is open.

        Raises:
            Damaged: what is there cannot be understood.
            StoreError: the store cannot be read or written.
        """
        return self._change(lambda incidents: noted(incidents, run, missed))

    def tell(self, told: Sequence[tuple[Incident, str]]) -> None:
        """Take down who was told of what; raises as `note`."""
        self._change(lambda incidents: after_telling(incidents, told))

    def _change(self, change: Callable[[tuple[Incident, ...]], tuple[Incident, ...]]) -> tuple[Incident, ...]:
        for _ in range(_TRIES):
            stored = self._store.read(_KEY)
            try:
                before = _decode(stored.data) if stored else ()
            except UNREADABLE as error:
                text = f"The incidents in '{_KEY}' cannot be read: {error}; remove them, and what is open is told anew."
                raise Damaged(text) from error
            wanted = change(before)
            if wanted == before:
                return wanted
            try:
                if stored is None:
                    self._store.create(_KEY, msgspec.json.encode(wanted))
                else:
                    self._store.replace(_KEY, msgspec.json.encode(wanted), stored.etag)
            except (AlreadyExists, Changed):
                continue
            return wanted
        raise StoreError(f"'{_KEY}' changes faster than it can be written; try again.")
