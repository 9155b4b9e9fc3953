"""Where links lead."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some
from requests import Request
from requests.exceptions import InvalidURL
from urllib3.util import parse_url

from shared_code.azure_api.links import host_of


@pytest.mark.parametrize(
    "link",
    [
        "https://management.azure.com/x",
        "https://management.azure.com:443/x",
        "HTTPS://Management.Azure.COM?x",
        "https://management.azure.com",
    ],
)
def test_one_host_has_several_spellings(link: str) -> None:
    assert host_of(link) == ("management.azure.com", 443)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "x",
        "/x",
        "//management.azure.com/x",
        "http://management.azure.com/x",
        "https://user@management.azure.com/x",
        "https://user:word@management.azure.com/x",
        "https://management.azure.com:/x",
        "https://management.azure.com:443\\@x/",
        "https://management.azure.com#@x/",
        "https://management.azure.com\t/x",
        "https://man\u0131gement.azure.com/x",
        "https:/management.azure.com/x",
        "https:management.azure.com/x",
    ],
)
def test_what_is_no_plain_https_link_leads_nowhere(link: str) -> None:
    assert host_of(link) is None


PARTS = some.sampled_from(
    [
        "https://", "http://", "//", "management.azure.com", "evil.example", "[::1]", ":443", ":8443", ":", "@", "user",
        "/", "\\", "?", "#", "%2f", "%40", "%00", ".", "..", "\t", "\r\n", " ", "\u2024", "\uff0f", "\u3002", "a", "1",
    ]
)  # fmt: skip


@given(parts=some.lists(PARTS, max_size=9))
def test_a_link_leads_where_the_http_library_goes(parts: list[str]) -> None:
    """Two readers that find different hosts in one link are how a token gets to a stranger."""
    link = "".join(parts)
    found = host_of(link)
    if found is None:
        return
    try:
        prepared = Request("GET", link).prepare().url
    except InvalidURL:
        return  # It goes nowhere.
    assert prepared
    goes = parse_url(prepared)

    assert (goes.scheme, goes.host, goes.port or 443) == ("https", *found)
    assert goes.auth is None


@given(link=some.text())
def test_any_text_leads_somewhere_or_nowhere(link: str) -> None:
    found = host_of(f"https://{link}")

    assert found is None or re.fullmatch(r"[a-z0-9.:\[\]-]+", found[0])
