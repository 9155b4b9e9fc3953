"""Snoozes: somebody asks that a rule leave one resource alone until a time; objects of their own in the store."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec

from shared_code.errors import InvalidRequest, Unknown
from shared_code.foreign_text import one_line
from shared_code.plan import is_in
from shared_code.resource_ids import group_key, key, scopes_of, type_and_name
from shared_code.store import Store
from shared_code.tag_formats import is_guid
from shared_code.times import text_of
from shared_code.versions import Expected, put

FOLDER = "snoozes"
LONGEST = timedelta(days=366)
"""The furthest that a snooze may reach; whoever wants more protects the thing, where everybody sees it."""
LONGEST_ID = 2048
LONGEST_REASON = 1000
LONGEST_NAME = 256

SNOOZE_ID = "[0-9a-f]{64}"
"""The form of a snooze's id."""
_ID = re.compile(SNOOZE_ID)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EXAMPLE = "write it as in 2026-12-31 or 2026-12-31T18:00:00Z"

type Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Snooze(msgspec.Struct, frozen=True, kw_only=True):
    """`snoozes/{id}.json`: the rule leaves the resource alone until then; times are UTC.

    `until` is None in one that cannot be read: it counts until somebody removes it.
    """

    resource_id: str
    rule: str
    until: Moment | None
    by: str
    reason: str
    at: Moment | None

    @property
    def is_damaged(self) -> bool:
        """Whether it stands for an object that cannot be read."""
        return self.until is None

    def is_active(self, now: datetime) -> bool:
        """Tell whether it is in force."""
        return self.until is None or now < self.until

    @property
    def sentence(self) -> str:
        """Until when it is left alone, who wants that, and why."""
        why = one_line(self.reason, LONGEST_REASON)
        if self.until is None:
            return why
        return f"until {text_of(self.until)} by {one_line(self.by, LONGEST_NAME)}: {why}"


class Found(NamedTuple):
    """A snooze as it was read, and the etag of that version."""

    snooze: Snooze
    etag: str


_decode = msgspec.json.Decoder(Snooze).decode


def snooze_id(rule: str, resource_id: str) -> str:
    """Return the id of the snooze of that rule and resource: the same however the resource's id is spelled."""
    return hashlib.sha256(f"{rule}\n{key(resource_id)}".encode(errors="surrogatepass")).hexdigest()


def until_of(text: str, now: datetime) -> datetime:
    """Read until when something is snoozed; a day without a time is included, and ends at midnight UTC.

    Raises:
        InvalidRequest: it is no such time, has no zone, has passed, or is more than a year ahead.
    """
    given = text.strip()
    shown = one_line(given, 60)
    try:
        if _DAY.fullmatch(given):
            until = datetime.combine(date.fromisoformat(given), time(), UTC) + timedelta(days=1)
        else:
            until = datetime.fromisoformat(given)
            if until.tzinfo is None:
                raise InvalidRequest(f"'{shown}' has no time zone, so it may mean several moments; {_EXAMPLE}.")
            until = until.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidRequest(f"'{shown}' is no day or time; {_EXAMPLE}.") from None
    if until <= now:
        raise InvalidRequest(f"'{shown}' has passed; snooze until a day or a time that is to come.")
    if until - now > LONGEST:
        raise InvalidRequest(
            f"'{shown}' is more than {LONGEST.days} days ahead; snooze until an earlier day, or protect it by a tag."
        )
    return until


