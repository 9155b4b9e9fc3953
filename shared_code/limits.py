"""How much of an estate one application of a plan may change: by count, and by share."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from shared_code.foreign_text import one_line
from shared_code.model import Kind
from shared_code.plan import Action, PlanItem
from shared_code.resource_ids import key, type_and_name


def excess(items: Sequence[PlanItem], read: Mapping[str, Mapping[str, int]], most: int, share: float) -> str | None:
    """Say with the numbers which limit the items go over; None if they keep to all of them.

    Args:
        items: all that would be acted upon.
        read: by subscription id without case, and kind or type, how many were read when the plan was made.
        most: items at most.
        share: of those of a kind read in a subscription, how many may be touched, 0 to 1; one always may, since
            there is no smaller change.
    """
    deletes = any(item.action is Action.DELETE for item in items)
    things, of, limit = ("deletions", "of", "max_deletions") if deletes else ("changes", "to", "max_changes")
    count = sum(1 + len(item.members) for item in items)
    if count > most:
        return f"{count:,} {things} are more than the limit of {most:,} ({limit})"
    touched = {(item.subscription_id.casefold(), item.counted, key(item.resource_id)) for item in items}
    # What goes along with a resource group is deleted too.
    touched |= {
        (item.subscription_id.casefold(), _type_of(member).casefold(), key(member))
        for item in items
        for member in item.members
    }
    counts = Counter((subscription, kind) for subscription, kind, _ in touched)
    for (subscription, kind), count in sorted(counts.items()):
        total = read.get(subscription, {}).get(kind, 0)
        # As written, so that 0.29 of 100 is 29.
        allowed = max(1, int(Fraction(str(share)) * total))
        if count > allowed or not total:
            where = f"of {total:,} read in subscription '{one_line(subscription, 80)}'"
            done = f"{things} {of} {count:,} {one_line(_name(kind, items), 200)}"
            allowance = f"the limit of {allowed if total else 0:,} (max_share {share:g})"
            return f"{done} {where} are more than {allowance}"
    return None


_NAMES: Mapping[str, str] = {
    Kind.SUBSCRIPTION: "subscriptions",
    Kind.RESOURCE_GROUP: "resource groups",
    Kind.RESOURCE: "resources",
}


def _type_of(resource_id: str) -> str:
    named = type_and_name(resource_id)
    return named[0] if named else ""


def _name(counted: str, items: Sequence[PlanItem]) -> str:
    """Return how people know what limits count: a type as Azure spells it."""
    types = (type_ for item in items for type_ in (item.type or "", *map(_type_of, item.members)))
    return _NAMES.get(counted) or next((type_ for type_ in types if type_.casefold() == counted), counted)
