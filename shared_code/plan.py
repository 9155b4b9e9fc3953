"""A plan: what a run proposes to do, item by item, fixed by a digest before anybody may apply it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from heapq import nsmallest
from itertools import accumulate
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec

from shared_code.errors import AlreadyExists, Damaged, InvalidRequest, Unknown
from shared_code.foreign_text import one_line
from shared_code.model import Kind, TagChange, Tags
from shared_code.resource_ids import key
from shared_code.runs import Run, RunScope, job_of
from shared_code.store import Store
from shared_code.tag_rules import RuleMode

LIFETIME = timedelta(hours=72)
"""How long a plan may be applied, unless the caller says otherwise."""
MOST_ITEMS = 20_000
MOST_BYTES = 64 * 1024 * 1024
"""What a plan may hold: it is read as a whole by whoever looks at it or applies it."""


class Action(StrEnum):
    """What an item would do."""

    CHANGE_TAGS = "change-tags"
    """Set and remove tags."""
    DELETE = "delete"
    """Delete it."""


class Observed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Since when, and how often, a rule has found something; times are UTC."""

    first_seen: datetime
    last_seen: datetime
    times_seen: int


class PlanItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to be done to one resource, for one rule.

    Limits count it as its `type` if it has one, else as its `kind`. `reason` is in words, `seen` are the tags the rule
    looked at, as received; `conditions` are keys that decide whether the rule applies at all. `definition` is the
    answer of its GET when the plan was made, `members` are the ids of what is in it and would go along. Items of an
    earlier `stage` are done before those of a later one.
    """

    resource_id: str
    subscription_id: str
    kind: Kind
    rule: str
    mode: RuleMode
    reason: str
    action: Action = Action.CHANGE_TAGS
    seen: Tags
    change: TagChange | None = None
    conditions: tuple[str, ...] = ()
    type: str | None = None
    stage: int = 0
    members: tuple[str, ...] = ()
    observed: Observed | None = None
    definition: dict[str, Any] = {}
    evidence: dict[str, str] = {}

    @property
    def counted(self) -> str:
        """What limits count it as."""
        return self.type.casefold() if self.type else self.kind

    @property
    def words(self) -> str:
        """What would be done, for people."""
        if self.change:
            return self.change.words
        if not self.members:
            return "delete it"
        number = len(self.members)
        return f"delete it and the {number:,} thing{'' if number == 1 else 's'} in it"


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`plans/{plan}.json`, never changed. Its id is that of the run that made it, so plans sort by time.

    Times are UTC. `rules` is the digest of the rules and the scope it was made by; empty where none decide. `read`
    counts what was read in each subscription, by what limits count, for the limit on the share. `items` are sorted by
    resource id and rule; an item's number is its place, from 0. `digest` is the SHA-256 of all else.
    """

    id: str
    job: str
    run: str
    created: datetime
    expires: datetime
    scope: RunScope = RunScope()
    rules: str = ""
    read: dict[str, dict[str, Annotated[int, msgspec.Meta(ge=0)]]] = {}
    items: tuple[PlanItem, ...] = ()
    version: int = 1
    digest: str = ""

    def has(self, action: Action) -> bool:
        """Whether any item is of that action."""
        return any(item.action is action for item in self.items)

    @property
    def things(self) -> str:
        """What its items are called, for people."""
        return "deletions" if self.has(Action.DELETE) else "changes"


def by_type(items: Iterable[PlanItem]) -> dict[str, int]:
    """Count items by what limits count, the most frequent first; each is named as the first of them spells it."""
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for item in items:
        names.setdefault(item.counted, item.type or item.kind)
        counts[item.counted] += 1
    return {names[counted]: number for counted, number in sorted(counts.items(), key=lambda each: (-each[1], each[0]))}


def choose(lines: Iterable[bytes]) -> tuple[list[PlanItem], int]:
    """Decode items, as many as one plan may hold: the first by resource id and rule; and count those left out.

    What is left out is found, and planned, by a later run, when these are done.
    """
    decode = msgspec.json.Decoder(PlanItem).decode
    number = 0

    def placed() -> Iterator[tuple[str, str, int, bytes]]:
        nonlocal number
        for number, line in enumerate(lines, 1):  # counts
            item = decode(line)
            yield key(item.resource_id), item.rule, number, line

    first = nsmallest(MOST_ITEMS, placed())
    lengths = accumulate(len(line) for *_, line in first)
    items = [decode(line) for (*_, line), length in zip(first, lengths, strict=True) if length <= MOST_BYTES]
    return items, number - len(items)


