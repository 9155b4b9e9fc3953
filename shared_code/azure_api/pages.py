"""One page of a list: from its bytes to typed items."""

from codecs import BOM_UTF8
from operator import attrgetter

import msgspec

from shared_code.errors import UnreadableAnswer
from shared_code.foreign_text import one_line

LARGEST_ITEM = 256 * 1024
"""Bytes of one item, unless its type has a LARGEST of its own.

Azure allows 50 tags with 512 + 256 characters: 230,400 bytes if each is escaped.
"""
_LARGE_PAGE = 4 * 1024 * 1024


class BrokenOff(UnreadableAnswer):
    """An answer began and did not end."""


class Page[Item](msgspec.Struct):
    """One page of an ARM list."""

    value: list[Item] | msgspec.UnsetType = msgspec.UNSET
    nextLink: str | msgspec.UnsetType | None = msgspec.UNSET  # noqa: N815  # Azure's spelling

    def items(self, what: str) -> list[Item]:
        """Return the items; raises UnreadableAnswer where the answer is not a list."""
        if self.value is not msgspec.UNSET:
            return self.value
        if self.nextLink == "":
            return []  # Some network providers write an empty list as {"nextLink": ""}, and nothing else.
        raise UnreadableAnswer(f"cannot read {what}: the answer has no 'value', so it is no list")


_ITEMS_UNREAD = msgspec.json.Decoder(Page[msgspec.Raw])


class PageDecoder[Item]:
    """Decodes the pages of one list."""

    def __init__(self, item: type[Item]) -> None:
        self._decoder = msgspec.json.Decoder(Page[item])  # type: ignore[valid-type]  # a type parameter at run time
        self._largest: int = getattr(item, "LARGEST", LARGEST_ITEM)
        self._id = attrgetter("id") if "id" in getattr(item, "__struct_fields__", ()) else None

    def decode(self, body: bytes, what: str) -> Page[Item]:
        """Return the page.

        Args:
            body: the answer, decompressed.
            what: what is read, as in "cannot read {what}".

        Raises:
            BrokenOff: it is no whole JSON, so reading it again may help.
            UnreadableAnswer: an item is too large, without an id, or of another shape.
        """
        body = body.removeprefix(BOM_UTF8)
        try:
            if len(body) > _LARGE_PAGE:
                _check_sizes(body, self._largest, what)
            page: Page[Item] = self._decoder.decode(body)
        except msgspec.ValidationError as error:
            raise UnreadableAnswer(f"cannot read {what}: an item has another shape than Azure's: {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BrokenOff(f"cannot read {what}: the answer is no whole JSON: {one_line(str(error))}") from error
        if self._id and page.value and not all(map(self._id, page.value)):
            place = next(place for place, item in enumerate(page.value) if not self._id(item))
            raise UnreadableAnswer(
                f"cannot read {what}: an item has an empty id, which Azure's never have - at `$.value[{place}]`"
            )
        return page

    def is_known(self, items: list[Item], known: set[int]) -> bool:
        """Whether a page has exactly the items of one before it, none aside.

        Args:
            items: of the page.
            known: what earlier calls have kept of each page, to which this one is added.
        """
        if not self._id or not items:
            return False
        mark = hash(tuple(map(self._id, items)))
        if mark in known:
            return True
        known.add(mark)
        return False


def _check_sizes(body: bytes, largest: int, what: str) -> None:
    """Look at a large page item by item before anything is made of it.

    Raises:
        UnreadableAnswer: an item is larger than any of Azure's.
    """
    for place, item in enumerate(_ITEMS_UNREAD.decode(body).value or ()):
        if (size := memoryview(item).nbytes) > largest:
            raise UnreadableAnswer(
                f"cannot read {what}: an item has {size:,} bytes, and Azure's have at most {largest:,}; find out "
                f"who answers in its place - at `$.value[{place}]`"
            )
