"""What jobs there are."""

import azure.functions as func

from __app__.responses import answered, json_answer
from shared_code.catalog import view, views
from shared_code.wiring import steward, utc_now

blueprint = func.Blueprint()


@blueprint.route("jobs", methods=["GET"])
@answered
def list_jobs(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the binding needs it
    """Answer every job, by name."""
    own = steward()
    return json_answer({"jobs": views(own.configuration, own.records, utc_now())})


@blueprint.route("jobs/{job}", methods=["GET"])
@answered
def show_job(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one job."""
    own, name = steward(), req.route_params["job"]
    return json_answer(view(own.configuration, own.records, own.requests.known(name), utc_now()))
