"""The timer of watchdog."""

import azure.functions as func

from __app__.queue import Work
from __app__.scheduled import scheduled, tick

blueprint = func.Blueprint()


@scheduled(blueprint, "watchdog")
def watchdog(timer: func.TimerRequest, work: Work) -> None:
    """Ask for a run of watchdog."""
    tick("watchdog", timer, work)