def make_plan(
    run: Run,
    items: Iterable[PlanItem],
    read: Mapping[str, Mapping[Kind, int]] | Mapping[str, Mapping[str, int]],
    created: datetime,
    lifetime: timedelta = LIFETIME,
    rules: str = "",
) -> Plan:
    """Return the plan of a run, with its digest.

    Args:
        run: that makes it.
        items: in any order.
        read: by subscription id and what limits count, how many were read.
        created: aware.
        lifetime: after which it can no longer be applied.
        rules: the digest of what it was made by.

    Raises:
        InvalidRequest: an item's id is not that of something in its subscription.
    """
    encode = msgspec.json.Encoder(order="deterministic").encode
    ordered = sorted(items, key=lambda item: (key(item.resource_id), item.rule, encode(item)))
    for item in ordered:
        if not is_in(item.resource_id, item.subscription_id):
            shown, subscription = one_line(item.resource_id, 200), one_line(item.subscription_id, 80)
            raise InvalidRequest(f"'{shown}' is no id in subscription '{subscription}', so no plan can name it.")
    at = created.astimezone(UTC)
    plan = Plan(
        id=run.id,
        job=run.job,
        run=run.id,
        created=at,
        expires=at + lifetime,
        scope=run.scope,
        rules=rules,
        read={
            subscription.casefold(): {str(name): count for name, count in counts.items()}
            for subscription, counts in read.items()
        },
        items=tuple(ordered),
    )
    return msgspec.structs.replace(plan, digest=digest_of(plan))


def digest_of(plan: Plan) -> str:
    """Return the SHA-256, in hex, over everything in a plan but its digest."""
    content = msgspec.structs.replace(plan, digest="")
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def is_in(resource_id: str, subscription_id: str) -> bool:
    """Tell whether an id, as it would stand in an address, certainly leads to that subscription or into it.

    Segments of dots could lead elsewhere by the time a proxy or a server has resolved them.
    """
    segments = resource_id.split("/")
    decoded = unquote(unquote(resource_id)).split("/")
    if segments[:1] != [""] or len(segments) < 3 or segments[1].casefold() != "subscriptions":
        return False
    if not subscription_id or segments[2].casefold() != subscription_id.casefold():
        return False
    return not {".", ".."} & {*decoded, *resource_id.replace("\\", "/").split("/")}


_decode = msgspec.json.Decoder(Plan).decode


class Plans:
    """The plans in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(self, plan: Plan) -> Plan:
        """Write a new plan, and return the one that is in the store: that of an earlier attempt stays as it is.

        Raises:
            Damaged: a plan of that id is there and cannot be trusted.
            StoreError: the store cannot be written.
        """
        try:
            self._store.create(_key(plan.id), msgspec.json.encode(plan))
        except AlreadyExists:
            return self.get(plan.id)
        return plan

    def get(self, plan_id: str) -> Plan:
        """Read a plan.

        Raises:
            Unknown: there is none of that id.
            Damaged: it is not what was written: it cannot be understood, or its digest does not fit.
            StoreError: the store cannot be read.
        """
        stored = self._store.read(_key(plan_id))
        if stored is None:
            raise _unknown(plan_id)
        advice = "it was changed after it was written and is never applied; let a new run make another"
        try:
            plan = _decode(stored.data)
            intact = plan.id == plan_id and plan.digest == digest_of(plan)
        except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError) as error:
            raise Damaged(f"Plan '{plan_id}' cannot be read: {one_line(str(error))}; {advice}.") from error
        if not intact:
            raise Damaged(f"Plan '{plan_id}' does not have the digest it says: {advice}.")
        return plan

    def newest(self) -> Iterator[str]:
        """Give the ids of the plans, newest first."""
        names = [name.removeprefix("plans/").removesuffix(".json") for name in self._store.keys("plans")]
        yield from (name for name in reversed(names) if job_of(name))


def _key(plan_id: str) -> str:
    if job_of(plan_id) is None:
        raise _unknown(plan_id)
    return f"plans/{plan_id}.json"


def _unknown(plan_id: str) -> Unknown:
    return Unknown(
        f"There is no plan '{one_line(plan_id, 80)}'; a plan has the id of the run that made it: see 'steward "
        "plans' or GET /api/plans."
    )
