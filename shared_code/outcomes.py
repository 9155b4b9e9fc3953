"""What became of the items of a plan, and the marks that keep any of them from being done twice."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from shared_code.errors import UNREADABLE, AlreadyExists, Changed, Damaged, Fenced
from shared_code.model import TagChange, Tags
from shared_code.plan import Action, Plan
from shared_code.store import Store

_AT_ONCE = 16


APPLIED = "applied"
"""The folder of the marks, by plan and item."""


class Result(StrEnum):
    """How an item ended."""

    CHANGED = "changed"
    """It is done, as a reading after the last write shows."""
    DELETED = "deleted"
    """It is gone: Azure says that it is not there, and its parent could be read."""
    DELETING = "deleting"
    """Azure has accepted the deletion and is still at it, or has not shown its end; the next run looks again."""
    SKIPPED = "skipped"
    """Nothing was written; the reason says why."""
    FAILED = "failed"
    """It was begun and is not as wanted, or nobody can tell; the reason says why."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `outcomes.ndjson`.

    `before` are the tags read before the first write, `after` those read after the last one; None is unknown.
    `writes` counts the requests to write that were sent, whatever came back. `tombstone` is the key in the store of
    what was saved before a deletion. `unread` says that it was left alone since it could not be read; `unsure` that a
    write may yet take effect which did not show. `at` is UTC.
    """

    plan: str
    item: int
    resource_id: str
    subscription_id: str
    rule: str
    action: Action
    outcome: Result
    reason: str | None = None
    change: TagChange | None = None
    before: Tags | None = None
    after: Tags | None = None
    tombstone: str | None = None
    unread: bool = False
    unsure: bool = False
    writes: int = 0
    at: datetime

    @property
    def words(self) -> str:
        """What was to be done, for people."""
        return self.change.words if self.change else "delete it"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """`applied/{plan}/{item}.json`: which run began an item, with what there; and in the end what became of it."""

    run: str
    begun: datetime
    before: Tags
    outcome: Outcome | None = None


class Marked(NamedTuple):
    """A mark as it was read, with the etag of that version."""

    mark: Mark
    etag: str


_decode = msgspec.json.Decoder(Mark).decode


class Marks:
    """The marks of one plan. They stand beside the plans, so that listing those stays quick."""

    def __init__(self, store: Store, plan_id: str) -> None:
        self._store = store
        self._folder = f"{APPLIED}/{plan_id}"

    def all(self) -> dict[int, Marked]:
        """Return the marks by the item's number.

        Raises:
            Damaged: one cannot be understood; nobody knows then what was done.
            StoreError: the store cannot be read.
        """
        keys = [key for key in self._store.keys(self._folder) if key.endswith(".json")]
        with ThreadPoolExecutor(_AT_ONCE, "marks") as pool:
            found = zip(keys, pool.map(self._read, keys), strict=True)
            return {self._number(key): marked for key, marked in found}

    def begin(self, item: int, mark: Mark) -> Marked:
        """Claim an item, and return the mark that stands: another one if the item was claimed before."""
        key = self._key(item)
        try:
            return Marked(mark, self._store.create(key, msgspec.json.encode(mark)))
        except AlreadyExists:
            return self._read(key)

    def finish(self, item: int, begun: Marked, outcome: Outcome) -> Outcome:
        """Note what became of an item, and return what stands there: the first outcome counts.

        Raises:
            Fenced: somebody else wrote the mark.
        """
        key = self._key(item)
        ended = msgspec.structs.replace(begun.mark, outcome=outcome)
        try:
            self._store.replace(key, msgspec.json.encode(ended), begun.etag)
        except Changed as error:
            present = self._read(key).mark
            if present.run != begun.mark.run or present.outcome is None:
                raise Fenced(f"item {item} of the plan in '{self._folder}' is in other hands") from error
            return present.outcome
        return outcome

    def _key(self, item: int) -> str:
        return f"{self._folder}/{item:06}.json"

    def _number(self, key: str) -> int:
        name = key.removeprefix(f"{self._folder}/").removesuffix(".json")
        if not name.isdecimal():
            raise Damaged(f"'{key}' is no mark of an item; remove it.")
        return int(name)

    def _read(self, key: str) -> Marked:
        stored = self._store.read(key)
        try:
            return Marked(_decode(stored.data if stored else b""), stored.etag if stored else "")
        except UNREADABLE as error:
            raise Damaged(f"The mark '{key}' cannot be read, so nobody knows what was done: {error}.") from error


_OF_ACTION = {Action.CHANGE_TAGS: (Result.CHANGED,), Action.DELETE: (Result.DELETED, Result.DELETING)}


def tally(outcomes: Iterable[Outcome], plan: Plan) -> dict[str, int]:
    """Count how many items ended how, of the ways in which those of the plan can end."""
    results = [result for action in Action for result in _OF_ACTION[action] if plan.has(action)]
    found = [each.outcome for each in outcomes]
    return {result.value: found.count(result) for result in (*results, Result.SKIPPED, Result.FAILED)}


def as_lines(outcomes: Iterable[Outcome]) -> Iterable[bytes]:
    """Give the lines of `outcomes.ndjson` in the order of the items."""
    encode = msgspec.json.Encoder().encode
    return (encode(outcome) + b"\n" for outcome in sorted(outcomes, key=lambda outcome: outcome.item))
