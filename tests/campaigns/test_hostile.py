"""A round of the campaign `hostile`, and what knows a secret again."""

import base64
import gzip
import html
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from devkit.campaigns.canaries import Canaries
from devkit.campaigns.hostile import round_of
from devkit.campaigns.session import Session


def zipped(text: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", text)
    return written.getvalue()


WRITTEN: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "capitals": lambda text: text.upper().encode(),
    "in a URL": lambda text: "".join(f"%{ord(each):02x}" for each in text).encode(),
    "in a URL in a URL": lambda text: quote("".join(f"%{ord(each):02X}" for each in text)).encode(),
    "JSON": lambda text: "".join(f"\\u{ord(each):04x}" for each in text).encode(),
    "JSON in JSON": lambda text: json.dumps("".join(f"\\u{ord(each):04x}" for each in text)).encode(),
    "HTML": lambda text: "".join(f"&#x{ord(each):x};" for each in text).encode(),
    "HTML, quoted": lambda text: html.escape(f"<{text}>").encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, one before": lambda text: base64.b64encode(b"x" + text.encode() + b"y"),
    "base64, two before": lambda text: base64.urlsafe_b64encode(b"xx" + text.encode() + b"yyy"),
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "bytes of Python": lambda text: "".join(f"\\x{ord(each):02x}" for each in text).encode(),
    "zip": zipped,
    "gzip": lambda text: gzip.compress(text.encode()),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_secret_is_known_again(form: str) -> None:
    """However it is written."""
    canaries = Canaries(1)
    secret, other = canaries.make("key"), Canaries(2).make("key")
    around = b"" if form in ("zip", "gzip") else b" before and after "

    assert canaries.found_in(around + WRITTEN[form](secret) + around) == ["key"]
    assert canaries.found_in(around + WRITTEN[form](other) + around) == []


def test_a_secret_in_a_file_or_its_name(tmp_path: Path) -> None:
    """All but the files that may."""
    canaries = Canaries(1)
    secret = canaries.make("key")
    (tmp_path / secret).touch()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "run.json").write_text(f'{{"error": "{secret}"}}')
    (tmp_path / "keys.json").write_text(secret)
    (tmp_path / "other").write_text("nothing")

    found = dict(canaries.found_below(tmp_path, ("keys.json",)))

    assert found == {secret: ["key"], "below/run.json": ["key"]}


def test_what_could_be_found_by_chance_is_no_secret() -> None:
    with pytest.raises(ValueError, match="'key' could be found by chance"):
        Canaries(1).add("key", "secret")


def test_no_secret_turns_up_where_it_does_not_belong() -> None:
    """Keys, tokens, passwords and signed addresses: in no answer, record, report, log, notice, and on no terminal."""
    out = io.StringIO()
    session = Session("hostile", 5, out=out)

    round_of(session, 5, commands=2, hurried=True)

    assert session.violations == [], out.getvalue()
    assert session.figures["tokens"] > 0
    assert session.figures["notices"] > 0
    assert session.figures["answers"] > 100
    assert session.figures["objects"] > 30
