"""What the value of a tag can be written as: a date, an e-mail address, a number, a GUID."""

import re
from datetime import date, datetime
from enum import StrEnum


class Format(StrEnum):
    """How a value is to be written."""

    DATE = "date"
    """An ISO 8601 date, with or without a time."""
    EMAIL = "email"
    """One e-mail address."""
    NUMBER = "number"
    """A decimal number."""
    GUID = "guid"
    """32 hexadecimal digits in five groups."""

    @property
    def words(self) -> str:
        """What is expected, with an example."""
        return _WORDS[self]


_WORDS = {
    Format.DATE: "a date such as 2026-03-31 or 2026-03-31T18:00:00Z",
    Format.EMAIL: "an e-mail address such as somebody@example.com",
    Format.NUMBER: "a number such as 1200 or 0.5",
    Format.GUID: "a GUID such as 00000000-0000-0000-0000-000000000000",
}
# Classes of neighbouring parts are disjoint, so that no text makes these slow.
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_EMAIL = re.compile(r'[^@\s<>()\[\],;:\\"]{1,64}@[^@\s<>()\[\],;:\\".]+([.][^@\s<>()\[\],;:\\".]+)+')
_NUMBER = re.compile("[+-]?[0-9]+([.][0-9]+)?")
_GUID = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LONGEST = 256


def has_format(value: str, form: Format) -> bool:
    """Tell whether the whole value is written so."""
    if len(value) > _LONGEST:
        return False
    match form:
        case Format.DATE:
            return _is_date(value)
        case Format.EMAIL:
            return _EMAIL.fullmatch(value) is not None
        case Format.NUMBER:
            return _NUMBER.fullmatch(value) is not None
        case Format.GUID:
            return is_guid(value)


def is_guid(value: str) -> bool:
    """Tell whether the whole value is a GUID, in either case."""
    return _GUID.fullmatch(value) is not None


def _is_date(value: str) -> bool:
    try:
        if _DAY.fullmatch(value):
            date.fromisoformat(value)
        elif _MOMENT.fullmatch(value):
            datetime.fromisoformat(value)
        else:
            return False
    except ValueError:  # 31 February
        return False
    return True
