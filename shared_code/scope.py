"""Scope: which subscriptions and resource groups a run is about."""

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import cache

import msgspec

from shared_code.model import Reading, Subscription, Verdict

# https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states: in these a subscription works.
_ENABLED = frozenset({"enabled", "warned", "pastdue"})


def matches(text: str, patterns: Iterable[str]) -> bool:
    """Tell whether the whole `text` is matched by one of the globs, compared without case.

    `*` is any text, `?` one character, `[ab]` one of those; a bracket that is meant is written `[[]`.
    """
    return any(_glob(pattern).match(text) for pattern in patterns)


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    # Folding both sides instead would make two characters of one, which `?` then misses.
    return re.compile(translate(pattern), re.IGNORECASE)


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[scope]` of steward.toml: include, then exclude, and exclude wins; globs on ids or names, without case."""

    subscriptions: tuple[str, ...] = ("*",)
    exclude_subscriptions: tuple[str, ...] = ()
    exclude_resource_groups: tuple[str, ...] = ()

    def includes(self, subscription: Subscription) -> bool:
        """Tell whether the subscription is in scope, by its id or its name."""
        names = (subscription.id, subscription.name)
        included = any(matches(name, self.subscriptions) for name in names)
        return included and not any(matches(name, self.exclude_subscriptions) for name in names)

    def includes_group(self, name: str) -> bool:
        """Tell whether a resource group of that name is in scope."""
        return not matches(name, self.exclude_resource_groups)


class Selection(msgspec.Struct, frozen=True):
    """The subscriptions to read, in id order, and a verdict for each that is in scope and will not be read."""

    to_read: tuple[Subscription, ...]
    not_read: tuple[Verdict, ...]


def select(visible: Iterable[Subscription], scope: Scope, requested: tuple[str, ...] | None) -> Selection:
    """Choose what a run reads.

    Args:
        visible: every subscription the identity sees.
        scope: the scope of steward.toml.
        requested: ids the caller narrows the run to; None for all of the scope. It can only narrow: an id that is not
            visible, or outside the configured scope, gets a verdict and is never read.
    """
    by_id = {subscription.id.casefold(): subscription for subscription in visible}
    if requested is None:
        wanted = {folded: known for folded, known in by_id.items() if scope.includes(known)}
        refused: dict[str, str] = {}
    else:
        asked = {text.casefold(): text for text in requested}
        wanted = {folded: by_id[folded] for folded in asked if folded in by_id and scope.includes(by_id[folded])}
        refused = {folded: text for folded, text in asked.items() if folded not in wanted}
    to_read = [known for known in wanted.values() if known.state.casefold() in _ENABLED]
    not_read = [
        Verdict(
            subscription_id=known.id,
            subscription_name=known.name,
            reading=Reading.SKIPPED,
            reason=f"the subscription's state is {known.state}",
        )
        for known in wanted.values()
        if known.state.casefold() not in _ENABLED
    ]
    for folded, text in refused.items():
        outside = folded in by_id
        not_read.append(
            Verdict(
                subscription_id=by_id[folded].id if outside else text,
                subscription_name=by_id[folded].name if outside else "",
                reading=Reading.INCOMPLETE,
                reason="outside [scope] of steward.toml" if outside else "not visible to Steward's identity",
            )
        )
    return Selection(
        tuple(sorted(to_read, key=lambda known: known.id.casefold())),
        tuple(sorted(not_read, key=lambda verdict: verdict.subscription_id.casefold())),
    )
