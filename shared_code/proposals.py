"""Proposals: what Resource Graph thinks may be unused, asked once for all subscriptions of a run."""

from collections.abc import Collection, Iterable

from shared_code.cleanup_rule import Rule
from shared_code.model import Subscription
from shared_code.ports import Candidates, Inventory


class Proposals:
    """The candidates of every rule that has a query."""

    def __init__(self, inventory: Inventory, rules: Iterable[Rule], subscriptions: Collection[Subscription]) -> None:
        """Ask; a query that could not be read to its end is in the answers."""
        ids = [each.id for each in subscriptions]
        self._found: dict[str, Candidates] = {
            rule.name: inventory.candidates(rule.query, ids) for rule in rules if rule.query is not None and ids
        }

    def of(self, subscription: Subscription) -> dict[str, list[str]]:
        """Return the ids proposed in a subscription, by the name of the rule."""
        own = subscription.id.casefold()
        return {rule: found.ids.get(own, []) for rule, found in self._found.items()}

    def unread(self, subscription: Subscription) -> str | None:
        """Say what could not be asked about a subscription, and why; None if everything was."""
        own = subscription.id.casefold()
        missing = {rule: found.unread[own] for rule, found in self._found.items() if own in found.unread}
        if not missing:
            return None
        reasons = dict.fromkeys(missing.values())
        return f"the candidates of {', '.join(sorted(missing))} could not be read: {'; '.join(reasons)}"
