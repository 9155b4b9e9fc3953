"""Plans as a list shows them: what each would do to how many things, and what became of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from enum import StrEnum
from itertools import islice

import msgspec

from shared_code.errors import Damaged, Unknown
from shared_code.outcomes import APPLIED
from shared_code.plan import Plans
from shared_code.runs import job_of
from shared_code.store import Store

_AT_ONCE = 8


class PlanState(StrEnum):
    """What became of a plan."""

    OPEN = "open"
    """Nothing of it was begun, and its time is not over."""
    APPLIED = "applied"
    """Something of it was begun, or all."""
    EXPIRED = "expired"
    """Nothing of it was begun, and it can no longer be applied."""
    DAMAGED = "damaged"
    """It cannot be read, or was changed after it was written; it is never applied."""


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A plan without its items; times are UTC.

    `things` are what its items do, in a word; `begun` counts those that a run has begun. Of a damaged one only its id,
    its job and the `problem` are known.
    """

    id: str
    job: str
    state: PlanState
    items: int | None = None
    things: str | None = None
    begun: int | None = None
    created: datetime | None = None
    expires: datetime | None = None
    problem: str | None = None


def newest_plans(store: Store, now: datetime, limit: int, job: str | None = None) -> list[PlanView]:
    """Return the newest plans, newest first; one that is damaged hides no other.

    Args:
        store: where they are.
        now: aware.
        limit: how many at most.
        job: only this job's.

    Raises:
        StoreError: the store cannot be read.
    """
    names = islice((name for name in Plans(store).newest() if job in (None, job_of(name))), limit)
    with ThreadPoolExecutor(_AT_ONCE, "plans") as pool:
        found: Iterator[PlanView | None] = pool.map(lambda name: _view(store, name, now), list(names))
        return [each for each in found if each is not None]


def _view(store: Store, plan_id: str, now: datetime) -> PlanView | None:
    job = job_of(plan_id) or ""
    try:
        plan = Plans(store).get(plan_id)
    except Unknown:
        return None  # It was removed in between.
    except Damaged as error:
        return PlanView(id=plan_id, job=job, state=PlanState.DAMAGED, problem=str(error))
    begun = sum(key.endswith(".json") for key in store.keys(f"{APPLIED}/{plan_id}"))
    state = PlanState.APPLIED if begun else PlanState.EXPIRED if now >= plan.expires else PlanState.OPEN
    return PlanView(
        id=plan_id,
        job=job,
        state=state,
        items=len(plan.items),
        things=plan.things,
        begun=begun,
        created=plan.created,
        expires=plan.expires,
    )
