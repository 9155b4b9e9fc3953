"""Resource groups of one subscription: what is in each, and what protects it."""

from collections import Counter
from collections.abc import Callable

import msgspec

from shared_code.errors import UnreadableAnswer
from shared_code.foreign_text import one_line
from shared_code.listings import Listing, verdict
from shared_code.management_locks import ManagementLocks
from shared_code.model import Lock, ResourceGroup, Subscription, Verdict
from shared_code.ports import Estate
from shared_code.resource_ids import group_key, group_name, is_in_subscription, key
from shared_code.scope import Scope


def read_subscription(
    estate: Estate, subscription: Subscription, scope: Scope, checkpoint: Callable[[], None] = lambda: None
) -> tuple[Verdict, list[ResourceGroup]]:
    """Read the resource groups of one subscription, count their resources, and find the locks that protect them.

    Returns:
        The verdict, and the groups in id order. If the groups could not be read to the end, those that were read come
        with an incomplete verdict, and nothing else is read; if resources or locks could not, they are None. Nothing
        unread is ever 0. Of a group that is out of scope nothing is counted; in one that is in scope every resource is,
        also of types out of scope, so that no group looks emptier than it is.
    """
    listings = {"resource_groups": Listing(checkpoint)}
    groups: dict[str, ResourceGroup] = {}
    with listings["resource_groups"].attempt():
        for group_page in listings["resource_groups"].follow(estate.resource_groups(subscription)):
            groups.update((key(group.id), group) for group in group_page if scope.includes_group(group.name))
    types: dict[str | None, Counter[str]] | None = None
    locks: ManagementLocks | None = None
    if listings["resource_groups"].complete:
        listings |= {"resources": Listing(checkpoint), "locks": Listing(checkpoint)}
        types = _types(estate, subscription, scope, listings["resources"])
        locks = _locks(estate, subscription, scope, listings["locks"])
    found = [_with_content(group, types, locks) for _, group in sorted(groups.items())]
    return verdict(
        subscription,
        listings,
        resource_groups=len(found) if found or listings["resource_groups"].complete else None,
        resources=None if types is None else sum(each.total() for each in types.values()),
        locks=None if locks is None else len(locks),
    ), found


def _types(
    estate: Estate, subscription: Subscription, scope: Scope, listing: Listing
) -> dict[str | None, Counter[str]] | None:
    """Count the resources of each group in scope by type, as spelled; None where they could not all be read."""
    seen: Counter[tuple[str, str]] = Counter()
    with listing.attempt():
        for found in listing.follow(estate.resources(subscription)):
            # The start of an id, as received, names the group; only the few different ones are looked at closely.
            seen.update([("/".join(one.id.split("/", 5)[:5]), one.type) for one in found])
        if odd := next((start for start, _ in seen if "//" in start or not is_in_subscription(start)), None):
            # It may be in any of the groups, so none of them can be called empty.
            raise UnreadableAnswer(f"cannot read resources: where '{one_line(odd)}' lies cannot be told from its id")
    if not listing.complete:
        return None
    types: dict[str | None, Counter[str]] = {}
    for (start, kind), number in seen.items():
        if _in_scope(start, scope):
            types.setdefault(group_key(start), Counter())[kind] += number
    return types


def _in_scope(resource_id: str, scope: Scope) -> bool:
    name = group_name(resource_id)
    return name is None or scope.includes_group(name)


def _locks(estate: Estate, subscription: Subscription, scope: Scope, listing: Listing) -> ManagementLocks | None:
    """Find the locks but for those in groups out of scope; None where they could not all be read."""
    found: list[Lock] = []
    with listing.attempt():
        for lock_page in listing.follow(estate.locks(subscription)):
            found += (lock for lock in lock_page if _in_scope(lock.scope, scope))
    return ManagementLocks(found) if listing.complete else None


def _with_content(
    group: ResourceGroup, types: dict[str | None, Counter[str]] | None, locks: ManagementLocks | None
) -> ResourceGroup:
    inside = None if types is None else types.get(key(group.id), Counter())
    return msgspec.structs.replace(
        group,
        resources=None if inside is None else inside.total(),
        resource_types=None if inside is None else merged(inside),
        locks=None if locks is None else locks.on(group.id),
    )


def merged(types: Counter[str]) -> dict[str, int]:
    """Add up types that differ in case only, under the spelling that sorts first; in the order of their names."""
    spelled: dict[str, str] = {}
    total: Counter[str] = Counter()
    for name in sorted(types):
        total[spelled.setdefault(name.casefold(), name)] += types[name]
    return {name: total[name] for name in sorted(total, key=str.casefold)}
