"""One change of tags: the writes it takes, where it stands, what forbids it, and how it is taken back.

Azure has no conditional write of tags. Merge adds tags or changes their values, Delete removes a tag that has the
value named (https://learn.microsoft.com/rest/api/resources/tags/update-at-scope); both leave all other tags alone. So
a change is a course of at most four writes, and the tags of the moment alone tell how far it has come.
Keys compare without case, values with it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from shared_code.foreign_text import one_line
from shared_code.model import TagChange, Tags
from shared_code.tag_keys import HIDDEN, LONGEST_KEY, LONGEST_VALUE, MOST_TAGS, fold

TEMPORARY = "steward-renaming-"
"""Begins the key under which a value waits while the case of its own key is changed."""
_RESERVED = re.compile(r"[<>%&\\?/\x00-\x1f\x7f]")


class Operation(StrEnum):
    """How the Tags API is asked to write."""

    MERGE = "merge"
    DELETE = "delete"


class Write(NamedTuple):
    """One request."""

    operation: Operation
    tags: dict[str, str]


class Held(NamedTuple):
    """A tag as one expects to find it; the spelling None means any."""

    spelling: str | None
    value: str


type View = dict[str, Held | None]
"""What is expected of each named key, by its form without case; None is absent. Other tags do not matter."""


def temporary(name: str) -> str:
    """Return the key under which the value of `name` waits while its case is changed."""
    return TEMPORARY + name


@dataclass(frozen=True)
class Course:
    """The writes of a change in order, and what is seen before the first and after each."""

    writes: tuple[Write, ...]
    views: tuple[View, ...]

    @property
    def end(self) -> int:
        """The number of writes, and the place where all are done."""
        return len(self.writes)

    def place(self, present: Tags) -> int | None:
        """Return how many of the writes the tags show as done, the most that fits; None if they show none of it."""
        places = range(self.end, -1, -1)
        return next((place for place in places if matches(present, self.views[place])), None)


def matches(present: Tags, view: View) -> bool:
    """Tell whether the tags show what is expected."""
    held = _by_fold(present)
    for key, expected in view.items():
        found = held.get(key, [])
        if expected is None:
            if found:
                return False
        elif len(found) != 1 or found[0].value != expected.value or expected.spelling not in (None, found[0].spelling):
            return False
    return True


def problem_of(change: TagChange) -> str | None:
    """Say why a change is none that may ever be made; None if it is sound."""
    names = [*change.set, *change.remove]
    for name in names:
        if fold(name).startswith(HIDDEN) or (name in change.set and fold(name).startswith(TEMPORARY)):
            return f"the key {_shown(name)} is not one of the operator's"
        if not name or len(name) > LONGEST_KEY:
            return f"the key {_shown(name)} does not have 1 to {LONGEST_KEY} characters"
    if wrong := next((name for name in change.set if _RESERVED.search(name)), None):
        return f"the key {_shown(wrong)} has a character that Azure reserves: one of <>%&\\?/ or a control character"
    if too_long := next((name for name, value in change.set.items() if len(value) > LONGEST_VALUE), None):
        return f"the value for {_shown(too_long)} has more than {LONGEST_VALUE} characters"
    for part in (list(change.set), list(change.remove)):
        if len({fold(name) for name in part}) < len(part):
            return "one key is named twice"
    if both := next((name for name in change.remove if name in change.set), None):
        return f"the key {_shown(both)} is both set and removed"
    return None


def course_of(change: TagChange, before: Tags) -> Course:
    """Return the writes that lead from the tags before to what the change wants.

    The case of a key cannot be changed by a Merge: Azure keeps the spelling that is there. Its value is copied under a
    temporary key, the old spelling removed, the new one written, and the copy removed, so that it is never absent.

    Args:
        change: sound, by `problem_of`.
        before: the tags before the first write; no two keys that the change names differ in case alone.
    """
    held = {key: found[0] for key, found in _by_fold(before).items()}
    removed = {fold(name) for name in change.remove}
    recased = {
        name: value
        for name, value in change.set.items()
        if fold(name) in removed and fold(name) in held and held[fold(name)].spelling != name
    }
    folds = {fold(name) for name in recased}
    copies = {temporary(name): value for name, value in recased.items()}
    added = {
        name: value
        for name, value in change.set.items()
        if name not in recased and (fold(name) not in held or held[fold(name)].value != value)
    }
    kept = {fold(name) for name in change.set} - folds
    gone = [held[key] for key in sorted(removed - kept - {fold(copy) for copy in copies}) if key in held]
    # A copy that an earlier change left with this very value serves as well, and goes in the end.
    missing = {
        copy: value for copy, value in copies.items() if fold(copy) not in held or held[fold(copy)].value != value
    }
    writes = [
        Write(Operation.MERGE, added | missing),
        Write(Operation.DELETE, {tag.spelling or "": tag.value for tag in gone}),
        Write(Operation.MERGE, recased),
        Write(Operation.DELETE, copies),
    ]
    named = {fold(name) for name in (*change.set, *change.remove, *copies)}
    view: View = {key: _expected(held.get(key), exact=key in folds) for key in named}
    views = [view]
    for write in writes:
        view = _after(view, write, recased)
        views.append(view)
    done = [place for place, write in enumerate(writes) if write.tags]
    return Course(tuple(writes[place] for place in done), (views[0], *(views[place + 1] for place in done)))


def obstacle(change: TagChange, seen: Tags, present: Tags, conditions: Iterable[str] = ()) -> str | None:
    """Say why a change that was planned may not begin; None if it may.

    Args:
        change: as planned.
        seen: the tags that the plan was made from.
        present: the tags as read just now.
        conditions: other keys that decide whether the rule applies at all.
    """
    if problem := problem_of(change):
        return f"the plan asks for what cannot be: {problem}"
    names = [*change.set, *change.remove]
    held, was = _by_fold(present), _by_fold(seen)
    if twice := next((name for name in names if len(held.get(fold(name), ())) > 1), None):
        return f"there are several keys {_shown(twice)} that differ in case alone; remove all but one by hand"
    course = course_of(change, present)
    if not course.writes:
        return "it is already as wanted"
    for name in (*names, *conditions):
        if why := _changed(name, was.get(fold(name), []), held.get(fold(name), [])):
            return f"{why} since the plan was made"
    first = course.writes[0]
    copies = [fold(name) for name in first.tags if fold(name).startswith(TEMPORARY)]
    if first.operation is Operation.MERGE and (left := next((key for key in copies if key in held), None)):
        return f"the key {_shown(held[left][0].spelling or '')} is left from an earlier change; mend it by hand"
    if alike := next(_taken_for(names, held), None):
        return f"Azure may take the key {_shown(alike)} for one that the plan names"
    most = len(present) + sum(fold(name) not in held for name in first.tags)
    if first.operation is Operation.MERGE and most > MOST_TAGS:
        return f"there would be {most} tags for a moment, and Azure keeps {MOST_TAGS}"
    return None


def retreat(change: TagChange, present: Tags) -> Write | None:
    """Return the write that removes copies which are no longer needed after a change that failed; None if none are.

    A copy is needed as long as its key is not there.
    """
    held = _by_fold(present)
    copies: dict[str, str] = {}
    for name, value in change.set.items():
        found = held.get(fold(temporary(name)), [])
        if len(found) == 1 and found[0].value == value and fold(name) in held:
            copies[found[0].spelling or ""] = value
    return Write(Operation.DELETE, copies) if copies else None


def difference(course: Course, present: Tags) -> str:
    """Say what of the tags is neither as it was before the change nor as it is to be after any of its writes."""
    held = _by_fold(present)
    for key in sorted(course.views[0]):
        found = held.get(key, [])
        if not any(
            matches({tag.spelling or "": tag.value for tag in found}, {key: view[key]}) for view in course.views
        ):
            return _present(found[0].spelling or key if found else key, found)
    return "its tags changed while they were written"


def inverse(change: TagChange, before: Tags, after: Tags | None, present: Tags) -> TagChange | str:
    """Return the change that gives back what was there before, or the reason why it is left as it is.

    Args:
        change: what was made, wholly or in part.
        before: the tags before.
        after: the tags it left, as verified; None if nobody knows: then present tags on its course count as left by it.
        present: the tags as read just now.
    """
    if after is None:
        # Copies come and go, on the course and on the retreat from it.
        views = [
            {key: tag for key, tag in view.items() if not key.startswith(TEMPORARY)}
            for view in course_of(change, before).views
        ]
        if not any(matches(present, view) for view in views):
            return "its tags were changed since, and what this change left is not known"
        after = present
    was, left, held = _by_fold(before), _by_fold(after), _by_fold(present)
    wanted: dict[str, str] = {}
    removed: list[str] = []
    copies = [temporary(name) for name in change.set]
    for name in {fold(name): name for name in (*change.set, *change.remove, *copies)}.values():
        key = fold(name)
        old, new, now = was.get(key, []), left.get(key, []), held.get(key, [])
        if now == old or new == old:
            continue
        if now != new or max(len(old), len(now)) > 1:
            return f"{_present(now[0].spelling or name if now else name, now)} by now"
        removed += [tag.spelling or "" for tag in now if not old or tag.spelling != old[0].spelling]
        wanted |= {tag.spelling or "": tag.value for tag in old}
    if not wanted and not removed:
        return "it is as it was before"
    return TagChange(set=wanted, remove=tuple(removed))


def _by_fold(tags: Mapping[str, str | None]) -> dict[str, list[Held]]:
    found: dict[str, list[Held]] = {}
    for name, value in tags.items():
        found.setdefault(fold(name), []).append(Held(name, value or ""))
    return found


def _taken_for(names: Iterable[str], held: Mapping[str, list[Held]]) -> Iterator[str]:
    """Give the keys that are others than those named, and would not be under some other rule of case."""
    folds = {fold(name) for name in names}
    loose = {form for name in names for form in _loose(name)}
    yield from (found[0].spelling or "" for key, found in held.items() if key not in folds and loose & {*_loose(key)})


def _loose(name: str) -> tuple[str, str]:
    return name.casefold(), name.upper().casefold()


def _expected(held: Held | None, *, exact: bool) -> Held | None:
    return held if held is None or exact else Held(None, held.value)


def _after(view: View, write: Write, exact: Collection[str]) -> View:
    if write.operation is Operation.DELETE:
        return view | dict.fromkeys(map(fold, write.tags))
    return view | {fold(name): Held(name if name in exact else None, value) for name, value in write.tags.items()}


def _changed(name: str, was: Iterable[Held], now: Iterable[Held]) -> str | None:
    """Say how a tag differs from what was seen; its spelling alone is no difference."""
    old, new = [tag.value for tag in was], [tag.value for tag in now]
    if old == new:
        return None
    if not new:
        return f"the tag {_shown(name)} was removed"
    if not old:
        return f"the tag {_shown(name)} was added, with the value {_shown(new[0])},"
    return f"the tag {_shown(name)} was changed to {_shown(new[0])}"


def _present(name: str, found: list[Held]) -> str:
    if not found:
        return f"the tag {_shown(name)} is not there"
    return f"the tag {_shown(name)} has the value {_shown(found[0].value)}"


def _shown(text: str) -> str:
    return f"'{one_line(text, 80)}'"
