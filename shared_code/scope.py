"""Scope: which subscriptions, resource groups and resource types a run is about."""

import re
from collections.abc import Collection, Iterable
from fnmatch import translate
from functools import cache
from typing import Annotated

import msgspec

from shared_code.errors import EmptyScope
from shared_code.foreign_text import one_line
from shared_code.meaning import says
from shared_code.model import Reading, Subscription, Verdict

# https://learn.microsoft.com/azure/cost-management-billing/manage/subscription-states: in these a subscription works.
_ENABLED = frozenset({"enabled", "warned", "pastdue"})
_EVERYTHING = ("*",)

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftmanagement
MANAGEMENT_GROUP = r"^(?=.{1,90}$)[-_.()]*[A-Za-z0-9][-_.()A-Za-z0-9]*$(?!\n)"
"""What the id of a management group consists of; \\Z would be a letter to the editors that know JSON Schema."""
type ManagementGroup = Annotated[
    str,
    msgspec.Meta(pattern=MANAGEMENT_GROUP, title="an id of at most 90 letters, digits, `-`, `_`, `.`, `(` and `)`"),
]
type Glob = Annotated[str, msgspec.Meta(title="a glob")]
"""`*` is any text, `?` one character, `[ab]` one of those; see `matches`."""
type Globs = tuple[Glob, ...]


def matches(text: str, patterns: Iterable[str]) -> bool:
    """Tell whether the whole `text` is matched by one of the globs, compared without case.

    `*` is any text, `?` one character, `[ab]` one of those; a bracket that is meant is written `[[]`.
    """
    return _one_of(tuple(patterns)).match(text) is not None


