"""The memory of notices: which thing was told to whom, so that nothing is told twice.

It is NDJSON by resource id and rule, compared and written as a stream. An entry is about one sighting of a thing: where
that has healed and comes back, `first_seen` is another one, and it is told anew.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec

from shared_code.errors import UNREADABLE, AlreadyExists, Changed, Damaged
from shared_code.ndjson import pieces
from shared_code.notices.things import Place, Stage, Thing
from shared_code.resource_ids import key
from shared_code.store import Store

FOLDER = "notified"
OWNER = "owner"
"""The audience of digests: whoever owns a thing when there is something to tell, or the fallback."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What was told of one thing: audience and stage, such as `owner found`."""

    rule: str
    resource_id: str
    first_seen: datetime | None
    told: tuple[str, ...]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return key(self.resource_id), self.rule


class Head(msgspec.Struct, frozen=True):
    """`notified/{job}.json`: the run that left the memory, in `notified/{job}/{run}.ndjson`."""

    run: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


def side_by_side(entries: Iterable[Entry], things: Iterable[Thing]) -> Iterator[tuple[Entry | None, Thing | None]]:
    """Give each entry with its thing, in order; either may be missing.

    Raises:
        Damaged: one of them is out of order.
    """
    left, right = _in_order(entries, "what was told"), _in_order(things, "what is to be told")
    entry, thing = next(left, None), next(right, None)
    while entry is not None or thing is not None:
        if thing is None or (entry is not None and entry.place < thing.place):
            yield entry, None
            entry = next(left, None)
        elif entry is None or thing.place < entry.place:
            yield None, thing
            thing = next(right, None)
        else:
            yield entry, thing
            entry, thing = next(left, None), next(right, None)


def _in_order[Item: (Entry, Thing)](items: Iterable[Item], name: str) -> Iterator[Item]:
    last: Place | None = None
    for each in items:
        place = each.place
        if last is not None and place <= last:
            raise Damaged(f"{name} is not in the order of resource ids and rules, at '{place[0]}'.")
        last = place
        yield each


def owed(entry: Entry | None, thing: Thing, audience: str) -> tuple[Stage, ...]:
    """Return what of a thing an audience was not told yet; who knows of the plan knows that it was found."""
    told = _told(entry, thing)
    if thing.stage is None or word(audience, Stage.PLANNED) in told:
        return ()
    reached = (Stage.FOUND, Stage.PLANNED) if thing.stage is Stage.PLANNED else (Stage.FOUND,)
    return tuple(stage for stage in reached if word(audience, stage) not in told)


def word(audience: str, stage: Stage) -> str:
    """Return how an entry says that an audience was told of a stage."""
    return f"{audience} {stage}"


def _told(entry: Entry | None, thing: Thing) -> tuple[str, ...]:
    return entry.told if entry is not None and entry.first_seen == thing.first_seen else ()


def remembered(
    entry: Entry | None, thing: Thing | None, told: Iterable[str], lasts: Callable[[str], bool]
) -> Entry | None:
    """Return what is to be remembered of a thing from now on; None if nothing.

    Args:
        entry: what was remembered.
        thing: what there is now.
        told: what audiences were told by this run.
        lasts: tells of a resource that this run does not name whether nobody has looked for it.
    """
    if thing is None:
        return entry if entry is not None and lasts(entry.resource_id) else None
    words = tuple(dict.fromkeys((*_told(entry, thing), *told)))
    if not words:
        return None
    return Entry(rule=thing.rule, resource_id=thing.resource_id, first_seen=thing.first_seen, told=words)


class Memory:
    """What was told about one job's things, as it is now."""

    def __init__(self, store: Store, job: str) -> None:
        """Find out which version there is.

        Raises:
            Damaged: it cannot be understood.
            StoreError: the store cannot be read.
        """
        self._store, self._job = store, job
        stored = store.read(f"{FOLDER}/{job}.json")
        self._etag = stored.etag if stored else None
        try:
            self._head = msgspec.json.decode(stored.data, type=Head) if stored else None
        except UNREADABLE as error:
            raise self._damaged(f"{FOLDER}/{job}.json", error) from error

    def entries(self) -> Iterator[Entry]:
        """Give what is remembered, in order.

        Raises:
            Damaged: it cannot be understood.
            StoreError: the store cannot be read.
        """
        if self._head is None:
            return
        name = self._key(self._head.run)
        for line in self._store.lines(name):
            try:
                yield _decode(line)
            except UNREADABLE as error:
                raise self._damaged(name, error) from error

    def keep(self, run: str, entries: Iterable[Entry]) -> None:
        """Make this what is remembered, unless somebody else has meanwhile.

        Raises:
            Changed: somebody has; that stays.
            StoreError: the store cannot be read or written.
        """
        with self._store.writer(self._key(run)) as output:
            for piece in pieces(map(_encode, entries)):
                output.write(piece)
        name, head = f"{FOLDER}/{self._job}.json", _encode(Head(run))
        try:
            if self._etag is None:
                self._store.create(name, head)
            else:
                self._store.replace(name, head, self._etag)
        except AlreadyExists as error:
            raise Changed(str(error)) from error
        for old in list(self._store.keys(f"{FOLDER}/{self._job}")):
            if old != self._key(run):
                self._store.delete(old)

    def _key(self, run: str) -> str:
        return f"{FOLDER}/{self._job}/{run}.ndjson"

    def _damaged(self, name: str, error: Exception) -> Damaged:
        return Damaged(
            f"What was told, '{name}', cannot be read: {error}; remove it, and all that is open is told anew."
        )
