import pytest

from devkit.local_host.datums import Datum, as_json, raw, text
from devkit.local_host.outputs import BadOutput, spread


class Value:
    """A datum of a kind that only comes out of functions."""

    def __init__(self, value: object, kind: str) -> None:
        self.value = value
        self.type: str | None = kind


@pytest.mark.parametrize(
    ("datum", "bodies"),
    [
        (text("plain"), [b"plain"]),
        (text(""), [b""]),
        (text("12"), [b"12"]),
        (raw(b"[1]\xff"), [b"[1]\xff"]),
        (text(' ["a", "b"] '), [b"a", b"b"]),
        (text('{"run": 1}'), [b'{\n  "run": 1\n}']),
        (text("[]"), []),
        (as_json(["a", '{"b": 1}', None, True, 7]), [b"a", b'{"b": 1}', b"", b"True", b"7"]),
        (Value(["a", "b"], "list"), [b"a", b"b"]),
        (Value({"a": "ü"}, "dict"), ['{\n  "a": "ü"\n}'.encode()]),
    ],
    ids=[
        "text",
        "empty",
        "number",
        "bytes",
        "array",
        "object",
        "no-elements",
        "list",
        "unchecked-list",
        "unchecked-dict",
    ],
)
def test_one_output_may_be_many_messages(datum: Datum, bodies: list[bytes]) -> None:
    """A text that is a JSON array is spread over messages, an object is printed anew, all else stays as it is."""
    assert spread(datum) == bodies


def test_what_looks_like_json_must_be_json() -> None:
    """The host parses whatever stands in brackets, and the invocation fails if it cannot."""
    with pytest.raises(BadOutput, match="looks like JSON and is not"):
        spread(text("[not json]"))
