"""The things of an Azure estate as Steward sees them: values, and what is derived from them alone."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from shared_code.times import from_azure

type Name = Annotated[str, msgspec.Meta(min_length=1)]
"""An id, a name or a type; an answer without one is damaged."""
type Tags = dict[str, str | None]
"""Tags as received."""


class Subscription(msgspec.Struct, frozen=True):
    """A subscription this identity can see; `state` is Azure's word (Enabled, Warned, PastDue, Disabled, Deleted).

    `tags` are as received; Azure leaves them out where there are none.
    """

    id: str
    name: str
    state: str
    tags: Tags = {}


class Lock(msgspec.Struct, frozen=True):
    """A management lock. `level` is CanNotDelete or ReadOnly; `scope` is the id of what it was put on, as received.

    It holds for its scope and everything below.
    """

    id: str
    name: str
    level: str
    scope: str
    notes: str | None = None


class ResourceGroup(msgspec.Struct, frozen=True):
    """One resource group; field order is the order in NDJSON and CSV.

    `tags` are as received. `created` is UTC or unknown. `resources` counts the resources in it, `resource_types` by
    type; `locks` are those that protect it: at it, above it, and on anything in it. Each is None where it could not
    be read to its end: an unread group never looks empty or unlocked.
    """

    id: str
    name: str
    subscription_id: str
    subscription_name: str
    location: str
    tags: Tags
    managed_by: str | None
    provisioning_state: str | None
    created: datetime | None
    resources: int | None
    resource_types: dict[str, int] | None = None
    locks: tuple[Lock, ...] | None = None


class Resource(msgspec.Struct, frozen=True, rename="camel"):
    """One resource, decoded from Azure's own JSON, since there may be millions; texts are as received.

    What only describes (`given_…`, `sku`, `plan`, `identity`, the times) is taken in any shape, and None where that is
    not a text: one odd resource must not make its subscription unreadable. `created` and `changed` are UTC, and None
    where Azure gave no time that can be read with certainty, as it does in lists selected by tag.
    """

    id: Name
    name: str = ""
    type: str = ""
    given_kind: Any = msgspec.field(default=None, name="kind")
    given_location: Any = msgspec.field(default=None, name="location")
    tags: Tags | None = None
    managed_by: str | None = None
    sku: Any = None
    plan: Any = None
    identity: Any = None
    created_time: Any = None
    changed_time: Any = None
    given_state: Any = msgspec.field(default=None, name="provisioningState")

    @property
    def kind(self) -> str | None:
        """What sort of its type it is."""
        return text_in(self.given_kind)

    @property
    def location(self) -> str | None:
        """Where it is, in one of Azure's spellings."""
        return text_in(self.given_location)

    @property
    def provisioning_state(self) -> str | None:
        """Azure's word for the state of its last change."""
        return text_in(self.given_state)

    @property
    def created(self) -> datetime | None:
        """When it was created."""
        return from_azure(text_in(self.created_time))

    @property
    def changed(self) -> datetime | None:
        """When it was last changed."""
        return from_azure(text_in(self.changed_time))

    @property
    def owner(self) -> str | None:
        """The id (or, rarely, the free text) of what manages it; an empty `managedBy` means nothing does."""
        return self.managed_by or None

    @property
    def sku_name(self) -> str | None:
        """The name of its SKU."""
        return text_in(self.sku, "name")

    @property
    def plan_name(self) -> str | None:
        """The name of the marketplace plan it was bought under."""
        return text_in(self.plan, "name")

    @property
    def identity_kind(self) -> str | None:
        """SystemAssigned, UserAssigned, or both."""
        return text_in(self.identity, "type")


def text_in(value: object, name: str = "") -> str | None:
    """Return the text that a value is, or that it has under a name; None where there is none, or another shape."""
    text = value.get(name) if name and isinstance(value, dict) else None if name else value
    return text if isinstance(text, str) and text else None


class Kind(StrEnum):
    """What carries tags."""

    SUBSCRIPTION = "subscription"
    RESOURCE_GROUP = "resource-group"
    RESOURCE = "resource"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Something that carries tags, as rules look at it.

    `resource_group` is the name of the group it is or is in; `type` of a group or subscription is Azure's own,
    Microsoft.Resources/resourceGroups and Microsoft.Resources/subscriptions. `managed_by` as received, None if empty.
    """

    kind: Kind
    id: str
    name: str
    type: str
    location: str | None
    tags: Tags
    managed_by: str | None
    subscription_id: str
    subscription_name: str
    resource_group: str | None


class TagChange(msgspec.Struct, frozen=True, kw_only=True):
    """What would be done to the tags of one subject: set these, then remove those keys, spelled as they are there."""

    set: dict[str, str] = {}
    remove: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What would be done, for people."""
        parts = [f"set '{name}' to '{value}'" for name, value in self.set.items()]
        return ", ".join([*parts, *(f"remove '{name}'" for name in self.remove)])


class Reading(StrEnum):
    """How much of a subscription a run has read."""

    COMPLETE = "complete"
    """Every page was read."""
    INCOMPLETE = "incomplete"
    """Something was not read; the verdict says what and why."""
    NOT_VISIBLE = "not visible"
    """An earlier run saw it, or the caller asked for it, and it is not in the list of subscriptions."""
    SKIPPED = "skipped"
    """Not read on purpose: the subscription is not enabled."""


UNREAD = (Reading.INCOMPLETE, Reading.NOT_VISIBLE)
"""What nobody may conclude anything from."""


class ListRead(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was read of one list: how many pages and items, and why it is not complete where it is not."""

    pages: int
    items: int
    reason: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a run can vouch for in one subscription; travels with the data to whoever decides.

    `resource_groups`, `resources` and `locks` count what is in scope; None is unknown. `changes` counts resource groups
    against the last complete reading; None where there is none to compare with.
    """

    subscription_id: str
    subscription_name: str
    reading: Reading
    reason: str | None = None
    resource_groups: int | None = None
    resources: int | None = None
    locks: int | None = None
    changes: dict[str, int] | None = None
    lists: dict[str, ListRead] = {}


class Severity(StrEnum):
    """How much a finding matters."""

    LOW = "low"
    """Worth knowing."""
    MEDIUM = "medium"
    """Somebody should look at it."""
    HIGH = "high"
    """Somebody should look at it now."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One observed fact worth a person's attention, a line of `findings.ndjson`.

    `first_seen` is UTC, from the ledger; None where none is kept.
    """

    rule: str
    kind: str
    resource_id: str
    subscription_id: str | None = None
    severity: Severity
    detail: str
    evidence: dict[str, str] = {}
    first_seen: datetime | None = None

    @property
    def suggestion(self) -> str:
        """What may mend it, in words; "" where nothing is known."""
        if "change" in self.evidence:
            return self.evidence["change"]
        if "suggested_owner" in self.evidence:
            return f"{self.evidence['suggested_owner']} {self.evidence.get('suggested_because', '')}".strip()
        return self.evidence.get("no_change", "")
