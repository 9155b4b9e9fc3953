"""The values one tag rule accepts: in words, and the nearest to one that it does not."""

import difflib
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared_code.errors import SettingsError
from shared_code.foreign_text import one_line
from shared_code.tag_formats import has_format
from shared_code.tag_keys import LONGEST_VALUE
from shared_code.tag_rules import TagRule

_SHOWN = 8
_REMEMBERED = 4096
_COMPARED = 50
"""Allowed values a wrong one is compared with; a list of thousands must not make a hostile estate slow."""
_LONGEST_COMPARED = 64


def compile_pattern(pattern: str) -> Any:  # re2 has no types
    """Compile a pattern for whole values; raises ValueError with the engine's reason.

    RE2 has no backtracking: time is linear in the value (https://github.com/google/re2/wiki/WhyRE2).
    """
    import re2

    options = re2.Options()
    options.log_errors = False  # on stderr, in the engine's own form
    try:
        return re2.compile(pattern, options)
    except UnicodeEncodeError as error:
        raise ValueError(error.reason) from error
    except re2.error as error:
        raise ValueError(one_line(error.args[0].decode(errors="replace"), 120)) from error


def matches_pattern(pattern: Any, value: str) -> bool:
    """Tell whether a compiled pattern matches the whole value."""
    # Half a surrogate pair, which JSON can spell, has no bytes in UTF-8: so it is matched by nothing.
    return pattern.fullmatch(value.encode(errors="surrogatepass")) is not None


class Values:
    """The values of a rule, compiled once; may be asked from several threads."""

    def __init__(self, rule: TagRule, lists: Mapping[str, Sequence[str]]) -> None:
        allowed = rule.allowed
        if rule.allowed_from is not None:
            if not lists.get(rule.allowed_from):
                text = f"The rule '{rule.name}' takes its values from '{rule.allowed_from}', which was not read."
                raise SettingsError([text])
            allowed = (*(allowed or ()), *lists[rule.allowed_from])
        self._case: Callable[[str], str] = str.casefold if rule.ignore_case else str
        self._listed = allowed
        self._allowed = None if allowed is None else {self._case(value): value for value in reversed(allowed)}
        self._by_case = {value.casefold(): value for value in reversed(allowed or ())}
        self._in_order = sorted(self._by_case)
        self._replace = {self._case(old): new for old, new in rule.replace.items()}
        self._form = rule.format
        self._pattern = compile_pattern(rule.pattern) if rule.pattern is not None else None
        self._judged: dict[str, bool] = {}
        self._nearest: dict[str, str | None] = {}
        self.expected = self._in_words(rule)

    def accepts(self, value: str) -> bool:
        """Tell whether the value is one of them."""
        known = self._judged.get(value)
        if known is not None:
            return known
        return _remember(self._judged, value, self._judge(value))

    def nearest(self, value: str) -> str | None:
        """Return the value most like a wrong one: what replaces it, or an allowed one; None where none is like it."""
        if (replaced := self.replaced(value)) is not None:
            return replaced
        if self._listed is None:
            return None
        known = self._nearest.get(value, "")
        if known != "":
            return known
        return _remember(self._nearest, value, self._like(value.strip().casefold()))

    def lists(self, value: str) -> bool:
        """Tell whether the value is one of those listed, whatever else the rule says."""
        return self._allowed is not None and self._case(value) in self._allowed

    def replaced(self, value: str) -> str | None:
        """Return what the rule writes instead of the value; None where it says nothing."""
        return self._replace.get(self._case(value)) if self._replace else None

    def _judge(self, value: str) -> bool:
        if self._allowed is not None and self._case(value) not in self._allowed:
            return False
        if self._replace and self._case(value) in self._replace:
            return False
        if self._form is not None and not has_format(value, self._form):
            return False
        return self._pattern is None or matches_pattern(self._pattern, value)

    def _like(self, folded: str) -> str | None:
        if len(folded) > _LONGEST_COMPARED:
            return None
        if (same := self._by_case.get(folded)) is not None:
            return same
        # Of many, those that begin most like it: they are its neighbours in the alphabet.
        place = bisect(self._in_order, folded)
        near = self._in_order[max(0, place - _COMPARED // 2) : place + _COMPARED // 2]
        found = difflib.get_close_matches(folded, self._in_order if len(self._in_order) <= _COMPARED else near, 1)
        return self._by_case[found[0]] if found else None

    def _in_words(self, rule: TagRule) -> str:
        words: list[str] = []
        if self._listed is not None:
            shown = ", ".join(f"'{one_line(value, 60)}'" for value in self._listed[:_SHOWN])
            more = f" and {len(self._listed) - _SHOWN} more" if len(self._listed) > _SHOWN else ""
            words.append(f"one of {shown}{more}" if len(self._listed) > 1 else shown)
        if rule.format:
            words.append(rule.format.words)
        if rule.pattern is not None:
            words.append(f"a value that matches {one_line(rule.pattern, 120)}")
        return ", and ".join(words) or "a value"


def _remember[V](memory: dict[str, V], value: str, answer: V) -> V:
    if len(value) <= LONGEST_VALUE:
        if len(memory) >= _REMEMBERED:
            memory.clear()
        memory[value] = answer
    return answer
