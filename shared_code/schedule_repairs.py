"""Repairs: the six fields most likely meant by a text that Azure rejects.

Only what has one obvious meaning in another cron dialect is rewritten; what is written here is checked by `parse`.
"""

import re

from shared_code.ncrontab import Cron, ScheduleError, parse

LONGEST_REPAIRED = 200
"""Characters of a text that is worth repairing."""

_HOUR, _WEEKDAY = 2, 5
# Quartz writes ? for "any" and a year at the end; most crons know 7 for Sunday and take any white space:
# https://man7.org/linux/man-pages/man5/crontab.5.html
_TO_SUNDAY = re.compile(r"([1-6])-7")


def repaired(text: str) -> str | None:
    """Return six fields that Azure accepts and that fire, in place of a text it rejects, or None."""
    if len(text) > LONGEST_REPAIRED:
        return None
    parts = text.split()
    if len(parts) == 7 and parts[6] in ("*", "?"):
        parts = parts[:6]
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        return None
    parts = ["*" if part == "?" else part for part in parts]
    parts[_HOUR] = ",".join("0" if each == "24" else each for each in parts[_HOUR].split(","))
    parts[_WEEKDAY] = ",".join(_weekday(each) for each in parts[_WEEKDAY].split(","))
    whole = " ".join(parts)
    if not whole.isprintable():  # the host takes a NUL after a number; nobody can paste one
        return None
    try:
        meaning = parse(whole)
    except ScheduleError:
        return None
    return whole if whole != text and isinstance(meaning, Cron) and meaning.fires else None


def _weekday(element: str) -> str:
    if to_sunday := _TO_SUNDAY.fullmatch(element):
        days = ",".join(str(day % 7) for day in range(int(to_sunday[1]), 8))
        return "*" if to_sunday[1] == "1" else days
    return {"7": "0", "0-7": "*"}.get(element, element)
