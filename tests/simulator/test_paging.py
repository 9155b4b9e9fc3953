"""Pages, nextLinks and their tokens."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from devkit.simulator import Estate, ResourceGroup, Simulator, Subscription
from devkit.simulator.exchange import Call
from devkit.simulator.model import Pages
from devkit.simulator.paging import InvalidSkipToken, page
from tests.simulator.client import Client

BASE = "https://127.0.0.1:1"
SUBSCRIPTION = "5a000000-0000-4000-8000-000000000009"
LIST = f"/subscriptions/{SUBSCRIPTION}/resources"
SPELLINGS = ("plain", "escaped", "lower-hex", "unescaped")


def walk(items: list[int], pages: Pages, top: int | None = None, query: str = "api-version=1") -> list[list[int]]:
    """The items of each page, followed to the end."""
    target: str | None = f"{LIST}?{query}"
    seen: list[list[int]] = []
    while target:
        answer = page(items, pages, Call(method="GET", target=target), BASE, top)
        seen.append(answer.get("value", []))
        target = (answer.get("nextLink") or "").removeprefix(BASE)
    return seen


@given(
    count=some.integers(0, 40),
    sizes=some.lists(some.integers(0, 5), max_size=6).map(tuple),
    size=some.integers(1, 9),
    ends=some.sampled_from(["absent", "null", "blank", "no-value", "empty-page"]),
    spelling=some.sampled_from(SPELLINGS),
    length=some.sampled_from([0, 300, 1500]),
    top=some.none() | some.integers(1, 7),
)
def test_every_item_comes_once_and_in_order(
    count: int, sizes: tuple[int, ...], size: int, ends: str, spelling: str, length: int, top: int | None
) -> None:
    """However a list is cut and its tokens are spelled, all pages together are the list."""
    pages = Pages(sizes=sizes, size=size, ends=ends, spelling=spelling, token_length=length)  # type: ignore[arg-type]
    items = list(range(count))

    seen = walk(items, pages, top)

    assert [item for each in seen for item in each] == items
    assert top is None or all(len(each) <= top for each in seen)


def test_uneven_and_empty_pages() -> None:
    """Empty pages with a nextLink come first, in between, and last (oddities 1, 2, 5)."""
    pages = Pages(sizes=(0, 0, 3, 0, 1), size=2, ends="empty-page")

    assert [len(each) for each in walk(list(range(7)), pages)] == [0, 0, 3, 0, 1, 2, 1, 0]


def test_top_is_the_size_of_a_page() -> None:
    """$top does not end a list (oddity 5)."""
    assert [len(each) for each in walk(list(range(5)), Pages(), top=2)] == [2, 2, 1]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("absent", {"value": []}),
        ("null", {"value": [], "nextLink": None}),
        ("blank", {"value": [], "nextLink": ""}),
        ("no-value", {"nextLink": ""}),
    ],
)
def test_the_forms_of_no_more(ends: str, expected: dict[str, object]) -> None:
    """No nextLink, null, "", and "" without a value (oddity 3)."""
    call = Call(method="GET", target=f"{LIST}?api-version=1")

    assert page([], Pages(ends=ends), call, BASE, None) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spelling", "token", "filtered"),
    [
        ("plain", "&$skiptoken=", "$filter=location%20eq%20%27west%2Feurope%27&"),
        ("escaped", "&%24skiptoken=", "%24filter=location+eq+%27west%2Feurope%27&"),
        ("lower-hex", "&%24skiptoken=", "%24filter=location+eq+%27west%2feurope%27&"),
        ("unescaped", "&$skiptoken=1!8!", "$filter=location eq 'west/europe'&"),
    ],
)
def test_spellings_of_a_next_link(spelling: str, token: str, filtered: str) -> None:
    """A nextLink is spelled in four ways, and repeats the filter (oddity 4)."""
    call = Call(method="GET", target=f"{LIST}?api-version=1&$filter=location%20eq%20'west/europe'")

    link = page([1, 2], Pages(size=1, spelling=spelling), call, BASE, None)["nextLink"]  # type: ignore[arg-type]

    assert link.startswith(f"{BASE}{LIST}?{filtered}")
    assert token in link
    if spelling in ("escaped", "plain"):
        assert "%2B%2B" in link
        assert link.endswith("%3D%3D")
    if spelling == "lower-hex":
        assert "%2b%2b" in link


def test_a_token_decoded_once_too_often_is_refused() -> None:
    """`+` is a space in a query: a client that does not follow the nextLink byte for byte is told so."""
    pages = Pages(size=1, spelling="escaped")
    call = Call(method="GET", target=f"{LIST}?api-version=1")
    link = page([1, 2], pages, call, BASE, None)["nextLink"].removeprefix(BASE)

    with pytest.raises(InvalidSkipToken):
        page([1, 2], pages, Call(method="GET", target=unquote(link)), BASE, None)


def test_a_token_of_another_list_is_refused() -> None:
    """A token holds for the path it was made for."""
    call = Call(method="GET", target=f"{LIST}?api-version=1")
    query = urlsplit(page([1, 2], Pages(size=1), call, BASE, None)["nextLink"]).query

    with pytest.raises(InvalidSkipToken):
        page([1, 2], Pages(size=1), Call(method="GET", target=f"{LIST[:-1]}?{query}"), BASE, None)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_real_client_follows_every_spelling(spelling: str) -> None:
    """What goes over the wire, after a client library has normalised it, is still understood."""
    groups = tuple(ResourceGroup(name=f"rg-{number}") for number in range(7))
    pages = Pages(sizes=(2, 0), size=2, spelling=spelling, token_length=700)  # type: ignore[arg-type]
    subscription = Subscription(id=SUBSCRIPTION, name="Paged", resource_groups=groups, group_pages=pages)
    estate = Estate(name="paged", subscriptions=(subscription,))

    with Simulator(estate) as simulator, Client(simulator) as client:
        path = f"/subscriptions/{SUBSCRIPTION}/resourcegroups?api-version=2022-09-01&$filter="
        assert [len(each["value"]) for each in client.pages(path)] == [2, 0, 2, 2, 1]
        assert all(len(each.query) > 650 for each in simulator.requests[2:])
        assert all(each.status == 200 for each in simulator.requests)
