"""What may be deleted, and what is around it, as one reading shows them."""

from datetime import datetime
from typing import Any

import msgspec

from shared_code.model import Kind, Lock, Resource, ResourceGroup, Subscription, Tags, text_in
from shared_code.resource_ids import key


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A resource or a resource group that a rule is asked about; texts are as received.

    `type` of a group is Microsoft.Resources/resourceGroups. `managed_by` is None where nothing manages it. `created` is
    UTC, or unknown. `definition` is the whole answer of its GET, and {} for what was only listed; what it says outside
    `properties` (id, type, sku, kind, managedByExtended) may be why a rule keeps the target.
    """

    id: str
    name: str
    type: str
    kind: Kind
    subscription_id: str
    location: str | None = None
    tags: Tags = {}
    managed_by: str | None = None
    created: datetime | None = None
    state: str | None = None
    definition: dict[str, Any] = {}

    @property
    def key(self) -> str:
        """The form in which two spellings of its id are equal."""
        return key(self.id)

    @property
    def properties(self) -> dict[str, Any]:
        """What its provider says of it; empty where the answer has none."""
        properties = self.definition.get("properties")
        return properties if isinstance(properties, dict) else {}

    @property
    def identity(self) -> str | None:
        """What its provider gives to whatever is made, so that one made anew under the same name has another."""
        told = (text_in(self.properties, name) for name in _IDENTITIES)
        return next((each.lower() for each in told if each), None)


_IDENTITIES = ("resourceGuid", "uniqueId", "vmId")
"""https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces/get and, for disks, .../rest/api/compute"""


class Denial(msgspec.Struct, frozen=True):
    """A deny assignment that holds for a scope and everything below it."""

    id: str
    name: str
    scope: str


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What is around a target, read to the end: where something could not be read there is no such value.

    `group` is the resource group the target is in, or is; about a group, its `resources` counts the `members`, and is
    None where they were not read to the end. `locks` and `denials` are those at it, above it and below it. `members`
    are the resources in it, or nested in it. `lists` are those that its rule asks for, by their names in the rule, each
    item as received; a list that was not read to its end has no name here. `last_write` is the last successful write
    the activity log knows, to it or to anything in it, and `written_since` since when the log would know; None is no
    evidence.
    """

    subscription: Subscription
    group: ResourceGroup | None
    locks: tuple[Lock, ...] = ()
    denials: tuple[Denial, ...] = ()
    members: tuple[Resource, ...] = ()
    lists: dict[str, tuple[dict[str, Any], ...]] = {}
    last_write: datetime | None = None
    written_since: datetime | None = None
