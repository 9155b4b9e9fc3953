"""Which tag rules are about what: decided once for each type, group, subscription and location, as bits of a number."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from shared_code.model import Kind, Subject, Tags
from shared_code.scope import matches
from shared_code.tag_keys import fold
from shared_code.tag_rules import AppliesTo

_REMEMBERED = 4096
"""Answers kept for each dimension, so that memory does not grow with the estate."""


class Applicability:
    """Tells which rules apply, each a bit; may be asked from several threads."""

    def __init__(self, conditions: Sequence[AppliesTo]) -> None:
        self._kinds = {kind: _bits(kind in each.kinds for each in conditions) for kind in Kind}
        self._types = _Dimension([(each.types, each.exclude_types) for each in conditions])
        self._groups = _Dimension([(each.resource_groups, each.exclude_resource_groups) for each in conditions])
        self._locations = _Dimension(
            [(_places(each.locations), _places(each.exclude_locations)) for each in conditions], place
        )
        subscriptions = [(each.subscriptions, each.exclude_subscriptions) for each in conditions]
        self._subscription_matters = not _Dimension(subscriptions).decides_nothing
        self._by_subscription: dict[tuple[str, str], int] = {}
        self._subscriptions = subscriptions
        self._tags = [
            (1 << bit, _folded(each.tags), _folded(each.exclude_tags))
            for bit, each in enumerate(conditions)
            if each.tags or each.exclude_tags
        ]

    def of(self, subject: Subject, folded: Mapping[str, str]) -> int:
        """Return the bits of the rules that apply.

        Args:
            subject: what carries the tags.
            folded: its keys, each under its folded form.
        """
        found = self._kinds[subject.kind] & self._types.of(subject.type) & self._groups.of(subject.resource_group)
        found &= self._locations.of(subject.location)
        if self._subscription_matters:
            found &= self._of_subscription(subject.subscription_id, subject.subscription_name)
        for bit, included, excluded in self._tags:
            if found & bit and not _applies(subject.tags, folded, included, excluded):
                found &= ~bit
        return found

    def _of_subscription(self, identifier: str, name: str) -> int:
        known = self._by_subscription.get((identifier, name))
        if known is None:
            names = (identifier, name)
            known = _bits(
                any(matches(each, included) for each in names) and not any(matches(each, excluded) for each in names)
                for included, excluded in self._subscriptions
            )
            _keep(self._by_subscription, (identifier, name), known)
        return known


class _Dimension:
    """One text of a subject, against what each rule includes and excludes of it."""

    def __init__(
        self, conditions: list[tuple[tuple[str, ...], tuple[str, ...]]], form: Callable[[str], str] = str
    ) -> None:
        self._conditions = conditions
        self._form = form
        self._all = _bits(True for _ in conditions)
        self.decides_nothing = all("*" in included and not excluded for included, excluded in conditions)
        self._known: dict[str | None, int] = {}

    def of(self, text: str | None) -> int:
        if self.decides_nothing:
            return self._all
        known = self._known.get(text)
        if known is None:
            known = _bits(self._takes(text, *condition) for condition in self._conditions)
            _keep(self._known, text, known)
        return known

    def _takes(self, text: str | None, included: tuple[str, ...], excluded: tuple[str, ...]) -> bool:
        if not text:  # a subscription is in no group, and has no location: nothing but everything is about it
            return "*" in included
        text = self._form(text)
        return matches(text, included) and not matches(text, excluded)


def place(location: str) -> str:
    """Return the form in which 'West Europe' and westeurope are one; globs stay globs."""
    return location.replace(" ", "").lower()


def _places(patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(place, patterns))


def _folded(conditions: Mapping[str, str]) -> list[tuple[str, tuple[str]]]:
    return [(fold(key), (pattern,)) for key, pattern in conditions.items()]


type _Conditions = list[tuple[str, tuple[str]]]


def _applies(tags: Tags, folded: Mapping[str, str], included: _Conditions, excluded: _Conditions) -> bool:
    return all(_carries(tags, folded, *each) for each in included) and not any(
        _carries(tags, folded, *each) for each in excluded
    )


def _carries(tags: Tags, folded: Mapping[str, str], key: str, pattern: tuple[str]) -> bool:
    return key in folded and matches(tags[folded[key]] or "", pattern)


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << bit for bit, flag in enumerate(flags) if flag)


def _keep[K](memory: dict[K, int], key: K, bits: int) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = bits