class Snoozes:
    """The snoozes in the store; what cannot be read there counts as one that never ends."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set(
        self,
        rule: str,
        resource_id: str,
        *,
        until: str,
        by: str,
        reason: str,
        now: datetime,
        expected: Expected | None = None,
    ) -> Snooze:
        """Snooze a rule for a resource, over any earlier snooze of the two.

        Args:
            rule: its name.
            resource_id: the id of a resource or a resource group, in any spelling.
            until: a day or a time, as people write it.
            by: who wants it.
            reason: why.
            now: aware.
            expected: what has to be there; None for whatever is.

        Raises:
            InvalidRequest: one of them will not do.
            AlreadyExists, Changed: something else is there than expected.
            StoreError: the store cannot be written.
        """
        check_names(rule, resource_id)
        if not reason.strip():
            raise InvalidRequest("The reason is blank; say why, for whoever wonders later.")
        if len(reason) > LONGEST_REASON or len(by) > LONGEST_NAME:
            raise InvalidRequest(
                f"A reason has at most {LONGEST_REASON:,} characters, and a name {LONGEST_NAME}; shorten it."
            )
        snooze = Snooze(
            resource_id=resource_id,
            rule=rule,
            until=until_of(until, now),
            by=one_line(by, LONGEST_NAME),
            reason=one_line(reason, LONGEST_REASON),
            at=now.astimezone(UTC),
        )
        put(self._store, _key(snooze_id(rule, resource_id)), msgspec.json.encode(snooze), expected)
        return snooze

    def remove(self, snooze: str) -> None:
        """End a snooze, a damaged one too.

        Raises:
            Unknown: there is none of that id.
            StoreError: the store cannot be read or written.
        """
        if self._store.read(_key(snooze)) is None:
            raise _unknown(snooze)
        self._store.delete(_key(snooze))

    def get(self, snooze: str) -> Snooze:
        """Return the snooze of that id, in force or not.

        Raises:
            Unknown: there is none of that id.
            StoreError: the store cannot be read.
        """
        found = self.find(snooze)
        if found is None:
            raise _unknown(snooze)
        return found.snooze

    def find(self, snooze: str) -> Found | None:
        """Return the snooze of that id and its version; None if there is none.

        Raises:
            Unknown: that is no id of a snooze.
            StoreError: the store cannot be read.
        """
        stored = self._store.read(_key(snooze))
        return None if stored is None else Found(_read(snooze, stored.data), stored.etag)

    def all(self) -> dict[str, Snooze]:
        """Return every snooze by its id (`snooze_id`), in force or not.

        Raises:
            StoreError: the store cannot be read.
        """
        found: dict[str, Snooze] = {}
        for name in list(self._ids()):
            stored = self._store.read(_key(name))
            if stored is not None:
                found[name] = _read(name, stored.data)
        return found

    def page(self, limit: int, after: str | None = None) -> tuple[dict[str, Snooze], str | None]:
        """Return some snoozes by their ids, in their order, and after which to go on; None at the end.

        Args:
            limit: how many at most.
            after: only those after this id.

        Raises:
            StoreError: the store cannot be read.
        """
        names = sorted(name for name in self._ids() if after is None or name > after)
        found = {name: each.snooze for name in names[:limit] if (each := self.find(name))}
        return found, names[limit - 1] if len(names) > limit else None

    def remove_expired(self, before: datetime) -> int:
        """Remove the snoozes that ended before a time, and return how many; a damaged one stays.

        Raises:
            StoreError: the store cannot be read or written.
        """
        old = [name for name, snooze in self.all().items() if snooze.until is not None and snooze.until < before]
        for name in old:
            self._store.delete(_key(name))
        return len(old)

    def _ids(self) -> Iterator[str]:
        for stored in self._store.keys(FOLDER):
            name = stored.removeprefix(f"{FOLDER}/").removesuffix(".json")
            if _ID.fullmatch(name) and stored == _key(name):
                yield name


def about(snoozes: Mapping[str, Snooze], rule: str, resource_id: str, now: datetime) -> Snooze | None:
    """Return a snooze that keeps a thing from being deleted for a rule; None if there is none in force.

    That is one of the rule for the thing or for what it lies in, and one of any rule for something in it, which would
    go with it.

    Args:
        snoozes: all there are, by id.
        rule: that wants it gone.
        resource_id: of the thing, in any spelling.
        now: aware.
    """
    exact = snoozes.get(snooze_id(rule, resource_id))
    if exact is not None and exact.is_active(now):
        return exact
    own, scopes = key(resource_id), frozenset(scopes_of(resource_id))
    for name in sorted(snoozes):
        snooze = snoozes[name]
        if snooze.is_damaged or not snooze.is_active(now):
            continue
        place = key(snooze.resource_id)
        if (place in scopes and snooze.rule == rule) or place.startswith(f"{own}/"):
            return snooze
    return None


def view_of(name: str, snooze: Snooze, now: datetime) -> dict[str, Any]:
    """Return a snooze as API and command show it."""
    return {"id": name, "active": snooze.is_active(now), **msgspec.to_builtins(snooze)}


def check_names(rule: str, resource_id: str) -> None:
    """Return if that could be snoozed.

    Raises:
        InvalidRequest: there is no such rule of cleanup, or it is no id of a resource or a resource group.
    """
    from shared_code.cleanup_rules import RULES  # here, since indexing the app needs none of them

    if rule not in RULES:
        names = ", ".join(sorted(RULES))
        raise InvalidRequest(f"There is no cleanup rule '{one_line(rule, 80)}'; there are {names}.")
    subscription = (resource_id.split("/")[2:3] or [""])[0]
    is_whole = group_key(resource_id) == key(resource_id) or type_and_name(key(resource_id)) is not None
    safe = len(resource_id) <= LONGEST_ID and resource_id.isprintable()
    if not (safe and is_guid(subscription) and is_in(resource_id, subscription) and is_whole):
        example = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-legacy"
        shown = one_line(resource_id, 200)
        raise InvalidRequest(f"'{shown}' is no id of a resource or a resource group; write one such as {example}.")


def _read(name: str, data: bytes) -> Snooze:
    try:
        snooze = _decode(data)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return _damaged(name)
    return _damaged(name) if snooze.until is None or snooze_id(snooze.rule, snooze.resource_id) != name else snooze


def _damaged(name: str) -> Snooze:
    reason = f"the snooze in '{_key(name)}' cannot be read, so it counts; DELETE /api/snoozes/{name} removes it"
    return Snooze(resource_id="", rule="", until=None, by="", reason=reason, at=None)


def _key(name: str) -> str:
    if not _ID.fullmatch(name):
        raise _unknown(name)
    return f"{FOLDER}/{name}.json"


def _unknown(name: str) -> Unknown:
    return Unknown(f"There is no snooze '{one_line(name, 80)}'; list them with 'steward snoozes' or GET /api/snoozes.")
