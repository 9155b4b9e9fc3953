"""Undo: from what a run did to tags, the plan items that give back what was there before."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec

from shared_code.errors import AzureError, NotFound
from shared_code.foreign_text import one_line
from shared_code.model import TagChange
from shared_code.outcomes import Mark
from shared_code.plan import Plan, PlanItem
from shared_code.ports import TagWriter
from shared_code.tag_changes import inverse
from shared_code.tag_rules import RuleMode

_READERS = 16


class Left(msgspec.Struct, frozen=True):
    """An item that stays as it is, and why; `unread` if nobody knows how it is."""

    resource_id: str
    subscription_id: str
    rule: str
    reason: str
    unread: bool = False


class Undo(NamedTuple):
    """The items of the plan that restores, and what it cannot restore."""

    items: tuple[PlanItem, ...]
    left: tuple[Left, ...]


def undo(plan: Plan, marks: Iterable[tuple[int, Mark]], writer: TagWriter, checkpoint: Callable[[], None]) -> Undo:
    """Read what the items of a run have now, and propose to restore what they had; nothing is written.

    Args:
        plan: that was applied.
        marks: of the run to be undone, by the item's number, in any order.
        writer: reads tags.
        checkpoint: called between two items.

    Raises:
        Interrupted, Fenced: from the checkpoint.
    """
    begun = sorted(marks, key=lambda each: each[0])

    def look(numbered: tuple[int, Mark]) -> PlanItem | Left:
        number, mark = numbered
        return _look(plan.items[number], mark, writer)

    items: list[PlanItem] = []
    left: list[Left] = []
    with ThreadPoolExecutor(_READERS, "undo") as pool:
        try:
            for found in pool.map(look, begun):
                checkpoint()
                items.append(found) if isinstance(found, PlanItem) else left.append(found)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return Undo(tuple(items), tuple(left))


def _look(item: PlanItem, mark: Mark, writer: TagWriter) -> PlanItem | Left:
    try:
        present = writer.tags(item.resource_id)
    except AzureError as error:
        return _left(item, f"it cannot be read: {error}", unread=not isinstance(error, NotFound))
    if item.change is None:
        return _left(item, "what was deleted is not made again; its tombstone in the store says what it was")
    after = mark.outcome.after if mark.outcome else None
    found = inverse(item.change, mark.before, after, present)
    if isinstance(found, str) and mark.outcome is not None and mark.outcome.unsure:
        # What Azure accepted and did not show in time may show by now.
        late = inverse(item.change, mark.before, None, present)
        found = late if isinstance(late, TagChange) else found
    if isinstance(found, str):
        return _left(item, found)
    return PlanItem(
        resource_id=item.resource_id,
        subscription_id=item.subscription_id,
        kind=item.kind,
        rule=item.rule,
        mode=RuleMode.APPROVE,
        reason=one_line(f"gives back what run {mark.run} changed"),
        seen=present,
        change=found,
        evidence={"undoes": mark.run},
    )


def _left(item: PlanItem, reason: str, *, unread: bool = False) -> Left:
    return Left(item.resource_id, item.subscription_id, item.rule, reason, unread)
