"""The files beside steward.toml."""

from pathlib import Path

import pytest

from shared_code.wiring import read_list


def test_a_list_is_its_lines(tmp_path: Path) -> None:
    (tmp_path / "owners.txt").write_bytes("\ufeffweb\r\ndata\n".encode())

    assert read_list(tmp_path, "owners.txt") == ["web", "data"]


@pytest.mark.parametrize("name", ["gone.txt", "folder", "latin.txt", "long.txt", "a\0b"])
def test_what_is_no_list_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.txt").write_bytes(b"\xff")
    (tmp_path / "long.txt").write_text("x\n" * 1024 * 1024)

    assert read_list(tmp_path, name) is None
