"""The report of a run in the format its reader asks for."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

import msgspec

from shared_code.errors import InvalidRequest, Refused, Unknown
from shared_code.run_records import folder
from shared_code.runs import Run
from shared_code.store import Store

TYPES = {"html": "text/html", "csv": "text/csv", "json": "application/json"}
"""Formats and their content types; the first is given where the reader does not mind."""

_QUALITY = re.compile(r"[01](\.\d{0,3})?", re.ASCII)


_SUFFIXES = {"html": ".html", "csv": ".csv", "json": ".ndjson"}


def choose(asked: str | None, accept: str, outputs: tuple[str, ...]) -> str:
    """Choose a format: what Accept likes best of ours, else the first that the run has left.

    Args:
        asked: `?format=`, which wins; None if absent.
        accept: the Accept header.
        outputs: the names of what the run has left.

    Raises:
        InvalidRequest: there is no such format.
    """
    if asked is not None:
        if asked.lower() not in TYPES:
            raise InvalidRequest(f"format is '{asked[:40]}'; it must be one of {', '.join(TYPES)}.")
        return asked.lower()
    ranges = sorted(map(_media_range, accept.lower().split(",")), key=lambda found: -found[1])  # a stable sort
    forms = (form for kind, liked in ranges if liked > 0 for form, type_ in TYPES.items() if fnmatchcase(type_, kind))
    left = [form for form, suffix in _SUFFIXES.items() if any(name.endswith(suffix) for name in outputs)]
    return next((form for form in forms if form in left), left[0] if left else "html")


def _media_range(text: str) -> tuple[str, float]:
    """Return the media range and how much it is liked, from 0 to 1 (RFC 9110, 12.5.1)."""
    kind, *parameters = (part.strip() for part in text.split(";"))
    quality = next((value for name, _, value in (part.partition("=") for part in parameters) if name == "q"), "1")
    return kind, float(quality) if _QUALITY.fullmatch(quality) else 0.0


def report(store: Store, run: Run, form: str) -> Iterator[bytes]:
    """Give the report in pieces.

    Raises:
        Refused: the run has not ended.
        Unknown: it left no report.
        StoreError: the store cannot be read.
    """
    if not run.status.ended:
        raise Refused(f"Run '{run.id}' is {run.status}; its report is there when it has ended.")
    names = [name for name in run.outputs if name.endswith(_SUFFIXES[form])]
    if not names:
        what = f"{form.upper()} report" if run.outputs else "report"
        raise Unknown(f"Run '{run.id}' ({run.job}, {run.status}) left no {what}. {run.error or ''}".strip())
    return _document(store, run, names) if form == "json" else store.chunks(f"{folder(run.id)}/{names[0]}")


def _document(store: Store, run: Run, names: list[str]) -> Iterator[bytes]:
    """Give one JSON document of the record and the lines of each NDJSON, without holding them."""
    yield b'{"run":' + msgspec.json.encode(run)
    for name in names:
        title = name.removesuffix(".ndjson").replace("-", "_")
        yield b',"' + title.encode() + b'":['
        for position, line in enumerate(store.lines(f"{folder(run.id)}/{name}")):
            yield (b"," if position else b"") + line
        yield b"]"
    yield b"}"
