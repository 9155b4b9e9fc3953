"""Examinations side by side: what breaks or hangs is a line, and stops no other."""

import threading
import time
from collections.abc import Iterable

from shared_code.doctor.checks import Check, Result, counted, failed, has_failed, not_checked, ok, warning
from shared_code.doctor.examination import Examination, examine
from shared_code.doctor.side_by_side import answers
from shared_code.errors import StewardError, Unauthenticated


def slow() -> Iterable[Check]:
    time.sleep(0.05)
    return [ok("slow", "done"), ok("slower", "done")]


def breaks() -> Iterable[Check]:
    yield ok("never", "seen")
    raise KeyError("secret")


def refuses() -> Iterable[Check]:
    raise StewardError("the list cannot be read; try again.")


def lacks_a_token() -> Iterable[Check]:
    raise Unauthenticated("cannot read it: no token, there is none; sign in")


def is_refused() -> Iterable[Check]:
    raise Unauthenticated("cannot read it: Azure answered 401; sign in")


def test_the_order_is_that_of_the_examinations() -> None:
    """However long each takes, and whatever becomes of it; an error is one sentence, without what it holds."""
    checks = examine(
        [
            Examination("slow", slow),
            Examination("breaks", breaks),
            Examination("refuses", refuses),
            Examination("token", lacks_a_token),
            Examination("refused", is_refused),
            Examination("quick", lambda: [ok("quick", "done")]),
        ],
        time.monotonic,
    )

    assert [(each.what, str(each.result)) for each in checks] == [
        ("slow", "ok"),
        ("slower", "ok"),
        ("breaks", "failed"),
        ("refuses", "failed"),
        ("token", "not checked"),
        ("refused", "failed"),
        ("quick", "ok"),
    ]
    assert checks[2].detail == "the check broke with an unexpected KeyError"
    assert checks[3].sentence == "the list cannot be read; try again"
    assert "see the identity above" in checks[4].detail


def test_what_hangs_is_a_line_and_the_others_are_told() -> None:
    """Nobody waits longer than its limit, or than all together may take."""
    never = threading.Event()
    try:
        begun = time.monotonic()
        one, other, last = examine(
            [
                Examination("hangs", lambda: [ok("hangs", str(never.wait(60)))], limit=0.1),
                Examination("hangs too", lambda: [ok("hangs too", str(never.wait(60)))], limit=50),
                Examination("works", lambda: [ok("works", "done")]),
            ],
            time.monotonic,
            within=0.3,
        )
        took = time.monotonic() - begun
    finally:
        never.set()

    assert took < 5
    assert (one.what, one.result, one.detail) == ("hangs", Result.FAILED, "no answer within 0.1 s")
    assert (other.what, other.result) == ("hangs too", Result.FAILED)
    assert last.result is Result.OK


def test_results_are_counted() -> None:
    checks = [ok("a", "x"), warning("b", "x", "y"), ok("c", "x"), not_checked("d", "x")]

    assert counted(checks) == "2 ok, 1 warning, 1 not checked"
    assert not has_failed(checks)
    assert has_failed([*checks, failed("e", "x")])
    assert failed("e", "broken", "mend it", "runbooks/x.md").sentence == "broken; mend it (runbooks/x.md)"


def test_many_questions_are_answered_in_order_and_some_at_a_time() -> None:
    """Never more at a time than threads."""
    under_way, most, lock = 0, 0, threading.Lock()

    def ask(number: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.005)
        with lock:
            under_way -= 1
        return number * number

    assert answers(ask, range(20), 4, lambda: 10.0) == [(each, each * each) for each in range(20)]
    assert 1 < most <= 4
    assert answers(ask, (), 4, lambda: 10.0) == []


def test_what_is_not_answered_in_time_is_left_out() -> None:
    """Nothing more is asked then."""
    asked: list[int] = []

    found = answers(asked.append, range(50), 1, lambda: 3.0 - len(asked))

    assert [each for each, _ in found] == asked == [0, 1, 2]
