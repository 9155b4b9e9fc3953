"""Made-up secrets that are known again wherever they turn up, and however they are written there."""

import base64
import io
import json
import random
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

_ALIGNMENTS = range(3)
_ESCAPE = re.compile(rb"(?:\\+u00|\\x|&#x)([0-9a-fA-F]{2});?")
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_SHORTEST = 12


class Canaries:
    """Secrets by name; each is one only if nothing else could be taken for it."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # the same again for the same seed; they open nothing
        self._forms: dict[bytes, str] = {}
        self._pattern = re.compile(rb"(?!)")

    def make(self, name: str) -> str:
        """Make one, of letters and digits."""
        return self.add(name, "c4na" + self._random.randbytes(14).hex())

    def add(self, name: str, text: str) -> str:
        """Know one that somebody else has made."""
        if len(text) < _SHORTEST:
            raise ValueError(f"the secret {name!r} could be found by chance")
        for form in _forms(text):
            self._forms.setdefault(form, name)
        self._pattern = re.compile(b"|".join(re.escape(form) for form in self._forms))
        return text

    def found_in(self, content: bytes) -> list[str]:
        """Give the names of those that are in it: as they are, or in base64, hexadecimal, a URL, JSON, HTML, a zip."""
        return sorted({self._forms[found[0]] for view in _views(content) for found in self._pattern.finditer(view)})

    def found_below(self, folder: Path, but: Iterable[str] = ()) -> Iterator[tuple[str, list[str]]]:
        """Give each file that has some, in its content or its name, but those that are named, which may."""
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            content = path.read_bytes() if path.is_file() and name not in but else b""
            if names := self.found_in(name.encode(errors="replace") + b"\n" + content):
                yield name, names


def _forms(text: str) -> Iterator[bytes]:
    plain = text.encode()
    yield from {plain, plain.lower(), plain.upper(), plain.hex().encode(), plain[::-1]}
    for before in _ALIGNMENTS:  # as a part of something longer
        encoded = base64.b64encode(bytes(before) + plain)
        whole = encoded[-(-before * 4 // 3) : (before + len(plain)) // 3 * 4]
        yield whole
        yield whole.replace(b"+", b"-").replace(b"/", b"_")


def _views(content: bytes) -> Iterator[bytes]:
    """Give what may be read in a content."""
    yield content
    if b"%" in content:
        yield (once := unquote_to_bytes(content))
        yield unquote_to_bytes(once)
    if b"\\" in content or b"&#" in content:
        yield _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), content).replace(b"\\/", b"/")
    if content.startswith(_GZIP):
        yield zlib.decompress(content, 31)
    if (start := content.find(_ZIP)) >= 0 and zipfile.is_zipfile(io.BytesIO(content[start:])):
        with zipfile.ZipFile(io.BytesIO(content[start:])) as archive:
            yield json.dumps(archive.namelist()).encode()
            for name in archive.namelist():
                yield archive.read(name)
