"""The tag audit of one subject: which rules apply, and how it breaks them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from shared_code.applicability import Applicability
from shared_code.model import Kind, Subject
from shared_code.tag_check import Check
from shared_code.tag_keys import fold
from shared_code.tag_rules import TagRule
from shared_code.violations import Violation

_REMEMBERED = 4096


class Skip(StrEnum):
    """Why something is not audited at all."""

    MANAGED = "managed"
    """A managed resource group, or something in one: its tags are its manager's."""
    UNTAGGABLE = "untaggable"
    """Its type cannot carry tags."""


class Audited(msgspec.Struct, frozen=True):
    """What the rules say about one subject.

    `rules` are the names of those that apply, in their order in steward.toml; one without a violation is complied with.
    Of each rule there is at most one violation of a kind, in the order of the rules, numbers of tags last.
    """

    rules: tuple[str, ...]
    violations: tuple[Violation, ...] = ()
    skipped: Skip | None = None


_MANAGED = Audited((), skipped=Skip.MANAGED)
_UNTAGGABLE = Audited((), skipped=Skip.UNTAGGABLE)


class _Chosen(msgspec.Struct, frozen=True):
    """The rules that apply to something, and what to say if none is broken."""

    clean: Audited
    of_tags: tuple[Check, ...]
    of_count: tuple[Check, ...]


class TagRules:
    """The rules of the tag audit, compiled once; may be asked from several threads.

    Args:
        rules: in the order of steward.toml.
        lists: the values in each file that an `allowed_from` names.
        untaggable: the resource types that cannot carry tags; compared without case.

    Raises:
        SettingsError: a list that a rule takes its values from is missing or empty.
        ValueError: a pattern cannot be compiled; a checked configuration has none such.
    """

    def __init__(
        self,
        rules: Iterable[TagRule],
        lists: Mapping[str, Sequence[str]] | None = None,
        untaggable: Collection[str] = (),
    ) -> None:
        self._checks = [Check(rule, lists or {}) for rule in rules]
        self._by_name = {check.rule.name: check for check in self._checks}
        self._applicability = Applicability([check.rule.applies_to for check in self._checks])
        self._untaggable = frozenset(each.lower() for each in untaggable)
        self._chosen: dict[int, _Chosen] = {}

    def __getitem__(self, name: str) -> Check:
        """Return the rule of that name, compiled; raises KeyError."""
        return self._by_name[name]

    def audit(self, subject: Subject, *, in_managed_group: bool = False) -> Audited:
        """Judge one subject; never raises.

        Args:
            subject: what carries the tags. A resource's own `managed_by` does not count: a disk has that of its
                machine, and its tags are its own.
            in_managed_group: whether the resource group it is in has a `managed_by`.
        """
        if in_managed_group or (subject.kind is Kind.RESOURCE_GROUP and subject.managed_by):
            return _MANAGED
        if self._untaggable and subject.kind is Kind.RESOURCE and subject.type.lower() in self._untaggable:
            return _UNTAGGABLE
        tags = subject.tags
        folded: dict[str, str] = {fold(key): key for key in tags}
        # Azure keeps one spelling of a key, but an answer may hold two: then the order in it must not matter.
        clash = len(folded) < len(tags)
        if clash:
            folded = {fold(key): key for key in sorted(tags, reverse=True)}
        chosen = self._of(self._applicability.of(subject, folded))
        found: list[Violation] = []
        for check in chosen.of_tags:
            key = folded.get(check.key or "")
            if check.aliases and not check.aliases.isdisjoint(folded):
                found += check.of_tag(tags)
            elif key is None:
                if check.absent is not None:
                    found.append(check.absent)
            elif clash or check.spelled not in (None, key) or tags[key] not in check.accepted:
                found += check.of_tag(tags if clash else {key: tags[key]})
        for check in chosen.of_count:
            if too_many := check.too_many(tags):
                found.append(too_many)
        return Audited(chosen.clean.rules, tuple(found)) if found else chosen.clean

    def _of(self, bits: int) -> _Chosen:
        chosen = self._chosen.get(bits)
        if chosen is None:
            checks = [check for position, check in enumerate(self._checks) if bits >> position & 1]
            chosen = _Chosen(
                Audited(tuple(check.rule.name for check in checks)),
                tuple(check for check in checks if check.key is not None),
                tuple(check for check in checks if check.rule.max_tags is not None),
            )
            if len(self._chosen) >= _REMEMBERED:
                self._chosen.clear()
            self._chosen[bits] = chosen
        return chosen
