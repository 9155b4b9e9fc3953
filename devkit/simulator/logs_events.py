"""The activity log: what an estate's people, programs and providers did, and what a test adds.

Ids, operations and states are spelled as differently as Azure's are (oddity 64).
"""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zlib import crc32

from msgspec import Struct

from devkit.simulator.model import Estate, Subscription

KEPT = timedelta(days=90)
"""Older events are not there any more."""
PEOPLE = (
    "developer@example.com",
    "Platform.Engineer@example.com",
    "guest_example.com#EXT#@shop.example.com",
    "developer-2@example.com",
)
PROGRAMS = ("0e000000-0000-4000-8000-00000000000a", "0e000000-0000-4000-8000-00000000000B")
PROVIDERS = ("Microsoft.Insights/autoscaleSettings", "Microsoft.Advisor", "Azure Policy")
_GROUP = "Microsoft.Resources/subscriptions/resourceGroups"
_STATES = (("Start", "Accept", "Success"), ("Start", "Success"), ("Started", "Accepted", "Succeeded"))
_FAILURES = ("Failure", "Failed")


class Event(Struct, frozen=True, kw_only=True):
    """One row of AzureActivity; the subscription is that of the id unless it is given."""

    time: datetime
    resource_id: str
    caller: str = PEOPLE[0]
    operation: str = "Microsoft.Web/sites/write"
    status: str = "Success"
    category: str = "Administrative"
    subscription: str = ""
    correlation: str = ""

    @property
    def subscription_id(self) -> str:
        """The id of the subscription, spelled as the event spells it."""
        parts = self.resource_id.split("/", 3)
        return self.subscription or (parts[2] if len(parts) > 2 else "")

    @property
    def group(self) -> str:
        """The name of the resource group, spelled as the event's id spells it."""
        parts = self.resource_id.split("/", 5)
        return parts[4] if len(parts) > 4 else ""


class ActivityLog:
    """All events, made from the estate when they are first asked for; changed and read from different threads."""

    def __init__(self, estate: Estate, now: datetime) -> None:
        self._estate = estate
        self._now = now
        self._lock = threading.Lock()
        self._events: list[Event] | None = None
        self._version = 0
        self.row_limit = 500_000
        """Rows an answer has at most; what is above is cut off, and said."""

    def add(self, *events: Event) -> None:
        """Let these have happened too."""
        with self._lock:
            self._events = [*self._known(), *events]
            self._version += 1

    def clear(self) -> None:
        """Forget all events, the estate's own too."""
        with self._lock:
            self._events = []
            self._version += 1

    @property
    def events(self) -> list[Event]:
        """A copy of all events, those that are too old included."""
        return self.snapshot()[1]

    def snapshot(self) -> tuple[int, list[Event]]:
        """The events, and a number that is another one whenever they have changed."""
        with self._lock:
            return self._version, list(self._known())

    def _known(self) -> list[Event]:
        if self._events is None:
            self._events = [event for each in self._estate.subscriptions for event in history(each, self._now)]
        return self._events


def history(subscription: Subscription, now: datetime) -> Iterator[Event]:
    """What happened in a subscription in the 90 days before `now`; the same each time but for the dates."""
    for group in subscription.resource_groups:
        yield from _of_one(group.id, _GROUP, group.created_time, now)
        for resource in group.resources:
            yield from _of_one(resource.id, resource.type, resource.created_time, now)


def _of_one(resource_id: str, kind: str, created: object, now: datetime) -> Iterator[Event]:
    seed = crc32(resource_id.lower().encode())
    if seed % 5 == 0:
        return
    chance = Random(seed)  # noqa: S311  # deterministic on purpose
    born = _moment(created)
    ages = sorted((timedelta(seconds=chance.randrange(150 * 86_400)) for _ in range(1 + seed % 3)), reverse=True)
    moments = [moment for age in ages if (moment := now - age) > now - KEPT and (born is None or moment > born)]
    if born is not None and now - KEPT < born < now:
        moments.insert(0, born + timedelta(seconds=5))
    for moment in moments:
        yield from _operation(resource_id, f"{kind}/write", moment, chance)
    if moments and seed % 6 == 0:
        sibling = resource_id + "-old"
        yield from _operation(sibling, f"{kind}/delete", moments[-1] + timedelta(hours=1), chance)


def _operation(resource_id: str, name: str, began: datetime, chance: Random) -> Iterator[Event]:
    """One operation as the log shows it: an event for each state, sometimes all of them twice, sometimes in vain."""
    caller = chance.choice((*PEOPLE, *PEOPLE, *PROGRAMS, *PROVIDERS))
    states = chance.choice(_STATES)
    if chance.random() < 0.15:
        states = (*states[:-1], chance.choice(_FAILURES))
    spelled = chance.choice((str, str.lower, str.upper))
    correlation = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    for _ in range(2 if chance.random() < 0.15 else 1):
        for place, state in enumerate(states):
            yield Event(
                time=began + timedelta(seconds=2.5 * place),
                resource_id=spelled(resource_id),
                caller=caller,
                operation=chance.choice((str, str.upper))(name),
                status=state,
                category=chance.choice(("Administrative", "administrative")),
                correlation=correlation,
            )


def _moment(created: object) -> datetime | None:
    if not isinstance(created, str):
        return None
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
