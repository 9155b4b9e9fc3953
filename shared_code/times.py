"""Moments: aware datetimes in UTC, written as ISO 8601 with Z."""

import re
from datetime import UTC, datetime, timedelta

_FRACTION = re.compile(r"(\.\d{6})\d+")


def text_of(moment: datetime) -> str:
    """Write `moment` as operators and scripts see it: `2026-11-22T06:00:00Z`, to the second.

    Args:
        moment: an aware datetime; a naive one is a programming error and raises ValueError.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be written as UTC")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def local_text_of(moment: datetime, timezone: str) -> str:
    """Write `moment` as the clocks of a zone show it: `2026-11-23T06:00:00+01:00 Europe/Berlin`.

    Args:
        moment: aware, with the offset of those clocks.
        timezone: the name of the zone.
    """
    return f"{moment.isoformat(timespec='seconds')} {timezone}"


def from_azure(text: str | None) -> datetime | None:
    """Read a time as Azure Resource Manager writes it, or None where it cannot be read with certainty.

    Accepts 0 to 7 fraction digits and any ISO offset; a time without a zone is UTC, as ARM's are. Anything else,
    such as the US format some providers use, is unknown rather than guessed.
    """
    if not text or ":" not in text:
        return None  # a date alone would be taken for its midnight
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text.strip()))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def duration_text(duration: timedelta) -> str:
    """Write a duration for people: `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`."""
    seconds = duration.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
