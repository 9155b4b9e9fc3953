"""The page about licences, from what the packages say: `python -m devkit.licences_page > docs/licences.md`."""

from email.message import Message
from importlib.metadata import distribution
from pathlib import Path
from typing import cast

from devkit.key_table import table
from devkit.supply.licences import licence_of
from devkit.supply.needs import canonical, needs, read_asked
from devkit.supply.pins import Pin, read_pins

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# Licences

What Steward is made of besides itself, and under which licence each of it is, as the package says. The package that
`./dev package` makes has all of their texts, and `sbom.cdx.json`, which says the same for machines.

This page is printed by the code, `python -m devkit.licences_page`; the tests compare the two, and refuse a licence that
[devkit/supply/licences.py](../devkit/supply/licences.py) does not accept.
"""
PARTS = (
    ("requirements", "What runs in Azure", ""),
    (
        "requirements-dev",
        "What tests and the devkit need on top",
        "Never deployed, and no part of what anybody is given.",
    ),
)


def page() -> str:
    """Return the page."""
    lines, seen = HEAD.splitlines(), set[str]()
    for name, title, remark in PARTS:
        pins = [pin for pin in read_pins((ROOT / f"{name}.txt").read_text()) if pin.name not in seen]
        seen |= {pin.name for pin in pins}
        lines += ["", f"## {title}", "", *([remark, ""] if remark else [])]
        lines += table(("Package", "Version", "Licence", "Needed by"), _rows(pins, f"{name}.in"))
    return "\n".join(lines) + "\n"


def _rows(pins: list[Pin], source: str) -> list[tuple[str, ...]]:
    metadata = {pin.name: metadata_of(pin.name) for pin in pins}
    asked = read_asked((ROOT / source).read_text())
    direct = {canonical(each.name) for each in asked}
    needed = needs(metadata, [each for each in asked if canonical(each.name) in metadata])
    rows: list[tuple[str, ...]] = []
    for pin in pins:
        by = [name for name in sorted(needed) if pin.name in needed[name]]
        told = ["Steward" if source == "requirements.in" else "the project"] if pin.name in direct else by
        rows.append((pin.name, pin.version, licence_of(metadata[pin.name]), ", ".join(told)))
    return rows


def metadata_of(name: str) -> Message:
    """Give what an installed package says of itself."""
    return cast(Message, distribution(name).metadata)


if __name__ == "__main__":
    print(page(), end="")
