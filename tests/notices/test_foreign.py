"""Foreign text in notices is one line, without markup and without what a client makes a link of."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.notices.foreign import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rg-shop_1", "rg-shop_1"),
        ("version 1.2.3", "version 1.2.3"),
        ("[pay](http://evil.example)", "(pay)(http[:]//evil[.]example)"),
        ("<http://evil.example|pay>", "‹http[:]//evil[.]example¦pay›"),  # noqa: RUF001  # what stands for < and >
        ("<!channel> @everyone", "‹!channel› (at)everyone"),  # noqa: RUF001
        ("<b>&lt;script&gt;</b>", "‹b›&lt;script&gt;‹/b›"),  # noqa: RUF001
        ("www.evil.example", "www[.]evil[.]example"),
        ("evil。example evil．example", "evil[.]example evil[.]example"),  # noqa: RUF001  # dots that a browser takes for dots
        ("mailto:team@example.com", "mailto[:]team(at)example[.]com"),
        ("evil.\u200bexample", "evil[.]example"),
        ("a\r\nBcc: b", "a Bcc: b"),
        ("a\u202eb\u2066c", "a b c"),
        ("`*_~|\\", "'\u2217_\u223c\u00a6\u29f5"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert plain(text) == shown


LINKS = re.compile(r"://|\S\.[^\W\d_]{2}|@|[<>`*|\\~]|(?<!\[[.:])\]\(")


@given(some.text(alphabet=some.sampled_from("ab1.:/@<>[]()*`|\\~_\u200b\u202e\n。 "), max_size=60) | some.text())
def test_nothing_becomes_a_link_or_markup(text: str) -> None:
    shown = plain(text)

    assert len(shown.splitlines()) <= 1
    assert not LINKS.search(shown)
    assert set(re.findall(r"\[[^]]*\]", shown)) <= {"[.]", "[:]"}


def test_a_long_text_is_cut() -> None:
    assert plain("x" * 400) == "x" * 299 + "…"
