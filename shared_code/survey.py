"""A survey: every subscription in scope read once, side by side, and a verdict for each.

Each finished subscription leaves its part in the store, so a run that is cut short goes on with those that are missing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue

from shared_code.model import UNREAD, Reading, Subscription, Verdict
from shared_code.parts import Parts
from shared_code.resource_ids import key
from shared_code.runs import Progress, RunStatus, status_of
from shared_code.scope import Scope, Selection, select
from shared_code.snapshots import Snapshots
from shared_code.work import Work

READERS = 16
"""Subscriptions read at the same time, where reading is waiting for Azure more than anything else."""

type Read = Callable[[Subscription, Parts], None]
"""Reads one subscription and saves its part."""


class Survey:
    """What a run found: verdicts in id order, and the records of each subscription."""

    def __init__(self, parts: Parts, selection: Selection) -> None:
        """Collect the verdicts of the finished parts."""
        finished = parts.finished()
        self._parts = parts
        self._chosen = [subscription.id.casefold() for subscription in selection.to_read]
        verdicts = [*(finished[name] for name in self._chosen), *selection.not_read]
        self.known = selection.known
        self.verdicts = sorted(verdicts, key=lambda verdict: key(verdict.subscription_id))
        self.read = selection.to_read
        self.complete = [
            subscription
            for subscription in selection.to_read
            if finished[subscription.id.casefold()].reading is Reading.COMPLETE
        ]

    def lines(self, kind: str) -> Iterator[bytes]:
        """Give the NDJSON lines of one kind of all subscriptions, in the order of their ids."""
        return self._parts.all_lines(self._chosen, kind)

    def lines_of(self, subscription: Subscription, kind: str) -> Iterator[bytes]:
        """Give those of one subscription."""
        return self._parts.lines(subscription.id.casefold(), kind)


def survey(
    work: Work,
    read: Read,
    *,
    readers: int = READERS,
    prepare: Callable[[tuple[Subscription, ...]], None] = lambda _: None,
) -> Survey:
    """Choose the subscriptions, and read those that an earlier attempt at this run did not finish.

    Args:
        work: what to read, and where parts are left.
        read: called for each subscription, from several threads.
        readers: how many are read at the same time; each has two pages in memory.
        prepare: given the subscriptions that will be read, before any of them is.

    Raises:
        AzureError: the list of subscriptions, or what lies under a management group, could not be read.
        EmptyScope: nothing is in scope.
        StoreError: the store cannot be read or written.
        Interrupted, Fenced: from the checkpoint.
    """
    scope, requested = work.configuration.scope, work.run.scope.subscriptions
    parts = Parts(work.store, work.run.id, scope, work.configuration.digest_of(work.run.job))
    # What an earlier attempt at this run has read is known too, though no run has ended with it yet.
    known = {
        key(one.id): one
        for one in (
            *(
                Subscription(each.subscription_id, each.subscription_name, "Enabled")
                for each in parts.finished().values()
            ),
            *Snapshots(work.store, work.run.job).subscriptions(),
        )
    }
    selection = _selection(work, requested, known.values())
    done = parts.finished()
    missing = tuple(each for each in selection.to_read if each.id.casefold() not in done)
    if missing:
        prepare(missing)
    _read_missing(work, missing, len(selection.to_read), parts, read, readers)
    return Survey(parts, selection)


def in_scope(work: Work) -> tuple[Subscription, ...]:
    """Return the subscriptions of the configured scope that work, as they are now.

    Raises:
        AzureError: the list of subscriptions, or what lies under a management group, could not be read.
        EmptyScope: nothing is in scope.
    """
    return _selection(work, None, ()).to_read


def _selection(work: Work, requested: tuple[str, ...] | None, known: Iterable[Subscription]) -> Selection:
    scope = work.configuration.scope
    visible = work.estate.subscriptions()
    under: frozenset[str] | None = None
    if scope.management_groups:
        under = frozenset().union(*map(work.estate.subscriptions_under, scope.management_groups))
    return select(visible, scope, requested, under=under, known=known)


def side_by_side(function: Callable[[Subscription], None], subscriptions: Iterable[Subscription]) -> None:
    """Call for each subscription, READERS at the same time; the first error is raised once all have ended."""
    with ThreadPoolExecutor(READERS, "each") as pool:
        for _ in pool.map(function, subscriptions):
            pass


def judged(verdicts: list[Verdict], scope: Scope, resources: int, in_scope: int) -> tuple[RunStatus, str | None]:
    """Judge the run; one whose patterns leave nothing of all that was read has done nothing, and says so.

    Args:
        verdicts: of every subscription.
        scope: whose patterns they are.
        resources: how many were read in resource groups in scope, of all types.
        in_scope: how many of these have a type in scope.

    Returns:
        The status, and one sentence for the record where it is not `succeeded`.
    """
    status, error = status_of(verdicts)
    read = sum(found.lists["resource_groups"].items for found in verdicts if found.lists)
    if status is RunStatus.SUCCEEDED and read and not any(found.resource_groups for found in verdicts):
        return RunStatus.FAILED, f"No resource group is in scope, of {read:,} that were read: {scope.group_words}."
    # Without patterns only a group that came while the lists were read can be the reason.
    if status is RunStatus.SUCCEEDED and resources and not in_scope and not scope.takes_all_types:
        return RunStatus.FAILED, f"No resource is in scope, of {resources:,} that were read: {scope.type_words}."
    return status, error


def reading_counts(verdicts: list[Verdict]) -> dict[str, int]:
    """Count the subscriptions for the record of a run, by how much of them was read."""
    by_reading = Counter(found.reading for found in verdicts)
    return {
        "subscriptions_read": by_reading[Reading.COMPLETE],
        "subscriptions_not_read": sum(by_reading[reading] for reading in UNREAD),
        "subscriptions_skipped": by_reading[Reading.SKIPPED],
    }


def _read_missing(
    work: Work, missing: tuple[Subscription, ...], total: int, parts: Parts, read: Read, readers: int
) -> None:
    finished = total - len(missing)
    work.progress(Progress(finished, total))
    ended: SimpleQueue[Future[None]] = SimpleQueue()
    with ThreadPoolExecutor(readers, "read") as pool:
        try:
            for subscription in missing:
                pool.submit(read, subscription, parts).add_done_callback(ended.put)
            while finished < total:
                with suppress(Empty):
                    ended.get(timeout=0.5).result()
                    finished += 1
                work.progress(Progress(finished, total))
                work.checkpoint()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