@cache
def _one_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # Folding both sides instead would make two characters of one, which `?` then misses.
    return re.compile("|".join(map(translate, patterns)) or "(?!)", re.IGNORECASE)


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[scope]` of steward.toml: include, then exclude, and exclude wins; globs on ids or names, without case.

    A subscription is in scope if it is included by pattern and, where management groups are named, lies under one of
    them. A resource is in scope if its subscription, its group and its type are.
    """

    subscriptions: Annotated[
        Globs, says("Ids or names of the subscriptions to look at.", "all that are visible", minItems=1)
    ] = _EVERYTHING
    management_groups: Annotated[
        tuple[ManagementGroup, ...],
        says(
            "Only subscriptions under one of these management groups, at any depth, are in scope.", "wherever they lie"
        ),
    ] = ()
    resource_groups: Annotated[Globs, says("Names of the resource groups to look at.", minItems=1)] = _EVERYTHING
    resource_types: Annotated[
        Globs,
        says(
            'Types of the resources to look at, such as `"Microsoft.Compute/*"`; the number of resources of a group '
            "counts all types.",
            minItems=1,
        ),
    ] = _EVERYTHING
    exclude_subscriptions: Annotated[Globs, says("Ids or names of subscriptions to leave out; excluding wins.")] = ()
    exclude_resource_groups: Annotated[Globs, says("Names of resource groups to leave out.")] = ()
    exclude_resource_types: Annotated[Globs, says("Types of resources to leave out.")] = ()

    def includes(self, subscription: Subscription) -> bool:
        """Tell whether the subscription is in scope by its id or its name, wherever it lies."""
        names = (subscription.id, subscription.name)
        included = any(matches(name, self.subscriptions) for name in names)
        return included and not any(matches(name, self.exclude_subscriptions) for name in names)

    def includes_group(self, name: str) -> bool:
        """Tell whether a resource group of that name is in scope."""
        return matches(name, self.resource_groups) and not matches(name, self.exclude_resource_groups)

    def includes_type(self, name: str) -> bool:
        """Tell whether resources of that type are in scope."""
        return matches(name, self.resource_types) and not matches(name, self.exclude_resource_types)

    @property
    def takes_all_types(self) -> bool:
        """Tell whether no pattern leaves any type out."""
        return self.resource_types == _EVERYTHING and not self.exclude_resource_types

    @property
    def words(self) -> str:
        """The choice of subscriptions in words, as steward.toml has it."""
        text = f"subscriptions {_listed(self.subscriptions)}"
        if self.management_groups:
            text += f" under management groups {_listed(self.management_groups)}"
        return text + (f" except {_listed(self.exclude_subscriptions)}" if self.exclude_subscriptions else "")

    @property
    def group_words(self) -> str:
        """The choice of resource groups in words, as steward.toml has it."""
        return _takes("resource groups", self.resource_groups, self.exclude_resource_groups)

    @property
    def type_words(self) -> str:
        """The choice of resource types in words, as steward.toml has it."""
        return _takes("resource types", self.resource_types, self.exclude_resource_types)


def _takes(what: str, included: tuple[str, ...], excluded: tuple[str, ...]) -> str:
    text = f"[scope] of steward.toml takes {what} {_listed(included)}"
    return text + (f" except {_listed(excluded)}" if excluded else "")


def _listed(patterns: Iterable[str]) -> str:
    return one_line(", ".join(f"'{pattern}'" for pattern in patterns)) or "(none)"


INCLUDING = ("subscriptions", "resource_groups", "resource_types")
"""The keys of `[scope]` without which everything is meant, and with which nothing else is."""


class Selection(msgspec.Struct, frozen=True):
    """The subscriptions to read, in id order, and a verdict for each that is in scope and will not be read.

    `known` is what the next run is to know; None for a narrowed run, which says nothing about the others.
    """

    to_read: tuple[Subscription, ...]
    not_read: tuple[Verdict, ...]
    known: tuple[Subscription, ...] | None = None


def select(
    visible: Iterable[Subscription],
    scope: Scope,
    requested: tuple[str, ...] | None,
    *,
    under: frozenset[str] | None = None,
    known: Iterable[Subscription] = (),
) -> Selection:
    """Choose what a run reads.

    Args:
        visible: every subscription the identity sees.
        scope: the scope of steward.toml.
        requested: ids the caller narrows the run to; None for all of the scope. It can only narrow: an id that is not
            visible, or outside the configured scope, gets a verdict and is never read.
        under: the keys of the subscriptions under the scope's management groups; None if it names none.
        known: the subscriptions an earlier run saw, with the state they had; one that is no longer listed gets a
            verdict, unless the scope excludes it by now.

    Raises:
        EmptyScope: nothing is in scope at all.
    """
    by_id = {subscription.id.casefold(): subscription for subscription in visible}
    known = tuple(known)
    in_scope = {
        folded: one for folded, one in by_id.items() if scope.includes(one) and (under is None or folded in under)
    }
    if requested is None:
        wanted = in_scope
        gone = [one for one in known if one.id.casefold() not in by_id and scope.includes(one)]
        if not wanted and not gone:
            raise EmptyScope(_nothing(by_id.values(), scope))
        left = [one for one in known if (folded := one.id.casefold()) in by_id and folded not in wanted]
        not_read = [
            *(_gone(one) for one in gone),
            # Said once: after this it is not known any more.
            *(
                _verdict(by_id[one.id.casefold()], Reading.SKIPPED, "no longer in [scope] of steward.toml")
                for one in left
            ),
        ]
        remembered = tuple(sorted([*wanted.values(), *filter(_works, gone)], key=lambda one: one.id.casefold()))
    else:
        asked = {text.casefold(): text for text in requested}
        wanted = {folded: in_scope[folded] for folded in asked if folded in in_scope}
        not_read = [_refused(by_id.get(folded), text) for folded, text in asked.items() if folded not in wanted]
        remembered = None
    not_read += [
        _verdict(one, Reading.SKIPPED, f"the subscription's state is {one.state}")
        for one in wanted.values()
        if not _works(one)
    ]
    return Selection(
        tuple(sorted(filter(_works, wanted.values()), key=lambda one: one.id.casefold())),
        tuple(sorted(not_read, key=lambda verdict: verdict.subscription_id.casefold())),
        remembered,
    )


def _works(subscription: Subscription) -> bool:
    return subscription.state.casefold() in _ENABLED


def _verdict(subscription: Subscription, reading: Reading, reason: str) -> Verdict:
    return Verdict(subscription_id=subscription.id, subscription_name=subscription.name, reading=reading, reason=reason)


def _refused(visible: Subscription | None, asked: str) -> Verdict:
    if visible is not None:
        return _verdict(visible, Reading.INCOMPLETE, "outside [scope] of steward.toml")
    return _verdict(Subscription(asked, "", ""), Reading.NOT_VISIBLE, "not visible to Steward's identity")


def _gone(known: Subscription) -> Verdict:
    if not _works(known):
        # Azure removes a cancelled subscription from the list by itself, so nobody has to do anything:
        # https://learn.microsoft.com/azure/cost-management-billing/manage/cancel-azure-subscription
        return _verdict(known, Reading.SKIPPED, f"no longer listed; its state was {known.state} before")
    return _verdict(
        known,
        Reading.NOT_VISIBLE,
        "no longer listed; it was deleted, or Steward's identity lost its role there; give the role back, or name it "
        "in exclude_subscriptions",
    )


def _nothing(visible: Collection[Subscription], scope: Scope) -> str:
    names = sorted(one.name or one.id for one in visible)
    shown = ", ".join(f"'{one_line(name, 60)}'" for name in names[:5]) + (" and more" if names[5:] else "")
    sees = f"Steward's identity sees {len(names)}: {shown}" if names else "Steward's identity sees none at all"
    return f"No subscription is in scope: [scope] of steward.toml takes {scope.words}, and {sees}."
