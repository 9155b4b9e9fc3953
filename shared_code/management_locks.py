"""Management locks: which of them protect what.

A lock holds for its scope and everything below, and whatever is deleted takes what lies below along, so a thing is
protected by the locks at it, above it and below it
(https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources#lock-inheritance).
"""

from collections import defaultdict
from collections.abc import Iterable

from shared_code.model import Lock
from shared_code.resource_ids import key, scopes_of


class ManagementLocks:
    """The locks of one subscription, found by the id of what they protect."""

    def __init__(self, locks: Iterable[Lock]) -> None:
        """Sort them by scope; one that is listed twice is one."""
        self._at: defaultdict[str, dict[str, Lock]] = defaultdict(dict)
        self._below: defaultdict[str, dict[str, Lock]] = defaultdict(dict)
        for lock in locks:
            *higher, scope = scopes_of(lock.scope)
            own = key(lock.id)
            self._at[scope][own] = lock
            for above in higher:
                self._below[above][own] = lock

    def __len__(self) -> int:
        """How many locks there are."""
        return len({own for locks in self._at.values() for own in locks})

    def on(self, resource_id: str) -> tuple[Lock, ...]:
        """Return the locks that protect a subscription, resource group, resource or child, in the order of their ids.

        Args:
            resource_id: its id, in any case.
        """
        found: dict[str, Lock] = dict(self._below.get(key(resource_id), {}))
        for scope in scopes_of(resource_id):
            found.update(self._at.get(scope, {}))
        return tuple(found[own] for own in sorted(found))
