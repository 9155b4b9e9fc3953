"""Plans over HTTP: list and show; applying one is a function of its own, with a key of its own."""

from itertools import islice

import azure.functions as func
import msgspec

from __app__.bodies import APPROVAL
from __app__.parameters import BEFORE, IDEMPOTENCY_KEY, JOB, LIMIT, PLAN_FORMAT
from __app__.queue import Work, sends_runs
from __app__.requests import caller_of, change_requests
from __app__.responses import POLICY, answer, answered, json_answer
from __app__.runs_api import accepted, following
from shared_code.plan import Plans
from shared_code.reports.formats import TYPES
from shared_code.runs import Order, TriggeredBy, job_of
from shared_code.settings import TagAudit
from shared_code.wiring import steward

blueprint = func.Blueprint()


@blueprint.route("plans", methods=["GET"])
@answered
def list_plans(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the ids of plans, newest first, with their addresses: `job`, `limit` and `before` narrow it."""
    job, limit, before = JOB.of(req), LIMIT.of(req), BEFORE.of(req)
    if job is not None:
        steward().requests.known(job)
    names = (
        name
        for name in Plans(steward().store).newest()
        if job in (None, job_of(name)) and (before is None or name < before)
    )
    page = list(islice(names, limit))
    more = next(names, None) is not None
    return json_answer(
        {
            "plans": [{"id": name, "links": {"self": f"/api/plans/{name}"}} for name in page],
            "next": following("/api/plans", limit=limit, job=job, before=page[-1]) if more else None,
        }
    )


@blueprint.route("plans/{plan}", methods=["GET"])
@answered
def show_plan(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a plan as JSON or, by `?format=html` or the Accept header, as a page.

    Every item comes with its reason, and with the digest that whoever applies it must give. What a thing is defined as
    stays in the store: it may say more than a reader of plans needs to know.
    """
    plan = Plans(steward().store).get(req.route_params["plan"])
    if _form(req) == "html":
        from shared_code.reports.page import inline  # here, since indexing the app needs none of it
        from shared_code.reports.plan import plan_page

        settings = steward().configuration.jobs.get("tag-audit")
        owner_tag = settings.owner_tag if isinstance(settings, TagAudit) else TagAudit().owner_tag
        policy = {"Content-Security-Policy": f"{POLICY}; script-src {inline('tables.js').source}"}
        return answer(b"".join(plan_page(plan, owner_tag)), TYPES["html"], headers=policy)
    shown = msgspec.to_builtins(plan)
    for item in shown["items"]:
        item.pop("definition", None)
    return json_answer({**shown, "links": {"run": f"/api/runs/{plan.run}"}})


def _form(req: func.HttpRequest) -> str:
    """Return html or json: JSON unless somebody asks for a page, as a browser does."""
    return PLAN_FORMAT.of(req) or ("html" if "text/html" in req.headers.get("Accept", "").lower() else "json")


@blueprint.route("plans/{plan}/apply", methods=["POST"])
@sends_runs(blueprint)
@answered
def apply_plan(req: func.HttpRequest, work: Work) -> func.HttpResponse:
    """Record a run that applies the plan, and answer 202 with its address; this function alone changes Azure."""
    approval, caller = APPROVAL.of(req), caller_of(req)
    run = change_requests(caller).apply(
        Order(plan=req.route_params["plan"], digest=approval.digest, only=approval.only),
        TriggeredBy.HTTP,
        requested_by=caller.name,
        idempotency_key=IDEMPOTENCY_KEY.of(req),
    )
    return accepted(run, work)
