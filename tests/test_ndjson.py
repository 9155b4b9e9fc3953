"""NDJSON in pieces: the same bytes in few writes."""

from hypothesis import given
from hypothesis import strategies as some

from shared_code.ndjson import PIECE, pieces


@given(lengths=some.lists(some.sampled_from([0, 1, 1000, PIECE // 2, PIECE + 1]), max_size=12))
def test_many_lines_become_few_pieces_of_bounded_length(lengths: list[int]) -> None:
    lines = [b"x" * length for length in lengths]

    found = list(pieces(lines))

    assert b"".join(found) == b"".join(line + b"\n" for line in lines)
    assert all(found)
    assert all(len(piece) >= PIECE for piece in found[:-1])
    assert all(len(piece) <= PIECE + max(lengths) + 1 for piece in found)


def test_is_a_stream() -> None:
    assert len(next(pieces(b"x" * 1000 for _ in iter(int, 1)))) < PIECE + 1001
