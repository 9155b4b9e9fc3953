"""One tag rule, compiled: how a set of tags breaks it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shared_code.model import Tags
from shared_code.tag_keys import LONGEST_KEY, LONGEST_VALUE, MOST_TAGS, fold
from shared_code.tag_rules import TagRule
from shared_code.tag_values import Values
from shared_code.violations import Breach, Violation

_REMEMBERED = 4096
_ALIKE = 512
"""Violations kept of each rule, with their words: some kB each."""


class Check:
    """A rule that is ready to judge; may be asked from several threads.

    What is public without a docstring of its own is for `audits`, which sees at once that most tags are fine: `key` and
    `aliases` are folded, `spelled` is the only spelling allowed, `absent` what is wrong where neither is there,
    `accepted` the values seen so far that break nothing, and `proposes` the rule's own, worked out once.
    """

    __slots__ = (
        "_counted",
        "_known",
        "_violation",
        "absent",
        "accepted",
        "aliases",
        "key",
        "proposes",
        "rule",
        "spelled",
        "values",
    )

    def __init__(self, rule: TagRule, lists: Mapping[str, Sequence[str]]) -> None:
        self.rule = rule
        self.values = Values(rule, lists)
        self.key = None if rule.tag is None else fold(rule.tag)
        self.aliases = frozenset(map(fold, rule.aliases)) - {self.key}
        self.spelled = rule.tag if rule.spelling else None
        self.accepted: set[str | None] = set()
        self.proposes = frozenset(rule.proposes)
        self._counted: dict[int, Violation] = {}
        self._known: dict[tuple[tuple[str, str | None], ...], tuple[Violation, ...]] = {}
        self._violation = Violation(
            rule=rule.name,
            kind=Breach.MISSING,
            severity=rule.severity,
            tag=rule.tag,
            expected=self.values.expected,
            message=rule.message,
        )
        self.absent = self._violation if rule.required and not rule.forbidden else None

    def spellings(self, tags: Tags) -> tuple[list[str], list[str]]:
        """Return the keys that are this rule's in some case, and those that are its aliases; each sorted."""
        own = sorted(key for key in tags if fold(key) == self.key)
        return own, sorted(key for key in tags if fold(key) in self.aliases) if self.aliases else []

    def violations(self, tags: Tags) -> list[Violation]:
        """Return how these tags break the rule, at most once for each kind; their order does not matter."""
        too_many = self.too_many(tags)
        return [*self.of_tag(tags), too_many] if too_many else list(self.of_tag(tags))

    def of_tag(self, tags: Tags) -> tuple[Violation, ...]:
        """Return the same without the number of tags."""
        if self.key is None:
            return ()
        own, others = self.spellings(tags)
        if not own and not others:
            return (self.absent,) if self.absent else ()
        present = tuple((key, tags[key]) for key in own + others)
        known = self._known.get(present)
        if known is None:
            known = tuple(self._of_tag(own, others, tags))
            if known and sum(len(key) + len(value or "") for key, value in present) <= LONGEST_KEY + LONGEST_VALUE:
                if len(self._known) >= _ALIKE:
                    self._known.clear()
                self._known[present] = known
        return known

    def too_many(self, tags: Tags) -> Violation | None:
        """Return the violation of `max_tags`, if that is broken."""
        most, number = self.rule.max_tags, len(tags)
        if most is None or number <= most:
            return None
        known = self._counted.get(number)
        if known is None:
            known = replace(self._violation, kind=Breach.COUNT, tag=None, value=str(number), expected=f"at most {most}")
            if number <= MOST_TAGS:
                self._counted[number] = known
        return known

    def _of_tag(self, own: list[str], others: list[str], tags: Tags) -> Iterator[Violation]:
        present = own + others
        if self.rule.forbidden:
            yield self._at(Breach.FORBIDDEN, present[0], tags, expected="no such tag")
            return
        strange = [key for key in own if self.spelled not in (None, key)] + others
        if strange:
            yield self._at(Breach.KEY, strange[0], tags, expected=f"the key '{self.rule.tag}'")
        said: set[Breach] = set()
        for key in present:
            breach = self.breach(tags[key])
            if breach and breach not in said:
                said.add(breach)
                nearest = self.values.nearest(tags[key] or "") if breach is Breach.VALUE else None
                yield self._at(breach, key, tags, expected=self.values.expected, nearest=nearest)

    def breach(self, value: str | None) -> Breach | None:
        """Return what is wrong with a value, if anything."""
        if value in self.accepted:
            return None
        text = value or ""
        blank = not text.strip()
        if blank and self.rule.empty_allowed:
            wrong = None
        elif blank:
            fine = not self.rule.required and (not self.rule.checks_value or self.values.accepts(text))
            wrong = None if fine else Breach.EMPTY
        else:
            wrong = None if self.values.accepts(text) else Breach.VALUE
        if wrong is None and not self.rule.forbidden and len(text) <= LONGEST_VALUE:
            if len(self.accepted) >= _REMEMBERED:
                self.accepted.clear()
            self.accepted.add(value)
        return wrong

    def _at(self, kind: Breach, key: str, tags: Tags, *, expected: str, nearest: str | None = None) -> Violation:
        return replace(self._violation, kind=kind, key=key, value=tags[key] or "", expected=expected, nearest=nearest)
