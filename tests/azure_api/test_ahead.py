"""A call that runs beside its caller."""

import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from shared_code.azure_api.ahead import Ahead

SPAN: ContextVar[str] = ContextVar("span", default="none")


def test_it_gives_what_the_call_returns() -> None:
    assert Ahead(lambda: None).result() is None
    assert Ahead(lambda: 5).result() == 5


def test_it_runs_before_the_result_is_asked_for() -> None:
    begun = threading.Event()

    ahead = Ahead(begun.set)

    assert begun.wait(30)
    ahead.result()


@pytest.mark.parametrize("error", [ValueError("a"), KeyboardInterrupt("b"), SystemExit(3)])
def test_it_raises_what_the_call_raises(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        Ahead(fail).result()
    assert raised.value is error


def test_it_has_the_context_of_its_caller() -> None:
    """A request belongs to the span in which the list is read."""
    SPAN.set("reading")

    assert Ahead(SPAN.get).result() == "reading"


def test_a_result_that_nobody_takes_does_not_keep_the_process() -> None:
    code = (
        "import threading\n"
        "from shared_code.azure_api.ahead import Ahead\n"
        "def fail(): raise ValueError\n"
        "Ahead(fail)\n"
        "Ahead(threading.Event().wait)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert (done.stdout, done.stderr) == ("", "")


def test_without_a_thread_the_call_is_made_when_its_result_is_asked_for() -> None:
    code = (
        "import threading\n"
        "from shared_code.azure_api.ahead import Ahead\n"
        "threading.stack_size(1 << 46)\n"  # more than there is, so none can be started
        "ahead = Ahead(lambda: threading.current_thread().name)\n"
        "print('begun'); print(ahead.result())\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("begun\nMainThread\n", "")
