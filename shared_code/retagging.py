"""Makes one change of tags in Azure: reads, writes one step, reads again, until it is done or may not go on."""

from typing import NamedTuple, Protocol

from shared_code.errors import AccessDenied, AzureError, NotFound, Refused, Rejected, Unauthenticated
from shared_code.model import Tags
from shared_code.outcomes import Result
from shared_code.plan import PlanItem
from shared_code.ports import TagWriter
from shared_code.tag_changes import Course, Operation, Write, course_of, difference, obstacle, retreat

WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try of a write, and before each further look for what an accepted write did."""
_FINAL = (AccessDenied, NotFound, Rejected, Unauthenticated)


class Done(NamedTuple):
    """What became of an item."""

    result: Result
    reason: str | None
    before: Tags | None
    after: Tags | None
    writes: int


class Hand(Protocol):
    """What applying gives to whoever acts on one item."""

    begun_with: Tags | None
    """What an earlier attempt found before it began; None if none began."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...

    def may_write(self) -> None:
        """Return if this process may write to Azure now.

        Raises:
            Refused: nobody may, or not this run; the item ends here.
            Fenced: another process has taken over; so does this one.
        """
        ...

    def begin(self, before: Tags) -> None:
        """Claim the item, before the first write; raises Refused if another run has claimed it."""
        ...


def retag(item: PlanItem, hand: Hand, writer: TagWriter) -> Done:
    """Make the change of an item, if the tags are still as the plan saw them.

    Every step is chosen from the tags as read just before, so that an answer that got lost, a write that took no
    effect and an attempt that died all look the same, and nothing is written that is there already.

    Raises:
        Fenced: another process has taken over.
        StoreError: the claim could not be written.
    """
    return _Retagging(item, hand, writer).perform()


class _Retagging:
    def __init__(self, item: PlanItem, hand: Hand, writer: TagWriter) -> None:
        self._item = item
        self._hand = hand
        self._writer = writer
        self._before = hand.begun_with
        self._begun = hand.begun_with is not None
        self._writes = 0

    def perform(self) -> Done:
        try:
            present = self._writer.tags(self._item.resource_id)
        except AzureError as error:
            return self._ended(_unreadable(error), None)
        if self._before is None:
            if why := obstacle(self._item.change, self._item.seen, present):
                return self._ended(why, present)
            self._before = present
        try:
            return self._follow(course_of(self._item.change, self._before), present)
        except AzureError as error:
            return self._ended(f"it cannot be verified: {error}", None)
        except Refused as error:
            return self._ended(str(error), present)

    def _follow(self, course: Course, present: Tags) -> Done:
        failures = reached = 0
        while (place := course.place(present)) != course.end:
            if place is None:
                return self._retreat(f"stopped half-way, since {difference(course, present)} by now", present)
            if place < reached:
                return self._retreat("stopped half-way, since somebody undid a part of it", present)
            reached = place
            try:
                self._send(course.writes[place])
            except Refused as error:
                return self._ended(str(error), present)
            except _FINAL as error:
                present = self._look(course, place, once=True)
                if course.place(present) == place:
                    return self._retreat(str(error), present)
            except AzureError as error:
                if failures == len(WAITS):
                    return self._retreat(f"given up after {failures + 1} tries: {error}", self._read())
                self._hand.sleep(WAITS[failures])
                failures += 1
                present = self._read()
            else:
                present = self._look(course, place)
                if (now := course.place(present)) is not None and now <= place:
                    said = "Azure accepted the change and does not show it"
                    return self._retreat(f"{said}; some types keep the spelling of a key for ever", present)
        return Done(Result.CHANGED, None, self._before, present, self._writes)

    def _send(self, write: Write) -> None:
        self._hand.may_write()
        if not self._begun:
            self._hand.begin(self._before or {})
            self._begun = True
            self._hand.may_write()  # The claim may have taken its time.
        self._writes += 1
        if write.operation is Operation.MERGE:
            self._writer.merge(self._item.resource_id, write.tags)
        else:
            self._writer.delete(self._item.resource_id, write.tags)

    def _look(self, course: Course, place: int, *, once: bool = False) -> Tags:
        """Read until the tags show more than they did; Azure's readings may lag behind its writes."""
        present = self._read()
        for wait in () if once else WAITS:
            reached = course.place(present)
            if reached is not None and reached > place:
                break
            self._hand.sleep(wait)
            present = self._read()
        return present

    def _read(self) -> Tags:
        """Read what was written; the answer matters, so it is asked for patiently."""
        for wait in WAITS:
            try:
                return self._writer.tags(self._item.resource_id)
            except _FINAL:
                raise
            except AzureError:
                self._hand.sleep(wait)
        return self._writer.tags(self._item.resource_id)

    def _retreat(self, reason: str, present: Tags) -> Done:
        """End without success, and remove copies that nobody needs any more, as far as that is possible."""
        write = retreat(self._item.change, present)
        if write is not None:
            try:
                self._send(write)
            except Refused as error:
                return self._ended(f"{reason}; the copy of a value was left: {error}", present)
            except AzureError as error:
                reason = f"{reason}; the copy of a value could not be removed: {error}"
            present = self._read()
        return self._ended(reason, present)

    def _ended(self, reason: str, after: Tags | None) -> Done:
        began = self._writes > 0 or self._hand.begun_with is not None
        result = Result.FAILED if began else Result.SKIPPED
        return Done(result, reason, self._before, after, self._writes)


def _unreadable(error: AzureError) -> str:
    return f"it is gone, or not visible: {error}" if isinstance(error, NotFound) else f"it cannot be read: {error}"
