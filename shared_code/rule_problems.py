"""What is wrong with tag rules: each sentence with its place, all at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice

from shared_code.foreign_text import one_line
from shared_code.overlaps import can_overlap
from shared_code.tag_check import Check
from shared_code.tag_formats import has_format
from shared_code.tag_keys import LONGEST_VALUE, MOST_TAGS, fold, problem_of
from shared_code.tag_rules import LONGEST_MESSAGE, LONGEST_NAME, LONGEST_PATTERN, NAME, AppliesTo, Parent, TagRule
from shared_code.tag_values import compile_pattern, matches_pattern

type Said = Iterator[tuple[str, str]]
"""Places and sentences."""
type Lists = Mapping[str, Sequence[str] | None]
"""The values in each file that an `allowed_from` names; None if it cannot be read."""

_INCLUDING = ("kinds", "types", "resource_groups", "subscriptions", "locations")


def problems_of(rules: Sequence[tuple[str, TagRule]], lists: Lists) -> Said:
    """Give what keeps the rules from being evaluated, rule by rule, then what two of them contradict each other in."""
    for place, rule in rules:
        found = [*_of_name(rule), *_of_keys(rule), *_of_purpose(rule), *_of_values(rule, lists), *_of_scope(rule)]
        if not found:  # only then can it be asked
            found = [*_of_changes(rule, Check(rule, {name: lines for name, lines in lists.items() if lines}))]
        yield from ((f"{place}.{key}" if key else place, text) for key, text in found)
    for (_, one), (place, other) in combinations(rules, 2):
        if one.name == other.name:
            yield f"{place}.name", f"'{one_line(one.name, 80)}' is the name of an earlier rule; choose another"
        if _are_about_one_tag(one, other):
            yield from ((place, text) for text in _contradictions(one, other))


def is_file_name(text: str) -> bool:
    """Tell whether it names a file beside steward.toml, and nothing elsewhere."""
    return bool(text.strip(" .")) and not re.search(r"[/\\:\x00-\x1f]", text) and len(text) <= 255


def _of_name(rule: TagRule) -> Said:
    if len(rule.name) > LONGEST_NAME or not re.fullmatch(NAME, rule.name):
        text = (
            f"is no name of a rule; write at most {LONGEST_NAME} lower-case letters, digits and single hyphens, as in "
            "'cost-center'"
        )
        yield "name", f"'{one_line(rule.name, 80)}' {text}"
    if rule.message is not None and not 0 < len(rule.message.strip()) <= LONGEST_MESSAGE:
        yield "message", f"must have 1 to {LONGEST_MESSAGE} characters"


def _of_keys(rule: TagRule) -> Said:
    named = [("tag", rule.tag), *((f"aliases[{index}]", alias) for index, alias in enumerate(rule.aliases))]
    earlier: set[str] = set()
    for place, key in named:
        if key is None:
            continue
        if wrong := problem_of(key):
            yield place, f"'{one_line(key, 80)}' {wrong}"
        elif fold(key) in earlier:
            text = "is the tag itself or an earlier alias, since keys compare without case; remove it"
            yield place, f"'{one_line(key, 80)}' {text}"
        earlier.add(fold(key))


def _of_purpose(rule: TagRule) -> Said:
    said = [key for key in ("required", "forbidden", "spelling", "rename", "empty_allowed") if getattr(rule, key)]
    said += ["aliases"] if rule.aliases else []
    checks = rule.checks_value or any(key in said for key in ("required", "forbidden", "spelling", "aliases"))
    if not checks and rule.max_tags is None:
        yield "", "checks nothing; add required, allowed, pattern, format, spelling, aliases, forbidden or max_tags"
    elif rule.tag is None and (said or rule.checks_value or rule.proposes):
        yield "", "has no 'tag'; add the key that it is about"
    if rule.max_tags is not None and not 0 < rule.max_tags <= MOST_TAGS:
        yield "max_tags", f"{rule.max_tags} is not from 1 to {MOST_TAGS}, which is as many as Azure keeps"
    if rule.forbidden:
        others = [key for key in ("required", "empty_allowed", "spelling") if getattr(rule, key)]
        others += [key for key in ("allowed", "allowed_from", "pattern", "format") if getattr(rule, key) is not None]
        others += rule.proposes
        if others:
            yield "forbidden", f"contradicts {', '.join(others)} in the same rule; make two rules, or remove one side"


def _of_values(rule: TagRule, lists: Lists) -> Said:
    if rule.allowed is not None and not rule.allowed:
        yield "allowed", "is empty, so that no value would do; name the values, or remove it"
    if rule.allowed_from is not None:
        yield from _of_file(rule.allowed_from, rule, lists)
    if rule.pattern is not None and (wrong := _of_pattern(rule.pattern)):
        yield "pattern", wrong
    for place, value in _written(rule):
        if len(value) > LONGEST_VALUE:
            yield place, f"'{one_line(value, 80)}' has {len(value)} characters; Azure allows a value {LONGEST_VALUE}"
        elif place.startswith("allowed") and value.strip():
            yield from ((place, text) for text in _misfits(rule, value))


def _written(rule: TagRule) -> Said:
    """Give each value that stands in the rule, with its place."""
    if rule.default is not None:
        yield "default", rule.default
    yield from ((f"allowed[{index}]", value) for index, value in enumerate(rule.allowed or ()))
    yield from (("replace", value) for value in rule.replace.values())


def _of_file(name: str, rule: TagRule, lists: Lists) -> Said:
    shown = one_line(name, 80)
    if rule.allowed is not None:
        yield "allowed_from", "stands beside allowed; write one of the two"
    if not is_file_name(name):
        yield "allowed_from", f"'{shown}' is no name of a file beside steward.toml; write it without folders"
    elif lists.get(name) is None:
        yield "allowed_from", f"the file '{shown}' cannot be read; put it beside steward.toml, one value a line"
    elif not lists[name]:
        yield "allowed_from", f"the file '{shown}' has no values; write one a line"
    # Of a thousand lines the first is told.
    wrong = (text for line in lists.get(name) or () for text in _misfits(rule, line))
    yield from (("allowed_from", f"in '{shown}' {text}") for text in islice(wrong, 1))


def _of_pattern(pattern: str) -> str | None:
    if not 0 < len(pattern) <= LONGEST_PATTERN:
        return f"has {len(pattern)} characters; write 1 to {LONGEST_PATTERN}"
    try:
        compile_pattern(pattern)
    except ValueError as error:
        return f"is no pattern of RE2: {error}; see https://github.com/google/re2/wiki/Syntax"
    return None


def _misfits(rule: TagRule, value: str) -> Iterator[str]:
    """Give in what an allowed value breaks the rest of its rule."""
    shown = f"'{one_line(value, 80)}'"
    if rule.pattern and not _of_pattern(rule.pattern) and not matches_pattern(compile_pattern(rule.pattern), value):
        yield f"{shown} does not match the pattern of the same rule; mend one of the two"
    if rule.format and not has_format(value, rule.format):
        yield f"{shown} is not {rule.format.words}, as the format of the same rule wants it"


def _of_scope(rule: TagRule) -> Said:
    for key in _INCLUDING:
        if not getattr(rule.applies_to, key):
            yield f"applies_to.{key}", "is empty, so that the rule is about nothing; remove it, or name what is meant"
    for key in ("tags", "exclude_tags"):
        if any(not name.strip() for name in getattr(rule.applies_to, key)):
            yield f"applies_to.{key}", "has a blank key; write the key of a tag"


def _of_changes(rule: TagRule, check: Check) -> Said:
    if rule.default is not None and (wrong := check.breach(rule.default)):
        yield (
            "default",
            f"'{one_line(rule.default, 80)}' breaks its own rule ({wrong}); expected {check.values.expected}",
        )
    for old, new in rule.replace.items():
        if wrong := check.breach(new):
            shown = f"'{one_line(new, 80)}', which replaces '{one_line(old, 80)}',"
            yield "replace", f"{shown} breaks its own rule ({wrong}); expected {check.values.expected}"
        if rule.allowed is not None and check.values.lists(old):
            yield "replace", f"'{one_line(old, 80)}' is to be replaced, and is allowed as well; remove it from one"


def _are_about_one_tag(one: TagRule, other: TagRule) -> bool:
    if one.tag is None or other.tag is None or fold(one.tag) != fold(other.tag):
        return False
    return can_overlap(one.applies_to, other.applies_to)


def _contradictions(one: TagRule, other: TagRule) -> Iterator[str]:
    against = f"the rule '{one_line(one.name, 80)}', and both can apply to the same thing"
    if (one.required and other.forbidden) or (one.forbidden and other.required):
        words = "forbids" if other.forbidden else "requires"
        yield f"{words} '{one_line(other.tag or '', 80)}' against {against}; part them by applies_to, or remove one"
    if one.spelling and other.spelling and one.tag != other.tag:
        yield f"spells '{one_line(other.tag or '', 80)}' against {against}; choose one spelling"
    if (
        one.allowed
        and other.allowed
        and not {each.casefold() for each in one.allowed} & {each.casefold() for each in other.allowed}
    ):
        yield f"allows no value that is allowed by {against}; part them by applies_to, or allow one in both"


def cautions_of(rules: Sequence[tuple[str, TagRule]]) -> Said:
    """Give what works, and does not do what it looks like."""
    for place, rule in rules:
        for key, text in _of_intent(rule):
            yield f"{place}.{key}", text


def _of_intent(rule: TagRule) -> Said:
    if rule.proposes and not rule.mode.changes:
        text = f"is only suggested while mode is '{rule.mode}'; write mode = \"approve\" to have changes planned"
        yield rule.proposes[0], text
    if rule.mode.changes and not rule.proposes:
        yield "mode", f"'{rule.mode}' plans nothing, as no inherit_from, default, replace or rename says what to change"
    for key in ("inherit_from", "default"):
        if key in rule.proposes and not rule.required:
            yield key, "does nothing for a missing tag unless the rule has required = true"
    if rule.rename and not rule.aliases and not rule.spelling:
        yield "rename", "does nothing without spelling = true or aliases"
    if rule.ignore_case and rule.allowed is None and rule.allowed_from is None and not rule.replace:
        yield "ignore_case", "does nothing without allowed, allowed_from or replace; a pattern can begin with (?i)"
    if rule.inherit_from and not _has_parent(rule.applies_to, rule.inherit_from):
        yield "inherit_from", f"does nothing, as none of applies_to.kinds is in a {rule.inherit_from.replace('-', ' ')}"


def _has_parent(applies_to: AppliesTo, parent: Parent) -> bool:
    within = {Parent.RESOURCE_GROUP: {"resource"}, Parent.SUBSCRIPTION: {"resource", "resource-group"}}[parent]
    return any(kind in within for kind in applies_to.kinds)
