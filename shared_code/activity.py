"""Who wrote to what: evidence from the activity log, and what that evidence does not cover.

Azure keeps the activity log for 90 days, and says nowhere else who created a resource:
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log
"""

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import msgspec

from shared_code.foreign_text import one_line
from shared_code.resource_ids import key
from shared_code.times import text_of

LONGEST_SPAN = timedelta(days=90)
"""How far back the activity log reaches."""
CREATION_TAKES = timedelta(hours=1)
"""The first write is the creation if it succeeded at most this long before or after Azure's own time of creation."""
_SHOWN = 320
_NAMED = 3

# Nothing but the characters a sign-in name may have, so that no markup, control character or free text is taken for
# a person: https://learn.microsoft.com/entra/identity/hybrid/connect/plan-connect-userprincipalname
_PERSON = re.compile(r"(?=.{3,254}\Z)[\w.'!#^~+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_APPLICATION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


class CallerKind(StrEnum):
    """Who a caller is, as far as its spelling tells."""

    PERSON = "person"
    """A sign-in name; the only kind that can own something."""
    APPLICATION = "application"
    """The id of a service principal or a managed identity."""
    PLATFORM = "platform"
    """A resource provider, Azure itself, or a text that tells nothing."""


def kind_of(caller: str) -> CallerKind:
    """Tell who a caller is; anything that is not surely a person or an application counts as the platform."""
    if _PERSON.fullmatch(caller):
        return CallerKind.PERSON
    return CallerKind.APPLICATION if _APPLICATION.fullmatch(caller) else CallerKind.PLATFORM


class Write(msgspec.Struct, frozen=True, order=True):
    """One successful write: when (UTC) and by whom; `caller` is one line of foreign text."""

    at: datetime
    caller: str
    kind: CallerKind


def write_of(at: datetime, caller: str) -> Write:
    """Make a write of what the log says; the kind is judged by the whole text, before it is shortened."""
    return Write(at, *_known(caller))


@lru_cache(maxsize=4096)
def _known(caller: str) -> tuple[str, CallerKind]:
    return one_line(caller, _SHOWN), kind_of(caller)


class Writers(msgspec.Struct, frozen=True):
    """The first and the last successful write to one thing within a span."""

    first: Write
    last: Write

    def merged(self, other: "Writers") -> "Writers":
        """Return what both together say; where two wrote at one moment, the order of their names decides."""
        return Writers(min(self.first, other.first), max(self.last, other.last))


class Span(msgspec.Struct, frozen=True):
    """From `since` on and before `until`, UTC; `cut` says that more was asked for than the log keeps."""

    since: datetime
    until: datetime
    cut: bool = False


def span_of(since: datetime, until: datetime) -> Span:
    """Return the part of that time which the log can cover.

    Raises:
        ValueError: a moment has no time zone, or the span is empty; a programming error.
    """
    if since.tzinfo is None or until.tzinfo is None or since >= until:
        raise ValueError("a span of the activity log goes from an aware moment to a later one")
    earliest = until - LONGEST_SPAN
    return Span(since, until) if since >= earliest else Span(earliest, until, cut=True)


class Asked(msgspec.Struct, frozen=True):
    """What reading took: queries, rows received, and how often a query was split because its answer did not fit."""

    queries: int = 0
    rows: int = 0
    splits: int = 0


class Suggestion(msgspec.Struct, frozen=True):
    """A person who may be the owner, and why, as one line."""

    owner: str
    reason: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the log tells about some subscriptions, and where it tells nothing.

    `available` is False where nothing at all is known. `complete` is True only where every subscription was read to
    its end and the log holds events of it. `reason` says in a sentence what is missing; None where nothing is.
    `writers` are by the keys of the ids. `recorded` says for each subscription, by the key of its id, since when there
    are events of it; of one that is not there nothing may be concluded, least of all that nobody did anything.
    """

    span: Span
    available: bool
    complete: bool
    reason: str | None = None
    writers: dict[str, Writers] = {}
    recorded: dict[str, datetime] = {}
    asked: Asked = Asked()

    def of(self, resource_id: str) -> Writers | None:
        """Return who wrote to it; None where nobody did or nothing is known, which `written` tells apart."""
        return self.writers.get(key(resource_id))

    def recorded_since(self, resource_id: str) -> datetime | None:
        """Return since when the log holds events of its subscription; None where it holds none."""
        return self.recorded.get(_subscription(key(resource_id)))

    def written(self, resource_id: str) -> bool | None:
        """Tell whether anybody wrote to it since `recorded_since`; None is no evidence, which is not "no"."""
        if self.recorded_since(resource_id) is None:
            return None
        return self.of(resource_id) is not None

    def creator(self, resource_id: str, created: datetime | None = None) -> Write | None:
        """Return the write that created it; None where that is not known.

        Args:
            resource_id: in any case.
            created: when Azure says it was created. The first write may be a change, or belong to an earlier thing of
                that name; it is taken for the creation only near that time. None, unknown: the first write is taken.
        """
        found = self.of(resource_id)
        if found is None or (created is not None and abs(found.first.at - created) > CREATION_TAKES):
            return None
        return found.first

    def suggested_owner(self, resource_id: str, created: datetime | None = None) -> Suggestion | None:
        """Return the person who created it, else the person who wrote to it last; None where neither is known.

        Args:
            resource_id: in any case.
            created: as for `creator`.
        """
        creator = self.creator(resource_id, created)
        if creator is not None and creator.kind is CallerKind.PERSON:
            done = "created it" if created is not None else "was the first to write to it that the activity log knows"
            return Suggestion(creator.caller, f"{done}, {text_of(creator.at)}")
        found = self.of(resource_id)
        if found is None or found.last.kind is not CallerKind.PERSON:
            return None
        return Suggestion(found.last.caller, f"was the last to write to it, {text_of(found.last.at)}")


def no_evidence(span: Span, reason: str) -> Evidence:
    """Return the evidence that says nothing, and why."""
    return Evidence(span=span, available=False, complete=False, reason=reason)


class Gathering:
    """What was read so far for some subscriptions; `evidence` is the judgement at the end."""

    def __init__(self, subscriptions: Collection[str], span: Span) -> None:
        """Begin with nothing read; subscriptions by their ids, in any case."""
        self._wanted = dict.fromkeys(map(key, subscriptions))
        self._span = span
        self._writers: dict[str, Writers] = {}
        self._recorded: dict[str, datetime] = {}
        self._unread: dict[str, str] = {}

    @property
    def recorded(self) -> dict[str, datetime]:
        """Since when there are events, by the keys of the ids of subscriptions."""
        return self._recorded

    @property
    def unread(self) -> frozenset[str]:
        """The keys of the ids of the subscriptions that were missed."""
        return frozenset(self._unread)

    def record(self, subscription: str, since: datetime) -> None:
        """Note that the log holds an event of a subscription; the earliest one counts."""
        folded = key(subscription)
        if folded in self._wanted:
            self._recorded[folded] = min(since, self._recorded.get(folded, since))

    def add(self, resource_id: str, first: Write, last: Write) -> None:
        """Note who wrote to a thing; two spellings of an id, and two parts of the span, are one thing."""
        folded = key(resource_id)
        if _subscription(folded) not in self._wanted:
            return
        found = Writers(first, first if first == last else last)  # one value for most things; there may be many
        known = self._writers.get(folded)
        self._writers[folded] = found if known is None else known.merged(found)

    def miss(self, subscriptions: Iterable[str], reason: str) -> None:
        """Note that these were not read to their end; what was read of them counts for nothing.

        The last write that was seen need not be the last, so half of a log is no evidence of it.
        """
        for subscription in subscriptions:
            self._unread.setdefault(key(subscription), reason)

    def evidence(self, asked: Asked) -> Evidence:
        """Judge what was read."""
        recorded = {
            each: since for each, since in self._recorded.items() if each in self._wanted and each not in self._unread
        }
        silent = [each for each in self._wanted if each not in recorded and each not in self._unread]
        reasons = list(dict.fromkeys(self._unread.values()))
        if silent:
            reasons.append(
                f"the workspace holds no events of {_named(silent)}; send the activity log there with a diagnostic"
                " setting of the subscription"
            )
        return Evidence(
            span=self._span,
            available=bool(recorded) or not self._wanted,
            complete=not reasons,
            reason="; ".join(reasons) or None,
            writers={each: found for each, found in self._writers.items() if _subscription(each) in recorded},
            recorded=recorded,
            asked=asked,
        )


def _subscription(folded: str) -> str:
    """Return the key of the id of the subscription that a key is in; nothing for one that is in none."""
    parts = folded.split("/", 3)
    return parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else ""


def _named(subscriptions: list[str]) -> str:
    some = ", ".join(f"'{one_line(each, 64)}'" for each in subscriptions[:_NAMED])
    more = len(subscriptions) - _NAMED
    plural = "s" if len(subscriptions) > 1 else ""
    return f"subscription{plural} {some}" + (f" and {more:,} more" if more > 0 else "")
