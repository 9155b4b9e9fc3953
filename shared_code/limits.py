"""How much of an estate one application of a plan may change: by count, and by share."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from shared_code.foreign_text import one_line
from shared_code.model import Kind
from shared_code.plan import PlanItem
from shared_code.resource_ids import key


def excess(items: Sequence[PlanItem], read: Mapping[str, Mapping[Kind, int]], most: int, share: float) -> str | None:
    """Say with the numbers which limit the items go over; None if they keep to all of them.

    Args:
        items: all that would be acted upon.
        read: by subscription id without case, and kind, how many were read when the plan was made.
        most: items at most.
        share: of those of a kind read in a subscription, how many may be touched, 0 to 1; one always may, since
            there is no smaller change.
    """
    if len(items) > most:
        return f"{len(items):,} changes are more than the limit of {most:,} (max_changes)"
    touched = {(item.subscription_id.casefold(), item.kind, key(item.resource_id)) for item in items}
    counts = Counter((subscription, kind) for subscription, kind, _ in touched)
    for (subscription, kind), count in sorted(counts.items()):
        total = read.get(subscription, {}).get(kind, 0)
        # As written, so that 0.29 of 100 is 29.
        allowed = max(1, int(Fraction(str(share)) * total))
        if count > allowed or not total:
            where = f"of {total:,} read in subscription '{one_line(subscription, 80)}'"
            return (
                f"changes to {count:,} {_NAMES[kind]} {where} are more than the limit of {allowed if total else 0:,} "
                f"(max_share {share:g})"
            )
    return None


_NAMES = {Kind.SUBSCRIPTION: "subscriptions", Kind.RESOURCE_GROUP: "resource groups", Kind.RESOURCE: "resources"}
