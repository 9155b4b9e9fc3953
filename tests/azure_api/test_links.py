"""Where links lead."""

import pytest

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
