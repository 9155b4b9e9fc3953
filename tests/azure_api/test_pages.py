"""From the bytes of a page to its items."""

import json

import pytest

from shared_code.azure_api.pages import LARGEST_ITEM, BrokenOff, PageDecoder
from shared_code.errors import UnreadableAnswer
from tests.azure_api.conftest import Thing

THINGS = PageDecoder(Thing)


def refused(document: object) -> str:
    """The sentence about a page that is not accepted, without its beginning."""
    with pytest.raises(UnreadableAnswer, match=r"^cannot read things: ") as raised:
        THINGS.decode(json.dumps(document).encode(), "things")
    assert not isinstance(raised.value, BrokenOff)
    return str(raised.value).removeprefix("cannot read things: ")


def test_a_byte_order_mark_is_skipped() -> None:
    page = THINGS.decode(b'\xef\xbb\xbf{"value":[{"id":"/a"}]}', "things")

    assert page.items("things") == [Thing("/a")]


@pytest.mark.parametrize(
    "body", [b"", b"\xef\xbb\xbf", b'{"value":[', b'{"value":[]}}', b'\xfe\xff{"value":[]}', b"\x1f\x8b"]
)
def test_what_is_no_whole_json_may_be_read_again(body: bytes) -> None:
    with pytest.raises(BrokenOff, match=r"^cannot read things: the answer is no whole JSON: "):
        THINGS.decode(body, "things")


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], "got `array`"),
        ("text", "got `str`"),
        (None, "got `null`"),
        ({"value": None}, "$.value`"),
        ({"value": 7}, "$.value`"),
        ({"value": {}}, "$.value`"),
        ({"value": "/a"}, "$.value`"),
        ({"value": [7]}, "$.value[0]`"),
        ({"value": [{}]}, "$.value[0]`"),
        ({"value": [{"id": None}]}, "$.value[0].id`"),
        ({"value": [{"id": ["/a"]}]}, "$.value[0].id`"),
        ({"value": [{"id": "/a"}, {"id": "/b", "tags": ["x"]}]}, "$.value[1].tags`"),
        ({"value": [{"id": "/a", "tags": "x"}]}, "$.value[0].tags`"),
        ({"value": [], "nextLink": 5}, "$.nextLink`"),
        ({"value": [], "nextLink": ["https://"]}, "$.nextLink`"),
        ({"value": [], "nextLink": False}, "$.nextLink`"),
    ],
    ids=lambda value: json.dumps(value) if not isinstance(value, str) else "",
)
def test_another_shape_is_refused_with_the_path_to_it(document: object, path: str) -> None:
    sentence = refused(document)

    assert sentence.startswith("an item has another shape than Azure's: ")
    assert sentence.endswith(path)


def test_an_empty_id_is_refused() -> None:
    """What has no id cannot be told from anything else."""
    assert refused({"value": [{"id": "/a"}, {"id": ""}]}) == (
        "an item has an empty id, which Azure's never have - at `$.value[1]`"
    )


class TestSizes:
    """A large page is looked at item by item: 10 MB of tags did not come from Azure."""

    def page(self, *sizes: int) -> dict[str, object]:
        frame = len(json.dumps({"id": ""}))
        return {"value": [{"id": "x" * (size - frame)} for size in sizes]}

    def test_the_most_that_azure_allows_is_read(self) -> None:
        tags = {f"{number:02}" + "\u2028" * 510: "\u2028" * 256 for number in range(50)}
        document = {"value": [{"id": "/a", "tags": tags}] * 20}

        assert len(THINGS.decode(json.dumps(document).encode(), "things").items("things")) == 20

    def test_many_items_of_the_largest_size_are_read(self) -> None:
        body = json.dumps(self.page(*[LARGEST_ITEM] * 20)).encode()

        assert len(THINGS.decode(body, "things").items("things")) == 20

    def test_a_larger_one_is_refused_with_its_place_and_size(self) -> None:
        assert refused(self.page(100, 5_000_000, LARGEST_ITEM)) == (
            "an item has 5,000,000 bytes, and Azure's have at most 262,144; find out who answers in its place "
            "- at `$.value[1]`"
        )

    def test_a_large_page_of_another_shape_is_refused_like_a_small_one(self) -> None:
        assert refused({"value": "x" * 5_000_000}).endswith("$.value`")
        assert refused({"value": [{"id": 5}], "more": "x" * 5_000_000}).endswith("$.value[0].id`")

    def test_a_large_page_without_items_is_refused_like_a_small_one(self) -> None:
        page = THINGS.decode(json.dumps({"more": "x" * 5_000_000}).encode(), "things")

        with pytest.raises(UnreadableAnswer, match=r"the answer has no 'value', so it is no list$"):
            page.items("things")


def test_a_page_is_known_by_its_items() -> None:
    """All of them, in their order; an empty page is like no other."""
    known = set[int]()
    pages = [[Thing("/a"), Thing("/b")], [], [Thing("/b"), Thing("/a")], [], [Thing("/a"), Thing("/b")]]

    assert [THINGS.is_known(items, known) for items in pages] == [False, False, False, False, True]


def test_items_without_an_id_are_never_known() -> None:
    known = set[int]()
    plain = PageDecoder(dict[str, object])

    assert [plain.is_known([{"name": "a"}], known) for _ in range(2)] == [False, False]
