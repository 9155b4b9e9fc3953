"""The things of an Azure estate as Steward sees them: values, without behaviour."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Subscription(msgspec.Struct, frozen=True):
    """A subscription this identity can see; `state` is Azure's word (Enabled, Warned, PastDue, Disabled, Deleted)."""

    id: str
    name: str
    state: str


class ResourceGroup(msgspec.Struct, frozen=True):
    """One resource group; field order is the order in NDJSON and CSV.

    `tags` are as received. `created` is UTC or unknown. `resources` counts the resources in it, and is None where they
    could not all be read: an unread group never looks empty.
    """

    id: str
    name: str
    subscription_id: str
    subscription_name: str
    location: str
    tags: dict[str, str | None]
    managed_by: str | None
    provisioning_state: str | None
    created: datetime | None
    resources: int | None


class Reading(StrEnum):
    """How much of a subscription a run has read."""

    COMPLETE = "complete"
    """Every page was read."""
    INCOMPLETE = "incomplete"
    """Something was not read; the verdict says what and why."""
    SKIPPED = "skipped"
    """Not read on purpose: the subscription is not enabled."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a run can vouch for in one subscription; travels with the data to whoever decides."""

    subscription_id: str
    subscription_name: str
    reading: Reading
    reason: str | None = None
    resource_groups: int | None = None
    resources: int | None = None


class Severity(StrEnum):
    """How much a finding matters."""

    LOW = "low"
    """Worth knowing."""
    MEDIUM = "medium"
    """Somebody should look at it."""
    HIGH = "high"
    """Somebody should look at it now."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One observed fact worth a person's attention, a line of `findings.ndjson`."""

    rule: str
    kind: str
    resource_id: str
    subscription_id: str | None = None
    severity: Severity
    detail: str
    evidence: dict[str, str] = {}
