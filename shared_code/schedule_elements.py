"""Elements: what stands between the commas of a cron text, as it was written; its meaning alone is in `Cron`."""

from collections.abc import Iterator
from typing import NamedTuple

from shared_code.foreign_text import one_line
from shared_code.occurrences import FIELDS, Cron, Field

SHOWN = 24
"""Characters of a text that are quoted in a sentence."""


class Element(NamedTuple):
    """`*`, `v` or `v-w`, each with or without `/n`."""

    field: Field
    text: str
    body: str
    """What stands before the slash."""
    first: int
    last: int
    """As written: smaller than `first` where the range runs backwards."""
    step: int | None
    """As written: it may be 0 or negative; None without a slash."""

    @property
    def open(self) -> bool:
        """Whether it goes on to the end of the field."""
        return self.body == "*" or (self.step is not None and "-" not in self.body)

    @property
    def values(self) -> range:
        """What the host reads: it swaps the ends of a backward range, and takes a step below 1 for 1."""
        low, high = sorted((self.first, self.last))
        return range(low, high + 1, max(1, self.step or 1))

    @property
    def quoted(self) -> str:
        """The text for a sentence."""
        return f"'{one_line(self.text, SHOWN)}'"


def fields_of(cron: Cron) -> tuple[Field, ...]:
    """Return the fields of the text: six, or five without the second."""
    return FIELDS if cron.has_seconds else FIELDS[1:]


def parts_of(cron: Cron) -> list[str]:
    """Return the text of each field."""
    return [part for part in cron.text.split(" ") if part]


def elements_of(cron: Cron) -> Iterator[Element]:
    """Give every element, field by field, each once; `ncrontab.parse` has accepted the text, so none is malformed."""
    for field, part in zip(fields_of(cron), parts_of(cron), strict=True):
        for text in dict.fromkeys(part.split(",")):
            yield _element(field, text)


def names_of(field: Field, part: str) -> list[str]:
    """Return the names that `part` may be short for; the host takes the first (`CrontabFieldImpl.ParseValue`)."""
    prefix = part.strip("\0").lower()
    return [name for name in field.names if name.lower().startswith(prefix)]


def _element(field: Field, text: str) -> Element:
    body, slash, step_text = text.partition("/")
    step = _number(step_text) if slash else None
    if body == "*":
        return Element(field, text, body, field.low, field.high, step)
    first_text, dash, last_text = body.partition("-")
    first = _value(field, first_text)
    last = _value(field, last_text) if dash else field.high if slash else first
    return Element(field, text, body, first, last, step)


def _value(field: Field, part: str) -> int:
    return _number(part) if part[0].isdigit() else field.low + field.names.index(names_of(field, part)[0])


def _number(part: str) -> int:
    """Read what int.Parse accepted: white space and NUL around it, a sign, and any number of leading zeros."""
    plain = part.strip("\t\n\v\f\r\0")
    number = int(plain.lstrip("+-0") or "0")
    return -number if plain.startswith("-") else number
