"""Foreign text in notices: the same characters go into mail, Slack, Teams and web hooks, and must be plain in each.

Whoever may write a tag or a name could otherwise put a link, a mention of everybody, or formatting into a notice that
people trust. No escape works in all of them at once, and some make links of what merely looks like one; so what could
become markup or a link is written in another way that people still can read.
"""

import re

from shared_code.foreign_text import one_line

# Each by something that looks much like it and means nothing to any of them.
_MARKUP = str.maketrans(
    {
        "<": "\u2039",
        ">": "\u203a",
        "[": "(",
        "]": ")",
        "`": "'",
        "*": "\u2217",
        "|": "\u00a6",
        "\\": "\u29f5",
        "~": "\u223c",
        "@": "(at)",
    }
)
# What clients take for an address: a scheme, and a dot before something as long as a top-level domain.
_SCHEME = re.compile(r":(?=//)|(?<=mailto):|(?<=tel):", re.IGNORECASE)
_DOT = re.compile(r"(?<=\S)[.\u3002\uff0e\uff61](?=[^\W\d_]{2})")
# Zero-width and other characters without a shape, which would hide in a name, or split what is looked for above.
_SHAPELESS = re.compile("[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200d\u2060-\u2064\u3164\uffa0]+")


def plain(text: str, limit: int = 300) -> str:
    """Return foreign text as one line without markup and links: `http[:]//example[.]com`, `team(at)example[.]com`.

    Args:
        text: as received.
        limit: characters of it that are kept.
    """
    line = one_line(_SHAPELESS.sub("", text), limit).translate(_MARKUP)
    return _DOT.sub("[.]", _SCHEME.sub("[:]", line))
