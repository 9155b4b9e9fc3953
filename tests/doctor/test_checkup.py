"""Many who ask at the same time make the app look once."""

import threading
import time

from shared_code.doctor.checks import Check, ok
from shared_code.doctor.checkup import TRUSTED_FOR, Checkup


def test_what_was_just_found_is_told_again() -> None:
    """For a few seconds after the end, however long it took."""
    now, looks = 100.0, 0

    def look() -> tuple[Check, ...]:
        nonlocal now, looks
        looks += 1
        now += 15
        return (ok("a", str(looks)),)

    checkup = Checkup(look, lambda: now)
    assert [checkup.checks()[0].detail for _ in range(3)] == ["1", "1", "1"]

    now += TRUSTED_FOR - 0.1
    assert checkup.checks()[0].detail == "1"
    now += 0.1
    assert checkup.checks()[0].detail == "2"


def test_who_asks_meanwhile_waits() -> None:
    found: list[tuple[Check, ...]] = []
    looks: list[int] = []

    def look() -> tuple[Check, ...]:
        looks.append(1)
        time.sleep(0.05)
        return (ok("a", "b"),)

    checkup = Checkup(look, time.monotonic)
    threads = [threading.Thread(target=lambda: found.append(checkup.checks())) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)

    assert (len(found), len(looks)) == (8, 1)
