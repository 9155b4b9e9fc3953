"""Losses: what a run deleted, and where it is kept what each thing was, so that recovery begins with a list."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import msgspec

from shared_code.errors import UNREADABLE, Damaged
from shared_code.outcomes import Marks, Outcome, Result
from shared_code.outputs import FOLLOWED, OUTCOMES
from shared_code.pending_deletions import FollowedUp
from shared_code.plan import Action, Plans
from shared_code.run_records import folder
from shared_code.runs import Mode, Run
from shared_code.store import Store
from shared_code.tombstones import Member, tombstone_key

_AT_ONCE = 16


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was deleted, or may have been; `at` is UTC.

    `outcome` is None while nobody knows it yet. `tombstone` is its key in the store, and `kept` tells whether that is
    there; `because` and `members`, what went with it, are what it says. `begun_by` is the run that asked Azure.
    """

    resource_id: str
    subscription_id: str
    rule: str
    outcome: Result | None
    reason: str | None
    at: datetime
    plan: str
    item: int
    begun_by: str
    tombstone: str | None
    kept: bool = False
    because: str | None = None
    members: tuple[Member, ...] = ()
    problem: str | None = None


class _Kept(msgspec.Struct, frozen=True):
    """What is read of a tombstone; the definitions in it may be large."""

    reason: str
    members: tuple[Member, ...] = ()


_tombstone = msgspec.json.Decoder(_Kept).decode


def losses(run: Run, store: Store) -> list[Loss]:
    """Return what a run deleted or may have deleted, and the ends it saw of what earlier runs began to delete.

    What was left alone before anything was saved of it is no loss. Of a run that has not ended this is what it has
    begun so far.

    Raises:
        Damaged: what the run left cannot be understood.
        StoreError: the store cannot be read.
    """
    found = [*_own(run, store), *_followed(run, store)]
    with ThreadPoolExecutor(_AT_ONCE, "losses") as pool:
        return list(pool.map(lambda loss: _with_tombstone(loss, store), found))


def _own(run: Run, store: Store) -> Iterator[Loss]:
    if OUTCOMES in run.outputs:
        for outcome in _lines(run, store, OUTCOMES, Outcome):
            if outcome.action is Action.DELETE and (
                outcome.tombstone or outcome.outcome in (Result.DELETED, Result.DELETING)
            ):
                yield _of(outcome, run.id)
    elif run.mode is Mode.APPLY and not run.status.ended:
        yield from _under_way(run, store)


def _under_way(run: Run, store: Store) -> Iterator[Loss]:
    """Tell it from the marks; the outcomes are written when the run ends."""
    plan_id = run.plan or run.id
    mine = {number: each.mark for number, each in Marks(store, plan_id).all().items() if each.mark.run == run.id}
    if not mine:
        return
    plan = Plans(store).get(plan_id)
    for number, mark in sorted(mine.items()):
        item = plan.items[number]
        if item.action is not Action.DELETE:
            continue
        if mark.outcome is not None:
            yield _of(mark.outcome, run.id)
            continue
        yield Loss(
            resource_id=item.resource_id,
            subscription_id=item.subscription_id,
            rule=item.rule,
            outcome=None,
            reason=None,
            at=mark.begun,
            plan=plan_id,
            item=number,
            begun_by=run.id,
            tombstone=tombstone_key(plan_id, number),
        )


def _followed(run: Run, store: Store) -> Iterator[Loss]:
    if FOLLOWED not in run.outputs:
        return
    for each in _lines(run, store, FOLLOWED, FollowedUp):
        yield Loss(
            resource_id=each.pending.resource_id,
            subscription_id=each.pending.subscription_id,
            rule=each.pending.rule,
            outcome=each.outcome,
            reason=each.reason,
            at=each.at,
            plan=each.pending.plan,
            item=each.pending.item,
            begun_by=each.pending.run,
            tombstone=each.pending.tombstone,
        )


def _of(outcome: Outcome, run_id: str) -> Loss:
    return Loss(
        resource_id=outcome.resource_id,
        subscription_id=outcome.subscription_id,
        rule=outcome.rule,
        outcome=outcome.outcome,
        reason=outcome.reason,
        at=outcome.at,
        plan=outcome.plan,
        item=outcome.item,
        begun_by=run_id,
        tombstone=outcome.tombstone,
    )


def _lines[Line](run: Run, store: Store, name: str, kind: type[Line]) -> Iterator[Line]:
    decode = msgspec.json.Decoder(kind).decode
    for line in store.lines(f"{folder(run.id)}/{name}"):
        try:
            yield decode(line)
        except UNREADABLE as error:
            raise Damaged(
                f"'{name}' of run '{run.id}' cannot be read: {error}; tombstones/{run.plan or run.id}/ in the store "
                "has what was deleted."
            ) from error


def _with_tombstone(loss: Loss, store: Store) -> Loss:
    stored = store.read(loss.tombstone) if loss.tombstone else None
    if stored is None:
        return loss
    try:
        was = _tombstone(stored.data)
    except UNREADABLE as error:
        return msgspec.structs.replace(loss, kept=True, problem=f"its tombstone cannot be read: {error}")
    return msgspec.structs.replace(loss, kept=True, because=was.reason, members=was.members)
