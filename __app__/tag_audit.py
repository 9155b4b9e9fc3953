"""The timer of tag-audit."""

import azure.functions as func

from __app__.queue import Work
from __app__.scheduled import scheduled, tick

blueprint = func.Blueprint()


@scheduled(blueprint, "tag-audit")
def tag_audit(timer: func.TimerRequest, work: Work) -> None:
    """Ask for a run of tag-audit."""
    tick("tag-audit", timer, work)
