"""NDJSON in pieces: many lines become few writes, and none of them grows with the number of lines."""

from collections.abc import Iterable, Iterator

PIECE = 256 * 1024
"""Bytes gathered before they are written."""


def pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines, given without their newlines, to pieces of about `PIECE` bytes; one longer line stays whole."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held += (line, b"\n")
        size += len(line) + 1
        if size >= PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
