"""Plans over HTTP: list and show; applying one is a function of its own, with a key of its own."""

from itertools import islice

import azure.functions as func
import msgspec

from __app__.responses import answered, json_answer
from shared_code.plan import Plans
from shared_code.wiring import steward

blueprint = func.Blueprint()

LISTED = 50
"""Plans in a list; older ones are found through their runs."""


@blueprint.route("plans", methods=["GET"])
@answered
def list_plans(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the worker gives it
    """Answer the ids of the newest plans, newest first, with their addresses."""
    names = islice(Plans(steward().store).newest(), LISTED)
    return json_answer({"plans": [{"id": name, "links": {"self": f"/api/plans/{name}"}} for name in names]})


@blueprint.route("plans/{plan}", methods=["GET"])
@answered
def show_plan(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a plan: every item with its reason, and the digest that whoever applies it must give."""
    plan = Plans(steward().store).get(req.route_params["plan"])
    return json_answer({**msgspec.to_builtins(plan), "links": {"run": f"/api/runs/{plan.run}"}})
