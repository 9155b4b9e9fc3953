"""The report of a plan: what it would do, counted by what an approver asks first, and item by item."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from shared_code.plan import Plan, by_type
from shared_code.reports.page import SHOWN, page
from shared_code.tag_keys import fold


def counts_of(plan: Plan, owner_tag: str) -> dict[str, dict[str, int]]:
    """Count the items by type, subscription, owner and rule, the most frequent first.

    Args:
        plan: whose items they are.
        owner_tag: the key of the tag that names an owner, in any case; things without it count under "".
    """
    wanted = fold(owner_tag)
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("subscription", "owner", "rule")}
    for item in plan.items:
        owner = next((value for name, value in item.seen.items() if fold(name) == wanted), None)
        counts["subscription"][item.subscription_id] += 1
        counts["owner"][owner or ""] += 1
        counts["rule"][item.rule] += 1
    ordered = {
        name: dict(sorted(counter.items(), key=lambda each: (-each[1], each[0]))) for name, counter in counts.items()
    }
    return {"type": by_type(plan.items), **ordered}


def plan_page(plan: Plan, owner_tag: str) -> Iterator[bytes]:
    """Give the page in pieces."""
    return page(
        "plan.html",
        plan=plan,
        counts=counts_of(plan, owner_tag),
        items=islice(plan.items, SHOWN),
        number=len(plan.items),
        shown=min(SHOWN, len(plan.items)),
    )
