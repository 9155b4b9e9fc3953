"""A value has a format as a whole or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared_code.tag_formats import Format, has_format


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Format.DATE, "2026-03-31"),
        (Format.DATE, "2028-02-29"),
        (Format.DATE, "2026-03-31T18:00Z"),
        (Format.DATE, "2026-03-31T18:00:00.123+02:00"),
        (Format.EMAIL, "somebody@example.com"),
        (Format.EMAIL, "some.body+tag@mail.example.com"),
        (Format.NUMBER, "0"),
        (Format.NUMBER, "-12.50"),
        (Format.GUID, "0000ABCD-0000-0000-0000-00000000000f"),
    ],
)
def test_is(form: Format, value: str) -> None:
    assert has_format(value, form)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Format.DATE, "2026-02-31"),
        (Format.DATE, "03/31/2026"),
        (Format.DATE, "20260331"),
        (Format.DATE, "2026-03-31 18:00"),
        (Format.DATE, "2026-03-31T25:00Z"),
        (Format.DATE, "2026-03-31\n"),
        (Format.DATE, "٢٠٢٦-٠٣-٣١"),
        (Format.EMAIL, "somebody"),
        (Format.EMAIL, "somebody@example"),
        (Format.EMAIL, "a@b@example.com"),
        (Format.EMAIL, "Some Body <somebody@example.com>"),
        (Format.EMAIL, "somebody@example..com"),
        (Format.NUMBER, "1,000"),
        (Format.NUMBER, "1e3"),
        (Format.NUMBER, "½"),
        (Format.GUID, "{00000000-0000-0000-0000-000000000000}"),
        (Format.GUID, "00000000000000000000000000000000"),
    ],
)
def test_is_not(form: Format, value: str) -> None:
    assert not has_format(value, form)


@given(value=some.text(), form=some.sampled_from(Format))
def test_any_text_is_answered(value: str, form: Format) -> None:
    assert has_format(value, form) in (True, False)
    assert not has_format(f"{value}\n", form)


@pytest.mark.parametrize("form", Format)
def test_the_example_in_words_is_one(form: Format) -> None:
    assert has_format(form.words.split(" such as ")[1].split(" or ")[0], form)
