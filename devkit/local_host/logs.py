"""The log: one line a record on stderr, with the function it belongs to where that is known."""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from devkit.local_host.tracebacks import path_of
from devkit.local_host.worker import current_invocation
from shared_code.foreign_text import one_line

# It logs every request's headers at INFO.
_LOUD = ("azure.core.pipeline.policies.http_logging_policy",)

_LONGEST = 100_000
_BREAKS = str.maketrans({"\n": " | ", "\r": " "})


class LineFormatter(logging.Formatter):
    """`2026-11-22T06:00:00.123Z INFO steward.runs [tag_audit 1a2b3c4d] text`.

    Args:
        app: exceptions are shown as the way through this folder's code.
        function_of: gives the function name of a running invocation id.
    """

    def __init__(self, app: Path, function_of: Callable[[str], str | None]) -> None:
        super().__init__()
        self._app = app
        self._function_of = function_of

    def format(self, record: logging.LogRecord) -> str:
        """Write a record in one line."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            path = path_of(self.formatException(record.exc_info), self._app)
            text = f"{text}: {type(error).__name__}: {error}" + (f" ({path})" if path else "")
        shown = one_line(text.translate(_BREAKS), _LONGEST)  # an address that somebody calls may drive the terminal
        return f"{when} {record.levelname} {record.name}{self._where()} {shown}"

    def _where(self) -> str:
        invocation_id = current_invocation()
        function = invocation_id and self._function_of(invocation_id)
        return f" [{function} {invocation_id[:8]}]" if invocation_id and function else ""


def configure_logging(app: Path, function_of: Callable[[str], str | None]) -> None:
    """Send the root logger, INFO and above, to stderr in this format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(app, function_of))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
