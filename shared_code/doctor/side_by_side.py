"""Many questions at the same time, until a moment; what is not answered by then is left out."""

import threading
from collections.abc import Callable, Iterable


def answers[Thing, Answer](
    ask: Callable[[Thing], Answer], things: Iterable[Thing], threads: int, left: Callable[[], float]
) -> list[tuple[Thing, Answer]]:
    """Ask about each thing, and return what was answered in time, in the order of the things.

    Args:
        ask: asks; it must not raise.
        things: what to ask about.
        threads: how many questions are under way at the same time at most.
        left: gives the seconds that are left.
    """
    waiting = list(enumerate(things))[::-1]
    found: dict[int, tuple[Thing, Answer]] = {}

    def work() -> None:
        while left() > 0:
            try:
                place, thing = waiting.pop()
            except IndexError:
                return
            found[place] = (thing, ask(thing))

    workers = [
        threading.Thread(target=work, name="doctor asks", daemon=True) for _ in range(min(threads, len(waiting)))
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join(max(0.0, left()))
    return [answer for _, answer in sorted(found.copy().items(), key=lambda item: item[0])]
