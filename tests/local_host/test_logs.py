import logging
from pathlib import Path

import pytest

from devkit.local_host.logs import LineFormatter
from devkit.local_host.tracebacks import path_of, place_of
from devkit.local_host.worker import invocation_scope

APP = Path("/srv/app")
TRACEBACK = """Traceback (most recent call last):
  File "/usr/lib/python3.13/site-packages/azure_functions_runtime/native_invocation.py", line 187, in invoke
    call_result = await loop.run_in_executor(
  File "/srv/app/__app__/run_worker.py", line 12, in work
    carry_out(message)
  File "/srv/app/shared_code/runs.py", line 80, in carry_out
    raise ValueError("no luck")
  File "/usr/lib/python3.13/json/decoder.py", line 338, in decode
ValueError: no luck
"""


def test_a_traceback_is_the_way_through_the_apps_code() -> None:
    """Libraries are left out."""
    assert path_of(TRACEBACK, APP) == "__app__/run_worker.py:12 in work > shared_code/runs.py:80 in carry_out"
    assert place_of(TRACEBACK, APP) == "shared_code/runs.py:80"


def test_a_traceback_without_the_app_has_no_place() -> None:
    """Nothing in the app is to blame."""
    assert place_of("no frames", APP) is None
    assert path_of("no frames", APP) == ""


def test_a_record_is_one_line() -> None:
    """UTC with Z, level, logger, function, message; line breaks are bars."""
    formatter = LineFormatter(APP, {"0123456789": "work"}.get)
    record = logging.LogRecord("steward.runs", logging.INFO, "", 0, "two\nlines of %s", ("text",), None)
    record.created = 1795327200.5

    assert formatter.format(record) == "2026-11-22T06:00:00.500Z INFO steward.runs two | lines of text"
    with invocation_scope("0123456789"):
        assert formatter.format(record) == (
            "2026-11-22T06:00:00.500Z INFO steward.runs [work 01234567] two | lines of text"
        )


def test_no_record_drives_a_terminal() -> None:
    """An address that somebody calls is in the log as it is shown, and does nothing there."""
    record = logging.LogRecord("host", logging.INFO, "", 0, "GET /%s", ("\x1b[2J\x9b\u202egpj\x00x",), None)

    line = LineFormatter(APP, lambda _: None).format(record)

    assert line.endswith("INFO host GET / [2J gpj x")


def test_an_exception_is_in_the_line() -> None:
    """Type, text and the way to it."""
    formatter = LineFormatter(Path(__file__).parent, lambda _: None)
    with pytest.raises(LookupError) as raised:
        raise LookupError("not\nhere")
    record = logging.LogRecord("x", logging.ERROR, "", 0, "Failed", (), (LookupError, raised.value, raised.tb))

    line = formatter.format(record)

    assert "ERROR x Failed: LookupError: not | here (test_logs.py:" in line
    assert "\n" not in line
