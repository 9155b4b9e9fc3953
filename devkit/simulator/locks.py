"""Which locks concern a scope, and how they are listed (oddities 11, 33 and 34)."""

from urllib.parse import unquote

from msgspec import UNSET

from devkit.simulator.model import Json, Lock, Subscription


def locks_concerning(subscription: Subscription, scope: str) -> list[Lock]:
    """The locks at a decoded scope, on anything below it, and those it inherits from above."""
    return [lock for lock in subscription.locks if covers(lock.scope, scope) or covers(scope, lock.scope)]


def locks_upon(subscription: Subscription, scope: str) -> list[Lock]:
    """The locks that hold for a decoded scope itself: its own and the inherited ones."""
    return [lock for lock in subscription.locks if covers(lock.scope, scope)]


def covers(upper: str, lower: str) -> bool:
    """Whether a scope is the other one or lies above it; ids are compared without case, and decoded."""
    above, below = (unquote(each).casefold().rstrip("/") for each in (upper, lower))
    return below == above or below.startswith(f"{above}/")


def rendered(lock: Lock) -> Json:
    """The lock as Azure lists it."""
    fields = {"level": lock.level, "notes": lock.notes, "owners": lock.owners}
    return {
        "properties": {key: value for key, value in fields.items() if value is not UNSET},
        "id": lock.id,
        "type": "Microsoft.Authorization/locks",
        "name": lock.name,
    }
