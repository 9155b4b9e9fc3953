"""Foreign text becomes one harmless line."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.foreign_text import LIMIT, one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rg-web", "rg-web"),
        ("déjà-vu 事業部 🚧", "déjà-vu 事業部 🚧"),
        ("one\r\ntwo\tthree", "one two three"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("2026-11-22 ERROR\nforged", "2026-11-22 ERROR forged"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\u2066b\u2069c\u200fd\u061ce\ufefff\u2028g\x9bh\x00i", "a b c d e f g h i"),
        ("half \ud83d pair", "half   pair"),
        (" \n ", ""),
    ],
    ids=["plain", "languages", "lines", "escape", "forged", "override", "marks", "surrogate", "blank"],
)
def test_only_visible_text_on_one_line_is_left(text: str, expected: str) -> None:
    assert one_line(text) == expected


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert one_line("x" * LIMIT) == "x" * LIMIT
    assert one_line("x" * (LIMIT + 1)) == "x" * (LIMIT - 1) + "…"
    assert one_line("abcdef", 4) == "abc…"


@given(text=some.text(some.characters()), limit=some.integers(1, 50))
def test_every_text_becomes_one_short_line_that_has_bytes(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    line.encode()
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in line)
