"""CSV cells are text, whoever wrote them and however the spreadsheet splits them."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.reports.spreadsheet import cell, rows

SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
HOSTILE = some.text(some.sampled_from("=+-@\uff1d\uff0b;,\t\r\n\"' \u00a0ax1|!()")) | some.text()


def content(lines: list[list[object]]) -> str:
    return b"".join(rows(["id", "name"], lines)).decode("utf-8-sig")


def parsed(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


class TestCell:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (None, ""),
            ("", ""),
            (0, "0"),
            (-5, "-5"),
            ("rg-web", "rg-web"),
            ("a=b", "a=b"),
            ("=1+1", "'=1+1"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@SUM(1+1)", "'@SUM(1+1)"),
            ("+1-555-0100", "'+1-555-0100"),
            ("-2+3", "'-2+3"),
            ("  =1", "'  =1"),
            ("\u00a0=1", "'\u00a0=1"),
            ("\uff1d1", "'\uff1d1"),
            ("\t=1", "'\t'=1"),
            ("\tx", "'\tx"),
            ("\x00=1", "'=1"),
            ("x;=1", "x;'=1"),
            ("x\n=1", "x\n'=1"),
            ('"=1', "'\"=1"),
            ("on=(M-U,8);off=(M-U,18)", "on=(M-U,8);off=(M-U,18)"),
            ("'=1", "'=1"),
        ],
    )
    def test_what_would_be_run_gets_an_apostrophe(self, value: object, expected: str) -> None:
        assert cell(value) == expected


class TestRows:
    def test_begins_with_a_byte_order_mark_and_ends_lines_with_crlf(self) -> None:
        assert b"".join(rows(["a", "b"], [["é", None]])) == b"\xef\xbb\xbfa,b\r\n\xc3\xa9,\r\n"

    def test_comes_in_pieces_that_are_whole_lines(self) -> None:
        pieces = list(rows(["a"], (["x" * 1000] for _ in range(200))))

        assert len(pieces) > 3
        assert all(piece.endswith(b"\r\n") for piece in pieces[1:])
        assert b"".join(pieces).count(b"\r\n") == 201

    @given(table=some.lists(some.lists(HOSTILE | some.none() | some.integers(), min_size=2, max_size=2)))
    def test_is_written_as_the_csv_module_writes_it(self, table: list[list[object]]) -> None:
        file = io.StringIO()
        csv.writer(file).writerows([["id", "name"], *([cell(value) for value in line] for line in table)])

        assert b"".join(rows(["id", "name"], table)).decode("utf-8-sig") == _without_surrogates(file.getvalue())

    def test_values_that_are_equal_and_no_text_are_told_apart(self) -> None:
        assert content([[1, True], [True, 1], [0, False]]).split("\r\n")[1:4] == ["1,True", "True,1", "0,False"]

    @given(table=some.lists(some.lists(HOSTILE, min_size=2, max_size=2)))
    def test_no_cell_begins_as_a_formula(self, table: list[list[object]]) -> None:
        for line in parsed(content(table)):
            assert not any(text.startswith((*SIGNS, "\t", "\r", "\n")) for text in line)
            assert not any(text.strip().startswith(SIGNS) for text in line)

    @given(table=some.lists(some.lists(HOSTILE, min_size=2, max_size=2)), delimiter=some.sampled_from(";\t"))
    def test_not_even_where_the_locale_splits_elsewhere(self, table: list[list[object]], delimiter: str) -> None:
        """In much of Europe a spreadsheet splits at semicolons, within our quoted cells."""
        for line in parsed(content(table), delimiter):
            assert not any(text.lstrip(' "').startswith(SIGNS) for text in line)

    @given(name=some.text(some.characters(exclude_characters="\x00\r", exclude_categories=["Cs"])))
    def test_other_text_comes_back_as_it_was(self, name: str) -> None:
        value = f"x{name}".replace(";", "").replace("\n", "").replace("\t", "")

        assert parsed(content([[value, 7]]))[1] == [value, "7"]


def _without_surrogates(text: str) -> str:
    return text.encode(errors="replace").decode()
