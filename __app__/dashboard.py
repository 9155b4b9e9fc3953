"""The dashboard: a shell that anybody may load, and what it shows to whoever has the reader's key."""

import azure.functions as func

from __app__.responses import answer, answered
from shared_code.errors import InvalidRequest
from shared_code.plan import Plans
from shared_code.wiring import steward, utc_now

blueprint = func.Blueprint()


@blueprint.route("dashboard", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answered
def dashboard(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  # the binding needs it
    """Answer the page that asks for a key; it has no data of the estate."""
    from shared_code.reports.dashboard import policy, shell  # here, since indexing the app needs none of it

    return answer(shell(), "text/html", headers={"Content-Security-Policy": policy()})


@blueprint.route("dashboard/content", methods=["GET"])
@answered
def dashboard_content(req: func.HttpRequest) -> func.HttpResponse:
    """Answer what the page shows: one look at everything, or with `run` or `plan` one of those."""
    from shared_code.dashboard import overview  # here, since indexing the app needs none of it
    from shared_code.reports.dashboard import approval_page, overview_page, run_page

    own = steward()
    run, plan = req.params.get("run"), req.params.get("plan")
    if run is not None and plan is not None:
        raise InvalidRequest("Both run and plan are given; name one of them, or none.")
    if run is not None:
        content = run_page(own.records.get(run).run)
    elif plan is not None:
        found = Plans(own.store).get(plan)
        content = approval_page(found, own.change_requests.refusal(found))
    else:
        content = overview_page(overview(own.configuration, own.store, own.stop, utc_now()))
    return answer(b"".join(content), "text/html")
