"""The timer of list-resource-groups."""

import azure.functions as func

from __app__.queue import Work
from __app__.scheduled import scheduled, tick

blueprint = func.Blueprint()


@scheduled(blueprint, "list-resource-groups")
def list_resource_groups(timer: func.TimerRequest, work: Work) -> None:
    """Ask for a run of list-resource-groups."""
    tick("list-resource-groups", timer, work)
