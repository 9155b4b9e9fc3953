"""Plans over HTTP: list and show; applying one is a function of its own, with a key of its own."""

from itertools import islice

import azure.functions as func
import msgspec

from __app__.queue import Work, sends_runs
from __app__.requests import body_of, requested_by
from __app__.responses import POLICY, answer, answered, json_answer
from __app__.runs_api import accepted
from shared_code.errors import InvalidRequest
from shared_code.plan import Plans
from shared_code.reports.formats import TYPES
from shared_code.reports.page import inline
from shared_code.reports.plan import plan_page
from shared_code.runs import Order, TriggeredBy
from shared_code.settings import TagAudit
from shared_code.wiring import steward

blueprint = func.Blueprint()


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST plans/{plan}/apply`: the digest that was looked at, and the only resources meant, if any."""

    digest: str
    only: tuple[str, ...] | None = None


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
    """Answer a plan as JSON or, by `?format=html` or the Accept header, as a page.

    Every item comes with its reason, and with the digest that whoever applies it must give. What a thing is defined as
    stays in the store: it may say more than a reader of plans needs to know.
    """
    plan = Plans(steward().store).get(req.route_params["plan"])
    if _form(req) == "html":
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
    form: str | None = req.params.get("format")
    if form is None:
        return "html" if "text/html" in req.headers.get("Accept", "").lower() else "json"
    if form.lower() not in ("html", "json"):
        raise InvalidRequest(f"format is '{form[:40]}'; it must be html or json.")
    return form.lower()


@blueprint.route("plans/{plan}/apply", methods=["POST"])
@sends_runs(blueprint)
@answered
def apply_plan(req: func.HttpRequest, work: Work) -> func.HttpResponse:
    """Record a run that applies the plan, and answer 202 with its address; this function alone changes Azure."""
    approval = body_of(req, Approval, 'send JSON such as {"digest": "…"}')
    run = steward().change_requests.apply(
        Order(plan=req.route_params["plan"], digest=approval.digest, only=approval.only),
        TriggeredBy.HTTP,
        requested_by=requested_by(req),
        idempotency_key=req.headers.get("Idempotency-Key"),
    )
    return accepted(run, work)
