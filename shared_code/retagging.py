"""Makes one change of tags in Azure: reads, writes one step, reads again, until it is done or may not go on."""

from shared_code.acting import Done, Hand
from shared_code.errors import AccessDenied, AzureError, Damaged, NotFound, Refused, Rejected, Unauthenticated
from shared_code.model import Tags
from shared_code.outcomes import Result
from shared_code.plan import PlanItem
from shared_code.ports import TagWriter
from shared_code.tag_changes import Course, Operation, Write, course_of, difference, obstacle, retreat

WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try of a write, and before each further look for what an accepted write did."""
_FINAL = (AccessDenied, NotFound, Rejected, Unauthenticated)


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
        if item.change is None:
            raise Damaged(f"the plan does not say how to change the tags of '{item.resource_id}'")
        self._item = item
        self._change = item.change
        self._hand = hand
        self._writer = writer
        self._before = hand.begun_with
        self._begun = hand.begun_with is not None
        self._writes = 0
        self._unsure = False

    def perform(self) -> Done:
        try:
            # What was begun must not be left half done for one answer that failed.
            present = self._writer.tags(self._item.resource_id) if not self._begun else self._read()
        except AzureError as error:
            return self._ended(_unreadable(error), None, unread=not isinstance(error, NotFound))
        if self._before is None:
            if why := obstacle(self._change, self._item.seen, present, self._item.conditions):
                return self._ended(why, present)
            self._before = present
        try:
            return self._follow(course_of(self._change, self._before), present)
        except AzureError as error:
            self._unsure = True
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
                self._unsure = True  # It may have been done, and show later.
                if failures == len(WAITS):
                    return self._retreat(f"given up after {failures + 1} tries: {error}", self._read())
                self._hand.sleep(WAITS[failures])
                failures += 1
                present = self._read()
            else:
                present = self._look(course, place)
                if (now := course.place(present)) is not None and now <= place:
                    self._unsure = True
                    said = "Azure accepted the change and does not show it"
                    return self._retreat(f"{said}; some types keep the spelling of a key for ever", present)
        return Done(Result.CHANGED, None, self._before, present, self._writes)

    def _send(self, write: Write) -> None:
        self._hand.may_write()
        if not self._begun:
            self._hand.begin(self._before or {})
            self._begun = True
        send = self._writer.merge if write.operation is Operation.MERGE else self._writer.delete
        send(self._item.resource_id, write.tags, self._ready)

    def _ready(self) -> None:
        """Ask for permission again: the claim, and the wait for its turn, may have taken their time."""
        self._hand.may_write()
        self._writes += 1

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
        write = retreat(self._change, present)
        if write is not None:
            try:
                self._send(write)
            except Refused as error:
                return self._ended(f"{reason}; the copy of a value was left: {error}", present)
            except AzureError as error:
                reason = f"{reason}; the copy of a value could not be removed: {error}"
            present = self._read()
        return self._ended(reason, present)

    def _ended(self, reason: str, after: Tags | None, *, unread: bool = False) -> Done:
        began = self._writes > 0 or self._hand.begun_with is not None
        result = Result.FAILED if began else Result.SKIPPED
        return Done(result, reason, self._before, after, self._writes, unread=unread, unsure=self._unsure and began)


def _unreadable(error: AzureError) -> str:
    return f"it is gone, or not visible: {error}" if isinstance(error, NotFound) else f"it cannot be read: {error}"
