"""Python tracebacks as text, shortened to what fits one line."""

import re
from pathlib import Path

_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<where>\S+))?', re.MULTILINE)
_LIBRARY = ("site-packages", "dist-packages", "/lib/python3", "<frozen")


def place_of(traceback: str, app: Path) -> str | None:
    """Give `file:line` of the last frame inside the app folder, or None if there is none."""
    frames = _FRAME.finditer(traceback)
    own = [frame for frame in frames if Path(frame["file"]).is_relative_to(app) and not _is_library(frame["file"])]
    return f"{_shown(own[-1]['file'], app)}:{own[-1]['line']}" if own else None


def path_of(traceback: str, app: Path) -> str:
    """Give the way through the app's own code, outermost first: `worker.py:12 in work > runs.py:80 in carry_out`."""
    frames = [frame for frame in _FRAME.finditer(traceback) if not _is_library(frame["file"])]
    return " > ".join(
        f"{_shown(f['file'], app)}:{f['line']}" + (f" in {f['where']}" if f["where"] else "") for f in frames
    )


def _is_library(file: str) -> bool:
    return any(part in file for part in _LIBRARY)


def _shown(file: str, app: Path) -> str:
    path = Path(file)
    return str(path.relative_to(app)) if path.is_relative_to(app) else path.name
