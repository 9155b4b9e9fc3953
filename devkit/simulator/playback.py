"""Serves recorded pages: finds them by the exact path and query of the nextLink that led there."""

import re
import string
from urllib.parse import quote

from devkit.simulator.interactions import Lists
from devkit.simulator.model import Estate, Json, RecordedList, RecordedPage, Subscription

ORIGIN = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)
_UNRESERVED = set(string.ascii_letters + string.digits + "-._~")


def canonical(target: str) -> str:
    """A path and query with percent-escapes spelled one way: clients may change these, and nothing else.

    Hex digits become upper case, escaped letters, digits and `-._~` are unescaped, and what may not stand in a URL is
    escaped. `+`, `/` and `=` keep the spelling they came with, so a token that was decoded once too often is not found.
    """

    def escape(found: re.Match[str]) -> str:
        character = chr(int(found[1], 16))
        return character if character in _UNRESERVED else found[0].upper()

    escaped = re.sub("%([0-9a-fA-F]{2})", escape, target)
    return quote(escaped, safe="!#$%&'()*+,/:;=?@[]~")


class Playback:
    """Finds recorded pages; answers nothing where the estate is none of recordings."""

    def __init__(self, estate: Estate, base_url: str) -> None:
        self._base_url = base_url
        self._places: dict[str, tuple[Subscription, tuple[RecordedPage, ...], int]] = {}
        for subscription in estate.subscriptions:
            if subscription.recorded:
                pages = subscription.recorded.pages
                for number, page in enumerate(pages, 1):
                    if page.next_target:
                        self._places.setdefault(canonical(page.next_target), (subscription, pages, number))

    def following(self, target: str) -> Json | None:
        """The page behind the nextLink with that path and query; empty where it was not recorded, None for others."""
        found = self._places.get(canonical(target))
        if found is None:
            return None
        _, pages, number = found
        return self._served(pages[number]) if number < len(pages) else {"value": []}

    def place(self, target: str) -> tuple[str, int] | None:
        """The subscription id and the page number (from 1) that a recorded nextLink leads to; None for others."""
        found = self._places.get(canonical(target))
        return (found[0].id, found[2] + 1) if found else None

    def first_page(self, recorded: RecordedList, lists: Lists) -> Json:
        """The first page of a recorded list, or an empty page for the list the recording has not."""
        return self._served(recorded.pages[0]) if recorded.lists == lists else {"value": []}

    def _served(self, page: RecordedPage) -> Json:
        link = page.body.get("nextLink")
        if not page.next_target or not isinstance(link, str) or not ORIGIN.match(link):
            return page.body
        return page.body | {"nextLink": self._base_url + page.next_target}


def recorded_group(recorded: RecordedList, name: str) -> Json | None:
    """The recorded resource group of that name in any case, or None."""
    if recorded.lists == "resources":
        return None
    wanted = name.casefold()
    items = (item for item in recorded.items if isinstance(item, dict))
    return next((item for item in items if str(item.get("name", "")).casefold() == wanted), None)
