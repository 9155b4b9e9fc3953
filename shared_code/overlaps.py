"""Whether two tag rules can be about the same thing."""

import re
from collections.abc import Mapping

from shared_code.applicability import place
from shared_code.scope import matches
from shared_code.tag_keys import fold
from shared_code.tag_rules import AppliesTo

_TOKENS = re.compile(r"\[!?\]?[^]]*\]|.", re.DOTALL)
_DIMENSIONS = ("types", "resource_groups", "subscriptions", "locations")


def can_overlap(one: AppliesTo, other: AppliesTo) -> bool:
    """Tell whether something can meet both conditions, as far as their texts show.

    An id and a name of one subscription look like two, so that this finds less than there is, and never more but where
    a glob has brackets.
    """
    if not set(one.kinds) & set(other.kinds):
        return False
    for name in _DIMENSIONS:
        form = place if name == "locations" else str
        included = [[form(each) for each in getattr(side, name)] for side in (one, other)]
        excluded = [form(each) for side in (one, other) for each in getattr(side, f"exclude_{name}")]
        mine, theirs = ([each for each in side if not _is_covered(each, excluded)] for side in included)
        if not any(meet(first, second) for first in mine for second in theirs):
            return False
    return not _tags_forbid(one, other) and not _tags_forbid(other, one)


def _tags_forbid(one: AppliesTo, other: AppliesTo) -> bool:
    wanted, theirs, refused = map(_folded, (one.tags, other.tags, other.exclude_tags))
    return any(
        (key in theirs and not meet(pattern, theirs[key])) or (key in refused and _is_covered(pattern, [refused[key]]))
        for key, pattern in wanted.items()
    )


def _folded(conditions: Mapping[str, str]) -> dict[str, str]:
    return {fold(key): pattern for key, pattern in conditions.items()}


def _is_covered(pattern: str, excluded: list[str]) -> bool:
    """Tell whether all that a glob matches is matched by one of the others, as far as is easily seen."""
    plain = not re.search(r"[*?\[]", pattern)
    return any(matches(pattern, [each]) for each in excluded if plain or not re.search(r"[?\[]", each))


def meet(one: str, other: str) -> bool:
    """Tell whether some text is matched by both globs."""
    first, second = _TOKENS.findall(one.casefold()), _TOKENS.findall(other.casefold())
    reached = {0}  # places in `second` that can be reached together with the place in `first`
    for token in [*first, None]:
        grown = set(reached)
        for start in sorted(reached):
            grown.update(_across(second, start))
        reached = set()
        if token is None:
            return len(second) in grown
        for here in grown:
            if token == "*":  # noqa: S105 - a token of a glob
                reached.update(range(here, len(second) + 1))
            elif here < len(second) and second[here] == "*":
                reached.add(here)
            elif here < len(second) and _same(token, second[here]):
                reached.add(here + 1)
    return False


def _across(tokens: list[str], start: int) -> range:
    """Return the places behind `start` that stars lead to without any text."""
    end = start
    while end < len(tokens) and tokens[end] == "*":
        end += 1
    return range(start, end + 1)


def _same(one: str, other: str) -> bool:
    loose = [each for each in (one, other) if len(each) > 1 or each == "?"]
    if len(loose) == 2:
        return True
    return matches(other if loose and loose[0] == one else one, loose or [f"[{other}]"])
