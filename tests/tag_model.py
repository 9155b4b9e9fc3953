"""An Azure in process that keeps tags as Resource Manager does, and misbehaves by script; and changes to make there.

What a Merge and a Delete do is the simulator's own model of the Tags API.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
from hypothesis import strategies as st

from devkit.simulator import tagging
from shared_code.errors import AccessDenied, AzureError, Conflict, NotFound, Rejected, Throttled, Unreachable
from shared_code.model import TagChange, Tags
from shared_code.tag_changes import temporary
from shared_code.tag_keys import fold
from tests.stores import Killed

type Plain = dict[str, str]

FAULTS: dict[str, Callable[[], BaseException]] = {
    "conflict": lambda: Conflict("409"),
    "throttled": lambda: Throttled("429"),
    "trouble": lambda: AzureError("503"),
    "lost": lambda: Unreachable("no answer"),
    "locked": lambda: Rejected("a lock"),
    "forbidden": lambda: AccessDenied("no role"),
    "gone": lambda: NotFound("gone"),
    "killed": Killed,
}
PASSING = ("conflict", "throttled", "trouble", "lost")
LASTING = ("locked", "forbidden", "gone")


def made(fault: str) -> BaseException:
    """The exception of that name."""
    return FAULTS[fault]()


class Trouble(NamedTuple):
    """What happens at one call: to the caller, before or after it took effect; and what somebody else writes first.

    `late` answers of a reading are as old as so many changes.
    """

    fault: str = ""
    after: bool = False
    other: Mapping[str, str | None] | None = None
    late: int = 0


class Change(NamedTuple):
    """One change of the tags at a scope, by us or by somebody else."""

    scope: str
    by_us: bool
    before: Plain
    after: Plain
    write: tuple[str, Plain]
    seen_last: Plain | None


class ModelTags:
    """The port TagWriter over tags in memory."""

    def __init__(
        self, tags: Mapping[str, Mapping[str, str]], script: Mapping[tuple[str, int], Trouble] | None = None
    ) -> None:
        """Prepare.

        Args:
            tags: by scope.
            script: the trouble at a scope's call of that number, from 0.
        """
        self.now: dict[str, Plain] = {scope: dict(each) for scope, each in tags.items()}
        self.script = dict(script or {})
        self.changes: list[Change] = []
        self.sent: list[tuple[str, str, Plain]] = []
        self.calls: Counter[str] = Counter()
        self.before_call: Callable[[], None] = lambda: None
        self.keeps_spelling = False
        self.refused = 0
        self._states: dict[str, list[Plain]] = defaultdict(list)
        self._seen: dict[str, Plain] = {}
        self._mutex = threading.RLock()

    def tags(self, scope: str) -> Tags:
        with self._call(scope) as trouble:
            states = [*self._states[scope], self.now[scope]]
            self._seen[scope] = dict(states[max(0, len(states) - 1 - trouble.late)])
            return dict(self._seen[scope])

    def merge(self, scope: str, tags: Plain, ready: Callable[[], None] = lambda: None) -> None:
        ready()
        self._write(scope, "Merge", tags)

    def delete(self, scope: str, tags: Plain, ready: Callable[[], None] = lambda: None) -> None:
        ready()
        self._write(scope, "Delete", tags)

    def somebody_else(self, scope: str, changes: Mapping[str, str | None]) -> None:
        """Let another writer set tags, or remove those whose value is None."""
        gone = {name: "" for name, value in changes.items() if value is None}
        kept = {name: value for name, value in changes.items() if value is not None}
        for operation, tags in (("Delete", gone), ("Merge", kept)):
            if tags:
                self._apply(scope, operation, tags, by_us=False)

    def last_read(self, scope: str) -> Plain:
        """What was read last."""
        return self._seen[scope]

    def _write(self, scope: str, operation: str, tags: Plain) -> None:
        self.refused += 1
        with self._call(scope):
            self.refused -= 1
            self.sent.append((scope, operation, dict(tags)))
            self._apply(scope, operation, tags, by_us=True)

    @contextmanager
    def _call(self, scope: str) -> Iterator[Trouble]:
        self.before_call()
        with self._mutex:
            trouble = self.script.get((scope, self.calls[scope]), Trouble())
            self.calls[scope] += 1
            if trouble.other:
                self.somebody_else(scope, trouble.other)
            if trouble.fault and not trouble.after:
                raise made(trouble.fault)
            if scope not in self.now:
                raise NotFound("gone")
            yield trouble
            if trouble.fault:
                raise made(trouble.fault)

    def _apply(self, scope: str, operation: str, tags: Plain, *, by_us: bool) -> None:
        before = self.now[scope]
        body = msgspec.json.encode({"operation": operation, "properties": {"tags": tags}})
        try:
            after = tagging.written(before, "PATCH", body)
        except tagging.TagsRefused as refused:
            if by_us:
                raise Rejected(str(refused.reply.body)) from refused
            return
        if self.keeps_spelling:
            spelled = {fold(name): name for state in (*self._states[scope], before) for name in state}
            after = {spelled.get(fold(name), name): value for name, value in after.items()}
        seen = self._seen.get(scope)
        self.changes.append(Change(scope, by_us, before, after, (operation, dict(tags)), seen))
        self._states[scope].append(before)
        self.now[scope] = after


KEYS = ("owner", "Env", "cost center", "Équipe", "team", "a-very-😀-key")
VALUES = ("", "prod", "Prod", "x@example.com", "<b>", "=1+1", "א")


def spelled(name: str) -> st.SearchStrategy[str]:
    """A key in some spelling."""
    return st.sampled_from(sorted({name, name.upper(), name.lower(), name.capitalize()}))


@st.composite
def tag_sets(draw: st.DrawFn) -> Plain:
    """Tags of which no two keys differ in case alone."""
    names = draw(st.lists(st.sampled_from(KEYS), unique=True))
    return {draw(spelled(name)): draw(st.sampled_from(VALUES)) for name in names}


@st.composite
def changes_of(draw: st.DrawFn, tags: Plain) -> TagChange:
    """A change that a rule might propose for these tags: added, mapped, renamed, re-cased or removed, or several."""
    wanted: Plain = {}
    removed: list[str] = []
    left = {fold(name): name for name in tags}
    for name in draw(st.lists(st.sampled_from(KEYS), unique=True, min_size=1, max_size=3)):
        present = left.get(fold(name))
        if present is None:
            wanted[draw(spelled(name))] = draw(st.sampled_from(VALUES))
            continue
        match draw(st.sampled_from(("map", "rename", "recase", "remove"))):
            case "map":
                wanted[present] = draw(st.sampled_from(VALUES))
            case "rename":
                wanted[f"new-{name}"] = tags[present]
                removed.append(present)
            case "recase":
                other = draw(spelled(name))
                wanted[other] = draw(st.sampled_from((tags[present], "mapped")))
                if other != present:
                    removed.append(present)
            case _:
                removed.append(present)
    return TagChange(set=wanted, remove=tuple(removed))


def wanted_of(change: TagChange, tags: Plain) -> Plain:
    """What the tags are when the change is made and nobody else writes; written down without looking at the code."""
    result = dict(tags)
    for name, value in change.set.items():
        present = next((each for each in result if fold(each) == fold(name)), None)
        if present is not None and present in change.remove:
            del result[present]
            present = None
        result[present or name] = value
    for name in change.remove:
        if name in result and not any(fold(name) == fold(each) for each in change.set):
            del result[name]
    return result


def named_by(change: TagChange) -> set[str]:
    """The keys that a change may touch, without case."""
    return {fold(name) for name in (*change.set, *change.remove, *map(temporary, change.set))}


def untouched(change: TagChange, tags: Plain) -> Plain:
    """The tags that a change may not touch."""
    return {name: value for name, value in tags.items() if fold(name) not in named_by(change)}


def carried(change: TagChange, tags: Plain) -> set[str]:
    """The values that are there under any key that the change names."""
    return {value for name, value in tags.items() if fold(name) in named_by(change)}
