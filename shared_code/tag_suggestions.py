"""The change that would mend a violation, where its rule says how, or a sentence why there is none."""

from shared_code.foreign_text import one_line
from shared_code.model import Kind, Subject, TagChange, Tags
from shared_code.tag_check import Check
from shared_code.tag_keys import LONGEST_VALUE, MOST_TAGS, fold, is_hidden
from shared_code.tag_rules import Parent
from shared_code.violations import Breach, Violation

_REMEDIES = {
    Breach.MISSING: {"inherit_from", "default"},
    Breach.EMPTY: {"inherit_from", "default"},
    Breach.VALUE: {"replace"},
    Breach.KEY: {"rename"},
}
"""Which keys of a rule say how to mend what; a forbidden tag is a person's to remove."""
_PARENTS = {Parent.RESOURCE_GROUP: "resource group", Parent.SUBSCRIPTION: "subscription"}


class _NoChangeError(Exception):
    """There is none; the text says why."""


def propose(
    check: Check, violation: Violation, subject: Subject, *, group_tags: Tags | None, subscription_tags: Tags | None
) -> TagChange | str | None:
    """Return the change after which the rule is kept, a sentence why there is none, or None if the rule says nothing.

    One change mends all that breaks the rule, so that every violation of it gets the same. Nothing but the rule's own
    key and its aliases is touched. A key that is to change its case is set, as it should be, and removed, as it is.

    Args:
        check: the rule, compiled.
        violation: one of its violations.
        subject: what carries the tags.
        group_tags: the tags of the resource group that it is in; None if they are not known.
        subscription_tags: likewise.
    """
    rule = check.rule
    if not check.proposes or check.proposes.isdisjoint(_REMEDIES.get(violation.kind, ())):
        return None
    if rule.tag is None or rule.forbidden or is_hidden(rule.tag):
        return None
    try:
        change = _change(
            check, rule.tag, subject, {Parent.RESOURCE_GROUP: group_tags, Parent.SUBSCRIPTION: subscription_tags}
        )
    except _NoChangeError as reason:
        return str(reason)
    return _objection(check, subject.tags, change) or change


def applied(tags: Tags, change: TagChange) -> Tags:
    """Return the tags after a change; what is set takes the place of the same key in another case."""
    replaced = set(map(fold, change.set))
    kept = {key: value for key, value in tags.items() if key not in change.remove and fold(key) not in replaced}
    return kept | change.set


def _change(check: Check, tag: str, subject: Subject, parents: dict[Parent, Tags | None]) -> TagChange:
    own, others = check.spellings(subject.tags)
    present = own + others
    values = {subject.tags[key] or "" for key in present}
    if len(set(map(fold, present))) < len(present) or len(values) > 1:
        raise _NoChangeError(f"{_quoted(*present)} are there at once; decide by hand which one is meant")
    value = values.pop() if values else None
    match Breach.MISSING if value is None else check.breach(value):
        case Breach.MISSING | Breach.EMPTY:
            value = _supplied(check, subject, parents)
        case Breach.VALUE:
            value = _replaced(check, value or "")
    target = tag if check.rule.rename or not present else present[0]
    kept = own == [target] and (subject.tags[target] or "") == value
    removed = tuple(key for key in present if key != target) if check.rule.rename else ()
    return TagChange(set={} if kept else {target: value or ""}, remove=removed)


def _replaced(check: Check, value: str) -> str:
    replaced = check.values.replaced(value)
    if replaced is None:
        raise _NoChangeError(f"the rule says nothing about the value '{one_line(value, 80)}'")
    return replaced


def _supplied(check: Check, subject: Subject, parents: dict[Parent, Tags | None]) -> str:
    """Return what the rule puts where there is no value."""
    rule = check.rule
    reason = "the rule has neither default nor inherit_from"
    if rule.inherit_from:
        words = _PARENTS[rule.inherit_from]
        if subject.kind is Kind.SUBSCRIPTION or subject.kind.value == rule.inherit_from.value:
            reason = f"a {subject.kind.replace('-', ' ')} is in no {words}"
        elif (tags := parents[rule.inherit_from]) is None:
            raise _NoChangeError(f"the tags of its {words} are not known")
        else:
            found = _inherited(check, tags)
            if found and check.breach(found) is None:
                return found
            there = f"has the value '{one_line(found, 80)}', which breaks the rule" if found else "has no such tag"
            reason = f"its {words} {there}"
    if rule.default is None:
        raise _NoChangeError(reason)
    return rule.default


def _inherited(check: Check, tags: Tags) -> str | None:
    """Return the value that a parent has for the key, else for its aliases; None unless it is exactly one."""
    for keys in check.spellings(tags):
        values = {value for key in keys if (value := tags[key]) and value.strip()}
        if values:
            value = values.pop()
            return None if values else check.values.replaced(value) or value
    return None


def _objection(check: Check, tags: Tags, change: TagChange) -> str | None:
    for value in change.set.values():
        if len(value) > LONGEST_VALUE:
            return f"the value would have {len(value)} characters, and Azure allows {LONGEST_VALUE}"
    # What is set is set before anything is removed; of a key that changes its case a copy is there for a moment.
    recased = {fold(key) for key in change.set}.intersection(map(fold, change.remove))
    number = len({fold(key) for key in (*tags, *change.set)}) + len(recased)
    if change.set and number > MOST_TAGS:
        return f"there would be {number} tags, and Azure allows {MOST_TAGS}"
    left = check.violations(applied(tags, change))
    return f"the rule would still be broken: {left[0].detail}" if left else None


def _quoted(*keys: str) -> str:
    return " and ".join(f"'{one_line(key, 80)}'" for key in keys)
