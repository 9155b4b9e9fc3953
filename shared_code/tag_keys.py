"""Tag keys: shown as spelled, compared without case.

Azure compares names of tags without case and values with it:
https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations.
"""

import re
from functools import lru_cache

LONGEST_KEY = 512
LONGEST_VALUE = 256
MOST_TAGS = 50
REFUSED = frozenset("<>%&\\?/")
"""What Azure allows no key to contain."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
HIDDEN = "hidden-"
"""Keys that begin so belong to the portal, which links resources by them; nobody else touches them."""


@lru_cache(8192)
def fold(key: str) -> str:
    """Return the form in which two spellings of one key are equal; as Azure does, one character for one."""
    return key.lower() if key.isascii() else "".join(map(_folded, key))


def _folded(character: str) -> str:
    # `str.casefold` alone would make one key of 'straße' and 'strasse'.
    return next((each for each in (character.casefold(), character.lower()) if len(each) == 1), character)


def is_hidden(key: str) -> bool:
    """Tell whether the key is one of the portal's."""
    return fold(key).startswith(HIDDEN)


def problem_of(key: str) -> str | None:
    """Return why Azure would refuse the key, or None."""
    if not key.strip():
        return "is blank; write the key of a tag"
    if len(key) > LONGEST_KEY:
        return f"has {len(key)} characters; Azure allows a key {LONGEST_KEY}"
    if refused := sorted(REFUSED.intersection(key)):
        return f"contains {' '.join(refused)}, which Azure allows in no key; remove it"
    if _CONTROL.search(key):
        return "contains a control character, which Azure allows in no key; remove it"
    if is_hidden(key):
        return f"begins with '{HIDDEN}'; such tags are the portal's, and Steward leaves them alone"
    return None
