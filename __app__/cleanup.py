"""The timer of cleanup."""

import azure.functions as func

from __app__.queue import Work
from __app__.scheduled import scheduled, tick

blueprint = func.Blueprint()


@scheduled(blueprint, "cleanup")
def cleanup(timer: func.TimerRequest, work: Work) -> None:
    """Ask for a run of cleanup."""
    tick("cleanup", timer, work)
